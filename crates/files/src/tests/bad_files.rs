//! Files that cannot be read at all, each with its error message.

use super::*;

fn check(name: &str, bytes: impl AsRef<[u8]>, part: &str) {
    let (_folder, path) = file(name, bytes);
    let said = match open(&path, &ReadOptions::default()) {
        Ok(_) => panic!("{name} was read"),
        Err(error) => error.to_string(),
    };
    assert!(said.contains(part) && said.contains(name), "{said}");
}

/// A workbook with one sheet.
fn workbook(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

#[test]
fn each_says_what_to_do() {
    let xlsx = small_workbook();
    check("a.csv", "", "文件是空的");
    check("a.csv", "\u{FEFF}", "文件是空的");
    check("a.csv", " \n\r\n\n", "文件是空的");
    check("a.jsonl", "\n\n", "文件是空的");
    check("a.csv", "成果名称,简介\n", "没有数据行");
    check("a.csv", "成果名称,简介\n,\n\n", "没有数据行");
    check("a.csv", &xlsx, ".xlsx");
    check("a.jsonl", &xlsx, ".xlsx");
    check("a.xlsx", "成果名称\n甲\n", "不是 Excel 工作簿");
    check("a.xlsx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "旧版 Excel");
    check("a.csv", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "旧版 Excel");
    check("a.csv", b"%PDF-1.7", "PDF");
    check("a.csv", b"\x1F\x8B\x08", "先解压");
    check("a.csv", b"abc\0\0\0def", "二进制");
    check("a.csv", "{\"title\":\"甲\"}\n", ".jsonl");
    check("a.jsonl", "[{\"title\":\"甲\"}]", "每行一个对象");
    check("a.jsonl", "成果名称,简介\n甲,乙\n", ".csv");
    check("a.xls", "x", "支持 .csv");
    check("a.docx", "x", "支持 .csv");
    check("成果", "x", "支持 .csv");
    check("a.csv", "甲列,乙列\n1,2\n", "读到的列：甲列、乙列");
    check("a.csv", "title,id\nx,1\n", "--kind");
    check("a.jsonl", "{\"title\":\"甲\"}", "--kind");
    let wide: Vec<_> = (0..299).map(|i| format!("列{i}")).collect();
    check("a.csv", format!("{},成果名称\n1\n", wide.join(",")), "300 列，最多 200 列");
    check("a.csv", format!("{}\n1\n", wide.join(";")), "299 列，最多 200 列");
    check("a.xlsx", &xlsx[..xlsx.len() / 2], "另存为");
    check("a.xlsx", "PK\x03\x04", "另存为");
}

fn cell(sheet: &mut rust_xlsxwriter::Worksheet, row: u32, column: u16, text: &str) {
    sheet.write(row, column, text).unwrap();
}

#[test]
fn bad_sheets() {
    check("a.xlsx", workbook(|_| ()), "文件是空的");
    check("a.xlsx", workbook(|sheet| cell(sheet, 3, 3, "姓名")), "没有数据行");
    check("a.xlsx", workbook(|sheet| cell(sheet, 3, 3, "别的")), "读到的列：别的");
    let wide = workbook(|sheet| (0..300).for_each(|column| cell(sheet, 0, column, "姓名")));
    check("a.xlsx", wide, "最多 200 列");
}

#[test]
fn a_wide_format_without_cells_is_no_wide_sheet() {
    let bytes = workbook(|sheet| {
        sheet.write(0, 0, "姓名").unwrap();
        sheet.write(1, 0, "张三").unwrap();
        sheet.write_blank(1_048_575, 16_383, &Format::new().set_bold()).unwrap();
    });
    assert_eq!(records("a.xlsx", bytes).len(), 1);
}

#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &std::path::Path| match open(path, &ReadOptions::default()) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(error) => error.to_string(),
    };
    assert!(said(&folder.path().join("没有.csv")).contains("找不到文件"));
    assert!(said(folder.path()).contains("不是普通文件"));
    let named_as_file = folder.path().join("folder.csv");
    std::fs::create_dir(&named_as_file).unwrap();
    assert!(said(&named_as_file).contains("不是普通文件"));
}

#[test]
fn options_must_agree() {
    let (_folder, path) = file("a.csv", "名称,经费\n甲,1\n");
    let said = |kind: Option<Kind>, mapping: &str| {
        let options = ReadOptions { kind, mapping: Some(mapping.parse().unwrap()), source: None };
        open(&path, &options).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(said(Some(Kind::Expert), "kind = 'demands'").contains("专家，映射文件写的是需求"));
    assert!(said(Some(Kind::Expert), "[columns]\n'经费' = 'budget_yuan'").contains("不适用于专家：budget_yuan"));
    assert_eq!(said(None, "[columns]\n'经费' = 'budget_yuan'"), "");
    assert!(said(Some(Kind::Demand), "[columns]\n'名称' = 'ignore'").contains("没有找到名称列"));
}

#[test]
fn rows_that_are_too_long() {
    let long = "长".repeat(400_000);
    check_errors(
        "a.csv",
        format!("需求名称,需求描述\n甲,{long}\n乙,好\n"),
        &[(2, "（整行）", &format!("甲,{}…", "长".repeat(77)), "1 MiB")],
    );
    let line = format!("{{\"title\":\"{long}\"}}");
    let shown: String = line.chars().take(79).chain(['…']).collect();
    check_errors(
        "demands.jsonl",
        format!("{{\"title\":\"甲\"}}\n{line}\n[1]\n"),
        &[(2, "（整行）", &shown, "1 MiB"), (3, "（整行）", "[1]", "不是 JSON 对象")],
    );
    let bytes = workbook(|sheet| {
        sheet.write(0, 0, "姓名").unwrap();
        sheet.write(1, 0, "张三").unwrap();
        for column in 1..40 {
            sheet.write(1, column, "长".repeat(32_000)).unwrap();
        }
    });
    check_errors("a.xlsx", bytes, &[(2, "（整行）", "", "1 MiB")]);
}
