//! Batch re-matching: jobs that match many demands again and store the results, so that differences can be reported.
//!
//! - [`model`]: jobs and their results; [`reason`]: why they failed or matched everything; `check`: checks of requests
//! - `scoring`, `statistics`, `held`, `packed`: scores that depend only on the two records; `decision`, `candidates`:
//!   what a change can affect; `block`, `bytes`: how results are stored; all pure
//! - `jobs`, `blocks`, `statistics_store`: documents in the store
//! - `prune`: deletion of old jobs
//! - `plan`: the work of a job; `changes`: changes since another job; `scan`: one scan of all targets; `passes`,
//!   `lexical`, `targets`: one demand on the engine
//! - `runner`, `run_block`: a job from its plan to its end
//!
//! A job is a document, and so are its results: any instance can run it, or continue it after another instance died.

mod block;
mod blocks;
mod bytes;
mod candidates;
mod changes;
mod check;
mod decision;
mod held;
mod jobs;
mod lexical;
pub mod model;
mod packed;
mod passes;
mod plan;
mod prune;
pub mod reason;
mod run_block;
mod runner;
mod scan;
mod scoring;
mod spawned;
mod statistics;
mod statistics_store;
mod targets;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
pub use model::{
    Counts, DemandResult, ErrorSample, Inputs, Job, JobBounds, JobId, JobPage, JobRequest, MatchedTarget, Method,
    ResultPage, Selection, State, TargetInputs, TargetList,
};
use parking_lot::Mutex;
pub use reason::{Failure, FailureKind, FullReason};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use self::{
    jobs::Starter,
    plan::Program,
    runner::{Ended, Runner},
    targets::Engine,
};
use crate::{error::Result, foreground::Foreground, heart::Heart, matching::Settings};
use duijie_core::domain::RecordName;
use duijie_store::{Index, StoreVersions, tombstones};

/// Interval between looks for jobs created or abandoned by other instances.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Interval between looks at a job for which a caller waits.
const WAIT_EVERY: Duration = Duration::from_millis(100);
/// Pause after the engine failed a job.
const REST: Duration = Duration::from_secs(2);

/// The jobs of a store; clones share them.
#[derive(Clone)]
pub struct Rematch(Arc<Shared>);

struct Shared {
    runner: Runner,
    /// Notified when a job is created here.
    asked: Notify,
    /// Jobs running here, each with its stop signal.
    running: Mutex<HashMap<JobId, watch::Sender<bool>>>,
    /// Open jobs that callers may have.
    bounds: JobBounds,
    /// Held while open jobs are counted and one is added.
    starting: tokio::sync::Mutex<()>,
}

// === impl Rematch ===

impl Rematch {
    /// The jobs of this store, with these matching settings. Their reads yield to `foreground` calls.
    pub fn new(
        index: Arc<dyn Index>,
        settings: Settings,
        versions: Arc<StoreVersions>,
        foreground: Foreground,
    ) -> Self {
        let program = Arc::new(Program { settings, versions: (*versions).clone() });
        let runner = Runner { engine: Engine::new(index, foreground), program };
        Self::of(runner, JobBounds::default())
    }

    /// The same jobs, of which callers may have so many open ones. Before it runs any.
    #[must_use]
    pub fn with_bounds(&self, bounds: JobBounds) -> Self {
        Self::of(self.0.runner.clone(), bounds)
    }

    fn of(runner: Runner, bounds: JobBounds) -> Self {
        let shared =
            Shared { runner, asked: Notify::new(), running: Mutex::default(), bounds, starting: Default::default() };
        Self(Arc::new(shared))
    }

    /// Creates a job of the service itself, however many are open; see [`Rematch::start_for`].
    ///
    /// # Errors
    /// As [`Rematch::start_for`].
    pub async fn start(&self, request: JobRequest) -> Result<Job> {
        self.create(request, None).await
    }

    /// Creates a job for a caller; some instance will soon run it. A request with a known `request_id` returns that job in its
    /// current state.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::error::Error) with all violations, also if `request_id` belongs to another request;
    /// `NoSuchJob` if the base does not exist; a refusal, TOO_MANY_JOBS, if the caller, or all together, have as many open
    /// jobs as [`JobBounds`] says (each further instance may add one at the same moment); `Unavailable`.
    pub async fn start_for(&self, caller: &str, request: JobRequest) -> Result<Job> {
        let _starting = self.0.starting.lock().await;
        self.create(request, Some(Starter { caller, bounds: self.0.bounds })).await
    }

