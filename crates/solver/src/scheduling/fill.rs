//! Places as much weight as possible: first pairs that fit directly, then by chains between two slots, then by
//! displacing meetings that fit elsewhere or weigh less.

use std::cmp::Reverse;

use super::{
    Seat,
    budget::Budget,
    chain::{ChainGoal, Chains, Tables},
    cost::cost,
    plan::{Against, Plan},
};

/// Cost of a table other than the home table, in addition to walking.
const NOT_HOME: u64 = 4;

/// The search for places.
pub(super) struct Fill<'p, 'a, 'b, 'w> {
    pub plan: &'p mut Plan<'a>,
    pub budget: &'b mut Budget<'w>,
    chains: Chains,
}

impl<'p, 'a, 'b, 'w> Fill<'p, 'a, 'b, 'w> {
    pub fn new(plan: &'p mut Plan<'a>, budget: &'b mut Budget<'w>) -> Self {
        Self { plan, budget, chains: Chains::default() }
    }

    /// Places as many of these pairs as it can, and moves others if that helps.
    pub fn place_all(&mut self, pairs: &[usize]) {
        for pair in self.in_order(pairs) {
            if self.budget.is_stopped() {
                return;
            }
            self.place_directly(pair, None);
        }
        self.plan.settle();
        // A displaced meeting may find a place later, so repeat while weight is gained.
        loop {
            let mut left: Vec<usize> = pairs.iter().copied().filter(|pair| self.is_left(*pair)).collect();
            left.sort_by_key(|pair| (Reverse(self.plan.problem.pairs[*pair].weight), *pair));
            let mut placed = 0;
            for pair in left {
                if self.budget.is_stopped() {
                    return;
                }
                placed += usize::from(self.is_left(pair) && self.place(pair));
            }
            if placed == 0 || self.budget.is_over() {
                return;
            }
        }
    }

    /// Places pairs that fit without changing others, highest weight first.
    pub fn place_what_fits(&mut self, pairs: &[usize]) {
        let mut left: Vec<usize> = pairs.iter().copied().filter(|pair| self.is_left(*pair)).collect();
        left.sort_by_key(|pair| (Reverse(self.plan.problem.pairs[*pair].weight), *pair));
        for pair in left {
            if self.budget.is_stopped() {
                return;
            }
            self.place_directly(pair, None);
        }
        self.plan.settle();
    }

    /// Puts a pair in the free place with the lowest cost of waiting and walking; if it had an `old` place, as near to
    /// that as possible. Returns false if no place is free.
    pub fn place_directly(&mut self, pair: usize, old: Option<Seat>) -> bool {
        let meet = &self.plan.problem.pairs[pair];
        let mut best = None;
        for slot in meet.open.iter() {
            if self.plan.people_against(pair, slot).is_some() {
                continue;
            }
            self.budget.charge();
            let wanted = old.filter(|old| old.slot == slot && !meet.is_fixed).map(|old| old.table);
            let is_pool = |table: &usize| self.plan.problem.is_pool.get(*table) == Some(&true);
            let wanted = wanted.filter(is_pool);
            let Some(table) = self.plan.seat(pair, slot, wanted) else { continue };
            let place = Seat { slot, table };
            let away = old.map_or(0, |old| old.slot.abs_diff(slot));
            let mark = self.plan.mark();
            self.plan.put(pair, place);
            let wear: u64 = meet.units.iter().map(|unit| cost(self.plan, *unit)).sum();
            self.plan.undo(mark);
            let cost = wear + if table == meet.home { 0 } else { NOT_HOME };
            if best.is_none_or(|(min, _)| (away, cost) < min) {
                best = Some(((away, cost), place));
            }
        }
        if let Some((_, place)) = best {
            self.plan.put(pair, place);
        }
        best.is_some()
    }

    fn is_left(&self, pair: usize) -> bool {
        self.plan.place(pair).is_none() && !self.plan.problem.is_same_person(pair)
    }

    /// Highest weight first if tables are scarce; otherwise pairs with the fewest options first.
    fn in_order(&self, pairs: &[usize]) -> Vec<usize> {
        let problem = self.plan.problem;
        let mut loads = vec![0usize; problem.units.len()];
        for pair in pairs {
            problem.pairs[*pair].units.iter().for_each(|unit| loads[*unit] += 1);
        }
        let room = problem.max_per_slot * (problem.slots() - problem.closed);
        let slack = |pair: usize| {
            let meet = &problem.pairs[pair];
            let load = meet.units.iter().map(|unit| loads[*unit]).max().unwrap_or(0);
            isize::try_from(meet.open.len()).unwrap_or(0) - isize::try_from(load).unwrap_or(0)
        };
        let mut order: Vec<usize> = pairs.iter().copied().filter(|pair| self.is_left(*pair)).collect();
        if order.len() <= room {
            order.sort_by_key(|pair| (slack(*pair), Reverse(problem.pairs[*pair].weight), *pair));
        } else {
            order.sort_by_key(|pair| (Reverse(problem.pairs[*pair].weight), slack(*pair), *pair));
        }
        order
    }

