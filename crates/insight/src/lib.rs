//! What an official can defend about a match: pure functions over records and texts.
//!
//! - [`indicators`]: numbers with units, normalised and compared
//! - [`diagnosis`]: what a demand does not say, and what to ask
//! - [`policy`]: subsidy rules and notes on a deal
//! - [`evidence`]: what speaks for and against a match, made of the three

pub mod diagnosis;
pub mod evidence;
pub mod indicators;
pub mod policy;
