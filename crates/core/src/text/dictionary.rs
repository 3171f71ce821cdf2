//! Dictionaries of terms that must stay whole: the eight built-in ones, and the parser for more.

use std::{collections::HashSet, sync::LazyLock};

use thiserror::Error;

use super::{chars, normalize, segment::MAX_TERM_CHARS};

/// Name and content of the built-in dictionaries, about one per field of the 八大领域.
pub(super) const DICTIONARIES: [(&str, &str); 8] = [
    ("agriculture.txt", include_str!("../../data/dictionary/agriculture.txt")),
    ("biomedicine.txt", include_str!("../../data/dictionary/biomedicine.txt")),
    ("electronics.txt", include_str!("../../data/dictionary/electronics.txt")),
    ("energy.txt", include_str!("../../data/dictionary/energy.txt")),
    ("environment.txt", include_str!("../../data/dictionary/environment.txt")),
    ("equipment.txt", include_str!("../../data/dictionary/equipment.txt")),
    ("materials.txt", include_str!("../../data/dictionary/materials.txt")),
    ("public_service.txt", include_str!("../../data/dictionary/public_service.txt")),
];
/// Stop words, one per line.
pub(super) const STOP_WORDS: &str = include_str!("../../data/stopwords.txt");
/// Name of the extra dictionary in messages.
pub(super) const EXTRA_DICTIONARY: &str = "用户词典";

/// Maximum lines of an extra dictionary; jieba's own has 350,000.
pub const MAX_EXTRA_LINES: usize = 100_000;
/// Maximum frequency of a term. The most frequent word of jieba's dictionary (的) has 318,825 of 60 million. A much
/// higher frequency would break up neighbouring words.
pub const MAX_FREQUENCY: usize = 1_000_000;

static STOP_SET: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = STOP_WORDS.lines().map(|line| normalize(line.trim()).text);
    words.filter(|word| !word.is_empty()).collect()
});

/// Why a text pipeline cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// A line of a dictionary is wrong.
    #[error("{file}第 {line} 行“{content}”{problem}")]
    Dictionary {
        /// Name of the dictionary.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Start of the line's content.
        content: String,
        /// The error and how to fix it.
        problem: LineProblem,
    },
    /// The extra dictionary has more than `MAX_EXTRA_LINES` lines.
    #[error("用户词典有 {lines} 行，请减少到 {MAX_EXTRA_LINES} 行以内")]
    TooManyLines {
        /// Number of lines in the dictionary.
        lines: usize,
    },
    /// The built-in table of Traditional Chinese cannot be read.
    #[error("程序内置的繁简转换表已损坏，请重新安装")]
    Simplifier,
}

/// An error in a line of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineProblem {
    /// The frequency is missing. jieba would read 0, which means "never": the opposite of the intent.
    #[error("没有词频，请写成“词 词频 词性”，例如“质子交换膜 20 n”")]
    NoFrequency,
    /// The frequency is not a number or is out of range.
    #[error("的词频不对，请写 1 到 {MAX_FREQUENCY} 的整数，常用 20")]
    Frequency,
    /// The term is too short, too long, or contains characters at which texts are always cut.
    #[error("的词不对，请写 2 到 {MAX_TERM_CHARS} 个汉字、字母或数字，中间可用 - . / · _ & 连接")]
    Term,
    /// The line has more than term, frequency and tag.
    #[error("多于三项，请写成“词 词频 词性”，词中不能有空格")]
    TooManyParts,
}

/// A term of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DictionaryTerm {
    /// Normal form.
    pub term: String,
    /// Frequency, at least 1.
    pub frequency: usize,
    /// Part of speech; empty if not stated.
    pub tag: String,
}

/// Returns whether a normalised term is a stop word.
pub(super) fn is_stop_word(term: &str) -> bool {
    STOP_SET.contains(term)
}

/// Entries of a dictionary in jieba's format; blank lines and lines that start with `#` are skipped.
///
/// # Errors
/// The first faulty line, with the name of the file.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<DictionaryTerm>, TextError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let entry = |(index, line): (usize, &str)| {
        parse_line(line).map_err(|problem| TextError::Dictionary {
            file: file.to_string(),
            line: index + 1,
            content: line.chars().take(MAX_TERM_CHARS).collect(),
            problem,
        })
    };
    lines.map(entry).collect()
}

