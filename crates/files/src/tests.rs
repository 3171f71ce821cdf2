//! Tests of whole files: valid ones of each format, and invalid ones with their error messages.

use std::path::PathBuf;

use encoding_rs::GB18030;
use jiff::Timestamp;
use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};

use super::*;
use duijie_core::domain::{
    Detail,
    codes::{IpKind, IpStatus, OwnerType, PolicyField, ShareClass, Stage, Status, TransferMode},
};

mod bad_files;
mod habits;
pub mod hostile;
mod sample;
mod seen_by_people;

/// A file in a temporary folder that is removed after the test.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn read(name: &str, bytes: impl AsRef<[u8]>, options: &ReadOptions) -> Vec<Row> {
    let (_folder, path) = file(name, bytes);
    open(&path, options).unwrap_or_else(|error| panic!("{error}")).collect()
}

/// Records of a file without bad rows.
fn records(name: &str, bytes: impl AsRef<[u8]>) -> Vec<Record> {
    let rows = read(name, bytes, &ReadOptions::default());
    rows.into_iter().map(|row| row.result.unwrap_or_else(|errors| panic!("row {}: {errors:?}", row.number))).collect()
}

/// Checks the errors and warnings of a file's rows: row, column, value, part of the reason.
fn check_errors(name: &str, bytes: impl AsRef<[u8]>, want: &[(u64, &str, &str, &str)]) {
    let rows = read(name, bytes, &ReadOptions::default());
    let errors: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            let errors = row.result.as_ref().err().into_iter().flatten();
            errors.chain(&row.warnings).map(move |error| (row.number, error))
        })
        .collect();
    assert_eq!(errors.len(), want.len(), "{errors:?}");
    for ((number, error), (want_number, column, value, reason)) in errors.iter().zip(want) {
        assert_eq!((*number, error.column.as_str(), error.value.as_str()), (*want_number, *column, *value));
        assert!(error.reason.contains(reason), "{error:?}");
    }
}

