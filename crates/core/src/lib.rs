//! What duijie matches and how it decides: pure functions over plain values, without I/O, runtime or wire types.
//!
//! - [`domain`]: records, codes, names, filters and every rule of an input
//! - [`text`]: Chinese text to weighted terms with their places
//! - [`rank`]: fusion, feedback, levels and their fit
//! - [`eval`]: measures of order and levels against judgements
//! - [`duplicates`]: groups of records that are the same thing

pub mod domain;
pub mod duplicates;
pub mod eval;
pub mod rank;
pub mod text;
