//! Ranking: pure functions from candidates to an order with reasons. No I/O, no runtime, no engine types.

mod fuse;

pub use fuse::{Candidate, Fused, Fusion, fuse, unsettled};
