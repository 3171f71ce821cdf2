//! One line of a snapshot.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, VERSION};
use crate::{CollectionKind, Document, LeftOut, Point, StoreShape, transfer::Digests};
use duijie_core::{
    domain::Record,
    text::{LexicalQuery, SparseVector},
};

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SnapshotLine {
    /// First line.
    Header(SnapshotHeader),
    /// A point.
    Point(Box<PointLine>),
    /// A document; after all points, since version 2.
    Document(Document),
    /// Last line.
    Trailer(Trailer),
}

/// Header of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// Name of the format.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Versions and dimensions of the store.
    pub store: StoreShape,
    /// Points of each kind, and documents, at the start; the trailer has the final counts.
    pub counts: BTreeMap<CollectionKind, u64>,
    /// Start of the snapshot.
    pub create_time: Timestamp,
}

/// Trailer of a snapshot: expected counts and checksums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Checksum of each kind, and of the documents.
    pub kinds: Digests,
    /// SHA-256 of all lines before, each with its line feed; 64 hexadecimal digits.
    pub sha256: String,
    /// What was damaged in the store, and is not in the snapshot.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
}

/// A point; vectors as base64 of little-endian 32-bit numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PointLine {
    record: Record,
    query: LexicalQuery,
    dense: String,
    indices: String,
    weights: String,
}

// === impl SnapshotHeader ===

impl SnapshotHeader {
    /// Header of a snapshot started now.
    pub(super) fn new(store: StoreShape, counts: BTreeMap<CollectionKind, u64>) -> Self {
        Self { format: FORMAT.to_string(), version: VERSION, store, counts, create_time: Timestamp::now() }
    }
}

// === impl PointLine ===

impl PointLine {
    pub(super) fn new(point: Point) -> Self {
        Self {
            record: point.record,
            query: point.query,
            dense: write(point.dense.iter().map(|value| value.to_le_bytes())),
            indices: write(point.sparse.indices.iter().map(|index| index.to_le_bytes())),
            weights: write(point.sparse.values.iter().map(|value| value.to_le_bytes())),
        }
    }

    /// Converts to a point; the error is the reason.
    pub(super) fn into_point(self) -> Result<Point, String> {
        let floats = |text: &str| read(text).map(|words| words.into_iter().map(f32::from_le_bytes).collect());
        let indices = read(&self.indices)?.into_iter().map(u32::from_le_bytes).collect();
        Ok(Point {
            dense: floats(&self.dense)?,
            sparse: SparseVector { indices, values: floats(&self.weights)? },
            record: self.record,
            query: self.query,
        })
    }
}

fn write(words: impl Iterator<Item = [u8; 4]>) -> String {
    STANDARD.encode(words.flatten().collect::<Vec<u8>>())
}

fn read(text: &str) -> Result<Vec<[u8; 4]>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let (words, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() { Ok(words.to_vec()) } else { Err("向量的字节数不是 4 的倍数".to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Detail, Kind};

    #[test]
    fn points_come_back_bit_for_bit() {
        let point = Point {
            record: Record::new("local", "a-1", "激光\n焊接", Detail::empty(Kind::Achievement)),
            dense: vec![0.1, -0.0, f32::MIN_POSITIVE, 1e-45],
            sparse: SparseVector { indices: vec![0, 7, u32::MAX], values: vec![0.1, 2.0, 1e30] },
            query: LexicalQuery { terms: vec![("激光".into(), 0.1), ("焊接".into(), 1e-9)] },
        };
        let text = serde_json::to_string(&SnapshotLine::Point(Box::new(PointLine::new(point.clone())))).unwrap();
        assert!(!text.contains('\n'));
        let SnapshotLine::Point(back) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        let back = back.into_point().unwrap();
        assert_eq!(back, point);
        let bits = |point: &Point| point.dense.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&point));
    }

    #[test]
    fn vectors_that_are_none_are_refused() {
        for bad in ["!", "AAAA", "AAA=", "AAAAAA="] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(read("").unwrap(), Vec::<[u8; 4]>::new());
    }
}
