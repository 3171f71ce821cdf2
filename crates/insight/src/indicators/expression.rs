//! Expressions in a text: a number with its unit, a number range, or a number with a tolerance.

use std::ops::Range;

use super::{
    number::{self, Number},
    table::TABLE,
    text::{CharText, is_han},
    units::{self, FoundUnit},
    words::{self, Behind, Effect},
};

/// Maximum blanks between a number and its unit.
const MAX_BLANKS: usize = 2;
const PLUS_MINUS: [&str; 4] = ["±", "+/-", "+-", "正负"];

/// A number with its unit.
#[derive(Debug)]
pub(super) struct NumberWithUnit {
    /// Number with 万 and powers of ten applied.
    pub number: f64,
    pub unit: Option<FoundUnit>,
    /// 余, 多: the number is a lower limit.
    pub is_more: bool,
    /// 零下, 零上: a temperature.
    pub is_temperature: bool,
    /// It can be read in two ways: 2万5.
    pub is_unclear: bool,
    /// Position of the number, including sign and 万.
    pub digits: Range<usize>,
    /// Position of the unit; empty if there is none.
    pub unit_at: Range<usize>,
    /// Factor of 万, if any.
    multiplier: Option<f64>,
    scale: f64,
}

/// Numbers of an expression.
#[derive(Debug)]
pub(super) enum Values {
    /// `500 MPa`.
    One(NumberWithUnit),
    /// `10~20 mm`.
    Range(NumberWithUnit, NumberWithUnit),
    /// `±0.1 mm`.
    Tolerance(NumberWithUnit),
    /// `10±0.1 mm`.
    Around(NumberWithUnit, NumberWithUnit),
    /// `三分之一`, `一半`: a ratio.
    Share(f64, Range<usize>),
}

/// Numbers and their position.
#[derive(Debug)]
pub(super) struct Expression {
    pub start: usize,
    pub end: usize,
    pub values: Values,
    pub doubt: Doubt,
}

/// Whether an expression can be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    No,
    /// `10-12` may be a range, or 10⁻¹² that lost its superscript.
    PerhapsPower,
    Yes,
}

/// Expression whose first digit is at `digit`. The error is the position to continue from.
pub(super) fn in_digits(text: &CharText<'_>, digit: usize) -> Result<Expression, usize> {
    let start = sign(text, digit)?;
    // (-55)℃
    let bracketed = start.checked_sub(1).and_then(|open| Some((open, in_brackets(text, open)?)));
    let (start, first) = match bracketed {
        Some((open, first)) if first.number < 0.0 || first.number.fract() != 0.0 => (open, first),
        _ => (start, value(text, start)?),
    };
    if let Some(end) = chain(text, &first) {
        return Err(end);
    }
    if let Some(tolerance) = plus_minus_before(text, start) {
        return Ok(Expression::new(tolerance, Values::Tolerance(first)));
    }
    let place = text.skip_blanks(first.end()).min(first.end() + 1);
    if let Some(second) =
        plus_minus(text, place).map(|place| text.skip_blanks(place)).and_then(|place| value(text, place).ok())
    {
        let (start, second) = with_unit_behind(text, start, &first, second);
        return Ok(Expression::new(start, Values::Around(first, second)));
    }
    let Some(second) = second_of_range(text, place, &first) else {
        return Ok(Expression::new(start, Values::One(first)));
    };
    if text.at(second.end()) == '-' && number::is_digit(text, second.end() + 1) {
        return Err(skip(text, second.end(), "-"));
    }
    let doubt = doubt(text, place, &first, &second);
    let first = first.with_scale_of(&second);
    let (start, second) = with_unit_behind(text, start, &first, second);
    Ok(Expression { doubt, ..Expression::new(start, Values::Range(first, second)) })
}

/// Whether a range can be read in two ways: 零下20~40℃, `10-8`.
fn doubt(text: &CharText<'_>, join: usize, first: &NumberWithUnit, second: &NumberWithUnit) -> Doubt {
    let is_plain =
        |value: &NumberWithUnit| value.multiplier.is_none() && value.scale == 1.0 && value.number.fract() == 0.0;
    let is_power = text.at(join) == '-'
        && first.number == 10.0
        && first.unit.is_none()
        && text.slice(first.digits.clone()) == ['1', '0']
        && (1.0..=30.0).contains(&second.number)
        && is_plain(second);
    let is_cold = first.is_temperature && first.number < 0.0 && !second.is_temperature;
    let has_sign = matches!(text.at(second.digits.start), '-' | '+' | '负');
    match (is_power, is_cold && !has_sign) {
        (true, _) if second.number < first.number => Doubt::Yes,
        (true, _) => Doubt::PerhapsPower,
        (false, true) => Doubt::Yes,
        (false, false) => Doubt::No,
    }
}

