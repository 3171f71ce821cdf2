//! Sheets of an `.xlsx` workbook, read into memory within limits.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    rc::Rc,
};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxError};
use jiff::civil::{Date, DateTime};
use zip::ZipArchive;

use super::{
    cell::Cell,
    delimited::MAX_ROW_BYTES,
    error::FileProblem,
    export::unguarded,
    format,
    headings::MAX_COLUMNS,
    large_parts,
    marks::{self, CellPlace, Marks},
    relations, shared_strings,
    sheet_row::{self, ROW_BYTES, SheetRow},
    styles, zip_sizes,
};

/// Largest workbook file, in MiB.
pub const MAX_FILE_MIB: u64 = 200;
/// Most rows of a sheet; Excel itself stops at 1,048,576.
pub const MAX_ROWS: u32 = 2_000_000;
/// Most bytes in memory for the cells of all sheets, and again for copies of merged cells.
pub const MAX_SHEET_BYTES: usize = 512 << 20;
/// Above this Excel keeps 15 digits and pads with zeros, so an id or credit code is no longer the typed one.
const MAX_EXACT: f64 = 1e15;

/// What a formula without its value says.
const BARE_FORMULA: &str = "公式没有保存结果，请用 Excel 或 WPS 打开文件，保存后重新导入，或改为具体的值";

/// Rows of a sheet with cells, by number (from 0).
pub type Rows = BTreeMap<u32, SheetRow>;

/// A sheet with cells.
#[derive(Debug)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Whether the user does not see it.
    pub hidden: bool,
    /// Its cells.
    pub rows: Rows,
    /// What else it says about them.
    pub marks: Marks,
    /// Whether its marks could not be read, so that they are empty.
    pub unmarked: bool,
}

/// Sheets of a workbook.
#[derive(Debug, Default)]
pub struct Sheets {
    /// Those with cells. Of those that are not kept, the first rows only.
    pub sheets: Vec<Sheet>,
    /// Names of those that could not be read, with the reason.
    pub failed: Vec<(String, String)>,
    kept: bool,
}

/// Rows that stay of a sheet that is not kept: enough to say what it is.
const SAMPLE_ROWS: usize = 20;

/// Sheets of a workbook; `keep` says of which all rows are needed.
///
/// # Errors
/// A workbook that is too large, damaged, protected or without cells.
pub fn read(path: &Path, mut file: File, keep: impl Fn(&Sheet) -> bool) -> Result<Sheets, FileProblem> {
    if MAX_FILE_MIB << 20 < file.metadata()?.len() {
        return Err(FileProblem::WorkbookTooLarge { max_mib: MAX_FILE_MIB });
    }
    // XML readers have panicked on damaged files; a panic must not end the program
    let reading = AssertUnwindSafe(|| {
        let mut parts = zip_sizes::open(BufReader::new(&mut file))?;
        shared_strings::check(&mut parts)?;
        styles::check(&mut parts)?;
        large_parts::check(&mut parts)?;
        drop(parts);
        file.seek(SeekFrom::Start(0))?;
        // the marks are read by a second handle, which has a place of its own in the file
        let archive = zip_sizes::open(BufReader::new(File::open(path)?))?;
        sheets(file, archive, keep)
    });
    catch_unwind(reading).unwrap_or_else(|_| Err(FileProblem::BrokenWorkbook("内部结构有误".into())))
}

