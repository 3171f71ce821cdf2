//! What a target holds already.

use super::{
    Result, Track,
    piece::{self, Piece},
};
use crate::index::{Holding, Index, With};

/// Pieces of a target that a source cannot answer for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// The source has none of the name.
    pub(super) extra: u64,
    /// The source has a lower revision.
    pub(super) newer: u64,
}

/// Those pieces of one page that are to be written: absent from the target, or there with a lower revision. A higher one
/// is told by [`beyond`].
pub(super) async fn missing(target: &dyn Index, holding: Holding, pieces: Vec<Piece>) -> Result<Vec<Piece>> {
    let there = piece::revisions(target, holding, &pieces).await?;
    let both = pieces.into_iter().zip(there);
    Ok(both.filter(|(piece, stored)| stored.is_none_or(|stored| stored < piece.revision())).map(|(it, _)| it).collect())
}

/// Goes through the whole target and looks each piece up in the source.
pub(super) async fn beyond(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<Beyond> {
    let mut beyond = Beyond::default();
    for holding in Holding::ALL {
        let mut after = None;
        loop {
            let (pieces, next) = piece::page(target, holding, after, With::Payload).await?;
            let theirs = piece::revisions(source, holding, &pieces).await?;
            for (piece, theirs) in pieces.iter().zip(theirs) {
                match theirs {
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
