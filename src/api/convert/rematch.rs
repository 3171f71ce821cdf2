//! Conversion of re-matching jobs between wire types and domain values.

use std::{ops::RangeInclusive, time::Duration};

use jiff::Timestamp;

use super::{filter_in, filter_out, grade_in, grade_out, int, kind_in, kind_out, level_out, time_out};
use crate::rematch::{
    diff::{Change, ChangeReason, Totals},
    export::{Format, Row, Standing},
    job::{
        DemandResult, ErrorSample, Failure, FailureKind, FullReason, Inputs, Job, JobId, JobRequest, Method, Selection,
        State, TargetInputs,
        model::{DEFAULT_LIMIT, MAX_LIMIT, MAX_NAMES, MAX_REQUEST_ID},
    },
    scheduler::{Run, RunTrigger},
};
use duijie_core::domain::{Kind, Problem, RecordName, Violation, Violations, hit};
use duijie_proto as pb;
use duijie_proto::start_rematch_request::Selection as WireSelection;

/// Reads the definition of a job. Checks that need the stored jobs come later.
///
/// # Errors
/// All violations.
pub fn job_request_in(request: pb::StartRematchRequest) -> Result<JobRequest, Violations> {
    let mut found = Violations::default();
    let targets = targets_in(&request.targets, &mut found);
    let request = JobRequest {
        targets,
        limit: limit_in(request.limit, &mut found),
        min_level: grade_in(request.min_grade, "min_grade", &mut found),
        min_score: score_in(request.min_score, "min_score", &mut found),
        base: optional_job_in(&request.base, "base", &mut found),
        selection: selection_in(request.selection, &mut found),
        request_id: request.request_id,
    };
    if request.min_level.is_some() && !request.targets.contains(&Kind::Achievement) {
        found.say("min_grade", Problem::NotOfThisKind);
    }
    if MAX_REQUEST_ID < request.request_id.len() {
        found.say("request_id", Problem::TooLong { max_chars: MAX_REQUEST_ID });
    }
    found.passed(request)
}

fn selection_in(selection: Option<WireSelection>, found: &mut Violations) -> Selection {
    match selection {
        None => JobRequest::default().selection,
        Some(WireSelection::Filter(filter)) => match filter_in(Some(filter), Kind::Demand) {
            Ok(filter) => Selection::Filter(Box::new(filter)),
            Err(violations) => {
                found.join(violations);
                JobRequest::default().selection
            }
        },
        Some(WireSelection::Names(pb::RematchNames { names })) => {
            match names.len() {
                0 => found.say("names.names", Problem::Required),
                len if MAX_NAMES < len => found.say("names.names", Problem::TooMany { max: MAX_NAMES }),
                _ => {}
            }
            let mut read = Vec::new();
            for (place, name) in names.iter().take(MAX_NAMES).enumerate() {
                let Some(name) = demand_in(name, place, found) else { continue };
                read.push((name, place));
            }
            Selection::Names(each_once(read, found))
        }
    }
}

fn each_once(mut names: Vec<(RecordName, usize)>, found: &mut Violations) -> Vec<RecordName> {
    names.sort_unstable();
    let again = |pair: &&[(RecordName, usize)]| matches!(pair, [(one, _), (other, _)] if one == other);
    for pair in names.windows(2).filter(again) {
        if let [_, (_, place)] = pair {
            found.say(format_args!("names.names[{place}]"), Problem::Repeated);
        }
    }
    names.into_iter().map(|(name, _)| name).collect()
}

fn demand_in(name: &str, place: usize, found: &mut Violations) -> Option<RecordName> {
    let field = format!("names.names[{place}]");
    match name.parse::<RecordName>() {
        Ok(name) if name.kind == Kind::Demand => Some(name),
        Ok(_) => {
            let problem = Problem::Malformed { want: "the name of a demand", want_zh: "需求的记录名" };
            found.say(field, problem);
            None
        }
        Err(violation) => {
            found.say(field, violation.problem);
            None
        }
    }
}

fn targets_in(targets: &[i32], found: &mut Violations) -> Vec<Kind> {
    if targets.is_empty() {
        return JobRequest::default().targets;
    }
    let mut kinds = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let field = format!("targets[{place}]");
        match kind_in(*target, &field) {
            Ok(Kind::Demand) => found.say(field, Problem::NotOfThisKind),
            Ok(kind) if kinds.contains(&kind) => found.say(field, Problem::Repeated),
            Ok(kind) => kinds.push(kind),
            Err(violation) => found.note(violation),
        }
    }
    kinds.sort_unstable();
    kinds
}

