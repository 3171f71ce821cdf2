//! Calendars (RFC 5545): of one participant, of all meetings, or an archive with one per participant.
//!
//! A meeting keeps its UID through all plans; SEQUENCE is the plan's number. Importing a newer calendar therefore moves
//! changed meetings. Meetings that the current plan dropped are marked as cancelled.

use std::{
    collections::BTreeSet,
    io::{Cursor, Write},
};

use icalendar::{Calendar, Component, Event as Entry, EventLike, EventStatus};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    ExportError,
    labels::line,
    view::{Row, Side, View},
};
use crate::events::model::{Change, Pair, Slot};
use duijie_core::domain::RecordName;

/// Bytes of the hash in a UID.
const UID_BYTES: usize = 16;

/// Returns the file name of a participant's calendar in an archive or a folder. No record name contains `~`.
pub fn file_name(record: &RecordName) -> String {
    format!("{}.ics", record.to_string().replace('/', "~"))
}

/// Makes the calendar of a participant, or of all meetings.
pub(super) fn calendar(view: &View, participant: Option<&RecordName>) -> Result<Vec<u8>, ExportError> {
    let title = line(&view.event.title);
    let name = match participant {
        None => title,
        Some(record) => {
            let known = view.participant(record).ok_or_else(|| ExportError::UnknownParticipant(record.clone()))?;
            format!("{title} · {}", line(&known.title))
        }
    };
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//duijie//event//ZH"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name(&name);
    let is_of = |pair: &Pair| participant.is_none_or(|record| pair.has(record));
    for row in view.rows.iter().filter(|row| is_of(&row.meeting.pair)) {
        calendar.push(meeting(view, row, participant));
    }
    for change in view.plan.changes.iter().filter(|change| change.to.is_none() && is_of(&change.pair)) {
        if let Some(entry) = cancelled(view, change, participant) {
            calendar.push(entry);
        }
    }
    let mut text = String::new();
    std::fmt::Write::write_fmt(&mut text, format_args!("{calendar}"))?;
    Ok(text.into_bytes())
}

/// Makes a ZIP archive with the calendar of each participant that has, or had, a meeting.
pub(super) fn archive(view: &View) -> Result<Vec<u8>, ExportError> {
    let pairs = view.rows.iter().map(|row| &row.meeting.pair);
    let pairs = pairs.chain(view.plan.changes.iter().filter(|change| change.to.is_none()).map(|change| &change.pair));
    let records: BTreeSet<&RecordName> = pairs.flat_map(|pair| [&pair.demand, &pair.counterpart]).collect();
    // Files get the earliest ZIP time, so that the same event gives the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let options = options.last_modified_time(zip::DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for record in records.into_iter().filter(|record| view.participant(record).is_some()) {
        archive.start_file(file_name(record), options)?;
        archive.write_all(&calendar(view, Some(record))?)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn meeting(view: &View, row: &Row, participant: Option<&RecordName>) -> Entry {
    let table = format!("{} 号桌", row.table());
    let (summary, description) = match participant {
        None => (format!("{} × {}", row.demand.organisation, row.counterpart.organisation), both(row)),
        Some(record) => {
            let (own, other) = row.sides(row.demand.record == *record);
            (format!("洽谈：{}（{table}）", other.organisation), for_one(own, other, row))
        }
    };
    let mut entry = entry(view, &row.meeting.pair, row.slot);
    entry.summary(&summary).description(&description).status(EventStatus::Confirmed);
    let place = line(&view.event.place);
    entry.location(if place.is_empty() { table } else { format!("{place} {table}") }.as_str());
    entry.done()
}

fn cancelled(view: &View, change: &Change, participant: Option<&RecordName>) -> Option<Entry> {
    let (slot, _) = change.from?;
    let [demand, counterpart] = [&change.pair.demand, &change.pair.counterpart].map(|record| view.side(record));
    let summary = match participant {
        Some(record) if *record == demand.record => counterpart.organisation,
        Some(_) => demand.organisation,
        None => format!("{} × {}", demand.organisation, counterpart.organisation),
    };
    let mut entry = entry(view, &change.pair, view.event.slots.get(slot)?);
    entry.summary(&format!("已取消：{summary}")).status(EventStatus::Cancelled);
    Some(entry.done())
}

/// Makes an entry with its common properties. Times are in UTC; calendars show them in the local time zone.
fn entry(view: &View, pair: &Pair, slot: &Slot) -> Entry {
    let mut entry = Entry::new();
    entry.uid(&uid(&view.event.id, pair)).add_property("DTSTAMP", utc(view.time));
    entry.sequence(u32::try_from(view.plan.number).unwrap_or(u32::MAX));
    if let Some((start, end)) = slot.instants() {
        entry.add_property("DTSTART", utc(start)).add_property("DTEND", utc(end));
    }
    entry
}

fn for_one(own: &Side, other: &Side, row: &Row) -> String {
    let mut lines = vec![
        format!("本方{}：{}", own.kind(), own.title),
        format!("对方{}：{}", other.kind(), other.title),
        format!("对方单位：{}", other.organisation),
    ];
    lines.extend(contact("对方联系方式", other, row));
    lines.join("\n")
}

fn both(row: &Row) -> String {
    let side = |side: &Side| format!("{}：{}（{}）", side.kind(), side.title, side.organisation);
    let mut lines = vec![side(&row.demand), side(&row.counterpart)];
    lines.extend(contact("需求方", &row.demand, row));
    lines.extend(contact("供给方", &row.counterpart, row));
    lines.join("\n")
}

fn contact(heading: &str, side: &Side, row: &Row) -> Option<String> {
    let contact = &side.contact;
    let parts = [&contact.person, &contact.phone, &contact.email].into_iter().filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts.map(String::as_str).collect();
    let note = if row.agreed { "" } else { "（双方同意后显示）" };
    (!parts.is_empty()).then(|| format!("{heading}：{}{note}", parts.join(" ")))
}

/// Returns the UID of a pair at an event, independent of slot and table.
fn uid(event: &str, pair: &Pair) -> String {
    let hash = Sha256::digest(format!("{event}\n{}", pair.key()));
    let hex: String = hash.iter().take(UID_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}@duijie")
}

fn utc(time: jiff::Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
