//! Evidence with which an official can justify a match: pure functions over records and texts.
//!
//! - [`indicators`]: numbers with units, normalised and compared
//! - [`diagnosis`]: gaps in a demand, and questions to ask
//! - [`policy`]: subsidy rules and notes on a deal
//! - [`evidence`]: reasons for and against a match, built from the other three

pub mod diagnosis;
pub mod evidence;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod indicators;
pub mod policy;
