//! Matchmaking events as plain values: what an event is, who takes part, what was planned, what came of it. Pure: no I/O,
//! no clock, no wire types.
//!
//! - [`setup`]: the event with its slots, tables and rules
//! - [`participant`]: a record at an event, with contact and availability
//! - [`contact`]: contacts, and what is shown of them before both sides agree
//! - [`edit`]: what staff have decided, kept through every regeneration
//! - [`plan`]: shortlists and meetings, as made at one time from one set of inputs
//! - [`left_out`]: why a pair is not in the plan
//! - [`outcome`]: what became of a meeting
//! - [`statistics`]: outcomes counted
//! - [`error`]: why a call about an event fails
//! - [`check`], [`check_outcome`]: every rule of these, all violations at once

pub mod check;
pub mod check_outcome;
pub mod contact;
pub mod edit;
pub mod error;
pub mod left_out;
pub mod outcome;
pub mod participant;
pub mod plan;
pub mod setup;
pub mod statistics;

pub use contact::Contact;
pub use edit::{Edit, Edits};
pub use error::EventError;
pub use left_out::{LeftOut, LeftOutReason};
pub use outcome::{Attendance, Consent, ContractKind, Outcome, Progress, Rejection};
pub use participant::{Organisation, Participant, ParticipantState, Window};
pub use plan::{
    Change, Cost, Meeting, Pair, Plan, PlanVersions, Proof, ScheduleFigures, Shortfall, Shortlisted, Unplaced, Why,
};
pub use setup::{AvoidedPair, Event, EventState, Group, Quota, Rules, Side, Slot};
pub use statistics::{Counts, Grouping, Statistics};

#[cfg(test)]
mod tests;
