//! Cuts a text that is too long for the model into windows, at sentence ends where possible, without losing any text.

use super::EmbedError;
use std::ops::Range;

/// Version of the cutting; part of the model's version, as other cuts give other vectors.
pub const WINDOW_VERSION: u32 = 1;

/// Characters that end a sentence. The Latin full stop is not included: it occurs in numbers and model names.
const SENTENCE_ENDS: [char; 8] = ['。', '！', '？', '；', '\n', '!', '?', ';'];
/// Characters where a sentence that is too long may be cut.
const CLAUSE_ENDS: [char; 3] = ['，', '、', ','];

/// Piece of a text that fits the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Byte range in the text, on character boundaries.
    pub range: Range<usize>,
    /// Tokens of this piece, without prefix and special tokens; at least 1. Also its weight in the mean.
    pub tokens: usize,
}

/// Cuts `text` into windows of at most `capacity` tokens, in order and without gaps.
///
/// `token_ends` holds the end of each token of the whole text, in bytes, ascending; it suggests where to cut. `count`
/// counts the tokens of each window separately, because a cut text has other tokens at its ends. Only a single
/// character can exceed the capacity.
///
/// A cut at a sentence end is made in the second half of what fits, so no window is tiny and there are at most twice as
/// many as needed.
///
/// # Errors
/// Errors of `count`.
pub fn split(
    text: &str,
    token_ends: &[usize],
    capacity: usize,
    count: &dyn Fn(&str) -> Result<usize, EmbedError>,
) -> Result<Vec<Window>, EmbedError> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let last = first_end(text, start, token_ends, capacity);
        let window = next_window(text, start..last, capacity, count)?;
        start = window.range.end;
        windows.push(window);
    }
    Ok(windows)
}

/// Latest end of a window from `start`: after `capacity` tokens, counted on the whole text.
fn first_end(text: &str, start: usize, token_ends: &[usize], capacity: usize) -> usize {
    let first = token_ends.partition_point(|end| *end <= start);
    match token_ends.get(first.saturating_add(capacity)..) {
        // more tokens follow
        Some([_, ..]) => token_ends.get((first + capacity).saturating_sub(1)).copied().unwrap_or(text.len()),
        _ => text.len(),
    }
}

/// Window that starts at the start of `most` and ends at most at its end, shortened until it fits.
fn next_window(
    text: &str,
    max: Range<usize>,
    capacity: usize,
    count: &dyn Fn(&str) -> Result<usize, EmbedError>,
) -> Result<Window, EmbedError> {
    let start = max.start;
    let one_char = text.ceil_char_boundary(start + 1);
    let mut last = text.floor_char_boundary(max.end).max(one_char);
    loop {
        let end = if last == text.len() { last } else { soft_end(text, start, last) };
        let tokens = count(text.get(start..end).unwrap_or_default())?.max(1);
        if tokens <= capacity || end <= one_char {
            return Ok(Window { range: start..end, tokens });
        }
        // shortens in proportion, and always, as the capacity is less than the tokens
        let shorter = start + (end - start) * capacity / (tokens + 1);
        last = text.floor_char_boundary(shorter).max(one_char);
    }
}

/// Best cut in the second half of `start..last`: after a sentence, else after a clause, else `last`.
fn soft_end(text: &str, start: usize, last: usize) -> usize {
    let half = text.ceil_char_boundary(start + (last - start) / 2);
    let piece = text.get(half..last).unwrap_or_default();
    let after = |ends: &[char]| {
        let (at, end) = piece.rmatch_indices(ends).next()?;
        Some(half + at + end.len())
    };
    after(&SENTENCE_ENDS).or_else(|| after(&CLAUSE_ENDS)).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A simple tokeniser with the relevant properties of the model's: words of one to three characters, and one extra
    /// token at the start of each text.
    fn ends(text: &str) -> Vec<usize> {
        let borders: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        let mut ends = vec![];
        let mut at = 0;
        while at < borders.len() {
            let step = 1 + text[..borders[at]].chars().next_back().map_or(0, |c| c as usize % 3);
            at = (at + step).min(borders.len());
            ends.push(borders[at - 1]);
        }
        ends
    }

    fn count(text: &str) -> Result<usize, EmbedError> {
        Ok(1 + ends(text).len())
    }

    fn cut(text: &str, capacity: usize) -> Vec<Window> {
        split(text, &ends(text), capacity, &count).unwrap()
    }

    #[test]
    fn cuts_after_sentences_then_clauses_then_anywhere() {
        fn one_by_one(text: &str) -> Result<usize, EmbedError> {
            Ok(text.chars().count())
        }
        fn check(text: &str, capacity: usize, want: &[&str]) {
            let ends: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
            let windows = split(text, &ends, capacity, &one_by_one).unwrap();
            let got: Vec<&str> = windows.iter().map(|w| &text[w.range.clone()]).collect();
            assert_eq!(got, want);
        }
        check("", 4, &[]);
        check("短文本", 4, &["短文本"]);
        check("短文本。", 4, &["短文本。"]);
        check("一二三。四五六", 5, &["一二三。", "四五六"]);
        check("一二，三。四五，六七", 6, &["一二，三。", "四五，六七"]);
        check("一二三，四五六", 5, &["一二三，", "四五六"]);
        check("一二三四五六", 4, &["一二三四", "五六"]);
        check("一。二三四五六七", 6, &["一。二三四五", "六七"]);
        check("a\nb\nc", 2, &["a\n", "b\n", "c"]);
        check("一二", 1, &["一", "二"]);
        check("一二", 0, &["一", "二"]);
    }

    #[test]
    fn a_window_that_does_not_fit_by_itself_is_made_shorter() {
        // each window has two tokens more than its share of the whole text
        let count = |piece: &str| Ok(piece.chars().count() + 2);
        let text = "一二三四五六七八九十";
        let ends: Vec<usize> = (1..=10).map(|n| n * 3).collect();
        let windows = split(text, &ends, 6, &count).unwrap();
        assert!(windows.iter().all(|window| window.tokens <= 6), "{windows:?}");
        assert_eq!(windows.last().unwrap().range.end, text.len());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_each_window_fits(text in "[一-十a-c。，；\n 😀]{0,400}", capacity in 6_usize..60) {
            let windows = cut(&text, capacity);
            let joined: String = windows.iter().map(|w| &text[w.range.clone()]).collect();
            prop_assert_eq!(&joined, &text);
            for window in &windows {
                let piece = &text[window.range.clone()];
                prop_assert!(!piece.is_empty());
                prop_assert_eq!(window.tokens, count(piece).unwrap());
                prop_assert!(window.tokens <= capacity);
            }
        }

        #[test]
        fn any_offsets_end_well(text in "\\PC{0,80}", ends in prop::collection::vec(0_usize..400, 0..80), capacity in 0_usize..9) {
            let mut ends = ends;
            ends.sort_unstable();
            let windows = split(&text, &ends, capacity, &count).unwrap();
            let joined: String = windows.iter().map(|w| &text[w.range.clone()]).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
