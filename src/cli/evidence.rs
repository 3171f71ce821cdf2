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

/// A notice if nothing is good enough.
pub fn levels(answer: &pb::MatchResponse) -> String {
    let advice = match answer.diagnosis {
        Some(_) => "可按下面的诊断补充需求，或请专家推荐",
        None => "可用 --evidence 查看需求诊断，补充后再试，或请专家推荐",
    };
    let mut text = String::new();
    if answer.nothing_good_enough {
        line(&mut text, &format!("没有足够好的匹配：库中没有这一主题的成果，以上仅为最接近的几项；{advice}"));
    }
    text
}

/// Calibration of the levels.
pub fn calibration(answer: &pb::MatchResponse) -> String {
    let mut text = String::new();
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
        format!("{sign} {}", reason.text)
    }));
    lines.extend(found.indicators.iter().map(|answer| {
        let outcome = match answer.outcome() {
            pb::IndicatorOutcome::Satisfied => "符合",
            pb::IndicatorOutcome::Violated => "不符",
            pb::IndicatorOutcome::NotStated | pb::IndicatorOutcome::Unspecified => "待问",
        };
        format!("指标［{outcome}］{}", answer.text)
    }));
    lines.extend(notes(&found.policy_notes));
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

/// One line for each rule that may grant something, or one for all where none does.
fn notes(notes: &[pb::PolicyNote]) -> Vec<String> {
    let granting: Vec<String> = notes.iter().filter(|note| note.refusal.is_none()).map(granted).collect();
    if !granting.is_empty() || notes.is_empty() {
        return granting;
    }
    let mut reasons: Vec<String> = Vec::new();
    for refusal in notes.iter().filter_map(|note| note.refusal.as_ref()) {
        let reason = in_sense(refusal.text.trim_end_matches('。'));
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    vec![format!("政策：没有适用的补助（{}）", reasons.join("；"))]
}

fn granted(note: &pb::PolicyNote) -> String {
    let highest = money(note.highest_yuan);
    let amount = match note.lowest_yuan {
        lowest if lowest == note.highest_yuan => format!("最高可补助 {highest}"),
        0 => format!("最高可补助 {highest}，也可能没有"),
        lowest => format!("最高可补助 {} 至 {highest}", money(lowest)),
    };
    let facts: Vec<&str> = note.unknown.iter().filter_map(|unknown| fact(&unknown.code)).collect();
    let open = if facts.is_empty() { String::new() } else { format!("；须先核实{}", facts.join("、")) };
    format!("政策：{}，{amount}{open}", note.title)
}

/// A missing fact of the deal in a few words. The other codes are open points of the text, told once at the end.
fn fact(code: &str) -> Option<&'static str> {
    match code {
        "BUYER_REGION" => Some("买方所在地"),
        "BUYER_KIND" => Some("买方的单位类型"),
        "SELLER_REGION" => Some("成果来源地"),
        "PRICE" => Some("交易额"),
        "DATE" => Some("交易日期"),
        _ => None,
    }
}

/// Document and open points of each rule that may grant something, each once.
fn rules(matches: &[pb::Match], text: &mut String) {
    let mut told: Vec<&str> = Vec::new();
    for note in matches.iter().flat_map(|found| &found.policy_notes).filter(|note| note.refusal.is_none()) {
        if !told.contains(&note.rule_id.as_str()) {
            line(text, &format!("\n政策依据：{}{}（规则版本 {}）", note.source, note.clause, note.rule_version));
            told.push(&note.rule_id);
        }
        for unknown in note.unknown.iter().filter(|unknown| fact(&unknown.code).is_none()) {
            if !told.contains(&unknown.code.as_str()) {
                line(text, &format!("   · {}", in_sense(&unknown.text)));
                told.push(&unknown.code);
            }
        }
    }
}

/// An amount as people say it: 12.5 万元, 约 1.2 亿元.
fn money(yuan: i64) -> String {
    let (unit, name) = match yuan {
        100_000_000.. => (100_000_000, "亿元"),
        10_000.. => (10_000, "万元"),
        _ => return format!("{yuan} 元"),
    };
    // three figures say enough of an amount that is an estimate
    let decimals = match yuan / unit {
        0..10 => 2,
        10..1_000 => 1,
        _ => 0,
    };
    let step = unit / 10_i64.pow(decimals);
    let steps = (yuan + step / 2) / step;
    let about = if steps * step == yuan { "" } else { "约 " };
    let (whole, part) = (steps / 10_i64.pow(decimals), steps % 10_i64.pow(decimals));
    let width = usize::try_from(decimals).unwrap_or_default();
    let digits = format!("{whole}.{part:0width$}");
    let digits =
        if decimals == 0 { whole.to_string() } else { digits.trim_end_matches('0').trim_end_matches('.').into() };
    format!("{about}{digits} {name}")
}

/// A sentence with its amounts as people say them: `500,000 元` becomes 50 万元.
fn in_sense(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(end) = rest.find(" 元") {
        let (before, behind) = (rest.get(..end).unwrap_or_default(), rest.get(end + " 元".len()..).unwrap_or_default());
        let number = before.trim_end_matches(|part: char| part.is_ascii_digit() || part == ',').len();
        let amount: String = before.get(number..).unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        text.push_str(before.get(..number).unwrap_or_default());
        match amount.parse::<i64>() {
            Ok(yuan) => text.push_str(&money(yuan)),
            Err(_) => text.push_str(rest.get(number..end + " 元".len()).unwrap_or_default()),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(code: &str, text: &str) -> pb::PolicySentence {
        pb::PolicySentence { code: code.into(), text: text.into() }
    }

    #[test]
    fn amounts_are_said_in_wan_and_yi() {
        let said: Vec<String> =
            [0, 9_999, 125_000, 99_999, 1_050_000, 12_345_678, 123_456_789, 1_000_000_000].map(money).into();
        let want =
            ["0 元", "9999 元", "12.5 万元", "约 10 万元", "105 万元", "约 1235 万元", "约 1.23 亿元", "10 亿元"];
        assert_eq!(said, want);
        assert_eq!(in_sense("单项交易额至少 500,000 元才可补助，以 元 计"), "单项交易额至少 50 万元才可补助，以 元 计");
    }

    #[test]
    fn policies_are_said_in_one_line_without_codes() {
        let refused = pb::PolicyNote {
            refusal: Some(sentence("BUYER_ELSEWHERE", "买方不在本政策适用的地区。")),
            ..Default::default()
        };
        assert_eq!(notes(&[refused.clone(), refused]), ["政策：没有适用的补助（买方不在本政策适用的地区）"]);
        assert_eq!(notes(&[]), [""; 0]);
        let possible = pb::PolicyNote {
            title: "引进成果补助".into(),
            source: "《方案》".into(),
            clause: "第 9 条".into(),
            rule_version: "1".into(),
            highest_yuan: 1_000_000,
            unknown: vec![
                sentence("BUYER_REGION", "买方所在地区未填写。"),
                sentence("RATE_IS_CEILING", "比例只写“最高”。"),
            ],
            ..Default::default()
        };
        assert_eq!(
            notes(std::slice::from_ref(&possible)),
            ["政策：引进成果补助，最高可补助 100 万元，也可能没有；须先核实买方所在地"]
        );
        let found = pb::Match { policy_notes: vec![possible], ..Default::default() };
        let mut text = String::new();
        rules(&[found.clone(), found], &mut text);
        assert_eq!(text, "\n政策依据：《方案》第 9 条（规则版本 1）\n   · 比例只写“最高”。\n");
    }
}
