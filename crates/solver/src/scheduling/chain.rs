//! Kempe chains between two slots: a meeting enters one slot, blocking meetings go to the other, those blocking there
//! come back, until nothing blocks or the chain fails.

use super::{Seat, budget::Budget, plan::Plan};

/// Tries chains; reuses its lists between tries.
#[derive(Debug, Default)]
pub(super) struct Chains {
    /// The last try in which each pair moved.
    moved: Vec<u32>,
    current: u32,
    queue: Vec<(usize, Seat)>,
    blockers: Vec<usize>,
}

/// A move to try.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChainGoal {
    /// Index of the pair, placed or not.
    pub pair: usize,
    pub to: Seat,
    /// Slot to which blocking meetings move.
    pub other: usize,
}

/// One move of a chain.
#[derive(Debug, Clone, Copy)]
struct Move {
    pair: usize,
    to: Seat,
    /// Slot to which blocking meetings move.
    opposite: usize,
}

/// Handling of tables in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    /// Meetings keep their tables, so a meeting at the table blocks.
    Keep,
    /// If the table is taken, any other table will do.
    Any,
}

impl Chains {
    /// Brings a pair to its place; blocking meetings move to the other slot, and back. If that fails, nothing changes.
    /// Each meeting moves at most once.
    pub fn bring(&mut self, plan: &mut Plan, budget: &mut Budget, wish: ChainGoal, tables: Tables) -> bool {
        let ChainGoal { pair, to, other } = wish;
        let mark = plan.mark();
        let before = [plan.count(to.slot), plan.count(other)];
        self.start(plan.problem.pairs.len());
        self.queue.push((pair, to));
        while let Some((pair, place)) = self.queue.pop() {
            let opposite = if place.slot == to.slot { other } else { to.slot };
            if !budget.step() || !self.shift(plan, Move { pair, to: place, opposite }, tables) {
                self.queue.clear();
                plan.undo(mark);
                return false;
            }
        }
        let max = plan.problem.max_per_slot;
        if before.into_iter().zip([to.slot, other]).any(|(before, slot)| before.max(max) < plan.count(slot)) {
            plan.undo(mark);
            return false;
        }
        true
    }

    fn start(&mut self, pairs: usize) {
        self.moved.resize(pairs, 0);
        self.current = self.current.wrapping_add(1);
        if self.current == 0 {
            self.moved.fill(0);
            self.current = 1;
        }
    }

    /// Puts one pair in its new place and sends blocking meetings to the opposite slot.
    fn shift(&mut self, plan: &mut Plan, one: Move, tables: Tables) -> bool {
        let Move { pair, to: place, opposite } = one;
        if plan.frozen[pair] || self.moved[pair] == self.current || !plan.problem.pairs[pair].open.contains(place.slot)
        {
            return false;
        }
        self.moved[pair] = self.current;
        plan.take(pair);
        let table = (tables == Tables::Keep || plan.problem.pairs[pair].is_fixed).then_some(place.table);
        plan.blockers(pair, place.slot, table, &mut self.blockers);
        for blocker in &self.blockers {
            if plan.frozen[*blocker] || self.moved[*blocker] == self.current {
                return false;
            }
            if let Some(from) = plan.take(*blocker) {
                self.queue.push((*blocker, Seat { slot: opposite, table: from.table }));
            }
        }
        if plan.people_against(pair, place.slot).is_some() {
            return false; // a crowd of meetings that must not move
        }
        let table = match tables {
            _ if plan.at_table(place).is_none() => Some(place.table),
            Tables::Keep => None,
            Tables::Any => plan.seat(pair, place.slot, None),
        };
        table.is_some_and(|table| {
            plan.put(pair, Seat { slot: place.slot, table });
            true
        })
    }
}
