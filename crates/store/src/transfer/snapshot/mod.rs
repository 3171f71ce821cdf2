//! A snapshot: one file with the whole contents of an index.
//!
//! ```text
//! zstd stream of lines of JSON:
//!   {"header": {format, version, store shape, counts when it was begun, time}}
//!   {"point": {record, query, dense, indices, weights}}   by kind, then by id; vectors in base64, little-endian
//!   {"document": {folder, key, version, tags, text}}      behind the points, by id
//!   {"trailer": {count and SHA-256 of each kind and of the documents, SHA-256 of all lines before, what was damaged and left out}}
//! 40 bytes: a skippable frame of zstd with the SHA-256 of all bytes before
//! ```
//!
//! `zstd -dc file` shows the lines. A restore first reads and checks the whole file: a truncated or altered snapshot is
//! refused before any point is written. If the index is written to meanwhile, the snapshot holds each record as of some
//! moment during its creation.
//!
//! - `line`: one line; `encoder`, `decoder`: lines to bytes and back; `seal`: the last 40 bytes
//! - `part_file`: a file that is complete or absent
//! - `create`: index → bytes; `restore`: file → index

mod create;
mod decoder;
mod encoder;
mod line;
mod part_file;
mod restore;
mod seal;
#[cfg(test)]
mod tests;

pub use create::{Created, create};
pub use line::{SnapshotHeader, Trailer};
pub use part_file::PartFile;
pub use restore::{Restored, Snapshot};

use super::checksum::Digests;
use crate::{CollectionKind, LeftOut};

/// Name of the format, in every header.
const FORMAT: &str = "duijie-snapshot";
/// Version of the format; raise it with every change that an older program would misread. Version 1 had no documents;
/// it is still readable.
const VERSION: u32 = 2;
/// Longest line in bytes, to limit memory; the longest documents, with escaped quotes, take a quarter of it.
const MAX_LINE_BYTES: usize = 8 << 20;
/// Largest accepted zstd window, 8 MiB, to limit memory; ours are 2 MiB.
const MAX_WINDOW_LOG: u32 = 23;
/// zstd's default level: higher levels gain little on vectors, which are most of the data.
const LEVEL: i32 = 3;

/// Contents of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Checksum of each kind, and of the documents.
    pub digests: Digests,
    /// What was damaged in the store, and is not in the snapshot.
    pub left_out: LeftOut,
}

// === impl Summary ===

impl Summary {
    /// Number of records of all kinds.
    pub fn points(&self) -> u64 {
        self.digests
            .iter()
            .filter(|(collection, _)| **collection != CollectionKind::Documents)
            .map(|(_, it)| it.count)
            .sum()
    }

    /// Number of records of all kinds, plus documents.
    pub fn pieces(&self) -> u64 {
        self.digests.values().map(|digest| digest.count).sum()
    }
}
