//! Numbers: digits with separators and powers of ten, and Chinese numerals.

use super::text::CharText;

/// Maximum digits and points of a measured value.
const MAX_DIGITS: usize = 24;
/// Maximum characters of a Chinese numeral: 九百九十九万九千九百九十九 has 13.
const MAX_NUMERALS: usize = 13;
/// Maximum power of ten; the mass of the universe in grams has 56.
const MAX_EXPONENT: i32 = 60;

/// A number in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub value: f64,
    /// Power of ten in it: 1e-3 for `5×10^-3`.
    pub scale: f64,
    /// Position after the number.
    pub end: usize,
}

/// Returns whether a digit is at this position. `.5` counts if no digit or letter precedes the point.
pub(super) fn is_digit(text: &CharText<'_>, place: usize) -> bool {
    text.at(place).is_ascii_digit()
}

/// Number in digits at a position. If it is too long, the error is the position after it.
pub(super) fn digits(text: &CharText<'_>, place: usize) -> Result<Number, usize> {
    let mut written = [b'0'; MAX_DIGITS];
    let (mut length, mut end, mut has_point) = (0, place, false);
    if text.at(end) == '.' {
        // the buffer already holds the leading zero
        length = 1;
    }
    loop {
        let character = text.at(end);
        if character == '.' {
            if has_point || !is_digit(text, end + 1) {
                break;
            }
            has_point = true;
        } else if !character.is_ascii_digit() {
            if !has_point && is_thousands(text, place, end) {
                end += 1;
                continue;
            }
            break;
        }
        if let Some(slot) = written.get_mut(length) {
            *slot = u8::try_from(character).unwrap_or(b'0');
        }
        (length, end) = (length + 1, end + 1);
    }
    let digits = written.get(..length).and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(mantissa) = digits.and_then(|digits| digits.parse::<f64>().ok()) else { return Err(end) };
    let Some((exponent, end)) = exponent(text, end, mantissa) else {
        return Ok(Number { value: mantissa, scale: 1.0, end });
    };
    if MAX_EXPONENT < exponent.power.abs() {
        return Err(end);
    }
    let scale = power_of_ten(exponent.power);
    Ok(Number { value: exponent.mantissa * scale, scale, end })
}

/// Chinese numeral at a position: 五百, 三十, 二点五, 半.
pub(super) fn chinese(text: &CharText<'_>, place: usize) -> Option<Number> {
    if text.at(place) == '半' {
        return Some(Number { value: 0.5, scale: 1.0, end: place + 1 });
    }
    let (mut total, mut section, mut digit, mut end) = (0.0, 0.0, None, place);
    // what one more digit counts: 三万五 is 35,000, 三万零五 is not
    let mut next = 1.0;
    while end - place < MAX_NUMERALS {
        let character = text.at(end);
        if let Some(value) = numeral(character) {
            if digit.is_some_and(|digit| 0.0 < digit) {
                // 三四十 is about 35
                return None;
            }
            next = if value == 0.0 { 1.0 } else { next };
            digit = Some(value);
        } else if let Some(unit) = unit_of_ten(character) {
            // 十二 is 12, but a bare 千 belongs to 千瓦
            if digit.is_none() && (character != '十' || 0.0 < section) {
                break;
            }
            section += digit.take().unwrap_or(1.0) * unit;
            next = if unit < 100.0 { 1.0 } else { unit / 10.0 };
        } else if let Some(unit) = group(character).filter(|_| digit.is_some() || 0.0 < section) {
            total += (section + digit.take().unwrap_or(0.0)) * unit;
            section = 0.0;
            next = unit / 10.0;
        } else {
            break;
        }
        end += 1;
    }
    let value = total + section + digit.unwrap_or(0.0) * next;
    if end == place {
        return None;
    }
    Some(fraction(text, Number { value, scale: 1.0, end }))
}

