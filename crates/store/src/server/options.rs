//! Options of a Qdrant server, and timing.

use std::{fmt, path::PathBuf, time::Duration};

use crate::lease::{LEASE_PERIOD, RENEW_EVERY};

/// A Qdrant server or cluster instead of the embedded store.
#[derive(Clone)]
pub struct Qdrant {
    /// Addresses of its nodes, at least one.
    pub urls: Vec<String>,
    /// API key, sent with every request.
    pub api_key: Option<String>,
    /// PEM file of the CA that signed the server's certificate.
    pub ca_file: Option<PathBuf>,
    /// Prefix of all collection names.
    pub prefix: String,
    /// Connect timeout.
    pub connect_timeout: Duration,
    /// Timeout of one try, unless the caller's deadline is earlier.
    pub timeout: Duration,
    /// Tries per request, including the first.
    pub attempts: u32,
    /// Layout of new collections.
    pub layout: QdrantLayout,
}

/// Layout of the collections on a Qdrant server; the first two cannot change after creation.
#[derive(Debug, Clone)]
pub struct QdrantLayout {
    /// Shards of a collection.
    pub shard_number: u32,
    /// Replicas of each shard.
    pub replication_factor: u32,
    /// Replicas that must confirm a write.
    pub write_consistency_factor: u32,
    /// Which replica orders the writes of a record.
    pub write_ordering: WriteOrdering,
    /// Whether full-precision vectors are kept on disk only.
    pub vectors_on_disk: bool,
    /// Whether payloads are kept on disk only.
    pub payload_on_disk: bool,
    /// Compression of vectors.
    pub quantization: Quantization,
    /// Factor of extra candidates that a search of quantized vectors takes before full vectors re-rank them.
    pub oversampling: f64,
}

/// Which replica orders the writes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOrdering {
    /// A fixed replica; without it writes fail.
    Strong,
    /// The first live replica.
    Medium,
}

/// Compression of vectors in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// None.
    None,
    /// One byte per number.
    Int8,
    /// One bit per number.
    Binary,
}

/// Timing; tests use shorter times.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Interval of health checks.
    pub look_every: Duration,
    /// Requests stop when no health check has succeeded for this long; a maintaining process waits this long before it
    /// starts.
    pub stale_after: Duration,
    /// Lease period: a duty without a renewal for this long is free.
    pub lease_period: Duration,
    /// Interval of lease renewals.
    pub renew_every: Duration,
}

// === impl Qdrant ===

impl fmt::Debug for Qdrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // without the API key
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
