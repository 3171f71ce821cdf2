use std::fs;

use proptest::prelude::*;
use uuid::Uuid;

use super::{record::old_form, *};
use duijie_core::text::SparseVector;

fn row(number: u32) -> StoredRow {
    let payload = serde_json::json!({ "record": { "title": "激光", "n": number } });
    let sparse = SparseVector { indices: vec![number, u32::MAX], values: vec![0.5, -1.0] };
    StoredRow { payload: payload.as_object().unwrap().clone(), dense: vec![number as f32, 1e-9], sparse }
}

fn changes(numbers: &[(u32, bool)]) -> JournalChanges {
    let id = |number: u32| PointId::from(Uuid::from_u128(number.into()));
    numbers.iter().map(|(number, stored)| (id(*number), stored.then(|| row(*number)))).collect()
}

fn read(path: &Path) -> (JournalChanges, Replayed) {
    let mut all = JournalChanges::new();
    let journal = Journal::open(path).unwrap();
    let ended = journal.replay::<io::Error>(|changes| {
        all.extend(changes);
        Ok(())
    });
    (all, ended.unwrap())
}

fn whole(torn_bytes: usize) -> Replayed {
    Replayed::Whole { torn_bytes: torn_bytes as u64 }
}

/// A folder with a journal in it.
fn new() -> (tempfile::TempDir, PathBuf, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::create(&path).unwrap();
    (folder, path, journal)
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let (_folder, path, mut journal) = new();
    journal.append(&changes(&[(1, true), (2, true), (3, false)])).unwrap();
    journal.append(&changes(&[(1, false), (3, true)])).unwrap();
    assert_eq!(read(&path), (changes(&[(1, false), (2, true), (3, true)]), whole(0)));
    journal.clear().unwrap();
    assert_eq!((read(&path), journal.bytes()), ((JournalChanges::new(), whole(0)), 0));
    journal.append(&changes(&[(4, true)])).unwrap();
    assert_eq!(read(&path), (changes(&[(4, true)]), whole(0)));
}

#[test]
fn a_failed_write_leaves_no_rest() {
    let (_folder, path, mut journal) = new();
    journal.append(&changes(&[(1, true)])).unwrap();
    journal.redirect(full());
    assert!(journal.append(&changes(&[(2, true)])).is_err());
    assert!(journal.append(&changes(&[(3, true)])).is_err());
    assert_eq!(read(&path), (changes(&[(1, true)]), whole(0)));
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn whether_there_is_room_is_tried_without_a_trace() {
    let (_folder, path, mut journal) = new();
    journal.append(&changes(&[(1, true)])).unwrap();
    journal.try_room().unwrap();
    journal.append(&changes(&[(2, true)])).unwrap();
    assert_eq!(read(&path), (changes(&[(1, true), (2, true)]), whole(0)));
    let file = journal.redirect(full());
    assert!(journal.try_room().is_err());
    journal.redirect(file);
    journal.try_room().unwrap();
    journal.append(&changes(&[(3, true)])).unwrap();
    // cut off during a trial write
    journal.file.write_all(&[0; TRIAL_BYTES]).unwrap();
    assert_eq!(read(&path), (changes(&[(1, true), (2, true), (3, true)]), whole(TRIAL_BYTES)));
}

#[test]
fn journals_of_the_old_form_are_read_and_their_damage_is_found() {
    let (_folder, path, _) = new();
    let records: Vec<Vec<u8>> = (0..4)
        .map(|number| {
            let (id, row) = changes(&[(number, number % 2 == 0)]).into_iter().next().unwrap();
            old_form::record(id, row.as_ref())
        })
        .collect();
    let bytes = records.concat();
    let numbers: Vec<_> = (0..4).map(|number| (number, number % 2 == 0)).collect();
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read(&path), (changes(&numbers), whole(0)));
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(read(&path), (changes(&numbers[..3]), whole(records[3].len() - 3)));
    let second = records[0].len();
    let mut damaged = bytes;
    damaged[second + 20] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert_eq!(read(&path), (changes(&numbers[..1]), Replayed::Damaged { offset: second as u64 }));
}

#[test]
fn a_flipped_bit_of_the_last_change_is_found_by_the_marker_behind_it() {
    let (_folder, path, mut journal) = new();
    journal.append(&changes(&[(1, true)])).unwrap();
    let last = journal.bytes();
    journal.append(&changes(&[(2, true)])).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[last as usize + 60] ^= 4;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read(&path), (changes(&[(1, true)]), Replayed::Damaged { offset: last }));
}

