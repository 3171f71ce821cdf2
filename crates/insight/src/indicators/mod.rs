//! Indicators (指标): numbers with units in demands and achievements, normalised by quantity and answered one by one.
//!
//! [`parse`] finds them in a text, [`compare`] answers each one of a demand from those of an achievement. Both are pure.
//!
//! ```text
//! text ─ text (one character for one) ─ expression (numbers, units, ranges) ─┬─ parse ─ [Indicator] ─ compare ─ [Answer]
//!                                       lead (words before: ≥, 提高, subject) ┘
//! ```
//!
//! The tables that a domain person extends are `data/quantities.txt` (units) and `data/subjects.txt` (what numbers are
//! about). The words of comparison are in `words.rs`.

mod agree;
mod chinese;
mod compare;
mod draft;
mod expression;
mod interval;
mod lead;
mod number;
mod parse;
mod standing;
mod subjects;
mod table;
mod text;
mod types;
mod units;
mod words;

#[cfg(test)]
mod tests;

pub use self::{
    compare::{Answer, Outcome, Reason, compare},
    interval::{Bound, Interval},
    parse::{MOST_INDICATORS, parse},
    subjects::{Better, Subject},
    table::Quantity,
    types::{Comparison, Indicator, Measure, Span, Standing},
};
