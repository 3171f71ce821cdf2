//! Habits of CSV and of the programs that write it.

use super::*;
use crate::export::{Cell, Column, Csv, begin_sheet, begin_workbook, write_row};

/// Rows and notes that warn.
fn all(name: &str, bytes: impl AsRef<[u8]>) -> (Vec<Row>, Vec<Note>) {
    let (_folder, path) = file(name, bytes);
    let mut reader = open(&path, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let rows: Vec<_> = reader.by_ref().collect();
    let notes = reader.notes().iter().filter(|note| note.warns).cloned().collect();
    (rows, notes)
}

#[test]
fn short_rows_are_whole_and_long_ones_are_told() {
    let got = records("a.csv", "需求编号,需求名称,需求描述,预算\nd-1,甲,乙,5\nd-2,丙\nd-3,丁,戊\n");
    assert_eq!(got.iter().map(|record| record.title.as_str()).collect::<Vec<_>>(), ["甲", "丙", "丁"]);
    let (rows, notes) = all("a.csv", "需求名称,预算,\n甲,5,附注\n乙,6,\n丙,7,8,9\n");
    assert!(rows[0].result.is_ok() && rows[1].result.is_ok() && rows[2].result.is_err());
    assert!(notes.iter().any(|note| note.cell.reason.contains("1 格")), "{notes:?}");
}

#[test]
fn guards_against_numbers_come_off() {
    let text = "需求编号,需求名称,统一社会信用代码,需求单位,预算(万元)\n=\"00123\",甲,=\"91440300708461136T\",乙,=\"80\"\n\"=\"\"00124\"\"\",丙,'91440300708461136T,丁,60\n'00125,戊,\t91440300708461136T,己,5\n";
    let got = records("a.csv", text);
    assert_eq!(got.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["00123", "00124", "00125"]);
    assert!(got.iter().all(|record| record.owner.as_ref().unwrap().credit_code == "91440300708461136T"));
    assert_eq!(got[0].amount_yuan(), Some(800_000));
}

#[test]
fn what_our_exports_write_comes_back() {
    let texts =
        ["=1+1 的求解", "-40℃ 冷启动", "+5V 电源", "@现场", "'十四五'规划", "＝等号", "普通", "\"引号\",逗号", "'=旧"];
    let mut csv = Csv::new(Vec::new(), ["需求编号", "需求名称", "需求描述"]).unwrap();
    let mut workbook = begin_workbook("题", Timestamp::UNIX_EPOCH).unwrap();
    let sheet = workbook.add_worksheet();
    let plain = Format::new();
    let columns = ["需求编号", "需求名称", "需求描述"].map(|heading| Column::new(heading, 9));
    begin_sheet(sheet, "表", &columns, &plain).unwrap();
    for (number, text) in (1_u32..).zip(texts) {
        let cells = || [format!("d-{number}").into(), Cell::from(text), Cell::from(text)];
        csv.write(cells()).unwrap();
        write_row(sheet, number, cells().map(|cell| (cell, &plain))).unwrap();
    }
    for got in [records("a.csv", csv.finish().unwrap()), records("a.xlsx", workbook.save_to_buffer().unwrap())] {
        let titles: Vec<_> = got.iter().map(|record| (record.title.as_str(), record.body.as_str())).collect();
        assert_eq!(titles, texts.map(|text| (text, text)));
    }
}

#[test]
fn one_nul_byte_costs_nothing() {
    let lines: String = (0..20).map(|n| format!("d-{n},锻件裂纹 {n},表面裂纹\n")).collect();
    let text = format!("需求编号,需求名称,需求描述\n{lines}").replacen("表面", "表\0面", 1);
    let (rows, _) = all("a.csv", text);
    assert_eq!(rows[0].result.as_ref().unwrap().body, "表面裂纹");
    assert!(rows[0].warnings[0].reason.contains("NUL"), "{:?}", rows[0].warnings);
    assert!(rows.len() == 20 && rows[1..].iter().all(|row| row.warnings.is_empty()));
    let (rows, _) = all("demands.jsonl", "{\"id\":\"1\",\"title\":\"锻\\u0000件\"}\n{\"id\":\"2\",\"title\":\"好\"}\n");
    assert_eq!((rows[0].result.as_ref().unwrap().title.as_str(), rows.len()), ("锻件", 2));
}

#[test]
fn lines_in_another_encoding_are_read_and_told() {
    let rows = [
        "需求名称,需求单位",
        "电炉炉盖耐火料,甲特钢",
        "电炉炉盖浇注料,乙特钢",
        "矿渣立磨辊套磨损,丙建材",
        "石灰窑结圈,丁石灰",
    ];
    let mut bytes = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        bytes.extend_from_slice(&if number < 3 { GB18030.encode(row).0.into_owned() } else { row.as_bytes().to_vec() });
        bytes.push(b'\n');
    }
    let (got, notes) = all("a.csv", bytes);
    let titles: Vec<_> = got.iter().map(|row| row.result.as_ref().unwrap().title.clone()).collect();
    assert_eq!(titles, ["电炉炉盖耐火料", "电炉炉盖浇注料", "矿渣立磨辊套磨损", "石灰窑结圈"]);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].row.is_some() && notes[0].cell.reason.contains("2 行"), "{notes:?}");
}

