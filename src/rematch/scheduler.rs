//! Starts re-matching jobs when they are due, and stores the outcomes. One instance does this: the holder of the duty
//! lease. [`rematch_schedule`](crate::rematch::schedule) decides when a job is due.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    heart::Heart,
    rematch::{
        job::{Failure, FailureKind, Job, JobId, JobRequest, Rematch, State, reason::read_failure},
        schedule::{Known, Schedule, Trigger},
    },
};
use duijie_core::domain::{Filter, Kind, Range};
use duijie_store::{
    Document, DocumentQuery, DocumentWrite, Expect, Index, Key, Lease, PointId, documents::MAX_DOCUMENT_PAGE,
};

/// Name of the duty lease for starting jobs.
const DUTY: &str = "rematch-schedule";
/// Folder of the runs.
const FOLDER: &str = "rematch/runs";
/// Number of runs kept.
pub(crate) const MAX_RUNS: usize = 100;
/// Interval between two looks at the schedule.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Starts jobs when they are due.
#[derive(Clone)]
pub struct Scheduler {
    index: Arc<dyn Index>,
    rematch: Rematch,
    plan: Arc<ScheduledJobs>,
    look_every: Duration,
    heart: Heart,
}

/// Schedule, with the request for its jobs.
#[derive(Debug, Clone)]
pub struct ScheduledJobs {
    /// When to start jobs.
    pub schedule: Schedule,
    /// Request; base and request id are set for each job.
    pub request: JobRequest,
}

/// One run of the schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What started it.
    pub trigger: RunTrigger,
    /// Start time.
    pub start_time: Timestamp,
    /// The job; `None` if it could not be started.
    pub job: Option<JobId>,
    /// Last known state of the job.
    pub state: State,
    /// End time of the job.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    /// Pairs in its results.
    #[serde(default)]
    pub pairs: u64,
    /// Reason of the failure; `None` unless the job failed.
    #[serde(default, deserialize_with = "read_failure")]
    pub failure: Option<Failure>,
}

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunTrigger {
    /// The time of every night.
    Nightly,
    /// Enough records changed.
    Changes,
}

/// A page of runs, the latest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunPage {
    /// Runs with their positions.
    pub runs: Vec<(PointId, Run)>,
    /// Position after which to continue; `None` on the last page.
    pub next: Option<PointId>,
}

// === impl ScheduledJobs ===

impl Default for ScheduledJobs {
    /// A plan that never starts a job.
    fn default() -> Self {
        let schedule = Schedule { nightly: None, time_zone: TimeZone::UTC, after_changes: None };
        Self { schedule, request: JobRequest::default() }
    }
}

// === impl Scheduler ===

impl Scheduler {
    /// A scheduler for these jobs.
    pub fn new(index: Arc<dyn Index>, rematch: Rematch, plan: ScheduledJobs) -> Self {
        Self { index, rematch, plan: Arc::new(plan), look_every: LOOK_EVERY, heart: Heart::default() }
    }

    /// The same scheduler with another interval between looks.
    #[must_use]
    pub fn looking_every(mut self, time: Duration) -> Self {
        self.look_every = time;
        self
    }

    /// Beats while the schedule is looked at.
    pub(crate) fn heart(&self) -> Heart {
        self.heart.clone()
    }

