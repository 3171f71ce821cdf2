//! Reduces gaps and table changes while all meetings stay placed: tries chains between slots and other tables within a
//! slot, keeps those with lower cost, and stops when none improves.

use super::{
    Seat,
    anneal::anneal,
    budget::Budget,
    chain::{ChainGoal, Chains, Tables},
    cost::cost,
    plan::Plan,
};

pub(super) struct Polish<'p, 'a, 'b, 'w> {
    pub plan: &'p mut Plan<'a>,
    pub budget: &'b mut Budget<'w>,
    pub chains: Chains,
    /// Accepted cost increase of a try; 0 means that it must improve.
    pub allowed: u64,
    costs: Vec<u64>,
    units: Vec<usize>,
}

/// Improves the plan until the budget is used up.
pub(super) fn polish(plan: &mut Plan, budget: &mut Budget) {
    plan.settle();
    let costs = (0..plan.problem.units.len()).map(|unit| cost(plan, unit)).collect();
    let mut polish = Polish { plan, budget, chains: Chains::default(), allowed: 0, costs, units: Vec::new() };
    polish.descend();
    let (before, kept) = (polish.total(), polish.plan.clone());
    if before == 0 {
        return;
    }
    anneal(&mut polish);
    polish.descend();
    if before <= polish.total() {
        *polish.plan = kept;
    }
}

impl Polish<'_, '_, '_, '_> {
    fn total(&self) -> u64 {
        self.costs.iter().sum()
    }

    fn descend(&mut self) {
        while self.round() && !self.budget.is_over() {}
    }

    /// Tries each meeting once; returns whether anything improved.
    fn round(&mut self) -> bool {
        let mut is_better = false;
        for pair in 0..self.plan.problem.pairs.len() {
            if self.plan.frozen[pair] || self.plan.place(pair).is_none() {
                continue;
            }
            is_better |= self.other_table(pair);
            // Meetings without waiting or walking on either side cannot improve.
            if self.plan.problem.pairs[pair].units.iter().any(|unit| 0 < self.costs[*unit]) {
                is_better |= self.other_slot(pair);
            }
            if self.budget.is_over() {
                return false;
            }
        }
        is_better
    }

    fn other_slot(&mut self, pair: usize) -> bool {
        let mut is_better = false;
        for slot in self.plan.problem.pairs[pair].open.iter() {
            let Some(from) = self.plan.place(pair) else { break };
            if slot == from.slot {
                continue;
            }
            let wish = ChainGoal { pair, to: Seat { slot, table: from.table }, other: from.slot };
            let mark = self.plan.mark();
            if self.chains.bring(self.plan, self.budget, wish, Tables::Keep) {
                is_better |= self.judge(mark);
            }
        }
        is_better
    }

    /// Tries the home table, and the tables that both sides use before and after.
    pub fn other_table(&mut self, pair: usize) -> bool {
        let meet = &self.plan.problem.pairs[pair];
        if meet.is_fixed {
            return false;
        }
        let mut is_better = false;
        for table in self.tables_near(pair) {
            let Some(from) = self.plan.place(pair) else { break };
            if table == from.table || !self.budget.step() {
                continue;
            }
            let mark = self.plan.mark();
            let to = Seat { slot: from.slot, table };
            if let Some(there) = self.plan.at_table(to) {
                if self.plan.frozen[there] {
                    continue;
                }
                self.plan.take(pair);
                self.plan.take(there);
                self.plan.put(there, from);
            } else {
                self.plan.take(pair);
            }
            self.plan.put(pair, to);
            is_better |= self.judge(mark);
        }
        is_better
    }

    fn tables_near(&self, pair: usize) -> Vec<usize> {
        let problem = self.plan.problem;
        let Some(place) = self.plan.place(pair) else { return Vec::new() };
        let mut tables = vec![problem.pairs[pair].home];
        for unit in problem.pairs[pair].units {
            let at = |slot: usize| self.plan.at_unit(unit, slot).and_then(|pair| self.plan.place(pair));
            let before = (0..place.slot).rev().find_map(at);
            let after = (place.slot + 1..problem.slots()).find_map(at);
            tables.extend([before, after].into_iter().flatten().map(|place| place.table));
        }
        tables.retain(|table| problem.is_pool[*table]);
        tables
    }

    /// Keeps the changes since the mark if the cost falls, or rises by no more than allowed; otherwise undoes them.
    pub fn judge(&mut self, mark: usize) -> bool {
        self.units.clear();
        for pair in self.plan.touched(mark) {
            self.units.extend(self.plan.problem.pairs[pair].units);
        }
        self.units.sort_unstable();
        self.units.dedup();
        let before: u64 = self.units.iter().map(|unit| self.costs[*unit]).sum();
        let after: u64 = self.units.iter().map(|unit| cost(self.plan, *unit)).sum();
        if before + self.allowed <= after {
            self.plan.undo(mark);
            return false;
        }
        for unit in &self.units {
            self.costs[*unit] = cost(self.plan, *unit);
        }
        self.plan.settle();
        true
    }
}
