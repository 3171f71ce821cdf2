//! Damaged rows: records and documents that are stored but cannot be read as they were written.

use std::collections::{BTreeMap, HashSet};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{CollectionKind, PointId};

/// Most damaged rows that are remembered for each collection, to limit memory.
const MAX_KNOWN: usize = 10_000;

/// A stored row that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its id.
    pub id: PointId,
    /// Name of the record, or folder and key of the document, as far as it can be read; it may be damaged too.
    pub name: Option<String>,
    /// What is wrong, in Chinese.
    pub reason: String,
}

/// Damaged rows that were left out, for people: all are counted, the first are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Number of damaged rows.
    pub count: u64,
    /// The first [`LeftOut::MAX_LISTED`].
    pub listed: Vec<LeftOutRow>,
}

/// A damaged row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutRow {
    /// Where it is stored.
    pub collection: CollectionKind,
    /// Name of the record or document; its id if the name cannot be read.
    pub name: String,
    /// What is wrong, in Chinese.
    pub reason: String,
}

/// The damaged rows that reads met. Each is logged once.
#[derive(Debug, Default)]
pub(crate) struct DamageLog {
    known: Mutex<BTreeMap<CollectionKind, HashSet<PointId>>>,
}

/// Rows as read: those that are whole, and the others.
#[derive(Debug)]
pub(crate) struct Sorted<T> {
    /// Whole rows.
    pub rows: Vec<T>,
    /// The others.
    pub damaged: Vec<Damaged>,
    /// Whole rows without a checksum: written before there was one.
    pub unchecked: u64,
}

/// A row as read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked<T> {
    /// The row.
    pub row: T,
    /// Whether it has a checksum, which fits.
    pub checked: bool,
}

// === impl Damaged ===

impl Damaged {
    /// A row of which nothing can be read.
    pub(crate) fn unreadable(id: PointId, reason: &str) -> Self {
        Self { id, name: None, reason: format!("无法读出（{reason}）") }
    }

    /// Name for messages; without one the id.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("编号 {}", self.id))
    }
}

// === impl LeftOut ===

impl LeftOut {
    /// Most rows that are listed.
    pub const MAX_LISTED: usize = 20;

    /// Adds damaged rows of a collection.
    pub fn add(&mut self, collection: CollectionKind, damaged: &[Damaged]) {
        self.count += damaged.len() as u64;
        let room = Self::MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(damaged.iter().take(room).map(|it| LeftOutRow {
            collection,
            name: it.label(),
            reason: it.reason.clone(),
        }));
    }

    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of rows that are not listed.
    pub fn more(&self) -> u64 {
        self.count.saturating_sub(self.listed.len() as u64)
    }
}

// === impl DamageLog ===

impl DamageLog {
    /// Logs the rows that were not known yet.
    pub(crate) fn note(&self, collection: CollectionKind, damaged: &[Damaged]) {
        if damaged.is_empty() {
            return;
        }
        let mut known = self.known.lock();
        let known = known.entry(collection).or_default();
        for row in damaged {
            if known.len() < MAX_KNOWN && known.insert(row.id) {
                let (name, id, reason) = (row.label(), row.id, &row.reason);
                tracing::error!(%collection, name, %id, reason, "a stored row is damaged and left out");
            }
        }
    }

    /// Forgets rows that were written anew or deleted.
    pub(crate) fn forget<'a>(&self, collection: CollectionKind, ids: impl IntoIterator<Item = &'a PointId>) {
        let mut known = self.known.lock();
        let Some(known) = known.get_mut(&collection).filter(|known| !known.is_empty()) else { return };
        for id in ids {
            known.remove(id);
        }
    }

    /// Number of known damaged rows.
    pub(crate) fn count(&self, collection: CollectionKind) -> u64 {
        self.known.lock().get(&collection).map_or(0, |known| known.len() as u64)
    }
}

// === impl Sorted ===

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), damaged: Vec::new(), unchecked: 0 }
    }
}

impl<T> FromIterator<Result<Checked<T>, Damaged>> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = Result<Checked<T>, Damaged>>>(read: I) -> Self {
        let mut sorted = Self::default();
        for row in read {
            match row {
                Ok(Checked { row, checked }) => {
                    sorted.rows.push(row);
                    sorted.unchecked += u64::from(!checked);
                }
                Err(damaged) => sorted.damaged.push(damaged),
            }
        }
        sorted
    }
}
