//! Targets that can be among the best of an unchanged demand after targets have changed. Pure.
//!
//! A changed target matters where it stood among the best of a pass, or where it would come among them now; another one
//! cannot. Where none of the best has changed, the best now are among them and those that would come in, so that no search
//! is needed. For the list this holds only while the second query is the same: it is made of the records of the first
//! pass, so that one of them with another content makes another query, even where all of them keep their places.
//!
//! Queries are kept as numbers of 16 bits, half the size, so the comparison has slack: a doubtful demand is matched again,
//! which is always right.

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
    /// The best before.
    before: Best,
    /// Whether one of them has changed or is gone, so that any target may take its place.
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
        (!self.open).then(|| [self.before.ids.as_slice(), &self.fresh].concat())
    }

    /// Whether the best now are the same records as before, with the same content. The same ids are not enough: a changed
    /// record can keep its place.
    pub fn same_as_before(&self, now: &Best) -> bool {
        !self.open && self.before.ids == now.ids
    }

    /// Whether no other target can be among these, the best of [`Candidates::all`]: no other one scores more than the last
    /// of the best before. One of these that has changed while the job ran can score less.
    pub fn are_all(&self, now: &Best) -> bool {
        self.before.last.is_none_or(|before| now.last.is_some_and(|now| before <= now))
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
            Candidates { before: best.clone(), open, fresh }
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
    }

    #[test]
    fn a_changed_record_that_keeps_its_place_makes_another_query() {
        let query = SparseVector::default();
        let demand = demand(&[1.0, 0.0], &query, Some(best(&[7, 8], Some(0.6))), best(&[9], Some(0.5)));
        let weigh = || Statistics::default().weigh(&query);
        let check = |changed: u128, fresh: Option<[f32; 2]>, now: &[u128], want: bool| {
            let mut changes = Changes::default();
            let fresh = fresh.map(|dense| Fresh { dense: dense.to_vec(), sparse: SparseVector::default() });
            changes.add(id(changed), fresh);
            let KindCandidates { first, list } = changes.candidates(&demand, &demand.kinds[0], weigh, &FUSION);
            // none of the list has changed, so that the first pass decides
            assert!(list.all().is_some());
            assert_eq!(first.unwrap().same_as_before(&best(now, Some(0.6))), want, "{changed} {now:?}");
        };
        check(8, Some([0.9, 0.1]), &[7, 8], false);
        check(8, None, &[7, 10], false);
        check(10, Some([1.0, 0.0]), &[7, 10], false);
        check(10, Some([0.8, 0.6]), &[8, 7], false);
        check(10, Some([0.8, 0.6]), &[7, 8], true);
        check(10, None, &[7, 8], true);
    }

    #[test]
    fn where_the_last_scores_less_another_may_be_better() {
        let check = |before: Option<f64>, now: Option<f64>, want: bool| {
            let candidates = Candidates { before: best(&[7], before), open: false, fresh: Vec::new() };
            assert_eq!(candidates.are_all(&best(&[7], now)), want, "{before:?} {now:?}");
        };
        check(Some(0.5), Some(0.5), true);
        check(Some(0.5), Some(0.6), true);
        check(Some(0.5), Some(0.4), false);
        check(Some(0.5), None, false);
        check(None, Some(0.1), true);
        check(None, None, true);
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
