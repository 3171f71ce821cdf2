//! A snapshot: one file with all that an index holds.
//!
//! ```text
//! zstd stream of lines of JSON:
//!   {"header": {format, version, store shape, counts when it was begun, time}}
//!   {"point": {record, query, dense, indices, weights}}   by kind, then by id; vectors in base64, little-endian
//!   {"document": {folder, key, version, tags, text}}      behind the points, by id
//!   {"trailer": {count and SHA-256 of each kind and of the documents, SHA-256 of all lines before}}
//! 40 bytes: a skippable frame of zstd with the SHA-256 of all bytes before
//! ```
//!
//! `zstd -dc file` shows the lines. Nothing is believed before the whole file was read: a snapshot that was cut off or
//! altered anywhere is refused before a point of it is written. A snapshot of an index that is written to meanwhile holds
//! each record as it was at some moment while the snapshot was made.
//!
//! - `line`: one line; `encoder`, `decoder`: lines to bytes and back; `seal`: the last 40 bytes
//! - `part_file`: a file that is whole or not there
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

pub use create::create;
pub use line::{Header, Trailer};
pub use part_file::PartFile;
pub use restore::{Restored, Snapshot};

use super::checksum::Digests;
use crate::CollectionKind;

/// Name of the format, in every header.
const FORMAT: &str = "duijie-snapshot";
/// Version of the format; to be raised with any change that an older program would misread.
/// Version 1 had no documents; it is read as well.
const VERSION: u32 = 2;
/// Longest line in bytes, to bound memory: the longest documents, their quotes escaped, take a fourth of it.
const MAX_LINE_BYTES: usize = 8 << 20;
/// Windows of zstd up to 8 MiB are accepted, to bound memory; ours are 2 MiB.
const MAX_WINDOW_LOG: u32 = 23;
/// zstd's own default: stronger levels gain little on vectors, which are most of the bytes.
const LEVEL: i32 = 3;

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Checksum of each kind.
    pub digests: Digests,
}

// === impl Summary ===

impl Summary {
    /// Records of all kinds.
    pub fn points(&self) -> u64 {
        self.digests
            .iter()
            .filter(|(collection, _)| **collection != CollectionKind::Documents)
            .map(|(_, it)| it.count)
            .sum()
    }

    /// Records of all kinds, and documents.
    pub fn pieces(&self) -> u64 {
        self.digests.values().map(|digest| digest.count).sum()
    }
}
