//! A text with look-alike characters unified. One character stays one character, so positions are valid in the
//! original. `text::normalize` is not suitable: it loses case (mW and MW) and converts units.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    ops::Range,
    sync::LazyLock,
};

use super::TextSpan;

/// Traditional characters in the known words and units; the Simplified ones have the same positions.
const TRADITIONAL: &str =
    "於過達內萬億個溫強壓率度長寬厚誤差壽擴減縮測檢範圍電頻噸釐兩條項數積質徑幾時間轉膠應為無準確隻臺";
const SIMPLIFIED: &str =
    "于过达内万亿个温强压率度长宽厚误差寿扩减缩测检范围电频吨厘两条项数积质径几时间转胶应为无准确只台";

static SIMPLE: LazyLock<ByChar<char>> = LazyLock::new(|| {
    let pairs = TRADITIONAL.chars().zip(SIMPLIFIED.chars());
    pairs.filter(|(traditional, simplified)| traditional != simplified).collect()
});

/// A map by character. Keys come from tables of this crate and are looked up for every character of a text, so one
/// multiplication is a sufficient hash.
pub(super) type ByChar<T> = HashMap<char, T, BuildHasherDefault<CharHasher>>;

/// Multiplies a character by a large odd number.
#[derive(Debug, Default)]
pub(super) struct CharHasher(u64);

/// A text, character by character.
#[derive(Debug)]
pub(super) struct CharText<'a> {
    original: &'a str,
    chars: Vec<char>,
    /// Byte offset of each character in the original, and the end.
    starts: Vec<usize>,
}

// === impl CharHasher ===

impl Hasher for CharHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // the golden ratio of 64 bits, as in Fibonacci hashing
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

// === impl CharText ===

impl<'a> CharText<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        // most texts are Chinese, with three bytes per character
        let mut chars = Vec::with_capacity(original.len() / 2);
        let mut starts = Vec::with_capacity(original.len() / 2 + 1);
        for (start, character) in original.char_indices() {
            chars.push(folded(character));
            starts.push(start);
        }
        starts.push(original.len());
        Self { original, chars, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Character at a position, `\0` outside.
    pub(super) fn at(&self, place: usize) -> char {
        self.chars.get(place).copied().unwrap_or('\0')
    }

    /// Character before a position, `\0` outside.
    pub(super) fn before(&self, place: usize) -> char {
        place.checked_sub(1).map_or('\0', |before| self.at(before))
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &[char] {
        self.chars.get(range).unwrap_or_default()
    }

    pub(super) fn folded(&self, range: Range<usize>) -> String {
        self.slice(range).iter().collect()
    }

    pub(super) fn original(&self, range: Range<usize>) -> &'a str {
        self.original.get(self.bytes(&range)).unwrap_or_default()
    }

    pub(super) fn span(&self, chars: Range<usize>) -> TextSpan {
        TextSpan { bytes: self.bytes(&chars), chars }
    }

    /// Position after `word`, if the text has it at `place`.
    pub(super) fn after(&self, place: usize, word: &str) -> Option<usize> {
        let mut end = place;
        for character in word.chars() {
            if self.at(end) != character {
                return None;
            }
            end += 1;
        }
        Some(end)
    }

    /// Start of `word`, if it ends at `end`.
    pub(super) fn back(&self, end: usize, word: &str) -> Option<usize> {
        let mut start = end;
        for character in word.chars().rev() {
            if self.before(start) != character {
                return None;
            }
            start -= 1;
        }
        Some(start)
    }

    pub(super) fn skip_blanks(&self, mut place: usize) -> usize {
        while self.at(place) == ' ' {
            place += 1;
        }
        place
    }

    pub(super) fn skip_blanks_back(&self, mut place: usize) -> usize {
        while self.before(place) == ' ' {
            place -= 1;
        }
        place
    }

    fn bytes(&self, chars: &Range<usize>) -> Range<usize> {
        let byte = |place: usize| self.starts.get(place).copied().unwrap_or(self.original.len());
        byte(chars.start)..byte(chars.end)
    }
}

pub(super) fn is_han(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

/// Unified spelling of a character. The full-width comma stays, since only the half-width one can be part of a number.
pub(super) fn folded(character: char) -> char {
    if character.is_ascii() {
        return if character == '\t' { ' ' } else { character };
    }
    if is_han(character) {
        return simplified(character);
    }
    match character {
        '，' => '，',
        '\u{FF01}'..='\u{FF5E}' => folded_wide(character),
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => ' ',
        '~' | '∼' | '〜' | '˜' | '∽' | '﹏' => '~',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' | '﹣' | '╴' => '-',
        '≧' | '⩾' | '≥' | '≮' | '⪰' => '≥',
        '≦' | '⩽' | '≤' | '≯' | '⪯' => '≤',
        '﹥' => '>',
        '﹤' => '<',
        '﹢' => '+',
        '✕' | '╳' | '✖' | '⨯' | '∗' => '×',
        '•' | '・' | '⋅' | '∙' | '‧' | '●' | '･' => '·',
        'µ' => 'μ',
        '\u{2126}' => 'Ω',
        '\u{212A}' => 'K',
        '\u{212B}' => 'Å',
        'º' | '˚' => '°',
        'Φ' | 'Ф' | 'ф' | 'ø' | 'Ø' | '∅' | 'ϕ' | '⌀' => 'φ',
        '﹪' => '%',
        '∶' | '︰' => ':',
        '〔' | '【' => '(',
        '〕' | '】' => ')',
        '℉' | '℃' => character,
        _ => character,
    }
}

fn folded_wide(character: char) -> char {
    let narrow = u32::from(character).checked_sub(0xFEE0).and_then(char::from_u32);
    narrow.unwrap_or(character)
}

fn simplified(character: char) -> char {
    SIMPLE.get(&character).copied().unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_in_their_place() {
        let text = CharText::new("５００ ＭＰa≧µm");
        assert_eq!(text.folded(0..text.len()), "500 MPa≥μm");
        assert_eq!(text.span(4..7).bytes, 10..17);
        assert_eq!(text.original(4..7), "ＭＰa");
        assert_eq!(text.after(4, "MP"), Some(6));
        assert_eq!(text.back(7, "Pa"), Some(5));
        assert_eq!(text.back(1, "55"), None);
        assert_eq!((text.at(99), text.before(0)), ('\0', '\0'));
        assert_eq!(text.original(90..99), "");
    }

    #[test]
    fn the_lists_are_of_one_length() {
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
        assert_eq!(CharText::new("溫度達到").folded(0..4), "温度达到");
        assert_eq!(folded('，'), '，');
        assert_eq!(folded('：'), ':');
    }
}
