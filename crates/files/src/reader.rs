//! Reader of a file of records in any format.

use std::{
    collections::{HashMap, btree_map},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{
    CellError, ReadOptions, Row,
    build::{self, Context, Place, row_error},
    cell::Cell,
    delimited::{Delimited, MAX_ROW_BYTES, Records},
    error::FileProblem,
    headings::{Columns, MAX_COLUMNS, Target},
    kind::{self, Resolver},
    lines::{self, Line, Lines, Pairs},
    mapping::Mapping,
    sniff::Format,
    table::{self, Table},
    text::{Probe, Text},
    workbook::{self, SheetRow},
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
    total_bytes: u64,
    last_number: u64,
    failed: bool,
}

enum Input {
    Delimited { records: Records<File>, table: Table },
    Sheet { rows: btree_map::IntoIter<u32, SheetRow>, table: Table, total: u64 },
    Lines { lines: Lines<File>, known: HashMap<String, Option<Target>> },
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
    file.by_ref().take(8).read_to_end(&mut head)?;
    format.check(&head)?;
    file.seek(SeekFrom::Start(0))?;
    let named = kind::named(options)?;
    let mapping = options.mapping.clone().unwrap_or_default();
    let (input, kind) = match format {
        Format::Delimited => open_delimited(file, named, &mapping, path)?,
        Format::Lines => open_lines(file, named, &mapping, path)?,
        Format::Workbook => open_workbook(file, named, &mapping, path)?,
    };
    let source = options.source.clone().or_else(|| mapping.source.clone()).unwrap_or_default();
    let ignored = input.table().map(Table::ignored).unwrap_or_default();
    let context = Context { kind, source, mapping };
    let total_bytes = metadata.len();
    let mut opened = RecordFile { context, input, first: None, ignored, total_bytes, last_number: 0, failed: false };
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
    let table = Table::new(heading.cells, Resolver { kind: Some(kind), mapping })?;
    text.consume(heading.bytes);
    let records = Records::new(text, heading.separator, heading.lines + 1);
    Ok((Input::Delimited { records, table }, kind))
}

fn open_workbook(
    file: File,
    named: Option<Kind>,
    mapping: &Mapping,
    path: &Path,
) -> Result<(Input, Kind), FileProblem> {
    let resolver = Resolver { kind: named, mapping };
    let mut rows = workbook::read(file, |rows| table::find_sheet_heading(rows, resolver).is_some())?;
    let found = table::find_sheet_heading(&rows, resolver);
    let (heading_row, headings) = found.ok_or_else(|| table::sheet_without_heading(&rows))?;
    let kind = kind::decide(named, &headings, mapping, path)?;
    let table = Table::new(headings, Resolver { kind: Some(kind), mapping })?;
    let rows = rows.split_off(&(heading_row + 1));
    let total = rows.len() as u64;
    Ok((Input::Sheet { rows: rows.into_iter(), table, total }, kind))
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
    Ok((Input::Lines { lines: Lines::new(text), known: HashMap::new() }, kind))
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
            Input::Sheet { rows, total, .. } => {
                let done = u128::from(total.saturating_sub(rows.len() as u64));
                let part = u128::from(self.total_bytes) * done / u128::from(*total).max(1);
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

    /// The next row; an unreadable row is returned with an error.
    fn read_row(&mut self) -> io::Result<Option<Row>> {
        let row = match &mut self.input {
            Input::Delimited { records, table } => read_delimited(records, table, &self.context)?,
            Input::Sheet { rows, table, .. } => {
                rows.next().map(|(row, cells)| sheet_row(row, cells, table, &self.context))
            }
            Input::Lines { lines, known } => match lines.next_line()? {
                None => None,
                Some(Line { number, pairs: Err((start, reason)) }) => {
                    Some(Row { number, result: Err(vec![row_error(&start, reason)]) })
                }
                Some(Line { number, pairs: Ok(pairs) }) => {
                    let lossy = lines.text.lossy();
                    let result = object(pairs, known, &mut self.ignored, &self.context, lossy);
                    Some(Row { number, result })
                }
            },
        };
        if let Some(row) = &row {
            self.last_number = row.number;
        }
        Ok(row)
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
            Some(Row { number: self.last_number + 1, result: Err(vec![row_error("", reason)]) })
        })
    }
}

// === impl Input ===

impl Input {
    fn table(&self) -> Option<&Table> {
        match self {
            Self::Delimited { table, .. } | Self::Sheet { table, .. } => Some(table),
            Self::Lines { .. } => None,
        }
    }
}

/// The next non-blank row of a delimited text.
fn read_delimited(records: &mut Records<File>, table: &Table, context: &Context) -> io::Result<Option<Row>> {
    loop {
        let Some(Delimited { line: number, fields }) = records.next_record()? else { return Ok(None) };
        let refuse = |start: &str, reason| Ok(Some(Row { number, result: Err(vec![row_error(start, reason)]) }));
        let mut fields = match fields {
            Ok(fields) if fields.iter().all(|field| field.trim().is_empty()) => continue,
            Ok(fields) => fields,
            Err((start, reason)) => return refuse(&start, reason),
        };
        if let Err(reason) = table.check_width(&fields) {
            return refuse(&fields.join(","), reason);
        }
        let places = table.places(|index| fields.get_mut(index).map(|field| Cell::Text(std::mem::take(field))));
        let result = build::record(context, &places, records.text.lossy());
        return Ok(Some(Row { number, result }));
    }
}

fn sheet_row(row: u32, mut cells: SheetRow, table: &Table, context: &Context) -> Row {
    let number = u64::from(row) + 1;
    if MAX_ROW_BYTES < cells.bytes {
        return Row { number, result: Err(vec![row_error("", "这一行超过 1 MiB，请删减内容".into())]) };
    }
    // column numbers are below MAX_COLUMNS
    let places = table.places(|index| u32::try_from(index).ok().and_then(|index| cells.cells.remove(&index)));
    Row { number, result: build::record(context, &places, false) }
}

/// Record of a JSON object. A null value counts as missing.
fn object(
    pairs: Pairs,
    known: &mut HashMap<String, Option<Target>>,
    ignored: &mut Vec<String>,
    context: &Context,
    lossy: bool,
) -> Result<duijie_core::domain::Record, Vec<CellError>> {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let resolver = Resolver { kind: Some(context.kind), mapping: &context.mapping };
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
    let columns = Columns::assign(targets.collect());
    let mut places = Vec::new();
    for ((key, value), target) in pairs.iter().zip(&columns.targets) {
        match target {
            Some(target) => places.push(Place { column: key, target: *target, cell: Cell::Json(value.clone()) }),
            None if ignored.len() < MAX_COLUMNS && !ignored.contains(key) => ignored.push(key.clone()),
            None => (),
        }
    }
    build::record(context, &places, lossy)
}
