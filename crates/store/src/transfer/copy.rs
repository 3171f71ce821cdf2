//! All of one index into another.

use super::{
    Progress, Result, Step, Track, TransferError,
    checksum::{Digests, track_digests},
    compare::{Beyond, beyond, compare},
    count, in_maintenance, piece,
};
use crate::{CollectionKind, FieldSelection, Index, pages::Pages, tombstones};

/// Times that the source is gone through before it is called unsettled.
const ROUNDS: u32 = 3;

/// What a copy has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Points and documents that were written; the others were there already.
    pub written: u64,
    /// Both sides, as they are now.
    pub digests: Digests,
}

/// Copies every point and document of `source` into `target`, whose shape must be the same (see [`super::check_shapes`]), then compares
/// both sides by checksum. Where the source has changed meanwhile, it is gone through again. Nothing is written where the
/// target holds what the source has not. Broken off, the same call goes on.
///
/// # Errors
/// Those of the indexes; [`TransferError::Foreign`], [`TransferError::Different`], [`TransferError::Unsettled`],
/// [`TransferError::LeaseLost`].
pub async fn copy(source: &dyn Index, target: &dyn Index, mut progress: impl FnMut(Progress) + Send) -> Result<Copied> {
    in_maintenance(target, rounds(source, target, &mut progress)).await
}

async fn rounds(
    source: &dyn Index,
    target: &dyn Index,
    progress: &mut (dyn FnMut(Progress) + Send + '_),
) -> Result<Copied> {
    refuse_beyond(source, target, progress).await?;
    let mut written = 0;
    let mut before = None;
    for _ in 0..ROUNDS {
        let new = write(source, target, &mut Track::new(Step::Write, count(source).await?, progress)).await?;
        written += new;
        remove_own_tombstones(source, target).await?;
        let total = count(source).await? + count(target).await?;
        let mut track = Track::new(Step::Verify, total, progress);
        // the target first: what the source gets meanwhile is then seen as a difference, and copied in the next round
        let copied = track_digests(target, &mut track).await?;
        let original = track_digests(source, &mut track).await?;
        if copied == original {
            return Ok(Copied { written, digests: original });
        }
        refuse_beyond(source, target, progress).await?;
        // nothing was missing, and the source is as it was: then the difference is older than this copy
        if new == 0 && before.as_ref() == Some(&original) {
            return Err(TransferError::Different);
        }
        before = Some(original);
    }
    Err(TransferError::Unsettled { rounds: ROUNDS })
}

/// Nothing is written into a target that holds what the source has not.
async fn refuse_beyond(
    source: &dyn Index,
    target: &dyn Index,
    progress: &mut (dyn FnMut(Progress) + Send + '_),
) -> Result<()> {
    let mut track = Track::new(Step::Compare, count(target).await?, progress);
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

/// Writes what the target has not; says how many.
async fn write(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<u64> {
    let mut written = 0;
    for collection in CollectionKind::ALL {
        let mut pages = Pages::new(|after| piece::page(source, collection, after, FieldSelection::Everything));
        while let Some((pieces, _)) = pages.next_page().await? {
            let read = pieces.len();
            let missing = compare(target, collection, pieces).await?.missing;
            if !missing.is_empty() {
                written += missing.len() as u64;
                piece::store(target, collection, missing).await?;
            }
            track.add(read);
        }
    }
    Ok(written)
}
