//! Builds the interval of a quantity from numbers and words.

use std::ops::Range;

use super::{
    Bound, Comparison, Interval, Measure,
    expression::{Value, Values},
    lead::Lead,
    subjects::{Better, Subject},
    table::TABLE,
    text::{Text, is_han},
    units::{self, Conversion},
    words::Behind,
};

/// Share by which 约 and 左右 widen the value at both ends.
const ABOUT: f64 = 0.05;

/// Data collected for one indicator.
pub(super) struct Draft {
    pub lead: Lead,
    pub start: usize,
    /// Start of the number.
    pub number: usize,
    pub end: usize,
    pub values: Values,
    pub subject: Range<usize>,
    pub known: Option<&'static Subject>,
    pub behind: Option<Behind>,
    pub is_about: bool,
    /// `6≤pH≤9`: whether the ends are open.
    pub open_ends: Option<(bool, bool)>,
}

// === impl Draft ===

impl Draft {
    /// Meaning of the unit here, and whether the number is a level or a change.
    pub(super) fn meaning(&self, text: &Text<'_>, subject: &str) -> Option<(Measure, Conversion)> {
        let conversion = self.conversion(text, subject)?;
        let is_relative = matches!(conversion.quantity.id, "ratio" | "multiple" | "points");
        // 提高准确率≥95% is a level, 降低能耗≥20% a change
        let is_level = self.known.is_some_and(|known| known.better == Better::Higher) && self.has_sign(text);
        let far = self.lead.far_change.filter(|_| !is_level).or(turn(subject)).filter(|_| is_relative);
        let Some(change) = self.lead.change.or(far).filter(|_| !self.lead.reaches) else {
            let is_difference = matches!(self.values, Values::Tolerance(_)) || self.is_difference() && !self.is_span();
            let is_share = self.is_casual_share(text);
            let conversion = if is_difference { conversion.difference() } else { conversion };
            return (!is_share).then_some((Measure::Level, conversion));
        };
        let conversion = conversion.difference();
        // 提高 2 倍 is 提高 200%
        let ratio = TABLE.by_id("ratio").filter(|_| conversion.quantity.id == "multiple");
        let Some(ratio) = ratio else { return Some((change, conversion)) };
        Some((change, Conversion { quantity: ratio, base_unit: ratio.base_unit.into(), ..conversion }))
    }

    /// Returns whether a share is incidental: 占一半, 其中三分之一. 百分之三十 is a value.
    fn is_casual_share(&self, text: &Text<'_>) -> bool {
        let Values::Share(_, place) = &self.values else { return false };
        let has_words = self.lead.comparison.is_some() || self.behind.is_some() || self.lead.reaches;
        let is_value = text.slice(place.clone()).starts_with(&['百', '分']) && !self.subject.is_empty();
        !has_words && !is_value
    }

    pub(super) fn is_difference(&self) -> bool {
        self.known.is_some_and(|known| known.is_difference)
    }

    /// Returns whether the value is a range, such as the measuring condition in 温漂：-40~125℃.
    pub(super) fn is_span(&self) -> bool {
        matches!(self.values, Values::Range(..))
    }

    fn has_sign(&self, text: &Text<'_>) -> bool {
        let sign = text.at(text.skip_blanks(self.lead.words_start));
        matches!(sign, '≥' | '≤' | '>' | '<' | '=' | ':')
    }

    fn conversion(&self, text: &Text<'_>, subject: &str) -> Option<Conversion> {
        let (first, second) = match &self.values {
            Values::Share(..) => {
                return Conversion::of(TABLE.units.iter().find(|unit| unit.canonical == "%")?).map(whole);
            }
            Values::One(value) | Values::Tolerance(value) => (value, None),
            Values::Range(first, second) | Values::Around(first, second) => (first, Some(second)),
        };
        let unit = second.and_then(|second| second.unit.as_ref().filter(|_| !self.is_percent_of(first, second)));
        if let Some(unit) = unit.or(first.unit.as_ref()) {
            return unit.conversion(subject);
        }
        // 寿命（小时）≥2000
        if let Some(bracket) = self.lead.bracket.as_ref().filter(|_| !self.lead.subject.is_empty())
            && let Some(unit) = units::unit_at(text, bracket.start).filter(|unit| unit.end == bracket.end)
        {
            return unit.conversion(subject);
        }
        self.without_unit(text, subject, first)
    }