fn time(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

const ACHIEVEMENTS_CSV: &str = "\
成果编号,成果名称*,成果简介,创新点,关键词,行业代码,所属行业,高新技术领域,创新专项,所在地区,完成单位,统一社会信用代码,单位类型,所处阶段,TRL,成果水平,批准登记号,知识产权,转化方式,价格（万元）,状态,共享类型,发布日期,版本,联系电话
a-1,\"激光焊接 \"\"窄间隙\"\" 工艺\",\"一、背景
第二行\",窄间隙,激光、焊接；厚板,C3424,专用设备制造,先进制造与自动化,高端装备,河北省石家庄市,冀华理工大学,91440300708461136t,高校,中试,TRL6,国内领先,1302021Y0123,发明专利:ZL2021X:已授权;软件著作权,普通许可、技术服务,12.5,已发布,有条件共享,2024/5/16,2,0311-1
a-2,老化筛选,,,,,,,,,,,,,,,,,,面议,,,,,
,,,,,,,,,,,,,,,,,,,,,,,,
";

#[test]
fn a_csv_of_achievements() {
    let got = records("导出.csv", ACHIEVEMENTS_CSV);
    assert_eq!(got.len(), 2);
    let record = &got[0];
    assert_eq!((record.id.as_str(), record.source.as_str()), ("a-1", "local"));
    assert_eq!(record.title, "激光焊接 \"窄间隙\" 工艺");
    assert_eq!(record.body, "【成果简介】一、背景\n第二行\n【创新点】窄间隙");
    assert_eq!(record.keywords, ["激光", "焊接", "厚板"]);
    assert_eq!((record.industry.as_str(), record.field.as_str(), record.region.as_str()), ("C3424", "80", "130100"));
    assert_eq!(record.policy_field, Some(PolicyField::Equipment));
    let owner = record.owner.as_ref().unwrap();
    assert_eq!((owner.name.as_str(), owner.credit_code.as_str()), ("冀华理工大学", "91440300708461136T"));
    assert_eq!(owner.owner_type, Some(OwnerType::University));
    assert_eq!((record.status, record.share_class, record.revision), (Status::Active, ShareClass::Conditional, 2));
    assert_eq!(record.publish_time, time("2024-05-15T16:00:00Z"));
    let Detail::Achievement(detail) = &record.detail else { panic!() };
    assert_eq!((detail.stage, detail.trl, detail.price_yuan), (Some(Stage::Pilot), Some(6), Some(125_000)));
    assert_eq!(detail.registration_number, "1302021Y0123");
    assert_eq!(detail.transfer_modes, [TransferMode::OrdinaryLicense, TransferMode::TechnicalService]);
    let rights: Vec<_> = detail.intellectual_property.iter().map(|right| (right.kind, right.status)).collect();
    assert_eq!(rights, [(IpKind::Invention, Some(IpStatus::Granted)), (IpKind::Software, None)]);
    assert_eq!((got[1].body.as_str(), got[1].owner.as_ref(), got[1].amount_yuan()), ("", None, None));
}

#[test]
fn ignored_columns_and_progress_are_told() {
    let (_folder, path) = file("导出.csv", ACHIEVEMENTS_CSV);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(reader.kind(), Kind::Achievement);
    assert_eq!(reader.unknown_headings(), ["所属行业", "联系电话"]);
    assert_eq!(reader.by_ref().map(|row| row.number).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(
        (reader.bytes_read(), reader.total_bytes()),
        (ACHIEVEMENTS_CSV.len() as u64, ACHIEVEMENTS_CSV.len() as u64)
    );
}

#[test]
fn every_encoding_reads_the_same() {
    let want = records("a.csv", ACHIEVEMENTS_CSV);
    assert_eq!(records("b.csv", format!("\u{FEFF}{ACHIEVEMENTS_CSV}")), want);
    assert_eq!(records("c.csv", GB18030.encode(ACHIEVEMENTS_CSV).0), want);
    let utf_16: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(ACHIEVEMENTS_CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(records("d.csv", utf_16), want);
    assert_eq!(records("e.csv", ACHIEVEMENTS_CSV.replace('\n', "\r\n")), want);
    let long = format!("需求名称,需求描述\n{}", "甲,乙丙\n".repeat(100_000));
    let got = records("f.csv", GB18030.encode(&long).0);
    assert_eq!((got.len(), got[99_999].body.as_str()), (100_000, "乙丙"));
}

#[test]
fn separators_and_banners() {
    for separator in [",", ";", "\t"] {
        let text = format!(
            "2026年需求汇总表{separator}{separator}\n\n需求名称{separator}预期投入(万元){separator}截止日期\n甲{separator}5{separator}20261231\n"
        );
        let got = records("x.csv", &text);
        let Detail::Demand(detail) = &got[0].detail else { panic!() };
        assert_eq!((detail.budget_yuan, detail.deadline), (Some(50_000), time("2026-12-30T16:00:00Z")));
        assert_eq!(read("x.tsv", &text, &ReadOptions::default())[0].number, 4);
    }
}

#[test]
fn demands_and_experts() {
    let got = records(
        "a.csv",
        "需求名称,主要技术难点,主要技术指标,企业名称,合作方式,悬赏金额\n甲,难,标,乙公司,\"合作开发,技术服务\",面议\n",
    );
    assert_eq!(got[0].body, "【主要技术难点】难\n【主要技术指标】标");
    let Detail::Demand(detail) = &got[0].detail else { panic!() };
    assert_eq!(detail.cooperation_modes, [TransferMode::JointDevelopment, TransferMode::TechnicalService]);
    let got =
        records("b.csv", "专家编号,姓名,研究方向,职称,工作单位,成果编号\ne-1,张 三,焊接,教授,冀华理工大学,a-1、a-2\n");
    assert_eq!((got[0].title.as_str(), got[0].body.as_str()), ("张 三", "焊接"));
    let Detail::Expert(detail) = &got[0].detail else { panic!() };
    assert_eq!((detail.professional_title.as_str(), detail.achievement_ids.len()), ("教授", 2));
}

#[test]
fn ids_are_derived_the_same_each_time() {
    let text = "需求名称,需求单位,预算\n甲,乙,1\n甲,丙,1\n 甲 ,乙,1\n";
    let ids: Vec<_> = records("a.csv", text).into_iter().map(|record| record.id).collect();
    assert_eq!(ids[0], ids[2]);
    assert_eq!(records("a.csv", "需求名称,需求单位,预算\n甲,乙,2\n")[0].id, ids[0]);
    assert_ne!(ids[0], ids[1]);
    // SHA-256 of "甲\n乙": if this value changed, every such file would be imported twice
    assert_eq!(ids[0], "row-083dc4488876df55");
}

#[test]
fn bad_rows_say_row_column_value_and_reason() {
    let text = "成果编号,成果名称,价格（万元）,状态,发布日期,TRL,地区,关键词
a 1,好,1,已发布,,,,
a-2,,-5,上架,2026-02-30,12,火星,
a-3,短
a-4,好,1,,,,,,多
a-5,好,1,,,,,,
a-6,好,50-60,,,,,超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长
";
    check_errors(
        "x.csv",
        text,
        &[
            (2, "成果编号", "a 1", "只能包含"),
            (3, "价格（万元）", "-5", "负"),
            (3, "状态", "上架", "可填：已发布"),
            (3, "发布日期", "2026-02-30", "没有这一天"),
            (3, "地区", "火星", "行政区划"),
            (3, "成果名称", "", "必填"),
            (3, "TRL", "12", "1 到 9"),
            (5, "（整行）", "a-4,好,1,,,,,,多", "9 列"),
            (7, "价格（万元）", "50-60", "区间"),
            (
                7,
                "关键词",
                "超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长关键词超长",
                "最多 40",
            ),
        ],
    );
    let long = format!("成果名称\n好\n{}\n", "长".repeat(300));
    check_errors("y.csv", long, &[(3, "成果名称", &format!("{}…", "长".repeat(79)), "最多 200")]);
    check_errors("z.csv", "成果名称,单位类型\n好,高校\n", &[(2, "完成单位", "", "必填")]);
}

#[test]
fn damaged_bytes_cost_their_rows_only() {
    let good = "激光焊接工艺,厚板窄间隙焊接方法\n".repeat(20);
    let text = [
        b"\xE6\x88\x90\xE6\x9E\x9C\xE5\x90\x8D\xE7\xA7\xB0,\xE7\xAE\x80\xE4\xBB\x8B\n",
        good.as_bytes(),
        b"\xE6\xBF,x\n",
        good.as_bytes(),
    ]
    .concat();
    check_errors("x.csv", text, &[(22, "成果名称", "\u{FFFD},x".trim_end_matches(",x"), "编码损坏")]);
}

#[test]
fn a_forgotten_quote_costs_one_row() {
    let text = "需求名称,需求描述\n甲,\"没有结束\n乙,好\n丙,好\n";
    check_errors("x.csv", text, &[(2, "（整行）", "甲,\"没有结束\n乙,好\n丙,好\n", "引号")]);
}

#[test]
fn sheets_are_read() {
    let mut workbook = Workbook::new();
    let notes = workbook.add_worksheet().set_name("填写说明").unwrap();
    notes.write(0, 0, "请按模板填写").unwrap();
    let hidden = workbook.add_worksheet().set_name("字典").unwrap();
    hidden.set_hidden(true).write(0, 0, "名称").unwrap();
    let sheet = workbook.add_worksheet().set_name("成果").unwrap();
    sheet.merge_range(0, 0, 0, 5, "2026 年成果汇总", &Format::new()).unwrap();
    for (column, heading) in
        ["成果编号", "成果名称", "地区", "价格(元)", "发布日期", "统一社会信用代码", "完成单位"].iter().enumerate()
    {
        sheet.write(2, column as u16, *heading).unwrap();
    }
    let date = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write(3, 0, 17).unwrap();
    sheet.write(3, 1, "激光\n焊接").unwrap();
    sheet.write(3, 2, 130_100.0).unwrap();
    sheet.write(3, 3, 120_000.5 - 0.5).unwrap();
    sheet.write_with_format(3, 4, 46_349, &date).unwrap();
    sheet.write(5, 0, "a-2").unwrap();
    sheet.write(5, 1, "第二").unwrap();
    sheet.write(5, 4, 46_349.5).unwrap();
    sheet.write(6, 0, "a-3").unwrap();
    sheet.write(6, 1, true).unwrap();
    sheet.write_formula(6, 2, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(6, 5, 914_403_007_084_611_360_i64 as f64).unwrap();
    sheet.write(6, 6, "甲").unwrap();
    sheet.write(8, 9, "  ").unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    let (_folder, path) = file("x.xlsx", &bytes);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(reader.kind(), Kind::Achievement);
    let rows: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.bytes_read(), reader.total_bytes());
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [4, 6, 7]);
    let first = rows[0].result.as_ref().unwrap();
    assert_eq!((first.id.as_str(), first.title.as_str(), first.region.as_str()), ("17", "激光 焊接", "130100"));
    assert_eq!((first.amount_yuan(), first.publish_time), (Some(120_000), time("2026-11-22T16:00:00Z")));
    assert_eq!(rows[1].result.as_ref().unwrap().publish_time, time("2026-11-23T04:00:00Z"));
    let errors = rows[2].result.as_ref().unwrap_err();
    let said: Vec<_> = errors.iter().map(|error| (error.column.as_str(), error.value.as_str())).collect();
    assert_eq!(said, [("地区", "#DIV/0!"), ("统一社会信用代码", "9.14403007084611e17")]);
    assert!(errors[1].reason.contains("15 位"));
}

#[test]
fn a_mapping_makes_a_strange_table_readable() {
    let mapping: Mapping = "kind = 'demands'\nsource = 'tangshan'\n[columns]\n'我们的题目' = 'title'\n'经费' = 'budget_yuan(万元)'\n'名称' = 'ignore'\n'情况' = 'status'\n[values.status]\n'上架' = 'active'\n'下架' = 'closed'\n".parse().unwrap();
    let text = "名称,我们的题目,经费,情况\n丁,甲,5,下架\n丁,乙,面议,上架\n";
    let options = ReadOptions { mapping: Some(mapping.clone()), ..ReadOptions::default() };
    let rows = read("x.csv", text, &options);
    let record = rows[0].result.as_ref().unwrap();
    assert_eq!((record.title.as_str(), record.source.as_str(), record.amount_yuan()), ("甲", "tangshan", Some(50_000)));
    assert_eq!(record.status, Status::Closed);
    let options = ReadOptions { source: Some("hebei".into()), ..options };
    assert_eq!(read("x.csv", text, &options)[1].result.as_ref().unwrap().source, "hebei");
    let own = "我们的题目,来源系统\n甲,langfang\n乙,\n";
    let sources: Vec<_> = read("x.csv", own, &options).into_iter().map(|row| row.result.unwrap().source).collect();
    assert_eq!(sources, ["langfang", "hebei"]);
    // a mapped title takes precedence over a known heading
    let mapping: Mapping = "[columns]\n'题' = 'title'".parse().unwrap();
    let options = ReadOptions { mapping: Some(mapping), ..ReadOptions::default() };
    let rows = read("x.csv", "成果名称,题\n甲,乙\n", &options);
    assert!(rows[0].result.as_ref().is_ok_and(|record| record.title == "乙"));
}

fn any_file(ending: &'static str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let (_folder, path) = file(&format!("demands.{ending}"), bytes);
    for kind in [None, Some(Kind::Expert)] {
        if let Ok(reader) = open(&path, &ReadOptions { kind, ..ReadOptions::default() }) {
            // each row takes at least one byte
            prop_assert!(reader.count() <= bytes.len());
        }
    }
    Ok(())
}

fn small_workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, heading) in ["姓名", "职称", "发布日期"].iter().enumerate() {
        sheet.write(0, column as u16, *heading).unwrap();
        sheet.write(1, column as u16, 40_000 + column as u32).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        any_file("csv", &bytes)?;
        any_file("jsonl", &bytes)?;
        any_file("xlsx", &bytes)?;
        any_file("csv", &[b"title,id\n", bytes.as_slice()].concat())?;
        any_file("jsonl", &[b"{\"title\":\"a\"}\n", bytes.as_slice()].concat())?;
        any_file("xlsx", &[b"PK\x03\x04", bytes.as_slice()].concat())?;
    }

    #[test]
    fn any_text_ends(text in "[甲乙,\"\n\r;\t{}:\\[\\]0-9a-z%=-]{0,200}") {
        any_file("csv", format!("需求名称,预算,截止日期\n{text}").as_bytes())?;
        any_file("jsonl", format!("{{\"title\":\"{text}\"}}\n{text}").as_bytes())?;
    }

    #[test]
    fn a_damaged_workbook_ends(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = small_workbook();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        any_file("xlsx", &bytes)?;
        bytes.truncate(cut.index(bytes.len()));
        any_file("xlsx", &bytes)?;
    }
}

