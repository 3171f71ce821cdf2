//! What a shard of the embedded engine, or a collection of a server, holds.

use std::fmt;

use serde::{Deserialize, Serialize};

use duijie_core::domain::Kind;

/// Records of one kind, or the documents beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Holding {
    /// Records of one kind.
    Records(Kind),
    /// Documents.
    Documents,
}

// === impl Holding ===

impl Holding {
    /// All that a store holds.
    pub const ALL: [Self; 4] =
        [Self::Records(Kind::Achievement), Self::Records(Kind::Demand), Self::Records(Kind::Expert), Self::Documents];

    /// Name of its folder or collection.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Records(kind) => kind.collection(),
            Self::Documents => "documents",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Records(kind) => kind.label(),
            Self::Documents => "文档",
        }
    }
}

impl From<Holding> for String {
    fn from(holding: Holding) -> Self {
        holding.collection().trim_end_matches('s').to_string()
    }
}

impl TryFrom<String> for Holding {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|holding| String::from(*holding) == name);
        found.ok_or_else(|| format!("unknown holding {name}"))
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.collection())
    }
}
