//! Reader of a file of records in any format.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use encoding_rs::UTF_8;

use super::{
    ReadOptions, Row,
    build::{self, Built, Context, Place, row_error},
    cell::{Cell, cut},
    delimited::{Delimited, MAX_ROW_BYTES, Records},
    error::FileProblem,
    export::unguarded,
    fields::Field,
    headings::{Columns, MAX_COLUMNS, Target},
    kind::{self, Resolver},
    lines::{self, Line, Lines, Pairs},
    mapping::Mapping,
    notes::{Note, Notes},
    seen::Seen,
    sheets::{self, SheetRows},
    skip,
    sniff::{self, Format},
    table::{self, Table},
    text::{Probe, Text},
    workbook,
};
use duijie_core::domain::Kind;

/// Lines of a JSONL file whose keys are used to guess the kind.
const PEEKED_LINES: usize = 10;

/// An open file of records; iterates over its rows.
pub struct RecordFile {
    context: Context,
    input: Input,
    first: Option<Row>,
    ignored: Vec<String>,
    notes: Notes,
    seen: Seen,
    total_bytes: u64,
    last_number: u64,
    failed: bool,
    ended: bool,
}

enum Input {
    Delimited { records: Records<File>, table: Table, index: usize },
    Sheets(SheetRows),
    Lines { lines: Lines<File>, known: HashMap<String, Option<Target>>, unread: HashMap<String, u64> },
}

/// Opens a file and reads its first row.
pub fn open(path: &Path, options: &ReadOptions) -> Result<RecordFile, FileProblem> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(FileProblem::NotAFile);
    }
    let format = Format::by_ending(path)?;
    if metadata.len() == 0 {
        return Err(FileProblem::Empty);
    }
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(sniff::HEAD_BYTES).read_to_end(&mut head)?;
    format.check(&head)?;
    file.seek(SeekFrom::Start(0))?;
    let named = kind::named(options)?;
    let mapping = options.mapping.clone().unwrap_or_default();
    let mut notes = Notes::default();
    let (input, kind) = match format {
        Format::Delimited => open_delimited(file, named, &mapping, path)?,
        Format::Lines => open_lines(file, named, &mapping, path)?,
        Format::Workbook | Format::OldWorkbook => {
            let resolver = Resolver { kind: named, mapping: &mapping };
            let sheets = workbook::read(path, file, |sheet| table::find_sheet_heading(sheet, resolver).is_some())?;
            let (rows, kind) = sheets::choose(sheets, named, &mapping, path, &mut notes)?;
            (Input::Sheets(rows), kind)
        }
    };
    let source = options.source.clone().or_else(|| mapping.source.clone()).unwrap_or_default();
    let ignored = input.ignored();
    let context = Context { kind, source, mapping };
    let (total_bytes, seen) = (metadata.len(), Seen::default());
    let mut opened = RecordFile {
        context,
        input,
        first: None,
        ignored,
        notes,
        seen,
        total_bytes,
        last_number: 0,
        failed: false,
        ended: false,
    };
    opened.first = Some(opened.read_row()?.ok_or(FileProblem::NoRows)?);
    Ok(opened)
}

