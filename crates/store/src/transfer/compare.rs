//! Comparison with the contents of a target.

use super::{
    Result, Track,
    piece::{self, Piece},
};
use crate::{CollectionKind, FieldSelection, Index};

/// Pieces to write, compared with the stored ones.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// To be written: absent, or stored with a lower revision.
    pub(super) missing: Vec<Piece>,
    /// Number stored with the same revision.
    pub(super) same: u64,
}

/// Pieces of a target that contradict the source.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// Missing in the source.
    pub(super) extra: u64,
    /// With a lower revision in the source.
    pub(super) newer: u64,
}

/// Compares the pieces of one page with the target.
pub(super) async fn compare(target: &dyn Index, collection: CollectionKind, pieces: Vec<Piece>) -> Result<Compared> {
    let there = piece::revisions(target, collection, &pieces).await?;
    let mut compared = Compared::default();
    for (piece, stored) in pieces.into_iter().zip(there) {
        match stored {
            Some(stored) if stored == piece.revision() => compared.same += 1,
            // `beyond` reports higher revisions
            Some(stored) if piece.revision() < stored => {}
            _ => compared.missing.push(piece),
        }
    }
    Ok(compared)
}

/// Compares every piece of the target with the source.
pub(super) async fn beyond(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<Beyond> {
    let mut beyond = Beyond::default();
    for collection in CollectionKind::ALL {
        let mut after = None;
        loop {
            let (pieces, next) = piece::page(target, collection, after, FieldSelection::Payload).await?;
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
            if next.is_none() {
                break;
            }
            after = next;
        }
    }
    Ok(beyond)
}
