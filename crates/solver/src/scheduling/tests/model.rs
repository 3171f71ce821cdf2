//! Rules and brute force, written independently of the search, and small events to test on.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::scheduling::{Blocked, Cause, Input, Meeting, MeetingRequest, Participant, Schedule, Seat, Work, schedule};

/// Schedule of a valid input.
pub fn solved(input: &Input) -> Schedule {
    schedule(input, &Work { steps: 300_000, stop: &|| false }).unwrap()
}

/// An event without any limits.
pub fn event(demands: usize, counterparts: usize, slots: usize, tables: usize) -> Input {
    let participant = Participant { available: vec![true; slots], presenter: None };
    Input {
        participants: vec![participant; demands + counterparts],
        days: vec![0; slots],
        tables: vec![None; tables],
        ..Input::default()
    }
}

/// Pairs of weight 1.
pub fn pairs<const N: usize>(pairs: [(usize, usize); N]) -> Vec<MeetingRequest> {
    pairs.map(|(demand, counterpart)| MeetingRequest { demand, counterpart, weight: 1 }).to_vec()
}

/// Maximum meetings per slot.
pub fn max(input: &Input) -> usize {
    let tables = input.tables.len();
    let spare = (tables * usize::from(input.spare_percent)).div_ceil(100);
    (tables - spare).max(usize::from(0 < tables))
}

/// Broken rules of some meetings, except for spare tables.
pub fn fault(input: &Input, meetings: &[Meeting]) -> Option<String> {
    let mut at_table = BTreeMap::new();
    let mut busy = BTreeMap::new();
    let mut presenting = BTreeMap::new();
    let own = |side: usize| input.tables.iter().position(|owner| *owner == Some(side));
    for meeting in meetings {
        let Meeting { demand, counterpart, place } = *meeting;
        if place.slot < input.closed || input.tables.len() <= place.table {
            return Some(format!("{meeting:?} is nowhere"));
        }
        if at_table.insert(place, meeting).is_some() {
            return Some(format!("two at one table: {place:?}"));
        }
        match own(demand).or(own(counterpart)) {
            Some(table) if table != place.table => return Some(format!("{meeting:?} is away from its table")),
            None if input.tables[place.table].is_some() => return Some(format!("{meeting:?} is at another's table")),
            _ => {}
        }
        for side in [demand, counterpart] {
            if !input.participants[side].available[place.slot] {
                return Some(format!("{side} is not there: {meeting:?}"));
            }
            if busy.insert((side, place.slot), meeting).is_some() {
                return Some(format!("{side} is at two tables: {meeting:?}"));
            }
            if let Some(presenter) = input.participants[side].presenter {
                let count = presenting.entry((presenter, place.slot)).or_insert(0);
                *count += 1;
                if input.presenters[presenter] < *count {
                    return Some(format!("too few people of {presenter}: {meeting:?}"));
                }
            }
        }
    }
    None
}

/// Returns whether no slot has more meetings than open tables.
pub fn keeps_spare(input: &Input, meetings: &[Meeting]) -> bool {
    (0..input.days.len()).all(|slot| meetings.iter().filter(|one| one.place.slot == slot).count() <= max(input))
}

/// Maximum weight that can be placed, by brute force.
pub fn brute_force(input: &Input) -> u64 {
    fn descend(input: &Input, at: usize, meetings: &mut Vec<Meeting>) -> u64 {
        let Some(pair) = input.pairs.get(at) else { return 0 };
        let mut best = descend(input, at + 1, meetings);
        for slot in 0..input.days.len() {
            for table in 0..input.tables.len() {
                let place = Seat { slot, table };
                meetings.push(Meeting { demand: pair.demand, counterpart: pair.counterpart, place });
                if fault(input, meetings).is_none() && keeps_spare(input, meetings) {
                    best = best.max(u64::from(pair.weight) + descend(input, at + 1, meetings));
                }
                meetings.pop();
            }
        }
        best
    }
    descend(input, 0, &mut Vec::new())
}

/// Counts again the cause in each slot for an unplaced pair.
pub fn blocked(input: &Input, schedule: &Schedule, demand: usize, counterpart: usize) -> Blocked {
    let mut blocked = Blocked::default();
    for slot in input.closed..input.days.len() {
        let is_here = |side: usize| input.participants[side].available[slot];
        if !(is_here(demand) && is_here(counterpart)) {
            continue;
        }
        blocked.slots += 1;
        let alone = |side: usize| vec![Meeting { demand: side, counterpart: side, place: Seat { slot, table: 0 } }];
        let there = schedule.meetings.iter().filter(|meeting| meeting.place.slot == slot);
        let there: Vec<Meeting> = there.copied().collect();
        if is_busy(input, &there, demand) {
            blocked.demand_busy += 1;
        } else if is_busy(input, &there, counterpart) {
            blocked.counterpart_busy += 1;
        } else if lacks_people(input, &there, &[alone(demand), alone(counterpart)].concat()) {
            blocked.presenter_busy += 1;
        } else {
            let own = [demand, counterpart].map(|side| input.tables.iter().position(|owner| *owner == Some(side)));
            let may_have = |table: &usize| match own[0].or(own[1]) {
                Some(own) => own == *table,
                None => input.tables[*table].is_none(),
            };
            let free = |table: &usize| !there.iter().any(|meeting| meeting.place.table == *table);
            let is_taken =
                max(input) <= there.len() || !(0..input.tables.len()).filter(may_have).any(|table| free(&table));
            blocked.tables_taken += usize::from(is_taken);
        }
    }
    blocked
}

