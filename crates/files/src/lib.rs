//! Tables in and out. In: a user's table read into checked records, row by row: CSV (UTF-8, UTF-16 or GB18030), XLSX and
//! JSONL. Out: what all exports share, in [`export`].
//!
//! ```no_run
//! use duijie_files::{ErrorReport, ReadOptions, open};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let path = std::path::Path::new("成果.csv");
//! let mut report = ErrorReport::beside(path);
//! for row in open(path, &ReadOptions::default())? {
//!     match row.result {
//!         Ok(record) => println!("{}", record.name()),
//!         Err(errors) => report.add(row.number, &errors)?,
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - The kind of the records is taken from the options, the mapping, the headings or the file name, in this order.
//! - A table's heading is the first of its first ten rows that names a title column, so a banner above it does no harm.
//! - Where two columns mean one field (`所属行业`, `行业代码`), the surer name is read and the other ignored; texts of
//!   several columns are joined into the body, each under its heading.
//! - **Without an id column** a row's id is `row-` and 16 hexadecimal digits of a hash over title and owner: reading the
//!   file again finds the same records, but a row whose title or owner was changed is a new record, and two rows with
//!   the same title and owner are one record.
//! - Amounts without a unit, in heading or cell, are in yuan. Times without a zone are China time (UTC+8).
//! - CSV and JSONL are streamed: no more than about 2 MiB of a file is in memory, whatever its size. A workbook is read
//!   into memory, within the limits of [`FileProblem`].
//! - A bad row never ends the reading. Only a file that cannot be understood as a whole is refused.

mod amount;
mod build;
mod cell;
mod dates;
mod delimited;
mod error;
pub mod export;
mod fields;
mod headings;
mod kind;
mod lines;
mod mapping;
mod reader;
mod report;
mod shared_strings;
mod sniff;
mod table;
mod text;
mod values;
mod workbook;
mod zip_sizes;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::{
    error::{FileError, FileProblem},
    mapping::{Mapping, MappingError},
    reader::RecordFile,
    report::{ErrorReport, ReportError, Written},
};
use duijie_core::domain::{Kind, Record};

/// How a file is to be read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Kind of its records; `None` to guess.
    pub kind: Option<Kind>,
    /// What its columns mean, where the headings do not say.
    pub mapping: Option<Mapping>,
    /// Source system of rows that name none; goes before that of the mapping. Default `local`.
    pub source: Option<String>,
}

/// One row of a table, one line of a JSONL file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line of the file or row of the sheet, from 1, the heading counted.
    pub number: u64,
    /// A checked record, or all that is wrong with the row.
    pub result: Result<Record, Vec<CellError>>,
}

/// What is wrong with one cell, or with a whole row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// Heading or key as in the file; `（整行）` where the row itself is wrong.
    pub column: String,
    /// What stands there, cut to 80 characters.
    pub value: String,
    /// What is wrong, in Chinese.
    pub reason: String,
}

/// Opens a file and reads as far as its first row.
///
/// # Errors
/// [`FileError`] when it is missing, not of the form that its ending says, empty, too wide, of a kind that cannot be
/// told, or a workbook beyond the limits.
pub fn open(path: &Path, options: &ReadOptions) -> Result<RecordFile, FileError> {
    reader::open(path, options).map_err(|problem| FileError::new(path, problem))
}
