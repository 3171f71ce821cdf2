//! Splits a normal text into runs of Han characters and other words. Model numbers, formulas and numbers with their
//! unit are one word: `42crmo`, `α-al2o3`, `c/c`, `0.1mm`, `10mg/l`, `120°c`, `200目`.

use std::ops::Range;

use super::{chars, units};

/// A piece of a text, as a character range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TextPiece {
    /// Letters and digits with the characters that join them.
    Word(Range<usize>),
    /// Han characters only.
    Han(Range<usize>),
}

/// A text with fast access to its characters.
#[derive(Debug)]
pub(super) struct Indexed<'a> {
    /// The text.
    pub text: &'a str,
    /// Characters with their byte offsets.
    chars: Vec<(usize, char)>,
}

/// Pieces of a normal text, in order. Punctuation lies between them.
pub(super) fn scan(indexed: &Indexed<'_>) -> Vec<TextPiece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = indexed.get(at) {
        let end = if chars::is_han(first) {
            indexed.run_end(at, chars::is_han)
        } else if chars::is_word(first) {
            word_end(indexed, at)
        } else {
            at += 1;
            continue;
        };
        pieces.push(if chars::is_han(first) { TextPiece::Han(at..end) } else { TextPiece::Word(at..end) });
        at = end;
    }
    pieces
}

/// Returns whether a word is a number, date or number range without a unit.
pub(super) fn is_bare_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || is_joint(char::from(byte)))
}

/// Parts of a compound such as `α-al2o3` or `c/c`, as character ranges within it; a word that is not a compound is its
/// own single part. A point between digits does not split, nor does the one in `n·m`.
pub(super) fn parts(word: &str) -> Vec<Range<usize>> {
    let letters: Vec<char> = word.chars().collect();
    let is_digit = |index: Option<usize>| index.and_then(|index| letters.get(index)).is_some_and(char::is_ascii_digit);
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, character) in letters.iter().enumerate() {
        let in_number = *character == '.' && is_digit(index.checked_sub(1)) && is_digit(Some(index + 1));
        if "-/_.".contains(*character) && !in_number {
            parts.push(start..index);
            start = index + 1;
        }
    }
    parts.push(start..letters.len());
    parts
}

fn word_end(indexed: &Indexed<'_>, start: usize) -> usize {
    let mut end = indexed.run_end(start, chars::is_word);
    while indexed.get(end).is_some_and(is_joint) && indexed.get(end + 1).is_some_and(chars::is_word) {
        end = indexed.run_end(end + 1, chars::is_word);
    }
    let before = end.checked_sub(1).and_then(|last| indexed.get(last));
    let after_digit = before.is_some_and(|last| last.is_ascii_digit());
    match (indexed.get(end), indexed.get(end + 1), indexed.get(end + 2)) {
        (Some('%' | '‰'), ..) if after_digit => end + 1,
        (Some('°'), Some('c' | 'f'), after) if after_digit && !after.is_some_and(chars::is_word) => end + 2,
        (Some('+'), Some('+'), _) => end + 2,
        (Some('#'), ..) if end == start + 1 && !after_digit => end + 1,
        (Some(han), ..) if after_digit && chars::is_han(han) => end + han_unit(indexed, start..end),
        _ => end,
    }
}

/// Length in characters of a Chinese unit after a number, for units that stay Chinese in normal form: 亩, 目, 万吨/年.
fn han_unit(indexed: &Indexed<'_>, number: Range<usize>) -> usize {
    let written = indexed.slice(&number);
    if units::number_end(written) != Some(written.len()) {
        return 0;
    }
    let behind = indexed.text.get(indexed.byte(number.end)..).unwrap_or_default();
    let unit = units::unit_at(behind, false).and_then(|unit| behind.get(..unit.bytes));
    unit.map_or(0, |unit| unit.chars().count())
}

/// Characters that join a compound if letters or digits are on both sides.
fn is_joint(character: char) -> bool {
    matches!(character, '-' | '/' | '.' | '·' | '_' | '&')
}

// === impl Indexed ===

impl<'a> Indexed<'a> {
    /// Indexes a text.
    pub fn new(text: &'a str) -> Self {
        Self { text, chars: text.char_indices().collect() }
    }

    /// Returns the character at an index.
    pub fn get(&self, index: usize) -> Option<char> {
        self.chars.get(index).map(|(_, character)| *character)
    }

    /// Text of a character range; empty if out of range.
    pub fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(self.byte(range.start)..self.byte(range.end)).unwrap_or_default()
    }

    /// Character index from a byte offset.
    pub fn char_at_byte(&self, byte: usize) -> usize {
        self.chars.partition_point(|(start, _)| *start < byte)
    }

    fn byte(&self, index: usize) -> usize {
        self.chars.get(index).map_or(self.text.len(), |(byte, _)| *byte)
    }

    fn run_end(&self, start: usize, belongs: impl Fn(char) -> bool) -> usize {
        let run = self.chars.iter().skip(start).take_while(|(_, character)| belongs(*character));
        start + run.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;

    #[test]
    fn words_are_whole() {
        let check = |original: &str, want: &[&str]| {
            let normal = normalize(original);
            let indexed = Indexed::new(&normal.text);
            let pieces = scan(&indexed);
            let words = pieces.iter().map(|piece| match piece {
                TextPiece::Word(range) | TextPiece::Han(range) => indexed.slice(range),
            });
            assert_eq!(words.collect::<Vec<_>>(), want, "{original}");
        };
        check("", &[]);
        check("采用42CrMo钢、Q345B和316L。", &["采用", "42crmo", "钢", "q345b", "和", "316l"]);
        check("α-Al2O3/TiO2", &["α-al2o3/tio2"]);
        check("C/C复合", &["c/c", "复合"]);
        check("0.1mm-0.2 mm", &["0.1mm-0.2mm"]);
        check("５℃～１２０℃", &["5°c", "120°c"]);
        check("提高10%以上", &["提高", "10%", "以上"]);
        check("200目筛与3目标", &["200目", "筛与", "3", "目标"]);
        check("30万吨/年装置", &["30万吨/年", "装置"]);
        check("C++、C#与3#楼", &["c++", "c#", "与", "3", "楼"]);
        check("end. Next--x", &["end", "next", "x"]);
        check("node.js", &["node.js"]);
    }

    #[test]
    fn compounds_have_parts() {
        let check = |word: &str, want: &[&str]| {
            let indexed = Indexed::new(word);
            assert_eq!(parts(word).iter().map(|range| indexed.slice(range)).collect::<Vec<_>>(), want, "{word}");
        };
        check("α-al2o3", &["α", "al2o3"]);
        check("c/c", &["c", "c"]);
        check("0.1mm", &["0.1mm"]);
        check("5-10.5mm", &["5", "10.5mm"]);
        check("n·m", &["n·m"]);
        check("q345.b", &["q345", "b"]);
    }

    #[test]
    fn numbers_without_unit_are_bare() {
        for word in ["5", "2020-01-01", "1/2", "0.5", "3-5"] {
            assert!(is_bare_number(word), "{word}");
        }
        for word in ["5g", "10%", "120°c", "α", "5亩"] {
            assert!(!is_bare_number(word), "{word}");
        }
    }
}
