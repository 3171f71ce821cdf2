//! Edge cases: nothing to place, no free place, contradictory input, steps used up.

use std::cell::Cell;

use super::model::{event, fair, fault, keeps_spare, pairs, solved};
use crate::scheduling::{
    Blocked, Cause, Conflict, Failure, Input, Lock, MAX_SLOTS, Meeting, MeetingRequest, Part, Published, Seat, Work,
    schedule,
};

fn check(input: &Input, placed: usize, causes: &[Cause]) {
    let schedule = solved(input);
    assert_eq!(schedule.meetings.len(), placed, "{schedule:?}");
    assert_eq!(schedule.unplaced.iter().map(|pair| pair.cause).collect::<Vec<_>>(), causes);
}

fn refused(input: &Input, want: &[Conflict]) {
    assert_eq!(schedule(input, &Work::default()), Err(Failure::Conflicts(want.to_vec())));
}

fn lock(demand: usize, counterpart: usize, slot: usize, table: Option<usize>) -> Lock {
    Lock { demand, counterpart, slot, table }
}

#[test]
fn nothing_gives_nothing() {
    check(&Input::default(), 0, &[]);
    check(&event(3, 3, 4, 2), 0, &[]);
    let input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, 0, 1) };
    check(&input, 0, &[Cause::NoCommonSlot]);
    let input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, 2, 0) };
    check(&input, 0, &[Cause::Blocked(Blocked { slots: 2, tables_taken: 2, ..Blocked::default() })]);
}

#[test]
fn each_cause_is_told() {
    let all = pairs([(0, 1), (0, 2)]);
    let one_slot = Input { pairs: all.clone(), ..event(1, 2, 1, 2) };
    check(&one_slot, 1, &[Cause::Blocked(Blocked { slots: 1, demand_busy: 1, ..Blocked::default() })]);
    let one_guest = Input { pairs: pairs([(0, 2), (1, 2)]), ..event(2, 1, 1, 2) };
    check(&one_guest, 1, &[Cause::Blocked(Blocked { slots: 1, counterpart_busy: 1, ..Blocked::default() })]);
    let one_table = Input { pairs: pairs([(0, 2), (1, 3)]), ..event(2, 2, 1, 1) };
    check(&one_table, 1, &[Cause::Blocked(Blocked { slots: 1, tables_taken: 1, ..Blocked::default() })]);
    let mut two_of_three = Input { presenters: vec![2], pairs: pairs([(0, 3), (1, 4), (2, 5)]), ..event(3, 3, 1, 3) };
    two_of_three.participants[3..].iter_mut().for_each(|one| one.presenter = Some(0));
    check(&two_of_three, 2, &[Cause::Blocked(Blocked { slots: 1, presenter_busy: 1, ..Blocked::default() })]);
    let mut alone = Input { presenters: vec![1], pairs: pairs([(0, 1)]), ..event(1, 1, 2, 2) };
    alone.participants.iter_mut().for_each(|one| one.presenter = Some(0));
    check(&alone, 0, &[Cause::SamePerson]);
    check(&Input { pairs: pairs([(0, 0)]), ..event(1, 0, 2, 2) }, 0, &[Cause::SamePerson]);
    check(&Input { closed: 2, pairs: pairs([(0, 1)]), ..event(1, 1, 2, 2) }, 0, &[Cause::CommonSlotsClosed]);
}

#[test]
fn the_heavier_one_is_placed() {
    let weighed = [(0, 2, 3), (1, 3, 9), (0, 3, 7)];
    let pairs = weighed.map(|(demand, counterpart, weight)| MeetingRequest { demand, counterpart, weight }).to_vec();
    let schedule = solved(&Input { pairs, ..event(2, 2, 1, 2) });
    assert_eq!(schedule.statistics.placed_weight, 12);
    assert_eq!((schedule.statistics.max_weight, schedule.statistics.is_optimal), (12, true));
}

