//! Targets that can be among the best of an unchanged demand after targets have changed. Pure.
//!
//! A changed target matters only if it was among the best of a pass, or would now be among them. If none of the best
//! has changed, the new best are among the old best and the targets that would come in, so no search is needed. Queries
//! are stored as 16-bit numbers, half the size, so the comparison allows for rounding: a doubtful demand is matched
//! again, which is always right.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    decision::{Best, Decision, KindDecision},
    packed::Packed,
    statistics::Weighted,
};
use duijie_core::{rank::Fusion, text::SparseVector};
use duijie_store::PointId;

/// Targets that can now be among the best of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The earlier best, in order.
    before: Vec<PointId>,
    /// Whether one of these has changed or is gone, so that any target may take its place.
    open: bool,
    /// Changed targets that may come in.
    fresh: Vec<PointId>,
}

/// Candidates for both passes.
#[derive(Debug, Clone, PartialEq)]
pub struct KindCandidates {
    /// For the first pass, if there is one.
    pub first: Option<Candidates>,
    /// For the list, as long as the first pass gives its earlier result.
    pub list: Candidates,
}

/// A target's current state.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh {
    /// Embedding.
    pub dense: Vec<f32>,
    /// Terms.
    pub sparse: SparseVector,
}

/// Changed targets of one kind.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    changed: FxHashSet<PointId>,
    /// Targets that can be found now, with embeddings.
    fresh: Vec<(PointId, Packed)>,
    /// Posting lists of `fresh`: for each term, positions and weights.
    postings: FxHashMap<u32, Vec<(u32, f32)>>,
}

// === impl Candidates ===

impl Candidates {
    /// Whether the best are certainly unchanged.
    pub fn hold(&self) -> bool {
        !self.open && self.fresh.is_empty()
    }

    /// All targets that can be among the best; `None` if any target can.
    pub fn all(&self) -> Option<Vec<PointId>> {
        (!self.open).then(|| [self.before.as_slice(), &self.fresh].concat())
    }

    /// Whether `best` equals the earlier best.
    pub fn were(&self, best: impl Iterator<Item = PointId>) -> bool {
        best.eq(self.before.iter().copied())
    }
}

// === impl KindCandidates ===

impl KindCandidates {
    /// Whether both passes certainly give their earlier results.
    pub fn hold(&self) -> bool {
        self.list.hold() && self.first.as_ref().is_none_or(Candidates::hold)
    }
}

// === impl Changes ===

impl Changes {
    /// Adds a target that has changed or is gone; `fresh` is set if it can be found now.
    pub fn add(&mut self, id: PointId, fresh: Option<Fresh>) {
        if !self.changed.insert(id) {
            return;
        }
        let Some(Fresh { dense, sparse }) = fresh else { return };
        let place = u32::try_from(self.fresh.len()).unwrap_or(u32::MAX);
        for (term, weight) in sparse.indices.iter().zip(&sparse.values) {
            self.postings.entry(*term).or_default().push((place, *weight));
        }
        self.fresh.push((id, Packed::new(&dense)));
    }

    /// Number of targets that have changed or are gone.
    pub fn len(&self) -> usize {
        self.changed.len()
    }

    /// Targets that can now be among a demand's best; `query` returns the demand's terms with the job's weights.
    pub fn candidates(
        &self,
        demand: &Decision,
        kind: &KindDecision,
        query: impl FnOnce() -> Weighted,
        fusion: &Fusion,
    ) -> KindCandidates {
        let bm25 = if self.fresh.is_empty() { Vec::new() } else { self.bm25(&query()) };
        let by_cosine = fusion.dense_weight / (1.0 - fusion.cosine_floor).max(1e-3);
        let pass = |vector: &Packed, best: &Best| {
            let slack = by_cosine * vector.slack();
            let comes_in = |((id, fresh), bm25): (&(PointId, Packed), &f64)| {
                let score = || fusion.score(vector.cosine(fresh), *bm25);
                best.last.is_none_or(|last| last - slack <= score()).then_some(*id)
            };
            let open = best.ids.iter().any(|id| self.changed.contains(id));
            let fresh = self.fresh.iter().zip(&bm25).filter_map(comes_in).collect();
            Candidates { before: best.ids.clone(), open, fresh }
        };
        let second = if kind.first.is_some() { &kind.expanded } else { &demand.dense };
        KindCandidates {
            first: kind.first.as_ref().map(|best| pass(&demand.dense, best)),
            list: pass(second, &kind.list),
        }
    }

