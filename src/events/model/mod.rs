//! Matchmaking events as plain values: events, participants, plans, outcomes. Pure: no I/O, no clock, no wire types.
//!
//! - [`setup`]: the event with its slots, tables and rules
//! - [`participant`]: a record at an event, with contact and availability
//! - [`contact`]: contacts and their masking until both sides consent
//! - [`shared`]: who sits at the tables, and which participants share people
//! - [`edit`]: staff decisions, kept through every regeneration
//! - [`plan`]: shortlists and meetings, made from one set of inputs
//! - [`rule`]: names of rules and quotas
//! - [`left_out`]: pairs that are not in the plan, with reasons
//! - [`unplaced`]: chosen pairs without a meeting, with causes
//! - [`outcome`]: results of meetings
//! - [`statistics`]: counts of outcomes
//! - [`error`]: errors of calls about events
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
pub mod rule;
pub mod setup;
pub mod shared;
pub mod statistics;
pub mod unplaced;

pub use contact::Contact;
pub use edit::{Edit, Edits};
pub use error::EventError;
pub use left_out::{LeftOut, LeftOutReason};
pub use outcome::{Attendance, Consent, ContractKind, Outcome, OutcomeProgress, Rejection};
pub use participant::{Organisation, Participant, ParticipantState, Window};
pub use plan::{
    Certificate, Change, Cost, Meeting, Pair, Plan, PlanVersions, Proof, ScheduleFigures, Shortfall, Shortlisted, Why,
};
pub use rule::{QuotaRef, RuleRef};
pub use setup::{AvoidedPair, Event, EventState, Group, Quota, Rules, Side, Slot};
pub use shared::SharedPeople;
pub use statistics::{Counts, Grouping, Statistics};
pub use unplaced::{BlockedSlots, Unplaced, UnplacedCause};

#[cfg(test)]
mod tests;
