//! Input of a diagnosis.

use duijie_core::domain::{Detail, Record};

/// A demand: its texts and the fields that are filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given<'a> {
    /// Title; empty for a free text.
    pub title: &'a str,
    /// Body, or the free text.
    pub body: &'a str,
    /// Budget in yuan; 0 or less counts as missing.
    pub budget_yuan: Option<i64>,
    /// Whether a deadline is stated.
    pub has_deadline: bool,
    /// Whether a way of cooperation is stated.
    pub has_cooperation: bool,
    /// Number of indicators that the parser found in the texts.
    pub indicators_found: usize,
}

// === impl Given ===

impl<'a> Given<'a> {
    /// Input from a catalogue demand; `None` for a record of another kind.
    pub fn record(record: &'a Record, indicators_found: usize) -> Option<Self> {
        let Detail::Demand(demand) = &record.detail else { return None };
        Some(Self {
            title: &record.title,
            body: &record.body,
            budget_yuan: demand.budget_yuan,
            has_deadline: demand.deadline.is_some(),
            has_cooperation: !demand.cooperation_modes.is_empty(),
            indicators_found,
        })
    }

    /// Input from a free text.
    pub fn text(text: &'a str, indicators_found: usize) -> Self {
        Self { body: text, indicators_found, ..Self::default() }
    }
}
