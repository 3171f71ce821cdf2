//! Demand diagnosis before matching: what a demand leaves out, and what to ask the enterprise.
//!
//! ```text
//! Demand + count of indicators ── text (folded, with places) ── rules with word lists ──► Diagnosis
//! ```
//!
//! The rules are deliberately simple, so that platform staff can see the reason. The words are in
//! `data/diagnosis/*.txt`, one per line. No model, no weights.
//!
//! | Aspect | present | vague | missing |
//! | --- | --- | --- | --- |
//! | problem | a word of `problem` | only of `problem_vague` | neither |
//! | object | a term of the dictionaries or of `object`, or a modified word of `object_generic` | only of `object_generic` | neither |
//! | indicators | the parser found any | only words of `indicator_vague` | neither |
//! | budget | the field, or an amount beside a word of `budget` | only such a word | neither, or 面议 behind it |
//! | deadline | the field, or a time beside a word of `deadline_*` | only words of `deadline_vague` | neither |
//! | cooperation | the field, or a word of `cooperation` | only of `cooperation_vague` | neither |
//!
//! A placeholder text (`未提供。`, `无`) counts as empty.

mod amount;
mod answer;
mod content;
mod given;
mod level;
mod lists;
mod questions;
mod terms;
mod text;
mod time;

pub use answer::{Aspect, AspectState, Completeness, Diagnosis, Finding, StatementSource};
pub use given::Given;
pub use lists::{MAX_TERM_CHARS, MAX_TERMS};

use lists::{WordList, Words};
use text::TextPart;

use duijie_core::domain::hit::TextField;

/// Diagnoses demands. Immutable after construction.
#[derive(Debug)]
pub struct Diagnoser {
    words: Words,
    terms: WordList,
}

// === impl Diagnoser ===

impl Diagnoser {
    /// Builds a diagnoser. `domain_terms` name objects, in addition to the built-in nouns. Terms of one character or of
    /// more than [`MAX_TERM_CHARS`] are ignored, as are terms after the first [`MAX_TERMS`].
    pub fn new<'a>(domain_terms: impl IntoIterator<Item = &'a str>) -> Self {
        Self { words: Words::built_in(), terms: WordList::terms(domain_terms) }
    }

    /// Diagnoses one demand.
    pub(crate) fn diagnose(&self, given: &Given<'_>) -> Diagnosis {
        let part = |field, text| TextPart::new(field, text, &self.words.placeholder);
        let parts = [part(TextField::Title, given.title), part(TextField::Body, given.body)];
        let findings = vec![
            content::problem(&self.words, &parts),
            content::object(&self.words, &self.terms, &parts),
            content::indicators(&self.words, &parts, given.indicators_found),
            terms::budget(&self.words, &parts, given),
            terms::deadline(&self.words, &parts, given),
            terms::cooperation(&self.words, &parts, given),
        ];
        Diagnosis { level: level::level(&findings), findings }
    }
}

#[cfg(test)]
mod tests;
