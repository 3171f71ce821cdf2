//! What is known of one indicator.

use std::{borrow::Cow, ops::Range};

use serde::Serialize;

use super::{Interval, Quantity, Subject};

/// A stretch of the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Bytes of the UTF-8 text; both ends lie between characters.
    pub bytes: Range<usize>,
    /// Characters (Unicode scalar values).
    pub chars: Range<usize>,
}

/// How a value is compared, as the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Comparison {
    /// A bare value: `500 MPa`, `为 500 MPa`.
    Exact,
    /// `达到 500 MPa`: in a demand that is a lower limit.
    Reach,
    /// `≥`, `不低于`, `以上`.
    AtLeast,
    /// `>`, `超过`.
    MoreThan,
    /// `≤`, `不超过`, `以下`, `以内`.
    AtMost,
    /// `<`, `低于`.
    LessThan,
    /// `10~20`, `10±1`.
    Range,
    /// `±0.1`.
    Tolerance,
}

/// Whether the number is a level or a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Measure {
    /// The thing itself: `效率 30%`, `提高到 30%`.
    Level,
    /// A change upwards: `提高 30%`.
    Increase,
    /// A change downwards: `降低 30%`; the interval is that of the amount, so it is positive.
    Decrease,
}

/// For what the number stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Standing {
    /// What is asked for or claimed.
    Claimed,
    /// What is the case today: `目前误差 1%`. In a demand it is not asked for.
    Present,
    /// What was before or is usual elsewhere: `传统工艺 5%`. It says nothing of the achievement.
    Former,
    /// Under which condition another value holds: `600℃下`, `(25℃)`.
    Condition,
}

/// A number with its unit, what it is about, and how it is compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indicator {
    /// Its quantity, from the table.
    pub quantity: &'static Quantity,
    /// Unit of `interval`: that of the quantity, but for counts (`件`) and compound quantities (`元/kg`) their own.
    pub base_unit: Cow<'static, str>,
    /// Level or change.
    pub measure: Measure,
    /// How it is compared, in words.
    pub comparison: Comparison,
    /// `约`, `左右`: the interval is wider by 5 % of the value at both ends.
    pub is_about: bool,
    /// The values that fit, in the base unit. Always finite numbers. For [`Comparison::Tolerance`] it is symmetric.
    pub interval: Interval,
    /// In `由 A 提高到 B` the interval of A.
    pub former: Option<Interval>,
    /// For what it stands in the text.
    pub standing: Standing,
    /// The words it is about, in one width and Simplified; empty where there are none.
    pub subject: String,
    /// The subject in the table of subjects.
    pub known_subject: Option<&'static Subject>,
    /// The number or numbers as written: `10~20`, `1×10^-3`.
    pub value: String,
    /// The unit as written; empty where there is none.
    pub unit: String,
    /// The whole expression with subject and words of comparison.
    pub span: Span,
    /// The subject alone.
    pub subject_span: Option<Span>,
}

// === impl Indicator ===

impl Indicator {
    /// Whether the two have one dimension and are both levels or both changes in one direction.
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.quantity.id == other.quantity.id && self.base_unit == other.base_unit && self.measure == other.measure
    }
}
