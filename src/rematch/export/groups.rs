//! Parquet: row groups, stored by column. The rows of a group are buffered until it is full.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::{parser::parse_message_type, types::Type},
};

use super::{
    ExportError, Row,
    columns::{Column, Sort, Value},
};

/// Rows per group: about 3 MB.
const GROUP_ROWS: usize = 10_000;
/// Creator of the file, without a version, which would change the bytes.
const CREATED_BY: &str = "duijie";

/// Writes row groups.
pub struct Groups<W: Write + Send> {
    columns: Vec<Column>,
    writer: SerializedFileWriter<W>,
    kept: Vec<Kept>,
    rows: usize,
    group_rows: usize,
}

/// Buffered values of one column; columns that may be empty also keep a definition level per row.
enum Kept {
    Text(Vec<ByteArray>),
    Word(Vec<ByteArray>, Vec<i16>),
    Number(Vec<i32>, Vec<i16>),
    Score(Vec<f64>, Vec<i16>),
}

// === impl Groups ===

impl<W: Write + Send> Groups<W> {
    pub fn new(columns: Vec<Column>, out: W) -> Result<Self, ExportError> {
        Self::with_limit(columns, out, GROUP_ROWS)
    }

    /// A writer with at most `group_rows` rows per group, at least 1.
    pub fn with_limit(columns: Vec<Column>, out: W, group_rows: usize) -> Result<Self, ExportError> {
        let schema = schema(&columns).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(CREATED_BY.to_string())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let kept = columns.iter().map(Kept::new).collect();
        Ok(Self { columns, writer, kept, rows: 0, group_rows: group_rows.max(1) })
    }

    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        for (column, kept) in self.columns.iter().zip(&mut self.kept) {
            kept.push((column.value)(row));
        }
        self.rows += 1;
        if self.rows == self.group_rows { self.write_group().map_err(failed) } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<(), ExportError> {
        if self.rows != 0 {
            self.write_group().map_err(failed)?;
        }
        self.writer.close().map(drop).map_err(failed)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        self.rows = 0;
        let mut group = self.writer.next_row_group()?;
        for kept in &mut self.kept {
            let Some(mut column) = group.next_column()? else {
                return Err(ParquetError::General("a column is missing".to_string()));
            };
            match kept {
                Kept::Text(values) => column.typed::<ByteArrayType>().write_batch(values, None, None)?,
                Kept::Word(values, levels) => {
                    column.typed::<ByteArrayType>().write_batch(values, Some(levels), None)?
                }
                Kept::Number(values, levels) => column.typed::<Int32Type>().write_batch(values, Some(levels), None)?,
                Kept::Score(values, levels) => column.typed::<DoubleType>().write_batch(values, Some(levels), None)?,
            };
            column.close()?;
            kept.clear();
        }
        group.close().map(drop)
    }
}

// === impl Kept ===

impl Kept {
    fn new(column: &Column) -> Self {
        match column.sort {
            Sort::Text | Sort::Codes => Self::Text(Vec::new()),
            Sort::Code => Self::Word(Vec::new(), Vec::new()),
            Sort::Place | Sort::Level => Self::Number(Vec::new(), Vec::new()),
            Sort::Score => Self::Score(Vec::new(), Vec::new()),
        }
    }

    fn push(&mut self, value: Value<'_>) {
        match self {
            Self::Text(values) => values.push(ByteArray::from(text(value).unwrap_or_default().into_bytes())),
            Self::Word(values, levels) => keep(values, levels, text(value).map(|text| text.into_bytes().into())),
            Self::Number(values, levels) => {
                let number = match value {
                    Value::Place(place) => i32::try_from(place).ok(),
                    Value::Level(level) => Some(level.number().into()),
                    _ => None,
                };
                keep(values, levels, number);
            }
            Self::Score(values, levels) => {
                keep(values, levels, if let Value::Score(score) = value { Some(score) } else { None });
            }
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Text(values) => values.clear(),
            Self::Word(values, levels) => (values.clear(), levels.clear()).0,
            Self::Number(values, levels) => (values.clear(), levels.clear()).0,
            Self::Score(values, levels) => (values.clear(), levels.clear()).0,
        }
    }
}

fn keep<T>(values: &mut Vec<T>, levels: &mut Vec<i16>, value: Option<T>) {
    levels.push(i16::from(value.is_some()));
    values.extend(value);
}

/// Machine-readable text; several words are joined by commas.
fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.into_owned()),
        Value::Code(key, _) => Some(key.to_string()),
        Value::Codes(codes) => Some(codes.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(",")),
        Value::Empty | Value::Place(_) | Value::Level(_) | Value::Score(_) => None,
    }
}

fn schema(columns: &[Column]) -> Result<Type, ParquetError> {
    let field = |column: &Column| match column.sort {
        Sort::Text | Sort::Codes => format!("required binary {} (STRING);", column.key),
        Sort::Code => format!("optional binary {} (STRING);", column.key),
        Sort::Place | Sort::Level => format!("optional int32 {};", column.key),
        Sort::Score => format!("optional double {};", column.key),
    };
    let fields: Vec<String> = columns.iter().map(field).collect();
    parse_message_type(&format!("message rematch {{ {} }}", fields.join(" ")))
}

fn failed(error: ParquetError) -> ExportError {
    ExportError::Library { format: "Parquet", reason: error.to_string() }
}
