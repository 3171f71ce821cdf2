//! Policy notes for a match: the subsidy that a rule could give for a deal. Never part of a score.
//!
//! A rule is a TOML file in `policies/`, which another province can write without changing code:
//!
//! ```text
//! *.toml ── raw (serde) ── check ──► Policy ──┐
//!                                             ├─ assess ──► Note: highest subsidy, clause, version, what is unknown
//!                          Deal (facts) ──────┘
//! ```
//!
//! - `rule`: a checked rule
//! - `award`: the arithmetic, in whole yuan and basis points
//! - `deal`: the facts of a deal, each of which may be unknown
//! - `note`: the note on a deal
//! - `load`: the folder of rule files; all mistakes with file and line

mod assess;
mod award;
mod cases;
mod check;
mod check_parts;
mod deal;
mod load;
mod mistake;
mod note;
mod raw;
mod rule;
mod words;

pub use deal::Deal;
pub use load::Policies;
pub use mistake::{Mistake, PolicyError};
pub use note::{Case, NoSubsidyReason, Note, SubsidyOutcome, Unknown};
pub use rule::Policy;

#[cfg(test)]
mod tests;
