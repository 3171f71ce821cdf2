//! The input as the search needs it: who cannot be twice in one slot, which slots a pair can have, which table is home.

use std::collections::BTreeMap;

use super::{Input, home, slots::Slots};

/// A pair with all that the search asks of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meet {
    pub demand: usize,
    pub counterpart: usize,
    pub weight: u64,
    /// Who of the demand side and of the other cannot be twice in one slot.
    pub units: [usize; 2],
    /// Presenters of several people on both sides.
    pub crowds: [Option<usize>; 2],
    /// Slots in which both are there and that are not over.
    pub open: Slots,
    /// The table where it should be.
    pub home: usize,
    /// Whether it can be at no other table.
    pub is_fixed: bool,
}

impl Meet {
    /// What placing it is worth: its weight, and where weights are equal, that it is one more meeting.
    pub fn worth(&self) -> u64 {
        (self.weight << 20) + 1
    }
}

/// Who can be at one table only: a participant, or the one person who presents several.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unit {
    /// Slots in which it is there.
    pub slots: Slots,
    /// Whether it is the demand side of a pair.
    pub is_host: bool,
}

#[derive(Debug)]
pub(super) struct Problem {
    pub days: Vec<u32>,
    pub closed: usize,
    pub tables: usize,
    /// Most meetings that the search places in a slot.
    pub most: usize,
    /// Tables that the search uses for meetings without a table of their own.
    pub pool: Vec<usize>,
    /// Whether a table is one of the pool.
    pub is_pool: Vec<bool>,
    /// Whether a table is somebody's own.
    pub is_owned: Vec<bool>,
    /// By demand, then counterpart.
    pub pairs: Vec<Meet>,
    pub units: Vec<Unit>,
    /// People of each crowd.
    pub crowds: Vec<usize>,
    /// Pairs of each crowd.
    pub crowd_pairs: Vec<Vec<usize>>,
}

impl Problem {
    /// The input has been checked. Meetings in slots that are over belong to the pairs, wanted or not.
    pub fn new(input: &Input) -> Self {
        let Seats { of: seats, units, crowds } = seats(input);
        let own: BTreeMap<usize, usize> =
            input.tables.iter().enumerate().filter_map(|(table, owner)| owner.map(|owner| (owner, table))).collect();
        let spare = (input.tables.len() * usize::from(input.spare_percent)).div_ceil(100);
        let most = (input.tables.len() - spare).max(input.tables.len().min(1));
        let free = input.tables.iter().enumerate().filter(|(_, owner)| owner.is_none());
        let mut problem = Self {
            days: input.days.clone(),
            closed: input.closed,
            tables: input.tables.len(),
            most,
            pool: free.map(|(table, _)| table).take(most).collect(),
            is_owned: input.tables.iter().map(Option::is_some).collect(),
            is_pool: vec![false; input.tables.len()],
            pairs: Vec::new(),
            units,
            crowd_pairs: vec![Vec::new(); crowds.len()],
            crowds,
        };
        problem.pool.iter().for_each(|table| problem.is_pool[*table] = true);
        for ((demand, counterpart), weight) in wanted(input) {
            let available = [demand, counterpart].map(|side| Slots::of(&input.participants[side].available));
            let table = own.get(&demand).or_else(|| own.get(&counterpart));
            let sides = [seats[demand], seats[counterpart]];
            problem.units[sides[0].0].is_host = true;
            problem.pairs.push(Meet {
                demand,
                counterpart,
                weight,
                units: sides.map(|(unit, _)| unit),
                crowds: sides.map(|(_, crowd)| crowd),
                open: available[0].both(available[1]).from(input.closed),
                home: table.copied().unwrap_or(0),
                is_fixed: table.is_some(),
            });
        }
        for (pair, meet) in problem.pairs.iter().enumerate() {
            for crowd in meet.crowds.into_iter().flatten() {
                if problem.crowd_pairs[crowd].last() != Some(&pair) {
                    problem.crowd_pairs[crowd].push(pair);
                }
            }
        }
        home::give(&mut problem);
        problem
    }

    pub fn slots(&self) -> usize {
        self.days.len()
    }

    /// Whether one person would be on both sides.
    pub fn is_same_person(&self, pair: usize) -> bool {
        let [host, guest] = self.pairs[pair].units;
        host == guest
    }
}

/// Pairs with their weights, by demand and counterpart; those that were published in a slot that is over among them.
fn wanted(input: &Input) -> BTreeMap<(usize, usize), u64> {
    let held = input.published.iter().flat_map(|published| &published.meetings);
    let held = held.filter(|meeting| meeting.place.slot < input.closed);
    let mut wanted: BTreeMap<_, _> = held.map(|meeting| ((meeting.demand, meeting.counterpart), 0)).collect();
    wanted.extend(input.pairs.iter().map(|pair| ((pair.demand, pair.counterpart), u64::from(pair.weight))));
    wanted
}

/// Unit and crowd of each participant, the units, and the people of the crowds.
#[derive(Default)]
struct Seats {
    of: Vec<(usize, Option<usize>)>,
    units: Vec<Unit>,
    crowds: Vec<usize>,
}

/// A presenter of one person is a unit, one of several is a crowd. One that brings as many people as participants holds
/// nothing back.
fn seats(input: &Input) -> Seats {
    let mut presented = vec![0usize; input.presenters.len()];
    for presenter in input.participants.iter().filter_map(|participant| participant.presenter) {
        presented[presenter] += 1;
    }
    let mut seats = Seats::default();
    let mut unit_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut crowd_of: BTreeMap<usize, usize> = BTreeMap::new();
    for participant in &input.participants {
        let people = |presenter: usize| usize::try_from(input.presenters[presenter]).unwrap_or(usize::MAX);
        let single = participant.presenter.filter(|presenter| people(*presenter) == 1);
        let crowd = participant.presenter.filter(|presenter| (2..presented[*presenter]).contains(&people(*presenter)));
        let next = seats.units.len();
        let unit = single.map_or(next, |presenter| *unit_of.entry(presenter).or_insert(next));
        if unit == next {
            seats.units.push(Unit::default());
        }
        seats.units[unit].slots = seats.units[unit].slots.either(Slots::of(&participant.available));
        let crowd = crowd.map(|presenter| {
            *crowd_of.entry(presenter).or_insert_with(|| {
                seats.crowds.push(people(presenter));
                seats.crowds.len() - 1
            })
        });
        seats.of.push((unit, crowd));
    }
    seats
}
