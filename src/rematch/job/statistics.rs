//! Term statistics of a collection at one time. Pure.
//!
//! The engine weighs terms by the collection's current content, so any import changes the scores of all records. A job
//! must be comparable with other jobs, so its scores must depend only on the two records. Therefore jobs score with
//! statistics that were taken once and stored: the engine's formula, with the same numbers in each job that uses them.

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::bytes::{Damaged, Reader, Writer};
use duijie_core::text::SparseVector;

/// Terms per part: 8 bytes each, and a third more as text, fit into a document.
const PART_TERMS: usize = 80_000;
/// Bits of the filter for terms: with 64 query terms, 1 in 60 other terms is looked up in vain.
const BITS: usize = 4_096;

/// Most that the engine's sums of 32 bits are off by.
const ROUNDING: f64 = 1e-5;

/// Documents of a collection, and in how many of them each term stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    records: u64,
    counts: FxHashMap<u32, u32>,
}

/// What has changed in a collection since its statistics were taken.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// How many of the documents stored since then have each term.
    stored: FxHashMap<u32, u32>,
    /// Documents that may not count any more.
    gone: u64,
}

/// A document's terms with their weights, in order of the term.
pub type Terms = [(u32, f32)];

/// A query's terms with idf · weight, ordered by term.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    terms: Vec<(u32, f64)>,
    /// Filter on the terms' lowest bits: it quickly rules out most document terms that are not in the query. Terms are
    /// hashes, so the lowest bits are as good as any.
    bits: [u64; BITS / 64],
}

// === impl Statistics ===

impl Statistics {
    /// Counts a document; one without terms does not count, as in the engine.
    pub fn add(&mut self, document: &SparseVector) {
        if document.is_empty() {
            return;
        }
        self.records += 1;
        for term in &document.indices {
            *self.counts.entry(*term).or_default() += 1;
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: Self) {
        self.records += other.records;
        for (term, count) in other.counts {
            *self.counts.entry(term).or_default() += count;
        }
    }

    /// Number of documents with terms.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Inverse document frequency: `ln(1 + (N - df + 0.5) / (df + 0.5))`.
    pub fn idf(&self, term: u32) -> f64 {
        let (records, count) = (self.records as f64, f64::from(self.counts.get(&term).copied().unwrap_or(0)));
        (1.0 + (records - count + 0.5).max(0.0) / (count + 0.5)).ln()
    }

    /// By how much our BM25 of any document is above the engine's at most, which weighs by what the collection holds now:
    /// 1 where nothing has changed. A term is at most in the documents that had it and those stored since, of at least as
    /// many as are not gone; so the engine weighs it with `ln((N + 1) / (df + 0.5))` at least.
    pub fn above(&self, query: &SparseVector, moved: &Moved) -> f64 {
        let left = self.records.saturating_sub(moved.gone);
        let above = query.indices.iter().map(|term| {
            let of = |counts: &FxHashMap<u32, u32>| u64::from(counts.get(term).copied().unwrap_or(0));
            let max = of(&self.counts) + of(&moved.stored);
            let min = ((left.max(max) + 1) as f64 / (max as f64 + 0.5)).ln();
            self.idf(*term) / min
        });
        above.fold(1.0, f64::max) * (1.0 + ROUNDING)
    }

    /// A query, ready to score documents.
    pub fn weigh(&self, query: &SparseVector) -> Weighted {
        let terms = query.indices.iter().zip(&query.values);
        let mut terms: Vec<_> = terms.map(|(term, weight)| (*term, self.idf(*term) * f64::from(*weight))).collect();
        terms.sort_unstable_by_key(|(term, _)| *term);
        let mut bits = [0; BITS / 64];
        for (term, _) in &terms {
            let (word, bit) = place(*term);
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
        Weighted { terms, bits }
    }

    /// Version: equal statistics have equal versions.
    pub fn version(&self) -> String {
        let digest = self.parts().iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
        let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("terms-{}-{hash}", self.records)
    }

    /// Encodes the statistics in parts that each fit into a document; at least one.
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let mut counts: Vec<(u32, u32)> = self.counts.iter().map(|(term, count)| (*term, *count)).collect();
        counts.sort_unstable();
        let part = |counts: &[(u32, u32)]| {
            let mut writer = Writer::default();
            writer.u64(self.records);
            writer.list(counts, |writer, (term, count)| {
                writer.u32(*term);
                writer.u32(*count);
            });
            writer.finish()
        };
        if counts.is_empty() { vec![part(&[])] } else { counts.chunks(PART_TERMS).map(part).collect() }
    }

    /// Decodes the parts.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(parts: &[Vec<u8>]) -> Result<Self, Damaged> {
        let mut statistics = Self::default();
        for part in parts {
            let mut reader = Reader::new(part);
            statistics.records = reader.u64()?;
            let counts = reader.list(|reader| Ok((reader.u32()?, reader.u32()?)))?;
            reader.end()?;
            statistics.counts.extend(counts);
        }
        Ok(statistics)
    }
}

