//! The journal: all writes since the last flush of the engine. A write is acknowledged once the journal is synced;
//! after a kill the journal is replayed.
//!
//! Why a journal of our own: the engine never replays its log. It updates vectors in place, so a kill leaves points
//! with new vectors and old payloads. While the optimiser runs, deletions (including those that move updated points)
//! exist only in the memory of its proxies, so even a flush does not keep them.
//!
//! Each record says up to which byte the journal was synced before it was written, so it proves that all changes before
//! that byte were acknowledged. After each sync a marker is written that proves it for the changes just synced; the
//! marker itself is synced with the next append, so it survives a kill, not always a power failure.
//!
//! What is promised when bytes of the file are damaged:
//! - Damage before a whole record that proves it acknowledged stops the start; the file stays as it is.
//! - Any other damage is a write that was cut off: it and what stands behind it were never acknowledged. Exceptions, which
//!   the file cannot show: a file that lost its end, and damage to the last append together with its marker.
//!
//! - `record`: records as bytes; `walk`: reading across damage; `salvage`: what can be saved of a damaged one

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod record;
pub mod salvage;
#[cfg(test)]
mod tests;
pub(super) mod walk;

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use record::{Change, Stamp};
use walk::{Found, Walk};

use crate::{PointId, payload::StoredRow};

/// Bytes of a trial write that tests for free space: as much as a large write.
const TRIAL_BYTES: usize = 1 << 20;
/// Points per replay step.
const REPLAY_POINTS: usize = 1_000;

/// The last change of each point: store (`Some`) or delete (`None`).
pub(super) type JournalChanges = HashMap<PointId, Option<StoredRow>>;

/// An open journal, positioned at its end.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    bytes: u64,
    generation: u64,
    /// Changes since the journal was emptied.
    sequence: u64,
    /// Set after a failed sync, when the state on disk is unknown: nothing may be acknowledged until the journal is
    /// reopened.
    broken: bool,
}

/// How a replay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replayed {
    /// Every acknowledged change was applied.
    Whole {
        /// Trailing bytes of a write that was cut off.
        torn_bytes: u64,
    },
    /// Acknowledged changes are damaged; those before were applied.
    Damaged {
        /// Offset of the first damaged record.
        offset: u64,
    },
}

// === impl Journal ===

impl Journal {
    /// Creates the journal, or opens the one that is there. Replay and clear it before the first append.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let journal = Self::with(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(journal)
    }

    /// Opens a journal that must be there. Replay and clear it before the first append.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::with(path, OpenOptions::new().read(true).write(true))
    }

    fn with(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        let file = options.open(path)?;
        let bytes = file.metadata()?.len();
        let generation = fastrand::u64(..);
        Ok(Self { file, path: path.to_path_buf(), bytes, generation, sequence: 0, broken: false })
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends changes. They are on disk when this returns.
    ///
    /// # Errors
    /// The changes are not in the journal; or their state is unknown, and every later append fails too.
    pub(super) fn append(&mut self, changes: &JournalChanges) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the journal failed before"));
        }
        let mut records = Vec::new();
        let mut stamp = self.stamp();
        for (id, row) in changes {
            stamp.put_change(*id, row.as_ref(), &mut records)?;
            stamp.sequence += 1;
        }
        if let Err(error) = self.file.write_all(&records) {
            self.broken = self.cut().is_err();
            return Err(error);
        }
        if let Err(error) = self.file.sync_data() {
            self.broken = true;
            return Err(error);
        }
        self.bytes += records.len() as u64;
        self.sequence = stamp.sequence;
        self.mark();
        Ok(())
    }

    /// Writes a marker behind what was synced. Without it nothing is lost.
    fn mark(&mut self) {
        let marker = self.stamp().marker();
        match self.file.write_all(&marker) {
            Ok(()) => self.bytes += marker.len() as u64,
            Err(_) => self.broken = self.cut().is_err(),
        }
    }

    /// Stamp of the next record.
    fn stamp(&self) -> Stamp {
        Stamp { generation: self.generation, sequence: self.sequence, synced: self.bytes }
    }

    /// Tests whether an append would succeed: writes and removes zeros, which a replay would not read as a record.
    pub(super) fn try_room(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&vec![0; TRIAL_BYTES]).and_then(|()| self.file.sync_data());
        self.broken = self.cut().and_then(|()| self.file.sync_data()).is_err();
        written
    }

    /// Truncates the file after the last complete record.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes)).map(drop)
    }

    /// Redirects the next writes to another file, such as on a full disk; returns the former file.
    #[cfg(test)]
    pub(super) fn redirect(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }

    /// Replays the changes in order, in steps, up to the first damage.
    pub(super) fn replay<E: From<io::Error>>(
        &self,
        mut apply: impl FnMut(JournalChanges) -> Result<(), E>,
    ) -> Result<Replayed, E> {
        let mut walk = Walk::open(&self.path)?;
        let mut changes = JournalChanges::new();
        let mut damage = None;
        while let Some(found) = walk.next()? {
            match found {
                Found::Change(Change { id, row }) => drop(changes.insert(id, row)),
                Found::Damage(found) => {
                    damage = Some(found);
                    break;
                }
            }
            if REPLAY_POINTS <= changes.len() {
                apply(std::mem::take(&mut changes))?;
            }
        }
        if !changes.is_empty() {
            apply(changes)?;
        }
        Ok(match damage {
            Some(damage) if damage.acknowledged => Replayed::Damaged { offset: damage.from },
            Some(damage) => Replayed::Whole { torn_bytes: walk.end() - damage.from },
            None => Replayed::Whole { torn_bytes: 0 },
        })
    }

    /// Empties the journal; call it when the engine has everything on disk.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let cleared =
            self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).and_then(|_| self.file.sync_data());
        self.broken = cleared.is_err();
        if cleared.is_ok() {
            (self.bytes, self.sequence, self.generation) = (0, 0, fastrand::u64(..));
        }
        cleared
    }
}
