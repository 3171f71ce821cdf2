//! Plans a job: its inputs, its blocks, and whether to match everything or only changes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    block::{block_demands, block_of},
    blocks::{self, Work},
    changes::{self, DemandChanges},
    check::same_wish,
    held::Held,
    jobs,
    model::{Inputs, Job, JobId, MAX_DEMANDS, Method, ResultsLocation, Selection, State, TargetInputs},
    reason::FullReason,
    statistics_store as statistics,
    targets::Engine,
};
use crate::{
    error::{Error, Result},
    matching::Settings,
};
use duijie_core::domain::{Filter, Kind, Problem, RecordName, Violation};
use duijie_cpu::Lane;
use duijie_store::{FieldSelection, PageRequest, PointId, StoreVersions, pages::Pages, tombstones};

/// Points per read.
const PAGE: usize = 1_000;

/// Settings and versions that all results depend on.
pub(super) struct Program {
    /// Matching settings.
    pub settings: Settings,
    /// Versions of the store, the dictionary and the model.
    pub versions: StoreVersions,
}

/// Times at which a plan begins.
#[derive(Clone, Copy)]
struct Times {
    /// No later change is before this one: from here the next job looks for changes.
    settled: Timestamp,
    /// The present time.
    now: Timestamp,
}

/// Plan of a job.
pub(super) struct Planned {
    /// Inputs of the results.
    pub inputs: Inputs,
    /// Method.
    pub method: Method,
    /// Location of the results.
    pub progress: ResultsLocation,
    /// Number of demands, as far as known.
    pub demands: u64,
    /// Targets that planning has read, by kind.
    pub held: Vec<(Kind, Held)>,
}

/// Plans a job and stores the work per block, so that any instance that continues the job does the same.
pub(super) async fn plan(engine: &Engine, program: &Program, job: &Job) -> Result<Planned> {
    // before anything is read: what changes meanwhile is a change for the next job
    let clock = engine.index.clock();
    let times = Times { settled: clock.settled(&*engine.index).await?, now: clock.now(&*engine.index).await? };
    let because = match job.request.base {
        None => None,
        Some(base) => match incremental(engine, program, job, base, times).await? {
            Ok(planned) => return Ok(planned),
            Err(because) => Some(because),
        },
    };
    let (mut targets, mut held) = (Vec::new(), Vec::new());
    for kind in &job.request.targets {
        let records = engine.index.count(*kind, &Filter::default()).await?;
        let (latest, scanned) = statistics::current(engine, *kind, times.now).await?;
        held.extend(scanned.map(|scanned| (*kind, scanned)));
        targets.push(TargetInputs { kind: *kind, statistics: latest.version, records });
    }
    let names = select(engine, &job.request.selection).await?;
    let size = block_demands(job.request.limit, job.request.targets.len());
    let demands = names.len() as u64;
    let divide = move || {
        let chunks = names.chunks(size);
        let firsts: Vec<PointId> = chunks.clone().filter_map(|chunk| chunk.first().map(PointId::of)).collect();
        let work =
            |(number, names): (usize, &[RecordName])| (number, Work { demands: names.to_vec(), ..Work::default() });
        (firsts, chunks.enumerate().map(work).collect())
    };
    let (firsts, work) = duijie_cpu::run(Lane::Bulk, divide).await?;
    blocks::write_work(&*engine.index, job.id, work).await?;
    blocks::write_firsts(&*engine.index, job.id, &firsts).await?;
    Ok(Planned {
        inputs: inputs(engine, program, times.settled, targets).await?,
        method: Method::Full { because },
        progress: ResultsLocation { root: job.id.number(), blocks: firsts.len() as u64, ..ResultsLocation::default() },
        demands,
        held,
    })
}

