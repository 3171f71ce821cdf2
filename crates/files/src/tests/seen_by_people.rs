//! Workbooks as people see them: sheets, merged cells, two rows of headings, displayed values; what is not read is told.

use super::*;
use rust_xlsxwriter::{Formula, Worksheet};

/// Rows and notes of a workbook.
fn all(workbook: &mut Workbook) -> (Vec<Row>, Vec<Note>) {
    let (_folder, path) = file("a.xlsx", workbook.save_to_buffer().unwrap());
    let mut reader = open(&path, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let rows: Vec<_> = reader.by_ref().collect();
    let notes = reader.notes().to_vec();
    (rows, notes)
}

fn fill(sheet: &mut Worksheet, rows: &[&str]) {
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells.split(',')).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write(row, column, cell).unwrap();
        }
    }
}

fn record(row: &Row) -> &Record {
    row.result.as_ref().unwrap_or_else(|errors| panic!("{}: {errors:?}", row.number))
}

fn told(notes: &[Note], part: &str) -> bool {
    notes
        .iter()
        .any(|note| note.warns && format!("{} {} {}", note.sheet, note.cell.column, note.cell.reason).contains(part))
}

#[test]
fn all_sheets_whose_headings_fit_are_read() {
    let mut workbook = Workbook::new();
    for (id, city) in ["石家庄", "唐山", "保定"].into_iter().enumerate() {
        let sheet = workbook.add_worksheet().set_name(city).unwrap();
        fill(sheet, &["需求编号,需求名称,需求描述,地区", &format!("d-{id},焊缝检测,裂纹,{city}")]);
    }
    fill(workbook.add_worksheet().set_name("字典").unwrap(), &["名称,代码", "唐山,130200"]);
    fill(workbook.add_worksheet().set_name("填写说明").unwrap(), &["请按模板填写"]);
    fill(workbook.add_worksheet().set_name("成果").unwrap(), &["成果名称,成果简介,价格", "甲,乙,5"]);
    let hidden = workbook.add_worksheet().set_name("旧").unwrap();
    hidden.set_hidden(true);
    fill(hidden, &["需求编号,需求名称,需求描述,地区", "old-1,旧,旧,唐山"]);
    let (rows, notes) = all(&mut workbook);
    let sheets: Vec<_> = rows.iter().map(|row| (&*row.sheet, row.number, record(row).region.as_str())).collect();
    assert_eq!(sheets, [("石家庄", 2, "130100"), ("唐山", 2, "130200"), ("保定", 2, "130600")]);
    for part in ["旧 （整张工作表） 隐藏", "成果 （整张工作表） 是成果表", "字典 （整张工作表） 表头与"]
    {
        assert!(told(&notes, part), "{part}: {notes:?}");
    }
    assert!(notes.iter().any(|note| note.sheet == "填写说明" && !note.warns));
}

#[test]
fn an_id_of_another_sheet_is_told_with_its_place() {
    let mut workbook = Workbook::new();
    for (city, title) in [("石家庄", "甲"), ("唐山", "乙")] {
        fill(workbook.add_worksheet().set_name(city).unwrap(), &["需求编号,需求名称", &format!("d-1,{title}")]);
    }
    let (rows, _) = all(&mut workbook);
    assert!(rows[0].warnings.is_empty());
    assert!(rows[1].warnings[0].reason.contains("工作表“石家庄”第 2 行"), "{:?}", rows[1].warnings);
}

#[test]
fn merged_cells_count_for_each_row() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(
        sheet,
        &[
            "需求单位,需求编号,需求名称,地区,需求描述",
            ",d-1,磨削烧伤,,甲",
            ",d-2,模具寿命,,乙",
            "丙厂,d-3,缩松,邯郸,丙",
            ",,,,丁",
        ],
    );
    let plain = Format::new();
    sheet.merge_range(1, 0, 2, 0, "甲厂", &plain).unwrap();
    sheet.merge_range(1, 3, 2, 3, "邢台", &plain).unwrap();
    // one demand on two rows
    sheet.merge_range(3, 1, 4, 1, "d-3", &plain).unwrap();
    sheet.merge_range(3, 2, 4, 2, "缩松", &plain).unwrap();
    let (rows, _) = all(&mut workbook);
    let got: Vec<_> = rows
        .iter()
        .map(|row| {
            (record(row).id.as_str(), record(row).owner.as_ref().unwrap().name.as_str(), record(row).region.as_str())
        })
        .collect();
    assert_eq!(got, [("d-1", "甲厂", "130500"), ("d-2", "甲厂", "130500"), ("d-3", "丙厂", "130400")]);
    assert_eq!(record(&rows[2]).body, "丙\n丁");
}

#[test]
fn a_huge_merged_range_costs_nothing() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, &["需求名称,需求描述", "甲,乙", "", "丁,戊"]);
    sheet.merge_range(2, 0, 2, 1, "以下空白", &Format::new()).unwrap();
    let bytes = replaced(&workbook.save_to_buffer().unwrap(), "\"A3:B3\"", "\"A3:XFD1048576\"");
    let rows = read("a.xlsx", bytes, &ReadOptions::default());
    assert!(rows.len() <= 3, "{rows:?}");
}

