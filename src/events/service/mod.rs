//! The service of matchmaking events: events, participants, shortlists, schedules, outcomes, over the store, the matcher
//! and the two optimisations.
//!
//! - `store`: how an event lies in the store's documents
//! - `stored`: the event's own document
//! - `life`: create, read, change, delete, publish
//! - `participants`: who takes part
//! - `edits`: what staff decide
//! - `planning`: shortlists and schedules made and kept; `replan`: changes on the day
//! - `scores`: what pairs are worth
//! - `allocate`, `arrange`: between events and the optimisations, pure
//! - `outcomes`: what came of the meetings
//! - `report`: all of an event at once, for lists and exports
//!
//! Everything that changes an event is done by one caller at a time (a lease), and is written to the event's own document
//! last, only if nobody wrote it meanwhile. A plan is written beside it in parts that are never changed; the event's document
//! says which plan holds, so that a new one appears whole or not at all.

mod allocate;
mod arrange;
mod edits;
mod life;
mod outcomes;
mod participants;
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
pub use life::{Change as EventChange, MAX_REQUEST_ID_CHARS, Page as EventPage};
pub use outcomes::{MAX_OUTCOME_PAGE, OutcomeChange, OutcomePage, OutcomeQuery, Recorded};
pub use participants::{Added, Draft, Who};
pub use replan::{OnTheDay, Replanned};
pub use report::Report;
use store::Store;
pub use stored::{ParticipantCounts, PlanPointer, StoredEvent};

/// Times that a caller looks whether an event that another works on is free.
const TRIES: u32 = 50;
/// Time between these looks.
const LOOK: Duration = Duration::from_millis(100);
/// When a caller shall come back to an event that another works on, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// The service; clones share its parts.
#[derive(Clone)]
pub struct Events {
    store: Store,
    matcher: Matcher,
    versions: PlanVersions,
}

// === impl Events ===

impl Events {
    /// A service over these parts; the matcher works on the same index.
    pub fn new(index: Arc<dyn Index>, matcher: Matcher, versions: &StoreVersions) -> Self {
        let versions = PlanVersions {
            text: versions.text.clone(),
            model: versions.model.clone(),
            calibration: matcher.calibration().version.clone(),
        };
        Self { store: Store::new(index), matcher, versions }
    }

    /// Does some work on an event while nobody else does.
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
        for _ in 0..TRIES {
            if let Some(lease) = self.store.index().claim(&duty).await? {
                return Ok(lease);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Error::Busy { retry_ms: RETRY_MS })
    }

    /// The event, if it is the one that the caller has seen; an empty etag fits any.
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