    fn without_unit(&self, text: &Text<'_>, subject: &str, first: &Value) -> Option<Conversion> {
        if self.lead.subject.is_empty() {
            return None;
        }
        let has_mark = |sign: &str| {
            let around = |place: Option<char>| !place.is_some_and(|character| character.is_ascii_alphabetic());
            let apart = |byte: usize| {
                let (before, behind) = (subject.get(..byte), subject.get(byte + sign.len()..));
                around(before.and_then(|before| before.chars().next_back()))
                    && around(behind.and_then(|behind| behind.chars().next()))
            };
            subject.find(sign).is_some_and(apart)
        };
        if let Some(mark) = TABLE.marks.iter().find(|mark| has_mark(mark.sign)) {
            return TABLE.units.get(mark.unit).and_then(Conversion::of);
        }
        let next = text.at(self.end);
        let ends = !is_han(next) && !next.is_ascii_alphanumeric();
        let is_pure = ["系数", "指数", "折射率", "常数", "比"].iter().any(|tail| subject.ends_with(tail)) && ends;
        let is_compared =
            self.lead.comparison.is_some() || self.behind.is_some_and(|behind| behind != Behind::Condition);
        if subject.is_empty() || !is_pure && !(is_compared && (ends || self.behind.is_some())) {
            return None;
        }
        let is_share = subject.ends_with('率') && self.known.is_some_and(|known| known.better != Better::Unknown);
        if is_share && (0.0..=1.0).contains(&first.number) {
            return Conversion::of(TABLE.units.iter().find(|unit| unit.canonical == "%")?).map(whole);
        }
        Conversion::none()
    }

    /// Returns whether the tolerance is a percentage: 220V±10%.
    fn is_percent_of(&self, first: &Value, second: &Value) -> bool {
        let id = |value: &Value| {
            value.unit.as_ref().and_then(|unit| unit.conversion("")).map(|conversion| conversion.quantity.id)
        };
        matches!(self.values, Values::Around(..))
            && id(second) == Some("ratio")
            && id(first).is_some_and(|id| id != "ratio")
    }

    pub(super) fn comparison(&self, conversion: &Conversion) -> Comparison {
        match &self.values {
            Values::Range(..) | Values::Around(..) => return Comparison::Range,
            Values::Tolerance(_) => return Comparison::Tolerance,
            Values::One(_) | Values::Share(..) => {}
        }
        let behind = match self.behind {
            Some(Behind::AtLeast) => Some(Comparison::AtLeast),
            Some(Behind::AtMost) => Some(Comparison::AtMost),
            _ => None,
        };
        let is_more = matches!(&self.values, Values::One(value) if value.is_more);
        let rest = if self.lead.is_better {
            self.better(conversion)
        } else if is_more {
            Comparison::AtLeast
        } else if self.lead.reaches {
            Comparison::Reach
        } else {
            Comparison::Exact
        };
        self.lead.comparison.or(behind).unwrap_or(rest)
    }

    /// Resolves 优于: 优于 0.1 mm means less, 优于 95% means more.
    fn better(&self, conversion: &Conversion) -> Comparison {
        let number = match &self.values {
            Values::One(value) => value.number,
            _ => 0.0,
        };
        let is_high_share = conversion.quantity.id == "ratio" && 50.0 <= number;
        let is_fine =
            self.known.is_some_and(|known| known.better == Better::Lower || matches!(known.name, "分辨率" | "灵敏度"));
        if is_fine && !is_high_share { Comparison::LessThan } else { Comparison::MoreThan }
    }

    /// Returns whether things are counted incidentally: `6名技术人员`, `4座站`.
    pub(super) fn is_casual(&self, comparison: Comparison) -> bool {
        let is_bare = matches!(comparison, Comparison::Exact | Comparison::Range | Comparison::Reach);
        let is_lost = self.subject.is_empty() || comparison != Comparison::Reach;
        is_bare && is_lost && self.known.is_none() && self.lead.change.is_none()
    }

