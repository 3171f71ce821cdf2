//! Fuses the candidates of all sources into one order.
//!
//! Scores are fused, not ranks: reciprocal rank fusion ignores how far apart two candidates are, and was 0.005 nDCG@10
//! worse on the evaluation set. Each source's score is first mapped to 0..1 by a fixed function that does not depend on
//! other candidates or on a filter. A record's score is therefore the same on each page and under each filter:
//!
//! - cosine: `(cosine - floor) / (1 - floor)`; `floor` depends on the model (any two e5 vectors have 0.7 or more)
//! - BM25: `score / (score + half)`, which saturates (otherwise one long query would outweigh the vectors)

use std::{collections::HashMap, hash::Hash};

use crate::domain::hit::SourceScore;

/// Parameters of score fusion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// Weight of the dense score, 0 to 1; BM25 has the rest.
    pub dense_weight: f64,
    /// Cosine that maps to 0.
    pub cosine_floor: f64,
    /// BM25 score that maps to 0.5.
    pub bm25_saturation: f64,
}

/// One candidate of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<Id> {
    /// Record id.
    pub id: Id,
    /// The source's own score.
    pub score: f32,
}

/// A candidate with its score from each source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused<Id> {
    /// Record id.
    pub id: Id,
    /// Final score, 0 to 1.
    pub score: f64,
    /// Dense score.
    pub dense: SourceScore,
    /// BM25 score.
    pub sparse: SourceScore,
}

/// Fuses the candidates, best first, ties by id. `dense` and `sparse` must be sorted best first. `rescored` contains
/// cosines of records missing from `dense`; these get no dense rank. Candidates with NaN scores are dropped. A source
/// adds nothing to a record that it does not score.
pub fn fuse<Id: Copy + Eq + Hash + Ord>(
    dense: &[Candidate<Id>],
    rescored: &[Candidate<Id>],
    sparse: &[Candidate<Id>],
    fusion: &Fusion,
) -> Vec<Fused<Id>> {
    let mut joined: HashMap<Id, Fused<Id>> = HashMap::with_capacity(dense.len() + sparse.len());
    let blank = |id| Fused { id, score: 0.0, dense: SourceScore::default(), sparse: SourceScore::default() };
    let ranked = |list: &[Candidate<Id>]| list.iter().copied().zip(1..).collect::<Vec<_>>();
    let unranked: Vec<_> = rescored.iter().map(|candidate| (*candidate, 0)).collect();
    for (is_dense, candidates) in [(true, ranked(dense)), (true, unranked), (false, ranked(sparse))] {
        for (Candidate { id, score }, rank) in candidates.into_iter().filter(|(it, _)| !it.score.is_nan()) {
            let fused = joined.entry(id).or_insert_with(|| blank(id));
            let contribution = fusion.contribution(is_dense, f64::from(score));
            let said = SourceScore { score: Some(score), rank, contribution };
            *(if is_dense { &mut fused.dense } else { &mut fused.sparse }) = said;
            fused.score += contribution;
        }
    }
    let mut order: Vec<_> = joined.into_values().collect();
    order.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    order
}

/// Sparse-only records that could reach the first `wanted` once their cosine is known; the cosine is at most that of
/// the last of `dense`. Otherwise a sparse-only hit just below the dense cutoff would get no dense score. `order` is
/// the result of [`fuse`] for both lists.
pub fn needs_rescoring<Id: Copy>(
    order: &[Fused<Id>],
    dense: &[Candidate<Id>],
    wanted: usize,
    fusion: &Fusion,
) -> Vec<Id> {
    let Some(last) = dense.last() else { return Vec::new() };
    let max = fusion.contribution(true, f64::from(last.score));
    let enough = wanted.checked_sub(1).and_then(|place| order.get(place)).map_or(0.0, |fused| fused.score);
    let open = |fused: &&Fused<Id>| fused.dense.score.is_none() && enough <= fused.score + max;
    order.iter().filter(open).map(|fused| fused.id).collect()
}

// === impl Fusion ===

impl Fusion {
    /// Final score of a record with this cosine and BM25 score, 0 to 1.
    pub fn score(&self, cosine: f64, bm25: f64) -> f64 {
        self.contribution(true, cosine) + self.contribution(false, bm25)
    }

    /// BM25 score below which a record with this cosine cannot reach `score`; `None` if no BM25 score suffices. Rounded
    /// down, so a record that passes may still fall slightly short.
    pub fn min_bm25(&self, cosine: f64, score: f64) -> Option<f64> {
        let missing = score - self.contribution(true, cosine);
        let share = missing / (1.0 - self.dense_weight);
        match (missing <= 0.0, share < 1.0) {
            (true, _) => Some(0.0),
            (false, true) => Some(self.bm25_saturation * share / (1.0 - share) * (1.0 - 1e-9)),
            (false, false) => None,
        }
    }

