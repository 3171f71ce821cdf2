//! Allocation (分配): the shortlists of a matchmaking event, as one optimisation over all demands and counterparts.
//!
//! [`allocate`] takes a [`Problem`] of indices and plain numbers and gives the [`Plan`] of the greatest total value, with a
//! bound for every other plan, what each constraint costs, and why good pairs are left out. Pure: no names, no clock.
//!
//! ```text
//! Problem ─ prepare (faults, rules, pins) ─ core ─ nest ─┬─ all quotas nest: network + simplex, one flow, its dual ──┐
//!                                                        └─ some cross: prices ─ repair ─ settle ─ branch (search) ─┴─ plan
//!                                                                                              costs, reasons ───────┘
//! ```
//!
//! **Limits, caps and quotas that nest** (a demand in its organisation in its city) are a circulation of flow: every plan is
//! one, every whole flow is a plan. A network simplex finds the best and a price for every constraint; the prices sum to
//! the plan's value exactly, in whole numbers, which is the proof.
//!
//! **Quotas that cross** (city and field of one side) are not. They get prices of their own (Lagrangian relaxation): the flow
//! at any prices bounds all plans. What the gap between bound and best plan does not allow to differ is settled; the rest,
//! few pairs, is divided until nothing is left (branch and bound on the numbers of pairs of cells, see `nest`). Bounds
//! are whole numbers of a 256th of a millionth and count for every plan, so no rounding can make a wrong proof.
//!
//! Minimums that cannot be met never make the problem unsolvable: the plan misses them by as few pairs as can be, and says
//! which. No library does this in Rust without C: `rs-graph` (network simplex) is under the GPL, the others lack duals.

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
        Attribute, Candidate, Chosen, Constraint, Cost, Effort, Fault, Faults, Group, LeftOut, MILLION, MOST_CHOSEN,
        MOST_HOLDERS, MOST_PAIRS, MOST_PARTICIPANTS, MOST_QUOTAS, Pair, Participant, Plan, Problem, Proof, Quota,
        Reason, Relaxed, Rules, Shortfall, Side,
    },
};