fn limit_in(limit: i32, found: &mut Violations) -> usize {
    match usize::try_from(limit) {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) if limit <= MAX_LIMIT => limit,
        _ => {
            let max = i64::try_from(MAX_LIMIT).unwrap_or(i64::MAX);
            found.say("limit", Problem::OutOfRange { min: 0, max });
            DEFAULT_LIMIT
        }
    }
}

/// Reads a minimum score.
pub fn score_in(score: f64, field: &str, found: &mut Violations) -> f64 {
    if (0.0..=1.0).contains(&score) {
        return score;
    }
    found.say(field, Problem::OutOfRange { min: 0, max: 1 });
    0.0
}

/// Reads the name of a job.
///
/// # Errors
/// A violation of `field`.
pub fn job_in(name: &str, field: &str) -> Result<JobId, Violation> {
    name.parse().map_err(|violation: Violation| Violation::new(field, violation.problem))
}

fn optional_job_in(name: &str, field: &str, found: &mut Violations) -> Option<JobId> {
    if name.is_empty() {
        return None;
    }
    job_in(name, field).map_err(|violation| found.note(violation)).ok()
}

/// Reads a file format.
///
/// # Errors
/// A violation of `format`.
pub fn format_in(format: i32) -> Result<Format, Violation> {
    match pb::RematchFormat::try_from(format) {
        Ok(pb::RematchFormat::Jsonl) => Ok(Format::Jsonl),
        Ok(pb::RematchFormat::Csv) => Ok(Format::Csv),
        Ok(pb::RematchFormat::Xlsx) => Ok(Format::Xlsx),
        Ok(pb::RematchFormat::Parquet) => Ok(Format::Parquet),
        Ok(pb::RematchFormat::Unspecified) => Err(Violation::new("format", Problem::Required)),
        Err(_) => Err(Violation::new("format", Problem::UnknownCode { table: "RematchFormat" })),
    }
}

/// Reads a duration above 0 and within a range of seconds; `None` if not stated.
///
/// # Errors
/// A violation of `field`.
pub fn span_in(
    span: Option<prost_types::Duration>,
    field: &str,
    seconds: RangeInclusive<u64>,
) -> Result<Option<Duration>, Violation> {
    let Some(span) = span else { return Ok(None) };
    let (min, max) = seconds.into_inner();
    let valid = |nanos: &u32| *nanos < 1_000_000_000;
    let read = match (u64::try_from(span.seconds), u32::try_from(span.nanos).ok().filter(valid)) {
        (Ok(seconds), Some(nanos)) => Some(Duration::new(seconds, nanos)),
        _ => None,
    };
    let fits =
        |read: &Duration| !read.is_zero() && Duration::from_secs(min) <= *read && *read <= Duration::from_secs(max);
    let bound = |second: u64| i64::try_from(second).unwrap_or(i64::MAX);
    match read.filter(fits) {
        Some(read) => Ok(Some(read)),
        None => Err(Violation::new(field, Problem::OutOfRange { min: bound(min), max: bound(max) })),
    }
}

/// Writes a job.
pub fn job_out(job: Job) -> pb::Rematch {
    let demands_per_second = job.demands_per_second();
    let mut written = pb::Rematch {
        name: job.id.to_string(),
        state: state_out(job.state),
        create_time: Some(time_out(job.create_time)),
        start_time: job.start_time.map(time_out),
        end_time: job.end_time.map(time_out),
        update_time: Some(time_out(job.update_time)),
        demand_count: int64(job.counts.demands),
        done_count: int64(job.counts.done),
        carried_count: int64(job.counts.carried),
        failed_count: int64(job.counts.failed),
        pair_count: int64(job.counts.pairs),
        demands_per_second,
        error_samples: job.errors.into_iter().map(error_out).collect(),
        failure: job.failure.as_ref().map(failure_out),
        cancel_requested: job.cancel_requested,
        attempt_count: i32::try_from(job.attempts).unwrap_or(i32::MAX),
        inputs: job.inputs.map(inputs_out),
        request: Some(request_out(job.request)),
        ..pb::Rematch::default()
    };
    match job.method {
        Some(Method::Full { because }) => written.full_reason = because.as_ref().map(full_reason_out),
        Some(Method::Incremental { changed_demands, changed_targets }) => {
            written.incremental = true;
            written.changed_demand_count = int64(changed_demands);
            written.changed_target_count = int64(changed_targets);
        }
        None => {}
    }
    written
}

