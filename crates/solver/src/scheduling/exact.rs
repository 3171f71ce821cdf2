//! Exhaustive search for the maximum weight, for small problems.

use std::cmp::Reverse;

use super::{Seat, budget::Budget, plan::Plan};

/// Maximum movable or unplaced pairs for this search.
const MAX_PAIRS: usize = 18;
/// Maximum steps; enough to prove about 12 pairs with six slots each.
const MAX_STEPS: u64 = 2_000_000;

struct Exact<'p, 'a, 'b, 'w> {
    plan: &'p mut Plan<'a>,
    budget: &'b mut Budget<'w>,
    order: Vec<usize>,
    /// Total weight from each position of the order onwards.
    rest: Vec<u64>,
    best: u64,
    found: Option<Vec<Option<Seat>>>,
    steps_left: u64,
}

/// Improves a small plan to the maximum weight; ties go to the plan with more meetings. Returns whether the maximum is
/// proved: false if there was too much to try.
pub(super) fn improve(plan: &mut Plan, pairs: &[usize], budget: &mut Budget) -> bool {
    let mut order: Vec<usize> = pairs.iter().copied().filter(|pair| !plan.problem.is_same_person(*pair)).collect();
    order.retain(|pair| !plan.problem.pairs[*pair].open.is_empty());
    if MAX_PAIRS < order.len() {
        return false;
    }
    order.sort_by_key(|pair| (Reverse(worth(plan, *pair)), *pair));
    let places: Vec<Option<Seat>> = order.iter().map(|pair| plan.place(*pair)).collect();
    let best = order.iter().filter(|pair| plan.place(**pair).is_some()).map(|pair| worth(plan, *pair)).sum();
    let mut rest = vec![0; order.len() + 1];
    for at in (0..order.len()).rev() {
        rest[at] = rest[at + 1] + worth(plan, order[at]);
    }
    order.iter().for_each(|pair| {
        plan.take(*pair);
    });
    let mut search = Exact { plan, budget, order, rest, best, found: None, steps_left: MAX_STEPS };
    let is_done = search.descend(0, 0);
    let Exact { order, found, .. } = search;
    for (pair, place) in order.iter().zip(found.unwrap_or(places)) {
        if let Some(place) = place {
            plan.put(*pair, place);
        }
    }
    plan.settle();
    is_done
}

fn worth(plan: &Plan, pair: usize) -> u64 {
    plan.problem.pairs[pair].worth()
}

impl Exact<'_, '_, '_, '_> {
    /// Tries all options for the pair at this depth and the following pairs; returns false if the steps ran out.
    fn descend(&mut self, depth: usize, gained: u64) -> bool {
        if self.best < gained {
            self.best = gained;
            self.found = Some(self.order.iter().map(|pair| self.plan.place(*pair)).collect());
        }
        if gained + self.rest[depth] <= self.best {
            return true;
        }
        self.steps_left = self.steps_left.saturating_sub(1);
        if self.steps_left == 0 || !self.budget.step() {
            return false;
        }
        let pair = self.order[depth];
        let worth = worth(self.plan, pair);
        for slot in self.plan.problem.pairs[pair].open.iter() {
            if self.plan.people_against(pair, slot).is_some() {
                continue;
            }
            let Some(table) = self.plan.seat(pair, slot, None) else { continue };
            let mark = self.plan.mark();
            self.plan.put(pair, Seat { slot, table });
            let is_done = self.descend(depth + 1, gained + worth);
            self.plan.undo(mark);
            if !is_done {
                return false;
            }
        }
        self.descend(depth + 1, gained)
    }
}
