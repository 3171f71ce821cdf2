//! Where work runs that keeps a core busy for more than about half a millisecond, so that the async threads stay free.
//!
//! - [`run`]: the process's pool. It has three lanes of as many places as there are cores, so that short work never
//!   queues behind long work. The system shares the cores between them.
//! - [`Places`]: how places are shared: callers take turns, and so do the calls of a caller. [`Call`] says whose work it is.
//! - [`thread()`]: a thread of its own for work that waits for its caller, such as a file that is sent. It takes no place
//!   in the pool.
//!
//! The pool's threads are those of tokio's blocking pool; at most three for each core are used.

mod call;
mod line;
mod places;
mod pool;
mod thread;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use call::{Call, carried};
pub use places::{Place, Places, PlacesStats};
pub use pool::{LaneStats, Pool};
pub use thread::{thread, threads};

/// Calls that may wait in a lane; more are refused.
const QUEUE: usize = 1_024;

static POOL: LazyLock<Pool> =
    LazyLock::new(|| Pool::new(std::thread::available_parallelism().map_or(1, usize::from), QUEUE));

/// Which work queues together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A caller waits: milliseconds of work.
    Interactive,
    /// Imports and jobs: pieces of milliseconds, many of them.
    Bulk,
    /// Optimisations, workbooks: seconds to minutes.
    Long,
}

/// Why work gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CpuError {
    /// Too much work waits.
    #[error("too much work waits for a processor")]
    Busy,
    /// The work panicked.
    #[error("the work panicked: {0}")]
    Panicked(String),
    /// The process is ending.
    #[error("the process is ending")]
    Closed,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Bulk, Self::Long];

    /// Name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
            Self::Long => "long",
        }
    }
}

/// Runs work in the process's pool; see [`Pool::run`].
///
/// # Errors
/// [`CpuError`].
pub async fn run<T: Send + 'static>(lane: Lane, work: impl FnOnce() -> T + Send + 'static) -> Result<T, CpuError> {
    POOL.run(lane, work).await
}

/// Numbers of a lane of the process's pool.
pub fn stats(lane: Lane) -> LaneStats {
    POOL.stats(lane)
}
