//! Parts that the search must not change: past meetings, locks, and published meetings.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Conflict, Input, Lock, Meeting, Seat, plan::Plan};

/// Work left after everything that stays is placed.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// Past meetings that contradict the current input (an organisation may have sent people home since). They stay as
    /// they are, outside the plan.
    pub past: Vec<(usize, Meeting)>,
    /// Published pairs that must move, with their old places, highest weight first.
    pub moved: Vec<(usize, Seat)>,
    /// All other pairs to place.
    pub fresh: Vec<usize>,
}

/// Places everything that stays.
///
/// # Errors
/// Locks that collide.
pub(super) fn start(input: &Input, plan: &mut Plan) -> Result<Start, Vec<Conflict>> {
    let problem = plan.problem;
    let names = problem.pairs.iter().enumerate().map(|(pair, meet)| ((meet.demand, meet.counterpart), pair));
    let names: BTreeMap<(usize, usize), usize> = names.collect();
    let meetings = input.published.iter().flat_map(|published| &published.meetings);
    let named = meetings.filter_map(|meeting| Some((*names.get(&(meeting.demand, meeting.counterpart))?, *meeting)));
    let mut published: Vec<(usize, Meeting)> = named.collect();
    published.sort_by_key(|(pair, _)| (Reverse(problem.pairs[*pair].weight), *pair));
    let (over, ahead): (Vec<_>, Vec<_>) =
        published.into_iter().partition(|(_, meeting)| meeting.place.slot < input.closed);

    let mut start = Start::default();
    for (pair, meeting) in &over {
        if is_free(plan, *pair, meeting.place) {
            keep(plan, *pair, meeting.place);
        } else {
            start.past.push((*pair, *meeting));
        }
    }
    let mut by_slot: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (pair, meeting) in &ahead {
        by_slot.entry(meeting.place.slot).or_default().push((*pair, meeting.place.table));
    }
    Locks { input, names: &names, published: &by_slot }.put(plan)?;
    for (pair, meeting) in ahead.iter().filter(|(pair, _)| plan.place(*pair).is_none()).collect::<Vec<_>>() {
        if is_still_possible(plan, *pair, meeting.place) {
            keep(plan, *pair, meeting.place);
        } else {
            start.moved.push((*pair, meeting.place));
        }
    }
    if input.published.as_ref().is_none_or(|published| published.refill) {
        let done: BTreeSet<usize> = over.iter().chain(&ahead).map(|(pair, _)| *pair).collect();
        let is_fresh = |pair: &usize| plan.place(*pair).is_none() && !done.contains(pair);
        start.fresh = (0..problem.pairs.len()).filter(is_fresh).collect();
    }
    Ok(start)
}

fn keep(plan: &mut Plan, pair: usize, place: Seat) {
    plan.put(pair, place);
    plan.frozen[pair] = true;
}

fn is_free(plan: &Plan, pair: usize, place: Seat) -> bool {
    place.table < plan.problem.tables
        && !plan.problem.is_same_person(pair)
        && plan.at_table(place).is_none()
        && plan.people_against(pair, place.slot).is_none()
}

fn is_still_possible(plan: &Plan, pair: usize, place: Seat) -> bool {
    let meet = &plan.problem.pairs[pair];
    let is_own = |table: usize| if meet.is_fixed { table == meet.home } else { !plan.problem.is_owned[table] };
    meet.open.contains(place.slot) && is_free(plan, pair, place) && is_own(place.table)
}

/// Places the locks.
struct Locks<'a> {
    input: &'a Input,
    names: &'a BTreeMap<(usize, usize), usize>,
    /// Published pairs and tables, by slot.
    published: &'a BTreeMap<usize, Vec<(usize, usize)>>,
}

impl Locks<'_> {
    fn put(&self, plan: &mut Plan) -> Result<(), Vec<Conflict>> {
        let mut locks: Vec<Lock> =
            self.input.locks.iter().filter(|lock| self.input.closed <= lock.slot).copied().collect();
        locks.sort_by_key(|lock| (lock.table.is_none(), *lock));
        let (mut done, mut conflicts): (Vec<Lock>, Vec<Conflict>) = (Vec::new(), Vec::new());
        for lock in locks {
            let Some(pair) = self.names.get(&(lock.demand, lock.counterpart)) else { continue };
            match self.table(plan, *pair, &lock) {
                Some(table) if is_free(plan, *pair, Seat { slot: lock.slot, table }) => {
                    keep(plan, *pair, Seat { slot: lock.slot, table });
                    done.push(lock);
                }
                table => {
                    let first = opponent(plan, *pair, &done, Lock { table, ..lock }).unwrap_or(lock);
                    conflicts.push(Conflict::LocksCollide { first, second: lock });
                }
            }
        }
        if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
    }

    /// Table of a lock: the given one, or a free one, preferably without a published meeting in that slot.
    fn table(&self, plan: &Plan, pair: usize, lock: &Lock) -> Option<usize> {
        let problem = plan.problem;
        let meet = &problem.pairs[pair];
        if lock.table.is_some() || meet.is_fixed {
            return lock.table.or(Some(meet.home));
        }
        let here = self.published.get(&lock.slot).map_or(&[][..], Vec::as_slice);
        let before = here.iter().find(|(other, _)| *other == pair).map(|(_, table)| *table);
        let taken: BTreeSet<usize> = here.iter().filter(|(other, _)| *other != pair).map(|(_, table)| *table).collect();
        let all = before.into_iter().chain([meet.home]).chain(problem.pool.iter().copied()).chain(0..problem.tables);
        let is_free = |table: &usize| {
            let place = Seat { slot: lock.slot, table: *table };
            *table < problem.tables && !problem.is_owned[*table] && plan.at_table(place).is_none()
        };
        let free: Vec<usize> = all.filter(is_free).collect();
        free.iter().find(|table| !taken.contains(table)).or(free.first()).copied()
    }
}

/// The lock that blocks another.
fn opponent(plan: &Plan, pair: usize, done: &[Lock], lock: Lock) -> Option<Lock> {
    let meet = &plan.problem.pairs[pair];
    let at = |unit: usize| plan.at_unit(unit, lock.slot);
    let at_table = || lock.table.and_then(|table| plan.at_table(Seat { slot: lock.slot, table }));
    let there = meet.units.into_iter().find_map(at).or_else(at_table);
    let is_it = |other: &&Lock| {
        let is_there = there.is_some_and(|there| {
            let there = &plan.problem.pairs[there];
            (there.demand, there.counterpart) == (other.demand, other.counterpart)
        });
        other.slot == lock.slot && (is_there || there.is_none())
    };
    done.iter().find(is_it).copied()
}