/// The decoded text of a file.
fn text(mut file: File) -> Result<Text<File>, FileProblem> {
    let probe = Probe::of(&mut file)?;
    if probe.binary {
        let advice = "请从原软件重新导出为 CSV、JSONL 或 .xlsx";
        return Err(FileProblem::WrongContent { content: "二进制数据，不是文本", advice });
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(Text::new(file, probe.encoding))
}

fn open_delimited(
    file: File,
    named: Option<Kind>,
    mapping: &Mapping,
    path: &Path,
) -> Result<(Input, Kind), FileProblem> {
    let mut text = text(file)?;
    let heading = table::find_heading(&mut text, Resolver { kind: named, mapping })?;
    let kind = kind::decide(named, &heading.cells, mapping, path)?;
    let table = Table::new(heading.cells, heading.width, Resolver { kind: Some(kind), mapping })?;
    text.consume(heading.bytes);
    let records = Records::new(text, heading.separator, heading.lines + 1);
    Ok((Input::Delimited { records, table, index: 0 }, kind))
}

fn open_lines(file: File, named: Option<Kind>, mapping: &Mapping, path: &Path) -> Result<(Input, Kind), FileProblem> {
    let mut text = text(file)?;
    text.fill(MAX_ROW_BYTES)?;
    let mut first = text.rest().lines().filter(|line| !line.trim().is_empty()).take(PEEKED_LINES).peekable();
    if first.peek().is_none() && text.ended() {
        return Err(FileProblem::Empty);
    }
    let (mut headings, mut objects) = (Vec::new(), false);
    for line in first {
        objects |= line.trim_start().starts_with('{');
        headings.extend(lines::pairs(line).unwrap_or_default().into_iter().map(|(key, _)| key));
    }
    if !objects {
        let advice = "JSONL 的每一行应是一个 {…} 对象；JSON 数组请改为每行一个对象，表格请用 .csv 或 .xlsx";
        return Err(FileProblem::WrongContent { content: "别的文本，开头各行都不是 JSON 对象", advice });
    }
    headings.sort_unstable();
    headings.dedup();
    let kind = kind::decide(named, &headings, mapping, path)?;
    Ok((Input::Lines { lines: Lines::new(text), known: HashMap::new(), unread: HashMap::new() }, kind))
}

// === impl RecordFile ===

impl RecordFile {
    /// Kind of the records.
    pub fn kind(&self) -> Kind {
        self.context.kind
    }

    /// Bytes that were read so far, up to 2 MiB ahead of the row; for a workbook its size times the part of the rows.
    pub fn bytes_read(&self) -> u64 {
        match &self.input {
            Input::Delimited { records, .. } => records.text.bytes_read(),
            Input::Lines { lines, .. } => lines.text.bytes_read(),
            Input::Sheets(rows) => {
                let (done, total) = rows.progress();
                let part = u128::from(self.total_bytes) * u128::from(done) / u128::from(total).max(1);
                u64::try_from(part).unwrap_or(self.total_bytes)
            }
        }
    }

    /// Size of the file in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Ignored columns: unknown heading, ignored by the mapping, or a better heading has the field. For JSONL, the
    /// ignored keys so far, at most 200.
    pub fn unknown_headings(&self) -> &[String] {
        &self.ignored
    }

    /// What was not read so far; complete when all rows are read.
    pub fn notes(&self) -> &[Note] {
        self.notes.list()
    }

    /// The next row; an unreadable row is returned with an error.
    fn read_row(&mut self) -> io::Result<Option<Row>> {
        let row = match &mut self.input {
            Input::Delimited { records, table, index } => {
                read_delimited(records, table, index, &self.context, &mut self.notes)?
            }
            Input::Sheets(rows) => rows.next_row(&self.context, &mut self.notes),
            Input::Lines { lines, known, unread } => match lines.next_line()? {
                None => None,
                Some(Line { number, pairs: Err((start, reason)) }) => Some(refused(number, &start, reason)),
                Some(Line { number, pairs: Ok(pairs) }) => {
                    let lossy = lines.text.lossy();
                    Some(row(number, object(pairs, known, &mut self.ignored, unread, &self.context, lossy)))
                }
            },
        };
        let Some(mut row) = row else {
            self.tell_rest();
            return Ok(None);
        };
        self.last_number = row.number;
        if let Ok(record) = &mut row.result {
            let column = Field::Id.label(self.context.kind);
            row.warnings.extend(self.seen.take(record, &row.sheet, row.number, row.is_derived, column));
        }
        Ok(Some(row))
    }

    /// At the end: what the whole file showed.
    fn tell_rest(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let odd = match &self.input {
            Input::Delimited { records, table, .. } => {
                sheets::tell_unread("", table, &self.context, false, &mut self.notes);
                records.text.odd()
            }
            Input::Lines { lines, unread, .. } => {
                let mut unread: Vec<_> = unread.iter().collect();
                unread.sort();
                for (key, count) in unread {
                    if key.is_empty() {
                        let reason = format!("不认识的键太多，其余的键共有 {count} 个值没有读取");
                        self.notes.warn("", None, "（其余的键）", "", reason);
                        continue;
                    }
                    let shown = cut(key);
                    let reason = format!(
                        "不认识的键，有 {count} 个值没有读取；可用 --mapping 指明含义，或写 \"{shown}\" = \"ignore\" 表示不需要"
                    );
                    self.notes.warn("", None, key, "", reason);
                }
                lines.text.odd()
            }
            Input::Sheets(_) => None,
        };
        if let Some(odd) = odd {
            let (own, rest) = if odd.encoding == UTF_8 { ("UTF-8", "GB18030") } else { ("GB18030", "UTF-8") };
            let reason = format!(
                "有 {} 行是 {own} 编码，其余各行是 {rest}；已按各行自己的编码读取，请核对这些行有无乱码",
                odd.lines
            );
            self.notes.warn("", Some(odd.first), "（编码）", "", reason);
        }
        if self.seen.full {
            self.notes.warn("", None, "（整个文件）", "", "行数很多，两百万行以后没有再检查编号是否重复");
        }
        self.notes.end();
    }
}

impl Iterator for RecordFile {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if let Some(row) = self.first.take() {
            return Some(row);
        }
        if self.failed {
            return None;
        }
        self.read_row().unwrap_or_else(|error| {
            self.failed = true;
            let reason = format!("读取失败（{error}），这一行及以后没有读取，请检查磁盘后重新导入");
            Some(refused(self.last_number + 1, "", reason))
        })
    }
}

