use std::sync::LazyLock;

use proptest::prelude::*;

use super::{
    query::MAX_QUERY_TERMS,
    sparse::{AVERAGE_TERMS, BM25_B, BM25_K1},
    *,
};
use crate::domain::Kind;

static PIPELINE: LazyLock<TextPipeline> = LazyLock::new(|| TextPipeline::new(None).unwrap());

fn record(kind: Kind, title: &str, keywords: &[&str], body: &str) -> Record {
    let mut record = Record::new("", "1", title, Detail::empty(kind));
    record.keywords = keywords.iter().map(ToString::to_string).collect();
    record.body = body.to_string();
    record
}

fn weight(vector: &SparseVector, term: &str) -> f32 {
    vector.indices.binary_search(&term_index(term)).map_or(0.0, |place| vector.values[place])
}

#[test]
fn the_version_names_the_dictionaries() {
    let built_in = PIPELINE.version();
    let digits = built_in.strip_prefix("text-1-").unwrap();
    assert!(digits.len() == 12 && digits.chars().all(|digit| digit.is_ascii_hexdigit()), "{built_in}");
    let with = |extra: &str| TextPipeline::new(Some(extra)).unwrap().version().to_string();
    assert_eq!(with(""), built_in);
    assert_ne!(with("超构表面棱镜 20 n"), built_in);
    assert_ne!(with("超构表面棱镜 20 n"), with("超构表面棱镜 21 n"));
}

#[test]
fn a_wrong_extra_dictionary_is_refused() {
    let error = TextPipeline::new(Some("石墨烯 20 n\n石墨烯电极")).unwrap_err();
    assert_eq!(error.to_string(), "用户词典第 2 行“石墨烯电极”没有词频，请写成“词 词频 词性”，例如“质子交换膜 20 n”");
}

#[test]
fn title_and_keywords_count_twice() {
    let vector = PIPELINE.document(&record(Kind::Demand, "沼气", &["隔膜"], "涂层 沼气"));
    let length = BM25_K1 * (1.0 - BM25_B + BM25_B * 6.0 / AVERAGE_TERMS);
    let want = |count: f32| count * (BM25_K1 + 1.0) / (count + length);
    for (term, count) in [("沼气", 3.0), ("隔膜", 2.0), ("涂层", 1.0)] {
        let found = weight(&vector, term);
        assert!((found - want(count)).abs() < 1e-5, "{term}: {found}, want {}", want(count));
    }
    assert_eq!(vector.indices.len(), 3);
}

#[test]
fn an_expert_is_found_by_name_and_does_not_search_by_it() {
    let expert = record(Kind::Expert, "欧阳明華", &["隔膜"], "");
    let document = PIPELINE.document(&expert);
    assert!(0.0 < weight(&document, "欧阳明华") && 0.0 < weight(&document, "隔膜"));
    let query = PIPELINE.query(&QueryText::of(&expert));
    assert_eq!(query.terms, [("隔膜".to_string(), 1.0)]);
    let achievement = record(Kind::Achievement, "隔膜", &[], "");
    assert_eq!(QueryText::of(&achievement).title, "隔膜");
    let short = PIPELINE.document(&record(Kind::Expert, "张伟", &[], ""));
    assert!(0.0 < weight(&short, "张伟"));
}

#[test]
fn one_text_in_two_spellings_has_one_vector() {
    let one = record(Kind::Demand, "鋰電池隔膜，強度１０ ＭＰａ", &["ＩＧＢＴ"], "120℃");
    let other = record(Kind::Demand, "锂电池隔膜,强度10兆帕", &["igbt"], "120 摄氏度");
    assert_eq!(PIPELINE.document(&one), PIPELINE.document(&other));
    assert_eq!(PIPELINE.query(&QueryText::of(&one)), PIPELINE.query(&QueryText::of(&other)));
}

#[test]
fn empty_texts_have_empty_vectors() {
    assert!(PIPELINE.document(&record(Kind::Demand, "的", &[], "")).is_empty());
    assert!(PIPELINE.query(&QueryText::default()).terms.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn vectors_are_in_order_and_positive(title in "\\PC{0,20}", body in "[锂电池隔膜强度材料工艺0-9a-z， -]{0,80}") {
        let record = record(Kind::Demand, &title, &[], &body);
        let query = PIPELINE.query(&QueryText::of(&record));
        prop_assert!(query.terms.len() <= MAX_QUERY_TERMS);
        let document = PIPELINE.document(&record);
        for vector in [&document, &query.sparse()] {
            prop_assert_eq!(vector.indices.len(), vector.values.len());
            prop_assert!(vector.indices.is_sorted_by(|one, next| one < next));
            prop_assert!(vector.values.iter().all(|value| value.is_finite() && 0.0 < *value));
        }
        prop_assert!(query.sparse().indices.iter().all(|index| document.contains(*index)), "a record finds itself");
    }
}
