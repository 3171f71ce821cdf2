//! One block of a job: what holds of the base is kept, the rest is matched.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use super::{
    block::{Block, block_demands},
    blocks::{self, Work},
    candidates::{Changes, KindCandidates},
    changes,
    decision::Decision,
    held::Held,
    model::{DemandResult, Job, JobId, Selection, TargetInputs},
    passes::{Demand, Wish, match_demand},
    plan::Program,
    scan::scan,
    statistics_store as statistics,
    targets::{Engine, Known, Targets},
};
use crate::{
    domain::{Kind, RecordName},
    error::{Error, Result},
    index::{PointId, With},
    rank::Fusion,
};

/// Tries at a block while the engine does not answer.
const ATTEMPTS: u32 = 4;
/// Time before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Targets for each demand up to which reading all of them once is worth it.
const WORTH_A_SCAN: u64 = 100;

/// A job that runs, with all that its blocks share.
pub(super) struct Running {
    engine: Engine,
    id: JobId,
    wish: Wish,
    targets: Vec<Targets>,
    base: Option<Base>,
}

/// What a job builds on.
struct Base {
    /// The job before, and the full one beneath it.
    ids: (JobId, JobId),
    /// Changes since, for each kind of targets.
    changes: Vec<Changes>,
}

/// What became of a block.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Demands whose result was kept.
    pub carried: u64,
    /// Demands that were matched.
    pub matched: u64,
    /// Demands without a result.
    pub failed: Vec<RecordName>,
    /// Pairs of all of them.
    pub pairs: u64,
}

/// What of a base's block holds, and what is to be matched.
#[derive(Default)]
struct Split {
    /// What lies over the root's block, as far as it holds.
    over: Block,
    /// Demands to match beside those that the plan names, with what can be among the best of each kind of targets.
    again: Vec<(Decision, Vec<KindCandidates>)>,
    /// Demands whose result is kept, and their pairs.
    carried: u64,
    pairs: u64,
}

// === impl Running ===

impl Running {
    /// Reads what the blocks of a planned job need, but for what planning it has read on the way.
    pub async fn load(engine: &Engine, program: &Program, job: &Job, mut read: Vec<(Kind, Held)>) -> Result<Self> {
        let unplanned = || Error::Internal("a job without a plan".into());
        let inputs = job.inputs.as_ref().ok_or_else(unplanned)?;
        let left = job.counts.demands.saturating_sub(job.counts.done);
        let mut targets = Vec::with_capacity(inputs.targets.len());
        for &TargetInputs { kind, statistics: ref version, records } in &inputs.targets {
            let (statistics, taken) = statistics::load(&*engine.index, kind, version).await?;
            let many = job.progress.base().is_none() && records <= left.saturating_mul(WORTH_A_SCAN);
            let held = match read.iter().position(|(of, _)| *of == kind) {
                Some(place) => Some(read.swap_remove(place).1),
                None if many => scan(engine, kind).await?.held,
                None => None,
            };
            let known = match held {
                Some(held) => Known::All(held),
                None => Known::Moved(changes::moved(engine, kind, taken).await?),
            };
            targets.push(Targets::new(engine.clone(), kind, statistics, known));
        }
        let wish = Wish { request: job.request.clone(), settings: program.settings.clone() };
        let base = match job.progress.base() {
            None => None,
            Some(base) => {
                let mut changes = Vec::with_capacity(targets.len());
                for targets in &targets {
                    let found = changes::targets(engine, targets.kind, job.progress.since()).await?;
                    // they were few when the job was planned
                    changes.push(found.ok_or_else(|| Error::Internal("运行期间变动过多，请重新开始".into()))?);
                }
                Some(Base { ids: (base, JobId::new(job.progress.root)), changes })
            }
        };
        Ok(Self { engine: engine.clone(), id: job.id, wish, targets, base })
    }

    /// Does a block, again where the engine does not answer.
    pub async fn block(&self, number: u64) -> Result<Done> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match self.try_block(number).await {
                Err(Error::Busy { .. } | Error::DeadlineExceeded | Error::Unavailable(_)) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        self.try_block(number).await
    }

