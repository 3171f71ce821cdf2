//! Matchmaking events (对接会).
//!
//! - [`model`]: events as plain values: rules, participants, plans, outcomes: pure
//! - [`service`]: event operations on the store, the query path and the two optimisations
//! - [`export`]: files for participants and staff: workbook, pages, calendars: pure

pub mod export;
pub mod model;
pub mod service;