#[test]
fn headings_of_two_rows() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(
        sheet,
        &[
            "征集表",
            "需求编号,需求名称,需求单位,,,,",
            ",,,主要技术难点,主要技术指标,联系人,电话",
            "d-1,锌灰,甲厂,难,缺陷率≤0.3%,某甲,0310-1",
        ],
    );
    let plain = Format::new();
    sheet.merge_range(0, 0, 0, 6, "征集表", &plain).unwrap();
    sheet.merge_range(1, 3, 1, 4, "需求内容", &plain).unwrap();
    sheet.merge_range(1, 5, 1, 6, "联系方式", &plain).unwrap();
    for (column, heading) in (0..).zip(["需求编号", "需求名称", "需求单位"]) {
        sheet.merge_range(1, column, 2, column, heading, &plain).unwrap();
    }
    let (rows, notes) = all(&mut workbook);
    assert_eq!((rows.len(), rows[0].number), (1, 4));
    assert_eq!(record(&rows[0]).body, "【主要技术难点】难\n【主要技术指标】缺陷率≤0.3%");
    assert!(told(&notes, "联系人") && told(&notes, "电话"), "{notes:?}");
}

#[test]
fn values_are_read_as_displayed() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, &["需求编号,需求名称,主要技术指标,预算,截止日期,地区"]);
    let format = |code: &str| Format::new().set_num_format(code);
    sheet.write_with_format(1, 0, 123, &format("00000")).unwrap();
    sheet.write(1, 1, "氧化镁").unwrap();
    sheet.write_with_format(1, 2, 0.995, &format("0.0%")).unwrap();
    sheet.write_with_format(1, 3, 50, &format("0\"万元\"")).unwrap();
    sheet.write_with_format(1, 4, 46_447, &format("yyyy\"年\"m\"月\"")).unwrap();
    sheet.write_with_format(1, 5, 130_100, &format("#,##0")).unwrap();
    sheet.write(2, 0, "d-2").unwrap();
    sheet.write(2, 1, "乙").unwrap();
    sheet.write_with_format(2, 2, 12_345.5, &format("#,##0.00")).unwrap();
    sheet.write_with_format(2, 3, 1_234.0, &format("#,##0")).unwrap();
    sheet.write_with_format(2, 4, 46_447, &format("m\"月\"d\"日\"")).unwrap();
    let (rows, _) = all(&mut workbook);
    let first = record(&rows[0]);
    assert_eq!((first.id.as_str(), first.body.as_str(), first.amount_yuan()), ("00123", "99.5%", Some(500_000)));
    assert_eq!(first.region, "130100");
    let deadline = |record: &Record| match &record.detail {
        Detail::Demand(detail) => detail.deadline,
        _ => None,
    };
    // 46447 is 2027-03-01: a month as a deadline is its last day
    assert_eq!(deadline(first), time("2027-03-30T16:00:00Z"));
    let second = record(&rows[1]);
    assert_eq!((second.body.as_str(), second.amount_yuan()), ("12,345.50", Some(1234)));
    assert_eq!(deadline(second), time("2027-02-28T16:00:00Z"));
}

#[test]
fn a_formula_without_its_value_refuses_its_row() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, &["需求编号,需求名称,预算", "d-1,甲", "d-2,乙"]);
    sheet.write_formula(1, 2, Formula::new("=30*2").set_result("60")).unwrap();
    sheet.write_formula(2, 2, Formula::new("=15*3").set_result("45")).unwrap();
    let bytes = replaced(&workbook.save_to_buffer().unwrap(), "<v>60</v>", "<v/>");
    let (_folder, path) = file("a.xlsx", bytes);
    let rows: Vec<_> = open(&path, &ReadOptions::default()).unwrap().collect();
    let errors = rows[0].result.as_ref().unwrap_err();
    assert!(errors[0].column == "预算" && errors[0].reason.contains("公式没有保存结果"), "{errors:?}");
    assert_eq!(record(&rows[1]).amount_yuan(), Some(45));
}

/// The workbook with another text in its sheet, as other programs write it.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..archive.len() {
        let mut part = archive.by_index(number).unwrap();
        let name = String::from_utf8(part.name_raw().to_vec()).unwrap();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        if name.ends_with("sheet1.xml") {
            let text = String::from_utf8(content).unwrap();
            assert!(text.contains(from), "{text}");
            content = text.replace(from, to).into_bytes();
        }
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(&content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn what_is_hidden_or_no_record_is_told() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(
        sheet,
        &["需求编号,需求名称,预算,备用,", "必填,必填，不超过50字,选填", "d-1,甲,5,,附注", "d-2,乙,6", "合计,,11"],
    );
    sheet.set_row_hidden(3).unwrap();
    let (rows, notes) = all(&mut workbook);
    assert_eq!(rows.iter().map(|row| record(row).id.as_str()).collect::<Vec<_>>(), ["d-1", "d-2"]);
    for part in ["填写说明", "合计", "第 4 行是隐藏的", "E 列没有表头"] {
        assert!(told(&notes, part), "{part}: {notes:?}");
    }
    assert!(!told(&notes, "备用"), "an empty column is no loss");
}
