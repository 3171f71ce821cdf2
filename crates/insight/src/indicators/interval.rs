//! Intervals of numbers with open, closed and missing ends.

use serde::Serialize;

/// Relative difference up to which two numbers are equal: `0.5 GPa` and `500 MPa` differ by rounding.
const RELATIVE_ERROR: f64 = 1e-9;

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Bound {
    /// No end.
    Unbounded,
    /// The number itself is excluded.
    Open(f64),
    /// The number itself is included.
    Closed(f64),
}

/// All numbers between two bounds; never empty, bounds are finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower bound.
    pub min: Bound,
    /// Upper bound.
    pub max: Bound,
}

// === impl Bound ===

impl Bound {
    /// Number at the bound; `None` if unbounded.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Unbounded => None,
            Self::Open(number) | Self::Closed(number) => Some(number),
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Open(_))
    }
}

// === impl Interval ===

impl Interval {
    /// Single number.
    pub fn point(number: f64) -> Self {
        Self::between(number, number)
    }

    /// Closed interval between two numbers, in any order.
    pub fn between(one: f64, other: f64) -> Self {
        Self { min: Bound::Closed(one.min(other)), max: Bound::Closed(one.max(other)) }
    }

    /// Numbers greater than or equal to `number`.
    pub fn at_least(number: f64) -> Self {
        Self { min: Bound::Closed(number), max: Bound::Unbounded }
    }

    /// Numbers greater than `number`.
    pub(crate) fn more_than(number: f64) -> Self {
        Self { min: Bound::Open(number), max: Bound::Unbounded }
    }

    /// Numbers less than or equal to `number`.
    pub fn at_most(number: f64) -> Self {
        Self { min: Bound::Unbounded, max: Bound::Closed(number) }
    }

    /// Numbers less than `number`.
    pub(crate) fn less_than(number: f64) -> Self {
        Self { min: Bound::Unbounded, max: Bound::Open(number) }
    }

    /// Returns whether it lies entirely in `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let below = ends_inside(self.min, other.min, f64::ge);
        below && ends_inside(self.max, other.max, f64::le)
    }

    /// Returns whether the two have no common number.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        ends_before(self.max, other.min) || ends_before(other.max, self.min)
    }

    /// Returns whether it contains the number.
    pub fn contains(&self, number: f64) -> bool {
        Self::point(number).is_within(self)
    }

    /// The number, if the interval has only one.
    pub(crate) fn as_point(&self) -> Option<f64> {
        let (min, max) = self.min.number().zip(self.max.number())?;
        is_same(min, max).then_some(min)
    }

    /// Both ends, if it has two.
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.min.number().zip(self.max.number())
    }

    /// Returns whether both intervals are equal up to rounding.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_within(other) && other.is_within(self)
    }
}

/// Returns whether two numbers are equal up to rounding.
pub(super) fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= RELATIVE_ERROR * one.abs().max(other.abs())
}

fn ends_inside(inner: Bound, outer: Bound, is_inside: impl Fn(&f64, &f64) -> bool) -> bool {
    let Some(limit) = outer.number() else { return true };
    let Some(number) = inner.number() else { return false };
    if is_same(number, limit) { inner.is_open() || !outer.is_open() } else { is_inside(&number, &limit) }
}

fn ends_before(max: Bound, min: Bound) -> bool {
    let Some((max_number, min_number)) = max.number().zip(min.number()) else { return false };
    if is_same(max_number, min_number) { max.is_open() || min.is_open() } else { max_number < min_number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_lie_within_and_apart() {
        let check = |one: Interval, other: Interval, within: bool, disjoint: bool| {
            assert_eq!((one.is_within(&other), one.is_disjoint(&other)), (within, disjoint), "{one:?} {other:?}");
            assert_eq!(other.is_disjoint(&one), disjoint, "{one:?} {other:?}");
        };
        let (least, most) = (Interval::at_least, Interval::at_most);
        check(Interval::point(520.0), least(500.0), true, false);
        check(Interval::point(500.0), least(500.0), true, false);
        check(Interval::point(500.0), Interval::more_than(500.0), false, true);
        check(Interval::more_than(500.0), least(500.0), true, false);
        check(least(500.0), Interval::more_than(500.0), false, false);
        check(least(400.0), least(500.0), false, false);
        check(most(480.0), least(500.0), false, true);
        check(most(500.0), least(500.0), false, false);
        check(Interval::less_than(500.0), least(500.0), false, true);
        check(Interval::between(600.0, 500.0), least(500.0), true, false);
        check(Interval::between(1.0, 2.0), Interval::between(0.0, 3.0), true, false);
        check(Interval::point(0.1 * 1e-3), Interval::point(100.0 * 1e-6), true, false);
        check(Interval::point(0.0), Interval::point(0.0), true, false);
    }
}