    /// Starts jobs as they become due until `stop` resolves, while this instance holds the duty lease.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        if self.plan.schedule.is_empty() {
            return stop.await;
        }
        tokio::select! {
            () = stop => {}
            () = self.keep_on() => {}
        }
    }

    /// A page of the runs with their jobs' current states, the latest first, at most `limit`.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn runs(&self, after: Option<PointId>, limit: usize) -> Result<RunPage> {
        let (stored, next) = self.stored(after, limit.clamp(1, MAX_RUNS)).await?;
        let mut runs = Vec::with_capacity(stored.len());
        for (document, mut run) in stored {
            self.refresh(&mut run).await?;
            runs.push((document.id(), run));
        }
        Ok(RunPage { runs, next })
    }

    async fn keep_on(&self) {
        let since = Timestamp::now();
        let mut duty: Option<Lease> = None;
        loop {
            self.heart.beat();
            if !duty.as_ref().is_some_and(Lease::held) {
                duty = match self.index.claim(DUTY).await {
                    Ok(claimed) => claimed,
                    Err(error) => {
                        tracing::warn!(%error, "the duty of the schedule could not be claimed");
                        None
                    }
                };
            }
            if duty.is_some()
                && let Err(error) = self.look(since, Timestamp::now()).await
            {
                tracing::warn!(%error, "the schedule could not be looked at");
            }
            tokio::time::sleep(self.look_every).await;
        }
    }

    /// Starts the job due at `now`. Nights before `since` count only if a nightly job has run before.
    async fn look(&self, since: Timestamp, now: Timestamp) -> Result<()> {
        let (mut runs, _) = self.stored(None, MAX_RUNS + 1).await?;
        for (document, run) in runs.iter_mut().filter(|(_, run)| !run.state.ended()) {
            self.refresh(run).await?;
            if run.state.ended() {
                self.write(document.key.clone(), run, Expect::Version(document.version)).await?;
            }
        }
        if let Some((oldest, _)) = runs.get(MAX_RUNS) {
            self.index.remove_documents(FOLDER, std::slice::from_ref(&oldest.key)).await?;
        }
        let last = runs.first().map(|(_, run)| run);
        let known = Known {
            now,
            since,
            last_night: runs
                .iter()
                .map(|(_, run)| run)
                .find(|run| run.trigger == RunTrigger::Nightly)
                .map(|run| run.start_time),
            is_running: runs.iter().any(|(_, run)| !run.state.ended()),
            changes: self.changes(last.map_or(since, |run| run.start_time)).await?,
        };
        match self.plan.schedule.due(&known) {
            Some(trigger) => self.start(trigger, now, runs.iter().map(|(_, run)| run)).await,
            None => Ok(()),
        }
    }

    async fn start(&self, trigger: Trigger, now: Timestamp, runs: impl Iterator<Item = &Run>) -> Result<()> {
        let base = runs.filter(|run| run.state == State::Done).find_map(|run| run.job);
        let (kind, request_id) = match trigger {
            Trigger::Night(night) => (RunTrigger::Nightly, format!("nightly-{night}")),
            Trigger::Changes => (RunTrigger::Changes, format!("changes-{now}")),
        };
        let request = JobRequest { base, request_id, ..self.plan.request.clone() };
        let started = match self.rematch.start(request.clone()).await {
            // the base was deleted, or belongs to another request by now
            Err(Error::NoSuchJob(_) | Error::Invalid(_)) if base.is_some() => {
                self.rematch.start(JobRequest { base: None, ..request }).await
            }
            started => started,
        };
        let mut run = Run {
            trigger: kind,
            start_time: now,
            job: None,
            state: State::Failed,
            end_time: None,
            pairs: 0,
            failure: None,
        };
        match started {
            Ok(job) => {
                tracing::info!(trigger = ?kind, job = %job.id, "the schedule started a job");
                run.job = Some(job.id);
                run.note(&job);
            }
            // the engine does not answer: the job is due again at the next look
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => (run.failure, run.end_time) = (Some(Failure::from(&error)), Some(now)),
        }
        self.write(key(now), &run, Expect::Any).await
    }

    /// Number of records changed since a time: demands and the scheduled kinds of targets. Deletions do not count.
    async fn changes(&self, since: Timestamp) -> Result<u64> {
        if self.plan.schedule.after_changes.is_none() {
            return Ok(0);
        }
        let update_time = Some(Range { min: Some(since.as_second()), max: None });
        let mut changes = 0;
        for kind in [Kind::Demand].iter().chain(&self.plan.request.targets) {
            let changed = Filter { update_time, ..Filter::default() };
            changes += self.index.count(*kind, &changed).await?;
        }
        Ok(changes)
    }

    /// Updates a run from its job. A run whose job was deleted counts as failed.
    async fn refresh(&self, run: &mut Run) -> Result<()> {
        let Some(job) = run.job.filter(|_| !run.state.ended()) else { return Ok(()) };
        match self.rematch.get(job).await {
            Ok(job) => run.note(&job),
            Err(Error::NoSuchJob(_)) => {
                run.state = State::Failed;
                run.failure = Some(Failure::new(FailureKind::JobDeleted));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Stored runs, the latest first, with the position of the next page.
    async fn stored(&self, after: Option<PointId>, limit: usize) -> Result<(Vec<(Document, Run)>, Option<PointId>)> {
        let query = DocumentQuery::folder(FOLDER);
        let page = self.index.list_documents(query, after, limit.min(MAX_DOCUMENT_PAGE)).await?;
        let read = |document: Document| match serde_json::from_str(&document.text) {
            Ok(run) => Ok((document, run)),
            Err(error) => Err(Error::Internal(format!("a run of the schedule: {error}"))),
        };
        Ok((page.documents.into_iter().map(read).collect::<Result<_>>()?, page.next))
    }

    async fn write(&self, key: Key, run: &Run, expect: Expect) -> Result<()> {
        let text = serde_json::to_string(run).map_err(|error| Error::Internal(error.to_string()))?;
        self.index.write_documents(vec![DocumentWrite::new(FOLDER, key, text, expect)]).await?;
        Ok(())
    }
}

// === impl Run ===

impl Run {
    fn note(&mut self, job: &Job) {
        self.state = job.state;
        self.end_time = job.end_time;
        self.pairs = job.counts.pairs;
        self.failure.clone_from(&job.failure);
    }
}

/// Key of a run; later runs sort first.
fn key(start: Timestamp) -> Key {
    Key::Number(u64::MAX - u64::try_from(start.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_the_old_form_are_read() {
        let run = |failure: &str| -> Run {
            let text = format!(
                r#"{{"trigger":"nightly","start_time":"2026-11-01T00:00:00Z","job":null,"state":"failed",
                "end_time":"2026-11-01T00:00:00Z","pairs":0,"failure":"{failure}"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        assert_eq!((run("").trigger, run("").failure), (RunTrigger::Nightly, None));
        assert_eq!(run("任务已被删除").failure, Some(Failure::new(FailureKind::JobDeleted)));
        let run = run("内部错误：x");
        assert_eq!(serde_json::from_str::<Run>(&serde_json::to_string(&run).unwrap()).unwrap(), run);
    }

    #[test]
    fn later_runs_come_first() {
        let key = |second: i64| match key(Timestamp::new(second, 0).unwrap()) {
            Key::Number(number) => number,
            Key::Name(_) => 0,
        };
        assert!(key(20) < key(10) && key(0) == u64::MAX);
    }
}
