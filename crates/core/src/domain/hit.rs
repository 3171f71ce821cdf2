//! What matching answers: records with scores, the sources' parts of them, and the terms that matched.

use serde::{Deserialize, Serialize};

use super::{Record, RecordName};

/// One record with why it is there.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchHit {
    /// The record.
    pub record: Record,
    /// Place in the whole order, from 1.
    pub rank: usize,
    /// Final score, 0 to 1.
    pub score: f64,
    /// What the nearest vectors said.
    pub dense: SourceScore,
    /// What BM25 said.
    pub sparse: SourceScore,
    /// What an expert's achievements said; `None` where they said nothing.
    pub works: Option<Works>,
    /// Terms of the query that the record has, weightiest first.
    pub terms: Vec<MatchedTerm>,
    /// How related people would call it; `None` where it was not asked for, or is not known for such pairs.
    pub relevance: Option<Relevance>,
}

/// What the achievements that an expert took part in say of the expert.
#[derive(Debug, Clone, PartialEq)]
pub struct Works {
    /// The one that is matched best by the same query.
    pub best: RecordName,
    /// Its score, 0 to 1, its place among the achievements, and what it adds.
    pub score: SourceScore,
}

/// How related people would call a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relevance {
    /// The median of their levels.
    pub level: Level,
    /// Probability of each level, [`Level::Unrelated`] first, together 1; `None` where the query is unlike all that
    /// people graded.
    pub probabilities: Option<[f64; 4]>,
}

/// How related a demand and an achievement are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not at all.
    Unrelated,
    /// Weakly.
    Weak,
    /// Fairly.
    Fair,
    /// Strongly.
    Strong,
}

/// What one source of candidates said of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SourceScore {
    /// The source's own score; `None` where it has none.
    pub score: Option<f32>,
    /// Place among its candidates, from 1; 0 where it was not among them.
    pub rank: usize,
    /// What it adds to the final score.
    pub contribution: f64,
}

/// A term of the query that stands in a record.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedTerm {
    /// Normal form.
    pub term: String,
    /// Weight in the query.
    pub weight: f32,
    /// Places, in order.
    pub spans: Vec<Span>,
}

/// A place in a record's own text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Which text.
    pub field: TextField,
    /// First character, from 0.
    pub start: usize,
    /// Character after the last one.
    pub end: usize,
}

/// A text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextField {
    /// The title.
    Title,
    /// The keyword with this place, from 0.
    Keyword(usize),
    /// The body.
    Body,
}

// === impl Level ===

impl Level {
    /// 1 (not at all) to 4 (strongly), as judgements write it.
    pub fn number(self) -> u8 {
        match self {
            Self::Unrelated => 1,
            Self::Weak => 2,
            Self::Fair => 3,
            Self::Strong => 4,
        }
    }

    /// What users call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unrelated => "无",
            Self::Weak => "弱",
            Self::Fair => "较强",
            Self::Strong => "强",
        }
    }
}