    pub(super) fn interval(&self, comparison: Comparison, conversion: &Conversion) -> Option<Interval> {
        let wide = |number: f64, side: f64| if self.is_about { number + side * ABOUT * number.abs() } else { number };
        let base = |number: f64, own: &Conversion| {
            let base = own.factor * number + own.offset;
            base.is_finite().then_some(base)
        };
        match &self.values {
            Values::Range(first, second) => {
                let (low, high) = (first.number.min(second.number), first.number.max(second.number));
                let own =
                    |value: &Value| value.unit.as_ref().and_then(|unit| self.own(unit.conversion("")?, conversion));
                let both = own(first).zip(own(second));
                let Some((first_own, second_own)) = both else {
                    return Some(self.ends(base(wide(low, -1.0), conversion)?, base(wide(high, 1.0), conversion)?));
                };
                let (one, other) = (base(first.number, &first_own)?, base(second.number, &second_own)?);
                Some(self.ends(wide(one.min(other), -1.0), wide(one.max(other), 1.0)))
            }
            Values::Around(mean_vector, width) => {
                let is_percent = self.is_percent_of(mean_vector, width);
                let width = if is_percent { mean_vector.number.abs() * width.number / 100.0 } else { width.number };
                Some(Interval::between(
                    base(mean_vector.number - width, conversion)?,
                    base(mean_vector.number + width, conversion)?,
                ))
            }
            Values::Tolerance(value) => {
                let width = base(wide(value.number.abs(), 1.0), conversion)?;
                Some(Interval::between(-width, width))
            }
            Values::One(Value { number, .. }) | Values::Share(number, _) => {
                let (low, high) = (base(wide(*number, -1.0), conversion)?, base(wide(*number, 1.0), conversion)?);
                Some(one_number(comparison, low, high))
            }
        }
    }

    /// Conversion of one end of a range, if it has the same dimension as the other end: 800mm~1.2m.
    fn own(&self, conversion: Conversion, other: &Conversion) -> Option<Conversion> {
        let conversion = if other.offset == 0.0 { conversion.difference() } else { conversion };
        (conversion.quantity.id == other.quantity.id && conversion.base_unit == other.base_unit).then_some(conversion)
    }

    fn ends(&self, low: f64, high: f64) -> Interval {
        let (open_low, open_high) = self.open_ends.unwrap_or_default();
        let mut interval = Interval::between(low, high);
        if low < high {
            interval.min = if open_low { Bound::Open(low) } else { interval.min };
            interval.max = if open_high { Bound::Open(high) } else { interval.max };
        }
        interval
    }

    /// Positions of value and unit.
    pub(super) fn written(&self) -> (Range<usize>, Range<usize>) {
        match &self.values {
            Values::One(value) | Values::Tolerance(value) => (value.digits.clone(), value.unit_at.clone()),
            Values::Range(first, second) | Values::Around(first, second) => {
                let unit = if second.unit.is_some() { second } else { first };
                (first.digits.start..second.digits.end, unit.unit_at.clone())
            }
            Values::Share(_, place) => (place.clone(), place.end..place.end),
        }
    }
}

/// Change stated by the subject's last character: 性能高 4 倍, 能耗低 60%.
pub(super) fn turn(subject: &str) -> Option<Measure> {
    let last = subject.chars().next_back().filter(|last| subject.len() > last.len_utf8());
    match last? {
        '高' | '多' | '快' | '大' => Some(Measure::Increase),
        '低' | '少' | '小' | '短' | '轻' | '慢' => Some(Measure::Decrease),
        _ => None,
    }
}

/// Conversion of a share that is not a percentage.
fn whole(conversion: Conversion) -> Conversion {
    Conversion { factor: 1.0, ..conversion }
}

fn one_number(comparison: Comparison, low: f64, high: f64) -> Interval {
    match comparison {
        Comparison::AtLeast => Interval::at_least(low),
        Comparison::MoreThan => Interval::more_than(low),
        Comparison::AtMost => Interval::at_most(high),
        Comparison::LessThan => Interval::less_than(high),
        Comparison::Exact | Comparison::Reach | Comparison::Range | Comparison::Tolerance => {
            Interval::between(low, high)
        }
    }
}
