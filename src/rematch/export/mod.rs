//! Results of re-matching as files: JSON lines, CSV, XLSX, Parquet. Pure: rows in, bytes out.
//!
//! Rows are written as they come; what is kept is one row (JSON lines, CSV), a temporary file (XLSX) or one group of rows
//! (Parquet), so memory does not grow with the result. The same rows make the same bytes. One table of columns serves all
//! four: machines get keys (JSON lines, Parquet), people get Chinese (CSV, XLSX).

mod columns;
mod delimited;
mod groups;
mod lines;
mod sheets;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::rematch::diff::{Change, Reason};
use delimited::Delimited;
use duijie_core::domain::{RecordName, hit::Level};
use groups::Groups;
use lines::Lines;
use sheets::Sheets;

/// One pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The demand.
    pub demand: Party,
    /// The achievement or expert.
    pub target: Party,
    /// Where the pair stands; `None` for a pair that is lost.
    pub place: Option<Standing>,
    /// How it differs from an earlier job; `None` in a file of results.
    pub change: Option<RowChange>,
}

/// A record of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// Name.
    pub name: RecordName,
    /// Title; empty where the record is gone by now.
    pub title: String,
    /// Name of the owner; empty where there is none.
    pub owner: String,
}

/// Where a pair stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Place among the targets of one kind, from 1.
    pub rank: u32,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level; `None` where none is known.
    pub level: Option<Level>,
}

/// How a pair differs from an earlier job.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// How.
    pub change: Change,
    /// Why, at least one.
    pub reasons: Vec<Reason>,
    /// Where it stood; `None` for a new pair.
    pub before: Option<Standing>,
}

/// Sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, a row each line.
    Jsonl,
    /// CSV with a byte order mark, as Excel wants it.
    Csv,
    /// Excel workbook.
    Xlsx,
    /// Parquet.
    Parquet,
}

/// What rows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The pairs of a job.
    Results,
    /// What differs between two jobs.
    Changes,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Bytes are not taken.
    #[error("写不出文件：{0}")]
    Write(#[from] io::Error),
    /// The library that makes the file failed.
    #[error("无法生成 {format} 文件：{reason}")]
    Library {
        /// Sort of file.
        format: &'static str,
        /// Why.
        reason: String,
    },
}

/// Writes rows into a file. What is written is complete only after [`Exporter::finish`].
pub struct Exporter<W: Write + Send>(Inner<W>);

enum Inner<W: Write + Send> {
    Jsonl(Lines<W>),
    Csv(Box<Delimited<W>>),
    Xlsx(Box<Sheets<W>>),
    Parquet(Box<Groups<W>>),
}

// === impl Format ===

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Xlsx, Self::Parquet];

    /// Name; also how its files end.
    pub fn key(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// The format of files that end so.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.key().eq_ignore_ascii_case(key))
    }
}

// === impl Exporter ===

impl<W: Write + Send> Exporter<W> {
    /// Begins a file in `out`. `made` stands in the file as the time at which it was made: that of the job, so that the
    /// same job makes the same file.
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
    /// [`ExportError`]; the file is of no use then.
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
