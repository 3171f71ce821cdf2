//! From the nearest targets and those that share terms to the best of a demand, with scores that depend only on the two
//! records. Pure.
//!
//! The nearest come with their cosines and get their BM25. Any other target is no nearer than the last of them, so its
//! BM25 tells whether it can come among the wanted at all. Only then is its cosine requested.

use rustc_hash::{FxBuildHasher, FxHashSet};

use duijie_core::rank::Fusion;
use duijie_store::{Hit, PointId};

/// A target with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Target.
    pub id: PointId,
    /// Score, 0 to 1.
    pub score: f64,
}

/// Targets of one pass.
#[derive(Debug, Clone)]
pub struct Pool {
    fusion: Fusion,
    wanted: usize,
    scored: Vec<Scored>,
    seen: FxHashSet<PointId>,
    /// Cosine of the last of the nearest; `None` if there are no others.
    last_cosine: Option<f64>,
    /// Score of the last wanted target; 0 if there are fewer.
    last: f64,
}

// === impl Pool ===

impl Pool {
    /// A pool for a request of `depth` nearest targets.
    pub fn new(nearest: &[Hit], depth: usize, fusion: &Fusion, wanted: usize) -> Self {
        let last_cosine = nearest.last().filter(|_| depth <= nearest.len()).map(|hit| f64::from(hit.score));
        let seen = FxHashSet::with_capacity_and_hasher(nearest.len(), FxBuildHasher);
        Self { fusion: *fusion, wanted, scored: Vec::with_capacity(nearest.len()), seen, last_cosine, last: 0.0 }
    }

    /// Adds targets with known cosines. A target without BM25 is gone, and one with a NaN cosine is skipped.
    pub fn take(&mut self, hits: &[Hit], bm25: impl Fn(PointId) -> Option<f64>) {
        for hit in hits {
            let new = self.seen.insert(hit.id) && !hit.score.is_nan();
            if let Some(bm25) = bm25(hit.id).filter(|_| new) {
                self.scored.push(Scored { id: hit.id, score: self.fusion.score(f64::from(hit.score), bm25) });
            }
        }
        if let Some(place) = self.wanted.checked_sub(1).filter(|place| *place < self.scored.len()) {
            self.last = self.scored.clone().select_nth_unstable_by(place, order).1.score;
        }
    }

    /// The `most` likeliest of the hits that could come among the wanted; `bm25` is an upper bound for each hit.
    pub fn likeliest(&self, hits: &[Hit], bm25: &[f64], max: usize) -> Vec<Hit> {
        let score = |(hit, bm25): (&Hit, &f64)| (*hit, self.fusion.score(f64::from(hit.score), *bm25));
        let mut likeliest: Vec<_> = hits.iter().zip(bm25).map(score).filter(|(_, score)| self.last <= *score).collect();
        likeliest.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.id.cmp(&other.0.id)));
        likeliest.into_iter().take(max).map(|(hit, _)| hit).collect()
    }

    /// Excludes the hits that were not added.
    pub fn pass_over(&mut self, hits: &[Hit]) {
        self.seen.extend(hits.iter().map(|hit| hit.id));
    }

    /// Whether a target was added or excluded.
    pub fn has(&self, id: PointId) -> bool {
        self.seen.contains(&id)
    }

    /// Whether a target with at most this cosine and BM25 could come among the wanted.
    pub fn can_enter(&self, cosine: f64, bm25: f64) -> bool {
        self.last <= self.fusion.score(cosine, bm25)
    }

    /// BM25 that a target outside the nearest needs to come among the wanted; `None` if no BM25 suffices.
    pub fn min_bm25(&self) -> Option<f64> {
        self.fusion.min_bm25(self.last_cosine?, self.last)
    }

    /// The wanted targets, best first, ties by id.
    pub fn best(&self) -> Vec<Scored> {
        let mut best = self.scored.clone();
        if self.wanted < best.len() && 0 < self.wanted {
            best.select_nth_unstable_by(self.wanted - 1, order);
        }
        best.truncate(self.wanted);
        best.sort_unstable_by(order);
        best
    }
}

fn order(one: &Scored, other: &Scored) -> std::cmp::Ordering {
    other.score.total_cmp(&one.score).then(one.id.cmp(&other.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const FUSION: Fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 };

    fn id(number: usize) -> PointId {
        PointId::from(Uuid::from_u128(number as u128 + 1))
    }

    proptest! {
        #[test]
        fn what_is_asked_for_gives_the_best_of_all(
            targets in prop::collection::vec((-1f32..1.0, 0.0f64..60.0, 1.0f64..1.5), 1..40),
            depth in 1usize..50,
            wanted in 1usize..12,
        ) {
            let bm25 = |id: PointId| (0..targets.len()).find(|n| self::id(*n) == id).map(|n| targets[n].1);
            let mut near: Vec<Hit> = (0..targets.len()).map(|n| Hit { id: id(n), score: targets[n].0 }).collect();
            near.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
            near.truncate(depth);
            let mut pool = Pool::new(&near, depth, &FUSION, wanted);
            // known upper bound of each BM25: the true value, or up to half as much again
            let max = |hit: &Hit| (0..targets.len()).find(|n| id(*n) == hit.id).map_or(0.0, |n| targets[n].1 * targets[n].2);
            let max: Vec<f64> = near.iter().map(max).collect();
            for count in [wanted, near.len()] {
                pool.take(&pool.likeliest(&near, &max, count), bm25);
            }
            pool.pass_over(&near);
            let min = pool.min_bm25();
            let open = |n: &usize| !pool.has(id(*n)) && min.is_some_and(|min| min <= targets[*n].1);
            let open: Vec<Hit> = (0..targets.len()).filter(open).map(|n| Hit { id: id(n), score: targets[n].0 }).collect();
            pool.take(&open, bm25);
            let mut all: Vec<Scored> = (0..targets.len())
                .map(|n| Scored { id: id(n), score: FUSION.score(f64::from(targets[n].0), targets[n].1) }).collect();
            all.sort_by(order);
            all.truncate(wanted);
            prop_assert_eq!(pool.best(), all);
        }
    }

    #[test]
    fn what_is_gone_or_no_number_is_left_out() {
        let hits = [(0, 0.5), (1, f32::NAN), (2, 0.4)].map(|(number, score)| Hit { id: id(number), score });
        let mut pool = Pool::new(&hits, 3, &FUSION, 3);
        pool.take(&hits, |target| (target != id(0)).then_some(0.0));
        assert_eq!(pool.best().iter().map(|it| it.id).collect::<Vec<_>>(), [id(2)]);
        assert!((0..3).all(|number| pool.has(id(number))) && !pool.has(id(3)));
    }
}
