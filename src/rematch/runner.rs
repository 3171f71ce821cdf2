//! One job from its plan to its end: blocks side by side, written in any order, counted in theirs. The job's document
//! says up to which block all are written; whoever goes on begins there, and writes over what was written beyond.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    jobs::{self, Stored},
    model::{Counts, ErrorSample, Job, JobId, MAX_ERRORS, State},
    plan::{Program, plan},
    run_block::{Done, Running},
    spawned::Spawned,
    targets::Engine,
};
use crate::{
    error::{Error, Result},
    index::Lease,
};

/// How often a job says how far it is, and looks whether it is to stop.
const SAVE_EVERY: Duration = Duration::from_millis(400);
/// Times that a job may be taken up.
const MOST_ATTEMPTS: u32 = 1_000;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The job has ended.
    Over,
    /// Somebody else has it now.
    Lost,
    /// This process is about to stop; the job is for the next one.
    Stopped,
}

/// What runs jobs.
pub(super) struct Runner {
    /// The engine.
    pub engine: Engine,
    /// What everything depends on.
    pub program: Arc<Program>,
}

/// A job in hand.
struct InHand<'a> {
    runner: &'a Runner,
    stored: Stored,
    /// Attempts with this one.
    attempts: u32,
    since: Instant,
}

type Blocks = Pin<Box<dyn Stream<Item = Result<Done>> + Send>>;

/// Resolves when a flag is set, or nobody is left who could set it.
pub(super) async fn set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|set| *set).await;
}

// === impl Runner ===

impl Runner {
    /// Runs a job under a lease until it ends, is lost, or this process stops.
    pub async fn run(
        &self,
        id: JobId,
        lease: &Lease,
        (mut cancel, mut stop): (watch::Receiver<bool>, watch::Receiver<bool>),
    ) -> Result<Ended> {
        let stored = jobs::read(&*self.engine.index, id).await?;
        let mut in_hand = InHand { runner: self, attempts: stored.job.attempts + 1, stored, since: Instant::now() };
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

    /// Works on the job to its end. What cannot be repeated with better luck ends it.
    async fn work(&mut self, cancel: &mut watch::Receiver<bool>) -> Result<Ended> {
        match self.try_work(cancel).await {
            Err(error @ (Error::Busy { .. } | Error::DeadlineExceeded | Error::Unavailable(_))) => Err(error),
            Err(error) => {
                self.job().failure = error.to_string();
                self.end(State::Failed).await
            }
            ended => ended,
        }
    }

    async fn try_work(&mut self, cancel: &mut watch::Receiver<bool>) -> Result<Ended> {
        let (now, attempts) = (Timestamp::now(), self.attempts);
        let job = self.job();
        job.state = State::Running;
        job.attempts = attempts;
        job.start_time = job.start_time.or(Some(now));
        if MOST_ATTEMPTS < job.attempts {
            return Err(Error::Internal(format!("已尝试 {MOST_ATTEMPTS} 次")));
        }
        if !self.save().await? {
            return Ok(Ended::Lost);
        }
        if self.job().cancel_requested {
            return self.end(State::Cancelled).await;
        }
        let mut read = Vec::new();
        if self.job().inputs.is_none() {
            let (runner, job) = (self.runner, self.stored.job.clone());
            let planned = match self.first(plan(&runner.engine, &runner.program, &job), cancel).await? {
                Ok(planned) => planned,
                Err(ended) => return Ok(ended),
            };
            read = planned.held;
            let job = self.job();
            job.counts = Counts { demands: planned.demands, ..Counts::default() };
            (job.inputs, job.method, job.progress) = (Some(planned.inputs), Some(planned.method), planned.progress);
            if !self.save().await? {
                return Ok(Ended::Lost);
            }
        }
        let (runner, job) = (self.runner, self.stored.job.clone());
        let running = match self.first(Running::load(&runner.engine, &runner.program, &job, read), cancel).await? {
            Ok(running) => running,
            Err(ended) => return Ok(ended),
        };
        let mut blocks = self.blocks(running);
        let mut saved = tokio::time::interval(SAVE_EVERY);
        loop {
            if self.job().cancel_requested {
                return self.end(State::Cancelled).await;
            }
            tokio::select! {
                biased;
                () = set(cancel) => self.job().cancel_requested = true,
                _ = saved.tick() => {
                    if !self.save().await? {
                        return Ok(Ended::Lost);
                    }
                }
                done = blocks.next() => match done {
                    Some(done) => self.count(done?),
                    None => return self.end(State::Done).await,
                },
            }
        }
    }

    /// Does what has to be done before the first block; how the job ended, where it did meanwhile.
    async fn first<T>(
        &mut self,
        work: impl Future<Output = Result<T>>,
        cancel: &mut watch::Receiver<bool>,
    ) -> Result<std::result::Result<T, Ended>> {
        tokio::pin!(work);
        let mut saved = tokio::time::interval(SAVE_EVERY);
        loop {
            if self.job().cancel_requested {
                return self.end(State::Cancelled).await.map(Err);
            }
            tokio::select! {
                biased;
                () = set(cancel) => self.job().cancel_requested = true,
                _ = saved.tick() => {
                    if !self.save().await? {
                        return Ok(Err(Ended::Lost));
                    }
                }
                done = &mut work => return done.map(Ok),
            }
        }
    }

    /// The blocks that are left, a few at a time, in order.
    fn blocks(&mut self, running: Running) -> Blocks {
        let (progress, running) = (self.job().progress, Arc::new(running));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let blocks = stream::iter(progress.written..progress.blocks).map(move |number| {
            let running = Arc::clone(&running);
            Spawned::new(async move { running.block(number).await })
        });
        blocks.buffered(8 * cores).boxed()
    }

    /// Adds a block to what is done.
    fn count(&mut self, done: Done) {
        let job = self.job();
        job.progress.written += 1;
        job.counts.done += done.carried + done.matched + done.failed.len() as u64;
        job.counts.carried += done.carried;
        job.counts.failed += done.failed.len() as u64;
        job.counts.pairs += done.pairs;
        let room = MAX_ERRORS.saturating_sub(job.errors.len());
        let message = "没有这条需求".to_string();
        let samples = done.failed.into_iter().map(|demand| ErrorSample { demand, message: message.clone() });
        job.errors.extend(samples.take(room));
    }

    async fn end(&mut self, state: State) -> Result<Ended> {
        let job = self.job();
        (job.state, job.end_time) = (state, Some(Timestamp::now()));
        if state == State::Done {
            // a demand that went away meanwhile has no result, and is none of the selection's any more
            job.counts.demands = job.counts.done;
        }
        Ok(if self.save().await? { Ended::Over } else { Ended::Lost })
    }

    /// Writes the job over what others have written since: they only ask it to stop. `false` where it has ended.
    async fn save(&mut self) -> Result<bool> {
        let worked = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0);
        self.since = Instant::now();
        self.job().worked_ms += worked;
        let index = Arc::clone(&self.runner.engine.index);
        while !jobs::write(&*index, &mut self.stored).await? {
            let fresh = jobs::read(&*index, self.stored.job.id).await?;
            // attempts are counted by whoever takes a job up: others' mean that they took this instance for dead
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