/// Takes the unit of `(-55~125)℃` for the second number, and the brackets for the expression.
fn with_unit_behind(
    text: &CharText<'_>,
    start: usize,
    first: &NumberWithUnit,
    second: NumberWithUnit,
) -> (usize, NumberWithUnit) {
    let end = second.end();
    if text.before(start) != '(' || text.at(end) != ')' || first.unit.is_some() || second.unit.is_some() {
        return (start, second);
    }
    let place = text.skip_blanks(end + 1).min(end + 2);
    let unit =
        units::unit_at(text, place).or_else(|| units::unlisted_at(text, place).filter(|_| !is_han(text.at(place))));
    let Some(unit) = unit else { return (start, second) };
    (start - 1, NumberWithUnit { unit_at: place..unit.end, unit: Some(unit), ..second })
}

/// Number in brackets with its unit behind them.
fn in_brackets(text: &CharText<'_>, open: usize) -> Option<NumberWithUnit> {
    if text.at(open) != '(' {
        return None;
    }
    let inner = value_inside(text, open + 1).ok().filter(|inner| inner.unit.is_none())?;
    let close = inner.end();
    let unit = units::unit_at(text, close + 1).filter(|_| text.at(close) == ')')?;
    Some(NumberWithUnit { digits: open..close + 1, unit_at: close + 1..unit.end, unit: Some(unit), ..inner })
}

/// End of a number and its unit that end a range in Chinese numerals. Of 二十至三十MPa the beginning is not read, so the
/// end is not either.
pub(super) fn left_out(text: &CharText<'_>, place: usize) -> Option<usize> {
    let number = number::chinese(text, place).filter(|_| ends_chinese_range(text, place))?;
    units::unit_at(text, number.end).map(|unit| unit.end)
}

fn ends_chinese_range(text: &CharText<'_>, place: usize) -> bool {
    matches!(text.before(place), '至' | '到' | '~' | '-') && number::ends_chinese(text.before(place - 1))
}

/// Expression in Chinese numerals at a position.
pub(super) fn in_chinese(text: &CharText<'_>, place: usize) -> Option<Expression> {
    if let Some(end) = text.after(place, "一半") {
        return Some(Expression::new(place, Values::Share(0.5, place..end)));
    }
    let first =
        number::chinese(text, place).filter(|_| !matches!(text.before(place), '第' | '周' | '统' | '唯' | '初'))?;
    // the 四十 of 三四十 is not a number
    if number::begins_chinese(text.before(place)) {
        return None;
    }
    if let Some(part) = text.after(first.end, "分之").and_then(|part| number::chinese(text, part)) {
        let share = part.value / first.value;
        let values = Values::Share(share, place..part.end);
        return (first.value != 0.0).then_some(Expression::new(place, values));
    }
    if ends_chinese_range(text, place) {
        return None;
    }
    let (sign, start) = sign_word(text, place).unwrap_or((Sign::None, place));
    let is_temperature = matches!(sign, Sign::BelowZero | Sign::AboveZero);
    let more = usize::from(matches!(text.at(first.end), '余' | '多'));
    let (factor, end) = match number::multiplier(text, first.end + more).filter(|(factor, _)| 1e4 <= *factor) {
        Some(found) if 0 < more => found,
        _ => (1.0, first.end + more),
    };
    let unit = units::unit_at(text, end)?;
    let quantity = unit.conversion("")?.quantity;
    // 一个, 三次, 二元 are words, not measured values; 不少于三项 and 三百万次 are not words
    let is_compared = || {
        let before = words::connecting(text, start).is_some_and(|word| matches!(word.effect, Effect::Compare(_)));
        before || matches!(words::behind(text, unit.end), Some((Behind::AtLeast | Behind::AtMost, _)))
    };
    let is_word = match quantity.id {
        _ if is_temperature => false,
        _ if quantity.is_count => first.value < 100.0 && !is_compared(),
        "angle" | "volume" | "composite" | "unlisted" => true,
        "money" => first.value < 100.0,
        _ => false,
    };
    if is_word {
        return None;
    }
    let number = Number { value: first.value * factor * sign.factor(), end, ..first };
    let value = NumberWithUnit { is_temperature, is_more: 0 < more, ..NumberWithUnit::of(number, start, Some(unit)) };
    Some(Expression::new(start, Values::One(value)))
}

