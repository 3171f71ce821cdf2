//! Scheduling: assigns pairs of participants to slots and tables. Pure; uses indices only.
//!
//! ```text
//! Input ─ check ─ problem (who cannot be twice, open slots) ─ home (a table for each host) ─┐
//!         locks, what is published: put and frozen ─ fill (chains, exact where small) ─ polish (gaps, tables) ─ tell
//! ```
//!
//! Invariants: nobody is at two tables, or scheduled while unavailable; a presenter is at no more tables than it has
//! people; a participant with its own table uses no other; spare tables stay free except for locks and published
//! meetings. Then, in this order: maximum weight, few gaps and table changes.
//!
//! **Method.** Hosts get home tables so that a table's meetings fit into its slots; the rest is an edge colouring of a
//! bipartite graph by slots. Pairs go where they fit. Other pairs enter by a chain between two slots (Kempe chain),
//! displace meetings that fit elsewhere, or replace lighter ones. The problem is NP-hard with availability, so the
//! result is not always maximal: [`Statistics::max_weight`] bounds it, [`Statistics::is_optimal`] tells whether it is
//! proved. Small problems are searched exhaustively.
//!
//! **Published meetings** stay unless a side is no longer available or wanted, the table is gone, or a lock takes their
//! place. Such a meeting moves to the nearest free place. No published meeting gives way to another.
//!
//! The same input gives the same schedule: no clock, no randomness; work is limited in steps.

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
        Input, Lock, MAX_PAIRS, MAX_PARTICIPANTS, MAX_SLOTS, MAX_SPARE_PERCENT, MAX_TABLES, Meeting, MeetingRequest,
        Participant, Published, Seat, Work,
    },
};

use self::{budget::Budget, fill::Fill, plan::Plan, problem::ScheduleProblem, start::Start, tell::Teller};

/// Computes the schedule.
///
/// # Errors
/// The input contradicts itself, or `work.stop` returned true. Unplaced pairs are not an error: the answer lists them.
pub fn schedule(input: &Input, work: &Work) -> Result<Schedule, Failure> {
    let conflicts = check::check(input);
    if !conflicts.is_empty() {
        return Err(Failure::Conflicts(conflicts));
    }
    let problem = ScheduleProblem::new(input);
    let mut budget = Budget::new(work);
    let mut plan = Plan::new(&problem);
    let start = start::start(input, &mut plan).map_err(Failure::Conflicts)?;
    plan.settle();
    budget.share(1, 2);
    move_published(&mut plan, &mut budget, &start);
    let mut fill = Fill::new(&mut plan, &mut budget);
    fill.place_all(&start.fresh);
    let is_left = start.fresh.iter().any(|pair| plan.place(*pair).is_none());
    let is_optimal = is_left && exact::improve(&mut plan, &start.fresh, &mut budget);
    budget.share(1, 1);
    polish::polish(&mut plan, &mut budget);
    // Polishing may have freed places.
    let moved = start.moved.iter().map(|(pair, _)| *pair);
    let all: Vec<usize> = moved.chain(start.fresh.iter().copied()).collect();
    Fill::new(&mut plan, &mut budget).place_what_fits(&all);
    if budget.is_stopped() {
        return Err(Failure::Stopped);
    }
    Ok(Teller { input, plan: &plan, start: &start }.tell(&budget, is_optimal))
}

/// Places published meetings that cannot stay as near as possible to their old places, and freezes them there.
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