#[test]
fn a_group_that_was_not_synced_is_a_torn_tail_whatever_of_it_reached_the_disk() {
    let (_folder, path, mut journal) = new();
    journal.append(&changes(&[(1, true)])).unwrap();
    let synced = journal.bytes() as usize;
    journal.append(&(10..20).map(|number| changes(&[(number, true)])).fold(JournalChanges::new(), join)).unwrap();
    let bytes = fs::read(&path).unwrap();
    // the power failed before the sync: the second change is lost, later ones are there, the marker was never written
    let marker = journal.stamp().marker().len();
    let mut torn = bytes[..bytes.len() - marker].to_vec();
    let length = (torn.len() - synced) / 10;
    torn[synced + length..synced + 2 * length].fill(0);
    fs::write(&path, &torn).unwrap();
    let (found, ended) = read(&path);
    assert_eq!((found.len(), ended), (2, whole(9 * length)));
}

fn join(mut all: JournalChanges, more: JournalChanges) -> JournalChanges {
    all.extend(more);
    all
}

#[test]
fn a_piece_taken_out_between_whole_changes_is_damage() {
    let (_folder, path, mut journal) = new();
    let mut ends = vec![0];
    for number in 0..4 {
        journal.append(&changes(&[(number, true)])).unwrap();
        ends.push(journal.bytes() as usize);
    }
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [&bytes[..ends[1]], &bytes[ends[2]..]].concat()).unwrap();
    assert_eq!(read(&path), (changes(&[(0, true)]), Replayed::Damaged { offset: ends[1] as u64 }));
    // zeros of the same length
    let mut zeros = bytes.clone();
    zeros[ends[1]..ends[2]].fill(0);
    fs::write(&path, &zeros).unwrap();
    assert_eq!(read(&path), (changes(&[(0, true)]), Replayed::Damaged { offset: ends[1] as u64 }));
    // a file whose start is gone
    let mut headless = bytes;
    headless[..ends[1]].fill(0);
    fs::write(&path, &headless).unwrap();
    assert_eq!(read(&path), (JournalChanges::new(), Replayed::Damaged { offset: 0 }));
}

proptest! {
    // each case syncs several times
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_never_loses_an_acknowledged_change_in_silence(
        groups in proptest::collection::vec(1_u32..4, 1..5),
        flips in proptest::collection::vec((0_usize..10_000, 0_u32..8), 0..3),
        cut in proptest::option::of(0_usize..10_000),
    ) {
        let (_folder, path, mut journal) = new();
        let (mut ends, mut number) = (Vec::new(), 0);
        for group in groups {
            let numbers: Vec<_> = (number..number + group).map(|number| (number, number % 3 != 0)).collect();
            number += group;
            journal.append(&changes(&numbers)).unwrap();
            ends.push((journal.bytes() as usize, number));
        }
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut % (bytes.len() + 1)));
        for (at, bit) in &flips {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at % length) {
                *byte ^= 1 << bit;
            }
        }
        fs::write(&path, &bytes).unwrap();
        let (found, ended) = read(&path);
        let numbers: Vec<_> = (0..number).map(|number| (number, number % 3 != 0)).collect();
        let written = changes(&numbers);
        prop_assert!(found.iter().all(|(id, row)| written.get(id) == Some(row)), "nothing else is found");
        let up_to = |number: u32| changes(&numbers[..number as usize]).keys().all(|id| found.contains_key(id));
        let before = |end: usize| ends.iter().rev().find(|(there, _)| *there <= end).map_or(0, |(_, number)| *number);
        match ended {
            Replayed::Damaged { offset } => prop_assert!(up_to(before(offset as usize)), "what stands before is found"),
            // a later append proves an earlier one, and a marker the last: it takes two flips to lose it
            Replayed::Whole { .. } if flips.len() < 2 => prop_assert!(up_to(before(bytes.len()))),
            Replayed::Whole { .. } => {
                let last = ends.iter().rev().find(|(end, _)| *end <= bytes.len()).map_or(0, |(end, _)| *end);
                prop_assert!(up_to(before(last.saturating_sub(1))), "at most the last is missing");
            }
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let (_folder, path, _) = new();
        fs::write(&path, &bytes).unwrap();
        let (found, ended) = read(&path);
        prop_assert!(found.is_empty());
        prop_assert_eq!(ended, whole(bytes.len()));
    }
}
