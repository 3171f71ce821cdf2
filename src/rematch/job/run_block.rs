//! One block of a job: results of the base that still hold are kept, the rest is matched.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};

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
use crate::error::{Error, Result};
use duijie_core::{
    domain::{Kind, RecordName},
    rank::Fusion,
};
use duijie_cpu::Lane;
use duijie_store::{FieldSelection, PointId};

/// Attempts at a block while the engine does not answer.
const ATTEMPTS: usize = 4;
/// Back-off before the second attempt; doubles with each further attempt.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Most targets per demand for which one scan of all targets is worth its cost.
const WORTH_A_SCAN: u64 = 100;

/// A running job: data shared by its blocks.
pub(super) struct Running {
    engine: Engine,
    id: JobId,
    wish: Wish,
    targets: Arc<Vec<Targets>>,
    base: Option<Base>,
}

/// Base of a job.
struct Base {
    id: JobId,
    /// The full job below it.
    root: JobId,
    /// Changes since the base, for each kind of targets.
    changes: Arc<Vec<Changes>>,
}

/// Result of a block in numbers.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Demands whose results were kept.
    pub carried: u64,
    /// Demands that were matched.
    pub matched: u64,
    /// Demands without a result.
    pub failed: Vec<RecordName>,
    /// Pairs of all these demands.
    pub pairs: u64,
}

/// Parts of a base's block: what still holds, and what must be matched.
#[derive(Default)]
struct Split {
    /// The block over the root's, as far as it holds.
    over: Block,
    /// Demands to match beside those that the plan names, with what can be among the best of each kind of targets.
    again: Vec<(Decision, Vec<KindCandidates>)>,
    /// Demands whose result is kept, and their pairs.
    carried: u64,
    pairs: u64,
}

// === impl Running ===

impl Running {
    /// Reads the shared data of a planned job, except what planning has already read.
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
                Some(held) => Known::All(Arc::new(held)),
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
                    // there were few changes when the job was planned
                    changes.push(found.ok_or_else(|| Error::Internal("运行期间变动过多，请重新开始".into()))?);
                }
                Some(Base { id: base, root: JobId::new(job.progress.root), changes: Arc::new(changes) })
            }
        };
        Ok(Self { engine: engine.clone(), id: job.id, wish, targets: Arc::new(targets), base })
    }

    /// Processes a block, and retries while the engine does not answer.
    pub async fn block(&self, number: u64) -> Result<Done> {
        let backoff = ExponentialBuilder::new().with_min_delay(FIRST_WAIT).with_max_times(ATTEMPTS - 1);
        (|| self.try_block(number)).retry(backoff).when(Error::may_pass).await
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
                    // a selection by filter does not miss a demand that is gone
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
        blocks::write_block(index, self.id, number, block).await?;
        Ok(done)
    }

    /// Splits a base's block into results that hold and demands to match.
    async fn split(&self, base: &Base, number: u64, work: &Work) -> Result<Split> {
        let (beneath, over) = blocks::read_base(&*self.engine.index, base.id, base.root, number).await?;
        let dropped: HashSet<PointId> = work.dropped.iter().copied().collect();
        let (targets, changes, fusion) = (Arc::clone(&self.targets), Arc::clone(&base.changes), *self.fusion());
        // takes long if there are many changes
        let split = move || Split::new(beneath, over, &dropped, |it| candidates(&targets, &changes, &fusion, it));
        Ok(duijie_cpu::run(Lane::Bulk, split).await?)
    }

    /// Demands to match, in the order of ids. A demand that is gone is an error, with its name if known.
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
        let points = self.engine.read(self.engine.index.fetch(Kind::Demand, &ids, FieldSelection::Everything)).await?;
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

    /// Checks that a block fits into a document, as the plan should ensure.
    fn check_size(&self, block: &Block) -> Result<()> {
        let max = block_demands(self.wish.request.limit, self.targets.len()) * 3 / 2;
        if block.results.len() <= max {
            Ok(())
        } else {
            Err(Error::Internal(format!("a block of {} demands, at most {max}", block.results.len())))
        }
    }
}

// === impl Split ===

impl Split {
    fn new(
        beneath: Block,
        over: Block,
        dropped: &HashSet<PointId>,
        candidates: impl Fn(&Decision) -> Vec<KindCandidates>,
    ) -> Self {
        let mut split = Self::default();
        let own = beneath.decisions.into_iter().map(|decision| (false, decision));
        for (is_over, decision) in own.chain(over.decisions.into_iter().map(|decision| (true, decision))) {
            if dropped.contains(&decision.demand) {
                continue;
            }
            let candidates = candidates(&decision);
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
        split.over.dropped = over.dropped.into_iter().chain(dropped.iter().copied()).collect();
        split.over.failed = over.failed.into_iter().chain(beneath.failed).collect();
        split
    }
}

/// Possible best targets of a demand, for each kind of targets.
fn candidates(targets: &[Targets], changes: &[Changes], fusion: &Fusion, decision: &Decision) -> Vec<KindCandidates> {
    let sides = targets.iter().zip(changes).zip(&decision.kinds);
    let candidates = sides.map(|((targets, changes), kind)| {
        changes.candidates(decision, kind, || targets.statistics.weigh(&decision.sparse), fusion)
    });
    candidates.collect()
}
