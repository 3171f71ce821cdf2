//! Scheduling: pairs of participants to slots and tables. Pure; knows nothing of the crate.
//!
//! ```text
//! Input ─ check ─ problem (who cannot be twice, open slots) ─ home (a table for each host) ─┐
//!         locks, what is published: put and frozen ─ fill (chains, exact where small) ─ polish (gaps, tables) ─ tell
//! ```
//!
//! What always holds: nobody is at two tables, or there when not available; a presenter is at no more tables than it has
//! people; the own table of a participant is its only one; spare tables stay free but for locks and what was published.
//! Then, in this order: as much weight as can be, few gaps and changes of table.
//!
//! **Method.** Hosts get home tables so that a table's meetings fit into its slots; what remains is the colouring of a
//! bipartite graph's edges by slots. Pairs go where they fit; one that does not is brought in by a chain between two slots
//! (Kempe chain), or sends others elsewhere, or replaces what weighs less. The problem is NP-hard with availability, so
//! the answer is not always the most that is possible; [`Statistics::max_weight`] bounds it, [`Statistics::is_most`] says
//! where it is known to be the most. Few pairs are all tried out.
//!
//! **Published meetings** stay where they are, unless a side is no longer there or no longer wanted, the table is gone, or a
//! lock came to their place: such a meeting moves to the nearest free place. No published meeting gives way to another.
//!
//! The same input gives the same schedule: no clock, no chance; work is limited in steps.

mod anneal;
mod answer;
mod bound;
mod budget;
mod chain;
mod check;
mod cost;
mod exact;
mod fill;
mod home;
mod input;
mod plan;
mod polish;
mod problem;
mod slots;
mod start;
mod tell;

#[cfg(test)]
mod tests;

pub use self::{
    answer::{Blocked, Cause, Change, Conflict, Failure, Fate, Part, Schedule, Statistics, Unplaced},
    input::{
        Input, Lock, MAX_PAIRS, MAX_PARTICIPANTS, MAX_SLOTS, MAX_SPARE_PERCENT, MAX_TABLES, Meeting, Pair, Participant,
        Place, Published, Work,
    },
};

use self::{budget::Budget, fill::Fill, plan::Plan, problem::Problem, start::Start, tell::Teller};

/// Makes the schedule.
///
/// # Errors
/// The input contradicts itself, or `work.stop` said so. Pairs that have no place are no error: the answer lists them.
pub fn schedule(input: &Input, work: &Work) -> Result<Schedule, Failure> {
    let conflicts = check::check(input);
    if !conflicts.is_empty() {
        return Err(Failure::Conflicts(conflicts));
    }
    let problem = Problem::new(input);
    let mut budget = Budget::new(work);
    let mut plan = Plan::new(&problem);
    let start = start::start(input, &mut plan).map_err(Failure::Conflicts)?;
    plan.settle();
    budget.share(1, 2);
    move_published(&mut plan, &mut budget, &start);
    let mut fill = Fill::new(&mut plan, &mut budget);
    fill.place_all(&start.fresh);
    let is_left = start.fresh.iter().any(|pair| plan.place(*pair).is_none());
    let is_most = is_left && exact::improve(&mut plan, &start.fresh, &mut budget);
    budget.share(1, 1);
    polish::polish(&mut plan, &mut budget);
    // Polishing may have made room.
    let moved = start.moved.iter().map(|(pair, _)| *pair);
    let all: Vec<usize> = moved.chain(start.fresh.iter().copied()).collect();
    Fill::new(&mut plan, &mut budget).place_what_fits(&all);
    if budget.is_stopped() {
        return Err(Failure::Stopped);
    }
    Ok(Teller { input, plan: &plan, start: &start }.tell(&budget, is_most))
}

/// Places what was published and cannot stay, as near as can be; it stays there from then on.
fn move_published(plan: &mut Plan, budget: &mut Budget, start: &Start) {
    let mut fill = Fill::new(plan, budget);
    for (pair, old) in &start.moved {
        if !fill.plan.problem.is_same_person(*pair) {
            fill.place_directly(*pair, Some(*old));
        }
    }
    let moved: Vec<usize> = start.moved.iter().map(|(pair, _)| *pair).collect();
    fill.place_all(&moved);
    for pair in moved {
        plan.frozen[pair] = plan.place(pair).is_some();
    }
}
