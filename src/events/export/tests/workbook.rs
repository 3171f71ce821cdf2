//! The workbook, opened again and compared with the report.

use std::io::{Cursor, Read};

use calamine::{Data, Range, Reader, Xlsx};

use super::fixture::Fixture;
use crate::events::{
    export::{Format, export},
    model::Meeting,
};

struct Opened {
    sheets: Vec<(String, Range<Data>)>,
    bytes: Vec<u8>,
}

fn open(fixture: &Fixture) -> Opened {
    let bytes = export(&fixture.report(), Format::Xlsx, None).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
    Opened { sheets: book.worksheets(), bytes }
}

impl Opened {
    /// Rows below the heading, as texts, and the place of a column.
    fn rows(&self, name: &str) -> (Vec<Vec<String>>, impl Fn(&str) -> usize + use<>) {
        let (_, range) = self.sheets.iter().find(|(sheet, _)| sheet == name).unwrap();
        let mut rows: Vec<Vec<String>> =
            range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        let headings = rows.remove(0);
        (rows, move |heading: &str| headings.iter().position(|one| one == heading).unwrap())
    }
}

fn title(fixture: &Fixture, record: &duijie_core::domain::RecordName) -> String {
    fixture.participants.iter().find(|it| it.record == *record).unwrap().title.clone()
}

#[test]
fn its_sheets_say_what_the_report_says() {
    let fixture = Fixture::eventful();
    let book = open(&fixture);
    let names: Vec<&str> = book.sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["总览", "各单位", "各桌", "各时段", "统计"]);
    // Each slot: in the plan's own order.
    let (rows, column) = book.rows("各时段");
    assert_eq!(rows.len(), fixture.plan.meetings.len());
    for (row, meeting) in rows.iter().zip(&fixture.plan.meetings) {
        assert_eq!(row[column("需求")], title(&fixture, &meeting.pair.demand));
        assert_eq!(row[column("供给项目")], title(&fixture, &meeting.pair.counterpart));
        assert_eq!(row[column("桌号")], (meeting.table + 1).to_string());
        assert_eq!(row[column("日期")], fixture.event.slots[meeting.slot].date.to_string());
    }
    // Each table: the same meetings by table, then time.
    let (rows, column) = book.rows("各桌");
    let mut by_table: Vec<&Meeting> = fixture.plan.meetings.iter().collect();
    by_table.sort_by_key(|meeting| (meeting.table, meeting.slot));
    let tables: Vec<String> = by_table.iter().map(|meeting| (meeting.table + 1).to_string()).collect();
    assert_eq!(rows.iter().map(|row| row[column("桌号")].clone()).collect::<Vec<_>>(), tables);
    for (row, meeting) in rows.iter().zip(by_table) {
        assert_eq!(row[column("需求")], title(&fixture, &meeting.pair.demand));
    }
    // Each organisation: every meeting stands there for both sides.
    let (rows, column) = book.rows("各单位");
    assert_eq!(rows.len(), fixture.plan.meetings.len() * 2);
    assert!(rows.is_sorted_by_key(|row| row[column("单位")].clone()));
    for participant in &fixture.participants {
        let wanted = fixture.plan.meetings.iter().filter(|meeting| meeting.pair.has(&participant.record)).count();
        let name = participant.organisation_name();
        let shared =
            fixture.participants.iter().filter(|it| it.organisation_name() == name && it.title == participant.title);
        if shared.count() == 1 {
            let found =
                rows.iter().filter(|row| row[column("单位")] == name && row[column("本单位项目")] == participant.title);
            assert_eq!(found.count(), wanted, "{}", participant.record);
        }
    }
    let shown = rows.iter().filter(|row| row[column("对方邮箱")].contains("secret")).count();
    assert_eq!(shown, 2, "one pair agreed, both of its sides see the other");
}

#[test]
fn overview_and_statistics() {
    let fixture = Fixture::eventful();
    let book = open(&fixture);
    let (rows, _) = book.rows("总览");
    let fact = |name: &str| rows.iter().find(|row| row[0] == name).map(|row| row[1].clone()).unwrap();
    assert_eq!(fact("日期"), "2026年12月1日至2日");
    assert_eq!(fact("已排洽谈"), format!("{} 场", fixture.plan.meetings.len()));
    assert_eq!(fact("桌子"), "40 张，每个时段最多使用 36 张");
    assert_eq!(rows.last().unwrap()[2], "双方没有共同的时段");
    let (rows, column) = book.rows("统计");
    let total = &rows[0];
    let counts = ["洽谈", "已洽谈", "达成意向", "已签约", "签约金额（元）", "未成", "成熟度不够"];
    assert_eq!(counts.map(|name| total[column(name)].as_str()), ["4", "4", "1", "1", "1200000", "1", "1"]);
    let groups: Vec<&str> = rows[1..].iter().map(|row| row[column("分组")].as_str()).collect();
    assert_eq!(groups, [fixture.event.title.as_str(), "河北石家庄", "新材料", "2026Q4"]);
}

#[test]
fn a_formula_is_a_text() {
    let fixture = Fixture::new(2, 1);
    let (rows, column) = open(&fixture).rows("各时段");
    assert!(rows.iter().any(|row| row[column("需求")].starts_with("=SUM(A1)")));
    let mut archive = zip::ZipArchive::new(Cursor::new(open(&fixture).bytes)).unwrap();
    for at in 0..archive.len() {
        let mut part = String::new();
        archive.by_index(at).unwrap().read_to_string(&mut part).unwrap();
        assert!(!part.contains("<f>"), "a formula");
    }
}

#[test]
fn every_sheet_can_be_printed() {
    let mut archive = zip::ZipArchive::new(Cursor::new(open(&Fixture::new(2, 1)).bytes)).unwrap();
    for sheet in 1..=5 {
        let mut xml = String::new();
        archive.by_name(&format!("xl/worksheets/sheet{sheet}.xml")).unwrap().read_to_string(&mut xml).unwrap();
        for part in [
            "paperSize=\"9\"",
            "orientation=\"landscape\"",
            "fitToHeight=\"0\"",
            "state=\"frozen\"",
            "第 &amp;P 页",
            "<col ",
        ] {
            assert!(xml.contains(part), "{part} in sheet {sheet}");
        }
    }
    let mut xml = String::new();
    archive.by_name("xl/workbook.xml").unwrap().read_to_string(&mut xml).unwrap();
    assert_eq!(xml.matches("_xlnm.Print_Titles").count(), 5);
}
