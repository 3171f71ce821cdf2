//! Expressions in a text: a number with its unit, a number range, or a number with a tolerance.

use std::ops::Range;

use super::{
    number::{self, Number},
    table::TABLE,
    text::Text,
    units::{self, Found},
};

/// Maximum blanks between a number and its unit.
const MOST_BLANKS: usize = 2;

/// A number with its unit.
#[derive(Debug)]
pub(super) struct Value {
    /// Number with 万 and powers of ten applied.
    pub number: f64,
    pub unit: Option<Found>,
    /// 余, 多: the number is a lower limit.
    pub is_more: bool,
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
    One(Value),
    /// `10~20 mm`.
    Range(Value, Value),
    /// `±0.1 mm`.
    Tolerance(Value),
    /// `10±0.1 mm`.
    Around(Value, Value),
    /// `三分之一`, `一半`: a ratio.
    Share(f64, Range<usize>),
}

/// Numbers and their position.
#[derive(Debug)]
pub(super) struct Expression {
    pub start: usize,
    pub end: usize,
    pub values: Values,
}

/// Expression whose first digit is at `digit`. The error is the position to continue from.
pub(super) fn in_digits(text: &Text<'_>, digit: usize) -> Result<Expression, usize> {
    let start = sign(text, digit)?;
    let first = value(text, start)?;
    if let Some(end) = chain(text, &first) {
        return Err(end);
    }
    if let Some(tolerance) = plus_minus_before(text, start) {
        return Ok(Expression { start: tolerance, end: first.end(), values: Values::Tolerance(first) });
    }
    let place = text.skip_blanks(first.end()).min(first.end() + 1);
    if let Some(second) =
        plus_minus(text, place).map(|place| text.skip_blanks(place)).and_then(|place| value(text, place).ok())
    {
        return Ok(Expression { start, end: second.end(), values: Values::Around(first, second) });
    }
    let Some(second) = second_of_range(text, place, &first) else {
        return Ok(Expression { start, end: first.end(), values: Values::One(first) });
    };
    if text.at(second.end()) == '-' && number::is_digit(text, second.end() + 1) {
        return Err(skip(text, second.end(), "-"));
    }
    let first = first.with_scale_of(&second);
    Ok(Expression { start, end: second.end(), values: Values::Range(first, second) })
}

/// Expression in Chinese numerals at a position.
pub(super) fn in_chinese(text: &Text<'_>, place: usize) -> Option<Expression> {
    if let Some(end) = text.after(place, "一半") {
        return Some(Expression { start: place, end, values: Values::Share(0.5, place..end) });
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
        return (first.value != 0.0).then_some(Expression { start: place, end: part.end, values });
    }
    let unit = units::unit_at(text, first.end)?;
    let quantity = unit.conversion("")?.quantity;
    // 一个, 三次, 二元 are words, not measured values
    let is_word = quantity.is_count || matches!(quantity.id, "angle" | "volume" | "composite");
    if is_word || quantity.id == "money" && first.value < 100.0 {
        return None;
    }
    let value = Value::of(first, place, Some(unit));
    Some(Expression { start: place, end: value.end(), values: Values::One(value) })
}

/// Returns whether a number is a calendar year: 2025年.
pub(super) fn is_year(text: &Text<'_>, value: &Value) -> bool {
    let is_year_like = (1900.0..=2100.0).contains(&value.number) && value.number.fract() == 0.0;
    let unit = text.at(text.skip_blanks(value.unit_at.start));
    is_year_like && value.digits.len() == 4 && unit == '年' && text.at(value.digits.start).is_ascii_digit()
}

/// 百分之三十, 千分之五.
pub(super) fn per_hundred(text: &Text<'_>, place: usize) -> Option<Expression> {
    let whole = [("百分之", 100.0), ("千分之", 1000.0), ("万分之", 1e4)];
    let (after, whole) = whole.iter().find_map(|(word, whole)| text.after(place, word).map(|after| (after, whole)))?;
    let part = number::chinese(text, after)
        .or_else(|| number::digits(text, after).ok().filter(|_| number::is_digit(text, after)))?;
    let values = Values::Share(part.value / whole, place..part.end);
    Some(Expression { start: place, end: part.end, values })
}