/// Returns whether a number is a calendar year: 2025年.
pub(super) fn is_year(text: &CharText<'_>, value: &NumberWithUnit) -> bool {
    let is_year_like = (1900.0..=2100.0).contains(&value.number) && value.number.fract() == 0.0;
    let unit = text.at(text.skip_blanks(value.unit_at.start));
    is_year_like && value.digits.len() == 4 && unit == '年' && text.at(value.digits.start).is_ascii_digit()
}

/// 百分之三十, 千分之五.
pub(super) fn per_hundred(text: &CharText<'_>, place: usize) -> Option<Expression> {
    let whole = [("百分之", 100.0), ("千分之", 1000.0), ("万分之", 1e4)];
    let (after, whole) = whole.iter().find_map(|(word, whole)| text.after(place, word).map(|after| (after, whole)))?;
    let part = number::chinese(text, after)
        .or_else(|| number::digits(text, after).ok().filter(|_| number::is_digit(text, after)))?;
    let values = Values::Share(part.value / whole, place..part.end);
    Some(Expression::new(place, values))
}

/// Number with optional sign or brackets, and its unit.
pub(super) fn value(text: &CharText<'_>, place: usize) -> Result<NumberWithUnit, usize> {
    match in_brackets(text, place) {
        Some(value) => Ok(value),
        None => value_inside(text, place),
    }
}

fn value_inside(text: &CharText<'_>, place: usize) -> Result<NumberWithUnit, usize> {
    let (sign, first) = match SIGN_WORDS.iter().find_map(|(word, sign)| Some((*sign, text.after(place, word)?))) {
        Some(found) => found,
        None if text.at(place) == '-' => (Sign::Minus, place + 1),
        None => (Sign::None, place + usize::from(text.at(place) == '+')),
    };
    let first_digit = first + usize::from(text.at(first) == '.');
    if !number::is_digit(text, first_digit) {
        return Err(first);
    }
    let mut number = number::digits(text, first)?;
    number.value *= sign.factor();
    let value = read_unit(text, number, place);
    Ok(NumberWithUnit { is_temperature: matches!(sign, Sign::BelowZero | Sign::AboveZero), ..value })
}

/// A sign before a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    Minus,
    BelowZero,
    AboveZero,
}

const SIGN_WORDS: [(&str, Sign); 3] = [("零下", Sign::BelowZero), ("零上", Sign::AboveZero), ("负", Sign::Minus)];

/// Word before a number that is its sign, and its start. 正负 is `±`.
fn sign_word(text: &CharText<'_>, end: usize) -> Option<(Sign, usize)> {
    let end = text.skip_blanks_back(end).max(end.saturating_sub(1));
    let (sign, start) = SIGN_WORDS.iter().find_map(|(word, sign)| Some((*sign, text.back(end, word)?)))?;
    (text.before(start) != '正').then_some((sign, start))
}

fn read_unit(text: &CharText<'_>, number: Number, start: usize) -> NumberWithUnit {
    if let Some(unit) = unit_apart(text, number.end) {
        return NumberWithUnit::of(number, start, Some(unit));
    }
    let more = |place: usize| matches!(text.at(place), '余' | '多' | '几');
    let before = text.skip_blanks(number.end).min(number.end + 1);
    let multiplier = number::multiplier(text, before);
    let (value, end) = match multiplier {
        Some((factor, end)) => tail(text, number.value * factor, factor, end),
        None => (number.value, number.end),
    };
    let is_more = more(end);
    let after = end + usize::from(is_more);
    let unit = unit_apart(text, after).or_else(|| unlisted_apart(text, after));
    if unit.is_none() && multiplier.is_none() {
        return NumberWithUnit::of(number, start, None);
    }
    let factor = multiplier.map(|(factor, _)| factor);
    let is_unclear = factor.is_some() && number::is_digit(text, end);
    let value = Number { value, end: after, ..number };
    NumberWithUnit {
        is_more,
        is_unclear,
        digits: start..end,
        multiplier: factor,
        ..NumberWithUnit::of(value, start, unit)
    }
}

