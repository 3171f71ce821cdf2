//! From the engine's lists to the best of a demand, with scores that depend on the two records alone: pure.
//!
//! The lists say which targets can be among the best. Their BM25 is then computed anew, with the job's own statistics; a
//! target that only shared terms have found gets its cosine where it could come among the best. What stands in neither
//! list is known to be below a bound; where the bound is above the last of the best, the lists were too short.

use crate::{
    index::{Hit, PointId},
    rank::Fusion,
};

/// What the engine found of a demand.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// By embedding.
    pub dense: &'a [Hit],
    /// By shared terms, scored as the engine does.
    pub sparse: &'a [Hit],
    /// How many it was asked for.
    pub depth: usize,
}

/// A target with its parts.
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
    /// Cosine of each target, where it is known, and BM25; in order of ids.
    targets: Vec<(PointId, Option<f32>, f64)>,
    /// Last cosine of the list; `None` where it holds every target.
    last_cosine: Option<f64>,
    /// What the BM25 of a target in no list is at most.
    unseen_bm25: f64,
}

// === impl Lists ===

impl Lists<'_> {
    /// All targets, each once, in order of ids.
    pub fn ids(&self) -> Vec<PointId> {
        let mut ids: Vec<PointId> = self.dense.iter().chain(self.sparse).map(|hit| hit.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

// === impl Pool ===

impl Pool {
    /// Scores what was found; `bm25` is known of [`Lists::ids`], in their order, but for targets that are gone, which are
    /// left out.
    pub fn new(
        lists: Lists<'_>,
        bm25: impl IntoIterator<Item = (PointId, f64)>,
        (fusion, wanted): (&Fusion, usize),
    ) -> Self {
        let cosines = by_id(lists.dense);
        let scored = bm25.into_iter().map(|(id, bm25)| (id, cosine(&cosines, id), bm25));
        let targets: Vec<_> = scored.collect();
        let full = |list: &[Hit]| lists.depth <= list.len();
        let last_cosine = lists.dense.last().filter(|_| full(lists.dense)).map(|hit| f64::from(hit.score));
        let unseen_bm25 = if full(lists.sparse) { unseen_bm25(lists.sparse, &targets) } else { 0.0 };
        Self { fusion: *fusion, wanted, targets, last_cosine, unseen_bm25 }
    }

    /// Targets that only shared terms have found and that could be among the wanted once their cosine is known: it is at
    /// most the last of the list.
    pub fn unsettled(&self) -> Vec<PointId> {
        let Some(most) = self.last_cosine else { return Vec::new() };
        let enough = self.last();
        let open = self.targets.iter().filter(|(_, cosine, _)| cosine.is_none());
        open.filter(|(_, _, bm25)| enough <= self.fusion.score(most, *bm25)).map(|(id, ..)| *id).collect()
    }

    /// Takes cosines of unsettled targets in.
    pub fn settle(&mut self, cosines: &[Hit]) {
        let cosines = by_id(cosines);
        for (id, known, _) in &mut self.targets {
            *known = known.or_else(|| cosine(&cosines, *id));
        }
    }

    /// Whether a target in no list could be among the wanted.
    pub fn too_short(&self) -> bool {
        self.last_cosine.is_some_and(|most| self.last() <= self.fusion.score(most, self.unseen_bm25))
    }

    /// The wanted, best first, ties in order of ids.
    pub fn best(&self) -> Vec<Scored> {
        let known = self.targets.iter().filter_map(|(id, cosine, bm25)| {
            Some(Scored { id: *id, score: self.fusion.score(f64::from((*cosine)?), *bm25) })
        });
        let mut best: Vec<Scored> = known.collect();
        let order = |a: &Scored, b: &Scored| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id));
        if self.wanted < best.len() && 0 < self.wanted {
            best.select_nth_unstable_by(self.wanted - 1, order);
        }
        best.truncate(self.wanted);
        best.sort_unstable_by(order);
        best
    }

    /// Score of the last of the wanted, 0 where there are fewer.
    fn last(&self) -> f64 {
        self.best().get(self.wanted.wrapping_sub(1)).map_or(0.0, |scored| scored.score)
    }
}