// === impl Moved ===

impl Moved {
    /// Counts a document that was stored since.
    pub fn add(&mut self, document: &SparseVector) {
        // one without terms may have had some before
        self.gone += u64::from(document.is_empty());
        for term in &document.indices {
            *self.stored.entry(*term).or_default() += 1;
        }
    }

    /// Counts documents that were deleted since.
    pub fn remove(&mut self, documents: usize) {
        self.gone += documents as u64;
    }
}

// === impl Weighted ===

impl Weighted {
    /// BM25 of a document: the sum over the shared terms, always in the same order.
    pub fn score(&self, document: &Terms) -> f64 {
        let mut sum = 0.0;
        for (term, value) in document {
            let (word, bit) = place(*term);
            if self.bits.get(word).is_some_and(|word| word & bit != 0)
                && let Ok(place) = self.terms.binary_search_by_key(term, |(term, _)| *term)
                && let Some((_, weight)) = self.terms.get(place)
            {
                sum += weight * f64::from(*value);
            }
        }
        sum
    }

    /// Terms and weights.
    pub fn terms(&self) -> &[(u32, f64)] {
        &self.terms
    }
}

/// Word and bit of a term in the filter.
fn place(term: u32) -> (usize, u64) {
    let place = term as usize % BITS;
    (place / 64, 1 << (place % 64))
}

/// Terms of a stored vector, ordered.
pub fn terms(vector: &SparseVector) -> Box<Terms> {
    let mut terms: Box<Terms> = vector.indices.iter().copied().zip(vector.values.iter().copied()).collect();
    if !terms.is_sorted_by_key(|(term, _)| *term) {
        terms.sort_unstable_by_key(|(term, _)| *term);
    }
    terms
}

