//! What to ask the lexical index for: the terms of a text with their weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sparse::{SparseVector, term_index};
use crate::domain::{Detail, Record};

/// Most terms of a query. Chosen on the evaluation set: what comes after is words of the body that stand everywhere.
pub const MAX_QUERY_TERMS: usize = 64;
/// Weight of a term of the title. The title says what is wanted; the ratios to the weights below were chosen on
/// the evaluation set.
const TITLE_WEIGHT: f32 = 1.0;
/// Weight of a term of the keywords, however often it stands in them.
const KEYWORD_WEIGHT: f32 = 0.5;
/// Weight of a term of the body.
const BODY_WEIGHT: f32 = 0.3;

/// The texts to find something for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueryText<'a> {
    /// Title; empty where there is none: then the keywords weigh as the title does.
    pub title: &'a str,
    /// Body; empty where there is none.
    pub body: &'a str,
    /// Keywords.
    pub keywords: &'a [String],
}

/// Terms with weights above 0, heaviest first. It is stored with records, so that matching need not cut their text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LexicalQuery {
    /// Normal form and weight, at most [`MAX_QUERY_TERMS`].
    pub terms: Vec<(String, f32)>,
}

/// How often each term stands in a text.
pub(super) type Counts = BTreeMap<String, u16>;

// === impl QueryText ===

impl<'a> QueryText<'a> {
    /// The texts of a record. An expert's title is a name, which says nothing about what to find: it is left out.
    pub fn of(record: &'a Record) -> Self {
        let is_expert = matches!(record.detail, Detail::Expert(_));
        let title = if is_expert { "" } else { record.title.as_str() };
        Self { title, body: &record.body, keywords: &record.keywords }
    }
}

// === impl LexicalQuery ===

impl LexicalQuery {
    /// A query from how often terms stand in title, keywords and body.
    pub(super) fn weigh(title: Counts, keywords: Counts, body: Counts) -> Self {
        let mut weights: BTreeMap<String, f32> = BTreeMap::new();
        let keyword_weight = |count| if title.is_empty() { TITLE_WEIGHT * damped(count) } else { KEYWORD_WEIGHT };
        let keywords: Vec<_> = keywords.into_iter().map(|(term, count)| (term, keyword_weight(count))).collect();
        let title = title.into_iter().map(|(term, count)| (term, TITLE_WEIGHT * damped(count)));
        let body = body.into_iter().map(|(term, count)| (term, BODY_WEIGHT * damped(count)));
        for (term, weight) in title.chain(keywords).chain(body) {
            *weights.entry(term).or_default() += weight;
        }
        let mut terms: Vec<(String, f32)> = weights.into_iter().collect();
        terms.sort_by(|(term, weight), (other, other_weight)| {
            other_weight.total_cmp(weight).then_with(|| term.cmp(other))
        });
        terms.truncate(MAX_QUERY_TERMS);
        Self { terms }
    }

    /// The same as a vector.
    pub fn sparse(&self) -> SparseVector {
        self.terms.iter().map(|(term, weight)| (term_index(term), *weight)).collect()
    }
}

fn damped(count: u16) -> f32 {
    1.0 + f32::from(count).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(terms: &[(&str, u16)]) -> Counts {
        terms.iter().map(|(term, count)| ((*term).to_string(), *count)).collect()
    }

    fn rounded(query: &LexicalQuery) -> Vec<(&str, f32)> {
        query.terms.iter().map(|(term, weight)| (term.as_str(), (weight * 1000.0).round() / 1000.0)).collect()
    }

    #[test]
    fn the_title_weighs_most() {
        let query = LexicalQuery::weigh(
            counts(&[("隔膜", 1), ("锂电池", 2)]),
            counts(&[("隔膜", 3), ("陶瓷", 2)]),
            counts(&[("涂覆", 4), ("强度", 1), ("孔隙", 1)]),
        );
        let want = [("锂电池", 1.693), ("隔膜", 1.5), ("涂覆", 0.716), ("陶瓷", 0.5), ("孔隙", 0.3), ("强度", 0.3)];
        assert_eq!(rounded(&query), want);
    }

    #[test]
    fn keywords_stand_in_for_a_missing_title() {
        let query = LexicalQuery::weigh(Counts::new(), counts(&[("陶瓷", 2)]), counts(&[("涂覆", 1)]));
        assert_eq!(rounded(&query), [("陶瓷", 1.693), ("涂覆", 0.3)]);
    }

    #[test]
    fn the_lightest_terms_are_left_out() {
        let body = (0..200).map(|number| (format!("词{number:03}"), 1)).collect();
        let query = LexicalQuery::weigh(counts(&[("锂电池", 1)]), Counts::new(), body);
        assert_eq!(query.terms.len(), MAX_QUERY_TERMS);
        assert_eq!((query.terms[0].0.as_str(), query.terms[63].0.as_str()), ("锂电池", "词062"));
        let vector = query.sparse();
        assert!(vector.indices.is_sorted_by(|one, next| one < next) && vector.values.iter().all(|value| 0.0 < *value));
    }

    #[test]
    fn a_query_is_stored_and_read_again() {
        let query = LexicalQuery::weigh(counts(&[("锂电池", 3)]), Counts::new(), Counts::new());
        let json = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<LexicalQuery>(&json).unwrap(), query, "{json}");
    }
}
