//! One demand: the two passes of a match (`src/matcher/passes.rs`), with scores that depend on the two records alone.

use super::{
    decision::{Best, Decision, KindDecision, Packed},
    model::{DemandResult, JobRequest, Pair, TargetList},
    scoring::{Lists, Pool, Scored},
    statistics::Weighted,
    targets::Targets,
};
use crate::{
    domain::{Kind, RecordName, found::Level},
    error::Result,
    index::{Hit, Point, PointId},
    matcher::Settings,
    rank::{Context, Fused, turned},
    text::SparseVector,
};

/// How much longer lists become that turn out to be too short.
const DEEPER: usize = 4;
/// Longest lists: beyond it a target that stands in neither would have to be exactly as good as the last of the best.
const DEEPEST: usize = 3_200;

/// How demands are matched.
pub(super) struct Wish {
    /// What the job wants.
    pub request: JobRequest,
    /// How matching is done.
    pub settings: Settings,
}

/// A demand as it is matched.
pub(super) struct Demand {
    name: RecordName,
    revision: u64,
    dense: Vec<f32>,
    sparse: SparseVector,
}

/// A demand before one kind of targets.
struct Side<'a> {
    wish: &'a Wish,
    targets: &'a Targets,
    demand: &'a Demand,
    query: Weighted,
    /// BM25 of targets, as far as it is known, in order of ids.
    bm25: Vec<(PointId, f64)>,
    /// What shares terms, as far as it was asked for.
    sharing: Vec<Hit>,
    /// How many were asked for.
    asked: usize,
}

// === impl Demand ===

impl From<Point> for Demand {
    fn from(point: Point) -> Self {
        let (name, revision) = (point.record.name(), point.record.revision);
        Self { name, revision, dense: point.dense, sparse: point.query.sparse() }
    }
}

/// Matches a demand with each kind of targets.
pub(super) async fn match_demand(
    wish: &Wish,
    targets: &[Targets],
    demand: &Demand,
) -> Result<(DemandResult, Decision)> {
    let (mut lists, mut kinds) = (Vec::with_capacity(targets.len()), Vec::with_capacity(targets.len()));
    for targets in targets {
        let query = targets.statistics.weigh(&demand.sparse);
        let side = Side { wish, targets, demand, query, bm25: Vec::new(), sharing: Vec::new(), asked: 0 };
        let (list, kind) = side.run().await?;
        lists.push(list);
        kinds.push(kind);
    }
    let pairs = lists.iter().map(|list| list.pairs.len()).sum::<usize>();
    let decision = Decision {
        demand: PointId::of(&demand.name),
        pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
        dense: Packed::new(&demand.dense),
        sparse: demand.sparse.clone(),
        kinds,
    };
    let result = DemandResult { demand: demand.name.clone(), revision: demand.revision, lists, carried: false };
    Ok((result, decision))
}

// === impl Side ===

