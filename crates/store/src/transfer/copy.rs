//! Copy of one index into another.

use super::{
    Result, Track, TransferError, TransferProgress, TransferStep,
    checksum::{Digests, Examined, track_digests},
    compare::{Beyond, beyond, missing},
    count, in_maintenance,
    piece::{self, PiecePage},
};
use crate::{CollectionKind, FieldSelection, Index, LeftOut, clock, pages::Pages, secrets, tombstones};

/// Passes over the source before it counts as unsettled.
const ROUNDS: u32 = 3;

/// Result of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Points and documents written; the rest was already present.
    pub written: u64,
    /// Checksums, equal on both sides.
    pub digests: Digests,
    /// What is damaged in the source, and was not copied.
    pub left_out: LeftOut,
}

/// Copies every point, document and secret of `source` into `target`, then compares both sides by checksum. Both must have the
/// same shape (see [`super::check_shapes`]). If the source changes meanwhile, another round follows. Nothing is written
/// if the target holds points that the source lacks. Calling again resumes an interrupted copy.
///
/// # Errors
/// Errors of the indexes; [`TransferError::Foreign`], [`TransferError::Different`], [`TransferError::Unsettled`],
/// [`TransferError::LeaseLost`].
pub async fn copy(
    source: &dyn Index,
    target: &dyn Index,
    mut progress: impl FnMut(TransferProgress) + Send,
) -> Result<Copied> {
    in_maintenance(target, rounds(source, target, &mut progress)).await
}

async fn rounds(
    source: &dyn Index,
    target: &dyn Index,
    progress: &mut (dyn FnMut(TransferProgress) + Send + '_),
) -> Result<Copied> {
    refuse_beyond(source, target, progress).await?;
    let mut written = 0;
    let mut before = None;
    for _ in 0..ROUNDS {
        let new = write(source, target, &mut Track::new(TransferStep::Write, count(source).await?, progress)).await?;
        written += new;
        remove_own_tombstones(source, target).await?;
        let total = count(source).await? + count(target).await?;
        let mut track = Track::new(TransferStep::Verify, total, progress);
        // target first: later changes of the source then show as a difference and are copied in the next round
        let copied = track_digests(target, &mut track).await?.digests;
        let Examined { digests: original, left_out } = track_digests(source, &mut track).await?;
        if copied == original {
            secrets::copy(source, target).await?;
            clock::copy(source, target).await?;
            return Ok(Copied { written, digests: original, left_out });
        }
        refuse_beyond(source, target, progress).await?;
        // nothing was missing and the source is unchanged, so the difference is older than this copy
        if new == 0 && before.as_ref() == Some(&original) {
            return Err(TransferError::Different);
        }
        before = Some(original);
    }
    Err(TransferError::Unsettled { rounds: ROUNDS })
}

/// Rejects a target that holds points missing in the source, or newer than the source's.
async fn refuse_beyond(
    source: &dyn Index,
    target: &dyn Index,
    progress: &mut (dyn FnMut(TransferProgress) + Send + '_),
) -> Result<()> {
    let mut track = Track::new(TransferStep::Compare, count(target).await?, progress);
    match beyond(source, target, &mut track).await? {
        Beyond { extra: 0, newer: 0 } => Ok(()),
        Beyond { extra, newer } => Err(TransferError::Foreign { extra, newer }),
    }
}

/// Removes the tombstones of the target that the source does not have: they are about records that were the target's own.
async fn remove_own_tombstones(source: &dyn Index, target: &dyn Index) -> Result<()> {
    let mut own = tombstones::all(target).await?;
    tombstones::all(source).await?.keys().for_each(|id| drop(own.remove(id)));
    Ok(tombstones::remove(target, own.into_values()).await?)
}

/// Writes the pieces missing in the target; returns their number.
async fn write(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<u64> {
    let mut written = 0;
    for collection in CollectionKind::ALL {
        let mut pages = Pages::new(|after| piece::page(source, collection, after, FieldSelection::Everything));
        while let Some(PiecePage { pieces, .. }) = pages.next_page().await? {
            let read = pieces.len();
            let missing = missing(target, collection, pieces).await?;
            if !missing.is_empty() {
                written += missing.len() as u64;
                piece::store(target, collection, missing).await?;
            }
            track.add(read);
        }
    }
    Ok(written)
}
