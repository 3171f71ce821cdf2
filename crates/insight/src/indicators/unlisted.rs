//! What stands where a unit stands but is none of the table: `foo`, `mPaq`, `EU·x/mL`.

use super::{
    number, subjects,
    table::TABLE,
    text::{CharText, is_han},
    words,
};

/// Maximum characters of an unlisted unit.
const MAX_CHARS: usize = 24;
/// Maximum Chinese characters of one.
const MAX_HAN: usize = 6;
/// Maximum letters of a word that qualifies the unit before it: `bar abs`, `V AC`.
const MAX_APART: usize = 6;
/// Maximum characters in brackets that belong to a unit: `krad(Si)`.
const MAX_IN_BRACKETS: usize = 6;
/// Chinese characters that go on with the sentence after a number.
const NOT_UNITS: &str =
    "的且并和与及或而至到则时下内后前中为是在可能应需须要将以之左上余多几不无有均都且但若当其该此由从对经被也又起间者";

/// Position after an unlisted unit at a position, and its spelling. The name of a property is no unit.
pub(super) fn run(text: &CharText<'_>, place: usize) -> Option<(usize, String)> {
    let first = text.at(place);
    if is_han(first) {
        let end = han(text, place).filter(|end| !is_name(text.slice(place..*end)))?;
        let has_more = text.at(end) == '/' || goes_on(text, text.before(end), end);
        let end = if has_more { rest(text, place, end) } else { end };
        return Some((end, spelling(text, place, end)));
    }
    let is_size = matches!(first, 'x' | 'X') && text.at(text.skip_blanks(place + 1).min(place + 2)).is_ascii_digit();
    let is_rate = first == '/' && text.at(place + 1).is_alphabetic() && is_below(text, place);
    let letters = (place..place + MAX_APART).find(|end| !text.at(*end).is_ascii_alphabetic()).unwrap_or(place);
    if is_size || !is_rate && !is_unit_char(first) || first == 'φ' || is_name(text.slice(place..letters)) {
        return None;
    }
    let end = rest(text, place, place);
    (place < end).then(|| (end, spelling(text, place, end)))
}

/// Returns whether what follows the last character of a unit belongs to it: `%FS`, `mg·x`, `MPa(a)`, `bar abs`.
pub(super) fn goes_on(text: &CharText<'_>, last: char, end: usize) -> bool {
    let next = text.at(end);
    let is_letter = |character: char| is_unit_char(character) && !matches!(character, '%' | '℃');
    match next {
        '·' | '*' => {
            text.at(end + 1) == '('
                || text.at(end + 1) != 'φ' && text.at(end + 1).is_alphabetic() && is_below(text, end)
        }
        '×' => text.at(end + 1).is_ascii_alphabetic(),
        '^' | '⁻' | '_' => true,
        '-' => is_letter(text.at(end + 1)),
        '(' => qualifier(text, end).is_some(),
        ' ' => !is_han(last) && apart(text, end).is_some(),
        _ if number::raised(next).is_some() => true,
        _ => is_letter(next),
    }
}

/// Returns whether something stands below a fraction stroke.
pub(super) fn is_below(text: &CharText<'_>, stroke: usize) -> bool {
    let place = text.skip_blanks(stroke + 1).min(stroke + 2);
    let below = text.at(place);
    below.is_ascii_digit() || below == '(' || is_unit_char(below) || han(text, place).is_some()
}

fn is_unit_char(character: char) -> bool {
    matches!(character, '°' | '′' | '″' | '‰' | '‱' | '%' | '℃' | '℉' | '$' | '€' | '£' | '√' | '\u{3300}'..='\u{33FF}')
        || character.is_alphabetic() && !is_han(character) && character != '〇'
}

