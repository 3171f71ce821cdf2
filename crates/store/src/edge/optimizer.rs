//! One thread that builds graphs and purges deleted points, for all shards in turn. Reads and writes go on meanwhile;
//! only checkpoints wait.

use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use super::{shard::Shard, writer::WriterCommand};
use crate::Result;

/// Interval of checks for due work.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pause after a failed run; a run that failed for lack of disk space would fail again.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(300);

/// A shard with the channel to its writer.
#[derive(Clone)]
pub(super) struct Charge {
    /// The shard.
    pub(super) shard: Arc<Shard>,
    /// Channel to its writer.
    pub(super) writer: SyncSender<WriterCommand>,
}

/// Runs until the sender of `stop` is dropped.
pub(super) fn run(charges: &[Charge], stop: &Receiver<()>) {
    let mut rest_until = vec![Instant::now(); charges.len()];
    while stop.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        for (charge, rest_until) in charges.iter().zip(&mut rest_until) {
            let now = Instant::now();
            if *rest_until <= now && is_due(&charge.shard, now) && optimize(charge).is_err() {
                *rest_until = Instant::now() + REST_AFTER_FAILURE;
            }
        }
    }
}

/// Runs the optimiser on one shard; skips a suspect shard.
pub(super) fn optimize(charge: &Charge) -> Result<()> {
    let shard = &charge.shard;
    let guard = shard.maintain();
    if shard.state.suspect.load(Relaxed) {
        return Ok(());
    }
    if let Err(error) = shard.disk().check_optimize() {
        tracing::warn!(collection = %shard.place.collection, %error, "no optimisation");
        return Err(error);
    }
    let started = Instant::now();
    // reset before the run, so that a failed run is not repeated at once
    shard.state.changed.store(0, Relaxed);
    shard.state.optimizing.store(true, Relaxed);
    let done = shard.place.mark_optimizing().and_then(|()| {
        let done = shard.read(qdrant_edge::EdgeShard::optimize);
        // a failed run leaves old segments without the latest deletions, or proxies in place; a run that failed for
        // lack of space before it began does not
        let begun = !done.as_ref().is_err_and(|error| error.to_string().contains("Not enough space"));
        shard.state.suspect.store(done.is_err() && begun, Relaxed);
        done
    });
    shard.state.optimizing.store(false, Relaxed);
    if let Err(error) = &done {
        tracing::error!(collection = %shard.place.collection, %error, "optimisation failed");
    }
    shard.look();
    drop(guard);
    if let Ok(true) = done {
        let seconds = started.elapsed().as_secs_f32();
        tracing::info!(collection = %shard.place.collection, seconds, "optimised");
    }
    // if the queue is full, the writer is busy and reaches its own checkpoint
    let _ = charge.writer.try_send(WriterCommand::Checkpoint);
    done.map(|_| ())
}

fn is_due(shard: &Shard, now: Instant) -> bool {
    let changed = shard.state.changed.load(Relaxed);
    let many = shard.tuning.optimize_after_points.max(shard.state.points.load(Relaxed) / 5);
    let rest = now.saturating_duration_since(shard.state.last_write());
    0 < changed && (many <= changed || shard.tuning.optimize_after_rest <= rest)
}
