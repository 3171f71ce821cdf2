//! Builds the interval of a quantity from numbers and words.

use std::ops::Range;

use super::{
    Bound, Comparison, Interval, Measure,
    expression::{Doubt, NumberWithUnit, Values},
    lead::Lead,
    number,
    pressure::{self, Origin},
    subjects::{Better, Subject},
    table::TABLE,
    text::{CharText, is_han},
    units::{self, Conversion, FoundUnit},
    words::Behind,
};

/// Share by which 约 and 左右 widen the value at both ends.
const ABOUT: f64 = 0.05;

/// Data collected for one indicator.
pub(super) struct IndicatorDraft {
    pub lead: Lead,
    pub start: usize,
    /// Start of the number.
    pub number: usize,
    pub end: usize,
    pub values: Values,
    pub doubt: Doubt,
    pub subject: Range<usize>,
    pub known: Option<&'static Subject>,
    pub behind: Option<Behind>,
    pub is_about: bool,
    /// `6≤pH≤9`: whether the ends are open.
    pub open_ends: Option<(bool, bool)>,
}

// === impl IndicatorDraft ===

impl IndicatorDraft {
    /// Meaning of the unit here, and whether the number is a level or a change.
    pub(super) fn meaning(&self, text: &CharText<'_>, subject: &str) -> Option<(Measure, Conversion)> {
        let conversion = self.conversion(text, subject)?;
        let has_origin = pressure::is_plain(conversion.quantity);
        let conversion = match has_origin.then(|| self.origin(text, subject)).flatten() {
            Some(origin) => origin.apply(conversion),
            None => conversion,
        };
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
    fn is_casual_share(&self, text: &CharText<'_>) -> bool {
        let Values::Share(_, place) = &self.values else { return false };
        let has_words = self.lead.comparison.is_some() || self.behind.is_some() || self.lead.reaches;
        let written = text.slice(place.clone());
        let is_value = (written.starts_with(&['百', '分']) || written.contains(&'N')) && !self.subject.is_empty();
        !has_words && !is_value
    }

    /// Reads the 4N of 纯度 4N as 99.99 %, and 4N5 as 99.995 %.
    pub(super) fn read_purity(&mut self, text: &CharText<'_>) {
        let Values::One(value) = &self.values else { return };
        let is_purity = text.slice(self.subject.clone()).contains(&'纯');
        let (tail, nines) = match text.slice(value.unit_at.clone()) {
            ['N'] => (0.0, value.number),
            ['N', tail @ '1'..='9'] => (tail.to_digit(10).map_or(0.0, f64::from), value.number),
            _ => return,
        };
        if is_purity && (1.0..10.0).contains(&nines) && nines.fract() == 0.0 {
            let missing = 10_f64.powf(-nines) * (1.0 - tail / 10.0);
            self.values = Values::Share(1.0 - missing, value.digits.start..value.unit_at.end);
        }
    }

    /// Returns whether a number without a known unit is stated as a value rather than being part of a name.
    pub(super) fn is_measured(&self, comparison: Comparison) -> bool {
        let is_compared = !matches!(comparison, Comparison::Exact | Comparison::Range);
        let is_named = self.known.is_some() && self.subject.start < self.number;
        !self.subject.is_empty() && (is_compared || is_named)
    }

    /// Returns whether the number can be read in two ways.
    pub(super) fn is_unclear(&self, comparison: Comparison, conversion: &Conversion, subject: &str) -> bool {
        const OFTEN_SMALL: [&str; 11] =
            ["漏", "真空", "透", "渗", "误码", "电导", "电阻率", "膨胀", "灵敏", "检出限", "检测限"];
        let is_own_unclear = |unit: &FoundUnit| unit.conversion(subject).is_some_and(|own| own.is_unclear);
        if conversion.is_unclear || 1 < self.values.units().count() && self.values.units().any(is_own_unclear) {
            return true;
        }
        match self.doubt {
            Doubt::No => false,
            Doubt::Yes => true,
            Doubt::PerhapsPower => {
                let is_small = OFTEN_SMALL.iter().any(|word| subject.contains(word));
                let is_asked = self.lead.comparison.is_some() || self.behind.is_some();
                is_small || is_asked || comparison != Comparison::Range || conversion.quantity.id == "composite"
            }
        }
    }

    pub(super) fn is_difference(&self) -> bool {
        self.known.is_some_and(|known| known.is_difference)
    }

    /// Returns whether the value is a range, such as the measuring condition in 温漂：-40~125℃.
    pub(super) fn is_span(&self) -> bool {
        matches!(self.values, Values::Range(..))
    }

    /// What a pressure is measured from, as the words before it say: 工作压力（绝压）≥0.5MPa.
    fn origin(&self, text: &CharText<'_>, subject: &str) -> Option<Origin> {
        let bracket = self.lead.bracket.clone().filter(|_| !self.lead.subject.is_empty());
        let in_bracket = || pressure::named(&text.folded(bracket?));
        pressure::named(subject).or_else(in_bracket)
    }

    fn has_sign(&self, text: &CharText<'_>) -> bool {
        let sign = text.at(text.skip_blanks(self.lead.words_start));
        matches!(sign, '≥' | '≤' | '>' | '<' | '=' | ':')
    }

    fn conversion(&self, text: &CharText<'_>, subject: &str) -> Option<Conversion> {
        let (first, second) = match &self.values {
            Values::Share(..) => {
                return Conversion::of(TABLE.units.iter().find(|unit| unit.canonical == "%")?).map(whole);
            }
            Values::One(value) | Values::Tolerance(value) => (value, None),
            Values::Range(first, second) | Values::Around(first, second) => (first, Some(second)),
        };
        let subject = if self.values.is_temperature() { "温" } else { subject };
        let second_apart = second.filter(|second| !self.is_percent_of(first, second));
        if let Some((one, other)) = first.unit.as_ref().zip(second_apart.and_then(|second| second.unit.as_ref())) {
            let (one, other) = (one.conversion(subject)?, other.conversion(subject)?);
            if one.quantity.id != other.quantity.id || one.base_unit != other.base_unit {
                return Conversion::unlisted(String::new());
            }
        }
        let unit = second.and_then(|second| second.unit.as_ref().filter(|_| !self.is_percent_of(first, second)));
        if let Some(unit) = unit.or(first.unit.as_ref()) {
            return unit.conversion(subject);
        }
        // 寿命（小时）≥2000
        if let Some(bracket) = self.lead.bracket.clone().filter(|_| !self.lead.subject.is_empty())
            && let Some(conversion) = in_bracket(text, bracket, subject)
        {
            return Some(conversion);
        }
        self.without_unit(text, subject, first)
    }

    fn without_unit(&self, text: &CharText<'_>, subject: &str, first: &NumberWithUnit) -> Option<Conversion> {
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
        let is_pure = is_pure(subject) && ends;
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
    fn is_percent_of(&self, first: &NumberWithUnit, second: &NumberWithUnit) -> bool {
        let id = |value: &NumberWithUnit| {
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

    pub(super) fn interval(&self, comparison: Comparison, conversion: &Conversion, subject: &str) -> Option<Interval> {
        let subject = if self.values.is_temperature() { "温" } else { subject };
        let wide = |number: f64, side: f64| if self.is_about { number + side * ABOUT * number.abs() } else { number };
        let base = |number: f64, own: &Conversion| {
            let base = own.factor * number + own.offset;
            base.is_finite().then_some(base)
        };
        match &self.values {
            Values::Range(first, second) => {
                let (low, high) = (first.number.min(second.number), first.number.max(second.number));
                let own = |value: &NumberWithUnit| {
                    value.unit.as_ref().and_then(|unit| self.own(unit.conversion(subject)?, conversion))
                };
                let both = own(first).zip(own(second));
                let Some((first_own, second_own)) = both else {
                    return Some(self.ends(base(wide(low, -1.0), conversion)?, base(wide(high, 1.0), conversion)?));
                };
                let (one, other) = (base(first.number, &first_own)?, base(second.number, &second_own)?);
                Some(self.ends(wide(one.min(other), -1.0), wide(one.max(other), 1.0)))
            }
            Values::Around(middle, width) => {
                let is_percent = self.is_percent_of(middle, width);
                let own = middle.unit.as_ref().and_then(|unit| self.own(unit.conversion(subject)?, conversion));
                let own = own.unwrap_or_else(|| conversion.clone());
                let half = if is_percent { own.factor * middle.number.abs() / 100.0 } else { conversion.factor };
                let (middle, half) = (base(middle.number, &own)?, half * width.number);
                half.is_finite().then(|| Interval::between(middle - half, middle + half))
            }
            Values::Tolerance(value) => {
                let width = base(wide(value.number.abs(), 1.0), conversion)?;
                Some(Interval::between(-width, width))
            }
            Values::One(NumberWithUnit { number, .. }) | Values::Share(number, _) => {
                let (low, high) = (base(wide(*number, -1.0), conversion)?, base(wide(*number, 1.0), conversion)?);
                Some(one_number(comparison, low, high))
            }
        }
    }

    /// Conversion of one end of a range, if it has the same dimension as the other end: 800mm~1.2m.
    fn own(&self, conversion: Conversion, other: &Conversion) -> Option<Conversion> {
        let conversion = if other.offset == 0.0 { conversion.difference() } else { conversion };
        // 表压 before the numbers is of both ends
        let conversion = match other.quantity.id {
            "gauge_pressure" => Origin::Gauge.apply(conversion),
            "absolute_pressure" => Origin::Absolute.apply(conversion),
            _ => conversion,
        };
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

// === impl Values ===

impl Values {
    /// The numbers with their units: one or two.
    fn numbers(&self) -> impl Iterator<Item = &NumberWithUnit> {
        let (first, second) = match self {
            Self::Share(..) => (None, None),
            Self::One(value) | Self::Tolerance(value) => (Some(value), None),
            Self::Range(first, second) | Self::Around(first, second) => (Some(first), Some(second)),
        };
        first.into_iter().chain(second)
    }

    /// Units as written.
    pub(super) fn units(&self) -> impl Iterator<Item = &FoundUnit> {
        self.numbers().filter_map(|number| number.unit.as_ref())
    }

    /// Returns whether 零下 or 零上 before the first number says that it is a temperature.
    pub(super) fn is_temperature(&self) -> bool {
        self.numbers().next().is_some_and(|first| first.is_temperature)
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

/// Returns whether numbers about the subject have no unit.
fn is_pure(subject: &str) -> bool {
    ["系数", "指数", "折射率", "常数", "比"].iter().any(|tail| subject.ends_with(tail))
}

/// Conversion of the unit in brackets before the number, with its 万: 产量（万吨）≥5.
fn in_bracket(text: &CharText<'_>, bracket: Range<usize>, subject: &str) -> Option<Conversion> {
    let unit_at = |place: usize| units::unit_at(text, place).filter(|unit| unit.end == bracket.end);
    if let Some(unit) = unit_at(bracket.start) {
        return unit.conversion(subject);
    }
    if let Some((factor, end)) = number::multiplier(text, bracket.start)
        && let Some(unit) = unit_at(end)
    {
        let conversion = unit.conversion(subject)?;
        return Some(Conversion { factor: conversion.factor * factor, ..conversion });
    }
    // 召回率（Recall）: a name, not a unit
    let is_word = text.slice(bracket.clone()).iter().all(char::is_ascii_alphabetic);
    let is_name = is_word && (is_pure(subject) || subject.ends_with('率'));
    let is_latin = text.slice(bracket.clone()).iter().all(|inside| !is_han(*inside)) && !is_name;
    let unit = units::unlisted_at(text, bracket.start).filter(|unit| is_latin && unit.end == bracket.end)?;
    unit.conversion(subject)
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
