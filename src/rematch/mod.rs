//! Batch re-matching: matches the whole catalogue again, and reports the changes.
//!
//! - [`job`]: jobs, their runs and their results
//! - [`diff`]: differences between two jobs, with reasons; pure
//! - [`export`]: results and differences as files; pure
//! - [`reader`]: results together with their records
//! - [`schedule`]: when a job is due; pure; [`scheduler`]: starts the jobs that are due

pub mod diff;
pub mod export;
pub mod job;
pub mod reader;
pub mod schedule;
pub mod scheduler;
