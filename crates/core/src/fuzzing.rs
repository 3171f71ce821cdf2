//! Properties of texts from outside, for `fuzz/` and for tests.

use std::sync::LazyLock;

use crate::text::{TextPipeline, normalize};

static PIPELINE: LazyLock<TextPipeline> = LazyLock::new(|| {
    #[allow(clippy::expect_used, reason = "a fuzz target")]
    TextPipeline::new(None).expect("the built-in dictionaries")
});

/// Normalising is idempotent; every character knows its place; terms stand where they say.
pub fn normalizer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let normalized = normalize(&text);
    assert_eq!(normalize(&normalized.text).text, normalized.text, "{text:?}");
    let chars = text.chars().count();
    for term in PIPELINE.terms(&text) {
        assert!(!term.text.is_empty() && term.start < term.end && term.end <= chars, "{term:?} of {text:?}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_text_is_normalized() {
        duijie_hostile::check("normalizer", super::normalizer);
    }
}
