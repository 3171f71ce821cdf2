//! JSON lines: one object per line, with every column; missing values are null.

use std::io::Write;

use serde_json::{Map, Value as Json};

use super::{
    ExportError, Row,
    columns::{Column, Value},
};

/// Writes JSON lines.
pub struct Lines<W> {
    columns: Vec<Column>,
    out: W,
}

// === impl Lines ===

impl<W: Write> Lines<W> {
    pub fn new(columns: Vec<Column>, out: W) -> Self {
        Self { columns, out }
    }

    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        let entry = |column: &Column| (column.key.to_string(), json((column.value)(row)));
        let object: Map<String, Json> = self.columns.iter().map(entry).collect();
        let mut line = Json::Object(object).to_string();
        line.push('\n');
        Ok(self.out.write_all(line.as_bytes())?)
    }

    pub fn finish(mut self) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

fn json(value: Value<'_>) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Text(text) => Json::String(text.into_owned()),
        Value::Code(key, _) => Json::from(key),
        Value::Codes(codes) => codes.into_iter().map(|(key, _)| Json::from(key)).collect(),
        Value::Place(place) => Json::from(place),
        Value::Level(level) => Json::from(level.number()),
        Value::Score(score) => Json::from(score),
    }
}
