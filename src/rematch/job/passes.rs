//! Matches one demand: both passes of a match (`src/matching/passes.rs`), with scores that depend only on the two
//! records.

use std::collections::VecDeque;

use super::{
    candidates::{Candidates, KindCandidates},
    decision::{Best, Decision, KindDecision},
    lexical::Lexical,
    model::{DemandResult, JobRequest, MatchedTarget, TargetList},
    packed::Packed,
    scoring::{Pool, Scored},
    targets::{Known, Targets},
};
use crate::{error::Result, matching::Settings};
use duijie_core::{
    domain::{Kind, RecordName, hit::Level},
    rank::{Context, FeedbackRecord, Fused, expanded},
    text::SparseVector,
};
use duijie_store::{Hit, MAX_DEPTH, Point, PointId};

/// Factor by which lists grow if they are too short.
const DEEPER: usize = 4;
/// Longest lists: beyond this length, a target in neither list would need exactly the score of the last of the best.
const DEEPEST: usize = 3_200;
/// Cosines in the first request; each further request doubles the number.
const COSINES: usize = 64;
/// Most targets whose best are found without a search; with more, a search is faster.
const FEW: usize = 500;

/// Request and settings for matching demands.
pub(super) struct Wish {
    /// Request of the job.
    pub request: JobRequest,
    /// Matching settings.
    pub settings: Settings,
}

/// A demand to match.
pub(super) struct Demand {
    name: RecordName,
    revision: u64,
    dense: Vec<f32>,
    sparse: SparseVector,
    /// Possible best targets, for each kind of targets; empty if unknown.
    candidates: Vec<KindCandidates>,
}

/// A demand and one kind of targets.
struct Side<'a> {
    wish: &'a Wish,
    targets: &'a Targets,
    demand: &'a Demand,
    candidates: Option<&'a KindCandidates>,
    lexical: Lexical<'a>,
}

// === impl Demand ===

impl Demand {
    /// A demand of which nothing is known.
    pub fn new(point: Point) -> Self {
        let (name, revision) = (point.record.name(), point.record.revision);
        Self { name, revision, dense: point.dense, sparse: point.query.sparse(), candidates: Vec::new() }
    }

    /// The same with what can be among its best, for each kind of targets. It was decided of the queries that `before`
    /// has; a demand that has changed since then has others.
    #[must_use]
    pub fn with_candidates(self, before: &Decision, candidates: Vec<KindCandidates>) -> Self {
        let same = before.dense == Packed::new(&self.dense) && before.sparse == self.sparse;
        if same { Self { candidates, ..self } } else { self }
    }
}

