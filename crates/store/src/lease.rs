//! Duties that only one process may do at a time: claimed, kept by renewal, free again when given up or run out.
//!
//! A lease never compares clocks of two machines. Who holds one counts from the moment before its last renewal was sent;
//! who wants one waits until it has seen the same renewal for the whole period by its own clock. (After the lock client
//! of Amazon DynamoDB, "Building Distributed Locks with the DynamoDB Lock Client", 2017.)

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::Result;

/// Time after which a duty that its holder has not renewed is free.
pub const LEASE_PERIOD: Duration = Duration::from_secs(10);
/// Time between renewals: two may fail before the duty is lost.
pub const RENEW_EVERY: Duration = Duration::from_secs(3);

/// Rebuilding a store, restoring it, or copying into it: while somebody holds this duty, no instance serves.
pub const MAINTENANCE: &str = "maintenance";

/// Handing out duties among all processes that share a store.
pub trait Leases: Send + Sync + 'static {
    /// Claims a duty that only one process may do at a time, such as [`MAINTENANCE`]; `None` where another has it. A
    /// holder that died loses it after [`LEASE_PERIOD`].
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

/// Duties of a store that no other process can open.
#[derive(Debug, Clone, Default)]
pub struct LocalDuties(Arc<Mutex<HashSet<String>>>);

/// Takes a duty off the list, however its keeper ends.
struct Held {
    duties: LocalDuties,
    duty: String,
}

// === impl Lease ===

impl Lease {
    /// A lease that is kept by a task until it hears `stop`; the task says through `lost` when it could not renew it.
    pub(super) fn kept<F>(duty: &str, keep: impl FnOnce(oneshot::Receiver<()>, watch::Sender<bool>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (losing, lost) = watch::channel(false);
        let keeper = tokio::spawn(keep(stopped, losing));
        Self { duty: duty.to_string(), lost, stop: Some(stop), keeper }
    }

    /// Which duty it is.
    pub fn duty(&self) -> &str {
        &self.duty
    }

    /// Whether the duty is still this process's. Work that only one may do is to be stopped where it is not.
    pub fn held(&self) -> bool {
        !*self.lost.borrow()
    }

    /// Resolves when the duty is lost; never, as long as it is held.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        if lost.wait_for(|lost| *lost).await.is_err() {
            // its keeper has ended without a word: with the runtime, or by `release`
            std::future::pending::<()>().await;
        }
    }

    /// Gives the duty up and waits until another can have it.
    pub async fn release(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.keeper).await;
    }
}

// === impl LocalDuties ===

impl LocalDuties {
    /// Claims a duty; `None` where it is taken.
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
