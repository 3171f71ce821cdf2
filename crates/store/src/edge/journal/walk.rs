//! Reads a journal from its start to its end, across damage.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::record::{self, Change, Form, HEAD_BYTES, Record};

/// Bytes read at a time.
const WINDOW_BYTES: u64 = 1 << 20;

/// What stands at a place of the file.
#[derive(Debug)]
pub(in crate::edge) enum Found {
    /// A whole change.
    Change(Change),
    /// Bytes that are no record.
    Damage(Damage),
}

/// Bytes that are no record.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::edge) struct Damage {
    /// Offset of the first damaged byte's record.
    pub(in crate::edge) from: u64,
    /// Offset of the next whole record, or the end of the file.
    pub(in crate::edge) to: u64,
    /// Whether a later record shows that changes here were acknowledged. Otherwise the bytes are a write that was cut
    /// off, with nothing of worth behind it.
    pub(in crate::edge) acknowledged: bool,
    /// Number of changes lost here, if the next record tells.
    pub(in crate::edge) lost: Option<u64>,
    /// The first damaged change, as far as it can be read; parts of it may be wrong.
    pub(in crate::edge) doubtful: Option<Change>,
}

/// A position in a journal.
#[derive(Debug)]
pub(in crate::edge) struct Walk {
    window: Window,
    at: u64,
    /// Generation of the records so far.
    generation: Option<u64>,
    /// Sequence of the next change.
    sequence: u64,
}

/// Part of a file in memory.
#[derive(Debug)]
struct Window {
    file: File,
    path: PathBuf,
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

// === impl Walk ===

impl Walk {
    /// At the start of a file.
    pub(in crate::edge) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        let window = Window { file, path: path.to_path_buf(), end, start: 0, bytes: Vec::new() };
        Ok(Self { window, at: 0, generation: None, sequence: 0 })
    }

    /// Length of the file.
    pub(in crate::edge) fn end(&self) -> u64 {
        self.window.end
    }

    /// The next change or damage; `None` at the end.
    pub(in crate::edge) fn next(&mut self) -> io::Result<Option<Found>> {
        while self.at < self.window.end {
            let Some(record) = self.window.record(self.at)? else {
                return self.cross().map(|damage| Some(Found::Damage(damage)));
            };
            if let Some(damage) = self.missing(&record) {
                return Ok(Some(Found::Damage(damage)));
            }
            self.at += record.bytes;
            self.sequence += u64::from(record.change.is_some());
            if let Some(change) = record.change {
                return Ok(Some(Found::Change(change)));
            }
        }
        Ok(None)
    }

    /// Damage between two whole records, where the numbers of the second do not go on after those of the first. No
    /// write that was cut off looks like this.
    fn missing(&mut self, record: &Record) -> Option<Damage> {
        let stamp = record.stamp?;
        let fits = self.generation.is_none_or(|generation| generation == stamp.generation);
        let lost = stamp.sequence.checked_sub(self.sequence).filter(|_| fits);
        self.generation = Some(stamp.generation);
        self.sequence = stamp.sequence;
        let (from, to) = (self.at, self.at);
        (lost != Some(0)).then_some(Damage { from, to, acknowledged: true, lost, doubtful: None })
    }

    /// Goes to the next whole record, or to the end.
    fn cross(&mut self) -> io::Result<Damage> {
        let from = self.at;
        let doubtful = self.window.guess(from)?;
        let acknowledged = self.acknowledged(from)?;
        let next = self.find(from + 1)?;
        let (to, stamp) = next.map_or((self.window.end, None), |(to, record)| (to, record.stamp));
        let mut lost = None;
        if let Some(stamp) = stamp {
            lost = stamp.sequence.checked_sub(self.sequence);
            self.generation = Some(stamp.generation);
            self.sequence = stamp.sequence;
        }
        self.at = to;
        Ok(Damage { from, to, acknowledged, lost, doubtful })
    }

    /// Returns whether a record behind `from` shows that the byte at `from` was acknowledged. Records of the old form
    /// show it by being there.
    fn acknowledged(&mut self, from: u64) -> io::Result<bool> {
        let mut at = from + 1;
        while let Some((found, record)) = self.find(at)? {
            if record.stamp.is_none_or(|stamp| from < stamp.synced) {
                return Ok(true);
            }
            at = found + record.bytes;
        }
        Ok(false)
    }

    /// The first whole record at or behind `at`.
    fn find(&mut self, at: u64) -> io::Result<Option<(u64, Record)>> {
        for offset in at..self.window.end {
            if let Some(record) = self.window.record(offset)? {
                return Ok(Some((offset, record)));
            }
        }
        Ok(None)
    }
}

// === impl Window ===

impl Window {
    /// The whole record at `offset`.
    fn record(&mut self, offset: u64) -> io::Result<Option<Record>> {
        let Some((form, length)) = self.plausible(offset)? else { return Ok(None) };
        Ok(self.get(offset, length)?.and_then(|bytes| record::decode(form, bytes)))
    }

    /// The change at `offset`, whatever its checksum.
    fn guess(&mut self, offset: u64) -> io::Result<Option<Change>> {
        let Some((form, length)) = self.plausible(offset)? else { return Ok(None) };
        Ok(self.get(offset, length)?.and_then(|bytes| record::guess(form, bytes)))
    }

    fn plausible(&mut self, offset: u64) -> io::Result<Option<(Form, usize)>> {
        let left = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        Ok(self.get(offset, left.min(HEAD_BYTES))?.and_then(record::plausible))
    }

    /// Bytes of the file; `None` if it ends before them.
    fn get(&mut self, offset: u64, length: usize) -> io::Result<Option<&[u8]>> {
        let end = offset.saturating_add(length as u64);
        if self.end < end {
            return Ok(None);
        }
        if offset < self.start || self.start + (self.bytes.len() as u64) < end {
            let want = (self.end - offset).min(WINDOW_BYTES.max(length as u64));
            self.bytes.resize(usize::try_from(want).unwrap_or(usize::MAX), 0);
            self.start = offset;
            self.file.read_exact_at(&mut self.bytes, offset).map_err(|error| self.named(&error))?;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..).and_then(|bytes| bytes.get(..length)))
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}
