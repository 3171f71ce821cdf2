//! The pool: places for running work, and a bounded queue for each lane.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokio::sync::oneshot;

use crate::{Call, CpuError, Lane, Places};

/// A pool. Callers take turns in each lane, and so do the calls of a caller.
#[derive(Debug)]
pub struct Pool {
    interactive: Places,
    bulk: Places,
    long: Places,
}

/// Numbers of a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// Calls that wait for a place.
    pub pending: usize,
    /// Calls whose work runs.
    pub running: usize,
}

// === impl Pool ===

impl Pool {
    /// A pool that runs `places` works of each lane at a time, and lets `queue` more calls wait.
    pub fn new(places: usize, queue: usize) -> Self {
        let queue = || Places::new(places, queue);
        Self { interactive: queue(), bulk: queue(), long: queue() }
    }

    /// Runs work outside the async threads. If its caller goes away while it waits, it never begins; if it has begun, it
    /// ends, and holds its place until then. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`CpuError::Busy`] if too many calls wait, [`CpuError::Panicked`], [`CpuError::Closed`].
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CpuError> {
        let place = self.lane(lane).take().await?;
        // work of the other lanes waits for its like, and is made to
        if lane == Lane::Interactive
            && let Some(call) = Call::current()
        {
            call.add_wait(place.waited());
        }
        let (reply, answer) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            if reply.is_closed() {
                return;
            }
            let done = caught(work);
            // the place is free before the caller goes on; one that has gone takes no answer
            drop(place);
            let _ = reply.send(done);
        });
        answer.await.map_err(|_| CpuError::Closed)?
    }

    /// Numbers of a lane.
    pub fn stats(&self, lane: Lane) -> LaneStats {
        let stats = self.lane(lane).stats();
        LaneStats { pending: stats.waiting, running: stats.held }
    }

    fn lane(&self, lane: Lane) -> &Places {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Bulk => &self.bulk,
            Lane::Long => &self.long,
        }
    }
}

/// Runs work; a panic becomes an error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, CpuError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| CpuError::Panicked(message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_string())
}
