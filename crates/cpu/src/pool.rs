//! The pool: places for running work, and a bounded queue for each lane.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::sync::{Semaphore, oneshot};

use crate::{CpuError, Lane};

/// A pool. Work of a lane starts in the order of its calls.
#[derive(Debug)]
pub struct Pool {
    interactive: Queue,
    bulk: Queue,
    long: Queue,
}

/// Numbers of a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// Calls that wait for a place.
    pub pending: usize,
    /// Calls whose work runs.
    pub running: usize,
}

/// One lane.
#[derive(Debug)]
struct Queue {
    places: Arc<Semaphore>,
    room: Semaphore,
    pending: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
}

/// Counts while it lives.
struct Counted(Arc<AtomicUsize>);

// === impl Pool ===

impl Pool {
    /// A pool that runs `places` works of each lane at a time, and lets `queue` more calls wait.
    pub fn new(places: usize, queue: usize) -> Self {
        let queue = || Queue::new(places, queue);
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
        self.lane(lane).run(work).await
    }

    /// Numbers of a lane.
    pub fn stats(&self, lane: Lane) -> LaneStats {
        let Queue { pending, running, .. } = self.lane(lane);
        LaneStats { pending: pending.load(Relaxed), running: running.load(Relaxed) }
    }

    fn lane(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Bulk => &self.bulk,
            Lane::Long => &self.long,
        }
    }
}

// === impl Queue ===

impl Queue {
    fn new(places: usize, queue: usize) -> Self {
        let (places, room) = (Arc::new(Semaphore::new(places.max(1))), Semaphore::new(queue));
        Self { places, room, pending: Arc::default(), running: Arc::default() }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, CpuError> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let _room = self.room.try_acquire().map_err(|_| CpuError::Busy)?;
                let _pending = Counted::new(&self.pending);
                Arc::clone(&self.places).acquire_owned().await.map_err(|_| CpuError::Closed)?
            }
        };
        let running = Counted::new(&self.running);
        let (reply, answer) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            if reply.is_closed() {
                return;
            }
            let done = caught(work);
            // the place is free before the caller goes on; one that has gone takes no answer
            drop((place, running));
            let _ = reply.send(done);
        });
        answer.await.map_err(|_| CpuError::Closed)?
    }
}

// === impl Counted ===

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
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
