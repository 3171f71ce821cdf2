//! CSV for Excel.

use std::io::Write;

use super::{ExportError, Row, columns::Column};
use duijie_files::export::Csv;

/// Writes CSV.
pub struct Delimited<W: Write> {
    columns: Vec<Column>,
    csv: Csv<W>,
}

// === impl Delimited ===

impl<W: Write> Delimited<W> {
    pub fn new(columns: Vec<Column>, out: W) -> Result<Self, ExportError> {
        let csv = Csv::new(out, columns.iter().map(|column| column.heading))?;
        Ok(Self { columns, csv })
    }

    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        Ok(self.csv.write(self.columns.iter().map(|column| (column.value)(row).cell()))?)
    }

    pub fn finish(self) -> Result<(), ExportError> {
        self.csv.finish()?;
        Ok(())
    }
}
