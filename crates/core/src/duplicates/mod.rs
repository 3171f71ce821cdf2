//! Duplicates: groups of records of one kind that are the same thing under several ids, each link with its reason.
//!
//! ```text
//! records, any order ── add ──► Signed (sketches, no texts) ── candidates ──► pairs
//! pairs + texts fetched again ── compare (exact) ──► links ── union ──► groups
//! ```
//!
//! Three reasons: the same registration number (achievements); the same owner with a near-equal title; near-equal texts.
//! The thresholds are in [`limits`], each with its measure. A group is a proposal for a person: nothing is merged here.
//!
//! What must not happen, and what stands against it:
//! - **Two models of one series.** Titles with different numbers are never near-equal, and texts need to agree in half of
//!   their numbers and of their model numbers. One changed figure among many is an update of the same thing; a text whose
//!   only figure changed is another thing.
//! - **A shared company profile.** Where both texts have sentences of their own that say different things, they are not the
//!   same, however long the shared part is. Where the titles are unlike, sentences that stand under several titles do not
//!   count. Groups that still grow large are cut down to their firm links.
//!
//! Memory: [`Finder::BYTES_PER_RECORD`] for each record and its name; pairs, sentences and texts in work are limited in
//! [`limits`]. The same records give the same groups in whatever order they come.

mod boilerplate;
mod candidates;
mod compare;
mod content;
mod groups;
pub mod limits;
mod shingle;
mod signed;
mod sketch;
mod verify;

use thiserror::Error;

pub use groups::{Group, Link, Reason};

use crate::domain::{Kind, Record, RecordName};
use signed::Signed;

/// Takes records one by one, then finds the groups.
#[derive(Debug)]
pub struct Finder {
    kind: Kind,
    signed: Vec<Signed>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Groups, each by the name of its first member.
    pub groups: Vec<Group>,
    /// Records that were looked at.
    pub records: usize,
    /// Pairs whose texts were compared.
    pub pairs: usize,
    /// Registration numbers that so many records have that they must be placeholders; they link nothing.
    pub ignored_numbers: Vec<String>,
    /// Whether a limit of [`limits`] cut the search, so that more could be found.
    pub is_cut: bool,
}

/// Why a record cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DuplicatesError {
    /// Only records of one kind can be the same thing.
    #[error("查重只能在同一类记录中进行：正在查{}，却收到{}", .wanted.label(), .found.label())]
    Kind {
        /// Kind of the search.
        wanted: Kind,
        /// Kind of the record.
        found: Kind,
    },
    /// Too many records.
    #[error("查重一次最多 {} 条记录，请分批进行", limits::MAX_RECORDS)]
    TooMany,
}

// === impl Finder ===

impl Finder {
    /// Bytes for each record beside its name (and a registration number of 12 bytes).
    pub const BYTES_PER_RECORD: usize = size_of::<Signed>();

    /// A search among the records of one kind.
    pub fn new(kind: Kind) -> Self {
        Self { kind, signed: Vec::new() }
    }

    /// Takes a record. A second one of the same name is passed over when groups are found.
    ///
    /// # Errors
    /// The record is of another kind, or there are [`limits::MAX_RECORDS`] already.
    pub fn add(&mut self, record: &Record) -> Result<(), DuplicatesError> {
        if record.kind() != self.kind {
            return Err(DuplicatesError::Kind { wanted: self.kind, found: record.kind() });
        }
        if limits::MAX_RECORDS <= self.signed.len() {
            return Err(DuplicatesError::TooMany);
        }
        self.signed.push(Signed::new(record));
        Ok(())
    }

    /// Finds the groups. `fetch` gives a record again by its name, for candidates only and some of them several times;
    /// what it does not give (it may be gone by now) is left out.
    pub fn find(mut self, fetch: impl FnMut(&RecordName) -> Option<Record>) -> Report {
        self.signed.sort_by(|one, other| one.name.cmp(&other.name));
        self.signed.dedup_by(|next, before| next.name == before.name);
        let numbers = candidates::by_number(&self.signed);
        let candidates = candidates::by_sketches(&self.signed, self.kind);
        let verified = verify::verify(&self.signed, &candidates.pairs, fetch);
        let links = numbers.links.into_iter().chain(verified.links).collect();
        Report {
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