impl Side<'_> {
    async fn run(mut self) -> Result<(TargetList, KindDecision)> {
        let (count, limit) = (self.wish.settings.feedback, self.wish.request.limit);
        let demand = self.demand;
        let (first, context, turned) = match count {
            0 => (None, None, Vec::new()),
            _ => {
                let first = self.best(&demand.dense, count).await?;
                let (context, turned) = self.feedback(&first).await?;
                (Some(kept(&first, count)), Some(context), turned)
            }
        };
        let query = if first.is_some() { &turned } else { &demand.dense };
        let best = self.best(query, limit).await?;
        let decision =
            KindDecision { kind: self.targets.kind, first, turned: Packed::new(&turned), list: kept(&best, limit) };
        Ok((self.list(&best, context).await?, decision))
    }

    /// The best of all that is published.
    async fn best(&mut self, query: &[f32], wanted: usize) -> Result<Vec<Scored>> {
        let fusion = self.wish.settings.fusion;
        let mut depth = self.wish.settings.candidates.max(wanted);
        loop {
            let dense = self.targets.nearest(query, depth).await?;
            if self.asked < depth {
                (self.sharing, self.asked) = (self.targets.sharing(&self.demand.sparse, depth).await?, depth);
            }
            // as long as the other list, so that the bound of what is in neither is that of both
            let sparse = self.sharing.get(..depth).unwrap_or(&self.sharing).to_vec();
            let lists = Lists { dense: &dense, sparse: &sparse, depth };
            let ids = lists.ids();
            self.score(&ids).await?;
            let bm25 = ids.iter().filter_map(|id| Some((*id, self.known(*id)?)));
            let mut pool = Pool::new(lists, bm25, (&fusion, wanted));
            pool.settle(&self.targets.cosines(query, &pool.unsettled()).await?);
            if DEEPEST <= depth || !pool.too_short() {
                return Ok(pool.best());
            }
            depth = (depth * DEEPER).min(DEEPEST);
        }
    }

    /// Scores the terms of targets that are not known yet; what is gone stays unknown.
    async fn score(&mut self, ids: &[PointId]) -> Result<()> {
        let missing: Vec<PointId> = ids.iter().copied().filter(|id| self.known(*id).is_none()).collect();
        let documents = self.targets.documents(&missing).await?;
        let scored = missing.into_iter().zip(documents);
        let scored = scored.filter_map(|(id, document)| Some((id, self.query.score(&document?))));
        let scored: Vec<_> = scored.collect();
        self.bm25.extend(scored);
        self.bm25.sort_unstable_by_key(|(id, _)| *id);
        Ok(())
    }

    fn known(&self, id: PointId) -> Option<f64> {
        let place = self.bm25.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.bm25.get(place).map(|(_, bm25)| *bm25)
    }

    /// What the best of the first pass make of the query.
    async fn feedback(&self, first: &[Scored]) -> Result<(Context, Vec<f32>)> {
        let ids: Vec<PointId> = first.iter().map(|scored| scored.id).collect();
        let embeddings = self.targets.embeddings(&ids).await?;
        let records = first.iter().zip(&embeddings).filter_map(|(it, dense)| Some((it.score, dense.as_deref()?)));
        let records: Vec<_> = records.collect();
        let fused = first.iter().map(|scored| Fused {
            id: scored.id,
            score: scored.score,
            dense: Default::default(),
            sparse: Default::default(),
        });
        let fused: Vec<Fused<PointId>> = fused.collect();
        Ok((Context::of(&fused), turned(&self.demand.dense, &records)))
    }

    /// The list as it is handed out.
    async fn list(&self, best: &[Scored], context: Option<Context>) -> Result<TargetList> {
        let (kind, request, calibration) = (self.targets.kind, &self.wish.request, &self.wish.settings.calibration);
        let context = context.filter(|_| kind == Kind::Achievement);
        let graded = best.iter().map(|scored| {
            let relevance = context.map(|context| calibration.relevance(scored.score, context));
            (scored, relevance)
        });
        let least = request.least_level.unwrap_or(Level::Unrelated);
        let kept: Vec<_> = graded
            .filter(|(scored, relevance)| match kind {
                Kind::Achievement => relevance.is_none_or(|relevance| least <= relevance.level),
                _ => request.least_score <= scored.score,
            })
            .collect();
        let ids: Vec<PointId> = kept.iter().map(|(scored, _)| scored.id).collect();
        let labels = self.targets.labels(&ids).await?;
        let pairs = kept.into_iter().zip(labels).filter_map(|((scored, relevance), label)| {
            // a target that was deleted since the search is left out
            let label = label?;
            let probabilities = relevance.and_then(|relevance| relevance.probabilities);
            Some(Pair {
                target: label.name,
                revision: label.revision,
                score: scored.score,
                level: relevance.map(|relevance| relevance.level),
                probabilities: probabilities.map(|all| all.map(rounded)),
            })
        });
        let nothing_good_enough = context.is_some_and(|context| calibration.nothing_good_enough(context));
        Ok(TargetList { kind, nothing_good_enough, pairs: pairs.collect() })
    }
}

/// What a decision needs of the best of a pass.
fn kept(best: &[Scored], wanted: usize) -> Best {
    let last = best.last().filter(|_| wanted <= best.len());
    Best { ids: best.iter().map(|scored| scored.id).collect(), last: last.map(|scored| scored.score) }
}

/// Six digits: nobody knows more of a probability, and fewer take less room.
fn rounded(probability: f64) -> f64 {
    (probability * 1e6).round() / 1e6
}
