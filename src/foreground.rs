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

/// How long one piece of batch work waits for a quiet moment at most: under load without an end it still goes on, ten
/// pieces a second for each that works.
const PATIENCE: Duration = Duration::from_millis(100);

/// Counts the calls whose callers wait for the answer; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Foreground(Arc<Count>);

#[derive(Debug)]
struct Count {
    waiting: AtomicUsize,
    quiet: Notify,
    /// Where pieces of batch work stand in line that came while somebody waited.
    line: Semaphore,
}

/// The turn of a piece of batch work, until it is dropped.
#[derive(Debug)]
#[must_use = "the turn is over when it is dropped"]
pub struct Turn<'a> {
    _place: Option<SemaphorePermit<'a>>,
}

/// A call that somebody waits for, until it is dropped.
#[derive(Debug)]
pub struct ForegroundCall(Foreground);

// === impl Foreground ===

impl Foreground {
    /// Counts a call in.
    pub fn enter(&self) -> ForegroundCall {
        self.0.waiting.fetch_add(1, SeqCst);
        ForegroundCall(self.clone())
    }

    /// Foreground that somebody waits for now.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(SeqCst)
    }

    /// Resolves once no caller waits, or after 100 ms. Batch reads that had to wait then run one at a time, so that the
    /// next caller, who often comes at once, competes with one of them and not with all.
    pub async fn yield_to_foreground(&self) -> Turn<'_> {
        if self.waiting() == 0 {
            return Turn { _place: None };
        }
        let end = Instant::now() + PATIENCE;
        let Ok(Ok(place)) = timeout_at(end, self.0.line.acquire()).await else {
            return Turn { _place: None };
        };
        let quiet = self.0.quiet.notified();
        tokio::pin!(quiet);
        // from here on no last call goes unnoticed
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
        // the second does not stand in line for longer, although the first is still at work
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
            // one that comes now, when nobody waits, does not stand in line
            assert!(foreground.yield_to_foreground().now_or_never().is_some());
        }
    }
}
