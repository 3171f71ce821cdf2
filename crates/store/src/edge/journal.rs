//! The journal: all writes since the last flush of the engine. A write is acknowledged once the journal is synced;
//! after a kill the journal is replayed.
//!
//! Why a journal of our own: the engine never replays its log. It updates vectors in place, so a kill leaves points
//! with new vectors and old payloads. While the optimiser runs, deletions (including those that move updated points)
//! exist only in the memory of its proxies, so even a flush does not keep them.
//!
//! One record: length of the body (u32), first 8 bytes of its SHA-256, body. Numbers are little-endian. Body: id (16
//! bytes), then for a stored row: payload as JSON, embedding, terms, weights, each preceded by its length (u32);
//! nothing for a deletion. Anything after the last complete record is a write cut off before it was acknowledged.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{PointId, payload::StoredRow};
use duijie_core::text::SparseVector;

/// Longest accepted body; real records are far smaller (20,000 characters, 384 dimensions).
const MAX_BODY_BYTES: u32 = 16 << 20;
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
    /// Set after a failed sync, when the state on disk is unknown: nothing may be acknowledged until the journal is
    /// reopened.
    broken: bool,
}

// === impl Journal ===

impl Journal {
    /// Opens or creates the journal. Replay and clear it before the first append.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        let bytes = file.metadata()?.len();
        Ok(Self { file, path: path.to_path_buf(), bytes, broken: false })
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
        for (id, row) in changes {
            encode(*id, row.as_ref(), &mut records)?;
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
        Ok(())
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

    /// Replays every complete record in order, in steps. Returns the number of trailing bytes that are no complete
    /// record.
    pub(super) fn replay<E: From<io::Error>>(
        &self,
        mut apply: impl FnMut(JournalChanges) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&self.path)?);
        let (mut changes, mut read) = (JournalChanges::new(), 0);
        while let Some(JournalRecord { id, row, bytes }) = decode(&mut reader)? {
            changes.insert(id, row);
            read += bytes;
            if REPLAY_POINTS <= changes.len() {
                apply(std::mem::take(&mut changes))?;
            }
        }
        if !changes.is_empty() {
            apply(changes)?;
        }
        Ok(self.bytes.saturating_sub(read))
    }

    /// Empties the journal; call it when the engine has everything on disk.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let cleared =
            self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).and_then(|_| self.file.sync_data());
        self.broken = cleared.is_err();
        self.bytes = if cleared.is_ok() { 0 } else { self.bytes };
        cleared
    }
}

/// One change as read from the file.
struct JournalRecord {
    id: PointId,
    /// `None` for a deletion.
    row: Option<StoredRow>,
    /// Length in the file.
    bytes: u64,
}

fn encode(id: PointId, row: Option<&StoredRow>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut body = id.uuid().as_bytes().to_vec();
    if let Some(row) = row {
        let payload = serde_json::to_vec(&row.payload)?;
        put_length(payload.len(), &mut body)?;
        body.extend(payload);
        put_words(row.dense.iter().map(|value| value.to_le_bytes()), &mut body)?;
        put_words(row.sparse.indices.iter().map(|value| value.to_le_bytes()), &mut body)?;
        put_words(row.sparse.values.iter().map(|value| value.to_le_bytes()), &mut body)?;
    }
    put_length(body.len(), out)?;
    out.extend(check_sum(&body));
    out.extend(body);
    Ok(())
}

fn put_length(length: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::try_from(length).ok().filter(|length| *length <= MAX_BODY_BYTES);
    let length = length.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "a record is too long"))?;
    out.extend(length.to_le_bytes());
    Ok(())
}

fn put_words(words: impl ExactSizeIterator<Item = [u8; 4]>, out: &mut Vec<u8>) -> io::Result<()> {
    put_length(words.len(), out)?;
    words.for_each(|word| out.extend(word));
    Ok(())
}

fn check_sum(body: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.iter_mut().zip(Sha256::digest(body)).for_each(|(to, from)| *to = from);
    sum
}

/// Next record; `None` at the end or at an incomplete record.
fn decode(reader: &mut impl Read) -> io::Result<Option<JournalRecord>> {
    let (mut length, mut sum) = ([0; 4], [0; 8]);
    if !fill(reader, &mut length)? || !fill(reader, &mut sum)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length);
    if MAX_BODY_BYTES < length {
        return Ok(None);
    }
    let mut body = vec![0; length as usize];
    if !fill(reader, &mut body)? || check_sum(&body) != sum {
        return Ok(None);
    }
    Ok(decode_body(&body).map(|(id, row)| JournalRecord { id, row, bytes: 12 + u64::from(length) }))
}

