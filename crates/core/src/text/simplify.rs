//! Converts Traditional to Simplified Chinese, character by character.

use std::sync::LazyLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};

use super::chars::is_han;

/// Maximum conversion rounds until the text is stable: 乾圖 → 乾图 → 干图 needs two, 么麼 needs three.
const MAX_ROUNDS: usize = 4;
/// Characters that OpenCC changes only inside words (反覆 → 反复, 沈默 → 沉默, 瞭解 → 了解): all characters of its word table that
/// are missing from its character table.
const CHANGED_IN_WORDS: &str = "彷牴瞭祇藉衹覆沈阪";

static CONVERTER: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::T2s).ok());

/// Returns whether the conversion table was loaded. It is compiled in, so a failure is a build error.
pub(super) fn is_ready() -> bool {
    CONVERTER.is_some()
}

/// Returns whether Simplified Chinese writes the character differently, at least in some words.
pub(super) fn may_change(character: char) -> bool {
    is_han(character)
        && (CHANGED_IN_WORDS.contains(character)
            || !convert(character.encode_utf8(&mut [0; 4])).chars().eq([character]))
}

/// Converts a text of only Han characters. The result has the same number of characters.
pub(super) fn simplify(han: &str) -> String {
    let mut text = han.to_string();
    for _ in 0..MAX_ROUNDS {
        let next = convert(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn convert(text: &str) -> String {
    let Some(converter) = CONVERTER.as_ref() else { return text.to_string() };
    let mut converted = converter.convert(text);
    if converted.chars().count() != text.chars().count() {
        // no table entry changes the length today; if one ever does, positions must stay correct
        converted = text.chars().map(|character| convert_char(converter, character)).collect();
    }
    if converted.chars().all(is_basic) {
        return converted;
    }
    // 二噁英, not 二𫫇英: the rarest Simplified characters are in no dictionary and not in use
    let usual = |(converted, original)| if is_basic(converted) || !is_basic(original) { converted } else { original };
    converted.chars().zip(text.chars()).map(usual).collect()
}

fn convert_char(converter: &OpenCC, character: char) -> char {
    let converted = converter.convert(character.encode_utf8(&mut [0; 4]));
    let mut converted = converted.chars();
    match (converted.next(), converted.next()) {
        (Some(only), None) => only,
        _ => character,
    }
}

fn is_basic(character: char) -> bool {
    u16::try_from(u32::from(character)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_becomes_simplified() {
        assert!(is_ready());
        let check = |text: &str, want: &str| {
            assert_eq!(simplify(text), want);
            assert_eq!(simplify(want), want, "stays as it is");
        };
        check("鋰離子電池隔膜", "锂离子电池隔膜");
        check("乾燥設備", "干燥设备");
        check("乾坤", "乾坤");
        check("反覆", "反复");
        check("瞭解", "了解");
        check("顯著", "显著");
        check("乾圖", "干图");
        check("么麼", "幺么");
        check("覆盖", "覆盖");
        check("二噁英", "二噁英");
        check("\u{2B73F}鋰", "\u{2B73F}锂");
    }
}
