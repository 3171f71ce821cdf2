//! What a target holds already.

use super::{PAGE, Result, Track};
use crate::{
    domain::{Filter, Kind},
    index::{Index, PageRequest, Point, PointId, With},
};

/// How points that are to be written stand to what is stored under their names.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// To be written: absent, or there with a lower revision.
    pub(super) missing: Vec<Point>,
    /// There in the same revision.
    pub(super) same: u64,
}

/// Points of a target that a source cannot answer for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// The source has none of the name.
    pub(super) extra: u64,
    /// The source has a lower revision.
    pub(super) newer: u64,
}

/// Looks the points of one page up in the target.
pub(super) async fn compare(target: &dyn Index, kind: Kind, points: Vec<Point>) -> Result<Compared> {
    let ids: Vec<PointId> = points.iter().map(Point::id).collect();
    let there = target.fetch(kind, &ids, With::Payload).await?;
    let mut compared = Compared::default();
    for (point, there) in points.into_iter().zip(there) {
        let stored = there.map(|there| there.record.revision);
        match stored {
            Some(stored) if stored == point.record.revision => compared.same += 1,
            // a higher one is told by `beyond`
            Some(stored) if point.record.revision < stored => {}
            _ => compared.missing.push(point),
        }
    }
    Ok(compared)
}

/// Goes through the whole target and looks each point up in the source.
pub(super) async fn beyond(source: &dyn Index, target: &dyn Index, track: &mut Track<'_, '_>) -> Result<Beyond> {
    let mut beyond = Beyond::default();
    for kind in Kind::ALL {
        let mut after = None;
        loop {
            let request = PageRequest { after, limit: PAGE, with: With::Payload };
            let page = target.scroll(kind, &Filter::default(), request).await?;
            let ids: Vec<PointId> = page.points.iter().map(Point::id).collect();
            let theirs = source.fetch(kind, &ids, With::Payload).await?;
            for (point, theirs) in page.points.iter().zip(theirs) {
                match theirs {
                    None => beyond.extra += 1,
                    Some(theirs) if theirs.record.revision < point.record.revision => beyond.newer += 1,
                    Some(_) => {}
                }
            }
            track.add(page.points.len());
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(beyond)
}
