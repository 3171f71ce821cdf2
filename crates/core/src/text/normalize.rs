//! Text normalisation: width, case, Traditional Chinese, blanks, units after numbers. Each normalised character keeps
//! its position in the original, so that answers can point there.

use std::ops::Range;

use super::{chars, simplify, units};

/// Maximum rounds of unit normalisation; `10千瓦·h` is `10kw·h` after the first and `10kwh` after the second.
const MAX_UNIT_ROUNDS: usize = 4;

/// A normalised text and the original positions of its characters.
///
/// ```
/// use duijie_core::text::normalize;
/// let normal = normalize("鋰電池隔膜，强度１０ ＭＰａ");
/// assert_eq!(normal.text, "锂电池隔膜,强度10mpa");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The normal text.
    pub text: String,
    /// Original characters of each normalised character; `None` if each comes from the same position.
    places: Option<Vec<Place>>,
    /// Number of characters in the original.
    original_chars: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start: usize,
    end: usize,
}

/// Normalises a text. Idempotent.
pub fn normalize(original: &str) -> Normalized {
    let mut normal = plain(original).unwrap_or_else(|| by_clusters(original));
    for _ in 0..MAX_UNIT_ROUNDS {
        let edits = unit_edits(&normal.text);
        if edits.is_empty() {
            break;
        }
        normal = normal.edited(&edits);
    }
    normal
}

/// Normal form without unit normalisation.
pub(super) fn without_units(original: &str) -> String {
    plain(original).unwrap_or_else(|| by_clusters(original)).text
}

/// NFKC and Simplified Chinese with single blanks; case, punctuation and units unchanged. This is the input of the
/// embedding model.
pub fn natural(original: &str) -> String {
    let folded = chars::fold(original, false);
    let mut text = String::with_capacity(folded.len());
    for character in simplified_runs(&folded).chars() {
        if character != ' ' || !text.ends_with(' ') {
            text.push(character);
        }
    }
    text.trim().to_string()
}

/// A replacement of part of a normal text.
#[derive(Debug)]
struct Edit {
    bytes: Range<usize>,
    with: &'static str,
}

// === impl Normalized ===

impl Normalized {
    /// Original characters behind the characters `start_char` to `end_char` (exclusive) of the normal text. Positions
    /// beyond the end are clamped.
    pub(crate) fn original_range(&self, start_char: usize, end_char: usize) -> Range<usize> {
        let Some(places) = &self.places else {
            let start = start_char.min(self.original_chars);
            return start..end_char.clamp(start, self.original_chars);
        };
        let start = places.get(start_char).map_or(self.original_chars, |place| place.start);
        let last = end_char.min(places.len()).checked_sub(1).and_then(|last| places.get(last));
        start..last.map_or(start, |place| place.end).max(start)
    }

    /// Returns whether the original can be cut before this normalised character; false inside `㎏` or a converted unit.
    pub(super) fn is_cut(&self, char_index: usize) -> bool {
        let Some(places) = &self.places else { return true };
        let before = char_index.checked_sub(1).and_then(|index| places.get(index));
        before.zip(places.get(char_index)).is_none_or(|(before, after)| before.end <= after.start)
    }

    fn edited(&self, edits: &[Edit]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut places = Vec::with_capacity(self.text.len());
        let mut waiting = edits.iter().peekable();
        for (index, (byte, character)) in self.text.char_indices().enumerate() {
            let place = self.place(index);
            while waiting.next_if(|edit| edit.bytes.end <= byte).is_some() {}
            let Some(edit) = waiting.peek().filter(|edit| edit.bytes.start <= byte) else {
                text.push(character);
                places.push(place);
                continue;
            };
            let last = byte + character.len_utf8() == edit.bytes.end;
            if edit.bytes.start == byte {
                text.push_str(edit.with);
                places.extend(edit.with.chars().map(|_| place));
            }
            if last {
                // every character of the unit maps to the whole original unit
                let first = places.len() - edit.with.chars().count();
                places.iter_mut().skip(first).for_each(|placed| placed.end = place.end);
            }
        }
        Self { text, places: Some(places), original_chars: self.original_chars }
    }

