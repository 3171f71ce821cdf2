//! Re-matching results as files: JSON lines, CSV, XLSX, Parquet. Pure: rows in, bytes out.
//!
//! Rows are written as they come. Only one row (JSON lines, CSV), a temporary file (XLSX) or one row group (Parquet) is
//! kept, so memory does not grow with the result. Equal rows give equal bytes. One table of columns serves all four
//! formats: machines get keys (JSON lines, Parquet), people get Chinese (CSV, XLSX).

mod columns;
mod delimited;
mod groups;
mod lines;
mod sheets;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::rematch::diff::{Change, ChangeReason};
use delimited::Delimited;
use duijie_core::domain::{RecordName, hit::Level};
use groups::Groups;
use lines::Lines;
use sheets::Sheets;

/// One pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Demand of the pair.
    pub demand: Party,
    /// Achievement or expert of the pair.
    pub target: Party,
    /// Place of the pair; `None` for a lost pair.
    pub place: Option<Standing>,
    /// Difference from an earlier job; `None` in a file of results.
    pub change: Option<RowChange>,
}

/// A record of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// Name.
    pub name: RecordName,
    /// Title; empty if the record has been deleted.
    pub title: String,
    /// Name of the owner; empty if there is none.
    pub owner: String,
}

/// Place of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Rank among the targets of one kind, from 1.
    pub rank: u32,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level; `None` if unknown.
    pub level: Option<Level>,
}

/// Difference of a pair from an earlier job.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// Kind of the difference.
    pub change: Change,
    /// Reasons, at least one.
    pub reasons: Vec<ChangeReason>,
    /// Earlier place; `None` for a new pair.
    pub before: Option<Standing>,
}

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, one row per line.
    Jsonl,
    /// CSV with a byte order mark, as Excel needs it.
    Csv,
    /// Excel workbook.
    Xlsx,
    /// Parquet.
    Parquet,
}

/// Content of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The pairs of a job.
    Results,
    /// The differences between two jobs.
    Changes,
}

/// Reason why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Writing the bytes failed.
    #[error("写不出文件：{0}")]
    Write(#[from] io::Error),
    /// The library that makes the file failed.
    #[error("无法生成 {format} 文件：{reason}")]
    Library {
        /// File format.
        format: &'static str,
        /// Cause.
        reason: String,
    },
}

/// Writes rows into a file. The file is complete only after [`Exporter::finish`].
pub struct Exporter<W: Write + Send>(Inner<W>);

enum Inner<W: Write + Send> {
    Jsonl(Lines<W>),
    Csv(Box<Delimited<W>>),
    Xlsx(Box<Sheets<W>>),
    Parquet(Box<Groups<W>>),
}

// === impl Format ===

impl Format {
    /// Media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// File extension without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

// === impl Exporter ===

impl<W: Write + Send> Exporter<W> {
    /// Begins a file in `out`. `made` is the creation time stored in the file: the job's time, so that the same job
    /// makes the same file.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn new(format: Format, content: Content, made: Timestamp, out: W) -> Result<Self, ExportError> {
        let columns = columns::of(content);
        Ok(Self(match format {
            Format::Jsonl => Inner::Jsonl(Lines::new(columns, out)),
            Format::Csv => Inner::Csv(Box::new(Delimited::new(columns, out)?)),
            Format::Xlsx => Inner::Xlsx(Box::new(Sheets::new(columns, content, made, out)?)),
            Format::Parquet => Inner::Parquet(Box::new(Groups::new(columns, out)?)),
        }))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`ExportError`]; the file is then unusable.
    pub fn write(&mut self, row: &Row) -> Result<(), ExportError> {
        match &mut self.0 {
            Inner::Jsonl(it) => it.write(row),
            Inner::Csv(it) => it.write(row),
            Inner::Xlsx(it) => it.write(row),
            Inner::Parquet(it) => it.write(row),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn finish(self) -> Result<(), ExportError> {
        match self.0 {
            Inner::Jsonl(it) => it.finish(),
            Inner::Csv(it) => it.finish(),
            Inner::Xlsx(it) => it.finish(),
            Inner::Parquet(it) => it.finish(),
        }
    }
}
