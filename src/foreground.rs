//! Foreground calls, so that batch work can yield to them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// Longest time that one piece of batch work waits for a quiet moment. Under endless load each worker still completes
/// ten pieces a second.
const PATIENCE: Duration = Duration::from_millis(100);

/// Counts the calls whose callers are waiting for the answer; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Foreground(Arc<Count>);

#[derive(Debug)]
struct Count {
    waiting: AtomicUsize,
    quiet: Notify,
    /// Queue of the batch pieces that arrived while a caller was waiting.
    line: Semaphore,
}

/// Turn of a piece of batch work, until dropped.
#[derive(Debug)]
#[must_use = "the turn is over when it is dropped"]
pub struct Turn<'a> {
    _place: Option<SemaphorePermit<'a>>,
}

/// A call whose caller is waiting, until dropped.
#[derive(Debug)]
pub struct ForegroundCall(Foreground);

// === impl Foreground ===

impl Foreground {
    /// Counts a call until the result is dropped.
    pub fn enter(&self) -> ForegroundCall {
        self.0.waiting.fetch_add(1, SeqCst);
        ForegroundCall(self.clone())
    }

    /// Number of calls whose callers are waiting now.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(SeqCst)
    }

    /// Resolves once no caller waits, or after 100 ms. Batch reads that had to wait then run one at a time: the next
    /// call often comes at once, and then competes with one of them, not with all.
    pub(crate) async fn yield_to_foreground(&self) -> Turn<'_> {
        if self.waiting() == 0 {
            return Turn { _place: None };
        }
        let end = Instant::now() + PATIENCE;
        let Ok(Ok(place)) = timeout_at(end, self.0.line.acquire()).await else {
            return Turn { _place: None };
        };
        let quiet = self.0.quiet.notified();
        tokio::pin!(quiet);
        // from here on the end of the last call is always noticed
        quiet.as_mut().enable();
        if self.waiting() != 0 {
            let _ = timeout_at(end, quiet).await;
        }
        Turn { _place: Some(place) }
    }
}

// === impl Count ===

impl Default for Count {
    fn default() -> Self {
        Self { waiting: AtomicUsize::default(), quiet: Notify::new(), line: Semaphore::new(1) }
    }
}

// === impl ForegroundCall ===

impl Drop for ForegroundCall {
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
        let foreground = Foreground::default();
        assert!(foreground.yield_to_foreground().now_or_never().is_some());
        let (one, other) = (foreground.enter(), foreground.enter());
        let started = std::time::Instant::now();
        // the second piece waits no longer, although the first is still at work
        let turns = tokio::join!(foreground.yield_to_foreground(), foreground.yield_to_foreground());
        assert!(PATIENCE <= started.elapsed());
        drop(turns);
        let room = foreground.yield_to_foreground();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        drop(one);
        assert!(room.as_mut().now_or_never().is_none());
        drop(other);
        assert!(room.as_mut().now_or_never().is_some());
        assert_eq!(foreground.waiting(), 0);
    }

    #[tokio::test]
    async fn pieces_that_had_to_wait_go_one_after_the_other() {
        let foreground = Foreground::default();
        let call = foreground.enter();
        let mut pieces = [(); 3].map(|()| Box::pin(foreground.yield_to_foreground()));
        assert!(pieces.iter_mut().all(|piece| piece.now_or_never().is_none()));
        drop(call);
        for next in 0..3 {
            let turn = pieces[next].as_mut().now_or_never();
            assert!(turn.is_some());
            assert!(pieces[next + 1..].iter_mut().all(|piece| piece.now_or_never().is_none()));
            // a piece that comes now, when no caller waits, does not queue
            assert!(foreground.yield_to_foreground().now_or_never().is_some());
        }
    }
}