/// Adds the digits after 点, and the 万 or 亿 after them: 一点二五亿.
fn fraction(text: &CharText<'_>, whole: Number) -> Number {
    if text.at(whole.end) != '点' || numeral(text.at(whole.end + 1)).is_none() {
        return whole;
    }
    let (mut value, mut end, mut place) = (whole.value, whole.end + 1, 0.1);
    while let Some(digit) = numeral(text.at(end)).filter(|_| end - whole.end < MAX_NUMERALS) {
        (value, end, place) = (value + digit * place, end + 1, place / 10.0);
    }
    match group(text.at(end)) {
        Some(unit) => Number { value: value * unit, end: end + 1, ..whole },
        None => Number { value, end, ..whole },
    }
}

/// Returns whether a Chinese numeral can start with the character.
pub(super) fn begins_chinese(character: char) -> bool {
    matches!(character, '一' | '二' | '两' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '半')
}

/// Returns whether a Chinese numeral can end with the character.
pub(super) fn ends_chinese(character: char) -> bool {
    begins_chinese(character) || matches!(character, '百' | '千' | '万' | '亿' | '零')
}

/// Factor 万, 亿 or similar after a number, and the position after it.
pub(super) fn multiplier(text: &CharText<'_>, place: usize) -> Option<(f64, usize)> {
    const WORDS: [(&str, f64); 8] = [
        ("万亿", 1e12),
        ("千万", 1e7),
        ("百万", 1e6),
        ("十万", 1e5),
        ("万", 1e4),
        ("亿", 1e8),
        ("千", 1e3),
        ("百", 1e2),
    ];
    if !matches!(text.at(place), '十' | '百' | '千' | '万' | '亿') {
        return None;
    }
    WORDS.iter().find_map(|(word, factor)| text.after(place, word).map(|end| (*factor, end)))
}

struct Exponent {
    mantissa: f64,
    power: i32,
}

/// `×10^-3`, `×10⁻³`, `e-3`, and `10^5`, where 10 was read as the mantissa.
fn exponent(text: &CharText<'_>, place: usize, mantissa: f64) -> Option<(Exponent, usize)> {
    let is_ten = mantissa == 10.0;
    if is_ten && let Some((power, end)) = power(text, place, false) {
        return Some((Exponent { mantissa: 1.0, power }, end));
    }
    if matches!(text.at(place), 'e' | 'E') {
        let (power, end) = signed(text, place + 1)?;
        return Some((Exponent { mantissa, power }, end));
    }
    let blank = text.skip_blanks(place).min(place + 1);
    if !matches!(text.at(blank), '×' | 'x' | 'X' | '*' | '·') {
        return None;
    }
    let ten = text.after(text.skip_blanks(blank + 1).min(blank + 2), "10")?;
    let (power, end) = power(text, ten, true)?;
    Some((Exponent { mantissa, power }, end))
}

/// `^-3`, `⁻³`; also `-3` if superscripts were lost (`may_be_flat`).
fn power(text: &CharText<'_>, place: usize, may_be_flat: bool) -> Option<(i32, usize)> {
    if text.at(place) == '^' {
        let open = usize::from(matches!(text.at(place + 1), '(' | '{'));
        let (power, end) = signed(text, place + 1 + open)?;
        return Some((power, end + usize::from(open == 1 && matches!(text.at(end), ')' | '}'))));
    }
    let (is_negative, mut end) = if text.at(place) == '⁻' { (true, place + 1) } else { (false, place) };
    let mut power: i32 = 0;
    let first = end;
    while let Some(digit) = raised(text.at(end)).and_then(|digit| i32::try_from(digit.to_digit(10)?).ok()) {
        power = power.saturating_mul(10).saturating_add(digit);
        end += 1;
    }
    if first < end {
        return Some((if is_negative { -power } else { power }, end));
    }
    if !may_be_flat || text.at(place) != '-' {
        return None;
    }
    // 5×10-20mm is two lengths, not 5e-20 mm
    signed(text, place).filter(|(power, end)| (-15..0).contains(power) && *end <= place + 3)
}

fn signed(text: &CharText<'_>, place: usize) -> Option<(i32, usize)> {
    let is_negative = text.at(place) == '-';
    let first = place + usize::from(is_negative || text.at(place) == '+');
    let (mut end, mut number) = (first, 0_i32);
    while let Some(digit) = text.at(end).to_digit(10) {
        number = number.saturating_mul(10).saturating_add(i32::try_from(digit).unwrap_or(0));
        end += 1;
    }
    (first < end).then_some((if is_negative { -number } else { number }, end))
}

