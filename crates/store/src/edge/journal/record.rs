//! One record of the journal, as bytes. Numbers are little-endian.
//!
//! A record: magic bytes, length of the body (u32), generation, sequence and `synced` (u64 each), first 8 bytes of the
//! SHA-256 of header and body; then the body. A record of the old form, which is only read: length of the body
//! (u32), first 8 bytes of its SHA-256, body.
//!
//! Body of a change: id (16 bytes), then for a stored row: payload as JSON, embedding, terms, weights, each preceded by
//! its length (u32); nothing for a deletion. A marker has no body.

use std::io::{self, ErrorKind};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{PointId, payload::StoredRow};
use duijie_core::text::SparseVector;

/// Longest accepted body; real records are far smaller (20,000 characters, 384 dimensions).
const MAX_BODY_BYTES: u32 = 16 << 20;
/// Start of a record. No UTF-8 text contains it, and as a length of the old form it is too large.
const MAGIC: [u8; 4] = [0xD7, b'J', b'2', 0xF5];
/// Bytes of a header up to the checksum.
const STAMP_BYTES: usize = 32;
/// Bytes of a header.
const HEADER_BYTES: usize = STAMP_BYTES + 8;
/// Bytes of a header of the old form.
const OLD_HEADER_BYTES: usize = 12;
/// Bytes at the start of a record that tell whether there can be one.
pub(super) const HEAD_BYTES: usize = OLD_HEADER_BYTES + ID_BYTES + 5;
/// Bytes of an id, and of the body of a deletion.
const ID_BYTES: usize = 16;

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Random number of the journal since it was last emptied.
    pub(super) generation: u64,
    /// Number of changes before it.
    pub(super) sequence: u64,
    /// All bytes before this offset were synced, and their changes acknowledged, when the record was written.
    pub(super) synced: u64,
}

/// One change: store (`Some`) or delete (`None`).
#[derive(Debug, Clone, PartialEq)]
pub(in crate::edge) struct Change {
    /// The point.
    pub(in crate::edge) id: PointId,
    /// Its row; `None` for a deletion.
    pub(in crate::edge) row: Option<StoredRow>,
}

/// A record as read.
#[derive(Debug)]
pub(super) struct Record {
    /// `None` in a record of the old form.
    pub(super) stamp: Option<Stamp>,
    /// `None` in a marker.
    pub(super) change: Option<Change>,
    /// Length in the file.
    pub(super) bytes: u64,
}

/// How a record is read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Magic bytes, stamp, checksum, body.
    Stamped,
    /// Length, checksum, body.
    Old,
}

// === impl Stamp ===

impl Stamp {
    /// Appends the record of a change.
    ///
    /// # Errors
    /// When the change is too long.
    pub(super) fn put_change(self, id: PointId, row: Option<&StoredRow>, out: &mut Vec<u8>) -> io::Result<()> {
        let mut body = id.uuid().as_bytes().to_vec();
        if let Some(row) = row {
            let payload = serde_json::to_vec(&row.payload)?;
            put_length(payload.len(), &mut body)?;
            body.extend(payload);
            put_words(row.dense.iter().map(|value| value.to_le_bytes()), &mut body)?;
            put_words(row.sparse.indices.iter().map(|value| value.to_le_bytes()), &mut body)?;
            put_words(row.sparse.values.iter().map(|value| value.to_le_bytes()), &mut body)?;
        }
        let length = length_bytes(body.len())?;
        self.put(length, &body, out);
        Ok(())
    }

    /// A marker.
    pub(super) fn marker(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        self.put([0; 4], &[], &mut out);
        out
    }

    fn put(self, length: [u8; 4], body: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(MAGIC);
        out.extend(length);
        for number in [self.generation, self.sequence, self.synced] {
            out.extend(number.to_le_bytes());
        }
        let sum = check_sum(&[out.get(start..).unwrap_or_default(), body]);
        out.extend(sum);
        out.extend(body);
    }
}

