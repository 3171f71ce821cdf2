//! The census of a shard: how many points it has, and a digest of their ids that does not depend on their order. It lies
//! beside the engine as of the last checkpoint, and is compared when the shard is opened: ids that the engine lost, or
//! that a flipped bit changed, would else be missing in silence.
//!
//! It holds only where the journal is empty. After a kill the journal is not, and the engine may have any part of its
//! changes on disk; the points are then counted anew, and what was lost before is not seen.

use std::{fs, io, path::Path};

use qdrant_edge::{CountRequest, EdgeShard, OperationResult, ScrollRequest};
use serde::{Deserialize, Serialize};

use super::{convert, repair, store::write_whole};
use crate::PointId;

/// Points per page.
const PAGE_POINTS: usize = 10_000;

/// Number and ids of the points of a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Census {
    /// Number of points.
    pub(super) count: u64,
    /// Sum of the scrambled ids.
    ids: [u64; 2],
}

/// A census that differs from that of the last checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CensusDifference {
    /// Points at the last checkpoint.
    pub before: u64,
    /// Points now.
    pub now: u64,
}

/// What to do where the points are not those of the last checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CensusRule {
    /// Refuse the shard.
    Compare,
    /// Open it; nothing may be written.
    Report,
}

/// The census of an open shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct CensusState {
    /// That of its points, including what the journal has.
    pub(super) now: Census,
    /// Set while it is not accepted; the census of the last checkpoint then stays.
    pub(super) difference: Option<CensusDifference>,
}

/// Points of a shard as the engine gives them.
struct Counted {
    census: Census,
    /// Whether the engine has a point twice.
    has_doubles: bool,
}

// === impl Census ===

impl Census {
    /// Adds a point.
    pub(super) fn add(&mut self, id: PointId) {
        self.count = self.count.wrapping_add(1);
        self.ids.iter_mut().zip(scrambled(id)).for_each(|(sum, part)| *sum = sum.wrapping_add(part));
    }

    /// Removes a point.
    pub(super) fn remove(&mut self, id: PointId) {
        self.count = self.count.wrapping_sub(1);
        self.ids.iter_mut().zip(scrambled(id)).for_each(|(sum, part)| *sum = sum.wrapping_sub(part));
    }

    /// Counts the points of a shard that nobody writes to. Points that are there twice are repaired first: a flipped bit
    /// can bring an old copy back.
    pub(super) fn take(engine: &EdgeShard) -> OperationResult<Self> {
        let Counted { census, has_doubles } = counted(engine)?;
        if !has_doubles {
            return Ok(census);
        }
        let repaired = repair::remove_doubles(engine)?;
        tracing::warn!(repaired, "points were stored twice");
        Ok(counted(engine)?.census)
    }

    /// Reads the census of the last checkpoint; `None` if there is none that can be read.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let census = serde_json::from_slice(&bytes);
        if census.is_err() {
            tracing::warn!(path = %path.display(), "the census cannot be read, so the points are not compared with it");
        }
        census.ok()
    }

    /// Writes it; it is on disk when this returns.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        write_whole(path, &serde_json::to_vec(self)?)
    }

    /// Removes it before what it says no longer holds.
    pub(super) fn remove_file(path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn counted(engine: &EdgeShard) -> OperationResult<Counted> {
    let (mut census, mut offset) = (Census::default(), None);
    loop {
        let request = ScrollRequest {
            offset,
            limit: Some(PAGE_POINTS),
            with_payload: Some(false.into()),
            ..ScrollRequest::default()
        };
        let (rows, next) = engine.scroll(request)?;
        rows.into_iter().filter_map(|row| convert::point_id(row.id)).for_each(|id| census.add(id));
        offset = next;
        if offset.is_none() {
            let all = engine.count(CountRequest { filter: None, exact: true })?;
            return Ok(Counted { census, has_doubles: census.count < all as u64 });
        }
    }
}

/// The finaliser of SplitMix64 on both halves: ids of documents are numbers, whose plain sums would often be equal.
fn scrambled(id: PointId) -> [u64; 2] {
    let (high, low) = id.uuid().as_u64_pair();
    let mixed = |number: u64| {
        let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    };
    [mixed(high ^ mixed(low.wrapping_add(1))), mixed(low ^ mixed(high.wrapping_add(2)))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, documents::document_id};

    fn census(numbers: &[u64]) -> Census {
        let mut census = Census::default();
        numbers.iter().for_each(|number| census.add(document_id("jobs", &Key::Number(*number))));
        census
    }

    #[test]
    fn a_census_depends_on_the_ids_and_not_on_their_order() {
        assert_eq!(census(&[1, 2, 3]), census(&[3, 1, 2]));
        assert_ne!(census(&[1, 4]), census(&[2, 3]));
        let mut fewer = census(&[1, 2, 3]);
        fewer.remove(document_id("jobs", &Key::Number(2)));
        assert_eq!(fewer, census(&[1, 3]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("census");
        assert_eq!(Census::read(&path), None);
        fewer.write(&path).unwrap();
        assert_eq!(Census::read(&path), Some(fewer));
        fs::write(&path, "{").unwrap();
        assert_eq!(Census::read(&path), None);
        Census::remove_file(&path).unwrap();
        Census::remove_file(&path).unwrap();
    }
}
