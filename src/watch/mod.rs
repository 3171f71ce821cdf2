//! Streams of new matches for subscribers.
//!
//! A record's score depends neither on the filter nor on the page. So the new matches since a time are the matches
//! among the records changed since then. Each stream looks repeatedly, starting at its [`Cursor`]; without changes, a
//! look is one count. Only the cursor is kept between looks, and subscribers get it as a token, so any instance can
//! resume any stream.

pub mod cursor;
mod look;
mod saved;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, mpsc::Sender, watch},
    time::Instant,
};

pub use cursor::{Cursor, MatchId, Versioned};
pub use saved::{MAX_SAVED, Saved};

use crate::{
    error::{Error, Result},
    matching::{FreeText, Matcher},
};
use duijie_core::domain::{
    Filter, Kind, RecordName,
    hit::{Level, MatchHit},
};
use duijie_store::Index;

/// Most records of an owner that one stream queries with.
pub(crate) const MAX_QUERIES: usize = 200;
/// Most streams per instance.
pub(crate) const MAX_STREAMS: usize = 64;

/// Watches for new matches; clones share the limits.
#[derive(Clone)]
pub struct Watcher {
    index: Arc<dyn Index>,
    matcher: Matcher,
    pace: Pace,
    streams: Arc<Semaphore>,
    /// Permits one look at a time, so that calls whose callers wait have the other cores.
    looks: Arc<Semaphore>,
}

/// Timing of the streams.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Minimum time between two looks.
    pub look_every: Duration,
    /// Time a subscriber has to take an event while its queue is full.
    pub patience: Duration,
}

/// Description of the wanted matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Query of the subscription.
    pub subject: Subject,
    /// Kind of records to find.
    pub target: Kind,
    /// Conditions on them, except on their update time.
    pub filter: Filter,
    /// Minimum level; only for demands and texts that look for achievements.
    #[serde(rename = "least_level", default, skip_serializing_if = "Option::is_none")]
    pub min_level: Option<Level>,
    /// Minimum score, 0 to 1.
    #[serde(rename = "least_score", default)]
    pub min_score: f64,
}

/// Query of a subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A stored record.
    Record(RecordName),
    /// A text.
    Text(FreeText),
    /// All published records of an owner.
    Owned {
        /// Credit code or name.
        owner: String,
        /// Kind of the records.
        kind: Kind,
    },
}

/// An event in a stream.
#[derive(Debug, Clone)]
pub enum Event {
    /// A new match.
    Match(Box<NewMatch>),
    /// All matches up to this point were sent.
    Checkpoint {
        /// Where to resume.
        cursor: Cursor,
        /// Time of the checkpoint.
        time: Timestamp,
        /// Whether more records were changed within one second than the pages reach.
        cut: bool,
    },
}

/// A new match.
#[derive(Debug, Clone)]
pub struct NewMatch {
    /// Stable id.
    pub id: MatchId,
    /// The querying record with its revision; `None` for a text.
    pub query: Option<(RecordName, u64)>,
    /// The match.
    pub found: MatchHit,
}

/// Why a stream ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The subscriber has disconnected.
    Gone,
    /// The subscriber takes no events.
    Slow,
    /// The service is stopping.
    Stopped,
    /// A look failed.
    Failed(Error),
}

/// One stream.
struct Stream {
    subscription: Subscription,
    cursor: Cursor,
    events: Sender<Event>,
    patience: Duration,
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self { look_every: Duration::from_secs(1), patience: Duration::from_secs(10) }
    }
}

// === impl Subscription ===

impl Subscription {
    /// Whether levels are known for the matches: people graded demands against achievements only.
    pub(crate) fn has_levels(&self) -> bool {
        let asks = match &self.subject {
            Subject::Record(name) => name.kind == Kind::Demand,
            Subject::Text(_) => true,
            Subject::Owned { kind, .. } => *kind == Kind::Demand,
        };
        asks && self.target == Kind::Achievement
    }
}

// === impl Watcher ===

impl Watcher {
    /// A watcher over these parts.
    pub fn new(index: Arc<dyn Index>, matcher: Matcher) -> Self {
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        Self { index, matcher, pace: Pace::default(), streams, looks: Arc::new(Semaphore::new(1)) }
    }

    /// The same watcher with other timing.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Takes one of the places for streams, until the permit is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when all places are taken.
    pub fn place(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Error::Busy { retry_ms: 10_000 })
    }

    /// Makes one look at a subscription, so that its mistakes are reported before a stream begins.
    ///
    /// # Errors
    /// [`Error::Invalid`] if an owner has too many records; the index's errors.
    pub async fn check(&self, subscription: &Subscription) -> Result<()> {
        look::queries(&*self.index, subscription).await.map(drop)
    }

    /// Sends the new matches since `cursor`, and a checkpoint at least every `heartbeat`, until the stream ends.
    pub async fn run(
        &self,
        subscription: Subscription,
        cursor: Cursor,
        heartbeat: Duration,
        events: Sender<Event>,
        mut stop: watch::Receiver<bool>,
    ) -> End {
        let mut stream = Stream { subscription, cursor, events, patience: self.pace.patience };
        let watching = self.watch(&mut stream, heartbeat);
        tokio::select! {
            end = watching => end,
            _ = stop.wait_for(|stopped| *stopped) => End::Stopped,
        }
    }

    async fn watch(&self, stream: &mut Stream, heartbeat: Duration) -> End {
        let mut due = Instant::now();
        loop {
            let started = Instant::now();
            let looked = match self.look(stream).await {
                Ok(looked) => looked,
                Err(end) => return end,
            };
            if 0 < looked.sent || looked.cut || due <= Instant::now() {
                let (cursor, time) = (stream.cursor.clone(), Timestamp::now());
                if let Err(end) = stream.send(Event::Checkpoint { cursor, time, cut: looked.cut }).await {
                    return end;
                }
                due = Instant::now() + heartbeat;
            }
            // slow looks, as with many queries over many changes, are made less often
            let next = started + self.pace.look_every.max(started.elapsed() * 4);
            tokio::select! {
                () = tokio::time::sleep_until(next.min(due.max(started + self.pace.look_every))) => {}
                () = stream.events.closed() => return End::Gone,
            }
        }
    }
}

// === impl Stream ===

impl Stream {
    async fn send(&self, event: Event) -> std::result::Result<(), End> {
        use tokio::sync::mpsc::error::SendTimeoutError::{Closed, Timeout};
        match self.events.send_timeout(event, self.patience).await {
            Ok(()) => Ok(()),
            Err(Closed(_)) => Err(End::Gone),
            Err(Timeout(_)) => Err(End::Slow),
        }
    }
}