#[test]
fn an_explicit_id_is_never_taken_for_a_derived_one() {
    let rows = read("a.csv", "需求编号,需求名称,修订号\nrow-1,甲,1\nrow-1,甲乙,2\n", &ReadOptions::default());
    let ids: Vec<_> = rows.iter().map(|row| row.result.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(ids, ["row-1", "row-1"]);
    assert!(!rows.iter().flat_map(|row| &row.warnings).any(|it| it.reason.contains("没有编号列")), "{rows:?}");
}

#[test]
fn experts_name_achievements_by_the_ids_that_these_got() {
    let achievement = records("a.csv", "成果编号,成果名称\n冀科成〔2026〕1号,甲\n").remove(0);
    let expert = records("b.csv", "专家编号,姓名,成果编号\ne-1,张三,冀科成〔2026〕1号、a-2\n").remove(0);
    let Detail::Expert(detail) = &expert.detail else { panic!() };
    assert_eq!(detail.achievement_ids, [achievement.id.as_str(), "a-2"]);
}

#[test]
fn any_number_of_bad_optional_values_is_left_out() {
    let ids: Vec<String> = (0..90).map(|it| format!("a b{it}")).collect();
    let text = format!("{{\"姓名\":\"张三\",\"成果编号\":{}}}\n", serde_json::to_string(&ids).unwrap());
    let rows = read("a.jsonl", &text, &ReadOptions { kind: Some(Kind::Expert), ..ReadOptions::default() });
    let Detail::Expert(detail) = &rows[0].result.as_ref().unwrap().detail else { panic!() };
    assert!(detail.achievement_ids.is_empty() && !rows[0].warnings.is_empty());
}

#[test]
fn rows_with_a_degree_of_secrecy_are_refused() {
    let rows = read(
        "a.csv",
        "成果编号,成果名称,密级\na-1,甲,公开\na-2,乙,机密\na-3,丙,\na-4,秘密★丁,无\n",
        &ReadOptions::default(),
    );
    let refused: Vec<_> = rows.iter().filter_map(|row| Some((row.number, row.result.as_ref().err()?))).collect();
    assert_eq!(refused.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 5]);
    assert!(refused.iter().all(|(_, errors)| errors[0].reason.contains("涉密内容不得进入本系统")), "{refused:?}");
    assert_eq!(refused[0].1[0].column, "密级");
}
