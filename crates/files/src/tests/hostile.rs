//! Workbooks made to harm their reader. Each ends in rows, notes or a reason, whatever it says of itself.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::*;

/// An archive of these parts.
pub fn archive(parts: &[(&str, &str)]) -> ZipArchive<Cursor<Vec<u8>>> {
    ZipArchive::new(Cursor::new(packed(parts))).unwrap()
}

fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 100_000, "a test needs no large file");
    bytes
}

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook in a folder: names, targets and texts of its sheets, and other parts.
fn book(folder: &str, sheets: &[(&str, &str, &str)], others: &[(&str, &str)]) -> Vec<u8> {
    let (mut list, mut relations) = (String::new(), String::new());
    for (number, (name, target, _)) in sheets.iter().enumerate() {
        write!(list, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"r{number}\"/>").unwrap();
        write!(relations, "<Relationship Id=\"r{number}\" Type=\"{TYPES}/worksheet\" Target=\"{target}\"/>").unwrap();
    }
    let mut parts = vec![
        (
            "_rels/.rels".to_string(),
            format!(
                "<Relationships><Relationship Id=\"a\" Type=\"{TYPES}/officeDocument\" Target=\"{folder}/workbook.xml\"/></Relationships>"
            ),
        ),
        (format!("{folder}/workbook.xml"), format!("<workbook><sheets>{list}</sheets></workbook>")),
        (format!("{folder}/_rels/workbook.xml.rels"), format!("<Relationships>{relations}</Relationships>")),
    ];
    parts.extend(
        sheets
            .iter()
            .filter(|sheet| !sheet.2.is_empty())
            .map(|(_, target, text)| (format!("{folder}/{target}"), format!("<worksheet>{text}</worksheet>"))),
    );
    parts.extend(others.iter().map(|(name, text)| ((*name).to_string(), (*text).to_string())));
    let parts: Vec<_> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    packed(&parts)
}

/// Rows of cells with their texts in place.
fn data(rows: &[(u32, &[(&str, &str)])]) -> String {
    let mut out = String::from("<sheetData>");
    for (row, cells) in rows {
        write!(out, "<row r=\"{row}\">").unwrap();
        for (column, text) in *cells {
            write!(out, "<c r=\"{column}{row}\" t=\"inlineStr\"><is><t>{text}</t></is></c>").unwrap();
        }
        out.push_str("</row>");
    }
    out + "</sheetData>"
}

/// Rows and notes of a workbook, or why it is refused.
fn outcome(bytes: Vec<u8>) -> Result<(Vec<Row>, Vec<Note>), String> {
    let (_folder, path) = file("demands.xlsx", bytes);
    let mut reader = open(&path, &ReadOptions::default()).map_err(|error| error.to_string())?;
    let rows = reader.by_ref().collect();
    Ok((rows, reader.notes().to_vec()))
}

fn small() -> String {
    data(&[(1, &[("A", "需求名称"), ("B", "需求描述")]), (2, &[("A", "甲"), ("B", "乙")])])
}

