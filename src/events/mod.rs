//! Matchmaking events (对接会).
//!
//! - [`model`]: events as plain values: rules, participants, plans, outcomes: pure
//! - [`service`]: events over the store, the query path and the two optimisations
//! - [`export`]: what people take home: workbook, pages, calendars: pure

pub mod export;
pub mod model;
pub mod service;