/// Fills the buffer; returns false if the file ends first.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn decode_body(body: &[u8]) -> Option<(PointId, Option<StoredRow>)> {
    let (id, mut rest) = body.split_first_chunk::<16>()?;
    let id = PointId::from(Uuid::from_bytes(*id));
    if rest.is_empty() {
        return Some((id, None));
    }
    let length = take_length(&mut rest)?;
    let (payload, mut rest) = rest.split_at_checked(length)?;
    let payload = serde_json::from_slice(payload).ok()?;
    let dense = take_words(&mut rest, f32::from_le_bytes)?;
    let indices = take_words(&mut rest, u32::from_le_bytes)?;
    let values = take_words(&mut rest, f32::from_le_bytes)?;
    rest.is_empty().then_some((id, Some(StoredRow { payload, dense, sparse: SparseVector { indices, values } })))
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_words<T>(rest: &mut &[u8], word: fn([u8; 4]) -> T) -> Option<Vec<T>> {
    let length = take_length(rest)?;
    let (words, after) = rest.split_at_checked(length.checked_mul(4)?)?;
    *rest = after;
    Some(words.as_chunks::<4>().0.iter().map(|bytes| word(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(number: u32) -> StoredRow {
        let payload = serde_json::json!({ "record": { "title": "激光", "n": number } });
        let sparse = SparseVector { indices: vec![number, u32::MAX], values: vec![0.5, -1.0] };
        StoredRow { payload: payload.as_object().unwrap().clone(), dense: vec![number as f32, 1e-9], sparse }
    }

    fn changes(numbers: &[(u32, bool)]) -> JournalChanges {
        let id = |number: u32| PointId::from(Uuid::from_u128(number.into()));
        numbers.iter().map(|(number, stored)| (id(*number), stored.then(|| row(*number)))).collect()
    }

    fn read(path: &Path) -> (JournalChanges, u64) {
        let mut all = JournalChanges::new();
        let journal = Journal::open(path).unwrap();
        let rest = journal.replay::<io::Error>(|changes| {
            all.extend(changes);
            Ok(())
        });
        (all, rest.unwrap())
    }

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&changes(&[(1, true), (2, true), (3, false)])).unwrap();
        journal.append(&changes(&[(1, false), (3, true)])).unwrap();
        assert_eq!(read(&path), (changes(&[(1, false), (2, true), (3, true)]), 0));
        journal.clear().unwrap();
        assert_eq!((read(&path), journal.bytes()), ((JournalChanges::new(), 0), 0));
        journal.append(&changes(&[(4, true)])).unwrap();
        assert_eq!(read(&path), (changes(&[(4, true)]), 0));
    }

    #[test]
    fn a_failed_write_leaves_no_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&changes(&[(1, true)])).unwrap();
        journal.redirect(full());
        assert!(journal.append(&changes(&[(2, true)])).is_err());
        assert!(journal.append(&changes(&[(3, true)])).is_err());
        assert_eq!(read(&path), (changes(&[(1, true)]), 0));
    }

    fn full() -> File {
        OpenOptions::new().write(true).open("/dev/full").unwrap()
    }

    #[test]
    fn whether_there_is_room_is_tried_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&changes(&[(1, true)])).unwrap();
        journal.try_room().unwrap();
        journal.append(&changes(&[(2, true)])).unwrap();
        assert_eq!(read(&path), (changes(&[(1, true), (2, true)]), 0));
        let file = journal.redirect(full());
        assert!(journal.try_room().is_err());
        journal.redirect(file);
        journal.try_room().unwrap();
        journal.append(&changes(&[(3, true)])).unwrap();
        // cut off during a trial write
        journal.file.write_all(&[0; TRIAL_BYTES]).unwrap();
        assert_eq!(read(&path), (changes(&[(1, true), (2, true), (3, true)]), TRIAL_BYTES as u64));
    }

    proptest! {
        // each case syncs several times
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_cut_or_damaged_journal_gives_whole_records_only(cut in 0_usize..400, flip in 0_usize..400) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal");
            let mut journal = Journal::open(&path).unwrap();
            let mut ends = vec![0];
            for number in 0..4 {
                journal.append(&changes(&[(number, number % 3 != 0)])).unwrap();
                ends.push(journal.bytes() as usize);
            }
            let mut bytes = std::fs::read(&path).unwrap();
            let (cut, flip) = (cut.min(bytes.len()), flip % bytes.len());
            bytes[flip] ^= 0x10;
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut.min(flip)).count() - 1;
            // damage after the cut is harmless
            let whole = if cut <= flip { ends.iter().filter(|end| **end <= cut).count() - 1 } else { whole };
            let numbers: Vec<_> = (0..whole as u32).map(|number| (number, number % 3 != 0)).collect();
            prop_assert_eq!(read(&path), (changes(&numbers), (cut - ends[whole]) as u64));
        }
    }
}
