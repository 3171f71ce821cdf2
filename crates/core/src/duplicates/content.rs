//! Parts of a record's texts that are compared: sentences, shingles, numbers.

use super::shingle::{add_shingles, hash, letters, set};
use crate::{domain::Record, text};

/// Generic title words, the longer first.
const GENERIC: [&str; 32] = [
    "研究与应用",
    "研究及应用",
    "开发与应用",
    "开发及应用",
    "推广应用",
    "技术研究",
    "技术开发",
    "技术需求",
    "关键技术",
    "及其应用",
    "一种",
    "关于",
    "基于",
    "研究",
    "开发",
    "应用",
    "技术",
    "项目",
    "成果",
    "需求",
    "难题",
    "问题",
    "征集",
    "寻求",
    "合作",
    "攻关",
    "及其",
    "的",
    "及",
    "与",
    "和",
    "之",
];

/// The texts of one record, split into parts.
#[derive(Debug)]
pub(super) struct RecordTexts {
    /// Title without generic words.
    pub title: Title,
    /// Sentences of the body.
    pub sentences: Vec<Sentence>,
    /// Set of shingles of title and body.
    pub shingles: Vec<u64>,
    /// Set of numbers, as hashes, of title and body.
    pub numbers: Vec<u64>,
    /// Set of model numbers.
    pub models: Vec<u64>,
}

/// A title without generic words.
#[derive(Debug)]
pub(super) struct Title {
    /// Its characters without generic words, or all if it has only generic words.
    pub letters: Vec<char>,
    /// Number of characters outside generic words.
    pub named_chars: usize,
    /// Set of pairs of characters.
    pub pairs: Vec<u64>,
    /// Set of its numbers.
    pub numbers: Vec<u64>,
    /// Shingles of the whole title.
    pub shingles: Vec<u64>,
}

/// A sentence of a body.
#[derive(Debug)]
pub(super) struct Sentence {
    /// Hash of its characters.
    pub hash: u64,
    /// Number of its characters.
    pub chars: usize,
    /// Its shingles.
    pub shingles: Vec<u64>,
}

// === impl RecordTexts ===

impl RecordTexts {
    /// Splits the texts of a record.
    pub fn new(record: &Record) -> Self {
        let title = Title::new(&normal(&record.title));
        let mut numbers = Numbers::default();
        numbers.add(&normal(&record.title));
        let mut sentences = Vec::new();
        for text in split(&record.body) {
            let text = normal(text);
            numbers.add(&text);
            sentences.extend(Sentence::new(&text));
        }
        let all = sentences.iter().flat_map(|sentence: &Sentence| &sentence.shingles).chain(&title.shingles);
        let shingles = set(all.copied().collect());
        Self { shingles, sentences, title, numbers: set(numbers.all), models: set(numbers.models) }
    }
}

// === impl Title ===

impl Title {
    /// Splits a normalised title. Generic words are kept if there are no others.
    pub fn new(normal: &str) -> Self {
        let core = GENERIC.iter().fold(normal.to_string(), |title, word| title.replace(word, ""));
        let mut core = letters(&core);
        let whole = letters(normal);
        let named_chars = core.len();
        if named_chars < 2 {
            core.clone_from(&whole);
        }
        let (mut pairs, mut shingles) = (Vec::new(), Vec::new());
        add_shingles::<2>(&core, &mut pairs);
        add_shingles::<3>(&whole, &mut shingles);
        let mut numbers = Numbers::default();
        numbers.add(normal);
        Self { pairs: set(pairs), letters: core, named_chars, numbers: set(numbers.all), shingles }
    }
}

// === impl Sentence ===

impl Sentence {
    /// Returns a sentence with at least three characters; a shorter one has no shingle.
    fn new(normal: &str) -> Option<Self> {
        let letters = letters(normal);
        let mut shingles = Vec::new();
        add_shingles::<3>(&letters, &mut shingles);
        let chars = letters.len();
        (!shingles.is_empty()).then(|| Self { hash: hash(letters), chars, shingles })
    }
}

/// A text in its normal form.
pub(super) fn normal(text: &str) -> String {
    text::normalize(text).text
}

/// Sentences of a text. Split before normalisation, which may drop line ends.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(['。', '；', ';', '！', '!', '？', '?', '\n']).filter(|sentence| !sentence.trim().is_empty())
}

/// Hashes of numbers and model numbers.
#[derive(Debug, Default)]
struct Numbers {
    all: Vec<u64>,
    models: Vec<u64>,
}

// === impl Numbers ===

impl Numbers {
    /// Adds the numbers of a normalised text: runs of letters, digits and signs that contain a digit. A model number
    /// starts with a letter (tx-200, q345b); a number with a unit starts with a digit (85%, 10mpa).
    fn add(&mut self, normal: &str) {
        let inside = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '%' | '-' | '/');
        for run in normal.split(|character| !inside(character)) {
            let run = run.trim_matches(|character: char| !character.is_ascii_alphanumeric() && character != '%');
            if !run.bytes().any(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let hash = hash(run.chars());
            self.all.push(hash);
            if run.starts_with(|first: char| first.is_ascii_alphabetic()) {
                self.models.push(hash);
            }
        }
    }
}
