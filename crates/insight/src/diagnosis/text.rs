//! A text of a demand, normalised character by character, so that positions stay valid in the original.

use std::ops::Range;

use super::{answer::StatementSource, lists::WordList};
use duijie_core::domain::hit::{Span, TextField};

/// Maximum characters read from a text: the maximum length of a body.
pub const MAX_CHARS: usize = duijie_core::domain::check::MAX_BODY_CHARS;

/// Maximum distance in characters to a sentence end, on each side. Without it, a text without punctuation would take
/// quadratic time.
const MAX_REACH_CHARS: usize = 100;

/// A title or a body.
#[derive(Debug)]
pub(super) struct TextPart<'a> {
    field: TextField,
    original: &'a str,
    /// Normalised characters; empty for a placeholder.
    pub chars: Vec<char>,
    /// Byte offset of each character, and of the end.
    bytes: Vec<usize>,
}

/// Converts to lower case and half width. One character stays one character.
pub(super) fn fold(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            let narrow = u32::from(character).checked_sub(0xFEE0).and_then(char::from_u32);
            narrow.unwrap_or(character).to_ascii_lowercase()
        }
        // maps to `;` so that `5。3` is not a decimal
        '。' => ';',
        _ => character.to_ascii_lowercase(),
    }
}

/// Returns whether a sentence ends here. A full stop between digits is a decimal point.
fn ends_sentence(chars: &[char], index: usize) -> bool {
    let is_digit = |place: Option<usize>| place.and_then(|place| chars.get(place)).is_some_and(char::is_ascii_digit);
    match chars.get(index) {
        Some('.') => !(is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1))),
        Some(';' | '!' | '?' | '\n') => true,
        _ => false,
    }
}

// === impl TextPart ===

impl<'a> TextPart<'a> {
    /// Prepares a text. A placeholder becomes empty.
    pub fn new(field: TextField, original: &'a str, placeholders: &WordList) -> Self {
        let mut chars = Vec::new();
        let mut bytes = Vec::new();
        for (byte, character) in original.char_indices().take(MAX_CHARS) {
            chars.push(fold(character));
            bytes.push(byte);
        }
        let end = original.char_indices().nth(chars.len()).map_or(original.len(), |(byte, _)| byte);
        bytes.push(end);
        if is_placeholder(&chars, placeholders) {
            chars.clear();
        }
        Self { field, original, chars, bytes }
    }

    /// Matches of a list's words: the longest at each position, without overlaps.
    pub fn find(&self, list: &WordList) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut start = 0;
        while start < self.chars.len() {
            match self.rest(start).and_then(|rest| list.at_start(rest)).filter(|_| self.begins_word(start)) {
                Some(length) => {
                    found.push(start..start + length);
                    start += length;
                }
                None => start += 1,
            }
        }
        found
    }

    /// Text from a position to the end.
    pub fn rest(&self, start: usize) -> Option<&[char]> {
        self.chars.get(start..)
    }

    /// Sentence around a position.
    pub fn sentence(&self, place: usize) -> Range<usize> {
        self.around(place, |index| ends_sentence(&self.chars, index))
    }

    /// Clause around a position; commas also end a clause.
    pub fn clause(&self, place: usize) -> Range<usize> {
        let ends = |index: usize| ends_sentence(&self.chars, index) || self.is_comma(index);
        self.around(place, ends)
    }

    /// Source for a range of characters.
    pub fn evidence(&self, place: &Range<usize>) -> Option<StatementSource> {
        let bytes = *self.bytes.get(place.start)?..*self.bytes.get(place.end)?;
        let text = self.original.get(bytes.clone())?.to_string();
        Some(StatementSource::Text {
            span: Span { field: self.field, start: place.start, end: place.end },
            bytes,
            text,
        })
    }

    /// Returns whether a comma is here; between digits it separates thousands.
    fn is_comma(&self, index: usize) -> bool {
        let is_digit =
            |place: Option<usize>| place.and_then(|place| self.chars.get(place)).is_some_and(char::is_ascii_digit);
        match self.chars.get(index) {
            Some(',') => !(is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1))),
            Some('、') => true,
            _ => false,
        }
    }

    fn around(&self, place: usize, ends: impl Fn(usize) -> bool) -> Range<usize> {
        let first = place.saturating_sub(MAX_REACH_CHARS);
        let last = place.saturating_add(MAX_REACH_CHARS).min(self.chars.len());
        let start = (first..place).rev().find(|index| ends(*index)).map_or(first, |index| index + 1);
        let end = (place..last).find(|index| ends(*index)).unwrap_or(last);
        start..end.max(start)
    }

    /// Returns whether a word may start here: not inside a run of letters and digits.
    fn begins_word(&self, start: usize) -> bool {
        let is_word = |place: Option<usize>| {
            place.and_then(|place| self.chars.get(place)).is_some_and(char::is_ascii_alphanumeric)
        };
        !(is_word(Some(start)) && is_word(start.checked_sub(1)))
    }
}

/// Returns whether a text is blank, only punctuation, or a placeholder with punctuation around it.
pub(super) fn is_placeholder(chars: &[char], placeholders: &WordList) -> bool {
    let is_edge = |character: &char| character.is_whitespace() || !character.is_alphanumeric();
    let start = chars.iter().position(|character| !is_edge(character));
    let end = chars.iter().rposition(|character| !is_edge(character));
    match (start, end) {
        (Some(start), Some(end)) => chars.get(start..=end).is_some_and(|text| placeholders.is(text)),
        _ => true,
    }
}
