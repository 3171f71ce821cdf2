//! Allocation (分配): all shortlists of a matchmaking event as one optimisation over demands and counterparts.
//!
//! [`allocate`] takes a [`Problem`] of indices and plain numbers and returns the [`Allocation`] of the greatest total value,
//! with a bound on every other plan, the cost of each constraint, and the reasons why good pairs are left out. Pure: no
//! names, no clock.
//!
//! ```text
//! Problem ─ prepare (faults, rules, pins) ─ core ─ nest ─┬─ all quotas nest: network + simplex, one flow, its dual ──┐
//!                                                        └─ some cross: prices ─ repair ─ settle ─ branch (search) ─┴─ plan
//!                                                                                              costs, reasons ───────┘
//! ```
//!
//! **Limits, caps and nesting quotas** (a demand in its organisation in its city) form a circulation: plans correspond
//! to integral flows. A network simplex finds the best flow and a price for every constraint. In integers, the prices
//! sum exactly to the plan's value, which proves optimality.
//!
//! **Crossing quotas** (city and field of one side) do not fit a flow. They get Lagrangian prices; the best flow at any
//! prices bounds all plans. Decisions that the gap between bound and best plan does not leave open are settled. Branch
//! and bound over pair counts of cells (see `nest`) searches the few remaining pairs. Bounds are integers in 256ths of
//! a millionth and hold for every plan, so rounding cannot invalidate a proof.
//!
//! Minimums that cannot be met never make the problem infeasible: the plan minimises the missing pairs and reports
//! them. No Rust library does this without C: `rs-graph` (network simplex) is under the GPL, the others lack duals.

mod core;
mod costs;
mod incumbent;
mod nest;
mod network;
mod plan;
mod prepare;
mod prices;
mod reasons;
mod repair;
mod search;
mod simplex;
mod types;
mod work;

#[cfg(test)]
mod tests;

pub use self::{
    plan::allocate,
    types::{
        Allocation, Attribute, Candidate, Chosen, Constraint, Cost, Effort, Fault, Faults, Group, LeftOut,
        LeftOutCause, MAX_CHOSEN, MAX_HOLDERS, MAX_PAIRS, MAX_PARTICIPANTS, MAX_QUOTAS, MILLION, PairIndex,
        Participant, Problem, Proof, Quota, Relaxed, Rules, Shortfall, Side,
    },
};