/// Plans only the changes since a base, or returns the reason why this is not possible.
async fn incremental(
    engine: &Engine,
    program: &Program,
    job: &Job,
    base: JobId,
    times: Times,
) -> Result<std::result::Result<Planned, FullReason>> {
    let base = match jobs::read(&*engine.index, base).await {
        Ok(stored) => stored.job,
        Err(Error::NoSuchJob(_)) => return Ok(Err(FullReason::BaseNotFound)),
        Err(error) => return Err(error),
    };
    let before = match usable(program, job, &base, times.now) {
        Ok(before) => before.clone(),
        Err(because) => return Ok(Err(because)),
    };
    let since = changes::begin(before.time);
    let (mut targets, mut changed_targets) = (Vec::new(), 0);
    for TargetInputs { kind, statistics: version, records: were } in &before.targets {
        let Some(about) = statistics::about(&*engine.index, *kind, version).await? else {
            return Ok(Err(FullReason::StatisticsNotFound));
        };
        if statistics::drifted(&*engine.index, *kind, &about, times.now).await? {
            return Ok(Err(FullReason::StatisticsOutdated { kind: *kind }));
        }
        // counted first: what is stored meanwhile is a change, too
        let records = engine.index.count(*kind, &Filter::default()).await?;
        let Some(changes) = changes::targets(engine, *kind, since).await? else {
            return Ok(Err(too_many_changes(*kind)));
        };
        if let Some(because) = unexplained(*kind, *were, records, changes.len()) {
            return Ok(Err(because));
        }
        changed_targets += changes.len() as u64;
        targets.push(TargetInputs { kind: *kind, statistics: version.clone(), records });
    }
    let count = engine.index.count(Kind::Demand, &Filter::default()).await?;
    let Some(demands) = changes::demands(engine, &job.request.selection, since).await? else {
        return Ok(Err(too_many_changes(Kind::Demand)));
    };
    if let Some(because) = unexplained(Kind::Demand, before.demands, count, demands.touched.len()) {
        return Ok(Err(because));
    }
    let firsts = blocks::read_firsts(&*engine.index, JobId::new(base.progress.root)).await?;
    let work = work(&firsts, &demands);
    let max_new = work.values().map(|work| work.demands.len() as u64).max().unwrap_or(0);
    let grown = base.progress.grown + max_new;
    if block_demands(job.request.limit, job.request.targets.len()) as u64 / 2 < grown {
        return Ok(Err(FullReason::TooManyNewDemands));
    }
    blocks::write_work(&*engine.index, job.id, work.into_iter().collect()).await?;
    Ok(Ok(Planned {
        inputs: inputs(engine, program, times.settled, targets).await?,
        method: Method::Incremental { changed_demands: demands.touched.len() as u64, changed_targets },
        progress: ResultsLocation {
            grown,
            base: base.id.number(),
            since: since.as_second(),
            written: 0,
            ..base.progress
        },
        demands: base.counts.demands,
        held: Vec::new(),
    }))
}

/// Inputs of a usable base, or the reason why the base is not usable.
fn usable<'a>(
    program: &Program,
    job: &Job,
    base: &'a Job,
    now: Timestamp,
) -> std::result::Result<&'a Inputs, FullReason> {
    let inputs = base.inputs.as_ref().filter(|_| base.state == State::Done).ok_or(FullReason::BaseUnfinished)?;
    let rules = [
        (same_wish(&base.request, &job.request), FullReason::BaseDiffers),
        (0 < base.progress.blocks, FullReason::BaseEmpty),
        (inputs.versions.text == program.versions.text, FullReason::TextChanged),
        (inputs.versions == program.versions, FullReason::ModelChanged),
        (inputs.calibration == program.settings.calibration.version, FullReason::CalibrationChanged),
        (inputs.settings == settings(program), FullReason::SettingsChanged),
        (now.duration_since(inputs.time) < tombstones::KEPT, FullReason::BaseTooOld),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        None => Ok(inputs),
        Some((_, because)) => Err(because),
    }
}

/// Why changes since a base cannot be trusted: records that come in by a copy keep their times, so that nothing says that
/// they are new. Then there are more of them, or fewer, than the changes make.
fn unexplained(kind: Kind, before: u64, now: u64, changes: usize) -> Option<FullReason> {
    let trusted = before.abs_diff(now) <= changes as u64;
    (!trusted).then_some(FullReason::ChangesIncomplete { kind, before, now })
}

fn too_many_changes(kind: Kind) -> FullReason {
    FullReason::TooManyChanges { kind, max: changes::MAX as u64 }
}

/// What is to be done at each block that is touched.
fn work(firsts: &[PointId], demands: &DemandChanges) -> BTreeMap<usize, Work> {
    let mut work: BTreeMap<usize, Work> = BTreeMap::new();
    for (id, name) in &demands.touched {
        let work = work.entry(block_of(firsts, *id)).or_default();
        work.dropped.push(*id);
        if demands.selected.contains(name) {
            work.demands.push(name.clone());
        }
    }
    work
}

/// Names of the selected demands, in the order of ids.
async fn select(engine: &Engine, selection: &Selection) -> Result<Vec<RecordName>> {
    let filter = match selection {
        Selection::Names(names) => return Ok(names.clone()),
        Selection::Filter(filter) => filter,
    };
    let mut names = Vec::new();
    let with = FieldSelection::Payload;
    let read = |after| engine.read(engine.index.scroll(Kind::Demand, filter, PageRequest { after, limit: PAGE, with }));
    let mut pages = Pages::new(read);
    while let Some(page) = pages.next_page().await? {
        names.extend(page.points.iter().map(|point| point.record.name()));
        if MAX_DEMANDS < names.len() {
            return Err(Violation::new("filter", Problem::TooMany { max: MAX_DEMANDS }).into());
        }
    }
    Ok(names)
}

async fn inputs(engine: &Engine, program: &Program, time: Timestamp, targets: Vec<TargetInputs>) -> Result<Inputs> {
    Ok(Inputs {
        time,
        versions: program.versions.clone(),
        calibration: program.settings.calibration.version.clone(),
        settings: settings(program),
        targets,
        demands: engine.index.count(Kind::Demand, &Filter::default()).await?,
    })
}

/// Matching settings as a text for comparison.
fn settings(program: &Program) -> String {
    let Settings { candidates, fusion, feedback, .. } = &program.settings;
    format!(
        "candidates {candidates}, dense_weight {}, bm25_saturation {}, cosine_floor {}, feedback {feedback}",
        fusion.dense_weight, fusion.bm25_saturation, fusion.cosine_floor
    )
}