#[test]
fn a_workbook_in_any_folder_is_read_with_its_marks() {
    let text = format!(
        "{}<mergeCells><mergeCell ref=\"B2:B3\"/></mergeCells>",
        data(&[(1, &[("A", "需求名称"), ("B", "需求描述")]), (2, &[("A", "甲"), ("B", "乙")]), (3, &[("A", "丙")]),])
    );
    let (rows, notes) = outcome(book("yl", &[("表", "s/1.xml", &text)], &[])).unwrap();
    assert_eq!(rows[1].result.as_ref().unwrap().body, "乙");
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn claims_and_styles_are_checked_where_they_are_read() {
    let code = "0".repeat(5000);
    let styles =
        format!("<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"{code}\"/></numFmts></styleSheet>");
    let claim = "<sst uniqueCount=\"3000000000000\"></sst>";
    for folder in ["xl", "yl"] {
        for (part, text) in [("styles.xml", styles.as_str()), ("sharedStrings.xml", claim)] {
            let bytes = book(folder, &[("表", "s/1.xml", &small())], &[(&format!("{folder}/{part}"), text)]);
            assert!(outcome(bytes).is_err_and(|said| said.contains("过大")), "{folder}/{part}");
        }
    }
}

#[test]
fn sheets_share_no_part_and_have_a_limit() {
    let one = small();
    let refused = |sheets: &[(&str, &str, &str)]| outcome(book("xl", sheets, &[])).is_err();
    assert!(refused(&[("一", "s/1.xml", &one), ("二", "s/1.xml", "")]));
    assert!(refused(&[("一", "s/1.xml", &one), ("二", "S/1.XML", "")]));
    assert!(refused(&[("一", "s/data.png", &one)]));
    let names: Vec<_> = (0..1001).map(|number| (format!("表{number}"), format!("s/{number}.xml"))).collect();
    let many: Vec<_> = names.iter().map(|(name, target)| (name.as_str(), target.as_str(), "")).collect();
    assert!(refused(&many));
}

#[test]
fn a_long_record_of_several_rows_is_refused_whole() {
    // five rows with texts of 300 KB under one title; the next record is read
    let long = "x".repeat(300_000);
    let row = |number: u32| format!("<row r=\"{number}\"><c r=\"B{number}\" t=\"s\"><v>0</v></c></row>");
    let rows: String = (3..8).map(row).collect();
    let text = format!(
        "{}{rows}<row r=\"8\"><c r=\"A8\" t=\"s\"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref=\"A2:A7\"/></mergeCells>",
        small().trim_end_matches("</sheetData>")
    );
    let strings = format!("<sst uniqueCount=\"2\"><si><t>{long}</t></si><si><t>丁</t></si></sst>");
    let (rows, _) = outcome(book("xl", &[("表", "s/1.xml", &text)], &[("xl/sharedStrings.xml", &strings)])).unwrap();
    assert!(rows[0].result.as_ref().is_err_and(|errors| errors[0].reason.contains("1 MiB")));
    assert_eq!((rows[1].number, rows[1].result.as_ref().unwrap().title.as_str(), rows.len()), (8, "丁", 2));
}

#[test]
fn a_merged_cell_makes_no_row_too_long() {
    // two merged texts of 600 KB: each fits into a row, both do not
    let long = "x".repeat(600_000);
    let text = format!(
        "{}<row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"C3\" t=\"s\"><v>0</v></c></row><row r=\"4\"><c r=\"A4\" t=\"s\"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref=\"B2:B4\"/><mergeCell ref=\"C3:C4\"/></mergeCells>",
        data(&[(1, &[("A", "需求名称"), ("B", "需求描述"), ("C", "备注")])])
            .trim_end_matches("</sheetData>")
            .to_string()
            + "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c><c r=\"B2\" t=\"s\"><v>0</v></c></row>"
    );
    let strings = format!("<sst uniqueCount=\"2\"><si><t>{long}</t></si><si><t>丁</t></si></sst>");
    let (rows, _) = outcome(book("xl", &[("表", "s/1.xml", &text)], &[("xl/sharedStrings.xml", &strings)])).unwrap();
    let last = rows.last().unwrap();
    assert!(
        last.number == 4 && last.result.as_ref().is_err_and(|errors| errors[0].reason.contains("合并")),
        "{last:?}"
    );
}

#[test]
fn whole_cells_are_no_headings() {
    // cells of 1 MB above the heading, in many columns of many sheets
    let cells: String =
        (b'A'..=b'T').map(|column| format!("<c r=\"{}1\" t=\"s\"><v>0</v></c>", char::from(column))).collect();
    let sheet = format!("<sheetData><row r=\"1\">{cells}</row></sheetData>");
    let names: Vec<_> = (0..9).map(|number| (format!("表{number}"), format!("s/{number}.xml"))).collect();
    let mut sheets: Vec<_> =
        names.iter().map(|(name, target)| (name.as_str(), target.as_str(), sheet.as_str())).collect();
    let good = small();
    sheets.push(("好", "s/good.xml", &good));
    let strings = format!("<sst uniqueCount=\"1\"><si><t>{}</t></si></sst>", "需求".repeat(8_000));
    let (rows, notes) = outcome(book("xl", &sheets, &[("xl/sharedStrings.xml", &strings)])).unwrap();
    assert_eq!((rows.len(), notes.len()), (1, 9));
}

#[test]
fn a_format_without_end_shows_the_plain_value() {
    let styles = format!(
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"0.{}\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>",
        "0".repeat(200)
    );
    let text = format!(
        "{}<row r=\"3\"><c r=\"A3\" s=\"1\"><v>0.5</v></c></row></sheetData>",
        small().trim_end_matches("</sheetData>")
    );
    let (rows, _) = outcome(book("xl", &[("表", "s/1.xml", &text)], &[("xl/styles.xml", &styles)])).unwrap();
    assert_eq!(rows[1].result.as_ref().unwrap().title, "0.5");
}

#[test]
fn notes_on_columns_stand_behind_any_number_of_rows() {
    let mut text = String::from("需求名称,预算,备注\n");
    for number in 0..1200 {
        text.push_str("合计,5,\n");
        writeln!(text, "甲{number},5,附注").unwrap();
    }
    let (_folder, path) = file("a.csv", text);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(reader.by_ref().count(), 1200);
    let notes = reader.notes();
    assert!(notes.iter().any(|note| note.cell.column == "备注" && note.cell.reason.contains("1200 格")));
    assert!(
        notes.last().is_some_and(|note| note.cell.reason.contains("200 条关于单行的没有列出")),
        "{:?}",
        notes.last()
    );
}

#[test]
fn keys_of_an_owner_and_of_many_lines_are_told() {
    let mut text = String::from("{\"title\":\"甲\",\"owner\":{\"名称\":\"乙\",\"phone\":\"1\"}}\n");
    for number in 0..300 {
        writeln!(text, "{{\"title\":\"甲{number}\",\"k{number}\":1}}").unwrap();
    }
    let (_folder, path) = file("demands.jsonl", text);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    let first = reader.next().unwrap().result.unwrap();
    assert_eq!((first.owner.unwrap().name.as_str(), reader.by_ref().count()), ("乙", 300));
    let told = |column: &str, part: &str| {
        reader.notes().iter().any(|note| note.cell.column == column && note.cell.reason.contains(part))
    };
    assert!(told("owner.phone", "1 个值") && told("（其余的键）", "101 个值"), "{:?}", reader.notes().last());
}

#[test]
fn a_quote_without_its_pair_costs_one_row_behind_any_line_end() {
    for end in ["\r", "\n", "\r\n"] {
        let text = "需求名称,需求描述\n甲,\"没有结束\n乙,好\n丙,好\n".replace('\n', end);
        let rows = read("a.csv", text, &ReadOptions::default());
        assert_eq!(rows.iter().map(|row| row.result.is_ok()).collect::<Vec<_>>(), [false, true, true], "{end:?}");
    }
}

#[test]
fn guards_come_off_in_sheets_as_in_csv() {
    let text = data(&[
        (1, &[("A", "需求编号"), ("B", "需求名称")]),
        (2, &[("A", "'00123"), ("B", "'=1+1 的求解")]),
        (3, &[("A", "=&quot;00124&quot;"), ("B", "'十四五'规划")]),
    ]);
    let (rows, _) = outcome(book("xl", &[("表", "s/1.xml", &text)], &[])).unwrap();
    let got: Vec<_> = rows.iter().map(|row| row.result.as_ref().unwrap()).map(|own| (&*own.id, &*own.title)).collect();
    assert_eq!(got, [("00123", "=1+1 的求解"), ("00124", "'十四五'规划")]);
}

#[test]
fn a_large_part_has_no_long_text() {
    let text = data(&[(1, &[("A", "需求名称")]), (2, &[("A", &"x".repeat(17 << 20))])]);
    let refused = outcome(book("xl", &[("表", "s/sheet1.xml", &text)], &[]));
    assert!(refused.is_err_and(|said| said.contains("过大")));
}
