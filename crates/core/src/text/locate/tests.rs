use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Detail, Kind},
    text::{QueryText, Term, TextPipeline},
};

/// Terms asked for where a test wants many.
const MAX_TERMS: usize = 20;

static PIPELINE: LazyLock<TextPipeline> = LazyLock::new(|| TextPipeline::new(None).unwrap());

fn record(title: &str, keywords: &[&str], body: &str) -> Record {
    let mut record = Record::new("", "1", title, Detail::empty(Kind::Achievement));
    record.keywords = keywords.iter().map(ToString::to_string).collect();
    record.body = body.to_string();
    record
}

fn found(query: &str, record: &Record, limit: usize) -> Vec<MatchedTerm> {
    let query = PIPELINE.query(&QueryText { title: query, ..QueryText::default() });
    locate(&query, &PIPELINE.document(record), record, limit)
}

fn original(record: &Record, span: Span) -> String {
    let text = match span.field {
        TextField::Title => record.title.as_str(),
        TextField::Keyword(index) => record.keywords[index].as_str(),
        TextField::Body => record.body.as_str(),
    };
    text.chars().skip(span.start).take(span.end - span.start).collect()
}

#[test]
fn places_are_in_title_keywords_and_body() {
    let record = record("鋰電池隔膜", &["涂层", "电池隔膜"], "本隔膜强度１０ ＭＰａ，陶瓷涂层。");
    let found = found("隔膜强度10兆帕，陶瓷涂层，石墨烯", &record, 20);
    let all: Vec<_> = found
        .iter()
        .map(|m| (m.term.as_str(), m.spans.iter().map(|s| original(&record, *s)).collect::<Vec<_>>()))
        .collect();
    let has = |term: &str, want: &[&str]| {
        let spans = all.iter().find(|(found, _)| *found == term).map(|(_, spans)| spans.as_slice());
        assert_eq!(spans, Some(want.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()), "{term}: {all:?}");
    };
    has("隔膜", &["隔膜", "隔膜", "隔膜"]);
    has("10mpa", &["１０ ＭＰａ"]);
    has("涂层", &["涂层", "涂层"]);
    assert!(!all.iter().any(|(term, _)| *term == "石墨烯"), "{all:?}");
    let membrane = found.iter().find(|m| m.term == "隔膜").unwrap();
    let body = Span { field: TextField::Body, start: 1, end: 3 };
    let keyword = Span { field: TextField::Keyword(1), start: 2, end: 4 };
    assert_eq!(membrane.spans, [Span { field: TextField::Title, start: 3, end: 5 }, keyword, body]);
}

#[test]
fn only_terms_of_the_vector_count_and_the_heaviest_come_first() {
    let record = record("石墨烯涂层", &[], "石墨烯".repeat(50).as_str());
    let query = LexicalQuery {
        terms: vec![("涂层".into(), 0.5), ("石墨烯".into(), 2.0), ("烯涂".into(), 3.0), (String::new(), 1.0)],
    };
    let vector = PIPELINE.document(&record);
    let found = locate(&query, &vector, &record, 20);
    let terms: Vec<_> = found.iter().map(|m| (m.term.as_str(), m.weight, m.spans.len())).collect();
    assert_eq!(terms, [("石墨烯", 2.0, MAX_SPANS), ("涂层", 0.5, 1)]);
    assert_eq!(locate(&query, &vector, &record, 1).len(), 1);
    assert_eq!(locate(&query, &SparseVector::default(), &record, 20), []);
    assert_eq!(locate(&LexicalQuery::default(), &vector, &record, 20), []);
    // the vector has more terms than the text
    let query = LexicalQuery { terms: vec![("量子点".into(), 1.0)] };
    assert_eq!(locate(&query, &query.sparse(), &record, 20), []);
}

#[test]
fn a_term_is_not_found_within_a_longer_word() {
    let check = |term: &str, text: &str, want: usize| {
        let query = LexicalQuery { terms: vec![(term.into(), 1.0)] };
        let found = locate(&query, &query.sparse(), &record(text, &[], ""), 20);
        assert_eq!(found.iter().map(|m| m.spans.len()).sum::<usize>(), want, "{term} in {text}");
    };
    check("5g", "5G与15GB、5G2和5G", 2);
    check("10mm", "0.10mm与10毫米", 1);
    check("kg", "10㎏", 0);
    check("m", "㎜", 0);
    check("5亩", "15亩与5亩", 1);
    check("隔膜", "锂电池隔膜涂层", 1);
}

#[test]
fn an_expert_is_found_by_name() {
    let mut expert = Record::new("", "1", "欧阳　明華", Detail::empty(Kind::Expert));
    expert.body = "从事隔膜研究".into();
    let found = found("欧阳 明华 隔膜", &expert, 20);
    assert!(found.iter().any(|m| m.term == "隔膜"), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_stands_at_a_place_is_the_term(title in mixed_text(), body in mixed_text(), query in mixed_text()) {
        let record = record(&title, &[], &body);
        let parts = QueryText { title: &query, body: &title, keywords: &[] };
        let query = PIPELINE.query(&parts);
        let document = PIPELINE.document(&record);
        let found = locate(&query, &document, &record, MAX_TERMS);
        prop_assert!(found.len() <= MAX_TERMS);
        prop_assert!(found.is_sorted_by(|one, next| next.weight <= one.weight));
        for matched in &found {
            prop_assert!(document.contains(term_index(&matched.term)));
            prop_assert!(!matched.spans.is_empty() && matched.spans.len() <= MAX_SPANS);
            prop_assert!(matched.spans.is_sorted());
            for span in &matched.spans {
                prop_assert_eq!(&normalize(&original(&record, *span)).text, &matched.term);
            }
        }
        // 120℃IGBT as one word has a term that starts inside ℃, so the term has no position
        let whole = |term: &Term| {
            let span = Span { field: TextField::Title, start: term.start, end: term.end };
            normalize(&original(&record, span)).text == term.text
        };
        let titles: Vec<Term> = PIPELINE.terms(&title).into_iter().filter(whole).collect();
        let shared = query.terms.iter().filter(|(term, _)| titles.iter().any(|title| title.text == *term)).count();
        prop_assert!(shared.min(MAX_TERMS) <= found.len(), "{} of {}: {:?}", found.len(), shared, found);
    }
}

fn mixed_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "鋰電池",
        "锂电池",
        "隔膜",
        "乾燥設備",
        "乾坤",
        "反覆使用",
        "瞭解",
        "ＩＧＢＴ",
        "igbt",
        "模块",
        "１０ ＭＰａ",
        "10兆帕",
        "5 微米",
        "α－Ａｌ２Ｏ３",
        "α-Al2O3",
        "，",
        "。",
        " ",
        "　",
        "\n",
        "①",
        "㎏",
        "100千瓦·小时",
        "质子交换膜",
        "質子交換膜",
        "5G基站",
        "β-葡聚糖",
        "覆盖率",
        "\u{200B}",
        "120℃",
        "120摄氏度",
        "C/C",
        "复合材料",
        "200目",
        "PM2.5",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}
