//! Types of an indicator.

use std::{borrow::Cow, ops::Range};

use serde::Serialize;

use super::{Interval, Quantity, Subject};

/// A range of the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextSpan {
    /// Bytes of the UTF-8 text; both ends lie between characters.
    pub bytes: Range<usize>,
    /// Characters (Unicode scalar values).
    pub chars: Range<usize>,
}

/// Comparison stated by the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Comparison {
    /// A bare value: `500 MPa`, `为 500 MPa`.
    Exact,
    /// `达到 500 MPa`: a lower limit in a demand.
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
    /// The value itself: `效率 30%`, `提高到 30%`.
    Level,
    /// A change upwards: `提高 30%`.
    Increase,
    /// A change downwards: `降低 30%`; the interval holds the amount, which is positive.
    Decrease,
}

/// Role of the number in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Standing {
    /// Required or claimed.
    Claimed,
    /// Present state: `目前误差 1%`. In a demand it is not a requirement.
    Present,
    /// Former state or other techniques: `传统工艺 5%`. It does not describe the achievement.
    Former,
    /// Condition of another value: `600℃下`, `(25℃)`.
    Condition,
}

/// A number with its unit, subject and comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indicator {
    /// Quantity from the table.
    pub quantity: &'static Quantity,
    /// Unit of `interval`: the quantity's base unit; counts (`件`) and compound quantities (`元/kg`) have their own.
    pub base_unit: Cow<'static, str>,
    /// Level or change.
    pub measure: Measure,
    /// Comparison stated by the words.
    pub comparison: Comparison,
    /// `约`, `左右`: the interval is widened by 5 % of the value at both ends.
    pub is_about: bool,
    /// The number can be read in two ways: `10-8`. It is compared with nothing.
    pub is_unclear: bool,
    /// Accepted values in the base unit, always finite. Symmetric for [`Comparison::Tolerance`].
    pub interval: Interval,
    /// Interval of A in `由 A 提高到 B`.
    pub former: Option<Interval>,
    /// Role in the text.
    pub standing: Standing,
    /// Words of the subject, in half width and Simplified; may be empty.
    pub subject: String,
    /// Subject from the table of subjects.
    pub known_subject: Option<&'static Subject>,
    /// Number or numbers as written: `10~20`, `1×10^-3`.
    pub value: String,
    /// Unit as written; may be empty.
    pub unit: String,
    /// Whole expression with subject and comparison words.
    pub span: TextSpan,
    /// Subject alone.
    pub subject_span: Option<TextSpan>,
}

// === impl Indicator ===

impl Indicator {
    /// Returns whether both have one dimension and both are levels, or both changes in one direction. Units that the
    /// table does not have are of one dimension where they are written alike.
    pub(crate) fn is_comparable(&self, other: &Self) -> bool {
        !self.is_unclear && !other.is_unclear && !self.base_unit.is_empty() && self.is_alike(other)
    }

    /// Returns whether the unit is none of the table.
    pub(crate) fn is_unlisted(&self) -> bool {
        self.quantity.id == "unlisted"
    }

    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.quantity.id == other.quantity.id && self.base_unit == other.base_unit && self.measure == other.measure
    }
}
