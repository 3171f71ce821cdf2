//! Word lists and word search: the longest match at each position.

use std::collections::HashMap;

use super::text::fold;

/// Maximum domain terms: the built-in dictionaries have 2,200, a user's may have 100,000.
pub const MAX_TERMS: usize = 200_000;
/// Maximum characters of a domain term.
pub const MAX_TERM_CHARS: usize = 40;

/// All built-in lists.
#[derive(Debug)]
pub(super) struct Words {
    pub problem: WordList,
    pub problem_vague: WordList,
    pub object: WordList,
    pub object_generic: WordList,
    pub object_modifier: WordList,
    pub indicator_vague: WordList,
    pub budget: WordList,
    pub deadline_term: WordList,
    pub deadline_verb: WordList,
    pub deadline_vague: WordList,
    pub cooperation: WordList,
    pub cooperation_vague: WordList,
    pub placeholder: WordList,
}

/// Words by their first character, the longest first.
#[derive(Debug, Default)]
pub(super) struct WordList(HashMap<char, Vec<Vec<char>>>);

// === impl Words ===

impl Words {
    pub fn built_in() -> Self {
        Self {
            problem: WordList::parse(include_str!("../../data/diagnosis/problem.txt")),
            problem_vague: WordList::parse(include_str!("../../data/diagnosis/problem_vague.txt")),
            object: WordList::parse(include_str!("../../data/diagnosis/object.txt")),
            object_generic: WordList::parse(include_str!("../../data/diagnosis/object_generic.txt")),
            object_modifier: WordList::parse(include_str!("../../data/diagnosis/object_modifier.txt")),
            indicator_vague: WordList::parse(include_str!("../../data/diagnosis/indicator_vague.txt")),
            budget: WordList::parse(include_str!("../../data/diagnosis/budget.txt")),
            deadline_term: WordList::parse(include_str!("../../data/diagnosis/deadline_term.txt")),
            deadline_verb: WordList::parse(include_str!("../../data/diagnosis/deadline_verb.txt")),
            deadline_vague: WordList::parse(include_str!("../../data/diagnosis/deadline_vague.txt")),
            cooperation: WordList::parse(include_str!("../../data/diagnosis/cooperation.txt")),
            cooperation_vague: WordList::parse(include_str!("../../data/diagnosis/cooperation_vague.txt")),
            placeholder: WordList::parse(include_str!("../../data/diagnosis/placeholder.txt")),
        }
    }
}

// === impl WordList ===

impl WordList {
    /// Parses one word per line; blank lines and lines that start with `#` are skipped.
    pub fn parse(text: &str) -> Self {
        Self::of(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')))
    }

    /// Builds a list from terms of two or more characters.
    pub fn terms<'a>(terms: impl IntoIterator<Item = &'a str>) -> Self {
        let fits = |term: &&str| (2..=MAX_TERM_CHARS).contains(&term.chars().take(MAX_TERM_CHARS + 1).count());
        Self::of(terms.into_iter().map(str::trim).filter(fits).take(MAX_TERMS))
    }

    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut list: HashMap<char, Vec<Vec<char>>> = HashMap::new();
        for word in words {
            let word: Vec<char> = word.chars().map(fold).collect();
            if let Some(first) = word.first() {
                list.entry(*first).or_default().push(word);
            }
        }
        for words in list.values_mut() {
            words.sort_by_key(|word| usize::MAX - word.len());
        }
        Self(list)
    }

    /// Length of the longest word at the start of a text.
    pub fn at_start(&self, text: &[char]) -> Option<usize> {
        let words = self.0.get(text.first()?)?;
        words.iter().find(|word| text.starts_with(word) && is_apart(word, text)).map(Vec::len)
    }

    /// Returns whether the text ends with a word of the list.
    pub fn at_end(&self, text: &[char]) -> bool {
        (0..text.len()).any(|start| text.get(start..).is_some_and(|rest| self.is(rest)))
    }

    /// Returns whether the whole text is a word of the list.
    pub fn is(&self, text: &[char]) -> bool {
        let words = text.first().and_then(|first| self.0.get(first));
        words.is_some_and(|words| words.iter().any(|word| word == text))
    }
}

/// Returns false if the word ends inside a run of letters and digits: `plc` in `plcx`.
fn is_apart(word: &[char], text: &[char]) -> bool {
    let is_word = |character: Option<&char>| character.is_some_and(char::is_ascii_alphanumeric);
    !(is_word(word.last()) && is_word(text.get(word.len())))
}
