//! State of an index.

use duijie_core::domain::Kind;

/// State of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatus {
    /// State of each kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindStatus>,
    /// Problem of the documents; `None` when healthy.
    pub documents_problem: Option<String>,
    /// Damaged documents that reads have met.
    pub documents_damaged: u64,
    /// Why this program can never work on this store, such as other versions; an operator must fix it.
    pub refusal: Option<String>,
    /// Nodes of a cluster; empty for any other engine. One that is away is no problem as long as the others answer.
    pub nodes: Vec<NodeStatus>,
}

/// State of one node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its address.
    pub url: String,
    /// Whether it answered last.
    pub answers: bool,
}

/// State of the collection of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindStatus {
    /// Which kind.
    pub kind: Kind,
    /// Points stored.
    pub points: u64,
    /// Points whose embedding is in a graph; all others are searched by a full scan.
    pub indexed: u64,
    /// Damaged points that reads have met.
    pub damaged: u64,
    /// Segments per search.
    pub segments: u64,
    /// Whether graphs are being built.
    pub optimizing: bool,
    /// Problem; `None` when healthy.
    pub problem: Option<String>,
}

// === impl KindStatus ===

impl KindStatus {
    /// State of a kind before anything is known.
    pub(super) fn unknown(kind: Kind) -> Self {
        Self { kind, points: 0, indexed: 0, damaged: 0, segments: 0, optimizing: false, problem: None }
    }
}

// === impl IndexStatus ===

impl IndexStatus {
    /// Returns whether every kind and the documents can be read and written.
    pub fn healthy(&self) -> bool {
        self.refusal.is_none()
            && self.documents_problem.is_none()
            && self.kinds.iter().all(|status| status.problem.is_none())
    }
}
