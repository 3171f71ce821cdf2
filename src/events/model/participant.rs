//! Participants: records at an event, with contact, availability and limits.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{Contact, Event, Slot};
use duijie_core::domain::{Code, Kind, Record, RecordName, gb};

/// Maximum availability windows of a participant.
pub(crate) const MAX_WINDOWS: usize = 50;
/// Maximum characters of a presenter.
pub(crate) const MAX_PRESENTER_CHARS: usize = 100;
/// Maximum people of one presenter.
pub const MAX_PEOPLE: u32 = 100;

/// A record that takes part in an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// The record; each takes part at most once.
    pub record: RecordName,
    /// Title of the record when it was added.
    pub title: String,
    /// Organisation of the record; not set if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// Region by GB/T 2260, six digits; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Field of 八大领域; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Contact.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
    /// Presenter at the table; participants with the same presenter share its people. Empty: the expert, or the
    /// contact's person at the organisation; if there is no contact person, the organisation; without both, this
    /// participant alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub presenter: String,
    /// Meetings that the presenter's people can hold at the same time, 1 to [`MAX_PEOPLE`].
    #[serde(default = "one")]
    pub people: u32,
    /// Availability windows; empty: always available.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Maximum meetings, in place of the event's rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u32>,
    /// Table reserved for this participant, from 0; `None`: any table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Whether the participant comes.
    #[serde(default)]
    pub state: ParticipantState,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name.
    pub name: String,
    /// 统一社会信用代码; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credit_code: String,
}

/// Time window of availability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Date.
    pub date: Date,
    /// Start.
    pub start: Time,
    /// End; after `start`.
    pub end: Time,
}

/// Whether a participant comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantState {
    /// Takes part.
    #[default]
    Active,
    /// Has cancelled; stays on the list.
    Cancelled,
}

fn one() -> u32 {
    1
}

// === impl Participant ===

impl Participant {
    /// Creates a participant from a record of the catalogue, always available.
    pub fn of(record: &Record) -> Self {
        let owner = record.owner.as_ref();
        let organisation =
            owner.map(|owner| Organisation { name: owner.name.clone(), credit_code: owner.credit_code.clone() });
        Self {
            record: record.name(),
            title: record.title.clone(),
            organisation,
            region: record.region.clone(),
            field: record.field.clone(),
            contact: Contact::default(),
            presenter: String::new(),
            people: 1,
            windows: Vec::new(),
            cap: None,
            table: None,
            state: ParticipantState::Active,
        }
    }

    /// Returns whether the participant is a demand.
    pub fn asks(&self) -> bool {
        self.record.kind == Kind::Demand
    }

    /// Whether the participant comes.
    pub(crate) fn is_active(&self) -> bool {
        self.state == ParticipantState::Active
    }

    /// Returns the credit code of the organisation, or its name if there is no code; empty without organisation.
    pub(crate) fn organisation_key(&self) -> &str {
        match &self.organisation {
            Some(it) if !it.credit_code.is_empty() => &it.credit_code,
            Some(it) => &it.name,
            None => "",
        }
    }

    /// Returns the name of the organisation; empty without organisation.
    pub(crate) fn organisation_name(&self) -> &str {
        self.organisation.as_ref().map_or("", |it| it.name.as_str())
    }

    /// Returns whether one window contains the whole slot.
    pub(crate) fn can_come(&self, slot: &Slot) -> bool {
        let within = |it: &Window| it.date == slot.date && it.start <= slot.start && slot.end <= it.end;
        self.windows.is_empty() || self.windows.iter().any(within)
    }

    /// Returns the slots that the participant can attend in full, from 0, in order.
    pub fn slots(&self, event: &Event) -> Vec<usize> {
        let slots = event.slots.iter().enumerate();
        slots.filter(|(_, slot)| self.can_come(slot)).map(|(index, _)| index).collect()
    }

    /// Returns the maximum meetings under the event's rules.
    pub(crate) fn cap_under(&self, event: &Event) -> u32 {
        let rule = match self.record.kind {
            Kind::Demand => event.rules.per_demand,
            Kind::Achievement => event.rules.per_achievement,
            Kind::Expert => event.rules.per_expert,
        };
        self.cap.unwrap_or(rule)
    }

    /// Returns the city in six digits; for a region without city, the province; empty if not stated.
    pub fn city(&self) -> String {
        self.region.get(..4).map(|city| format!("{city}00")).unwrap_or_default()
    }

    /// Returns the root of 八大领域 in two digits; empty if not stated.
    pub(crate) fn field_root(&self) -> &str {
        self.field.get(..2).unwrap_or_default()
    }

    /// Returns whether the participant lies in a region or its subdivisions.
    pub(crate) fn is_in_region(&self, region: &str) -> bool {
        !self.region.is_empty() && self.region.starts_with(gb::region_prefix(region))
    }

    /// Returns whether the participant belongs to a field or its subdivisions.
    pub(crate) fn is_in_field(&self, field: &str) -> bool {
        let root = if field.len() == 2 { field.trim_end_matches('0') } else { field };
        !self.field.is_empty() && self.field.starts_with(root)
    }
}

/// Participants by record.
pub type ByRecord<'a> = BTreeMap<&'a RecordName, &'a Participant>;

/// Indexes participants by record.
pub(crate) fn by_record(participants: &[Participant]) -> ByRecord<'_> {
    participants.iter().map(|participant| (&participant.record, participant)).collect()
}

impl Code for ParticipantState {
    const NAME: &'static str = "参会状态";
    const TABLE: &'static [(Self, &'static [&'static str])] =
        &[(Self::Active, &["参加", "active"]), (Self::Cancelled, &["已取消", "cancelled"])];
}
