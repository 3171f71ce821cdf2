//! Checksums of a stored row, kept in its payload, so that a read notices a flipped bit, and a row under the id of another
//! one. Each part has its own, as most reads take only some of the parts. All include the id.
//!
//! Record, lexical query, filter fields and terms: the first 8 bytes of a SHA-256. The embedding: engines scale it to
//! length 1 with rounding of their own, so its bits are not those that were written. Four sums of its numbers with signs
//! that look random are kept instead. A flipped bit that changes a number of the unit vector by more than 10^-5 shows;
//! a smaller change moves no cosine by more than 10^-5.
//!
//! Rows of before have no checksum and are taken as they are.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    FieldSelection, PointId,
    document_row::{FOLDER, KEY, TAGS, TEXT},
    payload::{FilterField, QUERY, RECORD, REVISION, StoredRow},
};
use duijie_core::text::SparseVector;

/// Key of the checksums.
pub(crate) const SUM: &str = "sum";

/// Version of the layout below, its first word.
const VERSION: &str = "1";
/// Sums of the embedding.
const SUMS: usize = 4;
/// Units of these sums for each 1.
const UNITS: f64 = 1e7;
/// Greatest difference of a sum in units: that of 1,024 numbers, each rounded to 32 bits.
const TOLERANCE: i64 = 100;
/// Greatest difference of an embedding's length from 1.
const LENGTH_TOLERANCE: f64 = 1e-3;

/// Writes the checksums of a record's row into its payload.
pub(crate) fn seal_record(id: PointId, row: &mut StoredRow) {
    let mut words = vec![
        VERSION.to_string(),
        text_sum(id, &row.payload, RECORD),
        text_sum(id, &row.payload, QUERY),
        fields_sum(id, &row.payload, FilterField::ALL.map(FilterField::key)),
        terms_sum(id, &row.sparse),
    ];
    words.extend(direction_sums(&row.dense).map(|sum| sum.to_string()));
    row.payload.insert(SUM.to_string(), Value::String(words.join(" ")));
}

/// Compares what was read of a record's row with its checksums. Says whether it has any; the error is the damaged part.
pub(crate) fn check_record(id: PointId, row: &StoredRow, read: FieldSelection) -> Result<bool, &'static str> {
    const OWN: &str = "校验和";
    let sum = match row.payload.get(SUM) {
        None => return check_plain(row).map(|()| false),
        Some(sum) => sum.as_str().ok_or(OWN)?,
    };
    let words: Vec<&str> = sum.split(' ').collect();
    let [VERSION, record, query, fields, terms, direction @ ..] = words.as_slice() else { return Err(OWN) };
    let all = read == FieldSelection::Everything;
    let sparse = all || read == FieldSelection::Sparse;
    if *record != text_sum(id, &row.payload, RECORD) {
        return Err("内容");
    }
    if all && *query != text_sum(id, &row.payload, QUERY) {
        return Err("查询词");
    }
    if all && *fields != fields_sum(id, &row.payload, FilterField::ALL.map(FilterField::key)) {
        return Err("筛选字段");
    }
    if sparse && *terms != terms_sum(id, &row.sparse) {
        return Err("词的权重");
    }
    if all {
        let stored: Option<Vec<i64>> = direction.iter().map(|sum| sum.parse().ok()).collect();
        let stored = stored.filter(|stored| stored.len() == SUMS).ok_or(OWN)?;
        let near = |(one, other): (&i64, i64)| one.abs_diff(other) <= TOLERANCE.unsigned_abs();
        if !is_sane(&row.dense) || !stored.iter().zip(direction_sums(&row.dense)).all(near) {
            return Err("向量");
        }
    }
    Ok(true)
}

/// Writes the checksum of a document's row into its payload.
pub(crate) fn seal_document(id: PointId, payload: &mut Map<String, Value>) {
    let sum = format!("{VERSION} {}", document_sum(id, payload));
    payload.insert(SUM.to_string(), Value::String(sum));
}

/// As [`check_record`], for a document.
pub(crate) fn check_document(id: PointId, payload: &Map<String, Value>) -> Result<bool, &'static str> {
    match payload.get(SUM) {
        None => Ok(false),
        Some(sum) if sum.as_str() == Some(&format!("{VERSION} {}", document_sum(id, payload))) => Ok(true),
        Some(_) => Err("内容"),
    }
}

/// Whether an embedding can be one that an engine keeps: finite numbers, of length 1 or without direction.
pub(crate) fn is_sane(dense: &[f32]) -> bool {
    let length = length(dense);
    // not for NaN
    dense.is_empty() || length < LENGTH_TOLERANCE || (length - 1.0).abs() <= LENGTH_TOLERANCE
}

fn check_plain(row: &StoredRow) -> Result<(), &'static str> {
    if is_sane(&row.dense) { Ok(()) } else { Err("向量") }
}

fn document_sum(id: PointId, payload: &Map<String, Value>) -> String {
    fields_sum(id, payload, [FOLDER, KEY, REVISION, TAGS, TEXT])
}

fn text_sum(id: PointId, payload: &Map<String, Value>, key: &str) -> String {
    let text = payload.get(key).and_then(Value::as_str).unwrap_or_default();
    sum(id, [text.as_bytes()])
}

