//! CSV for Excel: UTF-8 with a byte order mark, CRLF, and no text that Excel takes for a formula.

use std::io::Write;

use super::{
    ExportError, Row,
    columns::{Column, Value},
};
use duijie_files::harmless;

/// Without this mark Excel reads UTF-8 as GBK.
const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Writes CSV.
pub struct Delimited<W: Write> {
    columns: Vec<Column>,
    writer: csv::Writer<W>,
}

// === impl Delimited ===

impl<W: Write> Delimited<W> {
    pub fn new(columns: Vec<Column>, mut out: W) -> Result<Self, ExportError> {
        out.write_all(BYTE_ORDER_MARK)?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        writer.write_record(columns.iter().map(|column| column.heading)).map_err(failed)?;
        Ok(Self { columns, writer })
    }

    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        let cells = self.columns.iter().map(|column| cell(&(column.value)(row)));
        self.writer.write_record(cells).map_err(failed)
    }

    pub fn finish(mut self) -> Result<(), ExportError> {
        Ok(self.writer.flush()?)
    }
}

fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Place(place) => place.to_string(),
        Value::Score(score) => score.to_string(),
        text => text.label().map(|text| harmless(&text)).unwrap_or_default(),
    }
}

fn failed(error: csv::Error) -> ExportError {
    ExportError::Write(error.into())
}
