//! Parses dates as people, spreadsheets and programs write them. Times without a zone are in China time (UTC+8).
//!
//! A month, a quarter or a year stands for one of its days: [`Edge`] says whether for the first or the last.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{TimeZone, offset},
};
use unicode_normalization::UnicodeNormalization;

/// Time of a day, as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Clock {
    hour: i16,
    minute: i16,
    second: i16,
}

/// Day of a month, a quarter or a year that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The first, as for a publication.
    First,
    /// The last, as for a deadline.
    Last,
}

/// Words for "no date", such as a demand without a deadline.
const NONE_WORDS: [&str; 13] =
    ["", "-", "--", "—", "/", "无", "null", "长期", "长期有效", "不限", "暂无", "待定", "另行通知"];

/// Excel serial days that count as a date: 1954-10-03 to 2119-01-11. A lower number is more likely a year.
const SERIAL_DAYS: std::ops::RangeInclusive<f64> = 20_000.0..=80_000.0;

/// Accepted years; others are typing errors.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Message for a text that is not a date.
const REFUSAL: &str = "不是日期；可写 2026-11-23、2026/11/23、2026年11月23日、2026年11月 或 2026-11-23 09:30";
/// Message for a day without its year.
const NO_YEAR: &str = "没有写年份，请写全，如 2026年11月30日";
/// Message for a month that a spreadsheet may have shortened.
const SHORTENED: &str = "分不清是 1 月还是 10 月（表格软件会把 .10 存成 .1），请写成 2026-01 或 2026-10 的样子";

/// Words before a date that do not change it.
const BEFORE: [&str; 13] = [
    "即日起至",
    "即日起到",
    "即日至",
    "截止日期",
    "截止到",
    "截止至",
    "截止",
    "截至",
    "不晚于",
    "最迟",
    "至",
    "到",
    ":",
];
/// Words after a date that do not change it.
const AFTER: [&str; 11] = ["之前", "以前", "前完成", "前提交", "截止", "为止", "完成", "前", "止", "内", "。"];

/// Parses a point in time; a date without time means its first moment, midnight.
///
/// # Errors
/// A reason in Chinese: not a date, no such day, no year, a year outside 1900 to 2200.
pub fn parse(text: &str, edge: Edge) -> Result<Option<Timestamp>, String> {
    let text: String = text.nfkc().collect();
    let text = text.trim();
    if NONE_WORDS.contains(&text) {
        return Ok(None);
    }
    let time = match text.parse::<Timestamp>().ok().or_else(|| epoch(text)) {
        Some(time) => time,
        None => in_china(written(text, edge).or_else(|| serial(text)).ok_or_else(|| refusal(text))??)?,
    };
    let year = offset(8).to_datetime(time).year();
    if YEARS.contains(&year) { Ok(Some(time)) } else { Err(format!("年份 {year} 不在 1900 到 2200 之间")) }
}

fn in_china(civil: DateTime) -> Result<Timestamp, String> {
    let zoned = civil.to_zoned(TimeZone::fixed(offset(8))).map_err(|_| REFUSAL.to_string())?;
    Ok(zoned.timestamp())
}

fn refusal(text: &str) -> String {
    let bare = arabic(text);
    let month = bare.split_once('月').map(|(month, _)| month.trim());
    let no_year = month.is_some_and(|month| number(month, 2).is_some())
        || ["今年", "明年", "年底", "年内", "本年", "月底", "本月"].iter().any(|word| bare.starts_with(word));
    if no_year { NO_YEAR.into() } else { REFUSAL.into() }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, as programs write a time; known by their length.
fn epoch(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    let time = match digits.len() {
        10 => Timestamp::from_second(count),
        13 => Timestamp::from_millisecond(count),
        16 => Timestamp::from_microsecond(count),
        19 => Timestamp::from_nanosecond(i128::from(count)),
        _ => return None,
    };
    time.ok().filter(|time| YEARS.contains(&offset(8).to_datetime(*time).year()))
}

/// The rest of a text that is read from its front.
struct Rest<'a>(&'a str);

// === impl Rest ===

impl Rest<'_> {
    /// Takes a number of at most `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i16> {
        self.0 = self.0.trim_start();
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (taken, rest) = self.0.split_at_checked(length)?;
        let value = number(taken, digits)?;
        self.0 = rest;
        Some(value)
    }

    /// Takes the first of the words that stands next.
    fn word(&mut self, words: &[&str]) -> bool {
        let rest = self.0.trim_start();
        let found = words.iter().find_map(|word| rest.strip_prefix(word));
        self.0 = found.unwrap_or(self.0);
        found.is_some()
    }

    fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// A date with or without a time. `None` if the form does not match, an error if it matches but there is no such day.