#[test]
fn all_four_tables_are_used_for_a_full_event() {
    // Everybody meets everybody: 4 × 4 in 4 slots leaves no free slot.
    let all =
        (0..4).flat_map(|demand| (4..8).map(move |counterpart| MeetingRequest { demand, counterpart, weight: 1 }));
    let schedule = solved(&Input { pairs: all.collect(), ..event(4, 4, 4, 4) });
    assert_eq!((schedule.meetings.len(), schedule.statistics.gaps, schedule.statistics.host_moves), (16, 0, 0));
}

#[test]
fn hosts_share_a_table_one_after_the_other() {
    let schedule = solved(&Input { pairs: pairs([(0, 2), (0, 3), (1, 2), (1, 3)]), ..event(2, 2, 4, 1) });
    // The hosts do not wait; one guest always has the first and the last slot.
    assert_eq!((schedule.meetings.len(), schedule.statistics.gaps), (4, 2));
}

#[test]
fn gaps_do_not_run_over_night() {
    let mut input = Input { days: vec![0, 0, 1, 1], pairs: pairs([(0, 1), (0, 2)]), ..event(1, 2, 4, 1) };
    input.participants[1].available = vec![true, false, false, false];
    input.participants[2].available = vec![false, false, false, true];
    assert_eq!(solved(&input).statistics.gaps, 0);
    input.days = vec![0; 4];
    assert_eq!(solved(&input).statistics.gaps, 2);
    // Absence does not count as waiting.
    input.participants[0].available = vec![true, false, false, true];
    assert_eq!(solved(&input).statistics.gaps, 0);
}

#[test]
fn an_own_table_is_the_only_one() {
    let input = Input { tables: vec![None, Some(0)], pairs: pairs([(0, 2), (1, 2), (1, 3)]), ..event(2, 2, 3, 2) };
    let tables: Vec<(usize, usize)> =
        solved(&input).meetings.iter().map(|meeting| (meeting.demand, meeting.place.table)).collect();
    assert_eq!(tables, [(0, 1), (1, 0), (1, 0)]);
}

#[test]
fn spare_tables_stay_free_but_for_locks() {
    let mut input = Input { spare_percent: 10, pairs: pairs([(0, 3), (1, 4), (2, 5)]), ..event(3, 3, 1, 3) };
    assert_eq!(solved(&input).meetings.len(), 2);
    input.locks = vec![lock(0, 3, 0, None), lock(1, 4, 0, None), lock(2, 5, 0, None)];
    assert_eq!(solved(&input).meetings.len(), 3);
    // The only table is always usable.
    check(&Input { spare_percent: 50, pairs: pairs([(0, 1)]), ..event(1, 1, 1, 1) }, 1, &[]);
}

#[test]
fn contradictions_are_all_told() {
    let wrong = Lock { demand: 0, counterpart: 3, slot: 0, table: None };
    let mut input = Input { pairs: pairs([(0, 2), (0, 2), (1, 2)]), ..event(2, 2, 2, 2) };
    input.locks = vec![wrong, lock(0, 2, 0, Some(1)), lock(1, 2, 1, Some(0))];
    input.participants[0].available[0] = false;
    input.tables[0] = Some(0);
    let twice = Conflict::Twice { what: Part::Pairs, demand: 0, counterpart: 2 };
    let beyond = Conflict::LockBeyondAvailability(lock(0, 2, 0, Some(1)));
    let away = Conflict::LockAtOwnTable(lock(1, 2, 1, Some(0)));
    refused(&input, &[twice, Conflict::LockWithoutPair(wrong), beyond, away]);
}

#[test]
fn locks_that_collide_name_both() {
    let both = |first, second| Input {
        pairs: pairs([(0, 2), (1, 3), (0, 3)]),
        locks: vec![first, second],
        ..event(2, 2, 2, 2)
    };
    let cases = [
        (lock(0, 2, 0, Some(0)), lock(1, 3, 0, Some(0))),
        (lock(0, 2, 1, Some(0)), lock(0, 3, 1, Some(1))),
        (lock(0, 3, 1, None), lock(1, 3, 1, None)),
    ];
    for (first, second) in cases {
        refused(&both(first, second), &[Conflict::LocksCollide { first, second }]);
    }
    let three = [lock(0, 3, 0, None), lock(1, 4, 0, None), lock(2, 5, 0, None)];
    let input = Input { pairs: pairs([(0, 3), (1, 4), (2, 5)]), locks: three.to_vec(), ..event(3, 3, 1, 2) };
    refused(&input, &[Conflict::LocksCollide { first: three[0], second: three[2] }]);
}