fn by_id(hits: &[Hit]) -> Vec<(PointId, f32)> {
    let mut hits: Vec<(PointId, f32)> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
    hits.sort_unstable_by_key(|(id, _)| *id);
    hits
}

/// A cosine, where it is known and a number.
fn cosine(cosines: &[(PointId, f32)], id: PointId) -> Option<f32> {
    let place = cosines.binary_search_by_key(&id, |(id, _)| *id).ok()?;
    cosines.get(place).map(|(_, cosine)| *cosine).filter(|cosine| !cosine.is_nan())
}

/// The engine's last score, in our numbers. The two differ as the collection's statistics have moved since ours were
/// taken; by how much at most is seen at the listed targets.
fn unseen_bm25(sparse: &[Hit], targets: &[(PointId, Option<f32>, f64)]) -> f64 {
    let ratios = sparse.iter().filter_map(|hit| {
        let place = targets.binary_search_by_key(&hit.id, |(id, ..)| *id).ok()?;
        let (_, _, bm25) = targets.get(place)?;
        (0.0 < hit.score).then(|| bm25 / f64::from(hit.score))
    });
    let most = ratios.fold(1.0, f64::max);
    sparse.last().map_or(0.0, |hit| f64::from(hit.score) * most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{rematch::statistics::Statistics, text::SparseVector};

    const FUSION: Fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_half: 25.0 };

    fn id(number: usize) -> PointId {
        PointId::from(Uuid::from_u128(number as u128 + 1))
    }

    /// Lists of a collection, as an engine with other statistics would give them.
    fn lists(cosines: &[f32], live: &[f64], depth: usize) -> (Vec<Hit>, Vec<Hit>) {
        let list = |scores: Vec<(usize, f32)>| {
            let mut hits: Vec<Hit> = scores.into_iter().map(|(number, score)| Hit { id: id(number), score }).collect();
            hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
            hits.truncate(depth);
            hits
        };
        let dense = list(cosines.iter().copied().enumerate().collect());
        let shared = live.iter().enumerate().filter(|(_, score)| 0.0 < **score);
        (dense, list(shared.map(|(number, score)| (number, *score as f32)).collect()))
    }

    proptest! {
        #[test]
        fn lists_that_are_long_enough_give_the_best_of_all(
            cosines in prop::collection::vec(-1f32..1.0, 1..40),
            documents in prop::collection::vec(prop::collection::btree_map(0u32..12, 0.1f32..20.0, 0..8), 40),
            depth in 1usize..50,
            wanted in 1usize..12,
        ) {
            let documents: Vec<SparseVector> = documents.into_iter().take(cosines.len())
                .map(|document| document.into_iter().collect()).collect();
            let mut statistics = Statistics::default();
            documents.iter().for_each(|document| statistics.add(document));
            let query = statistics.weigh(&[(1, 1.0), (3, 0.5), (4, 2.0)].into_iter().collect());
            let terms: Vec<_> = documents.iter().map(crate::rematch::statistics::terms).collect();
            let bm25: Vec<f64> = terms.iter().map(|terms| query.score(terms)).collect();
            let (dense, sparse) = lists(&cosines, &bm25, depth);
            let found = Lists { dense: &dense, sparse: &sparse, depth };
            let ids = found.ids();
            let known = ids.iter().filter_map(|found| Some((*found, bm25[(0..bm25.len()).find(|n| id(*n) == *found)?])));
            let mut pool = Pool::new(found, known, (&FUSION, wanted));
            let open = pool.unsettled();
            let hits: Vec<Hit> = (0..cosines.len()).filter(|n| open.contains(&id(*n)))
                .map(|n| Hit { id: id(n), score: cosines[n] }).collect();
            pool.settle(&hits);
            let best = pool.best();
            let mut all: Vec<Scored> = (0..cosines.len())
                .map(|n| Scored { id: id(n), score: FUSION.score(f64::from(cosines[n]), bm25[n]) }).collect();
            all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
            all.truncate(wanted);
            // a list that is just full does not say that it is whole
            if cosines.len() < depth {
                prop_assert!(!pool.too_short());
            }
            if !pool.too_short() {
                prop_assert_eq!(best, all);
            }
        }
    }
}