fn sheets(
    file: File,
    mut archive: ZipArchive<BufReader<File>>,
    keep: impl Fn(&Sheet) -> bool,
) -> Result<Sheets, FileProblem> {
    // checks what the relationships name, before calamine follows them
    let paths = relations::paths(&mut archive)?;
    let mut workbook = Xlsx::new(BufReader::new(file))?;
    let listed = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let listed: Vec<_> = listed.map(|sheet| (sheet.visible != SheetVisible::Visible, sheet.name.clone())).collect();
    let (mut found, mut kept_bytes, mut problem, mut formats) = (Sheets::default(), 0, None, None);
    for (hidden, name) in listed {
        let mut bytes = kept_bytes;
        let read = cells(&mut workbook, &name, &mut bytes, &mut formats).and_then(|mut rows| {
            let marks = paths.get(&name).map(|path| marks::read(&mut archive, path)).transpose()?;
            let unmarked = marks.is_none();
            let mut marks = marks.unwrap_or_default();
            bytes += marks.bytes();
            add_bare_formulas(&mut rows, &mut marks, &mut bytes)?;
            Ok(Sheet { name: name.clone(), hidden, rows, marks, unmarked })
        });
        let mut sheet = match read {
            Ok(read) => read,
            Err(error) => {
                found.failed.push((name, error.to_string()));
                problem.get_or_insert(error);
                continue;
            }
        };
        if sheet.rows.is_empty() {
            continue;
        }
        if keep(&sheet) {
            kept_bytes = bytes;
            found.kept = true;
        } else {
            let end = sheet.rows.keys().nth(SAMPLE_ROWS).copied();
            if let Some(end) = end {
                drop(sheet.rows.split_off(&end));
            }
            sheet.marks = Marks::default();
            kept_bytes += sheet.rows.values().map(|row| ROW_BYTES + row.bytes).sum::<usize>();
        }
        found.sheets.push(sheet);
    }
    match problem {
        Some(problem) if !found.kept => Err(problem),
        _ if found.sheets.is_empty() => Err(FileProblem::Empty),
        _ => Ok(found),
    }
}

fn cells(
    workbook: &mut Xlsx<BufReader<File>>,
    name: &str,
    bytes: &mut usize,
    formats: &mut Option<Formats>,
) -> Result<Rows, FileProblem> {
    let mut reader = workbook.worksheet_cells_reader(name)?;
    let formats = formats.get_or_insert_with(|| Formats::of(reader.styles()));
    let (mut rows, mut columns, mut last) = (Rows::new(), 0, None);
    while let Some((found, style)) = reader.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        let Some(cell) = cell(found.get_value(), formats.of_style(style)) else { continue };
        columns = columns.max(column as usize + 1);
        if MAX_COLUMNS < columns {
            return Err(FileProblem::TooManyColumns { columns });
        }
        if last != Some(row)
            && let Some(before) = last.replace(row).and_then(|last| rows.get_mut(&last))
        {
            before.shrink();
        }
        put(&mut rows, CellPlace { row, column }, cell, bytes)?;
    }
    Ok(rows)
}

/// Puts a cell in its place and counts its bytes, in its row and in all.
fn put(rows: &mut Rows, place: CellPlace, cell: Cell, bytes: &mut usize) -> Result<(), FileProblem> {
    if MAX_ROWS <= place.row {
        return Err(FileProblem::TooManyRows { max_rows: MAX_ROWS });
    }
    let size = sheet_row::bytes(&cell);
    let own = rows.entry(place.row).or_insert_with(|| {
        *bytes += ROW_BYTES;
        SheetRow::default()
    });
    *bytes += size;
    own.bytes += size;
    if MAX_SHEET_BYTES < *bytes {
        return Err(FileProblem::Unfolds);
    }
    if own.bytes <= MAX_ROW_BYTES {
        own.put(place.column, cell);
    } else {
        own.clear();
    }
    Ok(())
}

/// Formulas without a stored value, which calamine takes for empty cells.
fn add_bare_formulas(rows: &mut Rows, marks: &mut Marks, bytes: &mut usize) -> Result<(), FileProblem> {
    for place in std::mem::take(&mut marks.bare_formulas) {
        put(rows, place, Cell::Broken { shown: "（公式）".into(), reason: BARE_FORMULA }, bytes)?;
    }
    Ok(())
}

/// Number formats of a workbook by style: code and number.
struct Formats(Vec<(Rc<str>, u32)>);

/// How a cell is displayed.
#[derive(Debug, Clone, Copy)]
struct NumberFormat<'a> {
    /// Format code, such as `0.00%`.
    code: &'a str,
    /// Number of the built-in format.
    id: u32,
}

