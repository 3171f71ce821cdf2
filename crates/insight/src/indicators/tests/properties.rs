//! Properties of any text and of many spellings of one indicator.

use proptest::{collection::vec, prelude::*, sample::select};

use super::super::{AnswerOutcome, Indicator, TextSpan, compare, parse, parse::MAX_INDICATORS};

/// Pieces for random texts with many traps.
const PIECES: [&str; 86] = [
    "抗拉强度",
    "误差",
    "工作温度",
    "温漂",
    "pH",
    "HRC",
    "Ra",
    "硬度",
    "≥",
    "≤",
    "<",
    ">",
    "不低于",
    "不超过",
    "达到",
    "提高",
    "降低",
    "提高到",
    "由",
    "至",
    "到",
    "以上",
    "以下",
    "以内",
    "左右",
    "约",
    "5",
    "10",
    "0.1",
    "500",
    "-40",
    "2025",
    "1×10^-3",
    "10⁵",
    "±",
    "~",
    "-",
    "×",
    "/",
    ":",
    ".",
    ",",
    "，",
    "。",
    "、",
    "（",
    "）",
    "(",
    ")",
    " ",
    "　",
    "MPa",
    "ＭＰａ",
    "mm",
    "μm",
    "℃",
    "%",
    "%FS",
    "mg/L",
    "元/吨",
    "个",
    "个月",
    "年",
    "度",
    "万",
    "kW·h/t",
    "次/分钟",
    "分别",
    "和",
    "的",
    "下",
    "三",
    "（绝压）",
    "表压",
    "（表压",
    "mw",
    "MA",
    "MS",
    "mb/s",
    "kn",
    "nm3/h",
    "g",
    "加速度",
    "/kGy",
    "/(",
    "工作日",
];

const ASKED: [&str; 6] = ["吸收剂量不低于", "吸收剂量≥", "产品吸收剂量为", "内毒素不超过", "抗拉强度达到", "强度："];
/// Units of no table; each may stand for itself or behind a known one.
const UNKNOWN: [&str; 14] =
    ["foo", "krd", "Gyx", "q", "·foo", "/foo", "某", "某某", "xyz/mL", "-foo/m", "(eff)", "²x", "_s", "Ж"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![vec(select(&PIECES[..]), 0..24).prop_map(|pieces| pieces.concat()), any::<String>()]
}

/// One indicator and a demand, with a random spelling of each part.
fn spelled(number: u32, at_least: bool, ways: (usize, usize, usize)) -> String {
    let units = ["MPa", " MPa", "ＭＰａ", "兆帕", " 兆帕", "N/mm²", "Mpa"];
    let unit = units[ways.0 % units.len()];
    let wide: String = number.to_string().chars().map(|digit| char::from_u32(digit as u32 + 0xFEE0).unwrap()).collect();
    let number = if ways.1.is_multiple_of(2) { number.to_string() } else { wide };
    let least = [
        "≥N",
        "不低于N",
        "N以上",
        ">=N",
        "大于等于 N",
        "应不小于N",
        "：≧N",
        "至少 N",
        "达到N以上",
        "不得低于N",
        "＞＝N",
        "不少于N",
    ];
    let most = [
        "≤N",
        "不超过N",
        "N以下",
        "<=N",
        "小于等于 N",
        "应不大于N",
        "：≦N",
        "至多 N",
        "N以内",
        "不得高于N",
        "＜＝N",
        "不高于N",
    ];
    let pattern = if at_least { least } else { most }[ways.2 % least.len()];
    format!("抗拉强度{}", pattern.replace('N', &format!("{number}{unit}")))
}

fn is_finite(indicator: &Indicator) -> bool {
    let ends = [indicator.interval.min.number(), indicator.interval.max.number()];
    ends.iter().flatten().all(|number| number.is_finite())
}

