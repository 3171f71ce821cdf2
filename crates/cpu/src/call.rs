//! Whom work is for, so that callers share places fairly, and how long the call has waited for places.
//!
//! Whoever takes a call in sets both once; any code in the same task can read them, at any depth.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

tokio::task_local! {
    static CALL: Call;
}

static CALLS: AtomicU64 = AtomicU64::new(1);

/// A call that is worked on; clones share its time.
#[derive(Debug, Clone)]
pub struct Call {
    turn: Turn,
    waited_us: Arc<AtomicU64>,
}

/// Whose turn something waits for. Work outside of any call has one turn together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Who calls.
    pub(crate) caller: u128,
    /// Number of the call.
    pub(crate) call: u64,
}

// === impl Call ===

impl Call {
    /// A new call of a caller; 0 is nobody.
    pub fn of(caller: u128) -> Self {
        Self { turn: Turn { caller, call: CALLS.fetch_add(1, Relaxed) }, waited_us: Arc::default() }
    }

    /// Runs work as this call.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        CALL.scope(self, work).await
    }

    /// The call whose work this is.
    pub fn current() -> Option<Self> {
        CALL.try_with(Self::clone).ok()
    }

    /// Time that this call has waited for places.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_us.load(Relaxed))
    }

    /// Adds to the time that this call has waited.
    pub fn add_wait(&self, time: Duration) {
        self.waited_us.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn turn(&self) -> Turn {
        self.turn
    }
}

/// Work that belongs to the present call also in a task of its own.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let call = Call::current();
    async move {
        match call {
            Some(call) => call.run(work).await,
            None => work.await,
        }
    }
}
