//! The two optimisations of a matchmaking event, over indices only: pure, deterministic, their work counted in steps.
//!
//! - [`allocation`]: the shortlists of an event, exact, with proof and costs
//! - [`scheduling`]: pairs of participants to slots and tables

pub mod allocation;
pub mod scheduling;
