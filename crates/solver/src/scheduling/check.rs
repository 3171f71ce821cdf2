//! Input checks before any computation: indices in range; locks consistent with each other and with everything else.
//! All contradictions are reported, not only the first.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Conflict, Input, Lock, Part,
    input::{MAX_PAIRS, MAX_PARTICIPANTS, MAX_SLOTS, MAX_SPARE_PERCENT, MAX_TABLES},
};

/// All contradictions, in order.
pub(super) fn check(input: &Input) -> Vec<Conflict> {
    let mut conflicts = sizes(input);
    if conflicts.is_empty() {
        conflicts = ranges(input);
    }
    if conflicts.is_empty() {
        conflicts = repeats(input);
        conflicts.extend(locks(input));
    }
    conflicts.sort_unstable();
    conflicts.dedup();
    conflicts
}

fn sizes(input: &Input) -> Vec<Conflict> {
    let published = input.published.as_ref().map_or(0, |published| published.meetings.len());
    let sizes = [
        (Part::Participants, input.participants.len(), MAX_PARTICIPANTS),
        (Part::Presenters, input.presenters.len(), MAX_PARTICIPANTS),
        (Part::Slots, input.days.len(), MAX_SLOTS),
        (Part::Tables, input.tables.len(), MAX_TABLES),
        (Part::Spare, input.spare_percent.into(), MAX_SPARE_PERCENT.into()),
        (Part::Pairs, input.pairs.len(), MAX_PAIRS),
        (Part::Locks, input.locks.len(), MAX_PAIRS),
        (Part::Published, published, MAX_PAIRS),
    ];
    sizes
        .into_iter()
        .filter(|(_, size, max)| max < size)
        .map(|(what, _, max)| Conflict::TooMany { what, max })
        .collect()
}

fn ranges(input: &Input) -> Vec<Conflict> {
    let (people, slots, tables) = (input.participants.len(), input.days.len(), input.tables.len());
    let mut wrong: Vec<(Part, usize)> = Vec::new();
    for (index, participant) in input.participants.iter().enumerate() {
        let known = participant.presenter.is_none_or(|presenter| presenter < input.presenters.len());
        if participant.available.len() != slots || !known {
            wrong.push((Part::Participants, index));
        }
    }
    wrong.extend(
        input
            .presenters
            .iter()
            .enumerate()
            .filter(|(_, count)| **count == 0)
            .map(|(index, _)| (Part::Presenters, index)),
    );
    wrong.extend(
        input
            .days
            .windows(2)
            .enumerate()
            .filter(|(_, days)| days[1] < days[0])
            .map(|(index, _)| (Part::Slots, index + 1)),
    );
    if slots < input.closed {
        wrong.push((Part::Slots, input.closed));
    }
    let beyond = |owner: &Option<usize>| owner.is_some_and(|owner| people <= owner);
    wrong.extend(
        input.tables.iter().enumerate().filter(|(_, owner)| beyond(owner)).map(|(index, _)| (Part::Tables, index)),
    );
    for (index, pair) in input.pairs.iter().enumerate() {
        if people <= pair.demand.max(pair.counterpart) {
            wrong.push((Part::Pairs, index));
        }
    }
    for (index, lock) in input.locks.iter().enumerate() {
        let table = lock.table.is_some_and(|table| tables <= table);
        if people <= lock.demand.max(lock.counterpart) || slots <= lock.slot || table {
            wrong.push((Part::Locks, index));
        }
    }
    for (index, meeting) in input.published.iter().flat_map(|published| &published.meetings).enumerate() {
        // A missing table is not an error: the meeting has to move.
        if people <= meeting.demand.max(meeting.counterpart) || slots <= meeting.place.slot {
            wrong.push((Part::Published, index));
        }
    }
    wrong.into_iter().map(|(what, index)| Conflict::OutOfRange { what, index }).collect()
}

fn repeats(input: &Input) -> Vec<Conflict> {
    let published = input.published.iter().flat_map(|published| &published.meetings);
    let all = input.pairs.iter().map(|pair| (Part::Pairs, pair.demand, pair.counterpart));
    let all = all.chain(input.locks.iter().map(|lock| (Part::Locks, lock.demand, lock.counterpart)));
    let all = all.chain(published.map(|meeting| (Part::Published, meeting.demand, meeting.counterpart)));
    let all = all.chain(input.tables.iter().flatten().map(|owner| (Part::Tables, *owner, *owner)));
    let mut seen = BTreeSet::new();
    let twice = all.filter(|entry| !seen.insert(*entry));
    twice.map(|(what, demand, counterpart)| Conflict::Twice { what, demand, counterpart }).collect()
}

/// Conflicts of each lock with pairs, availability, closed slots and own tables. Collisions between locks are found
/// when they are placed.
fn locks(input: &Input) -> Vec<Conflict> {
    let pairs: BTreeSet<(usize, usize)> = input.pairs.iter().map(|pair| (pair.demand, pair.counterpart)).collect();
    let published = input.published.iter().flat_map(|published| &published.meetings);
    let published: BTreeMap<(usize, usize), usize> =
        published.map(|meeting| ((meeting.demand, meeting.counterpart), meeting.place.slot)).collect();
    let own = |participant: usize| input.tables.iter().position(|owner| *owner == Some(participant));
    let mut conflicts = Vec::new();
    for lock in &input.locks {
        let pair = (lock.demand, lock.counterpart);
        let is_over = lock.slot < input.closed;
        let here = |participant: usize| input.participants[participant].available[lock.slot];
        if !pairs.contains(&pair) {
            conflicts.push(Conflict::LockWithoutPair(*lock));
        } else if is_over && published.get(&pair) != Some(&lock.slot) {
            conflicts.push(Conflict::LockInClosedSlot(*lock));
        } else if !(is_over || here(lock.demand) && here(lock.counterpart)) {
            conflicts.push(Conflict::LockBeyondAvailability(*lock));
        } else if let Some(table) = lock.table
            && is_wrong_table(input, lock, own(lock.demand).or_else(|| own(lock.counterpart)), table)
        {
            conflicts.push(Conflict::LockAtOwnTable(*lock));
        }
    }
    conflicts
}

fn is_wrong_table(input: &Input, lock: &Lock, own: Option<usize>, table: usize) -> bool {
    let is_over = lock.slot < input.closed;
    !is_over && own != Some(table) && (own.is_some() || input.tables[table].is_some())
}
