//! Sentences that occur under several titles: company profiles, conditions of cooperation.

use std::collections::HashMap;

use super::{
    content::RecordTexts,
    limits::{BOILERPLATE_TITLES, MAX_SENTENCES, MIN_SENTENCE_CHARS},
    shingle::{hash, set},
};

/// Titles under which each sentence occurs.
#[derive(Debug, Default)]
pub(super) struct Boilerplate {
    /// Title hashes by sentence hash; 0 marks a free slot.
    titles: HashMap<u64, [u32; BOILERPLATE_TITLES]>,
    /// Whether sentences were left uncounted because of the limit.
    pub is_cut: bool,
}

// === impl Boilerplate ===

impl Boilerplate {
    /// Counts the sentences of a record.
    pub fn add(&mut self, content: &RecordTexts) {
        let title = (hash(content.title.letters.iter().copied()) as u32).max(1);
        for sentence in content.sentences.iter().filter(|sentence| MIN_SENTENCE_CHARS <= sentence.chars) {
            if MAX_SENTENCES <= self.titles.len() && !self.titles.contains_key(&sentence.hash) {
                self.is_cut = true;
                continue;
            }
            let titles = self.titles.entry(sentence.hash).or_default();
            if let Some(slot) = titles.iter_mut().find(|slot| **slot == 0 || **slot == title) {
                *slot = title;
            }
        }
    }

    /// Shingles of title and body, without sentences that occur under [`BOILERPLATE_TITLES`] titles.
    pub fn own_shingles(&self, content: &RecordTexts) -> Vec<u64> {
        let is_own = |hash: &u64| self.titles.get(hash).is_none_or(|titles| titles.contains(&0));
        let own = content.sentences.iter().filter(|sentence| is_own(&sentence.hash));
        set(own.flat_map(|sentence| &sentence.shingles).chain(&content.title.shingles).copied().collect())
    }
}
