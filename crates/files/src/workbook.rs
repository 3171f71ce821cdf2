//! Sheets of an `.xlsx` workbook, read into memory within limits.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::{
    cell::Cell, delimited::MAX_ROW_BYTES, error::FileProblem, headings::MAX_COLUMNS, shared_strings, zip_sizes,
};

/// Largest workbook file, in MiB.
pub const MAX_FILE_MIB: u64 = 200;
/// Most rows of a sheet; Excel itself stops at 1,048,576.
pub const MAX_ROWS: u32 = 2_000_000;
/// Most bytes in memory for the cells of a sheet.
const MAX_SHEET_BYTES: usize = 512 << 20;
/// Bytes per cell besides its text.
const CELL_BYTES: usize = 48;
/// Above this Excel keeps 15 digits and pads with zeros, so an id or credit code is no longer the typed one.
const MAX_EXACT: f64 = 1e15;

/// Non-empty cells of a sheet: by row (from 0), then by column (from 0).
pub type Rows = BTreeMap<u32, SheetRow>;

/// Cells of one row.
#[derive(Debug, Default)]
pub struct SheetRow {
    /// Cells by column; empty if the row is too long.
    pub cells: BTreeMap<u32, Cell>,
    /// Bytes of its texts; a row above [`MAX_ROW_BYTES`] is not kept.
    pub bytes: usize,
}

/// Rows of the first sheet that `is_table` accepts, else of the first non-empty sheet. Hidden sheets come last.
///
/// # Errors
/// A workbook that is too large, damaged, protected or without cells.
pub fn read(mut file: File, is_table: impl Fn(&Rows) -> bool) -> Result<Rows, FileProblem> {
    if MAX_FILE_MIB << 20 < file.metadata()?.len() {
        return Err(FileProblem::WorkbookTooLarge { max_mib: MAX_FILE_MIB });
    }
    shared_strings::check(&mut zip_sizes::open(&mut file)?)?;
    file.seek(SeekFrom::Start(0))?;
    // calamine has panicked on damaged files; a panic must not end the program
    let reading = AssertUnwindSafe(|| sheets(file, is_table));
    catch_unwind(reading).unwrap_or_else(|_| Err(FileProblem::BrokenWorkbook("内部结构有误".into())))
}

fn sheets(file: File, is_table: impl Fn(&Rows) -> bool) -> Result<Rows, FileProblem> {
    let mut workbook = Xlsx::new(BufReader::new(file))?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let mut names: Vec<_> = sheets.map(|sheet| (sheet.visible != SheetVisible::Visible, sheet.name.clone())).collect();
    names.sort_by_key(|(hidden, _)| *hidden);
    let mut first = None;
    for (_, name) in names {
        let rows = match sheet(&mut workbook, &name) {
            // a broken later sheet does not matter once a sheet with cells was found
            Err(_) if first.is_some() => continue,
            rows => rows?,
        };
        if is_table(&rows) {
            return Ok(rows);
        }
        if first.is_none() && !rows.is_empty() {
            first = Some(rows);
        }
    }
    first.ok_or(FileProblem::Empty)
}

fn sheet(workbook: &mut Xlsx<BufReader<File>>, name: &str) -> Result<Rows, FileProblem> {
    let mut reader = workbook.worksheet_cells_reader(name)?;
    let (mut rows, mut bytes, mut columns) = (Rows::new(), 0_usize, 0);
    while let Some(found) = reader.next_cell()? {
        let (row, column) = found.get_position();
        let Some(cell) = cell(found.get_value()) else { continue };
        columns = columns.max(column as usize + 1);
        let size = CELL_BYTES + text_bytes(&cell);
        bytes += size;
        if MAX_ROWS <= row {
            return Err(FileProblem::TooManyRows { max_rows: MAX_ROWS });
        }
        if MAX_COLUMNS < columns {
            return Err(FileProblem::TooManyColumns { columns });
        }
        if MAX_SHEET_BYTES < bytes {
            return Err(FileProblem::Unfolds);
        }
        let own = rows.entry(row).or_default();
        own.bytes += size;
        if own.bytes <= MAX_ROW_BYTES {
            own.cells.insert(column, cell);
        } else {
            own.cells.clear();
        }
    }
    Ok(rows)
}

fn text_bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) | Cell::Broken { shown: text, .. } => text.len(),
        Cell::Json(_) => 0,
    }
}

/// A cell value as text; `None` if empty.
fn cell(value: &DataRef<'_>) -> Option<Cell> {
    let text = match value {
        DataRef::Empty => return None,
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => return Some(float(*number)),
        DataRef::DateTime(time) if time.is_datetime() => date(time),
        DataRef::DateTime(time) => return Some(float(time.as_f64())),
        DataRef::Error(error) => {
            return Some(Cell::Broken { shown: error.to_string(), reason: "公式出错，请改为具体的值" });
        }
    };
    (!text.trim().is_empty()).then_some(Cell::Text(text))
}

/// A number with the 15 digits that Excel shows, without `.0` and without exponent.
fn float(number: f64) -> Cell {
    if !number.is_finite() {
        return Cell::Broken { shown: number.to_string(), reason: "不是数字，请改为具体的值" };
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if MAX_EXACT <= rounded.abs() {
        let reason = "数字超过 15 位，表格软件已丢失末尾数字，请将该列设为文本格式后重新填写";
        return Cell::Broken { shown: format!("{rounded:e}"), reason };
    }
    Cell::Text(rounded.to_string())
}

fn date(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

// === impl FileProblem ===

impl From<XlsxError> for FileProblem {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::Io(error) => Self::Unreadable(error),
            XlsxError::Password => Self::BrokenWorkbook("有密码".into()),
            other => Self::BrokenWorkbook(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_the_sheet() {
        let check = |number: f64, want: &str| assert_eq!(float(number), Cell::Text(want.into()));
        check(12.0, "12");
        check(0.1 + 0.2, "0.3");
        check(130_100.0, "130100");
        check(-2.5, "-2.5");
        check(999_999_999_999_999.0, "999999999999999");
        assert!(matches!(float(1e15), Cell::Broken { .. }));
        assert!(matches!(float(f64::NAN), Cell::Broken { .. }));
    }
}
