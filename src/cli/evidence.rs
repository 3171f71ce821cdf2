//! Prints the evidence of matches below the table.

use std::fmt::Write;

use super::grade::grade_label;
use crate::api::convert::record_in;
use duijie_core::domain::Record;
use duijie_proto as pb;

/// Most quotes printed per aspect of a demand.
const SHOWN_QUOTES: usize = 2;

/// Evidence of each match and, once at the end, the clauses cited by the policy notes. Empty without evidence.
pub fn matches(matches: &[pb::Match]) -> String {
    let mut text = String::new();
    for found in matches {
        let Some(record) = found.record.clone().and_then(|record| record_in(record).ok()) else { continue };
        let lines = lines(found);
        if !lines.is_empty() {
            line(&mut text, &heading(found.rank, &record));
            lines.iter().for_each(|entry| line(&mut text, &format!("   {entry}")));
        }
    }
    rules(matches, &mut text);
    text
}

/// Calibration of the levels, and a notice if nothing is good enough.
pub fn levels(answer: &pb::MatchResponse) -> String {
    let mut text = String::new();
    if answer.nothing_good_enough {
        line(
            &mut text,
            "没有足够好的匹配：库中没有这一主题的成果，以上仅为最接近的几项；可按下面的诊断补充需求，或请专家推荐",
        );
    }
    if let Some(fit) = &answer.calibration {
        let error = fit.expected_error;
        line(&mut text, &format!("等级的校准：{}（依据 {}），与专家判分平均相差 {error:.2} 级", fit.version, fit.data));
    }
    text
}

/// Present and missing information of the demand.
pub fn diagnosis(diagnosis: &pb::Diagnosis) -> String {
    let level = match diagnosis.level() {
        pb::DiagnosisLevel::Complete => "完整",
        pb::DiagnosisLevel::Partial => "部分完整",
        pb::DiagnosisLevel::Vague => "含糊",
        pb::DiagnosisLevel::Unspecified => "未知",
    };
    let mut text = String::new();
    line(&mut text, &format!("需求诊断：{level}（{}）", diagnosis.localized_description.trim_end_matches('。')));
    diagnosis.findings.iter().for_each(|finding| line(&mut text, &format!("   {}", said(finding))));
    text
}

fn heading(rank: i32, record: &Record) -> String {
    format!("\n{rank}. {}（{}）", record.title, record.name())
}

fn lines(found: &pb::Match) -> Vec<String> {
    let mut lines: Vec<String> = found.level.iter().map(level).collect();
    lines.extend(found.reasons.iter().map(|reason| {
        let sign = if reason.against { "－" } else { "＋" };
        format!("{sign} {}", reason.localized_description)
    }));
    lines.extend(found.indicators.iter().map(|answer| {
        let outcome = match answer.outcome() {
            pb::IndicatorOutcome::Satisfied => "符合",
            pb::IndicatorOutcome::Violated => "不符",
            pb::IndicatorOutcome::NotStated | pb::IndicatorOutcome::Unspecified => "待问",
        };
        format!("指标［{outcome}］{}", answer.localized_description)
    }));
    lines.extend(found.policy_notes.iter().flat_map(note));
    lines
}

fn level(level: &pb::Level) -> String {
    let grade = grade_label(level.grade);
    let all = level.strong_probability + level.fair_probability + level.weak_probability + level.none_probability;
    if all == 0.0 {
        return format!("等级：{grade}（库中没有这一主题的成果）");
    }
    format!(
        "等级：{grade}（概率：强 {:.2}，较强 {:.2}，弱 {:.2}，无 {:.2}）",
        level.strong_probability, level.fair_probability, level.weak_probability, level.none_probability
    )
}

fn note(note: &pb::PolicyNote) -> Vec<String> {
    if let Some(refusal) = &note.refusal {
        return vec![format!("政策［{}］{}", note.rule_id, refusal.localized_description)];
    }
    let amount = match (note.lowest_yuan, note.highest_yuan) {
        (lowest, highest) if lowest == highest => format!("最高补助 {highest} 元"),
        (lowest, highest) => format!("最高补助 {lowest} 至 {highest} 元，取决于尚不清楚的事实"),
    };
    let codes: Vec<&str> = note.unknown.iter().map(|unknown| unknown.code.as_str()).collect();
    let mut lines = vec![format!("政策［{}］{}：{amount}", note.rule_id, note.title)];
    lines.extend(note.cases.iter().map(|case| {
        let conditions =
            if case.conditions.is_empty() { "按已知事实".into() } else { case.conditions.join("，") };
        let basis = case.basis.trim_end_matches('。');
        let otherwise = case.otherwise_yuan.map(|yuan| format!("；若条文从严解释则为 {yuan} 元"));
        format!("   {conditions}：{basis}{}", otherwise.unwrap_or_default())
    }));
    if !codes.is_empty() {
        lines.push(format!("   待核实：{}", codes.join("、")));
    }
    lines
}

/// Clause and open questions of each rule that may grant something, each once.
fn rules(matches: &[pb::Match], text: &mut String) {
    let mut told: Vec<&str> = Vec::new();
    for note in matches.iter().flat_map(|found| &found.policy_notes).filter(|note| note.refusal.is_none()) {
        if !told.contains(&note.rule_id.as_str()) {
            line(text, &format!("\n［{}］版本 {}，{}{}：", note.rule_id, note.rule_version, note.source, note.clause));
            line(text, &format!("   {}", note.quote.trim()));
            told.push(&note.rule_id);
        }
        for unknown in &note.unknown {
            if !told.contains(&unknown.code.as_str()) {
                line(text, &format!("   {}：{}", unknown.code, unknown.localized_description));
                told.push(&unknown.code);
            }
        }
    }
}

fn said(finding: &pb::DiagnosisFinding) -> String {
    let aspect = match finding.aspect() {
        pb::DemandAspect::Problem => "存在的问题",
        pb::DemandAspect::Object => "技术对象",
        pb::DemandAspect::Indicators => "技术指标",
        pb::DemandAspect::Budget => "预算",
        pb::DemandAspect::Deadline => "期限",
        pb::DemandAspect::Cooperation => "合作方式",
        pb::DemandAspect::Unspecified => "其他",
    };
    let state = match finding.state() {
        pb::AspectState::Present => "已说明",
        pb::AspectState::Vague => "含糊",
        pb::AspectState::Missing => "缺少",
        pb::AspectState::Unspecified => "未知",
    };
    let quotes: String = finding.evidence.iter().take(SHOWN_QUOTES).map(|quote| format!("“{}”", quote.text)).collect();
    let question = if finding.question.is_empty() { String::new() } else { format!("  问：{}", finding.question) };
    format!("{aspect}：{state}{quotes}{question}")
}

fn line(text: &mut String, line: &str) {
    // writing to a string cannot fail
    let _ = writeln!(text, "{line}");
}
