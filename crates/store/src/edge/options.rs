//! How a store is opened.

use std::{path::PathBuf, time::Duration};

use crate::StoreVersions;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct EdgeOptions {
    /// Folder of the store; made where it does not exist.
    pub folder: PathBuf,
    /// Dimensions of the embeddings.
    pub dimensions: usize,
    /// Versions that the store must have been built by.
    pub versions: StoreVersions,
    /// Whether a store of other versions may be opened too: what `duijie reindex` reads from. Its own dimensions count.
    pub any_version: bool,
    /// When what is done.
    pub tuning: Tuning,
}

/// When what is done; the defaults suit 100,000 points on two cores.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// KiB of embeddings in a segment from which it gets a graph. Below it, going through all of them is as fast and
    /// exact: 10,000 KiB are 6,600 points of 384 dimensions, 1 ms.
    pub graph_from_kib: usize,
    /// KiB of embeddings that a filter may leave for going through all of them instead of the graph, exact: 30,000 KiB are
    /// 20,000 points of 384 dimensions, 5 ms.
    pub scan_up_to_kib: usize,
    /// Threads that build graphs. Half of the cores by default, so that searches go on.
    pub graph_threads: usize,
    /// Changed points after which graphs are built while writing goes on; at least 1 in 5 of all points, too, so that
    /// an import does not rebuild the whole graph again and again.
    pub optimize_after_points: u64,
    /// Rest after the last write after which graphs are built whatever the number of changed points.
    pub optimize_after_rest: Duration,
    /// Links of a point in the graph, on each level but the lowest, which has twice as many.
    pub graph_links: usize,
    /// Beam with which a point's place in the graph is looked for.
    pub graph_beam: usize,
    /// Beam of a graph search. What these three cost and find of the 20 nearest among 100,000 vectors that lie as real ones
    /// do (`benches/bench/support.rs`): 16, 100, 200: 0.91; 16, 100, 400: 0.96; 32, 200, 200: 0.97; 32, 200, 400: 0.99,
    /// at four times the time of building and three times that of a search of the first.
    pub beam: usize,
    /// Searches and other reads that run at the same time. They are CPU work, but to hand one over takes a while: with as
    /// many as there are cores, these rest a fifth of the time.
    pub readers: usize,
    /// Bytes of journal after which the engine is flushed and the journal emptied: it is what a restart replays.
    pub checkpoint_after_bytes: u64,
    /// Rest after the last write after which the same happens, so that a restart has nothing to replay.
    pub checkpoint_after_rest: Duration,
    /// Bytes of journal at which writes wait for the optimiser to end, to keep disk use within bounds.
    pub max_journal_bytes: u64,
    /// Bytes of the engine's own log at which the shard is loaded anew to get rid of it: the engine never does so.
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
