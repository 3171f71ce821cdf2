//! Counts of outcomes by event, city, field and quarter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attendance, Outcome, OutcomeProgress, Rejection};
use duijie_core::domain::Code;

/// Attribute that outcomes are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Event.
    Event,
    /// City of the demand.
    City,
    /// Field of the demand.
    Field,
    /// Quarter of the meeting.
    Quarter,
}

/// Counts of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All outcomes.
    pub meetings: u64,
    /// Scheduled, not yet reported.
    pub booked: u64,
    /// Took place.
    pub held: u64,
    /// Did not take place.
    pub empty: u64,
    /// Took place with a replacement.
    pub replaced: u64,
    /// Intents declared.
    pub intents: u64,
    /// Under negotiation.
    pub negotiating: u64,
    /// Contracts signed.
    pub signed: u64,
    /// Sum of the signed contracts in whole yuan.
    pub signed_yuan: i64,
    /// Rejected by one side.
    pub rejected: u64,
    /// Rejections by reason, in the order of [`Rejection`]'s table.
    pub reasons: [u64; 8],
}

/// Counts per group and in total.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Counts of all outcomes together.
    pub total: Counts,
    /// Counts by attribute and key: the event's id, a city in six digits, a field in two digits, or a quarter such as
    /// `2026Q4`. The empty key holds outcomes without that attribute.
    pub groups: BTreeMap<Grouping, BTreeMap<String, Counts>>,
}

// === impl Statistics ===

impl Statistics {
    /// Adds one outcome.
    pub fn add(&mut self, outcome: &Outcome) {
        self.total.add(outcome);
        let groups = [
            (Grouping::Event, outcome.event.clone()),
            (Grouping::City, outcome.city.clone()),
            (Grouping::Field, outcome.field.clone()),
            (Grouping::Quarter, outcome.quarter()),
        ];
        for (by, group) in groups {
            self.groups.entry(by).or_default().entry(group).or_default().add(outcome);
        }
    }

    /// Counts outcomes.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut statistics = Self::default();
        outcomes.into_iter().for_each(|outcome| statistics.add(outcome));
        statistics
    }
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        self.meetings += 1;
        match outcome.attendance {
            Attendance::Booked => self.booked += 1,
            Attendance::Held => self.held += 1,
            Attendance::Empty => self.empty += 1,
            Attendance::Replaced => self.replaced += 1,
        }
        match outcome.progress {
            None => {}
            Some(OutcomeProgress::Intent) => self.intents += 1,
            Some(OutcomeProgress::Negotiating) => self.negotiating += 1,
            Some(OutcomeProgress::Signed { amount_yuan, .. }) => {
                self.signed += 1;
                self.signed_yuan = self.signed_yuan.saturating_add(amount_yuan);
            }
            Some(OutcomeProgress::Rejected { reason }) => {
                self.rejected += 1;
                self.count_reason(reason);
            }
        }
    }

    fn count_reason(&mut self, reason: Rejection) {
        let place = usize::try_from(reason.number() - 1).ok();
        if let Some(count) = place.and_then(|place| self.reasons.get_mut(place)) {
            *count += 1;
        }
    }
}

impl Code for Grouping {
    const NAME: &'static str = "统计方式";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Event, &["活动", "event"]),
        (Self::City, &["城市", "city"]),
        (Self::Field, &["领域", "field"]),
        (Self::Quarter, &["季度", "quarter"]),
    ];
}
