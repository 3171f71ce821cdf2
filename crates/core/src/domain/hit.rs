//! Match results: records with scores, score contributions by source, and matched terms.

use serde::{Deserialize, Serialize};

use super::{Record, RecordName};

/// One matched record with the reasons for the match.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchHit {
    /// The record.
    pub record: Record,
    /// Rank in the whole order, from 1.
    pub rank: usize,
    /// Final score, 0 to 1.
    pub score: f64,
    /// Dense score, from the nearest vectors.
    pub dense: SourceScore,
    /// Sparse score, from BM25.
    pub sparse: SourceScore,
    /// Score from an expert's achievements; `None` if none matched.
    pub works: Option<Works>,
    /// Query terms found in the record, highest weight first.
    pub terms: Vec<MatchedTerm>,
    /// Relevance level; `None` if not requested, or not defined for this pair of kinds.
    pub relevance: Option<Relevance>,
}

/// Match of an expert through the achievements they took part in.
#[derive(Debug, Clone, PartialEq)]
pub struct Works {
    /// The achievement that best matches the same query.
    pub best: RecordName,
    /// Its score, 0 to 1, its rank among the achievements, and its contribution.
    pub score: SourceScore,
}

/// Relevance that human graders would give to a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relevance {
    /// Median of the level distribution.
    pub level: Level,
    /// Probability of each level, [`Level::Unrelated`] first, sum 1; `None` if the query is unlike all graded queries.
    pub probabilities: Option<[f64; 4]>,
}

/// Relevance level of a demand and an achievement. Judgements, the wire and exports use its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not at all.
    Unrelated = 1,
    /// Weakly.
    Weak = 2,
    /// Fairly.
    Fair = 3,
    /// Strongly.
    Strong = 4,
}

/// Score of a record from one source of candidates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SourceScore {
    /// The source's own score; `None` if it has none.
    pub score: Option<f32>,
    /// Rank among the source's candidates, from 1; 0 if not among them.
    pub rank: usize,
    /// Contribution to the final score.
    pub contribution: f64,
}

/// A query term that occurs in a record.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedTerm {
    /// Normal form.
    pub term: String,
    /// Weight in the query.
    pub weight: f32,
    /// Positions, in order.
    pub spans: Vec<Span>,
}

/// A position in a record's original text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Text that contains the span.
    pub field: TextField,
    /// First character, from 0.
    pub start: usize,
    /// End, exclusive.
    pub end: usize,
}

/// A text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextField {
    /// The title.
    Title,
    /// The keyword at this index, from 0.
    Keyword(usize),
    /// The body.
    Body,
}

// === impl Level ===

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::Unrelated, Self::Weak, Self::Fair, Self::Strong];

    /// Number: 1 (unrelated) to 4 (strong).
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Level with this number; `None` outside 1 to 4.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|level| i32::from(level.number()) == number)
    }

    /// Label shown to users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unrelated => "无",
            Self::Weak => "弱",
            Self::Fair => "较强",
            Self::Strong => "强",
        }
    }
}
