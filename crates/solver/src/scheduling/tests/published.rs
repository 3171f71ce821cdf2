//! Handling of published meetings, case by case.

use super::model::{event, pairs, solved};
use crate::scheduling::{Cause, Fate, Input, Lock, Meeting, Published, Seat};

fn meeting(demand: usize, counterpart: usize, slot: usize, table: usize) -> Meeting {
    Meeting { demand, counterpart, place: Seat { slot, table } }
}

fn published(input: Input, meetings: Vec<Meeting>) -> Input {
    Input { published: Some(Published { meetings, refill: true }), ..input }
}

fn check(input: &Input, want: &[Fate]) {
    let fates: Vec<Fate> = solved(input).changes.into_iter().map(|change| change.fate).collect();
    assert_eq!(fates, want);
}

#[test]
fn a_bad_place_is_kept_all_the_same() {
    // Two gaps and a table change: the meeting was published, so it stays.
    let input = Input { pairs: pairs([(0, 1), (0, 2)]), ..event(1, 2, 4, 2) };
    let (first, second) = (meeting(0, 1, 0, 0), meeting(0, 2, 3, 1));
    check(&published(input, vec![first, second]), &[Fate::Kept(first.place), Fate::Kept(second.place)]);
}

#[test]
fn a_table_that_is_gone_changes_the_table_only() {
    let input = Input { pairs: pairs([(0, 2), (1, 3)]), ..event(2, 2, 3, 2) };
    let (stays, gone) = (meeting(0, 2, 1, 0), meeting(1, 3, 1, 7));
    let to = Seat { slot: 1, table: 1 };
    check(&published(input, vec![stays, gone]), &[Fate::Kept(stays.place), Fate::Moved { from: gone.place, to }]);
}

#[test]
fn who_loses_the_slot_moves_to_the_nearest() {
    let mut input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, 6, 1) };
    input.participants[1].available[4] = false;
    let from = Seat { slot: 4, table: 0 };
    let to = Seat { slot: 3, table: 0 };
    check(&published(input, vec![meeting(0, 1, 4, 0)]), &[Fate::Moved { from, to }]);
}

#[test]
fn what_is_over_stays_whoever_left() {
    let mut input = Input { closed: 1, ..event(1, 2, 3, 1) };
    input.participants[1].available.fill(false);
    input.pairs = pairs([(0, 2)]);
    let held = meeting(0, 1, 0, 0);
    let added = Fate::Added(Seat { slot: 1, table: 0 });
    check(&published(input, vec![held]), &[Fate::Kept(held.place), added]);
}

#[test]
fn what_is_over_stays_even_where_people_were_sent_home_since() {
    let mut input = Input { closed: 1, presenters: vec![1], pairs: pairs([(0, 2), (1, 3)]), ..event(2, 2, 3, 2) };
    input.participants[2].presenter = Some(0);
    input.participants[3].presenter = Some(0);
    let both = vec![meeting(0, 2, 0, 0), meeting(1, 3, 0, 1)];
    check(&published(input, both), &[Fate::Kept(Seat { slot: 0, table: 0 }), Fate::Kept(Seat { slot: 0, table: 1 })]);
}

#[test]
fn a_lock_takes_the_place_of_what_was_published() {
    let lock = Lock { demand: 1, counterpart: 3, slot: 0, table: Some(0) };
    let input = Input { pairs: pairs([(0, 2), (1, 3)]), locks: vec![lock], ..event(2, 2, 2, 1) };
    let before = vec![meeting(0, 2, 0, 0), meeting(1, 3, 1, 0)];
    let (early, late) = (Seat { slot: 0, table: 0 }, Seat { slot: 1, table: 0 });
    check(&published(input, before), &[Fate::Moved { from: early, to: late }, Fate::Moved { from: late, to: early }]);
}

#[test]
fn a_lock_without_a_table_leaves_published_tables_alone() {
    let lock = Lock { demand: 1, counterpart: 3, slot: 0, table: None };
    let input = Input { pairs: pairs([(0, 2), (1, 3)]), locks: vec![lock], ..event(2, 2, 2, 2) };
    let stays = meeting(0, 2, 0, 0);
    let added = Fate::Added(Seat { slot: 0, table: 1 });
    check(&published(input, vec![stays]), &[Fate::Kept(stays.place), added]);
}

#[test]
fn what_has_no_place_left_is_removed_with_its_cause() {
    let mut input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, 2, 1) };
    input.participants[0].available = vec![true, false];
    input.participants[1].available = vec![false, true];
    let input = published(input, vec![meeting(0, 1, 0, 0)]);
    check(&input, &[Fate::Removed(Seat { slot: 0, table: 0 })]);
    assert_eq!(solved(&input).unplaced[0].cause, Cause::NoCommonSlot);
}

#[test]
fn without_refilling_new_pairs_wait() {
    let mut input = published(Input { pairs: pairs([(0, 1)]), ..event(1, 1, 2, 1) }, Vec::new());
    check(&input, &[Fate::Added(Seat { slot: 0, table: 0 })]);
    input.published = Some(Published::default());
    check(&input, &[]);
    assert_eq!(solved(&input).unplaced[0].cause, Cause::NotAskedFor);
}

#[test]
fn published_meetings_may_sit_at_spare_tables_and_nothing_new_may() {
    let input = Input { spare_percent: 50, pairs: pairs([(0, 3), (1, 4), (2, 5)]), ..event(3, 3, 1, 2) };
    let both = vec![meeting(0, 3, 0, 0), meeting(1, 4, 0, 1)];
    check(&published(input, both.clone()), &[Fate::Kept(both[0].place), Fate::Kept(both[1].place)]);
}
