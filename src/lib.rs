//! duijie (对接) finds, for a technical demand, the achievements and experts that can meet it, and the other way round.
//!
//! See ARCHITECTURE.md for the map. This crate is the service; the independent parts are in `crates/`. Each layer knows
//! only those below it: [`cli`] → [`serve`] → [`api`] → [`app`] → [`rematch`], [`events`], [`watch`], [`maintenance`] →
//! [`matching`], [`ingest`].

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod error;
pub mod events;
pub mod foreground;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod heart;
pub mod identity;
pub mod ingest;
pub mod maintenance;
pub mod matching;
pub mod metrics;
pub mod rematch;
pub mod serve;
pub mod signing;
pub mod telemetry;
pub mod watch;

#[cfg(test)]
mod tests;
