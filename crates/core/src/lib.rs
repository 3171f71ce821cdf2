//! Duijie's domain and decision logic: pure functions over plain values, without I/O, runtime or wire types.
//!
//! - [`domain`]: records, codes, names, filters and input validation
//! - [`text`]: Chinese text to weighted terms with positions
//! - [`rank`]: fusion, feedback, relevance levels and their fit
//! - [`eval`]: ranking and level measures against human judgements
//! - [`duplicates`]: groups of duplicate records

pub mod domain;
pub mod duplicates;
pub mod eval;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod rank;
pub mod text;
