//! Numbers and dates as a spreadsheet displays them: the part of Excel's number formats that people use. What this code
//! does not know (fractions, exponents, conditions, names of months) is displayed as its plain value.

use jiff::civil::DateTime;

/// One part of a format.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// Text to copy.
    Literal(String),
    /// `0`, `#` or `?`.
    Digit(char),
    Dot,
    Comma,
    Percent,
    /// `y`, `m`, `d`, `h` or `s`, and how many.
    Time(char, usize),
    General,
}

/// A number as displayed; `None` for its plain value. `raw` is that value.
pub fn number(value: f64, raw: &str, code: &str) -> Option<String> {
    let sections = sections(code);
    let (section, signed) = match (sections.as_slice(), value) {
        ([only], _) => (only, value < 0.0),
        ([_, negative, ..], value) if value < 0.0 => (negative, false),
        ([_, _, zero, ..], 0.0) => (zero, false),
        ([first, ..], _) => (first, false),
        ([], _) => return None,
    };
    let parts = parts(section)?;
    if parts.iter().any(|part| matches!(part, Part::Time(..))) {
        return None;
    }
    let shown = if parts.contains(&Part::General) {
        let text = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::General => raw.to_string(),
            _ => String::new(),
        };
        parts.iter().map(text).collect()
    } else {
        let sign = if signed { "-" } else { "" };
        format!("{sign}{}", digits(value.abs(), &parts)?)
    };
    Some(shown.trim().to_string()).filter(|shown| !shown.is_empty())
}

/// A date as displayed, by the format or by the number of a built-in format; `None` for `2026-11-23`.
pub fn date(time: DateTime, code: &str, id: u32) -> Option<String> {
    let code = match id {
        14 => "yyyy/m/d",
        22 => "yyyy/m/d h:mm",
        31 if code == "General" => "yyyy年m月d日",
        57 if code == "General" => "yyyy年m月",
        58 if code == "General" => "m月d日",
        _ => code,
    };
    let sections = sections(code);
    let parts = parts(sections.first()?)?;
    let times: Vec<char> =
        parts.iter().filter_map(|part| if let Part::Time(c, _) = part { Some(*c) } else { None }).collect();
    let (mut shown, mut seen) = (String::new(), 0_usize);
    for part in &parts {
        match part {
            Part::Literal(text) => shown.push_str(text),
            Part::Dot => shown.push('.'),
            Part::Comma => shown.push(','),
            Part::Time(c, count) => {
                let before = seen.checked_sub(1).and_then(|place| times.get(place));
                let minutes = *c == 'm' && (before == Some(&'h') || times.get(seen + 1) == Some(&'s'));
                seen += 1;
                let value = match (c, count) {
                    ('y', 1 | 2) => i32::from(time.year() % 100),
                    ('y', _) => i32::from(time.year()),
                    ('m', 1 | 2) if minutes => i32::from(time.minute()),
                    ('m', 1 | 2) => i32::from(time.month()),
                    ('d', 1 | 2) => i32::from(time.day()),
                    ('h', 1 | 2) => i32::from(time.hour()),
                    ('s', 1 | 2) => i32::from(time.second()),
                    _ => return None,
                };
                let width = if *count == 1 { 1 } else { 2 };
                shown.push_str(&format!("{value:0width$}"));
            }
            Part::Digit(_) | Part::Percent | Part::General => return None,
        }
    }
    (!times.is_empty()).then(|| shown.trim().to_string())
}

/// Sections of a format: for positive, negative and zero.
fn sections(code: &str) -> Vec<String> {
    let (mut sections, mut section) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for c in code.chars() {
        let splits = c == ';' && !quoted && !escaped;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped && !quoted;
        if splits {
            sections.push(std::mem::take(&mut section));
        } else {
            section.push(c);
        }
    }
    sections.push(section);
    sections
}

