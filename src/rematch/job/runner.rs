//! One job from its plan to its end. Blocks run concurrently, are written in any order, and are counted in their own
//! order. The job's document gives the number of blocks written without a gap. An instance that continues the job
//! begins there, and overwrites later blocks.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Interval, interval},
};

use super::{
    held::Held,
    jobs::{self, Stored},
    model::{Counts, ErrorSample, Job, JobId, MAX_ERRORS, State},
    plan::{Program, plan},
    reason::{Failure, FailureKind},
    run_block::{Done, Running},
    spawned::Spawned,
    targets::Engine,
};
use crate::error::{Error, Result};
use duijie_core::domain::Kind;
use duijie_store::Lease;

/// Interval at which a job saves its progress and checks for a cancellation.
const SAVE_EVERY: Duration = Duration::from_millis(400);
/// Most attempts at a job.
const MAX_ATTEMPTS: u32 = 1_000;

/// End of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The job has ended.
    Over,
    /// Another instance has the job.
    Lost,
    /// This process is stopping; the job is left to the next instance.
    Stopped,
}

/// Reason to stop the work early.
enum Short {
    /// The job has ended, or belongs to another instance.
    Ended(Ended),
    /// An error.
    Failed(Error),
}

/// Runs jobs.
#[derive(Clone)]
pub(super) struct Runner {
    /// The engine.
    pub engine: Engine,
    /// Settings and versions that all results depend on.
    pub program: Arc<Program>,
}

/// The job of a run.
struct InHand<'a> {
    runner: &'a Runner,
    stored: Stored,
    /// Number of attempts, including this one.
    attempts: u32,
    since: Instant,
    /// Ticks when progress must be saved.
    saves: Interval,
}

type OrShort<T> = std::result::Result<T, Short>;
type Blocks = Pin<Box<dyn Stream<Item = Result<Done>> + Send>>;

/// Resolves when a flag is set, or when its sender is gone.
pub(super) async fn set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|set| *set).await;
}

// === impl Runner ===

impl Runner {
    /// Runs a job under a lease until it ends, the lease is lost, or this process stops.
    pub async fn run(
        &self,
        id: JobId,
        lease: &Lease,
        mut cancel: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Ended> {
        let stored = jobs::read(&*self.engine.index, id).await?;
        let (attempts, saves) = (stored.job.attempts + 1, interval(SAVE_EVERY));
        let mut in_hand = InHand { runner: self, attempts, stored, since: Instant::now(), saves };
        if in_hand.job().state.ended() {
            return Ok(Ended::Over);
        }
        let work = in_hand.work(&mut cancel);
        tokio::select! {
            biased;
            () = lease.lost() => Ok(Ended::Lost),
            () = set(&mut stop) => Ok(Ended::Stopped),
            ended = work => ended,
        }
    }
}

// === impl InHand ===

impl InHand<'_> {
    fn job(&mut self) -> &mut Job {
        &mut self.stored.job
    }

    /// Works on the job until it ends. An error that a retry cannot fix ends the job.
    async fn work(&mut self, cancel: &mut watch::Receiver<bool>) -> Result<Ended> {
        match self.try_work(cancel).await {
            Ok(ended) | Err(Short::Ended(ended)) => Ok(ended),
            Err(Short::Failed(error)) if error.may_pass() => Err(error),
            Err(Short::Failed(error)) => {
                self.job().failure = Some(Failure::from(&error));
                self.end(State::Failed).await
            }
        }
    }

    async fn try_work(&mut self, cancel: &mut watch::Receiver<bool>) -> OrShort<Ended> {
        self.begin().await?;
        let read = if self.job().inputs.is_none() { self.plan(cancel).await? } else { Vec::new() };
        let (runner, job) = (self.runner, self.stored.job.clone());
        let running = Running::load(&runner.engine, &runner.program, &job, read);
        let running = self.unless_cancelled(running, cancel).await??;
        let mut blocks = self.blocks(running);
        while let Some(done) = self.unless_cancelled(blocks.next(), cancel).await? {
            self.count(done?);
        }
        Ok(self.end(State::Done).await?)
    }

