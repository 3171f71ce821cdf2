use std::{
    io::Cursor,
    sync::{Arc, Mutex},
};

use calamine::{Data, Reader, Xlsx};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row as ParquetRow},
};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use duijie_files::export::unguarded;

const FORMATS: [Format; 4] = [Format::Jsonl, Format::Csv, Format::Xlsx, Format::Parquet];

/// Target of a test file; clones share it.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

fn party(name: &str, title: &str) -> Party {
    Party { name: name.parse().unwrap(), title: title.into(), owner: "甲公司".into() }
}

fn row(rank: u32, title: &str) -> Row {
    Row {
        demand: party("demands/tangshan/d-1", title),
        target: party("achievements/a-1", "激光焊接"),
        place: Some(Standing { rank, score: 0.731_25, level: Some(Level::Fair) }),
        change: None,
    }
}

fn changed(reasons: &[ChangeReason]) -> Row {
    let before = Some(Standing { rank: 3, score: 0.5, level: Some(Level::Weak) });
    let change = RowChange { change: Change::Lost, reasons: reasons.to_vec(), before };
    Row { place: None, target: party("experts/e-1", "王某"), change: Some(change), ..row(1, "题目") }
}

fn write(format: Format, content: Content, rows: &[Row]) -> Vec<u8> {
    let sink = Sink::default();
    let mut exporter = Exporter::new(format, content, Timestamp::new(1_790_000_000, 0).unwrap(), sink.clone()).unwrap();
    rows.iter().for_each(|row| exporter.write(row).unwrap());
    exporter.finish().unwrap();
    sink.bytes()
}

fn parquet_rows(bytes: Vec<u8>) -> Vec<ParquetRow> {
    let reader = SerializedFileReader::new(parquet_bytes(bytes)).unwrap();
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn parquet_bytes(bytes: Vec<u8>) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file
}

fn parquet_field(row: &ParquetRow, name: &str) -> Field {
    row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.clone()
}

fn sheets(bytes: Vec<u8>) -> Vec<(String, Vec<Vec<Data>>)> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    let read = |name: String| {
        let range = book.worksheet_range(&name).unwrap();
        (name, range.rows().map(<[Data]>::to_vec).collect())
    };
    names.into_iter().map(read).collect()
}

#[test]
fn lines_are_json() {
    let bytes = write(Format::Jsonl, Content::Changes, &[row(2, "题\"目"), changed(&[ChangeReason::TargetGone])]);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["demand"], "demands/tangshan/d-1");
    assert_eq!(lines[0]["demand_title"], "题\"目");
    assert_eq!((&lines[0]["rank"], &lines[0]["score"]), (&Json::from(2), &Json::from(0.731_25)));
    assert_eq!((&lines[0]["level"], &lines[0]["change"]), (&Json::from(3), &Json::Null));
    assert_eq!((&lines[1]["kind"], &lines[1]["rank"]), (&Json::from("expert"), &Json::Null));
    assert_eq!((&lines[1]["change"], &lines[1]["level_before"]), (&Json::from("lost"), &Json::from(2)));
    assert_eq!(lines[1]["reasons"], serde_json::json!(["target_gone"]));
}

