//! Excel workbook, written row by row through a temporary file. When a sheet is full, the next one begins.

use std::io::Write;

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as CellFormat, Workbook, Worksheet, XlsxError};

use super::{
    Content, ExportError, Row,
    columns::{Column, Value},
};

/// Rows per sheet including the heading: Excel's limit.
const MAX_ROWS: u32 = 1_048_576;

/// Writes sheets.
pub struct Sheets<W> {
    columns: Vec<Column>,
    name: &'static str,
    workbook: Workbook,
    heading: CellFormat,
    score: CellFormat,
    /// Number of sheets so far.
    sheets: usize,
    /// Next row in the current sheet.
    next: u32,
    max_rows: u32,
    out: W,
}

// === impl Sheets ===

impl<W: Write + Send> Sheets<W> {
    pub fn new(columns: Vec<Column>, content: Content, made: Timestamp, out: W) -> Result<Self, ExportError> {
        Self::with_limit(columns, content, made, (out, MAX_ROWS))
    }

    /// A writer with at most `max_rows` rows per sheet, at least 2.
    pub fn with_limit(
        columns: Vec<Column>,
        content: Content,
        made: Timestamp,
        (out, max_rows): (W, u32),
    ) -> Result<Self, ExportError> {
        let name = match content {
            Content::Results => "匹配结果",
            Content::Changes => "变化",
        };
        let mut workbook = Workbook::new();
        let created = ExcelDateTime::from_timestamp(made.as_second()).map_err(failed)?;
        workbook.set_properties(&DocProperties::new().set_title(name).set_creation_datetime(&created));
        let heading = CellFormat::new().set_bold();
        let score = CellFormat::new().set_num_format("0.0000");
        let mut sheets =
            Self { columns, name, workbook, heading, score, sheets: 0, next: 0, max_rows: max_rows.max(2), out };
        sheets.begin()?;
        Ok(sheets)
    }

    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        if self.next == self.max_rows {
            self.begin()?;
        }
        let at = self.next;
        self.next += 1;
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1).map_err(failed)?;
        for (column, place) in self.columns.iter().zip(0..) {
            put(sheet, (at, place), &(column.value)(row), &self.score).map_err(failed)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ExportError> {
        self.workbook.save_to_writer(&mut self.out).map_err(failed)?;
        Ok(self.out.flush()?)
    }

    /// Begins a sheet with its heading.
    fn begin(&mut self) -> Result<(), ExportError> {
        self.sheets += 1;
        self.next = 1;
        let name = if self.sheets == 1 { self.name.to_string() } else { format!("{}{}", self.name, self.sheets) };
        let sheet = self.workbook.add_worksheet_with_constant_memory().map_err(failed)?;
        begin(sheet, &name, &self.columns, &self.heading).map_err(failed)
    }
}

fn begin(sheet: &mut Worksheet, name: &str, columns: &[Column], heading: &CellFormat) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    for (column, place) in columns.iter().zip(0..) {
        sheet.set_column_width(place, f64::from(column.width))?;
        sheet.write_string_with_format(0, place, column.heading, heading)?;
    }
    Ok(())
}

/// Texts are written as strings, so that none is taken for a formula.
fn put(sheet: &mut Worksheet, at: (u32, u16), value: &Value<'_>, score: &CellFormat) -> Result<(), XlsxError> {
    let (row, column) = at;
    match value {
        Value::Place(place) => drop(sheet.write_number(row, column, *place)?),
        Value::Score(value) => drop(sheet.write_number_with_format(row, column, *value, score)?),
        text => {
            if let Some(text) = text.label().filter(|text| !text.is_empty()) {
                sheet.write_string(row, column, text.as_ref())?;
            }
        }
    }
    Ok(())
}

fn failed(error: XlsxError) -> ExportError {
    match error {
        XlsxError::IoError(error) => ExportError::Write(error),
        other => ExportError::Library { format: "XLSX", reason: other.to_string() },
    }
}
