//! View of the report shared by all formats: rows with labels, organisations with their meetings, contacts masked.

use std::collections::BTreeMap;

use super::{EventReport, ExportError, labels::line};
use crate::events::model::{
    Contact, Event, Meeting, Outcome, Pair, Participant, Plan, Shortlisted, Slot, Statistics,
    participant::{ByRecord, by_record},
};
use duijie_core::domain::{RecordName, hit::Level};

/// Label for a record without organisation.
pub(super) const NO_ORGANISATION: &str = "（单位未填）";

/// Data shown by all formats.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub event: &'a Event,
    pub plan: &'a Plan,
    pub participants: &'a [Participant],
    pub time: jiff::Timestamp,
    /// Meetings, ordered by slot and table.
    pub rows: Vec<Row<'a>>,
    /// Organisations with a meeting, ordered by name.
    pub organisations: Vec<Organisation>,
    pub statistics: Statistics,
    people: ByRecord<'a>,
}

/// A meeting.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub meeting: &'a Meeting,
    pub slot: &'a Slot,
    pub demand: Side,
    pub counterpart: Side,
    /// Whether contacts are shown in full.
    pub agreed: bool,
    pub score: Option<f64>,
    pub level: Option<Level>,
    pub outcome: Option<&'a Outcome>,
}

/// One side of a meeting.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub record: RecordName,
    pub title: String,
    pub organisation: String,
    /// Key that groups meetings on a page: the organisation, or the record if it has none.
    pub key: String,
    /// Contact, masked unless both sides consent.
    pub contact: Contact,
}

/// An organisation and its meetings.
#[derive(Debug)]
pub(super) struct Organisation {
    pub name: String,
    /// Indexes into [`View::rows`] in order of time, each with whether the organisation is the demand side.
    pub meetings: Vec<(usize, bool)>,
}

// === impl View ===

impl<'a> View<'a> {
    /// Makes the view of a report.
    pub fn new(report: &EventReport<'a>) -> Result<Self, ExportError> {
        let people = by_record(report.participants);
        let outcomes: BTreeMap<&Pair, &Outcome> =
            report.outcomes.iter().map(|outcome| (&outcome.pair, outcome)).collect();
        let chosen: BTreeMap<&Pair, &Shortlisted> = report.plan.shortlist.iter().map(|it| (&it.pair, it)).collect();
        let row = |meeting: &'a Meeting| {
            let slot = report.event.slots.get(meeting.slot).ok_or(ExportError::UnknownSlot(meeting.slot + 1))?;
            let outcome = outcomes.get(&meeting.pair).copied();
            let agreed = outcome.is_some_and(|outcome| outcome.consent.of_both());
            let shortlisted = chosen.get(&meeting.pair);
            Ok(Row {
                meeting,
                slot,
                demand: Side::new(&people, &meeting.pair.demand, agreed),
                counterpart: Side::new(&people, &meeting.pair.counterpart, agreed),
                agreed,
                score: shortlisted.map(|it| it.score),
                level: shortlisted.and_then(|it| it.level),
                outcome,
            })
        };
        let rows: Result<Vec<Row>, ExportError> = report.plan.meetings.iter().map(row).collect();
        let mut rows = rows?;
        rows.sort_by_key(|row| (row.meeting.slot, row.meeting.table));
        Ok(Self {
            event: report.event,
            plan: report.plan,
            participants: report.participants,
            time: report.time,
            organisations: organisations(&rows),
            rows,
            statistics: Statistics::of(report.outcomes),
            people,
        })
    }

    /// Returns the participant of a record.
    pub fn participant(&self, record: &RecordName) -> Option<&'a Participant> {
        self.people.get(record).copied()
    }

    /// Returns one side of a meeting with its contact masked.
    pub fn side(&self, record: &RecordName) -> Side {
        Side::new(&self.people, record, false)
    }
}

/// Returns the organisations with a meeting, ordered by name. An organisation on both sides has one entry. One with two
/// spellings under the same credit code gets the first in order. One that meets itself has that meeting twice.
fn organisations(rows: &[Row]) -> Vec<Organisation> {
    let mut by_key: BTreeMap<&str, Organisation> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        for (side, is_demand) in [(&row.demand, true), (&row.counterpart, false)] {
            let name = &side.organisation;
            let new = || Organisation { name: name.clone(), meetings: Vec::new() };
            let organisation = by_key.entry(&side.key).or_insert_with(new);
            if *name < organisation.name {
                organisation.name.clone_from(name);
            }
            organisation.meetings.push((at, is_demand));
        }
    }
    let mut organisations: Vec<Organisation> = by_key.into_values().collect();
    organisations.sort_by(|one, other| one.name.cmp(&other.name)); // stable: equal names stay in the order of their keys
    organisations
}

// === impl Row ===

impl Row<'_> {
    /// Returns the table number, from 1.
    pub fn table(&self) -> u32 {
        self.meeting.table + 1
    }

    /// Returns the own side and the other side.
    pub fn sides(&self, is_demand: bool) -> (&Side, &Side) {
        if is_demand { (&self.demand, &self.counterpart) } else { (&self.counterpart, &self.demand) }
    }

    /// Returns `已交换` if contacts are shown.
    pub fn exchange(&self) -> &'static str {
        if self.agreed { "已交换" } else { "未交换" }
    }
}

// === impl Side ===

impl Side {
    fn new(people: &ByRecord<'_>, record: &RecordName, agreed: bool) -> Self {
        let participant = people.get(record).copied();
        let organisation = participant.map_or("", Participant::organisation_name);
        let key = participant.map_or("", Participant::organisation_key);
        let contact = participant.map(|it| it.contact.shown(agreed)).unwrap_or_default();
        let Contact { person, phone, email } = contact;
        Self {
            record: record.clone(),
            title: line(participant.map_or(&record.to_string(), |it| &it.title)),
            organisation: if organisation.is_empty() { NO_ORGANISATION.to_string() } else { line(organisation) },
            key: if key.is_empty() { record.to_string() } else { key.to_string() },
            contact: Contact { person: line(&person), phone: line(&phone), email: line(&email) },
        }
    }

    /// 需求, 成果, 专家.
    pub fn kind(&self) -> &'static str {
        self.record.kind.label()
    }
}