    fn place(&self, index: usize) -> Place {
        let own = Place { start: index, end: index + 1 };
        self.places.as_ref().map_or(own, |places| places.get(index).copied().unwrap_or(own))
    }
}

/// Normal form by the fast path; `None` if the text has repeated blanks, Traditional characters or other special cases.
fn plain(original: &str) -> Option<Normalized> {
    let mut text = String::with_capacity(original.len());
    let mut original_chars = 0;
    let mut after_blank = false;
    for character in original.chars() {
        let normal = chars::plain(character)?;
        let is_blank = normal == ' ';
        if is_blank && after_blank {
            return None;
        }
        after_blank = is_blank;
        original_chars += 1;
        text.push(normal);
    }
    Some(Normalized { text, places: None, original_chars })
}

/// Normal form by the slow path, for any text.
fn by_clusters(original: &str) -> Normalized {
    let mut text = String::with_capacity(original.len());
    let mut places = Vec::with_capacity(original.len() / 2);
    let (mut start_byte, mut start) = (0, 0);
    for end_byte in chars::cluster_ends(original) {
        let cluster = original.get(start_byte..end_byte).unwrap_or_default();
        let end = start + cluster.chars().count();
        let mut push = |normal: char| {
            if normal != ' ' || !text.ends_with(' ') {
                text.push(normal);
                places.push(Place { start, end });
            }
        };
        let single = cluster.chars().next().filter(|_| end == start + 1);
        match single.and_then(chars::plain) {
            Some(normal) => push(normal),
            None => chars::fold(cluster, true).chars().for_each(push),
        }
        (start_byte, start) = (end_byte, end);
    }
    Normalized { text: simplified_runs(&text), places: Some(places), original_chars: start }
}

/// Converts runs of Han characters that contain a Traditional one; the number of characters does not change.
fn simplified_runs(text: &str) -> String {
    let mut converted = String::with_capacity(text.len());
    for run in text.split_inclusive(|character| !chars::is_han(character)) {
        let han_bytes = run.trim_end_matches(|character| !chars::is_han(character)).len();
        let (han, rest) = run.split_at(han_bytes);
        if han.chars().all(|character| chars::plain(character).is_some()) {
            converted.push_str(han);
        } else {
            converted.push_str(&simplify::simplify(han));
        }
        converted.push_str(rest);
    }
    converted
}

/// Units after numbers that are not in canonical form or are separated by a blank.
fn unit_edits(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut from = 0;
    while let Some(found) = text.as_bytes().iter().skip(from).position(u8::is_ascii_digit) {
        let start = from + found;
        let rest = text.get(start..).unwrap_or_default();
        let number = start + units::number_end(rest).unwrap_or(1);
        from = number;
        if follows_word(text.get(..start).unwrap_or_default()) {
            continue;
        }
        let behind = text.get(number..).unwrap_or_default();
        let (apart, unit_text) = behind.strip_prefix(' ').map_or((false, behind), |unit_text| (true, unit_text));
        let Some(unit) = units::unit_at(unit_text, apart) else { continue };
        let unit_start = number + usize::from(apart);
        let end = unit_start + unit.bytes;
        if text.get(unit_start..end) != Some(unit.canonical) {
            edits.push(Edit { bytes: number..end, with: unit.canonical });
        } else if apart {
            edits.push(Edit { bytes: number..unit_start, with: "" });
        }
        from = end;
    }
    edits
}

/// Returns whether a digit after this text belongs to a name such as `q345` or `pm2.5`.
fn follows_word(before: &str) -> bool {
    let before = before.strip_suffix('.').unwrap_or(before);
    // 5x10mm has two numbers
    let factor = before.strip_suffix('x').is_some_and(|factor| factor.ends_with(|last: char| last.is_ascii_digit()));
    !factor && before.ends_with(chars::is_word)
}

#[cfg(test)]
mod tests;
