//! The columns of an export, defined once for all formats.

use std::borrow::Cow;

use super::{Content, Party, Row, RowChange, Standing};
use duijie_core::domain::{Kind, hit::Level};
use duijie_files::export::Cell;

/// One column.
#[derive(Clone, Copy)]
pub struct Column {
    /// Machine-readable name.
    pub key: &'static str,
    /// Heading for users.
    pub heading: &'static str,
    /// Type of the values.
    pub sort: Sort,
    /// Width in a workbook, in characters.
    pub width: u8,
    /// Value of the column in a row.
    pub value: fn(&Row) -> Value<'_>,
}

/// Type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Text, never missing.
    Text,
    /// One of a few words, or none.
    Code,
    /// Several words.
    Codes,
    /// A rank from 1, or none.
    Place,
    /// A level, or none.
    Level,
    /// A score from 0 to 1, or none.
    Score,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A word: machine-readable key, label for users.
    Code(&'static str, &'static str),
    /// Several words.
    Codes(Vec<(&'static str, &'static str)>),
    /// A rank.
    Place(u32),
    /// A level: its number for machines, its label for users.
    Level(Level),
    /// A score.
    Score(f64),
}

const RESULTS: [Column; 10] = [
    column("demand", "需求编号", Sort::Text, 24, |row| name(&row.demand)),
    column("demand_title", "需求名称", Sort::Text, 40, |row| Value::Text(Cow::Borrowed(&row.demand.title))),
    column("demand_owner", "需求单位", Sort::Text, 24, |row| Value::Text(Cow::Borrowed(&row.demand.owner))),
    column("kind", "对象类型", Sort::Code, 10, kind),
    column("target", "对象编号", Sort::Text, 24, |row| name(&row.target)),
    column("target_title", "对象名称", Sort::Text, 40, |row| Value::Text(Cow::Borrowed(&row.target.title))),
    column("target_owner", "对象单位", Sort::Text, 24, |row| Value::Text(Cow::Borrowed(&row.target.owner))),
    column("rank", "名次", Sort::Place, 8, |row| rank(row.place)),
    column("score", "得分", Sort::Score, 10, |row| score(row.place)),
    column("level", "级别", Sort::Level, 8, |row| level(row.place)),
];

const CHANGES: [Column; 5] = [
    column("change", "变化", Sort::Code, 8, change),
    column("reasons", "原因", Sort::Codes, 40, reasons),
    column("rank_before", "原名次", Sort::Place, 8, |row| rank(before(row))),
    column("score_before", "原得分", Sort::Score, 10, |row| score(before(row))),
    column("level_before", "原级别", Sort::Level, 8, |row| level(before(row))),
];

/// The columns of a file.
pub fn of(content: Content) -> Vec<Column> {
    match content {
        Content::Results => RESULTS.to_vec(),
        Content::Changes => RESULTS.into_iter().chain(CHANGES).collect(),
    }
}

const fn column(
    key: &'static str,
    heading: &'static str,
    sort: Sort,
    width: u8,
    value: fn(&Row) -> Value<'_>,
) -> Column {
    Column { key, heading, sort, width, value }
}

fn name(party: &Party) -> Value<'static> {
    Value::Text(Cow::Owned(party.name.to_string()))
}

fn kind(row: &Row) -> Value<'_> {
    let kind = row.target.name.kind;
    let key = match kind {
        Kind::Achievement => "achievement",
        Kind::Demand => "demand",
        Kind::Expert => "expert",
    };
    Value::Code(key, kind.label())
}

fn rank(place: Option<Standing>) -> Value<'static> {
    place.map_or(Value::Empty, |place| Value::Place(place.rank))
}

fn score(place: Option<Standing>) -> Value<'static> {
    place.map_or(Value::Empty, |place| Value::Score(place.score))
}

fn level(place: Option<Standing>) -> Value<'static> {
    place.and_then(|place| place.level).map_or(Value::Empty, Value::Level)
}

fn before(row: &Row) -> Option<Standing> {
    row.change.as_ref().and_then(|change| change.before)
}

fn change(row: &Row) -> Value<'_> {
    let change = row.change.as_ref().map(|RowChange { change, .. }| *change);
    change.map_or(Value::Empty, |change| Value::Code(change.key(), change.label()))
}

fn reasons(row: &Row) -> Value<'_> {
    let reasons = row.change.as_ref().map_or(&[][..], |change| &change.reasons);
    Value::Codes(reasons.iter().map(|reason| (reason.key(), reason.label())).collect())
}

// === impl Value ===

impl<'a> Value<'a> {
    /// Cell for users.
    pub fn cell(self) -> Cell<'a> {
        let text = match self {
            Self::Empty => return Cell::Empty,
            Self::Place(place) => return Cell::Number(place.into()),
            Self::Score(score) => return Cell::Number(score),
            Self::Text(text) => text,
            Self::Code(_, label) => Cow::Borrowed(label),
            Self::Level(level) => Cow::Borrowed(level.label()),
            Self::Codes(codes) => Cow::Owned(codes.iter().map(|(_, label)| *label).collect::<Vec<_>>().join("；")),
        };
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }
}
