//! Calls whose callers wait, so that work that nobody waits for can leave them room.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::sync::Notify;

/// How long one piece of batch work waits for a quiet moment at most: under load without an end it still goes on, ten
/// pieces a second for each that works.
const PATIENCE: Duration = Duration::from_millis(100);

/// Counts the calls that somebody waits for; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    waiting: AtomicUsize,
    quiet: Notify,
}

/// A call that somebody waits for, until it is dropped.
#[derive(Debug)]
pub struct Waiting(Calls);

// === impl Calls ===

impl Calls {
    /// Counts a call in.
    pub fn enter(&self) -> Waiting {
        self.0.waiting.fetch_add(1, SeqCst);
        Waiting(self.clone())
    }

    /// Calls that somebody waits for now.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(SeqCst)
    }

    /// Resolves once nobody waits, or after a tenth of a second.
    pub async fn leave_room(&self) {
        let quiet = self.0.quiet.notified();
        tokio::pin!(quiet);
        // from here on no last call goes unnoticed
        quiet.as_mut().enable();
        if self.waiting() != 0 {
            let _ = tokio::time::timeout(PATIENCE, quiet).await;
        }
    }
}

// === impl Waiting ===

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.0.0.waiting.fetch_sub(1, SeqCst) == 1 {
            self.0.0.quiet.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn batch_work_goes_on_when_nobody_waits_or_after_its_patience() {
        let calls = Calls::default();
        assert!(calls.leave_room().now_or_never().is_some());
        let (one, other) = (calls.enter(), calls.enter());
        let started = std::time::Instant::now();
        calls.leave_room().await;
        assert!(PATIENCE <= started.elapsed());
        let room = calls.leave_room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        drop(one);
        assert!(room.as_mut().now_or_never().is_none());
        drop(other);
        assert!(room.as_mut().now_or_never().is_some());
        assert_eq!(calls.waiting(), 0);
    }
}
