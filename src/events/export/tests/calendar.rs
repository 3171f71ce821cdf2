//! Calendars, read back line by line.

use std::io::Cursor;

use super::fixture::{Fixture, record};
use crate::events::export::{Format, export, file_name};
use duijie_core::domain::{Kind, RecordName};

/// Lines as RFC 5545 has them, unfolded and unescaped, by entry.
struct Read {
    head: Vec<(String, String)>,
    entries: Vec<Vec<(String, String)>>,
}

fn read(bytes: Vec<u8>) -> Read {
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "lines end with CRLF");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "lines have 75 bytes at most");
    let mut read = Read { head: Vec::new(), entries: Vec::new() };
    let mut is_inside = false;
    for line in text.replace("\r\n ", "").lines() {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
        match (name, value.as_str()) {
            ("BEGIN", "VEVENT") => {
                read.entries.push(Vec::new());
                is_inside = true;
            }
            ("END", "VEVENT") => is_inside = false,
            _ if is_inside => read.entries.last_mut().unwrap().push((name.to_string(), value)),
            _ => read.head.push((name.to_string(), value)),
        }
    }
    read
}

fn of<'a>(lines: &'a [(String, String)], name: &str) -> &'a str {
    &lines.iter().find(|(one, _)| one == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn calendar(fixture: &Fixture, participant: Option<&RecordName>) -> Read {
    read(export(&fixture.report(), Format::Ics, participant).unwrap())
}

#[test]
fn a_participants_calendar_has_its_meetings() {
    let fixture = Fixture::new(5, 3);
    let who = record(Kind::Demand, 3);
    let read = calendar(&fixture, Some(&who));
    for (name, want) in [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("METHOD", "PUBLISH")] {
        assert_eq!(of(&read.head, name), want);
    }
    let meetings: Vec<_> = fixture.plan.meetings.iter().filter(|meeting| meeting.pair.has(&who)).collect();
    assert_eq!((read.entries.len(), meetings.len()), (3, 3));
    for (entry, meeting) in read.entries.iter().zip(meetings) {
        let slot = &fixture.event.slots[meeting.slot];
        // Shanghai is eight hours ahead.
        let start = format!(
            "{:04}{:02}{:02}T{:02}{:02}00Z",
            slot.date.year(),
            slot.date.month(),
            slot.date.day(),
            slot.start.hour() - 8,
            slot.start.minute()
        );
        assert_eq!(of(entry, "DTSTART"), start);
        assert_eq!(of(entry, "DTSTAMP"), "20261120T010203Z");
        assert_eq!(of(entry, "SEQUENCE"), "3");
        assert_eq!(of(entry, "STATUS"), "CONFIRMED");
        assert_eq!(of(entry, "LOCATION"), format!("石家庄国际会展中心 3 号馆 {} 号桌", meeting.table + 1));
        let own = fixture.participants.iter().find(|it| it.record == who).unwrap();
        assert!(of(entry, "DESCRIPTION").starts_with(&format!("本方需求：{}\n对方", own.title)), "{entry:?}");
        assert!(of(entry, "DESCRIPTION").ends_with("赵** 138****4567 s***@example.cn（双方同意后显示）"));
    }
}

#[test]
fn all_meetings_are_in_the_calendar_of_the_event_under_uids_that_stay() {
    let mut fixture = Fixture::new(5, 3);
    let uids = |fixture: &Fixture| -> Vec<String> {
        let mut uids: Vec<String> =
            calendar(fixture, None).entries.iter().map(|entry| of(entry, "UID").to_string()).collect();
        uids.sort_unstable();
        uids.dedup();
        uids
    };
    let before = uids(&fixture);
    assert_eq!(before.len(), fixture.plan.meetings.len());
    for meeting in &mut fixture.plan.meetings {
        meeting.slot = (meeting.slot + 1) % 16;
        meeting.table += 1;
    }
    fixture.plan.number += 1;
    assert_eq!(uids(&fixture), before);
    fixture.event.id.push('x');
    assert!(uids(&fixture).iter().all(|uid| !before.contains(uid)));
}

#[test]
fn what_was_dropped_comes_as_cancelled() {
    let fixture = Fixture::eventful();
    let read = calendar(&fixture, Some(&record(Kind::Demand, 0)));
    let entry = read.entries.last().unwrap();
    assert_eq!(of(entry, "STATUS"), "CANCELLED");
    assert!(of(entry, "SUMMARY").starts_with("已取消："));
    assert_eq!(of(entry, "DTSTART"), "20261201T063000Z");
}

#[test]
fn the_archive_has_a_calendar_for_each() {
    let fixture = Fixture::eventful();
    let bytes = export(&fixture.report(), Format::IcsZip, None).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let with_meeting = |who: &RecordName| {
        fixture
            .plan
            .meetings
            .iter()
            .map(|one| &one.pair)
            .chain(fixture.plan.changes.iter().map(|one| &one.pair))
            .any(|pair| pair.has(who))
    };
    let who: Vec<&RecordName> =
        fixture.participants.iter().map(|it| &it.record).filter(|who| with_meeting(who)).collect();
    assert_eq!(archive.len(), who.len());
    for record in who {
        let mut text = Vec::new();
        std::io::copy(&mut archive.by_name(&file_name(record)).unwrap(), &mut text).unwrap();
        assert_eq!(text, export(&fixture.report(), Format::Ics, Some(record)).unwrap());
    }
}

#[test]
fn names_of_files_have_no_folders() {
    let name = RecordName { kind: Kind::Demand, source: "a-b".to_string(), id: "c".to_string() };
    assert_eq!(file_name(&name), "demands~a-b~c.ics");
}
