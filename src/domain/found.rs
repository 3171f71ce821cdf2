//! What matching answers: records with scores, the sources' parts of them, and the terms that matched.

use super::Record;

/// One record with why it is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
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
    /// Terms of the query that the record has, weightiest first.
    pub terms: Vec<MatchedTerm>,
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