    async fn try_block(&self, number: u64) -> Result<Done> {
        let index = &*self.engine.index;
        let work = blocks::read_work(index, self.id, number).await?;
        let Split { over: mut block, again, carried, pairs } = match &self.base {
            None => Split::default(),
            Some(base) => self.split(base, number, &work).await?,
        };
        let mut done = Done { carried, pairs, ..Done::default() };
        let retried = std::mem::take(&mut block.failed);
        for (id, demand) in self.demands(&work, again, &retried).await? {
            match demand {
                Ok(demand) => {
                    let (result, decision) = match_demand(&self.wish, &self.targets, &demand).await?;
                    done.matched += 1;
                    done.pairs += u64::from(decision.pairs);
                    block.results.push(result);
                    block.decisions.push(decision);
                }
                Err(name) => {
                    block.dropped.push(id);
                    // who asks for everything that meets a filter does not miss what is not there
                    let missed = name.filter(|_| matches!(self.wish.request.selection, Selection::Names(_)));
                    block.failed.extend(missed);
                }
            }
        }
        self.check_size(&block)?;
        block.results.sort_by_key(|result| PointId::of(&result.demand));
        block.decisions.sort_by_key(|decision| decision.demand);
        block.dropped.sort_unstable();
        block.dropped.dedup();
        done.failed.clone_from(&block.failed);
        blocks::write_block(index, self.id, number, &block).await?;
        Ok(done)
    }

    /// Splits a base's block into what holds and what does not.
    async fn split(&self, base: &Base, number: u64, work: &Work) -> Result<Split> {
        let (beneath, over) = blocks::read_base(&*self.engine.index, base.ids, number).await?;
        let dropped: HashSet<PointId> = work.dropped.iter().copied().collect();
        let mut split = Split::default();
        let own = beneath.decisions.into_iter().map(|decision| (false, decision));
        for (is_over, decision) in own.chain(over.decisions.into_iter().map(|decision| (true, decision))) {
            if dropped.contains(&decision.demand) {
                continue;
            }
            // each takes as long as the changes are many, and others want this thread as well
            tokio::task::yield_now().await;
            let candidates = self.candidates(base, &decision);
            if !candidates.iter().all(KindCandidates::hold) {
                split.again.push((decision, candidates));
                continue;
            }
            split.carried += 1;
            split.pairs += u64::from(decision.pairs);
            if is_over {
                split.over.decisions.push(decision);
            }
        }
        let kept: HashSet<PointId> = split.over.decisions.iter().map(|decision| decision.demand).collect();
        let results = over.results.into_iter().filter(|result| kept.contains(&PointId::of(&result.demand)));
        split.over.results = results.map(|result| DemandResult { carried: true, ..result }).collect();
        split.over.dropped = over.dropped.into_iter().chain(dropped).collect();
        split.over.failed = over.failed.into_iter().chain(beneath.failed).collect();
        Ok(split)
    }

    /// What can be among a demand's best now, for each kind of targets.
    fn candidates(&self, base: &Base, decision: &Decision) -> Vec<KindCandidates> {
        let sides = self.targets.iter().zip(&base.changes).zip(&decision.kinds);
        let candidates = sides.map(|((targets, changes), kind)| {
            changes.candidates(decision, kind, || targets.statistics.weigh(&decision.sparse), self.fusion())
        });
        candidates.collect()
    }

    /// Demands that are to be matched, in the order of ids; those that are not there by their names where these are known.
    async fn demands(
        &self,
        work: &Work,
        again: Vec<(Decision, Vec<KindCandidates>)>,
        retried: &[RecordName],
    ) -> Result<Vec<(PointId, std::result::Result<Demand, Option<RecordName>>)>> {
        let mut wanted: BTreeMap<PointId, (Option<RecordName>, Option<_>)> = BTreeMap::new();
        wanted.extend(again.into_iter().map(|known| (known.0.demand, (None, Some(known)))));
        let named = work.demands.iter().chain(retried);
        wanted.extend(named.map(|name| (PointId::of(name), (Some(name.clone()), None))));
        let ids: Vec<PointId> = wanted.keys().copied().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let points = self.engine.read(self.engine.index.fetch(Kind::Demand, &ids, With::Everything)).await?;
        let demands = wanted.into_iter().zip(points).map(|((id, (name, known)), point)| {
            let demand = point.map(Demand::new).map(|demand| match known {
                Some((before, candidates)) => demand.with_candidates(&before, candidates),
                None => demand,
            });
            (id, demand.ok_or(name))
        });
        Ok(demands.collect())
    }

    fn fusion(&self) -> &Fusion {
        &self.wish.settings.fusion
    }

    /// A block larger than a document is one that the plan should not have let through.
    fn check_size(&self, block: &Block) -> Result<()> {
        let most = block_demands(self.wish.request.limit, self.targets.len()) * 3 / 2;
        if block.results.len() <= most {
            Ok(())
        } else {
            Err(Error::Internal(format!("a block of {} demands, at most {most}", block.results.len())))
        }
    }
}
