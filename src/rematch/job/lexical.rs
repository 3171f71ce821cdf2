//! BM25 of a demand's targets: of all targets if the job holds their terms, otherwise of the targets that the engine
//! lists.
//!
//! The engine scores terms as the collection stands now. Its list says which targets share most of them; their BM25 is
//! computed anew with the job's own statistics, of as few as have to be read. By how much it can be above the engine's
//! follows from what has changed since the statistics were taken. A collection of several shards weighs by each shard's
//! own statistics; so both are compared as well, wherever both are known.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    held::Scores,
    packed::Packed,
    scoring::Pool,
    statistics::Weighted,
    targets::{Known, Targets},
};
use crate::error::Result;
use duijie_core::text::SparseVector;
use duijie_cpu::Lane;
use duijie_store::{Hit, PointId};

/// Listed targets that are read at once, to learn how far the engine's scores differ from the job's.
const SAMPLE: usize = 16;

/// Known BM25 scores of a demand's targets.
pub(super) struct Lexical<'a> {
    targets: &'a Targets,
    terms: &'a SparseVector,
    query: Arc<Weighted>,
    /// Scores of all targets, if held.
    all: Option<Scores>,
    /// Scores of targets that were read one by one.
    read: FxHashMap<PointId, f64>,
    /// The engine's list with its scores.
    list: FxHashMap<PointId, f64>,
    /// Last score of `list`; 0 if it contains all targets that share terms.
    last: f64,
    /// Requested length of `list`.
    asked: usize,
    /// By how much our numbers are above the engine's at most, by what has changed.
    above: f64,
}

// === impl Lexical ===

impl<'a> Lexical<'a> {
    /// Scores for a demand with these terms.
    pub async fn new(targets: &'a Targets, terms: &'a SparseVector) -> Result<Self> {
        let query = Arc::new(targets.statistics.weigh(terms));
        let (all, above) = match &targets.known {
            Known::All(held) => {
                let (held, query) = (Arc::clone(held), Arc::clone(&query));
                (Some(duijie_cpu::run(Lane::Bulk, move || held.score(&query)).await?), 1.0)
            }
            Known::Moved(moved) => (None, targets.statistics.above(terms, moved)),
        };
        let (read, list) = Default::default();
        Ok(Self { targets, terms, query, all, read, list, last: 0.0, asked: 0, above })
    }

    /// Ensures that at least the `depth` targets with the best term scores are listed.
    pub async fn ask(&mut self, depth: usize) -> Result<()> {
        if self.all.is_some() || depth <= self.asked {
            return Ok(());
        }
        let list = self.targets.sharing(self.terms, depth).await?;
        let score = |hit: &Hit| f64::from(hit.score);
        self.last = list.last().filter(|_| depth <= list.len()).map_or(0.0, score);
        self.list = list.iter().map(|hit| (hit.id, score(hit))).collect();
        self.asked = depth;
        let sample: Vec<PointId> = list.iter().take(SAMPLE).map(|hit| hit.id).collect();
        self.read(&sample).await
    }

    /// Ensures that the BM25 of these targets is known, unless they are gone.
    pub async fn read(&mut self, ids: &[PointId]) -> Result<()> {
        let missing: Vec<PointId> = ids.iter().copied().filter(|id| self.of(*id).is_none()).collect();
        let documents = self.targets.documents(&missing).await?;
        for (id, document) in missing.into_iter().zip(documents) {
            self.read.extend(document.map(|document| (id, self.query.score(&document))));
        }
        Ok(())
    }

    /// BM25 of a target, if known.
    pub fn of(&self, id: PointId) -> Option<f64> {
        self.all.as_ref().and_then(|all| all.of(id)).or_else(|| self.read.get(&id).copied())
    }

    /// Upper bound of the BM25 of each hit.
    pub fn at_most(&self, hits: &[Hit]) -> Vec<f64> {
        let (ratio, unnamed) = (self.ratio(), self.unnamed());
        let listed = |id: &PointId| self.list.get(id).map(|score| score * ratio);
        hits.iter().map(|hit| self.of(hit.id).or_else(|| listed(&hit.id)).unwrap_or(unnamed)).collect()
    }

    /// Targets that share terms, may have a BM25 of at least `least`, and could still come among the wanted of a pool.
    /// Returns the pool as well.
    pub async fn at_least(&mut self, min: f64, pool: Pool, query: Packed) -> Result<(Pool, Vec<(PointId, f64)>)> {
        if let Some(all) = self.all.take() {
            // a walk over all targets
            let walk = move || {
                let wanted = |id: PointId, bm25: f64, vector: &Packed| {
                    !pool.has(id) && pool.can_enter(vector.max_cosine(&query), bm25)
                };
                let open = all.at_least(min).filter(|(id, bm25, vector)| wanted(*id, *bm25, vector));
                let open = open.map(|(id, bm25, _)| (id, bm25)).collect();
                (all, pool, open)
            };
            let (all, pool, open) = duijie_cpu::run(Lane::Bulk, walk).await?;
            self.all = Some(all);
            return Ok((pool, open));
        }
        let ratio = self.ratio();
        let listed = self.list.iter().map(|(id, score)| (*id, self.of(*id).unwrap_or(score * ratio)));
        let open = listed.filter(|(id, bm25)| min <= *bm25 && !pool.has(*id)).collect();
        Ok((pool, open))
    }

    /// Upper bound of the BM25 of a target that is neither known nor listed; 0 if all targets that share terms are
    /// known.
    pub fn unnamed(&self) -> f64 {
        self.last * self.ratio()
    }

    /// By how much our numbers are above the engine's at most.
    fn ratio(&self) -> f64 {
        let both = self.read.iter().filter_map(|(id, bm25)| Some(bm25 / self.list.get(id)?));
        both.filter(|ratio| ratio.is_finite()).fold(self.above, f64::max)
    }
}
