//! Contents of one shard (embedded engine) or one collection (server).

use std::fmt;

use serde::{Deserialize, Serialize};

use duijie_core::domain::Kind;

/// Records of one kind, or the documents beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum CollectionKind {
    /// Records of one kind.
    Records(Kind),
    /// Documents.
    Documents,
}

// === impl CollectionKind ===

impl CollectionKind {
    /// All collections of a store.
    pub const ALL: [Self; 4] =
        [Self::Records(Kind::Achievement), Self::Records(Kind::Demand), Self::Records(Kind::Expert), Self::Documents];

    /// Name of the shard folder or server collection.
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

impl From<CollectionKind> for String {
    fn from(collection: CollectionKind) -> Self {
        collection.collection().trim_end_matches('s').to_string()
    }
}

impl TryFrom<String> for CollectionKind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|collection| String::from(*collection) == name);
        found.ok_or_else(|| format!("unknown collection {name}"))
    }
}

impl fmt::Display for CollectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.collection())
    }
}