    fn contribution(&self, dense: bool, score: f64) -> f64 {
        if dense {
            self.dense_weight * ((score - self.cosine_floor) / (1.0 - self.cosine_floor)).clamp(0.0, 1.0)
        } else {
            (1.0 - self.dense_weight) * (score / (score + self.bm25_saturation)).clamp(0.0, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FUSION: Fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.5, bm25_saturation: 10.0 };

    fn candidates(pairs: &[(u32, f32)]) -> Vec<Candidate<u32>> {
        pairs.iter().map(|&(id, score)| Candidate { id, score }).collect()
    }

    #[test]
    fn both_sources_add_up() {
        let order = fuse(&candidates(&[(1, 1.0), (2, 0.75)]), &[], &candidates(&[(2, 10.0), (3, 30.0)]), &FUSION);
        let got: Vec<_> = order.iter().map(|f| (f.id, f.score, f.dense.rank, f.sparse.rank)).collect();
        assert_eq!(got, [(1, 0.75, 1, 0), (2, 0.5, 2, 1), (3, 0.1875, 0, 2)]);
        assert_eq!(order[2].dense, SourceScore::default());
        let order = fuse(&[], &candidates(&[(3, 0.75)]), &candidates(&[(3, 30.0)]), &FUSION);
        assert_eq!((order[0].score, order[0].dense.rank, order[0].dense.score), (0.5625, 0, Some(0.75)));
    }

    #[test]
    fn what_is_no_number_is_left_out_and_ties_keep_the_order_of_ids() {
        let order = fuse(&candidates(&[(9, 0.8), (3, 0.8), (4, f32::NAN)]), &[], &[], &FUSION);
        assert_eq!(order.iter().map(|f| f.id).collect::<Vec<_>>(), [3, 9]);
    }

    #[test]
    fn only_what_could_come_among_the_wanted_is_unsettled() {
        let dense = candidates(&[(1, 1.0), (2, 0.75), (3, 0.6)]);
        let order = fuse(&dense, &[], &candidates(&[(8, 30.0), (9, 1.0)]), &FUSION);
        // 8 has 0.19 and at most 0.15 more, 9 has 0.02 and as much; the places are at 0.75, 0.375, 0.19
        assert_eq!(needs_rescoring(&order, &dense, 1, &FUSION), [0u32; 0]);
        assert_eq!(needs_rescoring(&order, &dense, 2, &FUSION), [0u32; 0]);
        assert_eq!(needs_rescoring(&order, &dense, 3, &FUSION), [8]);
        assert_eq!(needs_rescoring(&order, &dense, 9, &FUSION), [8, 9]);
        assert_eq!(needs_rescoring(&order, &[], 9, &FUSION), [0u32; 0]);
    }

    #[test]
    fn what_cannot_be_reached() {
        assert_eq!(FUSION.min_bm25(0.75, 0.375), Some(0.0));
        assert_eq!(FUSION.min_bm25(0.75, 0.625), None);
        assert_eq!(Fusion { dense_weight: 1.0, ..FUSION }.min_bm25(0.75, 0.6), None);
        let half = FUSION.min_bm25(0.75, 0.5).unwrap();
        assert!(half < 10.0 && 10.0 - half < 1e-6, "{half}");
    }

    proptest! {
        #[test]
        fn less_than_the_least_does_not_reach(
            cosine in -1.0f64..1.0, bm25 in 0.0f64..500.0, score in 0.0f64..1.0, dense_weight in 0.0f64..=1.0,
        ) {
            let fusion = Fusion { dense_weight, ..FUSION };
            let min = fusion.min_bm25(cosine, score);
            if score <= fusion.score(cosine, bm25) {
                prop_assert!(min.is_some_and(|min| min <= bm25), "{:?}", min);
            }
            if min.is_some_and(|min| min * (1.0 + 1e-6) + 1e-6 < bm25) {
                prop_assert!(score <= fusion.score(cosine, bm25) + 1e-9);
            }
        }

        #[test]
        fn scores_stay_in_range_and_parts_sum_up(
            dense in prop::collection::btree_map(0u32..50, -1f32..1.0, 0..30),
            sparse in prop::collection::btree_map(0u32..50, 0f32..500.0, 0..30),
        ) {
            let dense: Vec<_> = dense.into_iter().map(|(id, score)| Candidate { id, score }).collect();
            let sparse: Vec<_> = sparse.into_iter().map(|(id, score)| Candidate { id, score }).collect();
            let order = fuse(&dense, &[], &sparse, &FUSION);
            prop_assert!(order.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for fused in order {
                prop_assert!((0.0..=1.0).contains(&fused.score));
                prop_assert!((fused.dense.contribution + fused.sparse.contribution - fused.score).abs() < 1e-12);
            }
        }
    }
}
