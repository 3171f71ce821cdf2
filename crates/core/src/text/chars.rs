//! Normalisation of single characters: NFKC, lower case, look-alikes, blanks. No words, units or Traditional Chinese.
//!
//! [`PLAIN`] covers nearly every character with one table lookup; [`fold`] is the slow path for the rest.

use std::{iter, sync::LazyLock};

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick};

use super::simplify;

/// Maximum rounds until a cluster is stable; two are enough for every character of Unicode.
const MAX_ROUNDS: usize = 8;
/// Size of the table: the characters of the basic plane.
const PLAIN_CHARS: usize = 0x1_0000;

/// Normal form of each character of the basic plane, if it is one character that does not depend on its neighbours;
/// else 0.
static PLAIN: LazyLock<Vec<u16>> =
    LazyLock::new(|| (0..PLAIN_CHARS as u32).map(|code| char::from_u32(code).map_or(0, plain_entry)).collect());

/// Normal form of a character, if [`PLAIN`] has one.
pub(super) fn plain(character: char) -> Option<char> {
    let entry = PLAIN.get(character as usize).copied().filter(|entry| *entry != 0);
    entry.and_then(|entry| char::from_u32(u32::from(entry)))
}

/// Han characters: converted to Simplified and segmented by the dictionary.
pub(super) fn is_han(character: char) -> bool {
    matches!(character,
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Letters and digits of any script but Han, as in model numbers.
pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || (!character.is_ascii() && !is_han(character) && character.is_alphanumeric())
}

/// Returns whether the character can merge into the previous one (accents, vowels of Korean syllables) or vanish.
pub(super) fn joins(character: char) -> bool {
    if character.is_ascii() || is_han(character) {
        return false;
    }
    let melts = |first| canonical_combining_class(first) != 0 || is_nfc_quick(iter::once(first)) != IsNormalized::Yes;
    is_invisible(character) || iter::once(character).nfkd().next().is_some_and(melts)
}

/// Normal form of a cluster: one character and those that [`joins`] attaches to it. `lower` also lower-cases it and
/// unifies look-alikes.
pub(super) fn fold(cluster: &str, lower: bool) -> String {
    let mut text = cluster.to_string();
    for _ in 0..MAX_ROUNDS {
        let next: String = if lower {
            let composed = text.chars().filter_map(unite).nfkc().filter_map(unite);
            composed.flat_map(char::to_lowercase).collect()
        } else {
            text.chars().filter(|character| !is_invisible(*character)).nfkc().map(blank).collect()
        };
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Ends of a text's clusters, in bytes; the first cluster starts at 0.
pub(super) fn cluster_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    // a character with an entry never joins, and the table lookup is faster
    let joins = |character| plain(character).is_none() && joins(character);
    let inner = text.char_indices().skip(1).filter(move |(_, character)| !joins(*character)).map(|(byte, _)| byte);
    inner.chain((!text.is_empty()).then_some(text.len()))
}

fn plain_entry(character: char) -> u16 {
    if joins(character) || simplify::may_change(character) {
        return 0;
    }
    let folded = fold(character.encode_utf8(&mut [0; 4]), true);
    let mut folded = folded.chars();
    match (folded.next(), folded.next()) {
        (Some(only), None) if !simplify::may_change(only) => u16::try_from(u32::from(only)).unwrap_or(0),
        _ => 0,
    }
}

/// Maps look-alikes to one character; `None` for characters that vanish.
fn unite(character: char) -> Option<char> {
    Some(match character {
        _ if character.is_ascii() => blank(character),
        _ if is_invisible(character) => return None,
        // hyphens, dashes, minus
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{2E3A}' | '\u{2E3B}' => '-',
        // wave dash, tilde operator, swung dash
        '\u{301C}' | '\u{223C}' | '\u{2053}' => '~',
        '×' | '✕' | '✖' | '╳' | '⨯' => 'x',
        // ring above and masculine ordinal are typed instead of the degree sign
        '\u{02DA}' | '\u{00BA}' => '°',
        // bullets and dots between names and units
        '•' | '‧' | '∙' | '⋅' | '・' | '･' => '·',
        '\u{2044}' | '\u{2215}' => '/',
        // ① to ⑳ start list items; as digits they would merge with a following number
        '\u{2460}'..='\u{2473}' => ' ',
        _ => blank(character),
    })
}

fn blank(character: char) -> char {
    if character.is_whitespace() || character.is_control() { ' ' } else { character }
}

/// Soft hyphens, zero-width characters, direction marks, byte order mark, variation selectors.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_table_is_its_own_normal_form() {
        for code in PLAIN.iter().filter(|code| **code != 0) {
            assert_eq!(PLAIN[usize::from(*code)], *code, "{:?}", char::from_u32(u32::from(*code)));
        }
        let han = ('\u{4E00}'..='\u{9FA5}').filter(|han| PLAIN[*han as usize] == *han as u16).count();
        assert!(15_000 < han, "{han} of 20902 need no look at their neighbours");
    }

    #[test]
    fn clusters_hold_what_melts_together() {
        let check = |text: &str, want: &[usize]| assert_eq!(cluster_ends(text).collect::<Vec<_>>(), want, "{text:?}");
        check("", &[]);
        check("ab中", &[1, 2, 5]);
        check("e\u{301}x", &[3, 4]);
        check("e\u{200B}\u{301}", &[6]);
        check("\u{1112}\u{1161}\u{11AB}", &[9]);
        check("\u{FF76}\u{FF9E}", &[6]);
    }
}