/// Adds the 5千 of 2万5千.
fn tail(text: &CharText<'_>, value: f64, factor: f64, end: usize) -> (f64, usize) {
    let rest = number::digits(text, end).ok().filter(|_| number::is_digit(text, end));
    let rest = rest.and_then(|rest| Some((rest.value, number::multiplier(text, rest.end)?)));
    match rest {
        Some((rest, (smaller, end))) if smaller < factor => (value + rest * smaller, end),
        _ => (value, end),
    }
}

/// Unit in brackets, or what stands in a unit's place.
fn unlisted_apart(text: &CharText<'_>, end: usize) -> Option<FoundUnit> {
    let place = text.skip_blanks(end);
    if MAX_BLANKS < place - end {
        return None;
    }
    if text.at(place) != '(' {
        return units::unlisted_at(text, place);
    }
    let inside = || units::unlisted_at(text, place + 1).filter(|_| !is_han(text.at(place + 1)));
    let found = units::unit_at(text, place + 1).filter(|unit| text.at(unit.end) == ')').or_else(inside)?;
    (text.at(found.end) == ')').then_some(FoundUnit { end: found.end + 1, ..found })
}

fn unit_apart(text: &CharText<'_>, end: usize) -> Option<FoundUnit> {
    let place = text.skip_blanks(end);
    if MAX_BLANKS < place - end {
        return None;
    }
    let unit = units::unit_at(text, place)?;
    // "10 A new process" is English
    let is_letter = unit.end == place + 1 && text.at(place).is_ascii_alphabetic();
    let english = text.at(unit.end) == ' ' && text.at(unit.end + 1).is_ascii_alphabetic();
    (place == end || !is_letter || !english).then_some(unit)
}

/// Start of the number including its sign. The error is the position after a name that contains the number.
fn sign(text: &CharText<'_>, digit: usize) -> Result<usize, usize> {
    let start = if text.before(digit) == '.' { digit - 1 } else { digit };
    let before = text.before(start);
    let behind = || number::digits(text, digit).map_or_else(|end| end, |number| number.end);
    if before.is_ascii_alphabetic() && !is_behind_mark(text, start) || matches!(before, '第' | '^' | '_' | '#') {
        return Err(behind());
    }
    if start < digit && before.is_ascii_digit() {
        return Err(behind());
    }
    if let Some((_, start)) = sign_word(text, start) {
        return Ok(start);
    }
    if before != '-' || text.before(start - 1) == '-' {
        return Ok(start);
    }
    // 温度-40℃ is negative, RS-485 and (a)-5 are names
    let earlier = text.before(start - 1);
    if earlier.is_ascii_alphanumeric() || matches!(earlier, ')' | '%' | '℃' | '°') {
        return Err(behind());
    }
    Ok(start - 1)
}

/// Returns whether the letters before a number are a mark of the table: `HRC60`, `Ra0.8`.
fn is_behind_mark(text: &CharText<'_>, place: usize) -> bool {
    let is_mark = |sign: &str| text.back(place, sign).is_some_and(|start| !text.before(start).is_ascii_alphabetic());
    TABLE.marks.iter().any(|mark| is_mark(mark.sign))
}

/// End of a chain of numbers that is not a measured value: 1:8, 35/10, 2.0.1, 20×30 mm, 2025-03-12.
fn chain(text: &CharText<'_>, first: &NumberWithUnit) -> Option<usize> {
    let end = first.end();
    let place = text.skip_blanks(end);
    let digit_behind = |place: usize| number::is_digit(text, text.skip_blanks(place + 1).min(place + 2));
    match text.at(place) {
        '×' | 'x' | 'X' | '*' if digit_behind(place) || text.at(place + 1) == 'φ' => Some(sizes(text, place)),
        ':' if first.unit.is_none() && number::is_digit(text, end + 1) => Some(skip(text, end, ":.")),
        '/' if first.unit.is_none() && number::is_digit(text, end + 1) => Some(skip(text, end, "/.")),
        '.' if first.unit.is_none() && number::is_digit(text, end + 1) => Some(skip(text, end, ".")),
        _ => None,
    }
}

