//! Segments text into terms with positions: jieba with our dictionaries for Chinese, [`super::scan`] for the rest.

use aho_corasick::{AhoCorasick, MatchKind};
use jieba_rs::{Jieba, TokenizeMode};

use super::{
    Normalized,
    chars::{is_han, is_word},
    dictionary::{self, DICTIONARIES, DictionaryTerm, EXTRA_DICTIONARY, MAX_EXTRA_LINES, TextError},
    normalize,
    scan::{self, Indexed, TextPiece},
};

/// Maximum characters of a term; only the parts of a longer word (a link, encoded data) become terms.
pub const MAX_TERM_CHARS: usize = 40;
/// Maximum characters of a locant or mark before a Chinese name: β-葡聚糖, n-甲基, dl-蛋氨酸.
const MAX_MARK_CHARS: usize = 3;

/// A term with its position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// First character in the original text, from 0.
    pub start: usize,
    /// End, exclusive.
    pub end: usize,
    /// Normal form.
    pub text: String,
}

/// Segments texts into terms.
#[derive(Debug)]
pub struct Segmenter {
    jieba: Jieba,
    /// Dictionary terms with other than Han characters, which jieba would never see whole: 5g基站.
    mixed: Option<AhoCorasick>,
    /// Terms of our dictionaries and of the extra one, in normal form.
    dictionary: Vec<String>,
}

/// Collected terms of one text, with positions in the normal text.
struct Gathered<'a> {
    indexed: Indexed<'a>,
    terms: Vec<(usize, usize, &'a str)>,
}

// === impl Segmenter ===

impl Segmenter {
    /// Builds a segmenter from jieba's dictionary, ours, and an extra one of lines `term frequency tag`. Takes about
    /// 0.15 s and 35 MB (measured on two cores of a Xeon).
    ///
    /// # Errors
    /// The first faulty line of the extra dictionary; see [`TextError`].
    pub fn new(extra_dictionary: Option<&str>) -> Result<Self, TextError> {
        let mut entries = Vec::new();
        for (file, text) in DICTIONARIES {
            entries.extend(dictionary::parse(file, text)?);
        }
        if let Some(extra) = extra_dictionary {
            let lines = extra.lines().count();
            if MAX_EXTRA_LINES < lines {
                return Err(TextError::TooManyLines { lines });
            }
            entries.extend(dictionary::parse(EXTRA_DICTIONARY, extra)?);
        }
        let dictionary = entries.iter().map(|entry| entry.term.clone()).collect();
        let mut jieba = Jieba::new();
        let (han, mixed): (Vec<DictionaryTerm>, Vec<DictionaryTerm>) =
            entries.into_iter().partition(|entry| entry.term.chars().all(is_han));
        for entry in han {
            jieba.add_word(&entry.term, Some(entry.frequency), Some(&entry.tag));
        }
        let longest =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(mixed.iter().map(|m| &m.term));
        Ok(Self { jieba, mixed: longest.ok().filter(|_| !mixed.is_empty()), dictionary })
    }

    /// Terms of the eight technical dictionaries and of the extra one, in normal form.
    pub fn dictionary_terms(&self) -> impl Iterator<Item = &str> {
        self.dictionary.iter().map(String::as_str)
    }

    /// Terms of a text, ordered by position; a long term is returned with the terms inside it. Excluded are stop words,
    /// punctuation, numbers without a unit, and single characters (unless the text has only one).
    pub fn terms(&self, text: &str) -> Vec<Term> {
        self.terms_of(&normalize(text))
    }

    /// Terms of a text that is already normalised.
    pub(crate) fn terms_of(&self, normal: &Normalized) -> Vec<Term> {
        let mut gathered = Gathered { indexed: Indexed::new(&normal.text), terms: Vec::new() };
        let mut mark = None;
        for piece in scan::scan(&gathered.indexed) {
            match piece {
                TextPiece::Word(word) => {
                    gathered.add_word(word.start, word.end);
                    mark = Some(word);
                }
                TextPiece::Han(han) => {
                    let first_end = self.add_han(&mut gathered, han.start, han.end);
                    if let Some(mark) = mark.take().filter(|mark| gathered.is_mark(mark.start, mark.end, han.start)) {
                        gathered.add(mark.start, first_end);
                    }
                }
            }
        }
        self.add_mixed(&mut gathered);
        gathered.finish(normal)
    }

    /// Adds the terms of a run of Han characters; returns the end of the first one.
    fn add_han<'a>(&self, gathered: &mut Gathered<'a>, start: usize, end: usize) -> usize {
        let text: &'a str = gathered.indexed.slice(&(start..end));
        let mut first_end = start;
        for token in self.jieba.tokenize(text, TokenizeMode::Search, true) {
            if token.start == 0 {
                // the whole word comes after the words inside it
                first_end = first_end.max(start + token.end);
            }
            gathered.add(start + token.start, start + token.end);
        }
        first_end
    }

    fn add_mixed(&self, gathered: &mut Gathered<'_>) {
        let Some(mixed) = &self.mixed else { return };
        for found in mixed.find_iter(gathered.indexed.text) {
            let start = gathered.indexed.char_at_byte(found.start());
            let end = gathered.indexed.char_at_byte(found.end());
            if gathered.is_apart(start) && gathered.is_apart(end) {
                gathered.add(start, end);
            }
        }
    }
}

// === impl Gathered ===

impl Gathered<'_> {
    fn add(&mut self, start: usize, end: usize) {
        let text = self.indexed.slice(&(start..end));
        let chars = end.saturating_sub(start);
        let only = chars == 1 && chars == self.indexed.text.trim().chars().count();
        let is_content = text.chars().any(|character| is_han(character) || is_word(character));
        if (only || 1 < chars) && chars <= MAX_TERM_CHARS && is_content && !dictionary::is_stop_word(text) {
            self.terms.push((start, end, text));
        }
    }

    fn add_word(&mut self, start: usize, end: usize) {
        let word = self.indexed.slice(&(start..end));
        if scan::is_bare_number(word) {
            return;
        }
        self.add(start, end);
        for part in scan::parts(word) {
            let (part_start, part_end) = (start + part.start, start + part.end);
            let text = self.indexed.slice(&(part_start..part_end));
            if 1 < part.len() && part.len() < end - start && !scan::is_bare_number(text) {
                self.add(part_start, part_end);
            }
        }
    }

    /// Returns whether the word is the mark of the Chinese name starting at `han_start`.
    fn is_mark(&self, start: usize, end: usize, han_start: usize) -> bool {
        end + 1 == han_start
            && self.indexed.get(end) == Some('-')
            && end - start <= MAX_MARK_CHARS
            && self.indexed.slice(&(start..end)).chars().any(char::is_alphabetic)
    }

    /// Returns whether no word continues across this index.
    fn is_apart(&self, index: usize) -> bool {
        let is_word_at = |index: usize| self.indexed.get(index).is_some_and(is_word);
        !(is_word_at(index) && index.checked_sub(1).is_some_and(is_word_at))
    }

    fn finish(mut self, normal: &Normalized) -> Vec<Term> {
        self.terms.sort_unstable_by_key(|(start, end, _)| (*start, *end));
        self.terms.dedup();
        let placed = |(start, end, text): (usize, usize, &str)| {
            let range = normal.original_range(start, end);
            Term { start: range.start, end: range.end, text: text.to_string() }
        };
        self.terms.into_iter().map(placed).collect()
    }
}

#[cfg(test)]
mod tests;
