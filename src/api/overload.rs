//! Overload: how calls whose callers wait for the answer are let in, and when they are refused.
//!
//! As many calls run as the machine can work on without making them wait for long ([`Limit`]). Others wait in a line in
//! which callers take turns. A line that is empty from time to time is a burst, and its calls may wait. A line
//! that has stood for the time of a burst is an overload: from then on calls wait for the target only, and no more of them
//! wait than run; the others are refused before their request is read. (After Facebook's use of CoDel: Maurer, "Fail at
//! Scale", ACM Queue 13(8), 2015.)

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::time::timeout;

use super::limit::{Limit, LimitRange};
use crate::{error::Error, metrics};
use duijie_cpu::{Call, Place, Places};

/// Calls for each processor: at least, and at the start.
const MIN_FOR_EACH: usize = 2;
const START_FOR_EACH: usize = 8;
/// When a refused caller shall come back, in milliseconds: not all at once.
const RETRY_MS: std::ops::Range<u64> = 500..1_500;

/// How long calls may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Time for which calls wait on average while they run, and at most before that in an overload.
    pub target: Duration,
    /// Time that a call may wait before it runs, and after which a line counts as an overload.
    pub burst: Duration,
}

/// Lets calls in; clones share the line.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    running: Places,
    limit: Mutex<Limit>,
    waits: Waits,
}

/// A call that runs, until dropped.
pub struct Running {
    gate: Gate,
    call: Call,
    _place: Place,
}

// === impl Gate ===

impl Gate {
    /// A gate for at most so many calls.
    pub fn new(max_calls: usize, waits: Waits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let range = LimitRange { min: MIN_FOR_EACH * cores, start: START_FOR_EACH * cores, max: max_calls };
        let limit = Limit::new(range, waits.target, Instant::now());
        metrics::running_limit(limit.calls());
        Self(Arc::new(Inner { running: Places::new(limit.calls(), max_calls), limit: Mutex::new(limit), waits }))
    }

    /// Refuses a call that would wait in vain.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub fn check(&self, call: &Call) -> Result<(), Error> {
        self.patience(call).map(drop)
    }

    /// Waits until the call may run.
    ///
    /// # Errors
    /// [`Error::Busy`] if its turn does not come in time.
    pub async fn enter(&self, call: &Call) -> Result<Running, Error> {
        let inner = &*self.0;
        let patience = self.patience(call)?;
        if inner.running.stats().held >= inner.limit.lock().calls() {
            self.note(|limit, now| limit.was_full(now));
        }
        let place = timeout(patience, inner.running.take_for(Some(call))).await;
        let place = place.map_err(|_| refused())?.map_err(|_| refused())?;
        Ok(Running { gate: self.clone(), call: call.clone(), _place: place })
    }

    /// How long a call may wait.
    fn patience(&self, call: &Call) -> Result<Duration, Error> {
        let Inner { running, waits, limit } = &*self.0;
        let stats = running.stats();
        let stood = stats.waiting_since.map_or(Duration::ZERO, |since| since.elapsed());
        if stood < waits.burst {
            return Ok((waits.burst - stood).max(waits.target));
        }
        let mine = running.waiting_of(call);
        let callers = stats.callers + usize::from(mine == 0);
        let share = (limit.lock().calls() / callers.max(1)).max(1);
        if stats.waiting_since.is_some() && share <= mine { Err(refused()) } else { Ok(waits.target) }
    }

    fn note(&self, what: impl FnOnce(&mut Limit, Instant)) {
        let (before, calls) = {
            let mut limit = self.0.limit.lock();
            let before = limit.calls();
            what(&mut limit, Instant::now());
            (before, limit.calls())
        };
        if before != calls {
            self.0.running.set_total(calls);
            metrics::running_limit(calls);
        }
    }
}

fn refused() -> Error {
    metrics::shed();
    Error::Busy { retry_ms: fastrand::u64(RETRY_MS) }
}

// === impl Running ===

impl Drop for Running {
    fn drop(&mut self) {
        let waited = self.call.waited();
        self.gate.note(|limit, now| limit.ended(waited, now));
    }
}

#[cfg(test)]
mod tests;