/// At least 1500 cases; more with `PROPTEST_CASES`.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(1500), max_global_rejects: 1_000_000, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read(text in text()) {
        let found = parse(&text);
        prop_assert!(found.len() <= MAX_INDICATORS);
        let mut end = 0;
        for indicator in &found {
            prop_assert!(is_finite(indicator), "{indicator:?}");
            let span = &indicator.span;
            prop_assert!(end <= span.bytes.start && span.bytes.start < span.bytes.end, "{:?}", found);
            end = span.bytes.end;
            let written = text.get(span.bytes.clone());
            prop_assert!(written.is_some());
            prop_assert_eq!(text.chars().take(span.chars.start).map(char::len_utf8).sum::<usize>(), span.bytes.start);
            prop_assert_eq!(written.unwrap_or_default().chars().count(), span.chars.len());
            if let Some(subject) = &indicator.subject_span {
                prop_assert!(text.get(subject.bytes.clone()).is_some());
            }
        }
        prop_assert!(compare(&found, &found).len() <= found.len());
    }

    #[test]
    fn a_span_reads_as_its_indicator(text in text()) {
        for indicator in parse(&text) {
            let span = &indicator.span.bytes;
            let holds = |subject: &TextSpan| span.start <= subject.bytes.start && subject.bytes.end <= span.end;
            if !indicator.subject_span.as_ref().is_none_or(holds) {
                // the names before 分别 are separate from their numbers
                continue;
            }
            let again = parse(text.get(span.clone()).unwrap_or_default());
            prop_assert_eq!(again.len(), 1, "{:?}: {:?}", indicator, again);
            let again = &again[0];
            prop_assert!(again.interval.is_same(&indicator.interval), "{:?} {:?}", indicator, again);
            prop_assert!(again.is_alike(&indicator), "{:?} {:?}", indicator, again);
            // what follows a span can only add doubt
            prop_assert!(!again.is_unclear || indicator.is_unclear);
            prop_assert_eq!(again.comparison, indicator.comparison);
            prop_assert_eq!(&again.subject, &indicator.subject);
        }
    }

    #[test]
    fn an_unknown_unit_decides_nothing(
        asked in select(&ASKED[..]),
        number in 1_u32..100_000,
        unknown in select(&UNKNOWN[..]),
        is_glued: bool,
        known in select(&["", "kGy", "MPa", "mg", "千帕", "EU/mL"][..]),
        is_asked: bool,
    ) {
        let plain = format!("{asked}{number}{}", if known.is_empty() { "kGy" } else { known });
        let blank = if is_glued || !known.is_empty() { "" } else { " " };
        // 千帕某 is a sentence that goes on
        prop_assume!(known != "千帕" || !unknown.starts_with(char::is_alphabetic) || unknown.is_ascii());
        prop_assume!(known.is_empty() || unknown.is_ascii());
        for tail in ["", "。", "，效率高", "以上", "；"] {
            let odd = format!("{asked}{number}{blank}{known}{unknown}{tail}");
            let (demand, achievement) = if is_asked { (&odd, &plain) } else { (&plain, &odd) };
            let (demanded, stated) = (parse(demand), parse(achievement));
            for answer in compare(&demanded, &stated) {
                prop_assert_eq!(answer.outcome, AnswerOutcome::NotStated, "{} / {}: {:?} {:?}", demand, achievement, answer, stated);
            }
        }
    }

    #[test]
    fn spellings_read_alike(number in 1_u32..100_000, at_least: bool, ways: (usize, usize, usize), other: (usize, usize, usize)) {
        let (one, two) = (parse(&spelled(number, at_least, ways)), parse(&spelled(number, at_least, other)));
        prop_assert_eq!((one.len(), two.len()), (1, 1), "{} {}", spelled(number, at_least, ways), spelled(number, at_least, other));
        prop_assert!(one[0].interval.is_same(&two[0].interval), "{:?} {:?}", one, two);
        prop_assert_eq!(&one[0].subject, "抗拉强度");
        prop_assert_eq!(one[0].comparison, two[0].comparison);
        let answers = compare(&one, &two);
        prop_assert_eq!(answers[0].outcome, AnswerOutcome::Satisfied);
    }

    #[test]
    fn equal_satisfies_and_disjoint_does_not(low in 1_u32..1000, more in 1_u32..1000, ways: (usize, usize, usize)) {
        let least = parse(&spelled(low + more, true, ways));
        let most = parse(&spelled(low, false, ways));
        prop_assert_eq!(compare(&least, &most)[0].outcome, AnswerOutcome::Violated);
        prop_assert_eq!(compare(&most, &least)[0].outcome, AnswerOutcome::Violated);
        prop_assert_eq!(compare(&least, &least)[0].outcome, AnswerOutcome::Satisfied);
        prop_assert_eq!(compare(&most, &most)[0].outcome, AnswerOutcome::Satisfied);
    }
}

#[test]
fn long_texts_are_read_up_to_the_limit() {
    let pieces = [
        "强度≥500MPa，",
        "1~",
        "1×",
        "1-",
        "1:",
        "1 ",
        "（",
        "一",
        "1±",
        "9",
        "百分之",
        "1≤",
        "分别1、",
        " ",
        "强度",
        "1mm/",
        "1e",
        "强度/kGy：1",
        "5MPa（表压",
        "1mw",
        "1MBPS/",
    ];
    for piece in pieces {
        let text = piece.repeat(20_000);
        let found = parse(&text);
        assert!(found.len() <= MAX_INDICATORS, "{piece}");
        if piece.ends_with("MPa，") {
            assert_eq!(found.len(), MAX_INDICATORS);
        }
    }
}
