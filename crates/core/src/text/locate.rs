//! Locates query terms in a record's original text, as evidence for a match.

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

/// Maximum positions shown per term.
pub const MAX_SPANS: usize = 20;

/// Bits of the first-character filter. 20 terms set 20 bits, so about 2 of 100 characters pass by mistake.
const FILTER_BITS: usize = 1024;

/// Finds the terms of one query; built once and reused for each hit.
#[derive(Debug)]
pub struct Locator {
    /// Highest weight first.
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

/// Terms found in one record, with their positions so far. An Aho-Corasick automaton would not pay off: building it (64
/// terms: 55 us) takes longer than searching 20 records, and most characters start no term.
struct Search<'a> {
    found: Vec<(&'a Pattern, Vec<Span>)>,
    /// One bit per first character, by remainder.
    filter: [u64; FILTER_BITS / 64],
}

/// Same as [`Locator::locate`], for a single record.
pub fn locate(query: &LexicalQuery, document: &SparseVector, record: &Record, limit: usize) -> Vec<MatchedTerm> {
    Locator::new(query).locate(document, record, limit)
}

// === impl Locator ===

impl Locator {
    /// Prepares a query for searching.
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

    /// Query terms in the record, highest weight first and at most `limit`, with positions in the original text.
    /// `document` is the record's vector: only terms in it count, since only they contribute to the score. Terms in the
    /// vector that are not found in the text are dropped.
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

    /// Adds the terms that start at a position of the normal text.
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

/// Span in the original; `None` if the term starts or ends inside one original character (`m` in `㎜`).
fn span(normal: &Normalized, field: TextField, start: usize, end: usize) -> Option<Span> {
    let place = normal.original_range(start, end);
    (normal.is_cut(start) && normal.is_cut(end)).then_some(Span { field, start: place.start, end: place.end })
}

/// Returns whether the span is not part of a longer number or word: `5g` not in `15gb`, `10mm` not in `0.10mm`.
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
