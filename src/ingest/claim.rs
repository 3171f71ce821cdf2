//! One call at a time per record: a later call waits until the earlier ones have stored the records named by both.
//!
//! Each record has a line of its own. A call stands in the lines of all its records from the moment it asks, so calls
//! with a record in common proceed in the order of their requests, and no other call waits for them. The parts of a
//! stream ask in order, so a record that appears in several parts is stored in that order, although the parts are
//! processed at the same time.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use duijie_core::domain::RecordName;

/// The records that calls are working on, or wait for.
#[derive(Debug, Default)]
pub struct Claims(Mutex<Lines>);

/// Claimed records; released when dropped.
#[derive(Debug)]
pub struct Claim {
    claims: Arc<Claims>,
    number: u64,
    names: HashSet<RecordName>,
}

#[derive(Debug, Default)]
struct Lines {
    next: u64,
    /// The claims of each record; the first one holds it, or waits for its other records.
    lines: HashMap<RecordName, VecDeque<u64>>,
    waiting: HashMap<u64, Waiting>,
}

/// A claim that is not the first in all of its lines.
#[derive(Debug)]
struct Waiting {
    /// Number of lines in which others are before it.
    behind: usize,
    go: oneshot::Sender<()>,
}

// === impl Claims ===

impl Claims {
    /// Waits until all these records are free, then claims them together.
    pub async fn claim(self: &Arc<Self>, names: HashSet<RecordName>) -> Claim {
        let (go, gone) = oneshot::channel();
        // leaves its lines, too, if the caller goes away while it waits
        let claim = Claim { number: self.0.lock().stand(&names, go), claims: Arc::clone(self), names };
        // an error: it did not have to wait
        let _ = gone.await;
        claim
    }
}

// === impl Lines ===

impl Lines {
    /// Stands in the lines of these records; drops `go` if it is the first in all of them.
    fn stand(&mut self, names: &HashSet<RecordName>, go: oneshot::Sender<()>) -> u64 {
        let number = self.next;
        self.next += 1;
        let mut behind = 0;
        for name in names {
            let line = self.lines.entry(name.clone()).or_default();
            behind += usize::from(!line.is_empty());
            line.push_back(number);
        }
        if 0 < behind {
            self.waiting.insert(number, Waiting { behind, go });
        }
        number
    }

    /// Leaves the lines of these records, and lets those go on who are now the first in all of theirs.
    fn leave(&mut self, number: u64, names: &HashSet<RecordName>) {
        self.waiting.remove(&number);
        for name in names {
            let Some(line) = self.lines.get_mut(name) else { continue };
            let was_first = line.front() == Some(&number);
            line.retain(|other| *other != number);
            let Some(first) = line.front().copied() else {
                self.lines.remove(name);
                continue;
            };
            let Some(waiting) = self.waiting.get_mut(&first).filter(|_| was_first) else { continue };
            waiting.behind -= 1;
            if waiting.behind == 0
                && let Some(Waiting { go, .. }) = self.waiting.remove(&first)
            {
                // one whose caller has gone leaves by itself
                let _ = go.send(());
            }
        }
    }
}

// === impl Claim ===

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().leave(self.number, &self.names);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn names(ids: &[&str]) -> HashSet<RecordName> {
        ids.iter().map(|id| format!("demands/{id}").parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn who_comes_first_goes_first() {
        let claims = Arc::new(Claims::default());
        let first = claims.claim(names(&["a", "b"])).await;
        let other = claims.claim(names(&["c"])).await;
        let second = claims.claim(names(&["b", "d"]));
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        // its record is free, but the second claim is ahead of it
        let third = claims.claim(names(&["d"]));
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none());
        drop(other);
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        let second = second.await;
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        drop(third.await);
        assert!(claims.0.lock().lines.is_empty());
    }

    #[tokio::test]
    async fn claims_of_other_names_do_not_wait() {
        let claims = Arc::new(Claims::default());
        let held = claims.claim(names(&["a"])).await;
        let waiting = claims.claim(names(&["a", "b"]));
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        // others are before it at the record that it waits for, and nobody is at this one
        assert!(claims.claim(names(&["c"])).now_or_never().is_some());
        assert!(claims.claim(names(&[])).now_or_never().is_some());
        drop(held);
        drop(waiting.await);
        assert!(claims.0.lock().lines.is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_leaves_its_lines() {
        let claims = Arc::new(Claims::default());
        let held = claims.claim(names(&["a"])).await;
        let mut gone = Box::pin(claims.claim(names(&["a", "b"])));
        assert!(gone.as_mut().now_or_never().is_none());
        let mut behind = Box::pin(claims.claim(names(&["b"])));
        let mut last = Box::pin(claims.claim(names(&["a", "b"])));
        assert!(behind.as_mut().now_or_never().is_none() && last.as_mut().now_or_never().is_none());
        drop(gone);
        let behind = behind.as_mut().now_or_never().expect("nobody is before it");
        drop(held);
        assert!(last.as_mut().now_or_never().is_none());
        drop(behind);
        drop(last.await);
        let lines = claims.0.lock();
        assert!(lines.lines.is_empty() && lines.waiting.is_empty());
    }

    #[tokio::test]
    async fn no_two_hold_one_record_and_all_go_on() {
        let claims = Arc::new(Claims::default());
        let held = Arc::new(Mutex::new(HashSet::new()));
        let mut calls = Vec::new();
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let ids: Vec<String> = (0..random.usize(0..4)).map(|_| random.u8(0..6).to_string()).collect();
            let names = names(&ids.iter().map(String::as_str).collect::<Vec<_>>());
            let (claims, held) = (Arc::clone(&claims), Arc::clone(&held));
            calls.push(async move {
                let claim = claims.claim(names.clone()).await;
                assert!(names.iter().all(|name| held.lock().insert(name.clone())));
                tokio::task::yield_now().await;
                names.iter().for_each(|name| assert!(held.lock().remove(name)));
                drop(claim);
            });
        }
        futures::future::join_all(calls).await;
        assert!(claims.0.lock().lines.is_empty());
    }
}