/// Number with optional sign, and its unit.
pub(super) fn value(text: &Text<'_>, place: usize) -> Result<Value, usize> {
    let is_negative = text.at(place) == '-';
    let first = place + usize::from(is_negative || text.at(place) == '+');
    let first_digit = first + usize::from(text.at(first) == '.');
    if !number::is_digit(text, first_digit) {
        return Err(first);
    }
    let mut number = number::digits(text, first)?;
    if is_negative {
        number.value = -number.value;
    }
    Ok(read_unit(text, number, place))
}

fn read_unit(text: &Text<'_>, number: Number, start: usize) -> Value {
    if let Some(unit) = unit_apart(text, number.end) {
        return Value::of(number, start, Some(unit));
    }
    let more = |place: usize| matches!(text.at(place), '余' | '多' | '几');
    let before = text.skip_blanks(number.end).min(number.end + 1);
    let multiplier = number::multiplier(text, before);
    let end = multiplier.map_or(number.end, |(_, end)| end);
    let is_more = more(end);
    let unit = unit_apart(text, end + usize::from(is_more));
    if unit.is_none() && multiplier.is_none() {
        return Value::of(number, start, None);
    }
    let factor = multiplier.map(|(factor, _)| factor);
    let digits = start..end;
    let value = Number { value: number.value * factor.unwrap_or(1.0), end: end + usize::from(is_more), ..number };
    Value { is_more, digits, multiplier: factor, ..Value::of(value, start, unit) }
}

fn unit_apart(text: &Text<'_>, end: usize) -> Option<Found> {
    let place = text.skip_blanks(end);
    if MOST_BLANKS < place - end {
        return None;
    }
    let unit = units::unit_at(text, place)?;
    // "10 A new process" is English
    let is_letter = unit.end == place + 1 && text.at(place).is_ascii_alphabetic();
    let english = text.at(unit.end) == ' ' && text.at(unit.end + 1).is_ascii_alphabetic();
    (place == end || !is_letter || !english).then_some(unit)
}

/// Start of the number including its sign. The error is the position after a name that contains the number.
fn sign(text: &Text<'_>, digit: usize) -> Result<usize, usize> {
    let start = if text.before(digit) == '.' { digit - 1 } else { digit };
    let before = text.before(start);
    let behind = || number::digits(text, digit).map_or_else(|end| end, |number| number.end);
    if before.is_ascii_alphabetic() && !is_behind_mark(text, start) || matches!(before, '第' | '^' | '_' | '#') {
        return Err(behind());
    }
    if start < digit && before.is_ascii_digit() {
        return Err(behind());
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
fn is_behind_mark(text: &Text<'_>, place: usize) -> bool {
    let is_mark = |sign: &str| text.back(place, sign).is_some_and(|start| !text.before(start).is_ascii_alphabetic());
    TABLE.marks.iter().any(|mark| is_mark(mark.sign))
}

/// End of a chain of numbers that is not a measured value: 1:8, 35/10, 2.0.1, 20×30 mm, 2025-03-12.
fn chain(text: &Text<'_>, first: &Value) -> Option<usize> {
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
fn sizes(text: &Text<'_>, mut place: usize) -> usize {
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

fn skip(text: &Text<'_>, mut place: usize, joins: &str) -> usize {
    while number::is_digit(text, place) || joins.contains(text.at(place)) && number::is_digit(text, place + 1) {
        place += 1;
    }
    place
}

fn second_of_range(text: &Text<'_>, place: usize, first: &Value) -> Option<Value> {
    let sign = text.at(place);
    if !matches!(sign, '~' | '-' | '至' | '到') {
        return None;
    }
    let next = place + 1 + usize::from(text.at(place + 1) == sign);
    let second = value(text, text.skip_blanks(next).min(next + 1)).ok()?;
    // 5mm-2: the second number is unrelated
    (second.unit.is_some() || first.unit.is_none()).then_some(second)
}

fn plus_minus(text: &Text<'_>, place: usize) -> Option<usize> {
    ["±", "+/-", "+-"].iter().find_map(|sign| text.after(place, sign))
}

fn plus_minus_before(text: &Text<'_>, place: usize) -> Option<usize> {
    let place = text.skip_blanks_back(place).max(place.saturating_sub(1));
    ["±", "+/-", "+-"].iter().find_map(|sign| text.back(place, sign))
}

// === impl Value ===

impl Value {
    fn of(number: Number, start: usize, unit: Option<Found>) -> Self {
        let end = unit.as_ref().map_or(number.end, |unit| unit.end);
        Self {
            number: number.value,
            digits: start..number.end,
            unit_at: number.end..end,
            unit,
            is_more: false,
            multiplier: None,
            scale: number.scale,
        }
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
