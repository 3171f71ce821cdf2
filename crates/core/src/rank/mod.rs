//! Ranking: pure functions that turn candidates into an order with reasons, and scores into levels. No I/O, no runtime,
//! no engine types.
//!
//! - `fuse`: the sources' candidates → one order
//! - `feedback`: best first-pass records → second query
//! - `level`: score and context → relevance level
//! - `fit`: graded pairs → coefficients of `level`

mod feedback;
mod fit;
mod fuse;
mod level;

pub use feedback::{Context, FeedbackRecord, expanded};
pub(crate) use fit::fit_any;
pub use fit::{FitError, Graded, fit, quantile};
pub use fuse::{Candidate, Fused, Fusion, fuse, needs_rescoring};
pub use level::{Calibration, CalibrationError, Data, Expected, Gate, Logit, Logits};
