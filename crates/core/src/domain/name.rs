//! Kinds of records and record names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Problem, Violation};

/// Source system of records that give none.
pub const LOCAL_SOURCE: &str = "local";
/// Maximum characters in an id.
pub(crate) const MAX_ID_CHARS: usize = 64;
/// Maximum characters in a source system.
pub(crate) const MAX_SOURCE_CHARS: usize = 32;

/// One of the three collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 成果.
    Achievement,
    /// 需求.
    Demand,
    /// 专家.
    Expert,
}

/// Name of a record: `{collection}/{id}` for the source system `local`, else `{collection}/{source_system}/{id}`.
///
/// ```
/// use duijie_core::domain::{Kind, RecordName};
/// let name: RecordName = "achievements/tianjin/a-17".parse().unwrap();
/// assert_eq!((name.kind, name.source.as_str(), name.id.as_str()), (Kind::Achievement, "tianjin", "a-17"));
/// assert_eq!("demands/local/d1".parse::<RecordName>().unwrap().to_string(), "demands/d1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordName {
    /// Collection.
    pub kind: Kind,
    /// Source system.
    pub source: String,
    /// Identifier within kind and source system.
    pub id: String,
}

// === impl Kind ===

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Achievement, Self::Demand, Self::Expert];

    /// Name of the collection.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Achievement => "achievements",
            Self::Demand => "demands",
            Self::Expert => "experts",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Achievement => "成果",
            Self::Demand => "需求",
            Self::Expert => "专家",
        }
    }

    /// Kind whose collection name, key or Chinese name is `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s').unwrap_or(name);
        Self::ALL.into_iter().find(|kind| kind.label() == name || kind.collection().strip_suffix('s') == Some(singular))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.collection())
    }
}

// === impl RecordName ===

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source == LOCAL_SOURCE {
            write!(f, "{}/{}", self.kind, self.id)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.source, self.id)
        }
    }
}

impl From<RecordName> for String {
    fn from(name: RecordName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for RecordName {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl FromStr for RecordName {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let malformed = || {
            let want = "{collection}/{id} or {collection}/{source_system}/{id}";
            let want_zh = "“集合/编号”或“集合/来源系统/编号”，集合为 achievements、demands 或 experts";
            Violation::new("name", Problem::Malformed { want, want_zh })
        };
        if text.is_empty() {
            return Err(Violation::new("name", Problem::Required));
        }
        let mut parts = text.split('/');
        let kind = parts
            .next()
            .and_then(|collection| Kind::ALL.into_iter().find(|kind| kind.collection() == collection))
            .ok_or_else(malformed)?;
        let (source, id) = match (parts.next(), parts.next(), parts.next()) {
            (Some(id), None, None) => (LOCAL_SOURCE, id),
            (Some(source), Some(id), None) => (source, id),
            _ => return Err(malformed()),
        };
        check_source(source).map_err(|problem| Violation::new("name", problem))?;
        check_id(id).map_err(|problem| Violation::new("name", problem))?;
        Ok(Self { kind, source: source.to_string(), id: id.to_string() })
    }
}

/// Checks an id: 1 to 64 characters from `A-Z a-z 0-9 . _ -`.
///
/// # Errors
/// [`Problem::Required`] if empty, otherwise [`Problem::IdCharacters`].
pub fn check_id(id: &str) -> Result<(), Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match id {
        "" => Err(Problem::Required),
        id if id.len() <= MAX_ID_CHARS && id.bytes().all(allowed) => Ok(()),
        _ => Err(Problem::IdCharacters { allowed: "A-Z a-z 0-9 . _ - (1-64)" }),
    }
}

/// Checks a source system: 1 to 32 characters from `a-z 0-9 . _ -`.
///
/// # Errors
/// [`Problem::Required`] if empty, otherwise [`Problem::IdCharacters`].
pub fn check_source(source: &str) -> Result<(), Problem> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    match source {
        "" => Err(Problem::Required),
        source if source.len() <= MAX_SOURCE_CHARS && source.bytes().all(allowed) => Ok(()),
        _ => Err(Problem::IdCharacters { allowed: "a-z 0-9 . _ - (1-32)" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_wrong_say_so() {
        for text in
            ["", "demands", "demands/", "projects/1", "demands/a/b/c", "demands/编号", "demands/A/x", "demands/a b"]
        {
            assert!(text.parse::<RecordName>().is_err(), "{text}");
        }
    }

    #[test]
    fn kinds_by_any_name() {
        for name in ["demand", "demands", "需求"] {
            assert_eq!(Kind::from_name(name), Some(Kind::Demand));
        }
        assert_eq!(Kind::from_name("需要"), None);
    }
}
