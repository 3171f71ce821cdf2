//! How an index is.

use duijie_core::domain::Kind;

/// State of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatus {
    /// State of each kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindStatus>,
    /// What is wrong with the documents beside the records; `None` when all is well.
    pub documents_problem: Option<String>,
    /// Why this program can never work on this store, such as other versions: to be mended by hand.
    pub refusal: Option<String>,
}

/// State of one kind's collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindStatus {
    /// Which kind.
    pub kind: Kind,
    /// Points stored.
    pub points: u64,
    /// Points whose embedding is in a graph; the others are found by going through all of them.
    pub indexed: u64,
    /// Segments that a search goes through.
    pub segments: u64,
    /// Whether graphs are being built.
    pub optimizing: bool,
    /// What is wrong; `None` when all is well.
    pub problem: Option<String>,
}

// === impl KindStatus ===

impl KindStatus {
    /// State of a kind of which nothing is known yet.
    pub(super) fn unknown(kind: Kind) -> Self {
        Self { kind, points: 0, indexed: 0, segments: 0, optimizing: false, problem: None }
    }
}

// === impl IndexStatus ===

impl IndexStatus {
    /// Whether every kind, and the documents, can be read and written.
    pub fn healthy(&self) -> bool {
        self.refusal.is_none()
            && self.documents_problem.is_none()
            && self.kinds.iter().all(|status| status.problem.is_none())
    }
}
