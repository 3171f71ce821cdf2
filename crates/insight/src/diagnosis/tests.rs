//! Tests of the diagnosis, with the domain dictionaries of the project.

mod demands;
mod properties;
mod rules;

use std::sync::LazyLock;

use super::*;

const DICTIONARIES: [&str; 8] = [
    include_str!("../../../core/data/dictionary/agriculture.txt"),
    include_str!("../../../core/data/dictionary/biomedicine.txt"),
    include_str!("../../../core/data/dictionary/electronics.txt"),
    include_str!("../../../core/data/dictionary/energy.txt"),
    include_str!("../../../core/data/dictionary/environment.txt"),
    include_str!("../../../core/data/dictionary/equipment.txt"),
    include_str!("../../../core/data/dictionary/materials.txt"),
    include_str!("../../../core/data/dictionary/public_service.txt"),
];

static DIAGNOSER: LazyLock<Diagnoser> = LazyLock::new(|| {
    let lines = DICTIONARIES.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'));
    Diagnoser::new(lines.filter_map(|line| line.split_whitespace().next()))
});

/// One letter for each aspect: p present, v vague, - missing.
fn letters(diagnosis: &Diagnosis) -> String {
    let letter = |finding: &Finding| match finding.state {
        AspectState::Present => 'p',
        AspectState::Vague => 'v',
        AspectState::Missing => '-',
    };
    diagnosis.findings.iter().map(letter).collect()
}

/// Texts of the evidence of an aspect.
fn evidence(diagnosis: &Diagnosis, aspect: Aspect) -> Vec<&str> {
    let finding = diagnosis.finding(aspect).unwrap();
    finding
        .evidence
        .iter()
        .map(|evidence| match evidence {
            StatementSource::Text { text, .. } => text.as_str(),
            StatementSource::Field(name) => name,
        })
        .collect()
}
