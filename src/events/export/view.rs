//! The report as all formats show it: rows with labels, organisations with their meetings, contacts masked.

use std::collections::BTreeMap;

use super::{EventReport, ExportError, labels::line};
use crate::events::model::{
    Contact, Event, Meeting, Outcome, Pair, Participant, Plan, Shortlisted, Slot, Statistics,
    participant::{ByRecord, by_record},
};
use duijie_core::domain::{RecordName, hit::Level};

/// Shown where a record has no organisation.
pub(super) const NO_ORGANISATION: &str = "（单位未填）";

/// What the formats show.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub event: &'a Event,
    pub plan: &'a Plan,
    pub participants: &'a [Participant],
    pub time: jiff::Timestamp,
    /// Meetings by slot, then table.
    pub rows: Vec<Row<'a>>,
    /// Organisations with a meeting, by name.
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
    /// Whether the contacts are the real ones.
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
    /// By what meetings are gathered on one page: the organisation, or the record where it has none.
    pub key: String,
    /// Masked, unless both sides agree.
    pub contact: Contact,
}

/// An organisation and its meetings.
#[derive(Debug)]
pub(super) struct Organisation {
    pub name: String,
    /// Places in [`View::rows`], each with whether the organisation is the demand's side, in order of time.
    pub meetings: Vec<(usize, bool)>,
}

// === impl View ===

impl<'a> View<'a> {
    /// Brings a report into this form.
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

    /// A participant.
    pub fn participant(&self, record: &RecordName) -> Option<&'a Participant> {
        self.people.get(record).copied()
    }

    /// A record as it stands beside its contact, which stays masked.
    pub fn side(&self, record: &RecordName) -> Side {
        Side::new(&self.people, record, false)
    }
}

/// Organisations with a meeting, by name. One that asks and offers has one entry for both, and one that is written in two
/// ways under one credit code is called by the first of them. One that meets itself has the meeting twice.
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
    /// Number of the table as people read it.
    pub fn table(&self) -> u32 {
        self.meeting.table + 1
    }

    /// A side and the other one.
    pub fn sides(&self, is_demand: bool) -> (&Side, &Side) {
        if is_demand { (&self.demand, &self.counterpart) } else { (&self.counterpart, &self.demand) }
    }

    /// `已交换` where contacts are shown.
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