/// End of sizes such as `20mm×13mm×5mm`, from the first multiplication sign.
fn sizes(text: &CharText<'_>, mut place: usize) -> usize {
    while matches!(text.at(place), '×' | 'x' | 'X' | '*') {
        let next = text.skip_blanks(place + 1);
        let next = if text.at(next) == 'φ' { next + 1 } else { next };
        match value(text, next) {
            Ok(value) => place = text.skip_blanks(value.end()).min(value.end() + 1),
            Err(end) => return end.max(place + 1),
        }
    }
    place
}

fn skip(text: &CharText<'_>, mut place: usize, joins: &str) -> usize {
    while number::is_digit(text, place) || joins.contains(text.at(place)) && number::is_digit(text, place + 1) {
        place += 1;
    }
    place
}

fn second_of_range(text: &CharText<'_>, place: usize, first: &NumberWithUnit) -> Option<NumberWithUnit> {
    let sign = text.at(place);
    if !matches!(sign, '~' | '-' | '至' | '到') {
        return None;
    }
    let next = place + 1 + usize::from(text.at(place + 1) == sign);
    let second = value(text, text.skip_blanks(next).min(next + 1)).ok()?;
    // 5mm-2 and 5mm-2号: the second number is unrelated
    let is_other = sign == '-' && first.has_listed_unit() && !second.has_listed_unit();
    (!is_other && (sign == '~' || second.unit.is_some() || first.unit.is_none())).then_some(second)
}

fn plus_minus(text: &CharText<'_>, place: usize) -> Option<usize> {
    PLUS_MINUS.iter().find_map(|sign| text.after(place, sign))
}

fn plus_minus_before(text: &CharText<'_>, place: usize) -> Option<usize> {
    let place = text.skip_blanks_back(place).max(place.saturating_sub(1));
    PLUS_MINUS.iter().find_map(|sign| text.back(place, sign))
}

// === impl Expression ===

impl Expression {
    fn new(start: usize, values: Values) -> Self {
        let (end, is_unclear) = match &values {
            Values::One(value) | Values::Tolerance(value) => (value.end(), value.is_unclear),
            Values::Range(first, second) | Values::Around(first, second) => {
                (second.end().max(first.end()), first.is_unclear || second.is_unclear)
            }
            Values::Share(_, place) => (place.end, false),
        };
        Self { start, end, values, doubt: if is_unclear { Doubt::Yes } else { Doubt::No } }
    }

    /// Where to go on if it is no indicator: behind the numbers, before what may be a word.
    pub(super) fn end_of_numbers(&self) -> usize {
        match &self.values {
            Values::One(value) | Values::Tolerance(value) | Values::Range(_, value) | Values::Around(_, value)
                if value.unit.as_ref().is_some_and(FoundUnit::is_unlisted) =>
            {
                value.unit_at.start
            }
            _ => self.end,
        }
    }
}

// === impl Sign ===

impl Sign {
    fn factor(self) -> f64 {
        match self {
            Self::None | Self::AboveZero => 1.0,
            Self::Minus | Self::BelowZero => -1.0,
        }
    }
}

// === impl NumberWithUnit ===

impl NumberWithUnit {
    fn of(number: Number, start: usize, unit: Option<FoundUnit>) -> Self {
        let end = unit.as_ref().map_or(number.end, |unit| unit.end);
        Self {
            number: number.value,
            digits: start..number.end,
            unit_at: number.end..end,
            unit,
            is_more: false,
            is_temperature: false,
            is_unclear: false,
            multiplier: None,
            scale: number.scale,
        }
    }

    pub(super) fn has_listed_unit(&self) -> bool {
        self.unit.as_ref().is_some_and(|unit| !unit.is_unlisted())
    }

    /// Position after number and unit.
    pub(super) fn end(&self) -> usize {
        self.unit_at.end
    }

    /// Applies the second number's factor to the first: 1~2万 is 10000~20000, 1~5×10⁻³ is 0.001~0.005.
    fn with_scale_of(mut self, second: &Self) -> Self {
        if self.unit.is_some() || self.multiplier.is_some() || self.scale != 1.0 {
            return self;
        }
        let scale = second.multiplier.unwrap_or(1.0) * second.scale;
        if self.number <= second.number / scale {
            self.number *= scale;
        }
        self
    }
}