    /// BM25 of each target in `fresh`.
    fn bm25(&self, query: &Weighted) -> Vec<f64> {
        let mut scores = vec![0.0; self.fresh.len()];
        for (term, weight) in query.terms() {
            for (place, value) in self.postings.get(term).into_iter().flatten() {
                if let Some(score) = scores.get_mut(*place as usize) {
                    *score += weight * f64::from(*value);
                }
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rematch::job::{
        decision::tests::{best, demand, dense, id, sparse},
        statistics::{Statistics, terms},
    };

    const FUSION: Fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 };

    #[test]
    fn what_stood_in_a_pass_or_would_come_into_one_matters() {
        let query = SparseVector::default();
        let check = |changed: u128, fresh: Option<[f32; 2]>, want: bool| {
            let demand = demand(&[1.0, 0.0], &query, Some(best(&[7], Some(0.6))), best(&[7, 8], Some(0.5)));
            let mut changes = Changes::default();
            let fresh = fresh.map(|dense| Fresh { dense: dense.to_vec(), sparse: SparseVector::default() });
            changes.add(id(changed), fresh);
            let weigh = || Statistics::default().weigh(&query);
            let candidates = changes.candidates(&demand, &demand.kinds[0], weigh, &FUSION);
            assert_eq!(!candidates.hold(), want, "{changed}");
        };
        check(7, None, true);
        check(8, None, true);
        check(9, None, false);
        check(9, Some([1.0, 0.0]), true);
        check(9, Some([0.67, 0.742_361]), true);
        check(9, Some([0.5, 0.866]), false);
        check(9, Some([-1.0, 0.0]), false);
    }

    #[test]
    fn where_places_are_free_everything_matters() {
        let query = SparseVector::default();
        let demand = demand(&[1.0, 0.0], &query, None, best(&[7], None));
        let weigh = || Statistics::default().weigh(&query);
        let mut changes = Changes::default();
        let list = |changes: &Changes| changes.candidates(&demand, &demand.kinds[0], weigh, &FUSION).list;
        changes.add(id(9), None);
        assert!(list(&changes).hold());
        changes.add(id(10), Some(Fresh { dense: vec![-1.0, 0.0], sparse: SparseVector::default() }));
        assert_eq!(list(&changes).all(), Some(vec![id(7), id(10)]));
        changes.add(id(7), None);
        assert_eq!(list(&changes).all(), None);
        assert!(list(&changes).were([id(7)].into_iter()));
    }

    proptest! {
        /// No target that would come in is missed.
        #[test]
        fn what_comes_in_is_never_overlooked(query in dense(), sparse in sparse(), fresh in dense(), document in sparse(), last in 0f64..1.0) {
            let weighted = Statistics::default().weigh(&sparse);
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let lengths = (product(&query, &query) * product(&fresh, &fresh)).sqrt();
            let cosine = if lengths < 1e-12 { 0.0 } else { product(&query, &fresh) / lengths };
            let score = FUSION.score(cosine, weighted.score(&terms(&document)));
            let demand = demand(&query, &sparse, None, best(&[], Some(last)));
            let mut changes = Changes::default();
            changes.add(id(5), Some(Fresh { dense: fresh, sparse: document }));
            let matters = !changes.candidates(&demand, &demand.kinds[0], || weighted.clone(), &FUSION).hold();
            prop_assert!(matters || score < last);
            prop_assert!(!matters || last - 2e-3 < score);
        }
    }
}