fn written(text: &str, edge: Edge) -> Option<Result<DateTime, String>> {
    let text = arabic(&without_weekday(text));
    let mut text = text.trim();
    while let Some(rest) = BEFORE.iter().find_map(|word| text.strip_prefix(word)) {
        text = rest.trim();
    }
    while let Some(rest) = AFTER.iter().find_map(|word| text.strip_suffix(word)) {
        text = rest.trim();
    }
    let text = text.strip_suffix(".0").filter(|text| matches!(text.len(), 6 | 8)).unwrap_or(text);
    if text.bytes().all(|byte| byte.is_ascii_digit()) && matches!(text.len(), 6 | 8) {
        let (year, month) = (number(text.get(..4)?, 4)?, number(text.get(4..6)?, 2)?);
        let day = text.get(6..).filter(|day| !day.is_empty());
        return match day {
            Some(day) => Some(moment(year, month, number(day, 2)?, Clock::default())),
            None if YEARS.contains(&year) => Some(months(year, month, month, edge)),
            None => None,
        };
    }
    let mut rest = Rest(text);
    let year = rest.number(4).filter(|year| 1000 <= *year)?;
    let year_mark = rest.word(&["年度", "年"]);
    if rest.is_empty() || rest.word(&["底", "末", "全年"]) && rest.is_empty() {
        return Some(months(year, 1, 12, edge));
    }
    if let Some((first, last)) = season(&mut rest) {
        return rest.is_empty().then(|| months(year, first, last, edge));
    }
    let dot = !year_mark && rest.0.starts_with('.');
    if !year_mark && !rest.word(&["-", "/", "."]) {
        return None;
    }
    let month_text = rest.0;
    let month = rest.number(2)?;
    let month_mark = rest.word(&["月份", "月"]);
    if rest.is_empty() {
        if dot && month_text == "1" {
            return Some(Err(SHORTENED.into()));
        }
        return Some(months(year, month, month, edge));
    }
    if let Some((first, last)) = third(&mut rest) {
        let day = if edge == Edge::First { first } else { last };
        let last_day = Date::new(year, i8::try_from(month).ok()?, 1).ok().map(|date| i16::from(date.days_in_month()));
        return rest.is_empty().then(|| moment(year, month, day.min(last_day.unwrap_or(day)), Clock::default()));
    }
    if !month_mark && !rest.word(&["-", "/", ".", "年"]) {
        return None;
    }
    let day = rest.number(2)?;
    let day_mark = rest.word(&["日", "号", "T"]);
    let clock_text = rest.0.trim();
    if clock_text.is_empty() {
        return Some(moment(year, month, day, Clock::default()));
    }
    if !day_mark && !rest.0.starts_with(' ') {
        return None;
    }
    Some(moment(year, month, day, clock(clock_text)?))
}

/// First and last month of a half or a quarter.
fn season(rest: &mut Rest<'_>) -> Option<(i16, i16)> {
    if rest.word(&["上半年"]) {
        return Some((1, 6));
    }
    if rest.word(&["下半年"]) {
        return Some((7, 12));
    }
    let before = rest.0;
    let mark = rest.word(&["第"]) | rest.word(&["Q", "q"]);
    let quarter = rest.number(1).filter(|quarter| (1..=4).contains(quarter));
    let named = rest.word(&["季度"]) || (mark && rest.is_empty());
    rest.word(&["底", "末"]);
    match quarter {
        Some(quarter) if named => Some((3 * quarter - 2, 3 * quarter)),
        _ => {
            rest.0 = before;
            None
        }
    }
}

/// First and last day of a part of a month.
fn third(rest: &mut Rest<'_>) -> Option<(i16, i16)> {
    let parts = [
        ("上旬", (1, 10)),
        ("初", (1, 10)),
        ("中旬", (11, 20)),
        ("下旬", (21, 31)),
        ("底", (31, 31)),
        ("末", (31, 31)),
    ];
    parts.iter().find(|(word, _)| rest.word(&[word])).map(|(_, days)| *days)
}