    /// Records the start of this attempt.
    async fn begin(&mut self) -> OrShort<()> {
        let (now, attempts) = (Timestamp::now(), self.attempts);
        let job = self.job();
        job.state = State::Running;
        job.attempts = attempts;
        job.start_time = job.start_time.or(Some(now));
        if MAX_ATTEMPTS < job.attempts {
            return Err(Error::Internal(format!("已尝试 {MAX_ATTEMPTS} 次")).into());
        }
        self.keep().await
    }

    /// Plans the job; returns the targets read for the plan.
    async fn plan(&mut self, cancel: &mut watch::Receiver<bool>) -> OrShort<Vec<(Kind, Held)>> {
        let (runner, job) = (self.runner, self.stored.job.clone());
        let planned = self.unless_cancelled(plan(&runner.engine, &runner.program, &job), cancel).await??;
        let job = self.job();
        job.counts = Counts { demands: planned.demands, ..Counts::default() };
        (job.inputs, job.method, job.progress) = (Some(planned.inputs), Some(planned.method), planned.progress);
        self.keep().await?;
        Ok(planned.held)
    }

    /// Waits for work while saving progress; ends the job if it is cancelled.
    async fn unless_cancelled<T>(
        &mut self,
        work: impl Future<Output = T>,
        cancel: &mut watch::Receiver<bool>,
    ) -> OrShort<T> {
        tokio::pin!(work);
        loop {
            if self.job().cancel_requested {
                return Err(Short::Ended(self.end(State::Cancelled).await?));
            }
            tokio::select! {
                biased;
                () = set(cancel) => self.job().cancel_requested = true,
                _ = self.saves.tick() => self.keep().await?,
                done = &mut work => return Ok(done),
            }
        }
    }

    /// The remaining blocks in order, several at a time.
    fn blocks(&mut self, running: Running) -> Blocks {
        let (progress, running) = (self.job().progress, Arc::new(running));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let blocks = stream::iter(progress.written..progress.blocks).map(move |number| {
            let running = Arc::clone(&running);
            Spawned::new(async move { running.block(number).await })
        });
        blocks.buffered(8 * cores).boxed()
    }

    /// Adds a block to the counts.
    fn count(&mut self, done: Done) {
        let job = self.job();
        job.progress.written += 1;
        job.counts.done += done.carried + done.matched + done.failed.len() as u64;
        job.counts.carried += done.carried;
        job.counts.failed += done.failed.len() as u64;
        job.counts.pairs += done.pairs;
        let room = MAX_ERRORS.saturating_sub(job.errors.len());
        let failure = Failure::new(FailureKind::DemandNotFound);
        let samples = done.failed.into_iter().map(|demand| ErrorSample { demand, failure: failure.clone() });
        job.errors.extend(samples.take(room));
    }

    async fn end(&mut self, state: State) -> Result<Ended> {
        let job = self.job();
        (job.state, job.end_time) = (state, Some(Timestamp::now()));
        if state == State::Done {
            // a demand deleted meanwhile has no result, and no longer belongs to the selection
            job.counts.demands = job.counts.done;
        }
        Ok(if self.save().await? { Ended::Over } else { Ended::Lost })
    }

    /// Saves the job while it belongs to this instance.
    async fn keep(&mut self) -> OrShort<()> {
        let is_mine = self.save().await?;
        // counted from the end of the write: otherwise a slow engine would leave no time for the work
        self.saves.reset();
        if is_mine { Ok(()) } else { Err(Short::Ended(Ended::Lost)) }
    }

    /// Overwrites the job but keeps a cancellation by others; returns `false` if the job has ended or was taken over.
    async fn save(&mut self) -> Result<bool> {
        let worked = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0);
        self.since = Instant::now();
        self.job().worked_ms += worked;
        let index = Arc::clone(&self.runner.engine.index);
        while !jobs::write(&*index, &mut self.stored).await? {
            let fresh = jobs::read(&*index, self.stored.job.id).await?;
            // each instance that takes a job counts an attempt, so more attempts mean a takeover from this instance
            if fresh.job.state.ended() || self.attempts < fresh.job.attempts {
                return Ok(false);
            }
            let mut mine = std::mem::replace(&mut self.stored, fresh);
            mine.job.cancel_requested |= self.stored.job.cancel_requested;
            self.stored.job = mine.job;
        }
        Ok(true)
    }
}

// === impl Short ===

impl From<Error> for Short {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