#[test]
fn indices_and_sizes_are_checked() {
    let out = |what, index| [Conflict::OutOfRange { what, index }];
    refused(&Input { pairs: pairs([(0, 2)]), ..event(1, 1, 1, 1) }, &out(Part::Pairs, 0));
    refused(&Input { days: vec![1, 0], ..event(0, 0, 2, 1) }, &out(Part::Slots, 1));
    refused(&Input { days: vec![0, 0], ..event(1, 0, 1, 1) }, &out(Part::Participants, 0));
    refused(&Input { presenters: vec![0], ..event(1, 0, 1, 1) }, &out(Part::Presenters, 0));
    refused(&Input { tables: vec![Some(1)], ..event(1, 0, 1, 1) }, &out(Part::Tables, 0));
    refused(&Input { closed: 2, ..event(1, 0, 1, 1) }, &out(Part::Slots, 2));
    refused(&Input { locks: vec![lock(0, 0, 0, Some(1))], ..event(1, 0, 1, 1) }, &out(Part::Locks, 0));
    let nowhere = Meeting { demand: 0, counterpart: 0, place: Seat { slot: 1, table: 0 } };
    let published = Some(Published { meetings: vec![nowhere], refill: false });
    refused(&Input { published, ..event(1, 0, 1, 1) }, &out(Part::Published, 0));
    check(&event(1, 1, MAX_SLOTS, 1), 0, &[]);
    refused(&event(1, 1, MAX_SLOTS + 1, 1), &[Conflict::TooMany { what: Part::Slots, max: MAX_SLOTS }]);
    let spare = Conflict::TooMany { what: Part::Spare, max: 50 };
    refused(&Input { spare_percent: 51, ..event(1, 1, 1, 1) }, &[spare]);
}

#[test]
fn an_event_of_the_size_that_is_asked_for_is_placed() {
    let input = fair(100, 300, 16, 40, 550);
    let schedule = solved(&input);
    assert_eq!(fault(&input, &schedule.meetings), None);
    assert!(keeps_spare(&input, &schedule.meetings));
    assert!(schedule.statistics.is_optimal);
    assert!(schedule.unplaced.iter().all(|pair| pair.cause == Cause::NoCommonSlot), "{:?}", schedule.unplaced);
    assert!(schedule.statistics.gaps < 100, "{} gaps", schedule.statistics.gaps);
}

#[test]
fn the_last_slot_can_be_used() {
    let mut input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, MAX_SLOTS, 1) };
    input.participants[0].available = (0..MAX_SLOTS).map(|slot| slot == MAX_SLOTS - 1).collect();
    assert_eq!(solved(&input).meetings[0].place.slot, MAX_SLOTS - 1);
    input.closed = MAX_SLOTS - 1;
    check(&input, 1, &[]);
    input.closed = MAX_SLOTS;
    check(&input, 0, &[Cause::CommonSlotsClosed]);
}

#[test]
fn who_is_no_longer_waited_for_stops() {
    let input = Input { pairs: pairs([(0, 1)]), ..event(1, 1, 1, 1) };
    assert_eq!(schedule(&input, &Work { steps: 100, stop: &|| true }), Err(Failure::Stopped));
    // a large event is left within about a thousand steps
    let all =
        (0..40).flat_map(|demand| (40..80).map(move |counterpart| MeetingRequest { demand, counterpart, weight: 1 }));
    let input = Input { pairs: all.collect(), ..event(40, 40, 30, 40) };
    for after in 1..6 {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            after < asked.get()
        };
        assert_eq!(schedule(&input, &Work { stop: &stop, ..Work::default() }), Err(Failure::Stopped));
        assert_eq!(asked.get(), after + 1);
    }
}
