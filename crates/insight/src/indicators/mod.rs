//! Indicators (指标): numbers with units in demands and achievements, normalised by quantity and compared one by one.
//!
//! [`parse`] finds the indicators of a text; [`compare`] answers a demand's from an achievement's. Both are pure.
//!
//! ```text
//! text ─ text (one character for one) ─ expression (numbers, units, ranges) ─┬─ parse ─ [Indicator] ─ compare ─ [Answer]
//!                                       lead (words before: ≥, 提高, subject) ┘
//! ```
//!
//! Domain experts extend the tables `data/quantities.txt` (units) and `data/subjects.txt` (subjects of numbers). The
//! comparison words are in `words.rs`.

mod agree;
mod atoms;
mod case;
mod chinese;
mod compare;
mod compound;
mod draft;
mod expression;
mod interval;
mod lead;
mod number;
mod parse;
mod pressure;
mod standing;
mod subjects;
mod table;
mod text;
mod types;
mod units;
mod unlisted;
mod window;
mod words;

#[cfg(test)]
mod tests;

pub use self::{
    compare::{Answer, AnswerOutcome, AnswerReason, compare},
    interval::{Bound, Interval},
    parse::parse,
    subjects::{Better, Subject},
    table::Quantity,
    types::{Comparison, Indicator, Measure, Standing, TextSpan},
};
