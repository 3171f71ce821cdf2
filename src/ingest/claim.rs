//! One call at a time per record: a later call waits until the earlier one has stored the records named by both.
//!
//! Claims are granted in the order of the requests. The parts of a stream request theirs in order, so a record that
//! appears in several parts is stored in that order, although the parts are processed at the same time.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use duijie_core::domain::RecordName;

/// The records that calls are working on.
#[derive(Debug, Default)]
pub struct Claims {
    /// Held while waiting: tokio's mutex is fair, so waiters proceed in the order of arrival.
    turn: tokio::sync::Mutex<()>,
    held: Mutex<HashSet<RecordName>>,
    freed: Notify,
}

/// Claimed records; released when dropped.
#[derive(Debug)]
pub struct Claim {
    claims: Arc<Claims>,
    names: HashSet<RecordName>,
}

// === impl Claims ===

impl Claims {
    /// Waits until all these records are free, then claims them together.
    pub async fn claim(self: &Arc<Self>, names: HashSet<RecordName>) -> Claim {
        let _turn = self.turn.lock().await;
        while !self.try_hold(&names) {
            // only the holder of the turn waits here, and a permit issued meanwhile is kept, so none is missed
            self.freed.notified().await;
        }
        Claim { claims: Arc::clone(self), names }
    }

    fn try_hold(&self, names: &HashSet<RecordName>) -> bool {
        let mut held = self.held.lock();
        let free = held.is_disjoint(names);
        if free {
            held.extend(names.iter().cloned());
        }
        free
    }
}

// === impl Claim ===

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.claims.held.lock();
        self.names.iter().for_each(|name| drop(held.take(name)));
        drop(held);
        self.claims.freed.notify_one();
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
        assert!(claims.held.lock().is_empty());
    }
}