/// Most changed records for which statistics are still good: 1 in 20, but for small collections up to all records, at
/// most 1,000.
pub fn drift_limit(records: u64) -> u64 {
    (records / 20).max(records.min(1_000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(weights: &[(u32, f32)]) -> SparseVector {
        weights.iter().copied().collect()
    }

    fn sample() -> Statistics {
        let mut statistics = Statistics::default();
        for document in [vec![(1, 1.0), (2, 0.5)], vec![(2, 1.5)], vec![]] {
            statistics.add(&vector(&document));
        }
        statistics
    }

    #[test]
    fn the_engines_formula() {
        let statistics = sample();
        assert_eq!(statistics.records(), 2);
        let check = |term: u32, want: f64| assert!((statistics.idf(term) - want).abs() < 1e-12, "{term}");
        check(1, 2.0f64.ln());
        check(2, 1.2f64.ln());
        check(3, 6.0f64.ln());
        let query = statistics.weigh(&vector(&[(1, 2.0), (2, 1.0), (9, 1.0)]));
        let want = 2.0f64.ln() * 2.0 * 1.0 + 1.2f64.ln() * 0.5;
        assert!((query.score(&terms(&vector(&[(1, 1.0), (2, 0.5), (3, 9.0)]))) - want).abs() < 1e-12);
        assert_eq!(query.score(&[]), 0.0);
    }

    #[test]
    fn names_follow_what_is_in_it() {
        let one = sample();
        let mut other = sample();
        assert_eq!(one.version(), other.version());
        assert!(one.version().starts_with("terms-2-"));
        other.add(&vector(&[(7, 1.0)]));
        assert_ne!(one.version(), other.version());
    }

    #[test]
    fn how_far_a_collection_may_drift() {
        let check = |records: u64, want: u64| assert_eq!(drift_limit(records), want, "{records}");
        check(0, 0);
        check(10, 10);
        check(1_000, 1_000);
        check(15_000, 1_000);
        check(100_000, 5_000);
    }

    #[test]
    fn parts_of_a_collection_add_up() {
        let (mut one, other) = (sample(), sample());
        one.merge(other);
        assert_eq!((one.records(), one.idf(2)), (4, (1.0f64 + 0.5 / 4.5).ln()));
    }

    #[test]
    fn how_far_above_the_engine() {
        let statistics = sample();
        let query = vector(&[(1, 1.0), (2, 1.0)]);
        let mut moved = Moved::default();
        let check = |moved: &Moved, want: f64| {
            let above = statistics.above(&query, moved);
            assert!((want..=want * (1.0 + 2.0 * ROUNDING)).contains(&above), "{above}, want {want}");
        };
        check(&moved, 1.0);
        // three of four have term 1 then, of which one is gone
        moved.add(&vector(&[(1, 1.0)]));
        moved.add(&vector(&[(1, 1.0)]));
        check(&moved, 2.0f64.ln() / (4.0f64 / 3.5).ln());
    }

    proptest! {
        #[test]
        fn our_sums_are_never_further_above_the_engines(
            before in prop::collection::vec(prop::collection::btree_map(0u32..12, 0.1f32..9.0, 1..6), 1..30),
            after in prop::collection::vec((0usize..30, prop::option::of(prop::collection::btree_map(0u32..12, 0.1f32..9.0, 0..6))), 0..20),
            query in prop::collection::btree_map(0u32..12, 0.1f32..9.0, 1..9),
        ) {
            let mut statistics = Statistics::default();
            let mut documents: Vec<Option<SparseVector>> = Vec::new();
            for document in before {
                documents.push(Some(document.into_iter().collect()));
                documents.last().into_iter().flatten().for_each(|document| statistics.add(document));
            }
            // each place is stored anew, or its document is deleted; new places come in at the end
            let mut touched = FxHashMap::default();
            for (place, document) in after {
                let place = place.min(documents.len());
                let document: Option<SparseVector> = document.map(|document| document.into_iter().collect());
                if place == documents.len() {
                    documents.push(None);
                }
                documents[place].clone_from(&document);
                touched.insert(place, document);
            }
            let mut moved = Moved::default();
            for document in touched.into_values() {
                match document {
                    Some(document) => moved.add(&document),
                    None => moved.remove(1),
                }
            }
            let mut engine = Statistics::default();
            documents.iter().flatten().for_each(|document| engine.add(document));
            let query: SparseVector = query.into_iter().collect();
            let (above, ours, engines) = (statistics.above(&query, &moved), statistics.weigh(&query), engine.weigh(&query));
            for document in documents.iter().flatten().map(terms) {
                prop_assert!(ours.score(&document) <= above * engines.score(&document));
            }
        }

        #[test]
        fn what_was_written_is_read(documents in prop::collection::vec(prop::collection::btree_map(any::<u32>(), 0.1f32..9.0, 0..20), 0..20)) {
            let mut statistics = Statistics::default();
            for document in &documents {
                statistics.add(&document.iter().map(|(term, weight)| (*term, *weight)).collect());
            }
            prop_assert_eq!(Statistics::read(&statistics.parts()).unwrap(), statistics);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Statistics::read(&[bytes]);
        }

        #[test]
        fn merging_is_the_sum_over_shared_terms(
            query in prop::collection::btree_map(0u32..60, 0.1f32..9.0, 0..30),
            document in prop::collection::btree_map(0u32..60, 0.1f32..9.0, 0..30),
        ) {
            let statistics = sample();
            let weighted = statistics.weigh(&query.iter().map(|(term, weight)| (*term, *weight)).collect());
            let listed: Vec<(u32, f32)> = document.iter().map(|(term, weight)| (*term, *weight)).collect();
            let want: f64 = weighted.terms().iter()
                .filter_map(|(term, weight)| Some(weight * f64::from(*document.get(term)?))).sum();
            prop_assert_eq!(weighted.score(&listed), want);
        }
    }
}
