//! Where the terms of a query stand in a record's own text: the evidence for a match.

use super::{
    Normalized,
    chars::is_word,
    normalize,
    query::LexicalQuery,
    sparse::{SparseVector, term_index},
};
use crate::domain::{
    Record,
    hit::{MatchedTerm, Span, TextField},
};

/// Most terms that an answer shows of a record.
pub const MAX_MATCHED_TERMS: usize = 20;
/// Most places that an answer shows of a term.
pub const MAX_SPANS: usize = 20;

/// Bits of the filter of first characters. 20 terms set 20 of them, so that 2 of 100 characters pass by mistake.
const FILTER_BITS: usize = 1024;

/// Finds the terms of one query; made once and used for each record found.
#[derive(Debug)]
pub struct Locator {
    /// Heaviest first.
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    term: String,
    weight: f32,
    /// Dimension in sparse vectors.
    index: u32,
    first: char,
    chars: usize,
}

/// The terms that one record has and where they were found so far. An Aho-Corasick automaton would not pay: it takes
/// longer to build (64 terms: 55 us) than the search in 20 records takes, and most characters begin no term at all.
struct Search<'a> {
    found: Vec<(&'a Pattern, Vec<Span>)>,
    /// One bit for each first character, by its remainder.
    filter: [u64; FILTER_BITS / 64],
}

/// The same as [`Locator::locate`] for a single record.
pub fn locate(query: &LexicalQuery, document: &SparseVector, record: &Record, limit: usize) -> Vec<MatchedTerm> {
    Locator::new(query).locate(document, record, limit)
}

// === impl Locator ===

impl Locator {
    /// Prepares a query.
    pub fn new(query: &LexicalQuery) -> Self {
        let pattern = |(term, weight): &(String, f32)| {
            let first = term.chars().next()?;
            let (index, chars) = (term_index(term), term.chars().count());
            Some(Pattern { term: term.clone(), weight: *weight, index, first, chars })
        };
        let mut patterns: Vec<Pattern> = query.terms.iter().filter_map(pattern).collect();
        patterns.sort_by(|one, other| other.weight.total_cmp(&one.weight));
        Self { patterns }
    }

    /// Terms of the query that the record has, heaviest first and at most `limit`, with their places in its original
    /// text. `document` is the record's vector: a term counts only where it gave the record its score. One that is in
    /// the vector and not to be found in the text is left out.
    pub fn locate(&self, document: &SparseVector, record: &Record, limit: usize) -> Vec<MatchedTerm> {
        let mut search = Search::new(self.patterns.iter().filter(|pattern| document.contains(pattern.index)));
        if search.found.is_empty() {
            return Vec::new();
        }
        search.add(TextField::Title, &record.title);
        for (index, keyword) in record.keywords.iter().enumerate() {
            search.add(TextField::Keyword(index), keyword);
        }
        search.add(TextField::Body, &record.body);
        let found = search.found.into_iter().filter(|(_, spans)| !spans.is_empty());
        let matched = |(pattern, spans): (&Pattern, Vec<Span>)| MatchedTerm {
            term: pattern.term.clone(),
            weight: pattern.weight,
            spans,
        };
        found.map(matched).take(limit).collect()
    }
}

// === impl Search ===

impl<'a> Search<'a> {
    fn new(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let mut search = Self { found: Vec::new(), filter: [0; FILTER_BITS / 64] };
        for pattern in patterns {
            let (word, bit) = filter_bit(pattern.first);
            if let Some(word) = search.filter.get_mut(word) {
                *word |= bit;
            }
            search.found.push((pattern, Vec::new()));
        }
        search
    }

    fn add(&mut self, field: TextField, original: &str) {
        let normal = normalize(original);
        for (start, (byte, character)) in normal.text.char_indices().enumerate() {
            let (word, bit) = filter_bit(character);
            if self.filter.get(word).is_some_and(|word| word & bit != 0) {
                self.add_at(field, &normal, byte, start);
            }
        }
    }

    /// Notes the terms that begin in a place of the normal text.
    fn add_at(&mut self, field: TextField, normal: &Normalized, byte: usize, start: usize) {
        let rest = normal.text.get(byte..).unwrap_or_default();
        for (pattern, spans) in &mut self.found {
            let end_byte = byte + pattern.term.len();
            if spans.len() < MAX_SPANS && rest.starts_with(&pattern.term) && is_apart(&normal.text, byte, end_byte) {
                spans.extend(span(normal, field, start, start + pattern.chars));
            }
        }
    }
}

fn filter_bit(character: char) -> (usize, u64) {
    let remainder = character as usize % FILTER_BITS;
    (remainder / 64, 1 << (remainder % 64))
}

/// The place in the original; `None` where the term begins or ends within what was written as one (`m` in `㎜`).
fn span(normal: &Normalized, field: TextField, start: usize, end: usize) -> Option<Span> {
    let place = normal.original_range(start, end);
    (normal.is_cut(start) && normal.is_cut(end)).then_some(Span { field, start: place.start, end: place.end })
}

/// Whether the place is no part of a longer number or word: `5g` not in `15gb`, `10mm` not in `0.10mm`.
fn is_apart(text: &str, start: usize, end: usize) -> bool {
    let (before, found, after) = (text.get(..start), text.get(start..end), text.get(end..));
    let (Some(before), Some(found), Some(after)) = (before, found, after) else { return false };
    let begins_inside = found.starts_with(is_word) && before.ends_with(is_word)
        || found.starts_with(|first: char| first.is_ascii_digit()) && before.ends_with('.');
    let ends_inside = found.ends_with(is_word) && after.starts_with(is_word);
    !(begins_inside || ends_inside)
}

#[cfg(test)]
mod tests;
