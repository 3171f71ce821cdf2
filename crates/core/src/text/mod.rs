//! Chinese text processing: normalisation, terms with positions, and term weights.
//!
//! ```text
//! text ── normalize ──► normal text ── segment ──► terms ──┬─ document ──► SparseVector   (stored, BM25)
//!                                                          └─ query ─────► LexicalQuery ──► SparseVector
//! LexicalQuery + SparseVector + Record ── locate ──► MatchedTerm with places in the original text
//! Record, QueryText ── passage ──► EmbeddingTexts for the model
//! ```
//!
//! Everything is a pure function of the text and the dictionaries. [`TextPipeline::version`] identifies both. Vectors
//! of two versions must not be mixed.

mod chars;
mod dictionary;
mod locate;
mod normalize;
mod passage;
mod query;
mod scan;
mod segment;
mod simplify;
mod sparse;
mod units;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

pub use dictionary::{LineProblem, TextError};
pub use locate::{Locator, locate};
pub use normalize::{Normalized, normalize};
pub use passage::{EmbeddingTexts, embedding_texts, query_embedding_texts};
pub use query::{LexicalQuery, QueryText};
pub use segment::{MAX_TERM_CHARS, Term};
pub use sparse::SparseVector;

use crate::domain::{Detail, Record};
use query::TermCounts;
use segment::Segmenter;
use sparse::{TITLE_COUNT, term_index};

/// Change this with anything that affects terms or weights and is not data: rules in `src/text/`, BM25 constants,
/// versions of jieba-rs and ferrous-opencc with their built-in dictionaries.
const RULES: &str = "rules 2 of 2026-11, jieba-rs 0.11, ferrous-opencc 0.4";

/// Turns text into terms and weights. Immutable; can be shared between threads.
#[derive(Debug)]
pub struct TextPipeline {
    segmenter: Segmenter,
    version: String,
}

// === impl TextPipeline ===

impl TextPipeline {
    /// Builds the pipeline, with an optional extra dictionary of lines `term frequency tag`.
    ///
    /// # Errors
    /// The first faulty line of the extra dictionary; see [`TextError`].
    pub fn new(extra_dictionary: Option<&str>) -> Result<Self, TextError> {
        if !simplify::is_ready() {
            return Err(TextError::Simplifier);
        }
        Ok(Self {
            segmenter: Segmenter::new(extra_dictionary)?,
            version: version(extra_dictionary.unwrap_or_default()),
        })
    }

    /// Version of rules and dictionaries: `text-1-` and 12 hexadecimal digits. Vectors of another version must be
    /// rebuilt.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Terms of a text with their positions; see `Segmenter::terms`.
    pub fn terms(&self, text: &str) -> Vec<Term> {
        self.segmenter.terms(text)
    }

    /// Technical terms from the dictionaries; see `Segmenter::dictionary_terms`.
    pub fn dictionary_terms(&self) -> impl Iterator<Item = &str> {
        self.segmenter.dictionary_terms()
    }

    /// Sparse vector stored for a record, without IDF, which the engine applies.
    pub fn document(&self, record: &Record) -> SparseVector {
        let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
        let mut add = |term: &str, count: f32| *counts.entry(term_index(term)).or_default() += count;
        let titles = std::iter::once(&record.title).chain(&record.keywords);
        titles.flat_map(|text| self.terms(text)).for_each(|term| add(&term.text, TITLE_COUNT));
        self.terms(&record.body).iter().for_each(|term| add(&term.text, 1.0));
        if let Some(name) = self.uncut_name(record) {
            add(&name, TITLE_COUNT);
        }
        sparse::document_vector(&counts)
    }

    /// Weighted terms to look up in the sparse index.
    pub fn query(&self, parts: &QueryText<'_>) -> LexicalQuery {
        let count = |texts: &mut dyn Iterator<Item = &str>| {
            let mut counts = TermCounts::new();
            for term in texts.flat_map(|text| self.terms(text)) {
                let count = counts.entry(term.text).or_default();
                *count = count.saturating_add(1);
            }
            counts
        };
        let title = count(&mut std::iter::once(parts.title));
        let keywords = count(&mut parts.keywords.iter().map(String::as_str));
        LexicalQuery::weigh(title, keywords, count(&mut std::iter::once(parts.body)))
    }

    /// An expert's name, if it is not a term already: jieba knows few names and may cut 欧阳明华 to 阳明.
    fn uncut_name(&self, record: &Record) -> Option<String> {
        let Detail::Expert(_) = record.detail else { return None };
        let name = normalize(&record.title).text.trim().to_string();
        let is_term = self.terms(&record.title).iter().any(|term| term.text == name);
        (!is_term && !name.is_empty()).then_some(name)
    }
}

fn version(extra_dictionary: &str) -> String {
    let mut hash = Sha256::new();
    let dictionaries = dictionary::DICTIONARIES.iter().map(|(_, text)| *text);
    let inputs = [RULES, dictionary::STOP_WORDS, units::UNITS, extra_dictionary];
    for input in inputs.into_iter().chain(dictionaries) {
        // length prefix, so that the end of one input cannot pass for the start of the next
        hash.update((input.len() as u64).to_le_bytes());
        hash.update(input);
    }
    let digits: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("text-1-{digits}")
}

#[cfg(test)]
mod tests;
