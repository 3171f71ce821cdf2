//! Sheets of a workbook, written row by row: what was written may leave memory.

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Cell, cell::kept};

/// A column of a sheet.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Heading.
    pub heading: &'static str,
    /// Width in characters.
    pub width: u16,
}

// === impl Column ===

impl Column {
    /// A column.
    pub const fn new(heading: &'static str, width: u16) -> Self {
        Self { heading, width }
    }
}

/// Begins a workbook. `made` is the creation time stored in it, so that the same content makes the same file.
///
/// # Errors
/// A time that Excel does not know.
pub fn begin_workbook(title: &str, made: Timestamp) -> Result<Workbook, XlsxError> {
    let created = ExcelDateTime::from_timestamp(made.as_second())?;
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    Ok(workbook)
}

/// Names a sheet, sets widths and headings, and keeps the headings in view. The next row is row 1.
///
/// # Errors
/// A name that Excel does not take.
pub fn begin_sheet(sheet: &mut Worksheet, name: &str, columns: &[Column], heading: &Format) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    for (place, column) in (0..).zip(columns) {
        sheet.set_column_width(place, column.width)?;
    }
    write_row(sheet, 0, columns.iter().map(|column| (column.heading.into(), heading)))
}

/// Writes a row of cells with their formats. A text is written as a string, so that none is taken for a formula. One that
/// begins with a guard of its own gets another, as imports take guards off.
///
/// # Errors
/// A row or a text beyond Excel's limits.
pub fn write_row<'a>(
    sheet: &mut Worksheet,
    row: u32,
    cells: impl IntoIterator<Item = (Cell<'a>, &'a Format)>,
) -> Result<(), XlsxError> {
    for (place, (cell, format)) in (0..).zip(cells) {
        match cell {
            Cell::Empty => {}
            Cell::Text(text) => drop(sheet.write_string_with_format(row, place, kept(&text), format)?),
            Cell::Number(number) => drop(sheet.write_number_with_format(row, place, number, format)?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use calamine::{Data, Reader, Xlsx};

    #[test]
    fn cells_keep_their_types() {
        let mut workbook = begin_workbook("题", Timestamp::UNIX_EPOCH).unwrap();
        let plain = Format::new();
        let columns = [Column::new("名称", 20), Column::new("得分", 8)];
        let sheet = workbook.add_worksheet_with_constant_memory().unwrap();
        begin_sheet(sheet, "表", &columns, &plain).unwrap();
        write_row(sheet, 1, [("=1+1".into(), &plain), (Cell::Number(0.5), &plain)]).unwrap();
        write_row(sheet, 2, [(Cell::Empty, &plain), (Cell::Number(2.0), &plain)]).unwrap();
        let mut read: Xlsx<_> = Xlsx::new(Cursor::new(workbook.save_to_buffer().unwrap())).unwrap();
        assert_eq!(read.sheet_names(), ["表"]);
        assert!(read.worksheet_formula("表").unwrap().is_empty());
        let range = read.worksheet_range("表").unwrap();
        let rows: Vec<Vec<Data>> = range.rows().map(<[Data]>::to_vec).collect();
        let text = |text: &str| Data::String(text.to_string());
        assert_eq!(rows[0], [text("名称"), text("得分")]);
        assert_eq!(rows[1], [text("=1+1"), Data::Float(0.5)]);
        assert_eq!(rows[2], [Data::Empty, Data::Float(2.0)]);
    }
}
