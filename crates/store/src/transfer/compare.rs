//! What a target holds already.

use super::{
    Result, Track,
    piece::{self, Piece},
};
use crate::{CollectionKind, FieldSelection, Index, pages::Pages};

/// How pieces that are to be written stand to what is stored under their names.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// To be written: absent, or there with a lower revision.
    pub(super) missing: Vec<Piece>,
    /// There in the same revision.
    pub(super) same: u64,
}

/// Pieces of a target that a source cannot answer for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// The source has none of the name.
    pub(super) extra: u64,
    /// The source has a lower revision.
    pub(super) newer: u64,
}

/// Looks the pieces of one page up in the target.
pub(super) async fn compare(target: &dyn Index, collection: CollectionKind, pieces: Vec<Piece>) -> Result<Compared> {
    let there = piece::revisions(target, collection, &pieces).await?;
    let mut compared = Compared::default();
    for (piece, stored) in pieces.into_iter().zip(there) {
        match stored {
            Some(stored) if stored == piece.revision() => compared.same += 1,
            // a higher one is told by `beyond`
            Some(stored) if piece.revision() < stored => {}
            _ => compared.missing.push(piece),
        }
    }
    Ok(compared)
}

/// Goes through the whole target and looks each piece up in the source.
pub(super) async fn beyond(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<Beyond> {
    let mut beyond = Beyond::default();
    for collection in CollectionKind::ALL {
        let mut pages = Pages::new(|after| piece::page(target, collection, after, FieldSelection::Payload));
        while let Some((pieces, _)) = pages.next_page().await? {
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
