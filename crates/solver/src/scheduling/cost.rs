//! Cost of waiting and walking: the gaps of a unit, and its table changes.

use super::plan::Plan;

/// Cost of one waiting slot. A host's table change costs the same: its papers and its sign move.
const GAP: u64 = 6;
const HOST_MOVE: u64 = 6;
const GUEST_MOVE: u64 = 1;

/// Gaps and table changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wear {
    pub gaps: usize,
    pub moves: usize,
}

/// Gaps and table changes of a unit; only gaps within a day and while the unit is available.
pub(super) fn wear(plan: &Plan, unit: usize) -> Wear {
    let problem = plan.problem;
    let slots = problem.units[unit].slots;
    let (mut wear, mut table, mut day, mut waiting) = (Wear::default(), None, None, 0);
    for (slot, pair) in plan.row(unit).enumerate() {
        let Some(place) = pair.and_then(|pair| plan.place(pair)) else {
            waiting += usize::from(slots.contains(slot));
            continue;
        };
        let today = Some(problem.days[slot]);
        if day == today {
            wear.gaps += waiting;
        }
        wear.moves += usize::from(table.is_some_and(|table| table != place.table));
        (table, day, waiting) = (Some(place.table), today, 0);
    }
    wear
}

/// Cost of a unit.
pub(super) fn cost(plan: &Plan, unit: usize) -> u64 {
    let wear = wear(plan, unit);
    let walk = if plan.problem.units[unit].is_host { HOST_MOVE } else { GUEST_MOVE };
    wear.gaps as u64 * GAP + wear.moves as u64 * walk
}
