//! A fast upper bound on the weight of every schedule: the capacity of each side and of all tables, taken separately.

use std::cmp::Reverse;

use super::plan::Plan;

/// The smallest of three bounds on the weight still to place, plus the weight that stays: free slots of demands, free
/// slots of counterparts, free tables.
pub(super) fn max_weight(plan: &Plan) -> u64 {
    let problem = plan.problem;
    let stays = |pair: &usize| plan.frozen[*pair] && plan.place(*pair).is_some();
    let fixed: u64 = (0..problem.pairs.len()).filter(stays).map(|pair| problem.pairs[pair].weight).sum();
    let can = |pair: &usize| !plan.frozen[*pair] && !problem.is_same_person(*pair) && is_possible(plan, *pair);
    let mut pairs: Vec<usize> = (0..problem.pairs.len()).filter(can).collect();
    pairs.sort_by_key(|pair| (Reverse(problem.pairs[*pair].weight), *pair));
    let room: usize = (problem.closed..problem.slots())
        .map(|slot| {
            let staying = (0..problem.tables).filter_map(|table| plan.at_table(super::Seat { slot, table }));
            problem.max_per_slot.saturating_sub(staying.filter(stays).count())
        })
        .sum();
    let by_tables: u64 = pairs.iter().take(room).map(|pair| problem.pairs[*pair].weight).sum();
    let [hosts, guests] = [0, 1].map(|side| {
        let mut left: Vec<usize> = (0..problem.units.len()).map(|unit| free_slots(plan, unit)).collect();
        let mut sum = 0;
        for pair in &pairs {
            let left = &mut left[problem.pairs[*pair].units[side]];
            if 0 < *left {
                *left -= 1;
                sum += problem.pairs[*pair].weight;
            }
        }
        sum
    });
    fixed + by_tables.min(hosts).min(guests)
}

/// Slots in which a unit (or its participants) is available and has no meeting that stays.
fn free_slots(plan: &Plan, unit: usize) -> usize {
    let open = plan.problem.units[unit].slots.from(plan.problem.closed);
    open.iter().filter(|slot| !is_held(plan, unit, *slot)).count()
}

/// Returns whether some slot is free of meetings that stay, on both sides.
fn is_possible(plan: &Plan, pair: usize) -> bool {
    let meet = &plan.problem.pairs[pair];
    meet.open.iter().any(|slot| meet.units.iter().all(|unit| !is_held(plan, *unit, slot)))
}

fn is_held(plan: &Plan, unit: usize, slot: usize) -> bool {
    plan.at_unit(unit, slot).is_some_and(|pair| plan.frozen[pair])
}
