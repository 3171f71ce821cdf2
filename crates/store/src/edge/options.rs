//! Options for opening a store.

use std::{path::PathBuf, time::Duration};

use super::disk::FreeSpace;
use crate::StoreVersions;

/// Options for opening a store.
#[derive(Debug, Clone)]
pub struct EdgeOptions {
    /// Folder of the store; created if missing.
    pub folder: PathBuf,
    /// Dimensions of the embeddings.
    pub dimensions: usize,
    /// Versions that the store must have been built with.
    pub versions: StoreVersions,
    /// Accepts a store of other versions, as the source of `duijie reindex`. The store's own dimensions then apply.
    pub any_version: bool,
    /// Tuning.
    pub tuning: Tuning,
}

/// Thresholds and sizes; the defaults suit 100,000 points on two cores.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Segments with at least this many KiB of embeddings get a graph. Below it a full scan is as fast, and exact:
    /// 10,000 KiB are 6,600 points of 384 dimensions, 1 ms.
    pub graph_from_kib: usize,
    /// If a filter leaves at most this many KiB of embeddings, the search scans them instead of using the graph. The
    /// scan is exact: 30,000 KiB are 20,000 points of 384 dimensions, 5 ms.
    pub scan_up_to_kib: usize,
    /// Threads that build graphs; by default half the cores, so that searches go on.
    pub graph_threads: usize,
    /// Number of changed points after which graphs are built even while writes continue; also at least 1 in 5 of all
    /// points, so that an import does not rebuild the whole graph repeatedly.
    pub optimize_after_points: u64,
    /// Time without writes after which graphs are built, whatever the number of changed points.
    pub optimize_after_rest: Duration,
    /// Links per point on each graph level; the lowest level has twice as many.
    pub graph_links: usize,
    /// Beam width when inserting a point into the graph.
    pub graph_beam: usize,
    /// Beam width of a graph search. Recall at 20 for `graph_links`, `graph_beam`, `beam`, among 100,000 vectors
    /// distributed like real ones (`benches/bench/support.rs`): 16, 100, 200: 0.91; 16, 100, 400: 0.96; 32, 200, 200:
    /// 0.97; 32, 200, 400: 0.99, with four times the build time and three times the search time of the first.
    pub beam: usize,
    /// Concurrent searches and other reads. They are CPU work, but handing one over takes time: with one per core, the
    /// cores idle a fifth of the time.
    pub readers: usize,
    /// Journal bytes after which the engine is flushed and the journal emptied; limits what a restart replays.
    pub checkpoint_after_bytes: u64,
    /// Time without writes after which the same happens, so that a restart has nothing to replay.
    pub checkpoint_after_rest: Duration,
    /// Journal bytes at which writes wait for the optimiser to end; limits disk use.
    pub max_journal_bytes: u64,
    /// Free bytes of the disk below which writes are refused and nothing is optimised; more if rewriting the largest
    /// segment needs more.
    pub disk_reserve_bytes: u64,
    /// How the free bytes are found out.
    pub free_space: FreeSpace,
    /// Bytes of the engine's log at which the shard is reloaded to discard it; the engine never truncates it.
    pub max_engine_log_bytes: u64,
}

// === impl Tuning ===

impl Default for Tuning {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            graph_from_kib: 10_000,
            scan_up_to_kib: 30_000,
            graph_threads: (cores / 2).max(1),
            optimize_after_points: 10_000,
            optimize_after_rest: Duration::from_secs(30),
            graph_links: 32,
            graph_beam: 200,
            beam: 400,
            readers: 2 * cores,
            checkpoint_after_bytes: 32 << 20,
            checkpoint_after_rest: Duration::from_secs(5),
            max_journal_bytes: 1 << 30,
            disk_reserve_bytes: 512 << 20,
            free_space: FreeSpace::default(),
            max_engine_log_bytes: 1 << 30,
        }
    }
}

// === impl EdgeOptions ===

impl EdgeOptions {
    /// A store in `folder` with default tuning.
    pub fn new(folder: PathBuf, dimensions: usize, versions: StoreVersions) -> Self {
        Self { folder, dimensions, versions, any_version: false, tuning: Tuning::default() }
    }
}