/// Wire number of a state.
pub fn state_out(state: State) -> i32 {
    let state = match state {
        State::Queued => pb::RematchState::Queued,
        State::Running => pb::RematchState::Running,
        State::Done => pb::RematchState::Done,
        State::Cancelled => pb::RematchState::Cancelled,
        State::Failed => pb::RematchState::Failed,
    };
    state as i32
}

fn error_out(error: ErrorSample) -> pb::RematchError {
    pb::RematchError { demand: error.demand.to_string(), failure: Some(failure_out(&error.failure)) }
}

fn failure_out(failure: &Failure) -> pb::RematchFailure {
    let kind = match failure.kind {
        FailureKind::InvalidRequest => pb::RematchFailureKind::InvalidRequest,
        FailureKind::NotFound => pb::RematchFailureKind::NotFound,
        FailureKind::DemandNotFound => pb::RematchFailureKind::DemandNotFound,
        FailureKind::JobDeleted => pb::RematchFailureKind::JobDeleted,
        FailureKind::Internal => pb::RematchFailureKind::Internal,
    };
    pb::RematchFailure { kind: kind as i32, localized_description: failure.chinese().to_string() }
}

fn full_reason_out(reason: &FullReason) -> pb::RematchFullReason {
    use pb::RematchFullReasonKind as Kind;
    let mut out = pb::RematchFullReason { localized_description: reason.chinese(), ..pb::RematchFullReason::default() };
    let kind = match reason {
        FullReason::BaseNotFound => Kind::BaseNotFound,
        FullReason::BaseUnfinished => Kind::BaseUnfinished,
        FullReason::BaseDiffers => Kind::BaseDiffers,
        FullReason::BaseEmpty => Kind::BaseEmpty,
        FullReason::BaseTooOld => Kind::BaseTooOld,
        FullReason::TextChanged => Kind::TextChanged,
        FullReason::ModelChanged => Kind::ModelChanged,
        FullReason::CalibrationChanged => Kind::CalibrationChanged,
        FullReason::SettingsChanged => Kind::SettingsChanged,
        FullReason::StatisticsNotFound => Kind::StatisticsNotFound,
        FullReason::StatisticsOutdated { kind } => {
            out.record_kind = kind_out(*kind);
            Kind::StatisticsOutdated
        }
        FullReason::TooManyChanges { kind, max } => {
            (out.record_kind, out.max_change_count) = (kind_out(*kind), int64(*max));
            Kind::TooManyChanges
        }
        FullReason::ChangesIncomplete { kind, before, now } => {
            out.record_kind = kind_out(*kind);
            (out.base_record_count, out.record_count) = (int64(*before), int64(*now));
            Kind::ChangesIncomplete
        }
        FullReason::TooManyNewDemands => Kind::TooManyNewDemands,
        FullReason::Told(_) => Kind::Unspecified,
    };
    out.kind = kind as i32;
    out
}

fn inputs_out(inputs: Inputs) -> pb::RematchInputs {
    let target = |target: TargetInputs| pb::RematchTargetInputs {
        kind: kind_out(target.kind),
        statistics_version: target.statistics,
        record_count: int64(target.records),
    };
    pb::RematchInputs {
        catalogue_time: Some(time_out(inputs.time)),
        text_version: inputs.versions.text,
        model_version: inputs.versions.model,
        calibration_version: inputs.calibration,
        settings: inputs.settings,
        demand_record_count: int64(inputs.demands),
        targets: inputs.targets.into_iter().map(target).collect(),
    }
}

/// Writes the definition of a job.
pub fn request_out(request: JobRequest) -> pb::StartRematchRequest {
    let selection = match request.selection {
        Selection::Filter(filter) => WireSelection::Filter(filter_out(*filter)),
        Selection::Names(names) => {
            WireSelection::Names(pb::RematchNames { names: names.iter().map(ToString::to_string).collect() })
        }
    };
    pb::StartRematchRequest {
        selection: Some(selection),
        targets: request.targets.into_iter().map(kind_out).collect(),
        limit: int(request.limit),
        min_grade: grade_out(request.min_level),
        min_score: request.min_score,
        base: request.base.map(|base| base.to_string()).unwrap_or_default(),
        request_id: request.request_id,
    }
}

/// Writes the result of a demand.
pub fn result_out(result: DemandResult) -> pb::RematchResult {
    let nothing_good_enough = result.lists.iter().any(|list| list.nothing_good_enough);
    let pairs = result.lists.into_iter().flat_map(|list| {
        (1..).zip(list.pairs).map(|(rank, pair)| pb::RematchPair {
            target: pair.target.to_string(),
            revision: int64(pair.revision),
            rank,
            score: pair.score,
            level: pair.level.map(|level| level_out(hit::Relevance { level, probabilities: pair.probabilities })),
        })
    });
    pb::RematchResult {
        demand: result.demand.to_string(),
        revision: int64(result.revision),
        pairs: pairs.collect(),
        carried: result.carried,
        nothing_good_enough,
    }
}

