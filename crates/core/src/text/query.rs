//! Sparse queries: the terms of a text with their weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sparse::{SparseVector, term_index};
use crate::domain::{Detail, Record};

/// Maximum terms of a query. Chosen on the evaluation set: further terms are common words of the body.
pub const MAX_QUERY_TERMS: usize = 64;
/// Weight of a title term. The title states the need. The ratios to the weights below were chosen on the evaluation
/// set.
const TITLE_WEIGHT: f32 = 1.0;
/// Weight of a keyword term, independent of its count.
const KEYWORD_WEIGHT: f32 = 0.5;
/// Weight of a body term.
const BODY_WEIGHT: f32 = 0.3;

/// Texts of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueryText<'a> {
    /// Title; if empty, the keywords get the title's weight.
    pub title: &'a str,
    /// Body; may be empty.
    pub body: &'a str,
    /// Keywords.
    pub keywords: &'a [String],
}

/// Terms with weights above 0, highest first. Stored with records, so that matching need not segment their text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LexicalQuery {
    /// Normalised terms and weights, at most `MAX_QUERY_TERMS`.
    pub terms: Vec<(String, f32)>,
}

/// Term counts of a text.
pub(super) type TermCounts = BTreeMap<String, u16>;

// === impl QueryText ===

impl<'a> QueryText<'a> {
    /// Texts of a record. An expert's title is a name, which does not describe a need, so it is left out.
    pub fn of(record: &'a Record) -> Self {
        let is_expert = matches!(record.detail, Detail::Expert(_));
        let title = if is_expert { "" } else { record.title.as_str() };
        Self { title, body: &record.body, keywords: &record.keywords }
    }
}

// === impl LexicalQuery ===

impl LexicalQuery {
    /// Builds a query from term counts in title, keywords and body.
    pub(super) fn weigh(title: TermCounts, keywords: TermCounts, body: TermCounts) -> Self {
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

    /// The query as a sparse vector.
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

    fn counts(terms: &[(&str, u16)]) -> TermCounts {
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
        let query = LexicalQuery::weigh(TermCounts::new(), counts(&[("陶瓷", 2)]), counts(&[("涂覆", 1)]));
        assert_eq!(rounded(&query), [("陶瓷", 1.693), ("涂覆", 0.3)]);
    }

    #[test]
    fn the_lightest_terms_are_left_out() {
        let body = (0..200).map(|number| (format!("词{number:03}"), 1)).collect();
        let query = LexicalQuery::weigh(counts(&[("锂电池", 1)]), TermCounts::new(), body);
        assert_eq!(query.terms.len(), MAX_QUERY_TERMS);
        assert_eq!((query.terms[0].0.as_str(), query.terms[63].0.as_str()), ("锂电池", "词062"));
        let vector = query.sparse();
        assert!(vector.indices.is_sorted_by(|one, next| one < next) && vector.values.iter().all(|value| 0.0 < *value));
    }

    #[test]
    fn a_query_is_stored_and_read_again() {
        let query = LexicalQuery::weigh(counts(&[("锂电池", 3)]), TermCounts::new(), TermCounts::new());
        let json = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<LexicalQuery>(&json).unwrap(), query, "{json}");
    }
}
