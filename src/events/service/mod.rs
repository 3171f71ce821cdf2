//! Service of matchmaking events: events, participants, shortlists, schedules, outcomes. It uses the store, the matcher
//! and the two optimisations.
//!
//! - `store`: layout of an event in the store's documents
//! - `stored`: the event's own document
//! - `life`: create, read, change, delete, publish
//! - `participants`: participants of an event
//! - `edits`: staff decisions
//! - `planning`: makes and stores shortlists and schedules; `replan`: changes on the day
//! - `scores`: scores of candidate pairs
//! - `allocate`, `arrange`: conversion between events and the optimisations, pure
//! - `outcomes`: outcomes of meetings
//! - `report`: all data of an event, for exports
//! - `pieces`: plans in pieces, pure; `pages`: pages of a plan's lists
//!
//! A lease lets one caller at a time change an event. The event's own document is written last, and only if it has not
//! changed meanwhile. A plan is written beside it in immutable parts. The event's document points to the current plan,
//! so that a new plan appears whole or not at all.

mod allocate;
mod arrange;
mod edits;
mod life;
mod outcomes;
mod pages;
mod participants;
mod pieces;
mod planning;
mod refusal;
mod replan;
mod report;
mod scores;
mod store;
pub mod stored;

#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    error::{Error, Result},
    events::model::{EventError, PlanVersions},
    matching::Matcher,
};
use duijie_store::{Index, Lease, StoreVersions};
pub use life::{MAX_REQUEST_ID_CHARS, Page as EventPage};
pub use outcomes::{MAX_OUTCOME_PAGE, OutcomeChange, OutcomePage, OutcomeQuery, Recorded};
pub use pages::{ListPage, ListRange, Planned, Summary};
pub use participants::{Added, Draft, Who};
pub use replan::{OnTheDay, Replanned};
pub use report::Report;
use store::Store;
pub use stored::{ParticipantCounts, PlanPointer, StoredEvent};

/// Maximum attempts to get the lease of an event.
const TRIES: u32 = 50;
/// Time between these attempts.
const LOOK: Duration = Duration::from_millis(100);
/// Retry delay for an event that another caller works on, in milliseconds.
const RETRY_MS: u64 = 1_000;
/// Default deadline of making a plan.
const PLANNING_DEADLINE: Duration = Duration::from_secs(600);

/// The service; clones share its parts.
#[derive(Clone)]
pub struct Events {
    store: Store,
    matcher: Matcher,
    versions: PlanVersions,
    planning_deadline: Duration,
    /// Maximum attempts to get the lease of an event.
    tries: u32,
}

// === impl Events ===

impl Events {
    /// Creates the service from its parts; the matcher must use the same index.
    pub fn new(index: Arc<dyn Index>, matcher: Matcher, versions: &StoreVersions) -> Self {
        let versions = PlanVersions {
            text: versions.text.clone(),
            model: versions.model.clone(),
            calibration: matcher.calibration().version.clone(),
        };
        Self { store: Store::new(index), matcher, versions, planning_deadline: PLANNING_DEADLINE, tries: TRIES }
    }

    /// The same service with another deadline of making a plan.
    #[must_use]
    pub(crate) fn with_deadline(mut self, planning: Duration) -> Self {
        self.planning_deadline = planning;
        self
    }

    /// Runs work on an event under its lease.
    async fn alone<T>(&self, id: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let lease = self.claim(id).await?;
        let done = tokio::select! {
            done = work => done,
            () = lease.lost() => Err(Error::Busy { retry_ms: RETRY_MS }),
        };
        lease.release().await;
        done
    }

    async fn claim(&self, id: &str) -> Result<Lease> {
        let duty = format!("event/{id}");
        for _ in 0..self.tries {
            if let Some(lease) = self.store.index().claim(&duty).await? {
                return Ok(lease);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Error::Busy { retry_ms: RETRY_MS })
    }

    /// Returns the event if its etag is the caller's; an empty etag matches any.
    async fn seen(&self, id: &str, etag: &str) -> Result<StoredEvent> {
        let stored = self.store.event(id).await?;
        if etag.is_empty() || etag == stored.etag() {
            return Ok(stored);
        }
        Err(EventError::Stale { current: stored.etag() }.into())
    }

    /// Writes the event's own document, the last step of every change.
    async fn keep(&self, mut stored: StoredEvent) -> Result<StoredEvent> {
        stored.event.update_time = now();
        self.store.write_event(stored).await
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}
