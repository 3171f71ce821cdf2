//! The two optimisations of a matchmaking event, over indices only: pure and deterministic, with work counted in steps.
//!
//! - [`allocation`]: optimal shortlists for an event, with proof and costs
//! - [`scheduling`]: pairs of participants to slots and tables

pub mod allocation;
pub mod scheduling;
