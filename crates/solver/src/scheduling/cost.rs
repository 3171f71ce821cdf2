//! What waiting and walking cost: the gaps of a unit, and its changes of table.

use super::plan::Plan;

/// Cost of a slot of waiting. A change of a host's table is as bad: its papers and its sign move.
const GAP: u64 = 6;
const HOST_MOVE: u64 = 6;
const GUEST_MOVE: u64 = 1;

/// Gaps and changes of table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wear {
    pub gaps: usize,
    pub moves: usize,
}

/// Gaps and changes of table of a unit, gaps within days only and where the unit is there.
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

/// The cost of a unit's day.
pub(super) fn cost(plan: &Plan, unit: usize) -> u64 {
    let wear = wear(plan, unit);
    let walk = if plan.problem.units[unit].is_host { HOST_MOVE } else { GUEST_MOVE };
    wear.gaps as u64 * GAP + wear.moves as u64 * walk
}