fn fields_sum<const N: usize>(id: PointId, payload: &Map<String, Value>, keys: [&'static str; N]) -> String {
    let there = keys.into_iter().filter_map(|key| Some((key, payload.get(key)?)));
    let parts: Vec<String> = there.flat_map(|(key, value)| [key.to_string(), value.to_string()]).collect();
    sum(id, parts.iter().map(String::as_bytes))
}

fn terms_sum(id: PointId, sparse: &SparseVector) -> String {
    let terms = sparse.indices.iter().zip(&sparse.values).filter(|(_, weight)| **weight != 0.0);
    let mut terms: Vec<(u32, u32)> = terms.map(|(term, weight)| (*term, weight.to_bits())).collect();
    terms.sort_unstable();
    let bytes: Vec<u8> =
        terms.into_iter().flat_map(|(term, weight)| [term, weight]).flat_map(u32::to_le_bytes).collect();
    sum(id, [bytes.as_slice()])
}

fn sum<'a>(id: PointId, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sha256 = Sha256::new();
    sha256.update(id.uuid().as_bytes());
    for part in parts {
        sha256.update((part.len() as u64).to_le_bytes());
        sha256.update(part);
    }
    sha256.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Sums of the vector's numbers, scaled to length 1, each with signs of its own.
fn direction_sums(dense: &[f32]) -> [i64; SUMS] {
    let length = length(dense);
    let scale = if length == 0.0 { 0.0 } else { UNITS / length };
    let mut sums = [0.0; SUMS];
    for (place, value) in dense.iter().enumerate() {
        let signs = mixed(place as u64);
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if signs >> bit & 1 == 0 { f64::from(*value) } else { -f64::from(*value) };
        }
    }
    sums.map(|sum| (sum * scale).round() as i64)
}

fn length(dense: &[f32]) -> f64 {
    dense.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt()
}

/// The finaliser of SplitMix64: bits that look random.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Point, payload::StoredRow};
    use duijie_core::{
        domain::{Detail, Kind, Record},
        text::LexicalQuery,
    };

    fn row() -> (PointId, StoredRow) {
        let record = Record::new("local", "d-1", "激光焊接", Detail::empty(Kind::Demand));
        let point = Point {
            record: Record { region: "130100".into(), revision: 3, ..record },
            dense: (0..384).map(|place| ((place * 37 % 101) as f32 - 50.0) / 700.0).collect(),
            sparse: SparseVector { indices: vec![9, 4], values: vec![1.5, 0.25] },
            query: LexicalQuery { terms: vec![("激光".into(), 1.5)] },
        };
        (point.id(), StoredRow::of(point).unwrap())
    }

    /// As an engine gives it back: of length 1 by 32-bit sums, terms in order.
    fn stored(mut row: StoredRow) -> StoredRow {
        let length = row.dense.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.dense.iter_mut().for_each(|value| *value /= length);
        row.sparse = SparseVector { indices: vec![4, 9], values: vec![0.25, 1.5] };
        row
    }

    #[test]
    fn what_an_engine_gives_back_fits() {
        let (id, row) = row();
        let mut scaled = stored(row.clone());
        for _ in 0..3 {
            assert_eq!(check_record(id, &scaled, FieldSelection::Everything), Ok(true));
            scaled = stored(scaled);
        }
        for read in [FieldSelection::Payload, FieldSelection::Sparse] {
            assert_eq!(check_record(id, &StoredRow { dense: Vec::new(), ..stored(row.clone()) }, read), Ok(true));
        }
        let mut plain = stored(row);
        plain.payload.remove(SUM);
        assert_eq!(check_record(id, &plain, FieldSelection::Everything), Ok(false));
    }

    #[test]
    fn every_part_is_looked_at() {
        let (id, row) = row();
        let check = |change: &dyn Fn(&mut StoredRow), want: &'static str| {
            let mut changed = stored(row.clone());
            change(&mut changed);
            assert_eq!(check_record(id, &changed, FieldSelection::Everything), Err(want));
        };
        let text = |key: &'static str| move |row: &mut StoredRow| drop(row.payload.insert(key.into(), "x".into()));
        check(&text(RECORD), "内容");
        check(&text(QUERY), "查询词");
        check(&text("region"), "筛选字段");
        check(&|row| drop(row.payload.remove("region")), "筛选字段");
        check(&|row| drop(row.payload.insert(REVISION.into(), 4.into())), "筛选字段");
        check(&text(SUM), "校验和");
        check(&|row| row.sparse.values[0] = 0.26, "词的权重");
        check(&|row| row.sparse = SparseVector::default(), "词的权重");
        check(&|row| row.dense.clear(), "向量");
        check(&|row| row.dense[7] = f32::NAN, "向量");
        check(&|row| row.dense[7] = -row.dense[7], "向量");
        check(&|row| row.dense.swap(7, 8), "向量");
        assert_eq!(
            check_record(PointId::from(uuid::Uuid::nil()), &stored(row.clone()), FieldSelection::Payload),
            Err("内容")
        );
    }

    #[test]
    fn a_flipped_bit_of_an_embedding_shows_or_is_too_small_to_matter() {
        let (id, row) = row();
        let whole = stored(row);
        let (mut seen, mut flips) = (0, 0);
        for place in 0..whole.dense.len() {
            for bit in 0..32 {
                let mut flipped = whole.clone();
                flipped.dense[place] = f32::from_bits(flipped.dense[place].to_bits() ^ 1 << bit);
                let moved = f64::from((flipped.dense[place] - whole.dense[place]).abs());
                let shows = check_record(id, &flipped, FieldSelection::Everything).is_err();
                assert!(shows || moved < 2.0e-5, "{place} {bit} {moved}");
                (seen, flips) = (seen + usize::from(shows), flips + 1);
            }
        }
        assert!(flips / 3 < seen, "{seen} of {flips}");
    }
}