/// Writes a changed pair.
pub fn change_out(row: Row) -> pb::RematchChange {
    let (kind, reasons, before) = match row.change {
        Some(change) => (change_kind_out(change.change), change.reasons, change.before),
        None => (pb::RematchChangeKind::Unspecified, Vec::new(), None),
    };
    let labels: Vec<&str> = reasons.iter().map(|reason| reason.label()).collect();
    pb::RematchChange {
        demand: row.demand.name.to_string(),
        demand_title: row.demand.title,
        target: row.target.name.to_string(),
        target_title: row.target.title,
        kind: kind as i32,
        localized_description: labels.join("；"),
        reasons: reasons.into_iter().map(|reason| reason_out(reason) as i32).collect(),
        before: before.map(place_out),
        after: row.place.map(place_out),
    }
}

fn place_out(place: Standing) -> pb::RematchStanding {
    let rank = i32::try_from(place.rank).unwrap_or(i32::MAX);
    pb::RematchStanding { rank, score: place.score, grade: grade_out(place.level) }
}

fn change_kind_out(change: Change) -> pb::RematchChangeKind {
    match change {
        Change::New => pb::RematchChangeKind::New,
        Change::Lost => pb::RematchChangeKind::Lost,
        Change::Up => pb::RematchChangeKind::Up,
        Change::Down => pb::RematchChangeKind::Down,
    }
}

fn reason_out(reason: ChangeReason) -> pb::RematchReason {
    match reason {
        ChangeReason::DemandNew => pb::RematchReason::DemandNew,
        ChangeReason::DemandGone => pb::RematchReason::DemandGone,
        ChangeReason::DemandChanged => pb::RematchReason::DemandChanged,
        ChangeReason::TargetNew => pb::RematchReason::TargetNew,
        ChangeReason::TargetGone => pb::RematchReason::TargetGone,
        ChangeReason::TargetChanged => pb::RematchReason::TargetChanged,
        ChangeReason::Dictionary => pb::RematchReason::Dictionary,
        ChangeReason::Model => pb::RematchReason::Model,
        ChangeReason::Calibration => pb::RematchReason::Calibration,
        ChangeReason::Settings => pb::RematchReason::Settings,
        ChangeReason::Statistics => pb::RematchReason::Statistics,
        ChangeReason::Selection => pb::RematchReason::Selection,
        ChangeReason::Limits => pb::RematchReason::Limits,
        ChangeReason::Incomplete => pb::RematchReason::Incomplete,
        ChangeReason::Others => pb::RematchReason::Others,
        ChangeReason::Unknown => pb::RematchReason::Unknown,
    }
}

/// Writes the totals of a comparison.
pub fn totals_out(totals: &Totals) -> pb::RematchTotals {
    let [new, lost, up, down] = totals.changes.map(int64);
    let counts = ChangeReason::ALL.into_iter().zip(totals.reasons).filter(|(_, count)| 0 < *count);
    let count = |(reason, count): (ChangeReason, u64)| pb::RematchReasonCount {
        reason: reason_out(reason) as i32,
        pair_count: int64(count),
    };
    pb::RematchTotals {
        common_demand_count: int64(totals.demands_in_both),
        earlier_demand_count: int64(totals.demands_before),
        later_demand_count: int64(totals.demands_after),
        new_count: new,
        lost_count: lost,
        up_count: up,
        down_count: down,
        same_count: int64(totals.same),
        score_changed_count: int64(totals.moved),
        reasons: counts.map(count).collect(),
    }
}

/// Writes a run of the schedule.
pub fn run_out(run: Run) -> pb::RematchRun {
    let trigger = match run.trigger {
        RunTrigger::Nightly => pb::RematchTrigger::Nightly,
        RunTrigger::Changes => pb::RematchTrigger::Changes,
    };
    pb::RematchRun {
        trigger: trigger as i32,
        start_time: Some(time_out(run.start_time)),
        rematch: run.job.map(|job| job.to_string()).unwrap_or_default(),
        state: state_out(run.state),
        end_time: run.end_time.map(time_out),
        pair_count: int64(run.pairs),
        failure: run.failure.as_ref().map(failure_out),
    }
}

/// Returns the creation time that a file states: the end of its job, so that the same job gives the same file.
pub fn made(job: &Job) -> Timestamp {
    job.end_time.unwrap_or(job.create_time)
}

fn int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