/// End of a unit that starts at `place` and of which the characters up to `end` are known to be part.
fn rest(text: &CharText<'_>, place: usize, mut end: usize) -> usize {
    while end < place + MAX_CHARS {
        let (before, character, next) = (text.before(end), text.at(end), text.at(end + 1));
        let is_join = matches!(before, '/' | '·' | '*' | '每') || before == ' ' && text.before(end - 1) == '/';
        let takes = match character {
            '/' | '·' | '*' | '√' | '每' => is_below(text, end),
            ' ' if before == '/' => true,
            '^' | '⁻' | '_' => true,
            '×' => next.is_ascii_alphabetic(),
            '.' => next.is_ascii_alphabetic() || before.is_ascii_digit() && next.is_ascii_digit(),
            '-' if place < end && next.is_ascii_alphabetic() => true,
            '-' => next.is_ascii_digit() && !text.at(end + 2).is_alphanumeric() && place < end || before == '^',
            '(' if is_join || before == '^' => true,
            ')' => text.slice(place..end).contains(&'('),
            _ if is_han(character) => is_join,
            _ => is_unit_char(character) || character.is_ascii_digit() || number::raised(character).is_some(),
        };
        if character == '('
            && !takes
            && let Some(close) = qualifier(text, end)
        {
            end = close;
        } else if character == ' '
            && let Some(word) = apart(text, end)
        {
            end = word;
        } else if takes && is_han(character) {
            let Some(word) = han(text, end) else { break };
            end = word;
        } else if takes {
            end += 1;
        } else {
            break;
        }
    }
    end
}

/// End of Chinese characters that may be a unit.
fn han(text: &CharText<'_>, place: usize) -> Option<usize> {
    let goes_on = |end: usize| {
        let character = text.at(end);
        is_han(character)
            && !NOT_UNITS.contains(character)
            && !words::begins(text, end)
            && !number::begins_chinese(character)
            && words::behind(text, end).is_none()
    };
    let end = (place..place + MAX_HAN).find(|end| !goes_on(*end)).unwrap_or(place + MAX_HAN);
    (place < end).then_some(end)
}

/// End of a bracket with letters that qualify a unit: `MPa(a)`, `mg(N)`.
fn qualifier(text: &CharText<'_>, open: usize) -> Option<usize> {
    let close = (open + 1..open + 2 + MAX_IN_BRACKETS).find(|place| text.at(*place) == ')')?;
    let inside = text.slice(open + 1..close);
    let is_word = !inside.is_empty() && inside.iter().all(|inside| inside.is_ascii_alphabetic() || *inside == '/');
    is_word.then_some(close + 1)
}

/// End of a word after a blank that qualifies the unit before it. A sentence, a name or the next indicator does not.
fn apart(text: &CharText<'_>, blank: usize) -> Option<usize> {
    let start = blank + 1;
    let is_letter = |place: usize| text.at(place).is_alphabetic() && !is_han(text.at(place));
    let end = (start..=start + MAX_APART).find(|end| !is_letter(*end)).filter(|end| start < *end)?;
    let is_name = is_name(text.slice(start..end));
    let next = text.at(text.skip_blanks(end).min(end + 1));
    let goes_on = next.is_ascii_alphanumeric() && (text.at(end) == ' ' || next.is_ascii_digit());
    let is_asked = matches!(next, '≥' | '≤' | '<' | '>' | '=' | ':' | '±' | '~' | '-');
    (!is_name && !goes_on && !is_asked).then_some(end)
}

/// Returns whether a word names a property.
fn is_name(word: &[char]) -> bool {
    subjects::known(word).is_some() || TABLE.marks.iter().any(|mark| mark.sign.chars().eq(word.iter().copied()))
}

/// Spelling by which two unlisted units are compared; none where it is cut.
fn spelling(text: &CharText<'_>, place: usize, end: usize) -> String {
    if place + MAX_CHARS <= end {
        return String::new();
    }
    let same = |character: &char| match character {
        '^' => None,
        ' ' | '*' | '×' => Some('·'),
        '⁻' => Some('-'),
        other => Some(number::raised(*other).unwrap_or(*other)),
    };
    text.slice(place..end).iter().filter_map(same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_unit_is_taken_whole() {
        let check = |text: &str, want: Option<&str>| {
            let found = run(&CharText::new(text), 0);
            assert_eq!(found.as_ref().map(|(_, spelling)| spelling.as_str()), want, "{text}");
        };
        check("foo，", Some("foo"));
        check("EU·x/mL以上", Some("EU·x/mL"));
        check("MPa(a)时", Some("MPa(a)"));
        check("bar abs。", Some("bar·abs"));
        check("kN/(m²·foo)", Some("kN/(m2·foo)"));
        check("某某以上", Some("某某"));
        check("某/毫升", Some("某/毫升"));
        check("以上", None);
        check("的钢板", None);
        check("x30mm", None);
        check("，foo", None);
        check("", None);
    }
}
