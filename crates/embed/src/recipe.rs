//! Recipe of a model: pooling, prefixes, limits. From `duijie.toml` in the model's folder, or by model family.

use super::Role;
use serde::Deserialize;

/// Default limit of tokens per window: the training length of the bert and e5 families.
const DEFAULT_MAX_TOKENS: usize = 512;
/// Range of `max_tokens`. Below it a prefix would fill the window; above it one window would keep a core busy for a
/// minute.
const MAX_TOKENS_RANGE: std::ops::RangeInclusive<usize> = 64..=8192;
/// Most characters of a prefix.
const MAX_PREFIX_CHARS: usize = 200;
/// Query instruction of the bge models for Chinese.
const BGE_ZH_INSTRUCTION: &str = "为这个句子生成表示以用于检索相关文章：";

/// How token vectors become the text's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Mean of all tokens.
    Mean,
    /// First token.
    Cls,
}

/// Input format and properties of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Pooling.
    pub pooling: Pooling,
    /// Prefix of a query.
    pub query_prefix: String,
    /// Prefix of a stored text.
    pub passage_prefix: String,
    /// Longest window in tokens, including prefix and special tokens; a lower limit of the tokeniser applies instead.
    pub max_tokens: usize,
    /// Lowest cosine of unrelated texts, in [0, 1); ranking scales scores from here.
    pub cosine_floor: f32,
    /// Whether the query prefix is used for all texts: for records that search for each other in both directions.
    pub symmetric: bool,
    /// Whether a text's vector depends on its batch (dynamic quantisation), so that each batch must hold one text.
    pub one_at_a_time: bool,
}

/// Contents of `duijie.toml`. Missing values come from the family.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    pooling: Option<Pooling>,
    query_prefix: Option<String>,
    passage_prefix: Option<String>,
    max_tokens: Option<usize>,
    cosine_floor: Option<f32>,
    symmetric: Option<bool>,
    one_at_a_time: Option<bool>,
}

// === impl Pooling ===

impl Pooling {
    /// Converts to fastembed's type.
    pub(super) fn to_fastembed(self) -> fastembed::Pooling {
        match self {
            Self::Mean => fastembed::Pooling::Mean,
            Self::Cls => fastembed::Pooling::Cls,
        }
    }

    /// Converts from fastembed's type; like fastembed, takes unknown poolings as CLS.
    pub(super) fn from_fastembed(pooling: Option<fastembed::Pooling>) -> Self {
        match pooling {
            Some(fastembed::Pooling::Mean) => Self::Mean,
            Some(fastembed::Pooling::Cls) | None => Self::Cls,
        }
    }
}

// === impl Recipe ===

impl Recipe {
    /// Recipe without prefixes; right for most models, apart from the pooling.
    pub fn plain(pooling: Pooling) -> Self {
        Self {
            pooling,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            max_tokens: DEFAULT_MAX_TOKENS,
            cosine_floor: 0.0,
            symmetric: false,
            one_at_a_time: false,
        }
    }

    /// The e5 family. Symmetric, which measured best for demands and achievements.
    pub fn e5() -> Self {
        Self {
            query_prefix: "query: ".to_string(),
            passage_prefix: "passage: ".to_string(),
            cosine_floor: 0.7,
            symmetric: true,
            ..Self::plain(Pooling::Mean)
        }
    }

    /// The bge family for Chinese.
    pub(crate) fn bge_zh() -> Self {
        Self { query_prefix: BGE_ZH_INSTRUCTION.to_string(), ..Self::plain(Pooling::Cls) }
    }

    /// Recipe of the family that a model's name tells: `multilingual-e5-base`, `BAAI/bge-small-zh-v1.5`.
    pub(crate) fn of_family(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let has = |word: &str| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
        match () {
            () if has("e5") => Some(Self::e5()),
            () if has("bge") && has("zh") => Some(Self::bge_zh()),
            () => None,
        }
    }