    /// Places a pair by any means.
    fn place(&mut self, pair: usize) -> bool {
        let is_placed = self.place_without_loss(pair) || self.replace(pair);
        self.plan.settle();
        is_placed
    }

    /// Places a pair so that all others keep a place.
    fn place_without_loss(&mut self, pair: usize) -> bool {
        self.place_directly(pair, None) || self.by_chain(pair, Tables::Keep) || self.by_chain(pair, Tables::Any)
    }

    fn by_chain(&mut self, pair: usize, tables: Tables) -> bool {
        let meet = self.plan.problem.pairs[pair];
        if !meet.is_fixed && self.plan.problem.pool.is_empty() {
            return false;
        }
        let open_slots = self.plan.problem.closed..self.plan.problem.slots();
        for slot in meet.open.iter() {
            if !self.budget.step() {
                return false;
            }
            let busy = meet.units.map(|unit| self.plan.at_unit(unit, slot).is_some());
            for other in open_slots.clone().filter(|other| *other != slot) {
                // A meeting sent to the other slot must not meet the same person there.
                let meets_again = |side: usize| busy[side] && self.plan.at_unit(meet.units[side], other).is_some();
                if meets_again(0) || meets_again(1) {
                    continue;
                }
                if self.budget.is_over() {
                    return false;
                }
                let wish = ChainGoal { pair, to: Seat { slot, table: meet.home }, other };
                if self.chains.bring(self.plan, self.budget, wish, tables) {
                    return true;
                }
            }
        }
        false
    }

    /// Places a pair and displaces blocking meetings. Kept if these find other places, or if those that do not weigh
    /// less than the pair.
    fn replace(&mut self, pair: usize) -> bool {
        let worth = self.plan.problem.pairs[pair].worth();
        let mut best: Option<(u64, usize)> = None;
        for slot in self.plan.problem.pairs[pair].open.iter() {
            if self.budget.is_over() {
                return false;
            }
            let mark = self.plan.mark();
            match self.push_into(pair, slot) {
                Some(0) => return true,
                Some(lost) if lost < worth && best.is_none_or(|(min, _)| lost < min) => best = Some((lost, slot)),
                _ => {}
            }
            self.plan.undo(mark);
        }
        let Some((_, slot)) = best else { return false };
        let mark = self.plan.mark();
        let lost = self.push_into(pair, slot);
        let is_gain = lost.is_some_and(|lost| lost < worth); // false if the steps ran out on the second pass
        if !is_gain {
            self.plan.undo(mark);
        }
        is_gain
    }

    /// Puts a pair into a slot; returns the worth of the pairs left without a place, or `None` if it cannot enter.
    fn push_into(&mut self, pair: usize, slot: usize) -> Option<u64> {
        if !self.budget.step() {
            return None;
        }
        let mut leaving = Vec::new();
        let fixed = Some(self.plan.problem.pairs[pair]).filter(|meet| meet.is_fixed).map(|meet| meet.home);
        self.plan.blockers(pair, slot, fixed, &mut leaving);
        if leaving.iter().any(|blocker| self.plan.frozen[*blocker]) {
            return None;
        }
        for blocker in &leaving {
            self.plan.take(*blocker);
        }
        if self.plan.against(pair, slot) == Some(Against::Table) {
            leaving.push(self.clear_table(slot)?);
        }
        if self.plan.against(pair, slot).is_some() {
            return None;
        }
        let table = self.plan.seat(pair, slot, None)?;
        self.plan.put(pair, Seat { slot, table });
        self.plan.frozen[pair] = true;
        leaving.sort_by_key(|blocker| (Reverse(self.plan.problem.pairs[*blocker].weight), *blocker));
        let lost = leaving.into_iter().filter(|blocker| !self.place_without_loss(*blocker));
        let lost: Vec<usize> = lost.collect();
        self.plan.frozen[pair] = false;
        Some(lost.into_iter().map(|blocker| self.plan.problem.pairs[blocker].worth()).sum())
    }

    /// Removes a meeting from a full slot: one that fits elsewhere if there is one, else the lightest.
    fn clear_table(&mut self, slot: usize) -> Option<usize> {
        let tables = 0..self.plan.problem.tables;
        let here = tables.filter_map(|table| self.plan.at_table(Seat { slot, table }));
        let is_taken = |table: &usize| self.plan.at_table(Seat { slot, table: *table }).is_some();
        let is_pool_full = self.plan.problem.pool.iter().all(is_taken);
        let helps = |pair: &usize| !(is_pool_full && self.plan.problem.pairs[*pair].is_fixed);
        let here = here.filter(|pair| !self.plan.frozen[*pair] && helps(pair));
        let mut here: Vec<usize> = here.collect();
        here.sort_by_key(|pair| (self.plan.problem.pairs[*pair].weight, *pair));
        let fits_elsewhere = |pair: &&usize| {
            let mut others = self.plan.problem.pairs[**pair].open.iter().filter(|other| *other != slot);
            others.any(|other| self.plan.against(**pair, other).is_none())
        };
        let leaves = here.iter().find(fits_elsewhere).or(here.first()).copied()?;
        self.plan.take(leaves);
        Some(leaves)
    }
}