/// Form and length of the record that starts with these bytes, as far as there can be one. `head` has [`HEAD_BYTES`],
/// or all that is left of the file. Costs next to nothing, so that every offset can be asked.
pub(super) fn plausible(head: &[u8]) -> Option<(Form, usize)> {
    let first = *head.first_chunk::<4>()?;
    if first == MAGIC {
        let length = usize::try_from(length(head.get(4..8)?)?).ok()?;
        return (length == 0 || ID_BYTES <= length).then_some((Form::Stamped, HEADER_BYTES + length));
    }
    let length = usize::try_from(length(&first)?).ok()?;
    let body = head.get(OLD_HEADER_BYTES..)?;
    let fits = match length {
        ID_BYTES => true,
        _ => {
            let payload = usize::try_from(u32::from_le_bytes(*body.get(ID_BYTES..)?.first_chunk()?)).ok()?;
            ID_BYTES + 4 * 4 + payload <= length && body.get(ID_BYTES + 4) == Some(&b'{')
        }
    };
    fits.then_some((Form::Old, OLD_HEADER_BYTES + length))
}

/// The record of these bytes; `None` if the checksum is wrong.
pub(super) fn decode(form: Form, bytes: &[u8]) -> Option<Record> {
    let (stamp, sum, body) = parts(form, bytes)?;
    let right = match form {
        Form::Stamped => check_sum(&[bytes.get(..STAMP_BYTES)?, body]),
        Form::Old => check_sum(&[body]),
    };
    if right != sum {
        return None;
    }
    let change = if body.is_empty() { None } else { Some(decode_body(body)?) };
    Some(Record { stamp, change, bytes: bytes.len() as u64 })
}

/// The change in these bytes whatever their checksum; to name a damaged record.
pub(super) fn guess(form: Form, bytes: &[u8]) -> Option<Change> {
    decode_body(parts(form, bytes)?.2)
}

fn parts(form: Form, bytes: &[u8]) -> Option<(Option<Stamp>, [u8; 8], &[u8])> {
    match form {
        Form::Stamped => {
            let (head, body) = bytes.split_at_checked(HEADER_BYTES)?;
            let (numbers, sum) = head.get(8..)?.split_at_checked(STAMP_BYTES - 8)?;
            let [generation, sequence, synced] = *numbers.as_chunks::<8>().0 else { return None };
            let [generation, sequence, synced] = [generation, sequence, synced].map(u64::from_le_bytes);
            Some((Some(Stamp { generation, sequence, synced }), *sum.first_chunk()?, body))
        }
        Form::Old => {
            let (head, body) = bytes.split_at_checked(OLD_HEADER_BYTES)?;
            Some((None, *head.last_chunk()?, body))
        }
    }
}

/// A length that a record can have.
fn length(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.first_chunk()?)).filter(|length| *length <= MAX_BODY_BYTES)
}

fn put_length(length: usize, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend(length_bytes(length)?);
    Ok(())
}

fn length_bytes(length: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(length).ok().filter(|length| *length <= MAX_BODY_BYTES);
    let length = length.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "a record is too long"))?;
    Ok(length.to_le_bytes())
}

fn put_words(words: impl ExactSizeIterator<Item = [u8; 4]>, out: &mut Vec<u8>) -> io::Result<()> {
    put_length(words.len(), out)?;
    words.for_each(|word| out.extend(word));
    Ok(())
}

fn check_sum(parts: &[&[u8]]) -> [u8; 8] {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    let mut sum = [0; 8];
    sum.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
    sum
}

fn decode_body(body: &[u8]) -> Option<Change> {
    let (id, mut rest) = body.split_first_chunk::<ID_BYTES>()?;
    let id = PointId::from(Uuid::from_bytes(*id));
    if rest.is_empty() {
        return Some(Change { id, row: None });
    }
    let length = take_length(&mut rest)?;
    let (payload, mut rest) = rest.split_at_checked(length)?;
    let payload = serde_json::from_slice(payload).ok()?;
    let dense = take_words(&mut rest, f32::from_le_bytes)?;
    let indices = take_words(&mut rest, u32::from_le_bytes)?;
    let values = take_words(&mut rest, f32::from_le_bytes)?;
    let row = StoredRow { payload, dense, sparse: SparseVector { indices, values } };
    rest.is_empty().then_some(Change { id, row: Some(row) })
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
pub(super) mod old_form {
    //! Writes records of the old form, which the service only reads.

    use super::*;

    /// The record of a change.
    pub(in super::super) fn record(id: PointId, row: Option<&StoredRow>) -> Vec<u8> {
        let mut stamped = Vec::new();
        Stamp { generation: 0, sequence: 0, synced: 0 }.put_change(id, row, &mut stamped).unwrap();
        let body = &stamped[HEADER_BYTES..];
        let mut out = Vec::new();
        put_length(body.len(), &mut out).unwrap();
        out.extend(check_sum(&[body]));
        out.extend(body);
        out
    }
}
