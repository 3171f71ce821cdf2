//! The input prepared for the search: units, possible slots of each pair, home tables.

use std::collections::BTreeMap;

use super::{Input, home, input::Sides, slots::Slots};

/// A pair with its search data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meet {
    pub demand: usize,
    pub counterpart: usize,
    pub weight: u64,
    /// Units of the demand side and the counterpart side; a unit cannot be twice in one slot.
    pub units: [usize; 2],
    /// Presenters with several people, of both sides.
    pub crowds: [Option<usize>; 2],
    /// Slots in which both are available and that are not over.
    pub open: Slots,
    /// Preferred table.
    pub home: usize,
    /// Whether it can be at no other table.
    pub is_fixed: bool,
}

impl Meet {
    /// Worth of placing it: the weight, plus a tie-breaker for one more meeting.
    pub fn worth(&self) -> u64 {
        (self.weight << 20) + 1
    }
}

/// A unit can be at only one table: a participant, or the sole person presenting several.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unit {
    /// Slots in which it is available.
    pub slots: Slots,
    /// Whether it is the demand side of a pair.
    pub is_host: bool,
}

#[derive(Debug)]
pub(super) struct ScheduleProblem {
    pub days: Vec<u32>,
    pub closed: usize,
    pub tables: usize,
    /// Maximum meetings that the search places per slot.
    pub max_per_slot: usize,
    /// Tables for meetings without a table of their own.
    pub pool: Vec<usize>,
    /// Whether each table is in the pool.
    pub is_pool: Vec<bool>,
    /// Whether each table has an owner.
    pub is_owned: Vec<bool>,
    /// Sorted by demand, then counterpart.
    pub pairs: Vec<Meet>,
    pub units: Vec<Unit>,
    /// Number of people of each crowd.
    pub crowds: Vec<usize>,
    /// Pairs of each crowd.
    pub crowd_pairs: Vec<Vec<usize>>,
}

impl ScheduleProblem {
    /// Builds the problem from checked input. Meetings in slots that are over are included as pairs, wanted or not.
    pub fn new(input: &Input) -> Self {
        let Seats { of: seats, units, crowds } = seats(input);
        let own: BTreeMap<usize, usize> =
            input.tables.iter().enumerate().filter_map(|(table, owner)| owner.map(|owner| (owner, table))).collect();
        let spare = (input.tables.len() * usize::from(input.spare_percent)).div_ceil(100);
        let max_per_slot = (input.tables.len() - spare).max(input.tables.len().min(1));
        let free = input.tables.iter().enumerate().filter(|(_, owner)| owner.is_none());
        let mut problem = Self {
            days: input.days.clone(),
            closed: input.closed,
            tables: input.tables.len(),
            max_per_slot,
            pool: free.map(|(table, _)| table).take(max_per_slot).collect(),
            is_owned: input.tables.iter().map(Option::is_some).collect(),
            is_pool: vec![false; input.tables.len()],
            pairs: Vec::new(),
            units,
            crowd_pairs: vec![Vec::new(); crowds.len()],
            crowds,
        };
        problem.pool.iter().for_each(|table| problem.is_pool[*table] = true);
        for (Sides { demand, counterpart }, weight) in wanted(input) {
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

    /// Returns whether one person would be on both sides.
    pub(crate) fn is_same_person(&self, pair: usize) -> bool {
        let [host, guest] = self.pairs[pair].units;
        host == guest
    }
}

/// Pairs with their weights, by demand and counterpart, including published ones in slots that are over.
fn wanted(input: &Input) -> BTreeMap<Sides, u64> {
    let held = input.published.iter().flat_map(|published| &published.meetings);
    let held = held.filter(|meeting| meeting.place.slot < input.closed);
    let mut wanted: BTreeMap<_, _> = held.map(|meeting| (meeting.sides(), 0)).collect();
    wanted.extend(input.pairs.iter().map(|pair| (pair.sides(), u64::from(pair.weight))));
    wanted
}

/// Unit and crowd of each participant, the units, and the crowd sizes.
#[derive(Default)]
struct Seats {
    of: Vec<(usize, Option<usize>)>,
    units: Vec<Unit>,
    crowds: Vec<usize>,
}

/// A presenter with one person is a unit, one with several is a crowd. A presenter with at least as many people as
/// participants is no restriction.
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
