//! Batch re-matching: the whole catalogue matched again, and what became new since.
//!
//! - [`job`]: jobs, how they run and what they keep
//! - [`diff`]: what differs between two jobs, and why: pure
//! - [`export`]: results and differences as files: pure
//! - [`reader`]: results beside the records that they are about
//! - [`schedule`]: when a job is due: pure; [`scheduler`]: starts the jobs that are due

pub mod diff;
pub mod export;
pub mod job;
pub mod reader;
pub mod schedule;
pub mod scheduler;
