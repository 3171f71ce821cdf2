//! Comparison with the contents of a target.

use super::{
    Result, Track,
    piece::{self, Piece, PiecePage},
};
use crate::{CollectionKind, FieldSelection, Index, pages::Pages};

/// Pieces of a target that contradict the source.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// Missing in the source.
    pub(super) extra: u64,
    /// With a lower revision in the source.
    pub(super) newer: u64,
}

/// Those pieces of one page that are to be written: absent from the target, or there with a lower revision. A higher one
/// is told by [`beyond`].
pub(super) async fn missing(target: &dyn Index, collection: CollectionKind, pieces: Vec<Piece>) -> Result<Vec<Piece>> {
    let there = piece::revisions(target, collection, &pieces).await?;
    let both = pieces.into_iter().zip(there);
    Ok(both.filter(|(piece, stored)| stored.is_none_or(|stored| stored < piece.revision())).map(|(it, _)| it).collect())
}

/// Compares every piece of the target with the source.
pub(super) async fn beyond(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<Beyond> {
    let mut beyond = Beyond::default();
    for collection in CollectionKind::ALL {
        let mut pages = Pages::new(|after| piece::page(target, collection, after, FieldSelection::Payload));
        while let Some(PiecePage { pieces, .. }) = pages.next_page().await? {
            let theirs = piece::revisions(source, collection, &pieces).await?;
            for (piece, theirs) in pieces.iter().zip(theirs) {
                match theirs {
                    // a tombstone is about the target's own past; the copy removes it
                    None if piece.is_tombstone() => {}
                    None => beyond.extra += 1,
                    Some(theirs) if theirs < piece.revision() => beyond.newer += 1,
                    Some(_) => {}
                }
            }
            track.add(pieces.len());
        }
    }
    Ok(beyond)
}