    async fn create(&self, request: JobRequest, starter: Option<Starter<'_>>) -> Result<Job> {
        let request = check::checked(request)?;
        if let Some(base) = request.base {
            self.get(base).await?;
        }
        let job = jobs::create(self.index(), request, starter).await?;
        self.0.asked.notify_one();
        Ok(job)
    }

    /// Returns a job.
    ///
    /// # Errors
    /// `NoSuchJob`, `Unavailable`.
    pub async fn get(&self, id: JobId) -> Result<Job> {
        Ok(jobs::read(self.index(), id).await?.job)
    }

    /// Returns at most `limit` (1 to 1,000) jobs older than `after`, the latest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, after: Option<JobId>, limit: usize) -> Result<JobPage> {
        jobs::list(self.index(), after, limit).await
    }

    /// Asks a job to stop, which takes less than a second; finished results are kept. A job that has ended does not
    /// change.
    ///
    /// # Errors
    /// `NoSuchJob`, `Unavailable`.
    pub async fn cancel(&self, id: JobId) -> Result<Job> {
        let job = jobs::change(self.index(), id, |job| {
            if job.state == State::Queued {
                (job.state, job.end_time) = (State::Cancelled, Some(Timestamp::now()));
            }
            let news = !job.cancel_requested && (!job.state.ended() || job.state == State::Cancelled);
            job.cancel_requested |= news;
            news
        });
        let job = job.await?;
        if let Some(cancel) = self.0.running.lock().get(&id) {
            // the receiver ends with the job
            let _ = cancel.send(true);
        }
        Ok(job)
    }

    /// Waits until a job has ended, at most `patience`, and returns its state then.
    ///
    /// # Errors
    /// `NoSuchJob`, `Unavailable`.
    pub async fn wait(&self, id: JobId, patience: Duration) -> Result<Job> {
        let end = Instant::now().checked_add(patience);
        loop {
            let job = self.get(id).await?;
            let now = Instant::now();
            if job.state.ended() || end.is_some_and(|end| end <= now) {
                return Ok(job);
            }
            let left = end.map_or(WAIT_EVERY, |end| end - now);
            tokio::time::sleep(WAIT_EVERY.min(left)).await;
        }
    }

    /// Returns at most `limit` (1 to 1,000) results of a job after the demand `after` in the order of ids, among those
    /// written so far.
    ///
    /// # Errors
    /// `NoSuchJob`, `Unavailable`.
    pub async fn results(&self, id: JobId, after: Option<&RecordName>, limit: usize) -> Result<ResultPage> {
        let job = self.get(id).await?;
        blocks::results(self.index(), &job, after, limit.clamp(1, 1_000)).await
    }

    /// Beats while jobs are looked for and run.
    pub(crate) fn heart(&self) -> Heart {
        self.0.runner.engine.heart.clone()
    }

    /// Runs jobs one at a time until `stop` resolves, including those of instances that died. The job running then is
    /// left for the next instance.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let (stopping, stopped) = watch::channel(false);
        tokio::pin!(stop);
        let work = self.work(stopped);
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => return,
            () = &mut stop => {}
        }
        let _ = stopping.send(true);
        work.await;
    }

    async fn work(&self, stop: watch::Receiver<bool>) {
        let mut stopping = stop.clone();
        while !*stop.borrow() {
            self.0.runner.engine.heart.beat();
            let rest = match self.look(&stop).await {
                Ok(false) => LOOK_EVERY,
                Ok(true) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "a job of re-matching rests");
                    REST
                }
            };
            tokio::select! {
                () = runner::set(&mut stopping) => {}
                () = self.0.asked.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Runs the oldest job that no other instance is running. Returns whether there was one.
    async fn look(&self, stop: &watch::Receiver<bool>) -> Result<bool> {
        for id in jobs::open(self.index()).await? {
            let Some(lease) = self.index().claim(&id.to_string()).await? else { continue };
            let (cancel, cancelled) = watch::channel(false);
            self.0.running.lock().insert(id, cancel);
            let ended = self.0.runner.run(id, &lease, cancelled, stop.clone()).await;
            self.0.running.lock().remove(&id);
            lease.release().await;
            let ended = ended?;
            tracing::info!(job = %id, ?ended, "a job of re-matching was left");
            if ended == Ended::Over {
                tombstones::prune(self.index(), Timestamp::now()).await?;
                prune::jobs(self.index()).await?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn index(&self) -> &dyn Index {
        &*self.0.runner.engine.index
    }
}
