//! Calls whose callers wait, so that work that nobody waits for can leave them room.

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

/// Counts the calls that somebody waits for; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Count>);

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

    /// Resolves once nobody waits, or after a tenth of a second. Pieces that had to wait go one after the other: the next
    /// caller, who often comes at once, finds one of them at work and not all.
    pub async fn leave_room(&self) -> Turn<'_> {
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
        // the second does not stand in line for longer, although the first is still at work
        let turns = tokio::join!(calls.leave_room(), calls.leave_room());
        assert!(PATIENCE <= started.elapsed());
        drop(turns);
        let room = calls.leave_room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        drop(one);
        assert!(room.as_mut().now_or_never().is_none());
        drop(other);
        assert!(room.as_mut().now_or_never().is_some());
        assert_eq!(calls.waiting(), 0);
    }

    #[tokio::test]
    async fn pieces_that_had_to_wait_go_one_after_the_other() {
        let calls = Calls::default();
        let call = calls.enter();
        let mut pieces = [(); 3].map(|()| Box::pin(calls.leave_room()));
        assert!(pieces.iter_mut().all(|piece| piece.now_or_never().is_none()));
        drop(call);
        for next in 0..3 {
            let turn = pieces[next].as_mut().now_or_never();
            assert!(turn.is_some());
            assert!(pieces[next + 1..].iter_mut().all(|piece| piece.now_or_never().is_none()));
            // one that comes now, when nobody waits, does not stand in line
            assert!(calls.leave_room().now_or_never().is_some());
        }
    }
}
