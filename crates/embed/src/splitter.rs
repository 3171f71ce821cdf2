//! The model's tokeniser and [`super::window`]: cuts texts into windows that the model takes without truncation.

use super::{
    EmbedError, Role,
    recipe::Recipe,
    window::{self, Window},
};
use std::sync::Arc;
use tokenizers::Tokenizer;

/// Most characters per text: a body of 20,000, a title of 200, 20 keywords of 40, plus room for characters that
/// normalisation expands (㎡ to m2).
pub const MAX_TEXT_CHARS: usize = 24_000;
/// Most tokens per text. Chinese has 0.6 to 1 tokens per character. Only text of characters that the tokeniser expands
/// (one Arabic ligature is 18 letters) exceeds this limit; it would take minutes.
pub const MAX_TEXT_TOKENS: usize = 2 * MAX_TEXT_CHARS;
/// Fewest tokens that must remain for text after prefix and special tokens. A single character expands to at most 18
/// letters, so each window can hold at least one.
const MIN_CAPACITY_TOKENS: usize = 24;

/// Prefix of a role, and its tokens.
#[derive(Debug, Clone)]
struct Prefix {
    text: Arc<str>,
    /// Tokens of the prefix plus special tokens.
    tokens: usize,
}

/// Cuts texts into windows. Read-only, shared by all callers.
#[derive(Debug)]
pub struct Splitter {
    /// Without truncation and padding.
    tokenizer: Tokenizer,
    max_tokens: usize,
    query: Prefix,
    passage: Prefix,
}

// === impl Splitter ===

impl Splitter {
    /// Creates a splitter from a session's tokeniser. `max_tokens` is the session's limit.
    ///
    /// # Errors
    /// [`EmbedError::Failed`] when prefix and special tokens leave no room for text.
    pub fn new(mut tokenizer: Tokenizer, recipe: &Recipe, max_tokens: usize) -> Result<Self, EmbedError> {
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(failed)?;
        let prefix = |text: &str| {
            let tokens = tokenizer.encode_fast(text, true).map_err(failed)?.len();
            let too_long = || failed(format!("prefix of {tokens} tokens, model of {max_tokens}"));
            let fits = tokens + MIN_CAPACITY_TOKENS <= max_tokens;
            if fits { Ok(Prefix { text: text.into(), tokens }) } else { Err(too_long()) }
        };
        let (query, passage) = (prefix(recipe.prefix(Role::Query))?, prefix(recipe.prefix(Role::Passage))?);
        Ok(Self { tokenizer, max_tokens, query, passage })
    }

    /// Prefix for a text of this role.
    pub fn prefix(&self, role: Role) -> Arc<str> {
        Arc::clone(&self.of(role).text)
    }

    /// Tokens that the prefix and the special tokens add to each window.
    pub fn added_tokens(&self, role: Role) -> usize {
        self.of(role).tokens
    }

    /// Cuts a text into windows; `index` is its position in the call, for errors.
    ///
    /// # Errors
    /// [`EmbedError::TooLong`] over [`MAX_TEXT_TOKENS`], [`EmbedError::Failed`] when the tokeniser fails.
    pub fn split(&self, role: Role, text: &str, index: usize) -> Result<Vec<Window>, EmbedError> {
        let prefix = self.of(role);
        let count = |piece: &str| {
            let whole = format!("{}{piece}", prefix.text);
            let tokens = self.tokenizer.encode_fast(whole, true).map_err(failed)?.len();
            Ok(tokens.saturating_sub(prefix.tokens))
        };
        let capacity = self.max_tokens - prefix.tokens;
        let tokens = count(text)?;
        if tokens <= capacity {
            return Ok(vec![Window { range: 0..text.len(), tokens: tokens.max(1) }]);
        }
        if MAX_TEXT_TOKENS < tokens {
            return Err(EmbedError::TooLong { index, max_chars: MAX_TEXT_CHARS });
        }
        let encoding = self.tokenizer.encode(text, false).map_err(failed)?;
        let mut last = 0;
        let ascending = |(_, end): &(usize, usize)| {
            last = last.max(*end);
            last
        };
        let token_ends: Vec<usize> = encoding.get_offsets().iter().map(ascending).collect();
        window::split(text, &token_ends, capacity, &count)
    }

    fn of(&self, role: Role) -> &Prefix {
        match role {
            Role::Query => &self.query,
            Role::Passage => &self.passage,
        }
    }
}

fn failed(error: impl ToString) -> EmbedError {
    EmbedError::Failed { detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::tokenizer;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const MAX_TOKENS: usize = 64;

    fn splitter() -> &'static Splitter {
        static SPLITTER: OnceLock<Splitter> = OnceLock::new();
        let recipe = Recipe { symmetric: false, ..Recipe::e5() };
        SPLITTER.get_or_init(|| Splitter::new(tokenizer(), &recipe, MAX_TOKENS).unwrap())
    }

    fn check(text: &str) -> usize {
        let windows = splitter().split(Role::Passage, text, 0).unwrap();
        let joined: String = windows.iter().map(|w| &text[w.range.clone()]).collect();
        assert_eq!(joined, text);
        for window in &windows {
            let whole = format!("passage: {}", &text[window.range.clone()]);
            let tokens = tokenizer().encode(whole.as_str(), true).unwrap().len();
            assert!(tokens <= MAX_TOKENS, "{tokens} tokens: {whole}");
            assert!(window.tokens + splitter().added_tokens(Role::Passage) >= tokens, "{window:?}");
        }
        windows.len()
    }

    #[test]
    fn real_tokens_fit_whatever_the_text() {
        assert_eq!(check("激光焊接"), 1);
        assert_eq!(check(""), 1);
        assert!(2 <= check(&"研发一种高强度铝合金薄板激光焊接工艺，接头强度不低于母材的85%。".repeat(6)));
        check(&"焊".repeat(700));
        check(&"\u{fdfa}".repeat(90));
        check(&"😀\u{200d}".repeat(200));
        check(&"<s></s><mask>".repeat(40));
        check(&" \n\t".repeat(300));
        check(&"e\u{301}".repeat(300));
    }

    #[test]
    fn a_text_that_is_written_out_beyond_the_limit_is_refused() {
        let error = splitter().split(Role::Query, &"\u{fdfa}".repeat(MAX_TEXT_CHARS), 3).unwrap_err();
        assert_eq!(error, EmbedError::TooLong { index: 3, max_chars: MAX_TEXT_CHARS });
    }

    #[test]
    fn a_prefix_that_leaves_no_room_is_refused() {
        let recipe = Recipe { query_prefix: "检索".repeat(60), ..Recipe::e5() };
        assert!(Splitter::new(tokenizer(), &recipe, MAX_TOKENS).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn real_tokens_fit_random_text(text in "\\PC{0,300}|[一-龥，。0-9a-z ]{0,300}") {
            check(&text);
        }
    }
}
