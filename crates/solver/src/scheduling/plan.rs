//! The schedule under construction: occupancy by slot, and a log to undo any try.

use super::{Seat, problem::ScheduleProblem};

/// Nobody.
const NONE: u32 = u32::MAX;

/// Meetings with their places. Invariants: no unit or table twice in a slot, no crowd beyond its people.
#[derive(Debug, Clone)]
pub(super) struct Plan<'a> {
    pub problem: &'a ScheduleProblem,
    places: Vec<Option<Seat>>,
    /// Meetings that must not move: locked, published or over.
    pub frozen: Vec<bool>,
    at_unit: Vec<u32>,
    at_table: Vec<u32>,
    in_crowd: Vec<u32>,
    counts: Vec<usize>,
    log: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
enum Entry {
    Put(usize),
    Taken(usize, Seat),
}

/// Obstacle to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    Host,
    Guest,
    Crowd,
    Table,
}

impl<'a> Plan<'a> {
    pub fn new(problem: &'a ScheduleProblem) -> Self {
        let slots = problem.slots();
        Self {
            problem,
            places: vec![None; problem.pairs.len()],
            frozen: vec![false; problem.pairs.len()],
            at_unit: vec![NONE; problem.units.len() * slots],
            at_table: vec![NONE; problem.tables * slots],
            in_crowd: vec![0; problem.crowds.len() * slots],
            counts: vec![0; slots],
            log: Vec::new(),
        }
    }

    pub fn place(&self, pair: usize) -> Option<Seat> {
        self.places[pair]
    }

    /// Meetings in a slot.
    pub fn count(&self, slot: usize) -> usize {
        self.counts[slot]
    }

    /// The meeting of a unit in a slot.
    pub(crate) fn at_unit(&self, unit: usize, slot: usize) -> Option<usize> {
        some(self.at_unit[unit * self.problem.slots() + slot])
    }

    /// Meetings of a unit, slot by slot.
    pub fn row(&self, unit: usize) -> impl Iterator<Item = Option<usize>> {
        let slots = self.problem.slots();
        self.at_unit[unit * slots..(unit + 1) * slots].iter().map(|name| some(*name))
    }

    /// The meeting at a table in a slot.
    pub(crate) fn at_table(&self, place: Seat) -> Option<usize> {
        some(self.at_table[place.slot * self.problem.tables + place.table])
    }

    /// Returns whether a crowd has no people left in a slot for this pair.
    fn is_crowded(&self, pair: usize, slot: usize) -> bool {
        let [host, guest] = self.problem.pairs[pair].crowds;
        let need = if host.is_some() && host == guest { 2 } else { 1 };
        [host, guest].into_iter().flatten().any(|crowd| self.problem.crowds[crowd] < self.crowd(crowd, slot) + need)
    }

    fn crowd(&self, crowd: usize, slot: usize) -> usize {
        self.in_crowd[crowd * self.problem.slots() + slot] as usize
    }

    /// Obstacle to a pair in a slot, apart from tables.
    pub(crate) fn people_against(&self, pair: usize, slot: usize) -> Option<Against> {
        let [host, guest] = self.problem.pairs[pair].units;
        match () {
            () if self.at_unit(host, slot).is_some() => Some(Against::Host),
            () if self.at_unit(guest, slot).is_some() => Some(Against::Guest),
            () if self.is_crowded(pair, slot) => Some(Against::Crowd),
            () => None,
        }
    }

    /// Obstacle to a pair in a slot, at any table it may use.
    pub fn against(&self, pair: usize, slot: usize) -> Option<Against> {
        let table = || self.seat(pair, slot, None).is_none().then_some(Against::Table);
        self.people_against(pair, slot).or_else(table)
    }

    /// A free table for a pair in a slot: the wanted one, its home, or the first of the pool; `None` if all are taken.
    pub(crate) fn seat(&self, pair: usize, slot: usize, wanted: Option<usize>) -> Option<usize> {
        let problem = self.problem;
        if problem.max_per_slot <= self.counts[slot] {
            return None;
        }
        let meet = &problem.pairs[pair];
        let is_free = |table: &usize| self.at_table(Seat { slot, table: *table }).is_none();
        if meet.is_fixed {
            return Some(meet.home).filter(is_free);
        }
        let home = Some(meet.home).filter(|_| !problem.pool.is_empty());
        wanted.filter(is_free).or(home.filter(is_free)).or_else(|| problem.pool.iter().copied().find(is_free))
    }

