//! Input texts of the embedding model for a record or a query: the head alone, and the whole.

use super::{QueryText, normalize::natural};
use crate::domain::{Record, check::MAX_TITLE_CHARS};

/// Complete texts for the model: NFKC and Simplified Chinese, otherwise as written. The model reads long ones in
/// windows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbeddingTexts {
    /// The title; if empty, the keywords or the first sentence of the body. For demand and achievement pairs, the title
    /// alone was found better than title plus text (CCF BDCI 2019).
    pub head: String,
    /// Title, keywords and body; `None` if it adds nothing to the head.
    pub whole: Option<String>,
}

/// Model input of a record. An expert's name is left out unless there is nothing else.
pub fn embedding_texts(record: &Record) -> EmbeddingTexts {
    let texts = query_embedding_texts(&QueryText::of(record));
    if texts.head.is_empty() { EmbeddingTexts { head: natural(&record.title), whole: None } } else { texts }
}

/// Model input of a query. The head is empty if all texts are blank.
pub fn query_embedding_texts(query: &QueryText<'_>) -> EmbeddingTexts {
    let title = natural(query.title);
    let keywords: Vec<String> = query.keywords.iter().map(|keyword| natural(keyword)).collect();
    let keywords = natural(&keywords.join("、"));
    let body = natural(query.body);
    let first = [&title, &keywords].into_iter().find(|text| !text.is_empty());
    let head = first.cloned().unwrap_or_else(|| natural(first_sentence(query.body)));
    let parts: Vec<&str> =
        [&title, &keywords, &body].into_iter().map(|part| unended(part)).filter(|p| !p.is_empty()).collect();
    let whole = parts.join("。");
    let says_more = whole != unended(&head);
    EmbeddingTexts { head, whole: says_more.then_some(whole) }
}

/// The first sentence that is not blank, cut to the maximum title length.
fn first_sentence(text: &str) -> &str {
    let is_end = |character| matches!(character, '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n');
    let sentence = text.split(is_end).map(str::trim).find(|sentence| !sentence.is_empty()).unwrap_or_default();
    let end = sentence.char_indices().nth(MAX_TITLE_CHARS).map_or(sentence.len(), |(byte, _)| byte);
    sentence.get(..end).unwrap_or_default()
}

fn unended(text: &str) -> &str {
    text.trim_end_matches(['。', '.', ';', '!', '?', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Detail, Kind};

    fn check(kind: Kind, (title, keywords, body): (&str, &[&str], &str), want: (&str, Option<&str>)) {
        let mut record = Record::new("", "1", title, Detail::empty(kind));
        record.keywords = keywords.iter().map(ToString::to_string).collect();
        record.body = body.to_string();
        let texts = embedding_texts(&record);
        assert_eq!((texts.head.as_str(), texts.whole.as_deref()), want);
    }

    #[test]
    fn head_and_whole() {
        let demand = Kind::Demand;
        check(demand, ("鋰電池隔膜", &[], ""), ("锂电池隔膜", None));
        check(demand, ("隔膜", &["PE", "陶瓷"], "耐热。\n透气！"), ("隔膜", Some("隔膜。PE、陶瓷。耐热。 透气")));
        check(demand, ("隔膜。", &[], " "), ("隔膜。", None));
        check(Kind::Achievement, ("隔膜", &[], "强度１０ ＭＰａ"), ("隔膜", Some("隔膜。强度10 MPa")));
    }

    #[test]
    fn an_expert_is_what_the_expert_does() {
        let expert = Kind::Expert;
        check(expert, ("张伟", &["储能", "电池"], ""), ("储能、电池", None));
        check(expert, ("张伟", &["储能"], "从事电池研究。"), ("储能", Some("储能。从事电池研究")));
        check(expert, ("张伟", &[], "\n从事电池研究；教授。"), ("从事电池研究", Some("从事电池研究;教授")));
        check(expert, ("张伟", &[], "从事电池研究。"), ("从事电池研究", None));
        check(expert, ("张伟", &[], " "), ("张伟", None));
    }

    #[test]
    fn long_texts_stay_whole_and_heads_stay_short() {
        let long = "长".repeat(20_000);
        let texts = query_embedding_texts(&QueryText { title: "", body: &long, keywords: &[] });
        assert_eq!(texts.head.chars().count(), MAX_TITLE_CHARS);
        assert_eq!(texts.whole.unwrap().chars().count(), 20_000);
        assert_eq!(query_embedding_texts(&QueryText::default()), EmbeddingTexts { head: String::new(), whole: None });
    }
}