    /// Parses `duijie.toml`. Missing values come from `family`; without a family the file must name the pooling.
    ///
    /// # Errors
    /// What is wrong, for the message to the operator.
    pub(crate) fn from_toml(text: &str, family: Option<Self>) -> Result<Self, String> {
        let manifest: Manifest = toml::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))?;
        let base = match (family, manifest.pooling) {
            (Some(family), _) => family,
            (None, Some(pooling)) => Self::plain(pooling),
            (None, None) => return Err("缺少 pooling（mean 或 cls）".to_string()),
        };
        Self {
            pooling: manifest.pooling.unwrap_or(base.pooling),
            query_prefix: manifest.query_prefix.unwrap_or(base.query_prefix),
            passage_prefix: manifest.passage_prefix.unwrap_or(base.passage_prefix),
            max_tokens: manifest.max_tokens.unwrap_or(base.max_tokens),
            cosine_floor: manifest.cosine_floor.unwrap_or(base.cosine_floor),
            symmetric: manifest.symmetric.unwrap_or(base.symmetric),
            one_at_a_time: manifest.one_at_a_time.unwrap_or(base.one_at_a_time),
        }
        .checked()
    }

    /// Prefix for a role.
    pub fn prefix(&self, role: Role) -> &str {
        if self.symmetric || role == Role::Query { &self.query_prefix } else { &self.passage_prefix }
    }

    fn checked(self) -> Result<Self, String> {
        let (min, max) = (MAX_TOKENS_RANGE.start(), MAX_TOKENS_RANGE.end());
        if !MAX_TOKENS_RANGE.contains(&self.max_tokens) {
            return Err(format!("max_tokens = {} 应在 {min} 到 {max} 之间", self.max_tokens));
        }
        if !(0.0..1.0).contains(&self.cosine_floor) {
            return Err(format!("cosine_floor = {} 应不小于 0 且小于 1", self.cosine_floor));
        }
        let too_long = |prefix: &str| MAX_PREFIX_CHARS < prefix.chars().count();
        if too_long(&self.query_prefix) || too_long(&self.passage_prefix) {
            return Err(format!("前缀应在 {MAX_PREFIX_CHARS} 字以内"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_by_name() {
        let check = |name: &str, want: Option<Recipe>| assert_eq!(Recipe::of_family(name), want, "{name}");
        check("e5-small-zh", Some(Recipe::e5()));
        check("intfloat/multilingual-e5-large", Some(Recipe::e5()));
        check("BAAI/bge-small-zh-v1.5", Some(Recipe::bge_zh()));
        check("bge-base-en-v1.5", None);
        check("node5", None);
        check("", None);
    }

    #[test]
    fn a_manifest_goes_before_the_family() {
        let check = |text: &str, family: Option<Recipe>, want: Result<Recipe, &str>| match (
            Recipe::from_toml(text, family),
            want,
        ) {
            (Ok(got), Ok(want)) => assert_eq!(got, want),
            (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
            (got, want) => panic!("{text}: {got:?} instead of {want:?}"),
        };
        check("", Some(Recipe::e5()), Ok(Recipe::e5()));
        check("", None, Err("pooling"));
        check("pooling = \"cls\"", None, Ok(Recipe::plain(Pooling::Cls)));
        check("symmetric = false", Some(Recipe::e5()), Ok(Recipe { symmetric: false, ..Recipe::e5() }));
        check("pooling = \"max\"", None, Err("pooling"));
        check("poling = \"cls\"", None, Err("poling"));
        check("max_tokens = 1", Some(Recipe::e5()), Err("max_tokens = 1 "));
        check("cosine_floor = 1.0", Some(Recipe::e5()), Err("cosine_floor"));
        check("cosine_floor = nan", Some(Recipe::e5()), Err("cosine_floor"));
        check(&format!("query_prefix = \"{}\"", "长".repeat(201)), Some(Recipe::e5()), Err("前缀"));
    }

    #[test]
    fn the_manifest_that_is_shipped_is_read() {
        let text = include_str!("../../../models/e5-small-zh/duijie.toml");
        assert_eq!(Recipe::from_toml(text, None), Ok(Recipe::e5()));
    }

    #[test]
    fn prefixes_by_role() {
        let both_ways = Recipe::e5();
        assert_eq!((both_ways.prefix(Role::Query), both_ways.prefix(Role::Passage)), ("query: ", "query: "));
        let one_way = Recipe { symmetric: false, ..Recipe::e5() };
        assert_eq!((one_way.prefix(Role::Query), one_way.prefix(Role::Passage)), ("query: ", "passage: "));
    }
}
