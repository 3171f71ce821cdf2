//! Duplicate detection: groups of records of one kind that describe the same thing, each link with its reason.
//!
//! ```text
//! records, any order ── add ──► Signed (sketches, no texts) ── candidates ──► pairs
//! pairs + texts fetched again ── compare (exact) ──► links ── union ──► groups
//! ```
//!
//! Three reasons: the same registration number (achievements); the same owner and near-equal titles; near-equal texts.
//! The thresholds and their measurements are in `limits`. A group is a proposal for a person to review; nothing is
//! merged here.
//!
//! Two kinds of false positives are prevented:
//! - **Two models of one series.** Titles with different numbers are never near-equal. Texts must share half of their
//!   numbers and half of their model numbers. One changed figure among many is an update; a text whose only figure
//!   changed is another thing.
//! - **A shared company profile.** If both texts have sentences of their own that differ, they are not duplicates,
//!   however long the shared part is. If the titles are unlike, boilerplate sentences are ignored. Groups that are
//!   still too large are reduced to their firm links.
//!
//! Memory: half a kilobyte per record, plus its name; `limits` bounds pairs, sentences and cached texts.
//! The result does not depend on the order of the records.

mod boilerplate;
mod candidates;
mod compare;
mod content;
mod groups;
mod limits;
mod shingle;
mod signed;
mod sketch;
mod verify;

use thiserror::Error;

pub use groups::{DuplicateGroup, DuplicateReason, Link};
pub use limits::MAX_RECORDS;

use crate::domain::{Kind, Record, RecordName};
use signed::Signed;

/// Takes records one by one, then finds duplicate groups.
#[derive(Debug)]
pub struct Finder {
    kind: Kind,
    signed: Vec<Signed>,
}

/// Result of a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DuplicateReport {
    /// Groups, ordered by the name of the first member.
    pub groups: Vec<DuplicateGroup>,
    /// Number of records searched.
    pub records: usize,
    /// Number of pairs whose texts were compared.
    pub pairs: usize,
    /// Registration numbers shared by so many records that they must be placeholders; they create no links.
    pub ignored_numbers: Vec<String>,
    /// Whether one of the `limits` cut the search, so that duplicates may be missing.
    pub is_cut: bool,
}

/// Why a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DuplicatesError {
    /// Duplicates are only searched within one kind.
    #[error("查重只能在同一类记录中进行：正在查{}，却收到{}", .wanted.label(), .found.label())]
    Kind {
        /// Kind of the search.
        wanted: Kind,
        /// Kind of the record.
        found: Kind,
    },
    /// Too many records.
    #[error("查重一次最多 {} 条记录，请分批进行", MAX_RECORDS)]
    TooMany,
}

// === impl Finder ===

impl Finder {
    /// Starts a search among the records of one kind.
    pub fn new(kind: Kind) -> Self {
        Self { kind, signed: Vec::new() }
    }

    /// Adds a record. If two have the same name, only one is searched.
    ///
    /// # Errors
    /// The record is of another kind, or there are [`MAX_RECORDS`] already.
    pub fn add(&mut self, record: &Record) -> Result<(), DuplicatesError> {
        if record.kind() != self.kind {
            return Err(DuplicatesError::Kind { wanted: self.kind, found: record.kind() });
        }
        if MAX_RECORDS <= self.signed.len() {
            return Err(DuplicatesError::TooMany);
        }
        self.signed.push(Signed::new(record));
        Ok(())
    }

    /// Finds the groups. `fetch` returns the record with a given name; it is called for candidates only, possibly
    /// several times. Records that it does not return (deleted in the meantime) are skipped.
    pub fn find(mut self, fetch: impl FnMut(&RecordName) -> Option<Record>) -> DuplicateReport {
        self.signed.sort_by(|one, other| one.name.cmp(&other.name));
        self.signed.dedup_by(|next, before| next.name == before.name);
        let numbers = candidates::by_number(&self.signed);
        let candidates = candidates::by_sketches(&self.signed, self.kind);
        let verified = verify::verify(&self.signed, &candidates.pairs, fetch);
        let links = numbers.links.into_iter().chain(verified.links).collect();
        DuplicateReport {
            groups: groups::group(&self.signed, links),
            records: self.signed.len(),
            pairs: candidates.pairs.len(),
            ignored_numbers: numbers.ignored,
            is_cut: candidates.is_cut || verified.is_cut,
        }
    }
}

#[cfg(test)]
mod tests;
