//! Excel workbook, written row by row through a temporary file. When a sheet is full, the next one begins.

use std::io::Write;

use jiff::Timestamp;
use rust_xlsxwriter::{Format as CellFormat, Workbook, XlsxError};

use super::{
    Content, ExportError, Row,
    columns::{Column, Sort},
};
use duijie_files::export::{self, begin_sheet, begin_workbook, write_row};

/// Rows per sheet including the heading: Excel's limit.
const MAX_ROWS: u32 = 1_048_576;

/// Writes sheets.
pub struct Sheets<W> {
    columns: Vec<Column>,
    name: &'static str,
    workbook: Workbook,
    heading: CellFormat,
    plain: CellFormat,
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
        Self::with_limit(columns, content, made, out, MAX_ROWS)
    }

    /// A writer with at most `max_rows` rows per sheet, at least 2.
    pub fn with_limit(
        columns: Vec<Column>,
        content: Content,
        made: Timestamp,
        out: W,
        max_rows: u32,
    ) -> Result<Self, ExportError> {
        let name = match content {
            Content::Results => "匹配结果",
            Content::Changes => "变化",
        };
        let mut sheets = Self {
            columns,
            name,
            workbook: begin_workbook(name, made).map_err(failed)?,
            heading: CellFormat::new().set_bold(),
            plain: CellFormat::new(),
            score: CellFormat::new().set_num_format("0.0000"),
            sheets: 0,
            next: 0,
            max_rows: max_rows.max(2),
            out,
        };
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
        let cells = self.columns.iter().map(|column| {
            let format = if column.sort == Sort::Score { &self.score } else { &self.plain };
            ((column.value)(row).cell(), format)
        });
        write_row(sheet, at, cells).map_err(failed)
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
        let columns = self.columns.iter().map(|column| export::Column::new(column.heading, column.width.into()));
        begin_sheet(sheet, &name, &columns.collect::<Vec<_>>(), &self.heading).map_err(failed)
    }
}

fn failed(error: XlsxError) -> ExportError {
    match error {
        XlsxError::IoError(error) => ExportError::Write(error),
        other => ExportError::Library { format: "XLSX", reason: other.to_string() },
    }
}
