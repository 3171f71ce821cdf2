//! Amounts of money in a text: 100万元, 60～80 万元, 五十万元. Not unit prices (6元/只), not quantities (100万只).

use std::ops::Range;

use super::text::TextPart;

/// Currency units, the longer first.
const UNITS: [&str; 8] = ["亿元", "千万元", "百万元", "万元", "千元", "亿", "万", "元"];
/// Characters that may follow 万 and 亿 without 元: 首批100万以内.
const AFTER_BARE: &str = ",.;:)!? \n以左上下内起的至到之资作用是";
/// Han characters for digits.
const HAN_DIGITS: &str = "一二三四五六七八九十百千两几数零半壹贰叁伍拾佰";
/// Maximum characters of a number: 123,456,789.00.
const MAX_NUMBER_CHARS: usize = 16;

/// Amounts that start inside a range, in order; they may end outside.
pub(super) fn amounts(part: &TextPart<'_>, within: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = within.start;
    while start < within.end {
        match amount_end(part, start) {
            Some(end) => {
                found.push(start..end);
                start = end;
            }
            None => start = skip(part, start),
        }
    }
    found
}

/// End of the amount that starts here; `None` if there is none.
fn amount_end(part: &TextPart<'_>, start: usize) -> Option<usize> {
    let before = start.checked_sub(1).and_then(|index| part.chars.get(index));
    if before.is_some_and(|before| before.is_ascii_alphanumeric() || *before == '每') {
        return None;
    }
    let mut end = number_end(part, start)?;
    if let Some(second) = range_sign_end(part, skip_unit(part, end)).and_then(|second| number_end(part, second)) {
        end = second;
    }
    let end = skip_blank(part, end);
    let rest = part.rest(end)?;
    let unit = UNITS.iter().find(|unit| starts_with(rest, unit))?;
    let end = end + unit.chars().count();
    let next = part.chars.get(end);
    let per_piece = matches!(next, Some('/' | '每'));
    let bare = !unit.ends_with('元') && next.is_some_and(|next| !AFTER_BARE.contains(*next));
    (!per_piece && !bare).then_some(end)
}

/// Position after 万元 of 60万元～80万元, if it is a range.
fn skip_unit(part: &TextPart<'_>, place: usize) -> usize {
    let place = skip_blank(part, place);
    let unit = part.rest(place).and_then(|rest| UNITS.iter().find(|unit| starts_with(rest, unit)));
    let behind = place + unit.map_or(0, |unit| unit.chars().count());
    if range_sign_end(part, behind).is_some() { behind } else { place }
}

fn range_sign_end(part: &TextPart<'_>, place: usize) -> Option<usize> {
    let place = skip_blank(part, place);
    let sign = part.chars.get(place)?;
    matches!(sign, '~' | '-' | '–' | '—' | '至' | '到').then(|| skip_blank(part, place + 1))
}

/// End of the number that starts here: digits with separators, or Han digits.
pub(super) fn number_end(part: &TextPart<'_>, start: usize) -> Option<usize> {
    let rest = part.rest(start)?;
    let first = rest.first()?;
    let belongs = |character: &char| match first.is_ascii_digit() {
        true => character.is_ascii_digit() || matches!(character, '.' | ','),
        false => HAN_DIGITS.contains(*character),
    };
    if !belongs(first) {
        return None;
    }
    let length = rest.iter().take(MAX_NUMBER_CHARS).take_while(|character| belongs(character)).count();
    let digits = rest.get(..length)?.iter().rposition(|character| !matches!(character, '.' | ','))?;
    Some(start + digits + 1)
}

/// Next position at which a number can start, outside the current number.
fn skip(part: &TextPart<'_>, start: usize) -> usize {
    number_end(part, start).map_or(start + 1, |end| end.max(start + 1))
}

fn skip_blank(part: &TextPart<'_>, place: usize) -> usize {
    if part.chars.get(place) == Some(&' ') { place + 1 } else { place }
}

fn starts_with(text: &[char], word: &str) -> bool {
    let mut text = text.iter();
    word.chars().all(|character| text.next() == Some(&character))
}