#[test]
fn what_pandas_writes_is_read() {
    let text = "{\"id\":\"p-1\",\"title\":\"甲\",\"budget_yuan\":500000.0,\"deadline\":1803772800000,\"publish_time\":1764547200000}\n{\"id\":\"p-2\",\"title\":\"乙\",\"budget_yuan\":NaN,\"deadline\":null,\"body\":\"NaN\"}\n{\"id\":170000000000000000.0,\"title\":\"丙\",\"budget_yuan\":null}\n{\"id\":1001.0,\"title\":\"丁\"}\n";
    let (rows, _) = all("x.jsonl", text);
    let Detail::Demand(detail) = &rows[0].result.as_ref().unwrap().detail else { panic!() };
    assert_eq!((detail.budget_yuan, detail.deadline), (Some(500_000), time("2027-02-28T00:00:00Z")));
    let second = rows[1].result.as_ref().unwrap();
    assert_eq!((second.amount_yuan(), second.body.as_str()), (None, ""));
    assert!(rows[2].result.as_ref().is_err_and(|errors| errors[0].reason.contains("15 位")));
    assert_eq!(rows[3].result.as_ref().unwrap().id, "1001");
    let (rows, _) = all(
        "x.csv",
        "需求编号,需求名称,需求描述,地区,预算,截止日期\n1,甲,nan,130100.0,NaN,NaT\n2,乙,None,null,50.0,2027-03-31 00:00:00\n",
    );
    let records: Vec<_> = rows.iter().map(|row| row.result.as_ref().unwrap()).collect();
    assert_eq!((records[0].body.as_str(), records[0].region.as_str(), records[0].amount_yuan()), ("", "130100", None));
    assert_eq!((records[1].body.as_str(), records[1].region.as_str(), records[1].amount_yuan()), ("", "", Some(50)));
    assert!(rows.iter().all(|row| row.warnings.is_empty()));
}

#[test]
fn separators_are_named_and_found() {
    for text in [
        "sep=;\r\n需求名称;预算\r\n甲;5\r\n",
        "\"sep=|\"\n需求名称|预算\n甲|5\n",
        "需求名称|预算\n甲|5\n",
        "\u{FEFF}SEP=;\n需求名称;预算\n甲;5\n",
    ] {
        let got = records("a.csv", text);
        assert_eq!((got[0].title.as_str(), got[0].amount_yuan()), ("甲", Some(5)), "{text}");
    }
}

#[test]
fn utf_16_is_read_without_its_mark() {
    let text = "需求编号,需求名称,预算\nd-1,铝合金焊接,50\nd-2,盐碱地改良,60\n";
    for bytes in [
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ] {
        assert_eq!(records("a.csv", bytes).len(), 2);
    }
}

#[test]
fn pages_under_the_name_of_a_table_are_told() {
    for name in ["a.xls", "a.xlsx", "a.csv", "a.jsonl"] {
        let (_folder, path) = file(
            name,
            "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><body><table><tr><td>需求名称</td></tr></table></body></html>",
        );
        let said = open(&path, &ReadOptions::default()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("HTML") && said.contains("另存为") && !said.contains("改为 .csv"), "{said}");
    }
}

#[test]
fn an_optional_cell_does_not_cost_the_record() {
    let text = "编号,需求名称【必填】,所属行业,关键词,地区,需求单位,统一社会信用代码,截止日期,预算（万元）,状态\n冀科需〔2026〕001号,甲,钢铁冶炼,炉渣 水淬 粒化,火星,甲厂,123,3月底前,若干,上架\nd-2,乙,黑色金属冶炼和压延加工业,烧结|漏风,江苏省苏州市,乙厂,,2027年3月,5,已发布\n";
    let (rows, _) = all("a.csv", text);
    let first = rows[0].result.as_ref().unwrap();
    assert!(first.id.starts_with("no-") && first.industry.is_empty() && first.region.is_empty());
    assert_eq!(first.keywords, ["炉渣", "水淬", "粒化"]);
    assert_eq!((first.owner.as_ref().unwrap().name.as_str(), first.amount_yuan()), ("甲厂", None));
    assert_eq!(first.status, Status::Draft, "what nobody understands is not published");
    let columns: Vec<_> = rows[0].warnings.iter().map(|warning| warning.column.as_str()).collect();
    assert_eq!(columns, ["编号", "所属行业", "地区", "截止日期", "预算（万元）", "状态", "统一社会信用代码"]);
    let second = rows[1].result.as_ref().unwrap();
    assert_eq!(
        (second.industry.as_str(), second.region.as_str(), second.amount_yuan()),
        ("C31", "320500", Some(50_000))
    );
    let Detail::Demand(detail) = &second.detail else { panic!() };
    assert_eq!(detail.deadline, time("2027-03-30T16:00:00Z"));
    assert!(rows[1].warnings.is_empty());
}

#[test]
fn records_do_not_vanish_behind_each_other() {
    let text = "需求名称,需求描述,需求单位\n改造,一车间,甲\n改造,二车间,甲\n改造,三车间,甲\n改造,一车间,甲\n";
    let (rows, _) = all("a.csv", text);
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| row.result.as_ref().unwrap().id.clone()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(rows.iter().map(|row| row.warnings.len()).collect::<Vec<_>>(), [0, 1, 1, 0]);
    assert!(rows[1].warnings[0].reason.contains("第 2 行"), "{:?}", rows[1].warnings);
    let text = "需求编号,需求名称,修订号\nd-1,甲,1\nd-1,乙,1\nd-2,丙,1\nd-2,丁,2\nd-1,乙,1\n";
    let (rows, _) = all("a.csv", text);
    assert_eq!(rows.iter().map(|row| row.warnings.len()).collect::<Vec<_>>(), [0, 1, 0, 0, 0]);
}
