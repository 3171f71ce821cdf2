//! A record at an event: whose it is, when its people can come, how many meetings it may have.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{Contact, Event, Slot};
use duijie_core::domain::{Code, Kind, Record, RecordName, gb};

/// Most windows of a participant's availability.
pub const MAX_WINDOWS: usize = 50;
/// Most characters of who presents.
pub const MAX_PRESENTER_CHARS: usize = 100;
/// Most people of one presenter.
pub const MAX_PEOPLE: u32 = 100;

/// A record at an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// The record; one participant for each record.
    pub record: RecordName,
    /// Its title, as it was when it was added.
    pub title: String,
    /// Its organisation; not set where the record has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// GB/T 2260 in six digits; empty where not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// 八大领域; empty where not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Whom to call.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
    /// Who sits at the table: participants of one presenter share its people. Empty: the contact's person at the
    /// organisation, and where none is known, somebody of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub presenter: String,
    /// Meetings that the presenter's people can have at one time, 1 to [`MAX_PEOPLE`].
    #[serde(default = "one")]
    pub people: u32,
    /// When they can come; empty: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Most meetings, in place of the event's rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u32>,
    /// Table that it keeps, from 0; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Whether it comes.
    #[serde(default)]
    pub state: ParticipantState,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name.
    pub name: String,
    /// 统一社会信用代码; empty where not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credit_code: String,
}

/// Time at which people can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Day.
    pub date: Date,
    /// From.
    pub start: Time,
    /// Until; after `start`.
    pub end: Time,
}

/// Whether a participant comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantState {
    /// It does.
    #[default]
    Active,
    /// It has called off; it stays on the list.
    Cancelled,
}

fn one() -> u32 {
    1
}

// === impl Participant ===

impl Participant {
    /// A record of the catalogue as a participant who can come at any time.
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

    /// Whether it asks: the other side of a pair offers.
    pub fn asks(&self) -> bool {
        self.record.kind == Kind::Demand
    }

    /// Whether it comes.
    pub fn is_active(&self) -> bool {
        self.state == ParticipantState::Active
    }

    /// Its organisation by credit code or, where there is none, by name; empty where it has none.
    pub fn organisation_key(&self) -> &str {
        match &self.organisation {
            Some(it) if !it.credit_code.is_empty() => &it.credit_code,
            Some(it) => &it.name,
            None => "",
        }
    }

    /// Name of its organisation; empty where it has none.
    pub fn organisation_name(&self) -> &str {
        self.organisation.as_ref().map_or("", |it| it.name.as_str())
    }

    /// Who sits at the table; equal for participants that share people.
    pub fn presenter_key(&self) -> String {
        match (self.presenter.as_str(), self.contact.person.as_str()) {
            ("", "") => format!("record:{}", self.record),
            ("", person) => format!("person:{}:{person}", self.organisation_key()),
            (presenter, _) => format!("presenter:{presenter}"),
        }
    }

    /// Whether its people can come to the whole of a slot.
    pub fn can_come(&self, slot: &Slot) -> bool {
        let within = |it: &Window| it.date == slot.date && it.start <= slot.start && slot.end <= it.end;
        self.windows.is_empty() || self.windows.iter().any(within)
    }

    /// Slots to whose whole its people can come, from 0, in order.
    pub fn slots(&self, event: &Event) -> Vec<usize> {
        let slots = event.slots.iter().enumerate();
        slots.filter(|(_, slot)| self.can_come(slot)).map(|(index, _)| index).collect()
    }

    /// Most meetings of it under the event's rules.
    pub fn cap_under(&self, event: &Event) -> u32 {
        let rule = match self.record.kind {
            Kind::Demand => event.rules.per_demand,
            Kind::Achievement => event.rules.per_achievement,
            Kind::Expert => event.rules.per_expert,
        };
        self.cap.unwrap_or(rule)
    }

    /// Its city in six digits (of a province that is not divided here: the province); empty where not stated.
    pub fn city(&self) -> String {
        self.region.get(..4).map(|city| format!("{city}00")).unwrap_or_default()
    }

    /// Its root of 八大领域 in two digits; empty where not stated.
    pub fn field_root(&self) -> &str {
        self.field.get(..2).unwrap_or_default()
    }

    /// Whether it lies in a region, with all below it.
    pub fn is_in_region(&self, region: &str) -> bool {
        !self.region.is_empty() && self.region.starts_with(gb::region_prefix(region))
    }

    /// Whether it belongs to a field, with all below it.
    pub fn is_in_field(&self, field: &str) -> bool {
        let root = if field.len() == 2 { field.trim_end_matches('0') } else { field };
        !self.field.is_empty() && self.field.starts_with(root)
    }
}

/// Participants by their records.
pub type ByRecord<'a> = BTreeMap<&'a RecordName, &'a Participant>;

/// Orders participants by their records, for looking them up.
pub fn by_record(participants: &[Participant]) -> ByRecord<'_> {
    participants.iter().map(|participant| (&participant.record, participant)).collect()
}

impl Code for ParticipantState {
    const NAME: &'static str = "参会状态";
    const TABLE: &'static [(Self, &'static [&'static str])] =
        &[(Self::Active, &["参加", "active"]), (Self::Cancelled, &["已取消", "cancelled"])];
}
