//! Parses dates in common spellings and from spreadsheets. Times without a zone are in China time (UTC+8).

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{TimeZone, offset},
};
use unicode_normalization::UnicodeNormalization;

/// Words for "no date", such as a demand without a deadline.
const NONE_WORDS: [&str; 9] = ["", "-", "—", "/", "无", "null", "长期", "长期有效", "不限"];

/// Excel serial days that count as a date: 1954-10-03 to 2119-01-11. A lower number is more likely a year.
const SERIAL_DAYS: std::ops::RangeInclusive<f64> = 20_000.0..=80_000.0;

/// Accepted years; others are typing errors.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Message for a text that is not a date.
const REFUSAL: &str = "不是日期；可写 2026-11-23、2026/11/23、2026年11月23日 或 2026-11-23 09:30";

/// Parses a point in time; a date without time means its first moment, midnight.
///
/// # Errors
/// A reason in Chinese: not a date, no such day, a year outside 1900 to 2200.
pub fn parse(text: &str) -> Result<Option<Timestamp>, String> {
    let text: String = text.nfkc().collect();
    let text = text.trim();
    if NONE_WORDS.contains(&text) {
        return Ok(None);
    }
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => in_china(written(text).or_else(|| serial(text)).ok_or(REFUSAL)??)?,
    };
    let year = offset(8).to_datetime(time).year();
    if YEARS.contains(&year) { Ok(Some(time)) } else { Err(format!("年份 {year} 不在 1900 到 2200 之间")) }
}

fn in_china(civil: DateTime) -> Result<Timestamp, String> {
    let zoned = civil.to_zoned(TimeZone::fixed(offset(8))).map_err(|_| REFUSAL.to_string())?;
    Ok(zoned.timestamp())
}

/// Parses `20261123`, `2026-11-23`, `2026/11/23 9:30`, `2026年11月23日 09:30:15`. `None` if the form does not match, an
/// error if it matches but there is no such day.
fn written(text: &str) -> Option<Result<DateTime, String>> {
    let text = if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..)?)
    } else {
        text.replace(['日', 'T', '号'], " ")
    };
    let (date, time) = text.split_once(' ').unwrap_or((&text, ""));
    let mut parts = date.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    let (hour, minute, second) = if time.trim().is_empty() { (0, 0, 0) } else { clock(time.trim())? };
    let small = |value: i16| i8::try_from(value).ok();
    let civil = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0);
    Some(civil.map_err(|_| "没有这一天或这一时刻".to_string()))
}

/// Parses `9:30`, `09:30:15`, `09:30:15.250`; drops fractions of a second.
fn clock(text: &str) -> Option<(i16, i16, i16)> {
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = match parts.next() {
        Some(second) => number(second.split('.').next()?, 2)?,
        None => 0,
    };
    parts.next().is_none().then_some((hour, minute, second))
}

/// A number of at most `digits` digits.
fn number(text: &str, digits: usize) -> Option<i16> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

/// Excel's serial: days since 1899-12-30, with the time as the fraction.
fn serial(text: &str) -> Option<Result<DateTime, String>> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let days: f64 = if plain { text.parse().ok()? } else { return None };
    if !SERIAL_DAYS.contains(&days) {
        return None;
    }
    let epoch = DateTime::new(1899, 12, 30, 0, 0, 0, 0).ok()?;
    let time = SignedDuration::try_from_secs_f64((days * 86_400.0).round()).ok()?;
    epoch.checked_add(time).ok().map(Ok)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        let check = |text: &str, want: Result<Option<&str>, &str>| {
            let got = parse(text).map(|time| time.map(|time| time.to_string()));
            match want {
                Ok(want) => assert_eq!(got, Ok(want.map(String::from)), "{text}"),
                Err(part) => assert!(got.as_ref().is_err_and(|reason| reason.contains(part)), "{text}: {got:?}"),
            }
        };
        let day = Ok(Some("2026-11-22T16:00:00Z"));
        check("2026-11-23", day);
        check("2026/11/23", day);
        check("2026.11.23", day);
        check("2026年11月23日", day);
        check(" ２０２６年１１月２３日 ", day);
        check("20261123", day);
        check("46349", day);
        check("46349.0", day);
        check("46349.5", Ok(Some("2026-11-23T04:00:00Z")));
        check("2026/1/2", Ok(Some("2026-01-01T16:00:00Z")));
        check("2026-11-23 09:30", Ok(Some("2026-11-23T01:30:00Z")));
        check("2026年11月23日 9:30:15", Ok(Some("2026-11-23T01:30:15Z")));
        check("2026-11-23T09:30:15", Ok(Some("2026-11-23T01:30:15Z")));
        check("2026-11-23T09:30:15.5", Ok(Some("2026-11-23T01:30:15Z")));
        check("2026-11-23T09:30:15+08:00", Ok(Some("2026-11-23T01:30:15Z")));
        check("2026-11-23T01:30:15Z", Ok(Some("2026-11-23T01:30:15Z")));
        check("", Ok(None));
        check("无", Ok(None));
        check("长期有效", Ok(None));
        check("2026-02-30", Err("没有这一天"));
        check("20261323", Err("没有这一天"));
        check("2026-11-23 25:00", Err("没有这一天"));
        check("2026", Err("不是日期"));
        check("2026年11月", Err("不是日期"));
        check("26-11-23", Err("不是日期"));
        check("11/23/2026", Err("不是日期"));
        check("明天", Err("不是日期"));
        check("1e5", Err("不是日期"));
        check("99999999999999999999", Err("不是日期"));
        check("1026-11-23", Err("年份"));
        check("9999-12-31", Err("年份"));
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "[0-9年月日T:./+Z -]{0,24}|\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