/// Returns whether a participant, or the sole person who presents it, has a meeting.
fn is_busy(input: &Input, there: &[Meeting], side: usize) -> bool {
    let person = |side: usize| input.participants[side].presenter.filter(|one| input.presenters[*one] == 1);
    let is_same = |other: usize| other == side || person(side).is_some() && person(side) == person(other);
    there.iter().any(|meeting| is_same(meeting.demand) || is_same(meeting.counterpart))
}

/// Returns whether a presenter has too few people for two more meetings.
fn lacks_people(input: &Input, there: &[Meeting], more: &[Meeting]) -> bool {
    let presenter = |side: usize| input.participants[side].presenter;
    let sides = there.iter().flat_map(|meeting| [meeting.demand, meeting.counterpart]);
    let sides: Vec<usize> =
        sides.chain(more.iter().map(|meeting| meeting.demand)).filter(|side| presenter(*side).is_some()).collect();
    let asked = |one: usize| more.iter().any(|meeting| presenter(meeting.demand) == Some(one));
    let count = |one: usize| sides.iter().filter(|side| presenter(**side) == Some(one)).count();
    (0..input.presenters.len()).any(|one| asked(one) && (input.presenters[one] as usize) < count(one))
}

/// Checks everything that an answer states about unplaced pairs.
pub fn check_causes(input: &Input, schedule: &Schedule) {
    for unplaced in &schedule.unplaced {
        let (demand, counterpart) = (unplaced.demand, unplaced.counterpart);
        if let Cause::Blocked(said) = unplaced.cause {
            assert_eq!(said, blocked(input, schedule, demand, counterpart), "{demand} and {counterpart}");
            let sum = said.demand_busy + said.counterpart_busy + said.presenter_busy + said.tables_taken;
            assert!(0 < said.slots && said.slots == sum, "a free slot was left: {said:?}");
        }
    }
}

/// Random events with at most this many participants, slots, tables and pairs.
pub fn events(people: usize, slots: usize, tables: usize, pairs: usize) -> impl Strategy<Value = Input> {
    let sizes = (2..=people, 1..=slots, 1..=tables);
    sizes.prop_flat_map(move |(people, slots, tables)| {
        let available = prop::collection::vec(prop::bool::weighted(0.8), slots);
        let participant = (available, prop::option::weighted(0.4, 0..2usize));
        (
            prop::collection::vec(participant, people),
            prop::collection::vec(1..=3u32, 2),
            prop::collection::vec(0..2u32, slots),
            prop::collection::vec(prop::option::weighted(0.15, 0..people), tables),
            0..=50u8,
            prop::collection::btree_map((0..people, 0..people), 0..4u32, 0..=pairs),
        )
            .prop_map(|(participants, presenters, mut days, mut tables, spare_percent, pairs)| {
                days.sort_unstable();
                for at in 0..tables.len() {
                    if tables[..at].contains(&tables[at]) {
                        tables[at] = None; // one table for each
                    }
                }
                let pairs = pairs.into_iter();
                Input {
                    participants: participants
                        .into_iter()
                        .map(|(available, presenter)| Participant { available, presenter })
                        .collect(),
                    presenters,
                    days,
                    tables,
                    spare_percent,
                    pairs: pairs
                        .map(|((demand, counterpart), weight)| MeetingRequest { demand, counterpart, weight })
                        .collect(),
                    ..Input::default()
                }
            })
    })
}

/// A synthetic event: two days or more of eight slots, one in ten participants available for half of them, popular
/// counterparts with at most six meetings, presenters with one to three people, one table in ten spare.
pub fn fair(demands: usize, counterparts: usize, slots: usize, tables: usize, pairs: usize) -> Input {
    let mut random = 7u64;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let mut input = event(demands, counterparts, slots, tables);
    input.days = (0..slots).map(|slot| (slot / 8) as u32).collect();
    input.spare_percent = 10;
    input.presenters = (0..counterparts / 2).map(|_| 1 + below(3) as u32).collect();
    for (at, participant) in input.participants.iter_mut().enumerate() {
        if below(10) == 0 {
            let early = below(2) == 0;
            participant.available = (0..slots).map(|slot| (slot < slots / 2) == early).collect();
        }
        participant.presenter = (demands <= at && below(10) < 6).then(|| below(counterparts / 2));
    }
    let (mut load, mut seen, mut turn) = (vec![0; counterparts], BTreeSet::new(), 0);
    while input.pairs.len() < pairs {
        let (demand, counterpart) = (turn % demands, below(counterparts).min(below(counterparts)));
        turn += 1;
        if load[counterpart] < 6 && seen.insert((demand, counterpart)) {
            load[counterpart] += 1;
            let weight = 100 + below(900) as u32;
            input.pairs.push(MeetingRequest { demand, counterpart: demands + counterpart, weight });
        }
    }
    input
}
