//! What can be set for a Qdrant server, and when what is done.

use std::{fmt, path::PathBuf, time::Duration};

use crate::lease::{LEASE_PERIOD, RENEW_EVERY};

/// A Qdrant server or cluster in place of the embedded store.
#[derive(Clone)]
pub struct Qdrant {
    /// Addresses of its nodes, at least one.
    pub urls: Vec<String>,
    /// Key that every request carries.
    pub api_key: Option<String>,
    /// Certificate of the authority that signed the server's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Start of the names of all collections.
    pub prefix: String,
    /// Deadline of a connection.
    pub connect_timeout: Duration,
    /// Deadline of a request whose caller has more time.
    pub timeout: Duration,
    /// Tries of one request, the first included.
    pub attempts: u32,
    /// How collections are laid out when they are made.
    pub layout: QdrantLayout,
}

/// How the collections of a Qdrant server are laid out; the first two are fixed once they are made.
#[derive(Debug, Clone)]
pub struct QdrantLayout {
    /// Shards of a collection.
    pub shard_number: u32,
    /// Copies of each shard.
    pub replication_factor: u32,
    /// Copies that must confirm a write.
    pub write_consistency_factor: u32,
    /// Who puts the writes of a record in order.
    pub write_ordering: WriteOrdering,
    /// Whether whole vectors are on disk only.
    pub vectors_on_disk: bool,
    /// Whether payloads are on disk only.
    pub payload_on_disk: bool,
    /// How vectors are made small.
    pub quantization: Quantization,
    /// How many times more candidates a search of small vectors takes before whole ones order them.
    pub oversampling: f64,
}

/// Who puts the writes of a record in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOrdering {
    /// The replica that always does, or nobody.
    Strong,
    /// The first replica that is alive.
    Medium,
}

/// How vectors are made small in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// Not at all.
    None,
    /// A byte for each number.
    Int8,
    /// A bit for each number.
    Binary,
}

/// When what is done; tests are faster.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time between two looks at the engine.
    pub look_every: Duration,
    /// Time without a look that showed all well after which requests stop: who maintains the store waits this long
    /// before counting on it.
    pub stale_after: Duration,
    /// Time after which a duty that its holder has not renewed is free.
    pub lease_period: Duration,
    /// Time between renewals.
    pub renew_every: Duration,
}

// === impl Qdrant ===

impl fmt::Debug for Qdrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // without the key
        f.debug_struct("Qdrant").field("urls", &self.urls).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            stale_after: Duration::from_secs(5),
            lease_period: LEASE_PERIOD,
            renew_every: RENEW_EVERY,
        }
    }
}
