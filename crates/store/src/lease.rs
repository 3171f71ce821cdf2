//! Duties that only one process may hold at a time. A duty is claimed, kept by renewal, and free again when released or
//! expired.
//!
//! A lease never compares clocks of two machines. A holder measures its lease from just before it sent the last
//! renewal. A waiter takes over after it has seen no new renewal for one lease period on its own clock. (After the lock
//! client of Amazon DynamoDB, "Building Distributed Locks with the DynamoDB Lock Client", 2017.)

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::Result;

/// Lease period: a duty without a renewal for this long is free.
pub const LEASE_PERIOD: Duration = Duration::from_secs(10);
/// Time between renewals; two may fail before the lease is lost.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(3);

/// Duty of rebuilding, restoring or copying into a store. While it is held, no instance serves.
pub const MAINTENANCE: &str = "maintenance";

/// Duties among all processes that share a store.
pub trait Leases: Send + Sync + 'static {
    /// Claims a duty, such as [`MAINTENANCE`]; `None` if another process holds it. A holder that died loses the duty
    /// after [`LEASE_PERIOD`].
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>>;
}

/// A duty that this process has. Dropping it gives it up, a moment later.
#[derive(Debug)]
pub struct Lease {
    duty: String,
    lost: watch::Receiver<bool>,
    stop: Option<oneshot::Sender<()>>,
    keeper: JoinHandle<()>,
}

/// Duties of a store that only this process can open.
#[derive(Debug, Clone, Default)]
pub struct LocalDuties(Arc<Mutex<HashSet<String>>>);

/// Frees a duty on drop, however the keeper task ends.
struct Held {
    duties: LocalDuties,
    duty: String,
}

// === impl Lease ===

impl Lease {
    /// Lease kept by a task until it receives `stop`; the task reports a lost lease through `lost`.
    pub(super) fn kept<F>(duty: &str, keep: impl FnOnce(oneshot::Receiver<()>, watch::Sender<bool>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (losing, lost) = watch::channel(false);
        let keeper = tokio::spawn(keep(stopped, losing));
        Self { duty: duty.to_string(), lost, stop: Some(stop), keeper }
    }

    /// Name of the duty.
    pub fn duty(&self) -> &str {
        &self.duty
    }

    /// Returns whether this process still holds the duty. If not, stop the work that only one process may do.
    pub fn held(&self) -> bool {
        !*self.lost.borrow()
    }

    /// Resolves when the lease is lost; pending while it is held.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        if lost.wait_for(|lost| *lost).await.is_err() {
            // the keeper ended without a loss: by `release`, or with the runtime
            std::future::pending::<()>().await;
        }
    }

    /// Releases the duty and waits until another process can claim it.
    pub async fn release(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.keeper).await;
    }
}

// === impl LocalDuties ===

impl LocalDuties {
    /// Claims a duty; `None` if it is held.
    pub fn claim(&self, duty: &str) -> Option<Lease> {
        let free = self.0.lock().insert(duty.to_string());
        if !free {
            return None;
        }
        let held = Held { duties: self.clone(), duty: duty.to_string() };
        Some(Lease::kept(duty, |stopped, losing| async move {
            let _kept = (held, losing);
            let _ = stopped.await;
        }))
    }
}

// === impl Held ===

impl Drop for Held {
    fn drop(&mut self) {
        self.duties.0.lock().remove(&self.duty);
    }
}
