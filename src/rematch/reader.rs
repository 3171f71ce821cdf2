//! Reads the results of jobs together with their records: rows for exports, and the differences between two jobs. Reads
//! pages, sends batches of rows, no faster than the receiver takes them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::mpsc::Sender;

use crate::{
    error::Result,
    rematch::{
        diff::{
            DemandResult as Compared, Inputs, PairChange, RankedTarget, Ranking, State, Step, Totals, changes, explain,
            step,
        },
        export::{Party, Row, RowChange, Standing},
        job::{self, DemandResult, Job, JobId, Rematch},
    },
};
use duijie_core::domain::{Record, RecordName, codes::Status};
use duijie_store::{FieldSelection, Index, PointId, records::whole};

/// Demands per page: 5 MB with 200 pairs each.
const PAGE: usize = 100;
/// Minimum number of rows per batch, while there are enough: their records are read together.
const BATCH: usize = 200;

/// Reads results and records.
#[derive(Clone)]
pub struct Reader {
    index: Arc<dyn Index>,
    rematch: Rematch,
}

/// Results of a job in order, read page by page.
struct Results<'a> {
    rematch: &'a Rematch,
    job: JobId,
    page: std::vec::IntoIter<DemandResult>,
    after: Option<RecordName>,
    is_last: bool,
}

/// Fields of a record that rows need.
struct Known {
    title: String,
    owner: String,
    state: State,
}

// === impl Reader ===

impl Reader {
    /// A reader for these jobs and records.
    pub fn new(index: Arc<dyn Index>, rematch: Rematch) -> Self {
        Self { index, rematch }
    }

    /// Sends the pairs of a job, in the order of its results. Stops early if the receiver is gone.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn pairs(&self, job: JobId, rows: &Sender<Vec<Row>>) -> Result<()> {
        let mut results = Results::of(&self.rematch, job);
        let mut waiting: Vec<(RecordName, RankedTarget)> = Vec::new();
        while let Some(result) = results.next().await? {
            let Compared { demand, pairs, .. } = compared(result);
            waiting.extend(pairs.into_iter().map(|pair| (demand.clone(), pair)));
            if BATCH <= waiting.len() && rows.send(self.plain(std::mem::take(&mut waiting)).await?).await.is_err() {
                return Ok(());
            }
        }
        // the receiver may be gone
        let _ = rows.send(self.plain(waiting).await?).await;
        Ok(())
    }

    /// Sends the differences between two jobs, in the order of their results, and returns the totals. Stops early if
    /// the receiver is gone.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn changes(&self, before: &Job, after: &Job, rows: &Sender<Vec<Row>>) -> Result<Totals> {
        let inputs = (inputs(before), inputs(after));
        let mut earlier = Results::of(&self.rematch, before.id);
        let mut later = Results::of(&self.rematch, after.id);
        let (mut was, mut is) = (earlier.next().await?.map(compared), later.next().await?.map(compared));
        let mut totals = Totals::default();
        let mut waiting = Vec::new();
        while let Some(step) = step(was.as_ref().map(place).as_ref(), is.as_ref().map(place).as_ref()) {
            let one = if step == Step::After { None } else { was.take() };
            let other = if step == Step::Before { None } else { is.take() };
            waiting.extend(changes(one.as_ref(), other.as_ref(), &mut totals));
            if one.is_some() {
                was = earlier.next().await?.map(compared);
            }
            if other.is_some() {
                is = later.next().await?.map(compared);
            }
            if BATCH <= waiting.len() {
                let batch = self.explained(std::mem::take(&mut waiting), &inputs, &mut totals).await?;
                if rows.send(batch).await.is_err() {
                    return Ok(totals);
                }
            }
        }
        // the receiver may be gone
        let _ = rows.send(self.explained(waiting, &inputs, &mut totals).await?).await;
        Ok(totals)
    }

    async fn plain(&self, pairs: Vec<(RecordName, RankedTarget)>) -> Result<Vec<Row>> {
        let names = pairs.iter().flat_map(|(demand, pair)| [demand, &pair.target]);
        let known = self.read(names).await?;
        let row = |(demand, RankedTarget { target, place }): (RecordName, RankedTarget)| Row {
            demand: party(demand, &known),
            target: party(target, &known),
            place: Some(standing(place)),
            change: None,
        };
        Ok(pairs.into_iter().map(row).collect())
    }

    async fn explained(
        &self,
        changed: Vec<PairChange>,
        (before, after): &(Inputs, Inputs),
        totals: &mut Totals,
    ) -> Result<Vec<Row>> {
        let known = self.read(changed.iter().flat_map(|change| [&change.demand, &change.target])).await?;
        let state = |name: &RecordName| known.get(name).map(|known| &known.state);
        let row = |change: PairChange| {
            let reasons = explain(&change, before, after, state(&change.demand), state(&change.target));
            totals.count(change.change, &reasons);
            let how = RowChange { change: change.change, reasons, before: change.before.map(standing) };
            Row {
                demand: party(change.demand, &known),
                target: party(change.target, &known),
                place: change.after.map(standing),
                change: Some(how),
            }
        };
        Ok(changed.into_iter().map(row).collect())
    }

    /// Records by name, each read once; deleted and damaged ones are missing.
    async fn read(&self, names: impl Iterator<Item = &RecordName>) -> Result<BTreeMap<RecordName, Known>> {
        let mut names: Vec<RecordName> = names.cloned().collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let points = whole(&*self.index, &names, FieldSelection::Payload).await?;
        let known = |(name, point): (RecordName, Option<duijie_store::Point>)| Some((name, known(point?.record)));
        Ok(names.into_iter().zip(points).filter_map(known).collect())
    }
}