// === impl Input ===

impl Input {
    /// Headings of the columns that are ignored.
    fn ignored(&self) -> Vec<String> {
        match self {
            Self::Delimited { table, .. } => table.ignored(),
            Self::Sheets(rows) => {
                let mut all: Vec<String> = rows.tables().flat_map(Table::ignored).collect();
                all.dedup();
                all
            }
            Self::Lines { .. } => Vec::new(),
        }
    }
}

// === impl Context ===

impl Context {
    /// Resolves headings for the kind of the file.
    pub fn resolver(&self) -> Resolver<'_> {
        Resolver { kind: Some(self.kind), mapping: &self.mapping }
    }
}

/// A row of a text.
fn row(number: u64, built: Built) -> Row {
    Row { sheet: "".into(), number, result: built.result, warnings: built.warnings, is_derived: built.is_derived }
}

fn refused(number: u64, start: &str, reason: String) -> Row {
    row(number, Built { result: Err(vec![row_error(start, reason)]), warnings: Vec::new(), is_derived: false })
}

/// The next row of a delimited text that is a record.
fn read_delimited(
    records: &mut Records<File>,
    table: &mut Table,
    index: &mut usize,
    context: &Context,
    notes: &mut Notes,
) -> io::Result<Option<Row>> {
    loop {
        let Some(Delimited { line: number, fields }) = records.next_record()? else { return Ok(None) };
        let fields = match fields {
            Ok(fields) if fields.iter().all(|field| field.trim().is_empty()) => continue,
            Ok(fields) => fields,
            Err((start, reason)) => return Ok(Some(refused(number, &start, reason))),
        };
        if let Err(reason) = table.check_width(&fields) {
            return Ok(Some(refused(number, &fields.join(","), reason)));
        }
        let mut fields: Vec<String> = fields.iter().map(|field| unguarded(field).into_owned()).collect();
        let why = skip::why(&fields, &table.headings, table.title(), *index, context.resolver());
        *index += 1;
        if let Some(why) = why {
            notes.warn("", Some(number), "（整行）", &fields.join("，"), format!("这一行{why}，没有导入"));
            continue;
        }
        let filled = fields.iter().enumerate().filter(|(_, field)| !field.trim().is_empty());
        table.count_unread(filled.map(|(column, _)| column));
        let places = table.places(|index| fields.get_mut(index).map(|field| text_cell(std::mem::take(field))));
        return Ok(Some(row(number, build::record(context, &places, records.text.lossy()))));
    }
}

/// A cell of a text; what Excel writes for a formula that failed is no text.
fn text_cell(text: String) -> Cell {
    const FAILED: [&str; 7] = ["#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"];
    if FAILED.contains(&text.trim()) {
        return Cell::Broken { shown: text, reason: "公式出错，请改为具体的值" };
    }
    Cell::Text(text)
}

/// Record of a JSON object. A null value counts as missing.
fn object(
    pairs: Pairs,
    known: &mut HashMap<String, Option<Target>>,
    ignored: &mut Vec<String>,
    unread: &mut HashMap<String, u64>,
    context: &Context,
    lossy: bool,
) -> Built {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let resolver = context.resolver();
    let targets = pairs.iter().map(|(key, _)| {
        if let Some(target) = known.get(key) {
            return *target;
        }
        let target = resolver.find(key);
        // limits memory, as keys may differ on every line
        if known.len() < MAX_COLUMNS {
            known.insert(key.clone(), target);
        }
        target
    });
    let targets: Vec<Option<Target>> = targets.collect();
    let columns = Columns::assign(targets.clone());
    let mut places = Vec::new();
    for (((key, value), target), own) in pairs.iter().zip(&columns.targets).zip(&targets) {
        if let Some(target) = target {
            places.push(Place { column: key, target: *target, cell: Cell::Json(value.clone()) });
            continue;
        }
        if ignored.len() < MAX_COLUMNS && !ignored.contains(key) {
            ignored.push(key.clone());
        }
        let waived = own.is_some() || context.mapping.find(key) == Some(None);
        let empty = value.as_str().is_some_and(|text| text.trim().is_empty());
        if !waived && !empty {
            // the many keys of a file whose keys differ on every line are counted together
            let own = unread.len() < MAX_COLUMNS || unread.contains_key(key);
            *unread.entry(if own { key.clone() } else { String::new() }).or_default() += 1;
        }
    }
    build::record(context, &places, lossy)
}