fn parse_line(line: &str) -> Result<DictionaryTerm, LineProblem> {
    let mut parts = line.split_whitespace();
    let term = normalize(parts.next().unwrap_or_default()).text;
    let frequency = parts.next().ok_or(LineProblem::NoFrequency)?;
    let tag = parts.next().unwrap_or_default().to_string();
    if parts.next().is_some() {
        return Err(LineProblem::TooManyParts);
    }
    let frequency = frequency.parse().ok().filter(|frequency| (1..=MAX_FREQUENCY).contains(frequency));
    let frequency = frequency.ok_or(LineProblem::Frequency)?;
    if !is_term(&term) {
        return Err(LineProblem::Term);
    }
    Ok(DictionaryTerm { term, frequency, tag })
}

fn is_term(term: &str) -> bool {
    let is_inner = |character| chars::is_han(character) || chars::is_word(character) || "-./·_&".contains(character);
    (2..=MAX_TERM_CHARS).contains(&term.chars().count())
        && term.chars().all(is_inner)
        && term.chars().any(|character| chars::is_han(character) || character.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_dictionaries_with_a_frequency_for_each_term() {
        let mut terms = HashSet::new();
        for (file, text) in DICTIONARIES {
            let entries = parse(file, text).unwrap();
            assert!(150 <= entries.len(), "{file}: {}", entries.len());
            for entry in entries {
                assert!(0 < entry.frequency, "{entry:?}");
                assert!(!is_stop_word(&entry.term), "{entry:?} would never be found");
                assert!(text.contains(&format!("{} ", entry.term)), "{entry:?} is written in its normal form");
                terms.insert(entry.term);
            }
        }
        assert!(800 <= terms.len(), "{}", terms.len());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let check = |text: &str, want: &str| {
            let found = parse(EXTRA_DICTIONARY, text).map(|entries| format!("{} terms", entries.len()));
            assert_eq!(found.unwrap_or_else(|error| error.to_string()), want, "{text:?}");
        };
        check("", "0 terms");
        check("\u{FEFF}质子交换膜 20 n\n\n# 说明\r\n石墨烯 3\r\nC/C复合材料 5 n", "3 terms");
        check(
            "石墨烯 3\n质子交换膜",
            "用户词典第 2 行“质子交换膜”没有词频，请写成“词 词频 词性”，例如“质子交换膜 20 n”",
        );
        let frequency = "的词频不对，请写 1 到 1000000 的整数，常用 20";
        check("石墨烯 0 n", &format!("用户词典第 1 行“石墨烯 0 n”{frequency}"));
        check("石墨烯 n 20", &format!("用户词典第 1 行“石墨烯 n 20”{frequency}"));
        check("石墨烯 -1", &format!("用户词典第 1 行“石墨烯 -1”{frequency}"));
        check("石墨烯 1000001", &format!("用户词典第 1 行“石墨烯 1000001”{frequency}"));
        check("\n质子 交换膜 20 n", "用户词典第 2 行“质子 交换膜 20 n”多于三项，请写成“词 词频 词性”，词中不能有空格");
        let term = "的词不对，请写 2 到 40 个汉字、字母或数字，中间可用 - . / · _ & 连接";
        check("膜 20", &format!("用户词典第 1 行“膜 20”{term}"));
        check("石墨烯， 20", &format!("用户词典第 1 行“石墨烯， 20”{term}"));
        check("2020 20", &format!("用户词典第 1 行“2020 20”{term}"));
    }

    #[test]
    fn entries_are_in_their_normal_form() {
        let entries = parse("", "ＬｉＦｅＰＯ４電池 20 n").unwrap();
        assert_eq!(entries, [DictionaryTerm { term: "lifepo4电池".into(), frequency: 20, tag: "n".into() }]);
    }

    #[test]
    fn stop_words_are_known() {
        for word in ["的", "技术", "研究", "the"] {
            assert!(is_stop_word(word), "{word}");
        }
        assert!(!is_stop_word("锂电池"));
    }
}