// === impl Results ===

impl<'a> Results<'a> {
    fn of(rematch: &'a Rematch, job: JobId) -> Self {
        Self { rematch, job, page: Vec::new().into_iter(), after: None, is_last: false }
    }

    async fn next(&mut self) -> Result<Option<DemandResult>> {
        loop {
            if let Some(result) = self.page.next() {
                return Ok(Some(result));
            }
            if self.is_last {
                return Ok(None);
            }
            let page = self.rematch.results(self.job, self.after.as_ref(), PAGE).await?;
            self.page = page.results.into_iter();
            self.is_last = page.next.is_none();
            self.after = page.next;
        }
    }
}

/// Position of a demand in the order of results.
fn place(result: &Compared) -> PointId {
    PointId::of(&result.demand)
}

/// A result for comparison: one list, in which each kind has its own ranks.
fn compared(result: DemandResult) -> Compared {
    let pairs = result.lists.into_iter().flat_map(|list| {
        (1..).zip(list.pairs).map(|(rank, pair)| {
            let job::MatchedTarget { target, revision, score, level, .. } = pair;
            RankedTarget { target, place: Ranking { rank, score, level, revision } }
        })
    });
    Compared { demand: result.demand, revision: result.revision, pairs: pairs.collect() }
}

/// Inputs of a job; empty for a job that never ran.
fn inputs(job: &Job) -> Inputs {
    let request = &job.request;
    let ran = job.inputs.clone();
    let statistics = |kind| {
        let of_kind = ran.iter().flat_map(|inputs| &inputs.targets).find(|it| it.kind == kind);
        of_kind.map(|it| it.statistics.clone()).unwrap_or_default()
    };
    let targets = request.targets.iter().map(|kind| (*kind, statistics(*kind))).collect();
    let json = |selection: &job::Selection| serde_json::to_string(selection).unwrap_or_default();
    let limits = format!("{} {:?} {}", request.limit, request.min_level, request.min_score);
    let time = |inputs: &job::Inputs| inputs.time;
    Inputs {
        start: ran.as_ref().map_or(job.create_time, time),
        end: job.end_time.unwrap_or(job.update_time),
        text: ran.as_ref().map(|it| it.versions.text.clone()).unwrap_or_default(),
        model: ran.as_ref().map(|it| it.versions.model.clone()).unwrap_or_default(),
        calibration: ran.as_ref().map(|it| it.calibration.clone()).unwrap_or_default(),
        settings: ran.map(|it| it.settings).unwrap_or_default(),
        selection: json(&request.selection),
        targets,
        limits,
        has_min_level: request.min_level.is_some(),
        complete: job.state == job::State::Done && job.counts.failed == 0,
    }
}

fn known(record: Record) -> Known {
    let state = State {
        revision: record.revision,
        active: record.status == Status::Active,
        create_time: record.create_time,
        update_time: record.update_time,
    };
    Known { title: record.title, owner: record.owner.map(|owner| owner.name).unwrap_or_default(), state }
}

fn party(name: RecordName, known: &BTreeMap<RecordName, Known>) -> Party {
    let (title, owner) = known.get(&name).map(|it| (it.title.clone(), it.owner.clone())).unwrap_or_default();
    Party { name, title, owner }
}

fn standing(place: Ranking) -> Standing {
    Standing { rank: place.rank, score: place.score, level: place.level }
}