/// Matches a demand against each kind of targets.
pub(super) async fn match_demand(
    wish: &Wish,
    targets: &[Targets],
    demand: &Demand,
) -> Result<(DemandResult, Decision)> {
    let (mut lists, mut kinds) = (Vec::with_capacity(targets.len()), Vec::with_capacity(targets.len()));
    for (number, targets) in targets.iter().enumerate() {
        let (candidates, lexical) = (demand.candidates.get(number), Lexical::new(targets, &demand.sparse).await?);
        let (list, kind) = Side { wish, targets, demand, candidates, lexical }.run().await?;
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
        let (first, context, expanded) = match count {
            0 => (None, None, Vec::new()),
            _ => {
                let known = self.candidates.and_then(|candidates| candidates.first.as_ref());
                let first = self.pass(&demand.dense, count, known).await?;
                let (context, expanded) = self.feedback(&first).await?;
                (Some(kept(&first, count)), Some(context), expanded)
            }
        };
        let query = if first.is_some() { &expanded } else { &demand.dense };
        let known = self.candidates.filter(|candidates| {
            // the second query is what it was where the first pass gave what it gave
            let same = |before: &Candidates| first.as_ref().is_some_and(|first| before.same_as_before(first));
            candidates.first.as_ref().is_none_or(same)
        });
        let best = self.pass(query, limit, known.map(|candidates| &candidates.list)).await?;
        let decision =
            KindDecision { kind: self.targets.kind, first, expanded: Packed::new(&expanded), list: kept(&best, limit) };
        Ok((self.list(&best, context).await?, decision))
    }

    /// The best of a pass; only among the possible targets if these are known and few.
    async fn pass(&mut self, query: &[f32], wanted: usize, known: Option<&Candidates>) -> Result<Vec<Scored>> {
        if let Some(known) = known
            && let Some(ids) = known.all().filter(|ids| ids.len() <= FEW)
        {
            let count = ids.len();
            let hits = self.targets.cosines(query, ids).await?;
            let mut pool = Pool::new(&[], count, &self.wish.settings.fusion, wanted);
            self.take(&mut pool, &hits).await?;
            let best = pool.best();
            // another may take the place of one that has gone or changed meanwhile
            if hits.len() == count && known.are_all(&kept(&best, wanted)) {
                return Ok(best);
            }
        }
        self.best(query, wanted).await
    }

    /// The best of all published targets.
    async fn best(&mut self, query: &[f32], wanted: usize) -> Result<Vec<Scored>> {
        // where not all is known, longer lists are cheaper than to find out that they were too short
        let lists = if matches!(self.targets.known, Known::All(_)) { 1 } else { 2 };
        let mut depth = (lists * self.wish.settings.candidates).max(wanted).min(MAX_DEPTH);
        loop {
            let (nearest, ()) = tokio::try_join!(self.targets.nearest(query, depth), self.lexical.ask(depth))?;
            let mut pool = Pool::new(&nearest, depth, &self.wish.settings.fusion, wanted);
            self.take_nearest(&mut pool, &nearest, wanted).await?;
            let pool = self.settle(pool, query).await?;
            // also where it could be just as good: ties are in order of ids, whatever the lists hold
            let too_short = pool.min_bm25().is_some_and(|min| min <= self.lexical.unnamed());
            if DEEPEST <= depth || !too_short {
                return Ok(pool.best());
            }
            depth = (depth * DEEPER).min(DEEPEST);
        }
    }

    /// Adds the nearest, the likeliest first: then most others cannot come among the wanted, and are not read.
    async fn take_nearest(&mut self, pool: &mut Pool, nearest: &[Hit], wanted: usize) -> Result<()> {
        for max in [wanted, nearest.len()] {
            let likeliest = pool.likeliest(nearest, &self.lexical.at_most(nearest), max);
            self.take(pool, &likeliest).await?;
        }
        pool.pass_over(nearest);
        Ok(())
    }

    /// Adds targets with known cosines.
    async fn take(&mut self, pool: &mut Pool, hits: &[Hit]) -> Result<()> {
        let ids: Vec<PointId> = hits.iter().map(|hit| hit.id).collect();
        self.lexical.read(&ids).await?;
        pool.take(hits, |id| self.lexical.of(id));
        Ok(())
    }

    /// Adds targets that are not among the nearest but could still come among the wanted, the likeliest first.
    async fn settle(&mut self, pool: Pool, query: &[f32]) -> Result<Pool> {
        let Some(min) = pool.min_bm25() else { return Ok(pool) };
        let (mut pool, open) = self.lexical.at_least(min, pool, Packed::new(query)).await?;
        let mut open = self.targets.present(open);
        open.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        open.truncate(DEEPEST);
        let mut open = VecDeque::from(open);
        let mut size = COSINES;
        while let (Some((_, bm25)), Some(min)) = (open.front(), pool.min_bm25()) {
            if *bm25 < min {
                break;
            }
            let some: Vec<PointId> = open.drain(..size.min(open.len())).map(|(id, _)| id).collect();
            let hits = self.targets.cosines(query, some).await?;
            self.take(&mut pool, &hits).await?;
            size *= 2;
        }
        Ok(pool)
    }

    /// Pseudo-relevance feedback: the context and the expanded query from the first pass's best.
    async fn feedback(&self, first: &[Scored]) -> Result<(Context, Vec<f32>)> {
        let ids: Vec<PointId> = first.iter().map(|scored| scored.id).collect();
        let embeddings = self.targets.embeddings(&ids).await?;
        let records = first
            .iter()
            .zip(&embeddings)
            .filter_map(|(it, dense)| Some(FeedbackRecord { score: it.score, vector: dense.as_deref()? }));
        let records: Vec<_> = records.collect();
        let fused = first.iter().map(|scored| Fused {
            id: scored.id,
            score: scored.score,
            dense: Default::default(),
            sparse: Default::default(),
        });
        let fused: Vec<Fused<PointId>> = fused.collect();
        Ok((Context::of(&fused), expanded(&self.demand.dense, &records)))
    }

    /// The list for the result.
    async fn list(&self, best: &[Scored], context: Option<Context>) -> Result<TargetList> {
        let (kind, request, calibration) = (self.targets.kind, &self.wish.request, &self.wish.settings.calibration);
        let context = context.filter(|_| kind == Kind::Achievement);
        let graded = best.iter().map(|scored| {
            let relevance = context.map(|context| calibration.relevance(scored.score, context));
            (scored, relevance)
        });
        let min = request.min_level.unwrap_or(Level::Unrelated);
        let kept: Vec<_> = graded
            .filter(|(scored, relevance)| match kind {
                Kind::Achievement => relevance.is_none_or(|relevance| min <= relevance.level),
                _ => request.min_score <= scored.score,
            })
            .collect();
        let ids: Vec<PointId> = kept.iter().map(|(scored, _)| scored.id).collect();
        let labels = self.targets.labels(&ids).await?;
        let pairs = kept.into_iter().zip(labels).filter_map(|((scored, relevance), label)| {
            // a target deleted since the search is left out
            let label = label?;
            let probabilities = relevance.and_then(|relevance| relevance.probabilities);
            Some(MatchedTarget {
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

/// Decision data about the best of a pass.
fn kept(best: &[Scored], wanted: usize) -> Best {
    let last = best.last().filter(|_| wanted <= best.len());
    Best { ids: best.iter().map(|scored| scored.id).collect(), last: last.map(|scored| scored.score) }
}

/// Rounds to six digits: a probability is known no better, and fewer digits save space.
fn rounded(probability: f64) -> f64 {
    (probability * 1e6).round() / 1e6
}
