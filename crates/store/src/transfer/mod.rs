//! All that a store holds from one to another as it is, records with their vectors and the documents beside them: copied from index to index, or through a file.
//!
//! - [`mod@copy`]: all of one index into another
//! - [`snapshot`]: a file that holds all of an index, and the way back
//! - `piece`: points and documents alike, page by page
//! - [`checksum`]: count and SHA-256 by which two sides are compared
//! - `compare`: what a target holds already
//!
//! No model is loaded for any of it. Broken off at any moment, the same call goes on: what is there already in the same
//! revision is not written again, and nothing is ever deleted.

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
pub use snapshot::{PartFile, Restored, Snapshot, Summary, create};

use crate::{CollectionKind, Index, IndexError, Lease, MAINTENANCE, StoreShape};

/// Points that are read and written together. A group of writes costs one sync of the disk, 10 ms; this many points
/// with the longest texts take 25 MB.
const PAGE: usize = 256;

/// What is being done at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Looking at what the target holds already.
    Compare,
    /// Reading points and writing them.
    Write,
    /// Comparing both sides by checksum.
    Verify,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which step.
    pub step: Step,
    /// Points and documents done in it.
    pub done: u64,
    /// Points and documents to be done in it, as far as is known.
    pub total: u64,
}

/// Hears how far the work is.
type Listener<'a> = dyn FnMut(Progress) + Send + 'a;

/// A step that is under way.
struct Track<'a, 'b> {
    at: Progress,
    listener: &'a mut Listener<'b>,
}

// === impl Track ===

impl<'a, 'b> Track<'a, 'b> {
    fn new(step: Step, total: u64, listener: &'a mut Listener<'b>) -> Self {
        let at = Progress { step, done: 0, total };
        listener(at);
        Self { at, listener }
    }

    fn add(&mut self, points: usize) {
        self.at.done += points as u64;
        self.at.total = self.at.total.max(self.at.done);
        (self.listener)(self.at);
    }
}

/// Refuses two stores between which points cannot go as they are.
///
/// # Errors
/// [`TransferError::Mismatch`].
pub fn check_shapes(source: &StoreShape, target: &StoreShape) -> Result<()> {
    let said = |(name, source, target)| format!("{name}：来源为 {source}，目标为 {target}");
    let difference: Vec<String> = source.difference(target).into_iter().map(said).collect();
    if difference.is_empty() { Ok(()) } else { Err(TransferError::Mismatch { difference: difference.join("；") }) }
}

/// Points of all kinds, and documents.
///
/// # Errors
/// Those of the index.
pub async fn count(index: &dyn Index) -> Result<u64> {
    let mut total = 0;
    for collection in CollectionKind::ALL {
        total += piece::count(index, collection).await?;
    }
    Ok(total)
}

/// Does work that only one process may do on `target`, and stops it when the duty is lost.
async fn in_maintenance<T>(target: &dyn Index, work: impl Future<Output = Result<T>>) -> Result<T> {
    let lease: Lease = target.claim(MAINTENANCE).await?.ok_or(IndexError::Maintenance)?;
    let done = tokio::select! {
        // the loss first: nothing more is written once it is known
        biased;
        () = lease.lost() => Err(TransferError::LeaseLost),
        done = work => done,
    };
    lease.release().await;
    done
}