// === impl Formats ===

impl Formats {
    fn of(styles: &[Style]) -> Self {
        let mut codes: HashSet<Rc<str>> = HashSet::new();
        let format = |style: &Style| {
            let format = style.number_format.as_ref();
            let code = format.map_or("", |format| format.format_code.as_str());
            let code = codes.get(code).cloned().unwrap_or_else(|| {
                let code: Rc<str> = code.into();
                codes.insert(code.clone());
                code
            });
            (code, format.and_then(|format| format.format_id).unwrap_or(0))
        };
        Self(styles.iter().map(format).collect())
    }

    fn of_style(&self, style: usize) -> NumberFormat<'_> {
        let general = NumberFormat { code: "General", id: 0 };
        self.0.get(style).map_or(general, |(code, id)| NumberFormat { code, id: *id })
    }
}

/// A cell value with its format; `None` if empty.
fn cell(value: &DataRef<'_>, NumberFormat { code, id }: NumberFormat<'_>) -> Option<Cell> {
    let text = match value {
        DataRef::Empty => return None,
        // a table with guarded texts may have passed through a spreadsheet
        DataRef::String(text) => unguarded(text).into_owned(),
        DataRef::SharedString(text) => unguarded(text).into_owned(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_string(),
        DataRef::Int(number) => return Some(displayed(*number as f64, Cell::Text(number.to_string()), code)),
        DataRef::Float(number) => return Some(displayed(*number, float(*number), code)),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (raw, shown) = date(time, code, id);
            return Some(match shown {
                Some(shown) if shown != raw => Cell::Number { raw, shown },
                _ => Cell::Text(raw),
            });
        }
        DataRef::DateTime(time) => return Some(float(time.as_f64())),
        DataRef::Error(error) => {
            return Some(Cell::Broken { shown: error.to_string(), reason: "公式出错，请改为具体的值" });
        }
    };
    (!text.trim().is_empty()).then_some(Cell::Text(text))
}

/// A number as its format displays it.
fn displayed(number: f64, cell: Cell, code: &str) -> Cell {
    match cell {
        Cell::Text(raw) if code != "General" => match format::number(number, &raw, code) {
            Some(shown) if shown != raw => Cell::Number { raw, shown },
            _ => Cell::Text(raw),
        },
        other => other,
    }
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

/// A time as `2026-11-23 09:30:00`, and as displayed.
fn date(time: &ExcelDateTime, code: &str, id: u32) -> (String, Option<String>) {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let raw = if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    };
    let shown = raw.parse::<DateTime>().ok().or_else(|| raw.parse::<Date>().ok().map(DateTime::from));
    (raw, shown.and_then(|time| format::date(time, code, id)))
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

    #[test]
    fn cells_and_rows_have_a_limit() {
        let text = || Cell::Text("x".into());
        let (mut rows, mut bytes) = (Rows::new(), 0);
        put(&mut rows, CellPlace { row: 0, column: 0 }, text(), &mut bytes).unwrap();
        put(&mut rows, CellPlace { row: 0, column: 1 }, text(), &mut bytes).unwrap();
        assert_eq!(bytes, ROW_BYTES + 2 * sheet_row::bytes(&text()));
        // a cell alone in its row costs its row as well
        bytes = MAX_SHEET_BYTES - sheet_row::bytes(&text());
        assert!(put(&mut rows, CellPlace { row: 0, column: 2 }, text(), &mut bytes.clone()).is_ok());
        assert!(matches!(
            put(&mut rows, CellPlace { row: 1, column: 0 }, text(), &mut bytes),
            Err(FileProblem::Unfolds)
        ));
        let mut formula = Marks { bare_formulas: [CellPlace { row: MAX_ROWS, column: 0 }].into(), ..Marks::default() };
        assert!(matches!(add_bare_formulas(&mut rows, &mut formula, &mut 0), Err(FileProblem::TooManyRows { .. })));
    }
}