/// The first day of the first month, or the last day of the last.
fn months(year: i16, first: i16, last: i16, edge: Edge) -> Result<DateTime, String> {
    let month = if edge == Edge::First { first } else { last };
    let date = i8::try_from(month).ok().and_then(|month| Date::new(year, month, 1).ok());
    let date = date.ok_or_else(|| "没有这个月".to_string())?;
    let date = if edge == Edge::First { date } else { date.last_of_month() };
    Ok(date.at(0, 0, 0, 0))
}

fn moment(year: i16, month: i16, day: i16, clock: Clock) -> Result<DateTime, String> {
    let small = |value: i16| i8::try_from(value).unwrap_or(i8::MAX);
    // 24:00 is the end of that day, not the day after
    let end = Clock { hour: 24, ..Clock::default() };
    let Clock { hour, minute, second } = if clock == end { Clock { hour: 23, minute: 59, second: 59 } } else { clock };
    let civil = DateTime::new(year, small(month), small(day), small(hour), small(minute), small(second), 0);
    civil.map_err(|_| "没有这一天或这一时刻".to_string())
}

/// Parses `9:30`, `09:30:15.250`, `9时30分`, `下午5点`; drops fractions of a second.
fn clock(text: &str) -> Option<Clock> {
    let mut rest = Rest(text);
    let late = rest.word(&["下午", "晚上", "晚"]);
    let _ = late || rest.word(&["上午", "早上", "中午", "凌晨"]);
    let hour = rest.number(2)?;
    let hour = if late && hour < 12 { hour + 12 } else { hour };
    if rest.word(&["时整", "点整", "时", "点"]) && rest.is_empty() {
        return Some(Clock { hour, ..Clock::default() });
    }
    let _ = rest.word(&[":"]);
    let minute = rest.number(2)?;
    let more = rest.word(&[":", "分"]);
    let second = if more && !rest.is_empty() { rest.number(2)? } else { 0 };
    let _ = rest.word(&["秒"]);
    let fraction = rest.0.trim();
    let digits = fraction.strip_prefix('.').unwrap_or(fraction);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(Clock { hour, minute, second })
}

/// The text without 星期三, 周三 and their brackets.
fn without_weekday(text: &str) -> String {
    for mark in ["星期", "礼拜", "周"] {
        let Some((before, rest)) = text.split_once(mark) else { continue };
        let mut rest = rest.chars();
        if rest.next().is_some_and(|day| "一二三四五六日天1234567".contains(day)) {
            let rest = rest.as_str().trim_start().trim_start_matches(')');
            return format!("{} {}", before.trim_end().trim_end_matches('('), rest);
        }
    }
    text.to_string()
}