#[test]
fn tables_open_in_excel_and_run_nothing() {
    let rows = [row(1, "=1+1"), row(2, "题目，有“引号\"和\n换行"), row(3, "@x")];
    let bytes = write(Format::Csv, Content::Results, &rows);
    let text = String::from_utf8(bytes).unwrap();
    let text = text.strip_prefix('\u{FEFF}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    assert_eq!(headings[..3], ["需求编号", "需求名称", "需求单位"]);
    let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let titles: Vec<&str> = read.iter().map(|row| &row[1]).collect();
    assert_eq!(titles, ["'=1+1", "题目，有“引号\"和\n换行", "'@x"]);
    assert_eq!((&read[0][3], &read[0][7], &read[0][8], &read[0][9]), ("成果", "1", "0.73125", "较强"));
}

#[test]
fn workbooks_keep_texts_and_numbers() {
    let rows = [row(1, "=1+1"), changed(&[ChangeReason::DemandChanged, ChangeReason::TargetGone])];
    let bytes = write(Format::Xlsx, Content::Changes, &rows);
    let sheets = sheets(bytes);
    assert_eq!((sheets.len(), sheets[0].0.as_str()), (1, "变化"));
    let rows = &sheets[0].1;
    assert_eq!(rows[0][1], Data::String("需求名称".into()));
    assert_eq!(rows[1][1], Data::String("=1+1".into()));
    assert_eq!((&rows[1][7], &rows[1][8]), (&Data::Float(1.0), &Data::Float(0.731_25)));
    assert_eq!((&rows[2][7], &rows[2][10]), (&Data::Empty, &Data::String("消失".into())));
    assert_eq!(rows[2][11], Data::String("需求有改动；对象已删除或不再公开".into()));
}

#[test]
fn a_full_sheet_is_followed_by_another() {
    let sink = Sink::default();
    let columns = columns::of(Content::Results);
    let made = Timestamp::UNIX_EPOCH;
    let mut writer = Sheets::with_limit(columns, Content::Results, made, sink.clone(), 3).unwrap();
    (1..=5).for_each(|rank| writer.write(&row(rank, "题目")).unwrap());
    writer.finish().unwrap();
    let read: Vec<_> = sheets(sink.bytes())
        .into_iter()
        .map(|(name, rows)| (name, rows[1..].iter().map(|row| row[7].clone()).collect::<Vec<_>>()))
        .collect();
    let ranks = |ranks: &[f64]| ranks.iter().map(|rank| Data::Float(*rank)).collect::<Vec<_>>();
    assert_eq!(
        read,
        [
            ("匹配结果".to_string(), ranks(&[1.0, 2.0])),
            ("匹配结果2".to_string(), ranks(&[3.0, 4.0])),
            ("匹配结果3".to_string(), ranks(&[5.0])),
        ]
    );
}

#[test]
fn parquet_has_types_and_groups() {
    let sink = Sink::default();
    let mut writer = Groups::with_limit(columns::of(Content::Changes), sink.clone(), 2).unwrap();
    let rows = [row(1, "题目"), row(2, "题目"), changed(&[ChangeReason::Model, ChangeReason::Others])];
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.finish().unwrap();
    let reader = SerializedFileReader::new(parquet_bytes(sink.bytes())).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 3);
    let read = parquet_rows(sink.bytes());
    assert_eq!(parquet_field(&read[1], "rank"), Field::Int(2));
    assert_eq!(parquet_field(&read[1], "score"), Field::Double(0.731_25));
    assert_eq!(
        (parquet_field(&read[1], "level"), parquet_field(&read[1], "level_before")),
        (Field::Int(3), Field::Null)
    );
    assert_eq!(
        (parquet_field(&read[2], "level"), parquet_field(&read[2], "level_before")),
        (Field::Null, Field::Int(2))
    );
    assert_eq!(parquet_field(&read[1], "change"), Field::Null);
    assert_eq!(parquet_field(&read[2], "rank"), Field::Null);
    assert_eq!(parquet_field(&read[2], "reasons"), Field::Str("model,others".into()));
}

#[test]
fn no_rows_make_a_file_too() {
    for format in FORMATS {
        let bytes = write(format, Content::Results, &[]);
        match format {
            Format::Jsonl => assert!(bytes.is_empty()),
            Format::Csv => assert_eq!(String::from_utf8(bytes).unwrap().lines().count(), 1),
            Format::Xlsx => assert_eq!(sheets(bytes)[0].1.len(), 1),
            Format::Parquet => assert!(parquet_rows(bytes).is_empty()),
        }
    }
}

#[test]
fn who_takes_no_bytes_is_told() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in FORMATS {
        let made = Timestamp::UNIX_EPOCH;
        let written = Exporter::new(format, Content::Results, made, Closed).and_then(|mut exporter| {
            exporter.write(&row(1, "题目"))?;
            exporter.finish()
        });
        assert!(written.is_err(), "{format:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn all_formats_say_the_same(titles in proptest::collection::vec("[ -~一-三=@+\\-\t]{0,12}", 0..20)) {
        let rows: Vec<Row> = (1..).zip(&titles).map(|(rank, title)| row(rank, title)).collect();
        for format in FORMATS {
            prop_assert!(write(format, Content::Results, &rows) == write(format, Content::Results, &rows));
        }
        let lines = String::from_utf8(write(Format::Jsonl, Content::Results, &rows)).unwrap();
        let of_lines: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap()["demand_title"].as_str().unwrap().to_string())
            .collect();
        let of_parquet: Vec<Field> = parquet_rows(write(Format::Parquet, Content::Results, &rows))
            .iter()
            .map(|row| parquet_field(row, "demand_title"))
            .collect();
        let of_sheets: Vec<Data> = sheets(write(Format::Xlsx, Content::Results, &rows))[0].1[1..]
            .iter()
            .map(|row| row[1].clone())
            // a text that begins with a guard has another one, which imports take off
            .map(|cell| if let Data::String(text) = cell { Data::String(unguarded(&text).into_owned()) } else { cell })
            .collect();
        prop_assert_eq!(&of_lines, &titles);
        prop_assert_eq!(of_parquet, titles.iter().map(|title| Field::Str(title.clone())).collect::<Vec<_>>());
        let cell = |title: &String| if title.is_empty() { Data::Empty } else { Data::String(title.clone()) };
        prop_assert_eq!(of_sheets, titles.iter().map(cell).collect::<Vec<_>>());
    }
}