    /// Collects the meetings, each once, that would have to leave for a pair to enter a slot, at this table or (`None`)
    /// any.
    pub(crate) fn blockers(&self, pair: usize, slot: usize, table: Option<usize>, out: &mut Vec<usize>) {
        out.clear();
        let meet = &self.problem.pairs[pair];
        let table = table.and_then(|table| self.at_table(Seat { slot, table }));
        for blocker in meet.units.map(|unit| self.at_unit(unit, slot)).into_iter().chain([table]).flatten() {
            if !out.contains(&blocker) {
                out.push(blocker);
            }
        }
        for crowd in meet.crowds.into_iter().flatten() {
            self.crowd_blockers(pair, crowd, slot, out);
        }
    }

    /// Adds members of a crowd until enough people are free for the pair.
    fn crowd_blockers(&self, pair: usize, crowd: usize, slot: usize, out: &mut Vec<usize>) {
        let uses = |pair: usize| self.problem.pairs[pair].crowds.iter().filter(|one| **one == Some(crowd)).count();
        let leaving: usize = out.iter().map(|pair| uses(*pair)).sum();
        let mut over = (self.crowd(crowd, slot) + uses(pair)).saturating_sub(self.problem.crowds[crowd] + leaving);
        for member in &self.problem.crowd_pairs[crowd] {
            if over == 0 {
                return;
            }
            let is_here = self.places[*member].is_some_and(|place| place.slot == slot);
            if is_here && !self.frozen[*member] && !out.contains(member) {
                over = over.saturating_sub(uses(*member));
                out.push(*member);
            }
        }
    }

    /// Puts a pair in a place that is not blocked.
    pub fn put(&mut self, pair: usize, place: Seat) {
        self.write(pair, place, true);
        self.log.push(Entry::Put(pair));
    }

    /// Removes a pair from its place.
    pub fn take(&mut self, pair: usize) -> Option<Seat> {
        let place = self.places[pair]?;
        self.write(pair, place, false);
        self.log.push(Entry::Taken(pair, place));
        Some(place)
    }

    fn write(&mut self, pair: usize, place: Seat, is_there: bool) {
        let (slots, tables) = (self.problem.slots(), self.problem.tables);
        let meet = &self.problem.pairs[pair];
        debug_assert!(!is_there || self.places[pair].is_none() && self.at_table(place).is_none());
        debug_assert!(!is_there || self.people_against(pair, place.slot).is_none());
        let name = if is_there { u32::try_from(pair).unwrap_or(NONE) } else { NONE };
        self.places[pair] = is_there.then_some(place);
        for unit in meet.units {
            self.at_unit[unit * slots + place.slot] = name;
        }
        self.at_table[place.slot * tables + place.table] = name;
        for crowd in meet.crowds.into_iter().flatten() {
            let count = &mut self.in_crowd[crowd * slots + place.slot];
            *count = if is_there { *count + 1 } else { *count - 1 };
        }
        let count = &mut self.counts[place.slot];
        *count = if is_there { *count + 1 } else { *count - 1 };
    }

    /// Current position of the log.
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes everything since the mark.
    pub fn undo(&mut self, mark: usize) {
        while mark < self.log.len() {
            match self.log.pop() {
                Some(Entry::Put(pair)) => {
                    if let Some(place) = self.places[pair] {
                        self.write(pair, place, false);
                    }
                }
                Some(Entry::Taken(pair, place)) => self.write(pair, place, true),
                None => {}
            }
        }
    }

    /// Clears the undo log.
    pub fn settle(&mut self) {
        self.log.clear();
    }

    /// Pairs put or taken since the mark, possibly repeated.
    pub fn touched(&self, mark: usize) -> impl Iterator<Item = usize> {
        self.log[mark..].iter().map(|entry| match entry {
            Entry::Put(pair) | Entry::Taken(pair, _) => *pair,
        })
    }
}

fn some(name: u32) -> Option<usize> {
    (name != NONE).then_some(name as usize)
}
