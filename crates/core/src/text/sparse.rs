//! Sparse vectors of terms, with BM25 weights but without IDF. The engine applies the IDF (Qdrant `Modifier::Idf`),
//! because only the engine knows the document frequencies.

use std::collections::BTreeMap;

/// BM25 k1: how quickly repeated terms saturate. 0.6 instead of the usual 1.2, because a single mention usually states
/// the subject of an achievement. With b and the body weight: +0.014 nDCG@10 on the samples, 0 on the judged set.
pub const BM25_K1: f32 = 0.6;
/// BM25 b: length normalisation. 0.3 instead of the usual 0.75, because a long description of an achievement is more
/// complete rather than wordier; chosen on the samples.
pub const BM25_B: f32 = 0.3;
/// Average document length in weighted terms. Fixed, so that a document's vector does not depend on other documents.
pub const AVERAGE_TERMS: f32 = 120.0;
/// Count of a title or keyword term; a body term counts once.
pub const TITLE_COUNT: f32 = 2.0;

const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01B3;

/// A sparse vector in the engine's format.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseVector {
    /// Dimensions, sorted and unique.
    pub indices: Vec<u32>,
    /// Weight of each dimension, above 0.
    pub values: Vec<f32>,
}

/// Dimension of a term: 64-bit FNV-1a, folded to 32 bits. It needs no table, so vectors stay valid when the dictionary
/// grows. Two terms with the same dimension count as one: among 100,000 terms about one pair collides (n² / 2³³). A
/// collision only adds a wrong candidate when one of the pair is queried.
pub fn term_index(term: &str) -> u32 {
    let hash = term.bytes().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    ((hash >> 32) ^ (hash & u64::from(u32::MAX))) as u32
}

/// BM25 weights of a document from the weighted count of each dimension.
pub(super) fn document_vector(counts: &BTreeMap<u32, f32>) -> SparseVector {
    let terms: f32 = counts.values().sum();
    let length = BM25_K1 * (1.0 - BM25_B + BM25_B * terms / AVERAGE_TERMS);
    counts.iter().map(|(index, count)| (*index, count * (BM25_K1 + 1.0) / (count + length))).collect()
}

// === impl SparseVector ===

impl SparseVector {
    /// Returns whether the vector has a weight in a dimension.
    pub fn contains(&self, index: u32) -> bool {
        self.indices.binary_search(&index).is_ok()
    }

    /// Returns whether the vector has no weights.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

impl FromIterator<(u32, f32)> for SparseVector {
    /// Sums the weights of each dimension.
    fn from_iter<I: IntoIterator<Item = (u32, f32)>>(weights: I) -> Self {
        let mut sums: BTreeMap<u32, f32> = BTreeMap::new();
        for (index, weight) in weights {
            *sums.entry(index).or_default() += weight;
        }
        let (indices, values) = sums.into_iter().filter(|(_, weight)| 0.0 < *weight).unzip();
        Self { indices, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dimension_of_a_term_never_changes() {
        // stored vectors depend on these values, computed by another program
        let check = |term: &str, want: u32| assert_eq!(term_index(term), want, "{term}");
        check("", 0x4FD0_BFC1);
        check("锂电池", 0xBE1C_0725);
        check("igbt", 0xEFCB_614A);
    }

    #[test]
    fn more_of_a_term_weighs_more_and_less_each_time() {
        let weight = |count: f32| document_vector(&BTreeMap::from([(1, count), (2, 100.0)])).values[0];
        assert!(weight(1.0) < weight(2.0) && weight(2.0) < weight(4.0));
        assert!(weight(4.0) - weight(3.0) < weight(2.0) - weight(1.0));
        assert!(weight(1000.0) < BM25_K1 + 1.0);
        let average = document_vector(&BTreeMap::from([(1, 1.0), (2, AVERAGE_TERMS - 1.0)]));
        assert!((average.values[0] - 1.0).abs() < 1e-6, "one of an average document weighs 1");
    }

    #[test]
    fn vectors_are_in_order_and_positive() {
        let vector: SparseVector = [(9, 1.0), (3, 0.5), (9, 0.25), (4, 0.0)].into_iter().collect();
        assert_eq!(vector, SparseVector { indices: vec![3, 9], values: vec![0.5, 1.25] });
        assert!(vector.contains(3) && !vector.contains(4) && !vector.is_empty());
        assert!(SparseVector::default().is_empty());
    }
}