/// The text with Chinese numerals as digits: 二〇二七年三月三十一日.
fn arabic(text: &str) -> String {
    const DIGITS: &str = "〇一二三四五六七八九";
    let digit = |c: char| match c {
        '零' | '○' | 'О' => Some(0),
        c => DIGITS.chars().position(|known| known == c),
    };
    let mut out = String::new();
    let mut run: Vec<char> = Vec::new();
    for c in text.chars().chain(['\0']) {
        if digit(c).is_some() || matches!(c, '十' | '廿' | '卅') {
            run.push(c);
            continue;
        }
        out.push_str(&numeral(&std::mem::take(&mut run), digit));
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

fn numeral(run: &[char], digit: impl Fn(char) -> Option<usize>) -> String {
    let tens = run.iter().position(|c| matches!(c, '十' | '廿' | '卅'));
    let Some(place) = tens else {
        return run.iter().filter_map(|c| digit(*c)).map(|value| value.to_string()).collect();
    };
    let before = run.get(..place).unwrap_or_default().first().and_then(|c| digit(*c));
    let ten = match run.get(place) {
        Some('廿') => 2,
        Some('卅') => 3,
        _ => before.unwrap_or(1),
    };
    let one = run.get(place + 1).and_then(|c| digit(*c)).unwrap_or(0);
    (10 * ten + one).to_string()
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
    of_serial(days).map(Ok)
}

/// Time of a spreadsheet's serial.
pub fn of_serial(days: f64) -> Option<DateTime> {
    let epoch = DateTime::new(1899, 12, 30, 0, 0, 0, 0).ok()?;
    let time = SignedDuration::try_from_secs_f64((days * 86_400.0).round()).ok()?;
    epoch.checked_add(time).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        let check = |text: &str, want: Result<Option<&str>, &str>| {
            let got = parse(text, Edge::Last).map(|time| time.map(|time| time.to_string()));
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
        check("2026年3月1", Ok(Some("2026-02-28T16:00:00Z")));
        check("26-11-23", Err("不是日期"));
        check("11/23/2026", Err("不是日期"));
        check("明天", Err("不是日期"));
        check("1e5", Err("不是日期"));
        check("99999999999999999999", Err("不是日期"));
        check("1026-11-23", Err("年份"));
        check("9999-12-31", Err("年份"));
    }

    #[test]
    fn months_and_years_are_days() {
        let check = |text: &str, first: &str, last: &str| {
            for (edge, want) in [(Edge::First, first), (Edge::Last, last)] {
                let got = parse(text, edge).map(|time| time.map(|time| offset(8).to_datetime(time).date().to_string()));
                assert_eq!(got, Ok(Some(want.to_string())), "{text}");
            }
        };
        for text in [
            "2027年3月",
            "2027.3",
            "2027-03",
            "2027/3",
            "202703",
            "２０２７年３月",
            "二〇二七年三月",
            "2027 年 3 月",
            "2027年3月份",
            "2027年03月内",
            "二零二七年三月",
        ] {
            check(text, "2027-03-01", "2027-03-31");
        }
        check("2028年2月底前", "2028-02-29", "2028-02-29");
        check("2027年2月末", "2027-02-28", "2027-02-28");
        check("2027年3月上旬", "2027-03-01", "2027-03-10");
        check("2027年2月下旬", "2027-02-21", "2027-02-28");
        for text in ["2027年", "2027", "2027年底", "2027年底前", "2027年度", "二〇二七年末"] {
            check(text, "2027-01-01", "2027-12-31");
        }
        check("2027年上半年", "2027-01-01", "2027-06-30");
        for text in ["2027年第三季度", "2027年三季度", "2027Q3", "2027年3季度末"] {
            check(text, "2027-07-01", "2027-09-30");
        }
    }

    #[test]
    fn days_as_people_write_them() {
        let check = |text: &str, want: &str| {
            let got = parse(text, Edge::Last).map(|time| time.map(|time| offset(8).to_datetime(time).to_string()));
            assert_eq!(got, Ok(Some(want.to_string())), "{text}");
        };
        for text in [
            "二〇二七年三月三十一日",
            "二○二七年三月三十一日",
            "2027年3月31日前",
            "2027年3月31日 星期三",
            "2027年3月31日（周三）",
            "截止2027年3月31日",
            "截至：2027.3.31",
            "2027年3月31日之前",
            "即日起至2027年3月31日止",
            "2027 年 3 月 31 日",
            "2027/3/31 0:00",
            "20270331",
            "20270331.0",
        ] {
            check(text, "2027-03-31T00:00:00");
        }
        check("二〇二七年十月二十日", "2027-10-20T00:00:00");
        check("二〇二七年十二月十日", "2027-12-10T00:00:00");
        check("2027-3-31 23:59:59", "2027-03-31T23:59:59");
        check("2027年3月31日24:00", "2027-03-31T23:59:59");
        check("2027年3月31日下午5点", "2027-03-31T17:00:00");
        check("2027年3月31日17时30分前", "2027-03-31T17:30:00");
        check("2027年3月31日 星期三 9:30", "2027-03-31T09:30:00");
        // what programs write: seconds, milliseconds, microseconds, nanoseconds since 1970
        for text in ["1806422400", "1806422400000", "1806422400000000", "1806422400000000000", "1806422400000.0"] {
            check(text, "2027-03-31T00:00:00");
        }
    }

    #[test]
    fn what_is_not_sure_is_refused() {
        let check = |text: &str, part: &str| {
            let got = parse(text, Edge::Last);
            assert!(got.as_ref().is_err_and(|reason| reason.contains(part)), "{text}: {got:?}");
        };
        check("3月底前", "年份");
        check("6月30日", "年份");
        check("十二月三十日", "年份");
        check("年底前", "年份");
        check("2027.1", "10 月");
        check("2027年13月", "没有这个月");
        check("2027年第五季度", "不是日期");
        for text in
            ["05/06/2027", "31/03/2027", "130100", "约2027年", "2027年3月左右", "2026.1-2027.3", "2027年3月1日至4月1日"]
        {
            check(text, "不是日期");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "[0-9年月日T:./+Z 一二十〇季度上旬底前Q-]{0,24}|\\PC{0,20}") {
            let _ = (parse(&text, Edge::First), parse(&text, Edge::Last));
        }
    }
}
