//! Targets that a job with many demands keeps in memory. Pure.
//!
//! One scan reads the terms and the embedding of every target. After that, the BM25 of all targets for a demand comes
//! from a few posting lists, and the engine is used only for nearest vectors. The sums equal those of
//! [`Weighted::score`], term by term in the same order. Embeddings are kept at half size: they rule out targets that
//! cannot be near, and the engine gives the exact cosine.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{
    packed::Packed,
    statistics::{Terms, Weighted},
};
use duijie_store::PointId;

/// Targets checked together, so that a chunk without a high enough score is skipped at once.
const CHUNK: usize = 64;

/// Terms and embeddings of all targets of a kind.
#[derive(Debug, Default)]
pub struct Held {
    /// Target ids in order; a target's number is its position.
    ids: Vec<PointId>,
    numbers: FxHashMap<PointId, usize>,
    vectors: Vec<Packed>,
    /// Posting lists: numbers and weights of the targets with a term.
    lists: FxHashMap<u32, Vec<(u32, f32)>>,
    /// Unused score buffers, each as long as the number of targets.
    spare: Mutex<Vec<Vec<f64>>>,
}

/// BM25 of every target for one demand.
#[derive(Debug)]
pub struct Scores {
    held: Arc<Held>,
    bm25: Vec<f64>,
}

// === impl Held ===

impl Held {
    /// Builds the lists from targets in the order of their ids.
    pub fn new(targets: impl IntoIterator<Item = (PointId, Box<Terms>, Packed)>) -> Self {
        let mut held = Self::default();
        for (number, (id, terms, vector)) in (0..).zip(targets) {
            held.numbers.insert(id, held.ids.len());
            held.ids.push(id);
            held.vectors.push(vector);
            for (term, weight) in terms {
                held.lists.entry(term).or_default().push((number, weight));
            }
        }
        held.lists.values_mut().for_each(Vec::shrink_to_fit);
        held
    }

    /// BM25 of every target.
    pub fn score(self: &Arc<Self>, query: &Weighted) -> Scores {
        let mut bm25 = self.spare.lock().pop().unwrap_or_default();
        bm25.clear();
        bm25.resize(self.ids.len(), 0.0);
        for (term, weight) in query.terms() {
            for (number, value) in self.lists.get(term).into_iter().flatten() {
                if let Some(sum) = bm25.get_mut(*number as usize) {
                    *sum += weight * f64::from(*value);
                }
            }
        }
        Scores { held: Arc::clone(self), bm25 }
    }
}

// === impl Scores ===

impl Scores {
    /// BM25 of a target; `None` if the target came after the scan.
    pub fn of(&self, id: PointId) -> Option<f64> {
        self.bm25.get(*self.held.numbers.get(&id)?).copied()
    }

    /// Targets that share terms and have a BM25 of at least `least`, in the order of ids, with their embeddings.
    pub fn at_least(&self, min: f64) -> impl Iterator<Item = (PointId, f64, &Packed)> {
        let min = min.max(f64::MIN_POSITIVE);
        let Held { ids, vectors, .. } = &*self.held;
        let chunks = ids.chunks(CHUNK).zip(vectors.chunks(CHUNK)).zip(self.bm25.chunks(CHUNK));
        let chunks = chunks.filter(move |(_, bm25)| bm25.iter().fold(false, |any, bm25| any | (min <= *bm25)));
        let all = chunks.flat_map(|((ids, vectors), bm25)| ids.iter().zip(vectors).zip(bm25));
        all.filter(move |(_, bm25)| min <= **bm25).map(|((id, vector), bm25)| (*id, *bm25, vector))
    }
}

impl Drop for Scores {
    fn drop(&mut self) {
        let room = std::mem::take(&mut self.bm25);
        self.held.spare.lock().push(room);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::rematch::job::statistics::{Statistics, terms};
    use duijie_core::text::SparseVector;

    fn id(number: usize) -> PointId {
        PointId::from(Uuid::from_u128(number as u128 + 1))
    }

    proptest! {
        #[test]
        fn they_score_as_one_by_one(
            documents in prop::collection::vec(prop::collection::btree_map(0u32..20, 0.1f32..9.0, 0..9), 0..30),
            query in prop::collection::btree_map(0u32..20, 0.1f32..9.0, 0..9),
            min in 0.0f64..20.0,
        ) {
            let documents: Vec<SparseVector> = documents.into_iter().map(|it| it.into_iter().collect()).collect();
            let mut statistics = Statistics::default();
            documents.iter().for_each(|document| statistics.add(document));
            let query = statistics.weigh(&query.into_iter().collect());
            let targets = documents.iter().enumerate().map(|(number, it)| (id(number), terms(it), Packed::default()));
            let held = Arc::new(Held::new(targets));
            // the second round reuses a buffer
            for _ in 0..2 {
                let scores = held.score(&query);
                let want = |number: usize| query.score(&terms(&documents[number]));
                for number in 0..documents.len() {
                    prop_assert_eq!(scores.of(id(number)), Some(want(number)));
                }
                prop_assert_eq!(scores.of(id(documents.len())), None);
                let all: Vec<_> = (0..documents.len()).map(|number| (id(number), want(number)))
                    .filter(|(_, bm25)| 0.0 < *bm25 && min <= *bm25).collect();
                prop_assert_eq!(scores.at_least(min).map(|(id, bm25, _)| (id, bm25)).collect::<Vec<_>>(), all);
            }
        }
    }
}
