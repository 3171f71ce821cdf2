//! CSV and JSON read back, and reports that cannot be exported.

use super::fixture::{Fixture, record};
use crate::events::{
    export::{ExportError, Format, export},
    model::Organisation,
};
use duijie_core::domain::Kind;
use duijie_files::export::harmless;

#[test]
fn csv_is_read_back() {
    let fixture = Fixture::eventful();
    let bytes = export(&fixture.report(), Format::Csv, None).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), fixture.plan.meetings.len());
    for (row, meeting) in rows.iter().zip(&fixture.plan.meetings) {
        assert_eq!(row[column("需求编号")], meeting.pair.demand.to_string());
        assert_eq!(row[column("供给编号")], meeting.pair.counterpart.to_string());
        assert_eq!(row[column("桌号")], (meeting.table + 1).to_string());
        let slot = &fixture.event.slots[meeting.slot];
        assert_eq!(row[column("日期")], slot.date.to_string());
        let participant = fixture.participants.iter().find(|it| it.record == meeting.pair.demand).unwrap();
        assert_eq!(row[column("需求")], harmless(&participant.title));
    }
    let agreed = rows.iter().filter(|row| &row[column("联系方式")] == "已交换").count();
    assert_eq!(agreed, 1);
    assert_eq!(&rows[2][column("进展")], "已签约（技术许可，1200000 元）");
}

#[test]
fn no_field_is_a_formula() {
    let text = String::from_utf8(export(&Fixture::new(5, 2).report(), Format::Csv, None).unwrap()).unwrap();
    assert!(text.contains("'=SUM(A1)") && !text.contains(",=SUM"));
}

#[test]
fn json_is_read_back() {
    let fixture = Fixture::eventful();
    let bytes = export(&fixture.report(), Format::Json, None).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["layout"], "duijie.event/1");
    assert_eq!(json["exported"], "2026-11-20T01:02:03Z");
    assert_eq!(
        json["event"]["slots"][1],
        serde_json::json!({"slot": 2, "date": "2026-12-01", "start": "09:30", "end": "09:55"})
    );
    let meetings = json["meetings"].as_array().unwrap();
    assert_eq!(meetings.len(), fixture.plan.meetings.len());
    for (read, meeting) in meetings.iter().zip(&fixture.plan.meetings) {
        assert_eq!(read["demand"]["record"], meeting.pair.demand.to_string());
        assert_eq!(read["slot"], meeting.slot + 1);
        assert_eq!(read["table"], meeting.table + 1);
    }
    assert_eq!(json["unplaced"][0]["code"], "NO_COMMON_SLOT");
    assert_eq!(json["statistics"]["total"]["signed_yuan"], 1_200_000);
    // The order of the keys is a part of the layout.
    let text = String::from_utf8(bytes).unwrap();
    let places = ["\"layout\"", "\"event\"", "\"schedule\"", "\"participants\"", "\"meetings\"", "\"shortlist\""];
    let places: Vec<usize> = places.iter().map(|key| text.find(key).unwrap()).collect();
    assert!(places.is_sorted());
}

#[test]
fn what_contradicts_the_event_is_refused() {
    let mut fixture = Fixture::new(1, 1);
    let stranger = record(Kind::Demand, 99);
    let unknown = export(&fixture.report(), Format::Ics, Some(&stranger));
    assert!(matches!(unknown, Err(ExportError::UnknownParticipant(name)) if name == stranger));
    fixture.event.slots.clear();
    assert!(matches!(export(&fixture.report(), Format::Csv, None), Err(ExportError::UnknownSlot(1))));
}

#[test]
fn an_empty_plan_can_be_exported() {
    let fixture = Fixture::new(1, 0);
    for format in [Format::Xlsx, Format::Html, Format::Ics, Format::IcsZip, Format::Csv, Format::Json] {
        assert!(!export(&fixture.report(), format, None).unwrap().is_empty());
    }
    let html = String::from_utf8(export(&fixture.report(), Format::Html, None).unwrap()).unwrap();
    assert!(html.contains("尚无洽谈安排"));
}

#[test]
fn a_participant_who_is_gone_from_the_list_is_called_by_its_name() {
    let mut fixture = Fixture::new(1, 1);
    fixture.participants.clear();
    let html = String::from_utf8(export(&fixture.report(), Format::Html, None).unwrap()).unwrap();
    assert!(html.contains("demands/n000") && html.contains("（单位未填）"));
}

#[test]
fn one_credit_code_is_one_organisation_however_its_name_is_written() {
    let mut fixture = Fixture::new(2, 1);
    for (at, participant) in fixture.participants.iter_mut().filter(|it| it.asks()).enumerate() {
        let name = ["乙厂", "甲厂"][at].to_string();
        participant.organisation = Some(Organisation { name, credit_code: "91130100MA0000000X".to_string() });
    }
    let html = String::from_utf8(export(&fixture.report(), Format::Html, None).unwrap()).unwrap();
    assert_eq!(html.matches("<h1>乙厂</h1>").count(), 1);
    assert!(!html.contains("<h1>甲厂</h1>"));
}
