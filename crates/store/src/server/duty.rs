//! Duties as documents: claimed, renewed and released by conditional writes.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{
    core::ServerCore,
    state::{self, StateDocument},
    wire::WireFailure,
};
use crate::{Lease, MAINTENANCE, Result};

/// For each duty: the token of its last renewal, and when this process first saw it, on its own clock.
pub(super) type Sightings = HashMap<String, (String, Instant)>;

/// Text of a duty's document.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    holder: String,
    /// For people inspecting the collection.
    process: u32,
}

/// Claims a duty; `None` while another process holds it.
pub(super) async fn claim(core: &Arc<ServerCore>, duty: &str) -> Result<Option<Lease>> {
    let error = |failure| core.wire.error(failure);
    let key = key(duty);
    let seen = state::read(core, &[&key]).await.map_err(error)?.into_iter().next().flatten();
    if seen.as_ref().is_some_and(|seen| held(core, duty, seen).is_some()) {
        return Ok(None);
    }
    let sent = Instant::now();
    let Some(document) = state::put(core, &key, text(core), seen.as_ref()).await.map_err(error)? else {
        return Ok(None);
    };
    let until = sent + core.pace.lease_period;
    let keep = Keep { core: Arc::clone(core), duty: duty.to_string(), document, until };
    let lease = Lease::kept(duty, |stopped, losing| keep.run(stopped, losing));
    if duty == MAINTENANCE {
        // wait until every instance has stopped serving and its started requests have ended
        sleep(core.pace.stale_after + core.wire.timeout).await;
    }
    Ok(Some(lease).filter(Lease::held))
}

/// Holder of a duty, as far as known now. `None` if the document says so, or if this process has seen no renewal for
/// one lease period.
pub(super) fn held(core: &ServerCore, duty: &str, seen: &StateDocument) -> Option<String> {
    let holder = serde_json::from_str::<Holder>(&seen.value).ok()?.holder;
    let mut sightings = core.sightings.lock();
    let sighting = sightings.entry(duty.to_string()).or_insert_with(|| (seen.write.clone(), Instant::now()));
    if sighting.0 != seen.write {
        *sighting = (seen.write.clone(), Instant::now());
    }
    (sighting.1.elapsed() < core.pace.lease_period).then_some(holder)
}

/// Key of a duty's document.
pub(super) fn key(duty: &str) -> String {
    format!("duty/{duty}")
}

fn text(core: &ServerCore) -> String {
    let holder = Holder { holder: core.holder.clone(), process: std::process::id() };
    serde_json::to_string(&holder).unwrap_or_default()
}

/// Keeps a lease by renewing it.
struct Keep {
    core: Arc<ServerCore>,
    duty: String,
    document: StateDocument,
    /// End of the lease by the last renewal.
    until: Instant,
}

// === impl Keep ===

impl Keep {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>, losing: watch::Sender<bool>) {
        loop {
            tokio::select! {
                _ = &mut stopped => return self.give_up().await,
                () = sleep(self.core.pace.renew_every) => {}
            }
            let held = match timeout_at(self.until, self.renew()).await {
                Ok(Ok(held)) => held,
                // two more tries fit into the lease period
                Ok(Err(failure)) => {
                    tracing::warn!(duty = self.duty, ?failure, "a duty could not be renewed");
                    Instant::now() < self.until
                }
                Err(_) => false,
            };
            if !held {
                tracing::warn!(duty = self.duty, "a duty was lost");
                let _ = losing.send(true);
                return;
            }
        }
    }

    /// Renews the lease; returns whether this process still holds it.
    async fn renew(&mut self) -> std::result::Result<bool, WireFailure> {
        let key = key(&self.duty);
        let sent = Instant::now();
        let mut written = state::put(&self.core, &key, text(&self.core), Some(&self.document)).await?;
        if written.is_none() {
            // the response to the last renewal may be lost, so the current token is unknown here
            let now = state::read(&self.core, &[&key]).await?.into_iter().next().flatten();
            written = now.filter(|now| now.value == self.document.value);
        }
        if let Some(document) = &written {
            self.document = document.clone();
            self.until = sent + self.core.pace.lease_period;
        }
        Ok(written.is_some())
    }

    async fn give_up(self) {
        let key = key(&self.duty);
        if let Err(failure) = state::put(&self.core, &key, String::new(), Some(&self.document)).await {
            tracing::warn!(duty = self.duty, ?failure, "a duty could not be given up and will run out");
        }
    }
}
