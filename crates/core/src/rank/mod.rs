//! Ranking: pure functions from candidates to an order with reasons, and from scores to levels. No I/O, no runtime, no
//! engine types.
//!
//! - `fuse`: the sources' candidates → one order
//! - `feedback`: the best of a first pass → the query of the second
//! - `level`: score and context → how related people would call it
//! - `fit`: graded pairs → the numbers of `level`

mod feedback;
mod fit;
mod fuse;
mod level;

pub use feedback::{Context, expanded};
pub(crate) use fit::fit_any;
pub use fit::{Graded, LEAST_PAIRS, Refusal, fit, quantile};
pub use fuse::{Candidate, Fused, Fusion, fuse, needs_rescoring};
pub use level::{Calibration, CalibrationError, Data, Expected, Gate, Logit, Logits};