/// `12,000` and `12 000`: one to three digits, then groups of exactly three.
fn is_thousands(text: &CharText<'_>, place: usize, separator: usize) -> bool {
    let group = (1..=3).all(|offset| is_digit(text, separator + offset)) && !is_digit(text, separator + 4);
    let first_group =
        (1..=3).contains(&(separator - place)) || matches!(text.at(separator.saturating_sub(4)), ',' | ' ');
    matches!(text.at(separator), ',' | ' ') && group && first_group && text.at(place) != '0'
}

fn power_of_ten(power: i32) -> f64 {
    // parsed, because 10.0.powi(-9) is not the number nearest to 1e-9
    format!("1e{power}").parse().unwrap_or(f64::NAN)
}

/// Digit that a raised one stands for.
pub(super) fn raised(character: char) -> Option<char> {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = RAISED.iter().position(|raised| *raised == character)?;
    char::from_digit(u32::try_from(digit).ok()?, 10)
}

fn numeral(character: char) -> Option<f64> {
    let digits = "零一二三四五六七八九";
    match character {
        '两' => return Some(2.0),
        '〇' => return Some(0.0),
        _ => {}
    }
    let place = digits.chars().position(|digit| digit == character)?;
    u8::try_from(place).ok().map(f64::from)
}

fn unit_of_ten(character: char) -> Option<f64> {
    match character {
        '十' => Some(10.0),
        '百' => Some(100.0),
        '千' => Some(1000.0),
        _ => None,
    }
}

fn group(character: char) -> Option<f64> {
    match character {
        '万' => Some(1e4),
        '亿' => Some(1e8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_with_separators_and_powers() {
        let check = |text: &str, value: f64, end: usize| {
            let found = digits(&CharText::new(text), 0).map(|number| (number.value, number.end));
            assert_eq!(found, Ok((value, end)), "{text}");
        };
        check("500MPa", 500.0, 3);
        check("0.15.", 0.15, 4);
        check("12,000h", 12000.0, 6);
        check("1,234,567", 1_234_567.0, 9);
        check("12 000h", 12000.0, 6);
        check("100,20", 100.0, 3);
        check("100，200", 100.0, 3);
        check("1×10^-3", 1e-3, 7);
        check("5×10⁻⁹以内", 5e-9, 6);
        check("5 × 10⁻⁹", 5e-9, 8);
        check("5×10-9/K", 5e-9, 6);
        check("5×10-20mm", 5.0, 1);
        check("10^5", 1e5, 4);
        check("10⁵个", 1e5, 3);
        check("1e-3", 1e-3, 4);
        check("1.5E6", 1.5e6, 5);
        check("2.5×10^(6)", 2.5e6, 10);
        check("20×30mm", 20.0, 2);
        check(".5mm", 0.5, 2);
        assert_eq!(digits(&CharText::new("1e999"), 0), Err(5));
        assert_eq!(digits(&CharText::new(&"9".repeat(90)), 0), Err(90));
    }

    #[test]
    fn chinese_numerals() {
        let check = |text: &str, want: Option<(f64, usize)>| {
            let found = chinese(&CharText::new(text), 0).map(|number| (number.value, number.end));
            assert_eq!(found, want, "{text}");
        };
        check("五百兆帕", Some((500.0, 2)));
        check("三十分钟", Some((30.0, 2)));
        check("十年", Some((10.0, 1)));
        check("二十五", Some((25.0, 3)));
        check("两千零五十", Some((2050.0, 5)));
        check("三万五千", Some((35000.0, 4)));
        check("十万元", Some((1e5, 2)));
        check("二点五", Some((2.5, 3)));
        check("五千瓦", Some((5000.0, 2)));
        check("半年", Some((0.5, 1)));
        check("三百万次", Some((3e6, 3)));
        check("三百五十万次", Some((3.5e6, 5)));
        check("三万五", Some((35000.0, 3)));
        check("三万零五", Some((30005.0, 4)));
        check("五百二", Some((520.0, 3)));
        check("一点二五亿元", Some((1.25e8, 5)));
        check("三四十米", None);
        check("强度", None);
    }
}
