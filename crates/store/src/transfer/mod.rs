//! Transfer of a whole store, unchanged: records with their vectors, and documents, from index to index or through a
//! file.
//!
//! - [`mod@copy`]: one index into another
//! - [`snapshot`]: a file with the whole contents of an index, and restoring it
//! - `piece`: points and documents alike, page by page
//! - [`checksum`]: count and SHA-256 that compare two sides
//! - `compare`: pieces already present in a target
//!
//! No model is loaded. Calling again resumes an interrupted transfer: pieces already present in the same revision are
//! not written again, and nothing is ever deleted.

pub mod checksum;
mod compare;
pub mod copy;
pub mod error;
mod piece;
pub mod snapshot;

use std::future::Future;

pub use checksum::{Digest, Digests, digests};
pub use copy::{Copied, copy};
pub use error::{Result, TransferError};
pub use snapshot::{Created, PartFile, Restored, Snapshot, Summary, create};

use crate::{CollectionKind, Index, IndexError, Lease, MAINTENANCE, StoreShape, versions::ShapeDifference};

/// Points per page. One group of writes costs one disk sync, 10 ms; this many points with the longest texts take 25 MB.
const PAGE: usize = 256;

/// Step of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    /// Checking what the target already holds.
    Compare,
    /// Reading and writing points.
    Write,
    /// Comparing both sides by checksum.
    Verify,
}

/// Progress of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// The step.
    pub step: TransferStep,
    /// Points and documents processed in this step.
    pub done: u64,
    /// Total points and documents of this step, as far as known.
    pub total: u64,
}

/// Callback for progress.
type Listener<'a> = dyn FnMut(TransferProgress) + Send + 'a;

/// A running step.
struct Track<'a, 'b> {
    at: TransferProgress,
    listener: &'a mut Listener<'b>,
}

// === impl Track ===

impl<'a, 'b> Track<'a, 'b> {
    fn new(step: TransferStep, total: u64, listener: &'a mut Listener<'b>) -> Self {
        let at = TransferProgress { step, done: 0, total };
        listener(at);
        Self { at, listener }
    }

    fn add(&mut self, points: usize) {
        self.at.done += points as u64;
        self.at.total = self.at.total.max(self.at.done);
        (self.listener)(self.at);
    }
}

/// Rejects two stores whose points cannot be copied unchanged.
///
/// # Errors
/// [`TransferError::Mismatch`].
pub fn check_shapes(source: &StoreShape, target: &StoreShape) -> Result<()> {
    let said = |ShapeDifference { name, here, there }| format!("{name}：来源为 {here}，目标为 {there}");
    let difference: Vec<String> = source.differences(target).into_iter().map(said).collect();
    if difference.is_empty() { Ok(()) } else { Err(TransferError::Mismatch { difference: difference.join("；") }) }
}

/// Number of points of all kinds, plus documents.
///
/// # Errors
/// Errors of the index.
pub async fn count(index: &dyn Index) -> Result<u64> {
    let mut total = 0;
    for collection in CollectionKind::ALL {
        total += piece::count(index, collection).await?;
    }
    Ok(total)
}

/// Runs work under the maintenance duty of `target`, and stops it when the lease is lost.
async fn in_maintenance<T>(target: &dyn Index, work: impl Future<Output = Result<T>>) -> Result<T> {
    let lease: Lease = target.claim(MAINTENANCE).await?.ok_or(IndexError::Maintenance)?;
    let done = tokio::select! {
        // checks the lease first, so that nothing is written after its loss
        biased;
        () = lease.lost() => Err(TransferError::LeaseLost),
        done = work => done,
    };
    lease.release().await;
    done
}
