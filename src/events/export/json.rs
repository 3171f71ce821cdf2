//! All data as JSON. Keys have a fixed order and meaning; new keys may be added.

use serde::Serialize;

use super::{
    ExportError, labels,
    view::{Row, Side, View},
};
use crate::events::model::{Contact, Pair, ScheduleFigures, SharedPeople, Shortlisted, Statistics, Unplaced};
use duijie_core::domain::{Code, RecordName};

/// Name and version of the layout.
const LAYOUT: &str = "duijie.event/1";

#[derive(Serialize)]
struct Document<'a> {
    layout: &'static str,
    exported: String,
    event: About<'a>,
    schedule: Option<ScheduleFigures>,
    participants: Vec<Who<'a>>,
    meetings: Vec<Met<'a>>,
    shortlist: Vec<Chosen<'a>>,
    unplaced: Vec<NotPlaced<'a>>,
    shared_people: &'a [SharedPeople],
    statistics: &'a Statistics,
}

#[derive(Serialize)]
struct About<'a> {
    id: &'a str,
    title: &'a str,
    place: &'a str,
    state: &'static str,
    tables: u32,
    usable_tables: u32,
    plan: u64,
    slots: Vec<Time>,
}

/// Slots and tables count from 1. Times are in UTC+8.
#[derive(Serialize)]
struct Time {
    slot: usize,
    date: String,
    start: String,
    end: String,
}

#[derive(Serialize)]
struct Who<'a> {
    record: &'a RecordName,
    title: &'a str,
    organisation: &'a str,
    region: &'a str,
    field: &'a str,
    state: &'static str,
}

#[derive(Serialize)]
struct Met<'a> {
    #[serde(flatten)]
    time: Time,
    table: u32,
    demand: Party<'a>,
    counterpart: Party<'a>,
    /// Whether contacts are shown in full.
    contacts_shown: bool,
    score: Option<f64>,
    level: Option<u8>,
    locked: bool,
    attendance: Option<&'static str>,
    progress: Option<&'static str>,
}

#[derive(Serialize)]
struct Party<'a> {
    record: &'a RecordName,
    title: &'a str,
    organisation: &'a str,
    contact: &'a Contact,
}

#[derive(Serialize)]
struct Chosen<'a> {
    demand: &'a RecordName,
    counterpart: &'a RecordName,
    score: f64,
    level: Option<u8>,
    rank: u32,
    why: &'static str,
}

#[derive(Serialize)]
struct NotPlaced<'a> {
    pair: &'a Pair,
    code: &'static str,
    reason: String,
}

/// Makes the document.
pub(super) fn json(view: &View) -> Result<Vec<u8>, ExportError> {
    let event = view.event;
    let document = Document {
        layout: LAYOUT,
        exported: view.time.to_string(),
        event: About {
            id: &event.id,
            title: &event.title,
            place: &event.place,
            state: event.state.key(),
            tables: event.tables,
            usable_tables: event.usable_tables(),
            plan: view.plan.number,
            slots: (0..event.slots.len()).filter_map(|slot| time(view, slot)).collect(),
        },
        schedule: view.plan.schedule,
        participants: view.participants.iter().map(who).collect(),
        meetings: view.rows.iter().filter_map(|row| met(view, row)).collect(),
        shortlist: view.plan.shortlist.iter().map(chosen).collect(),
        unplaced: view.plan.unplaced.iter().map(not_placed).collect(),
        shared_people: &view.plan.shared,
        statistics: &view.statistics,
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn time(view: &View, slot: usize) -> Option<Time> {
    let it = view.event.slots.get(slot)?;
    let (start, end) = (labels::clock(it.start), labels::clock(it.end));
    Some(Time { slot: slot + 1, date: it.date.to_string(), start, end })
}

fn who(participant: &crate::events::model::Participant) -> Who<'_> {
    Who {
        record: &participant.record,
        title: &participant.title,
        organisation: participant.organisation_name(),
        region: &participant.region,
        field: &participant.field,
        state: participant.state.key(),
    }
}

fn met<'a>(view: &View, row: &'a Row) -> Option<Met<'a>> {
    Some(Met {
        time: time(view, row.meeting.slot)?,
        table: row.table(),
        demand: party(&row.demand),
        counterpart: party(&row.counterpart),
        contacts_shown: row.agreed,
        score: row.score,
        level: row.level.map(|level| level.number()),
        locked: row.meeting.locked,
        attendance: row.outcome.map(|outcome| outcome.attendance.key()),
        progress: row.outcome.and_then(|outcome| outcome.progress).map(|progress| progress.key()),
    })
}

fn party(side: &Side) -> Party<'_> {
    Party { record: &side.record, title: &side.title, organisation: &side.organisation, contact: &side.contact }
}

fn not_placed(it: &Unplaced) -> NotPlaced<'_> {
    NotPlaced { pair: &it.pair, code: it.cause.code(), reason: it.cause.chinese() }
}

fn chosen(it: &Shortlisted) -> Chosen<'_> {
    Chosen {
        demand: &it.pair.demand,
        counterpart: &it.pair.counterpart,
        score: it.score,
        level: it.level.map(|level| level.number()),
        rank: it.rank,
        why: it.why.key(),
    }
}