/// Parts of a section; `None` if one is unknown.
fn parts(section: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = section;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        let after = rest.get(length..)?;
        match c {
            '"' => {
                let (text, _) = after.split_once('"')?;
                parts.push(Part::Literal(text.to_string()));
                length += text.len() + 1;
            }
            '\\' => {
                let next = after.chars().next()?;
                parts.push(Part::Literal(next.to_string()));
                length += next.len_utf8();
            }
            '_' | '*' => length += after.chars().next().map_or(0, char::len_utf8),
            '[' => {
                let (inner, _) = after.split_once(']')?;
                length += inner.len() + 1;
                if let Some(currency) = inner.strip_prefix('$') {
                    parts.push(Part::Literal(currency.split('-').next().unwrap_or_default().to_string()));
                } else if !inner.bytes().all(|byte| byte.is_ascii_alphabetic())
                    || matches!(inner, "h" | "m" | "s" | "hh" | "mm" | "ss")
                {
                    return None;
                }
            }
            '0' | '#' | '?' => parts.push(Part::Digit(c)),
            '.' => parts.push(Part::Dot),
            ',' => parts.push(Part::Comma),
            '%' => parts.push(Part::Percent),
            'G' if rest.starts_with("General") => {
                parts.push(Part::General);
                length = "General".len();
            }
            'y' | 'm' | 'd' | 'h' | 's' | 'Y' | 'M' | 'D' | 'H' | 'S' => {
                let same = |other: &char| other.eq_ignore_ascii_case(&c);
                let count = rest.chars().take_while(same).count();
                parts.push(Part::Time(c.to_ascii_lowercase(), count));
                length = count;
            }
            '/' if parts.last().is_some_and(|part| matches!(part, Part::Digit(_))) => return None,
            'a'..='z' | 'A'..='Z' | '@' => return None,
            c => parts.push(Part::Literal(c.to_string())),
        }
        rest = rest.get(length..)?;
    }
    Some(parts)
}

/// Most decimal places: Excel's limit.
const MAX_PLACES: usize = 30;

/// Digits of a number that is not negative.
fn digits(value: f64, parts: &[Part]) -> Option<String> {
    let is_digit = |part: &Part| matches!(part, Part::Digit(_));
    let dot = parts.iter().position(|part| *part == Part::Dot).unwrap_or(parts.len());
    let last_digit = parts.get(..dot)?.iter().rposition(is_digit);
    let percents = parts.iter().filter(|part| **part == Part::Percent).count();
    let commas_after = parts.iter().rposition(is_digit).map_or(0, |last| {
        parts.get(last + 1..).unwrap_or_default().iter().take_while(|part| **part == Part::Comma).count()
    });
    let grouped = last_digit.is_some_and(|last| parts.get(..last).unwrap_or_default().contains(&Part::Comma));
    let count = |parts: &[Part], zeros: bool| {
        parts.iter().filter(|part| if zeros { **part == Part::Digit('0') } else { is_digit(part) }).count()
    };
    let (before, after) = parts.split_at_checked(dot)?;
    let scale = 100_f64.powi(i32::try_from(percents).ok()?) / 1000_f64.powi(i32::try_from(commas_after).ok()?);
    // a half is rounded up, as in the sheet; 15 digits are all that a sheet has
    let scaled = value * scale * (1.0 + 4e-16);
    let places = count(after, false);
    if !(0.0..1e15).contains(&scaled) || MAX_PLACES < places {
        return None;
    }
    let text = format!("{scaled:.*}{}", places.min(15), "0".repeat(places.saturating_sub(15)));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let least = count(before, true);
    let whole = if whole == "0" && least == 0 && last_digit.is_some() { "" } else { whole };
    let whole = format!("{}{whole}", "0".repeat(least.saturating_sub(whole.len())));
    let mut fraction = fraction.to_string();
    while count(after, true) < fraction.len() && fraction.ends_with('0') {
        fraction.pop();
    }
    let places = count(before, false);
    let mut rest = whole.as_str();
    let (mut out, mut placed) = (String::new(), 0);
    for part in before {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Percent => out.push('%'),
            Part::Digit(_) if grouped && placed == 0 => {
                out.push_str(&with_groups(rest));
                rest = "";
                placed += 1;
            }
            Part::Digit(_) => {
                // the first place takes all digits that have no place of their own
                let own = rest.len().saturating_sub(places.saturating_sub(placed + 1));
                let (taken, left) = rest.split_at_checked(own)?;
                out.push_str(taken);
                rest = left;
                placed += 1;
            }
            _ => (),
        }
    }
    let mut fraction = fraction.as_str();
    if !fraction.is_empty() {
        out.push('.');
    }
    for part in after {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Percent => out.push('%'),
            Part::Digit(_) if !fraction.is_empty() => {
                let (taken, left) = fraction.split_at_checked(1)?;
                out.push_str(taken);
                fraction = left;
            }
            _ => (),
        }
    }
    Some(out)
}

