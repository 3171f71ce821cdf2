//! Times in a text: 2027年6月底前, 12个月内, 两年.

use std::ops::Range;

use super::{amount::number_end, text::TextPart};

/// Units of duration, the longer first. 小时 and shorter units are cycle times of machines, not deadlines.
const UNITS: [&str; 10] = ["个工作日", "个季度", "个月", "个半月", "季度", "星期", "年", "月", "周", "天"];
/// Words after a duration that make it a limit.
const WITHIN: [&str; 3] = ["以内", "之内", "内"];
/// Words after a date that make it a limit.
const BEFORE: [&str; 5] = ["之前", "以前", "前", "止", "内"];
/// Parts of years.
const YEAR_PARTS: [&str; 9] = ["年底", "年末", "上半年", "下半年", "月底", "月末", "底", "末", "初"];
/// Range of years accepted in a date; the end is excluded.
const YEARS: Range<i32> = 2000..2100;

/// A date or duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Time {
    /// Position.
    pub place: Range<usize>,
    /// Whether the text itself says "until" or "within".
    pub is_limit: bool,
}

/// Times that start inside a range, in order.
pub(super) fn times(part: &TextPart<'_>, within: Range<usize>) -> Vec<Time> {
    let mut found = Vec::new();
    let mut start = within.start;
    while start < within.end {
        match date(part, start).or_else(|| duration(part, start)) {
            Some(time) => {
                start = time.place.end.max(start + 1);
                found.push(time);
            }
            None => start = number_end(part, start).map_or(start + 1, |end| end.max(start + 1)),
        }
    }
    found
}

/// `2027年`, `2027年6月`, `2027年底`, `2027-06-30`, with or without 前.
fn date(part: &TextPart<'_>, start: usize) -> Option<Time> {
    let year: String = part.rest(start)?.iter().take(4).collect();
    if !year.bytes().all(|byte| byte.is_ascii_digit()) || !YEARS.contains(&year.parse::<i32>().ok()?) {
        return None;
    }
    let mut end = start + 4;
    let separator = part.chars.get(end).filter(|next| matches!(next, '年' | '-' | '/' | '.'))?;
    let is_year = *separator == '年';
    end += 1;
    let mut numbers = 0;
    for unit in ['月', '日'] {
        let Some(number) = small_number_end(part, end) else { break };
        let next = part.chars.get(number);
        let wanted = if is_year {
            next == Some(&unit)
        } else {
            unit == '日' || next.is_some_and(|next| matches!(next, '-' | '/' | '.'))
        };
        if !wanted {
            break;
        }
        numbers += 1;
        end = if is_year || unit == '月' { number + 1 } else { number };
    }
    // 2027-06 alone may be a part number
    if !is_year && numbers < 2 {
        return None;
    }
    end = skip_words(part, end, &YEAR_PARTS).unwrap_or(end);
    let limit = skip_words(part, end, &BEFORE);
    Some(Time { place: start..limit.unwrap_or(end), is_limit: limit.is_some() })
}

/// `12个月内`, `一年半`, `3—6个月`.
fn duration(part: &TextPart<'_>, start: usize) -> Option<Time> {
    let before = start.checked_sub(1).and_then(|index| part.chars.get(index));
    if before.is_some_and(char::is_ascii_alphanumeric) {
        return None;
    }
    let mut end = number_end(part, start)?;
    let second = part.chars.get(end).filter(|sign| matches!(sign, '~' | '-' | '–' | '—' | '至' | '到'));
    if let Some(number) = second.and_then(|_| number_end(part, end + 1)) {
        end = number;
    }
    if part.chars.get(end) == Some(&' ') {
        end += 1;
    }
    end = skip_words(part, end, &UNITS)?;
    end = skip_words(part, end, &["半"]).unwrap_or(end);
    let limit = skip_words(part, end, &WITHIN);
    Some(Time { place: start..limit.unwrap_or(end), is_limit: limit.is_some() })
}

fn small_number_end(part: &TextPart<'_>, start: usize) -> Option<usize> {
    let digits = part.rest(start)?.iter().take(2).take_while(|digit| digit.is_ascii_digit()).count();
    (0 < digits).then_some(start + digits)
}

fn skip_words(part: &TextPart<'_>, place: usize, words: &[&str]) -> Option<usize> {
    let rest = part.rest(place)?;
    let fits = |word: &&&str| {
        let mut text = rest.iter();
        word.chars().all(|character| text.next() == Some(&character))
    };
    words.iter().find(fits).map(|word| place + word.chars().count())
}