/// Digits in groups of three.
fn with_groups(digits: &str) -> String {
    let mut out = String::new();
    for (place, c) in digits.chars().enumerate() {
        if place != 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_the_sheet_displays_them() {
        let check = |value: f64, code: &str, want: Option<&str>| {
            assert_eq!(number(value, &value.to_string(), code).as_deref(), want, "{value} {code}");
        };
        check(0.995, "0.0%", Some("99.5%"));
        check(0.003, "0.0%", Some("0.3%"));
        check(0.07, "0%", Some("7%"));
        check(-0.125, "0.00%", Some("-12.50%"));
        check(123.0, "00000", Some("00123"));
        check(1234567.0, "#,##0", Some("1,234,567"));
        check(1234.5, "#,##0.00", Some("1,234.50"));
        check(999.0, "#,##0", Some("999"));
        check(0.0, "#,##0", Some("0"));
        check(0.5, "#.##", Some(".5"));
        check(2.5, "0.##", Some("2.5"));
        check(0.125, "0.00", Some("0.13"));
        check(50.0, "0\"万元\"", Some("50万元"));
        check(50.0, "General\"万元\"", Some("50万元"));
        check(12.5, "0.0\\℃", Some("12.5℃"));
        check(1_234_500.0, "0.0,\"千元\"", Some("1234.5千元"));
        check(1200.0, "[$¥-804]#,##0.00", Some("¥1,200.00"));
        check(1200.0, "\"￥\"#,##0.00_);[Red](\"￥\"#,##0.00)", Some("￥1,200.00"));
        check(-1200.0, "#,##0_);(#,##0)", Some("(1,200)"));
        check(0.0, "0;-0;\"无\"", Some("无"));
        check(3100000001.0, "0000\\-0000000", Some("0310-0000001"));
        check(17.0, "\"XQ-\"000", Some("XQ-017"));
        for unknown in ["# ?/?", "0.00E+00", "@", "[>100]0;0.0", "yyyy", "", "[DBNum1]0", "\"open"] {
            check(0.5, unknown, None);
        }
        check(0.5, "General", Some("0.5"));
        check(0.5, &format!("0.{}", "0".repeat(30)), Some(&format!("0.5{}", "0".repeat(29))));
        for endless in [format!("0.{}", "0".repeat(70_000)), "%".repeat(70_000), format!("0{}", "%".repeat(999))] {
            check(0.5, &endless, None);
        }
    }

    #[test]
    fn dates_as_the_sheet_displays_them() {
        let time = DateTime::new(2027, 3, 5, 9, 7, 0, 0).unwrap();
        let check =
            |code: &str, id: u32, want: Option<&str>| assert_eq!(date(time, code, id).as_deref(), want, "{code}");
        check("yyyy\"年\"m\"月\"", 164, Some("2027年3月"));
        check("yyyy/m/d", 164, Some("2027/3/5"));
        check("mm-dd-yy", 14, Some("2027/3/5"));
        check("General", 57, Some("2027年3月"));
        check("yyyy\\-mm\\-dd\\ hh:mm", 164, Some("2027-03-05 09:07"));
        check("m\"月\"d\"日\";@", 164, Some("3月5日"));
        check("yyyy.mm", 164, Some("2027.03"));
        check("[$-409]mmm-yy", 164, None);
        check("h:mm AM/PM", 164, None);
        check("0", 164, None);
    }

    proptest! {
        #[test]
        fn any_format_ends(value in any::<f64>(), code in "[0#?.,%;yMdhs\"\\\\_*\\[\\]$-]{0,20}|\\PC{0,12}") {
            let _ = number(value, "1", &code);
            let _ = date(DateTime::new(2027, 3, 5, 9, 7, 0, 0).unwrap(), &code, 0);
        }
    }
}
