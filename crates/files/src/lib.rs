//! Reads a user's table into checked records, row by row: CSV (UTF-8, UTF-16 or GB18030), XLSX and JSONL.
//!
//! ```no_run
//! use duijie_files::{ErrorReport, ReadOptions, open};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let path = std::path::Path::new("成果.csv");
//! let mut report = ErrorReport::beside(path);
//! for row in open(path, &ReadOptions::default())? {
//!     report.row(&row)?;
//!     if let Ok(record) = row.result {
//!         println!("{}", record.name());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - The kind of the records comes from the options, the mapping, the headings or the file name, in this order.
//! - The heading is, of the first ten rows with a title column, the one with the most known headings, or two rows: groups
//!   above, names below. A banner above it is harmless.
//! - If two columns mean one field (`所属行业`, `行业代码`), the more specific name is read and the other ignored; texts of
//!   several columns are joined into the body, each under its heading.
//! - Of a workbook, all visible sheets whose headings fit are read. A merged cell counts for each row that it spans.
//! - An optional cell that cannot be read is left out with a warning. A formula without a stored value refuses its row.
//! - **Without an id column** a row's id is `row-` and 16 hexadecimal digits of a hash over title and owner. Reading
//!   the file again gives the same records, but a row with a changed title or owner is a new record. Of two rows with the
//!   same title and owner and other content, the second gets an id over its content as well, with a warning.
//! - Amounts without a unit in heading or cell are in yuan. Times without a zone are China time (UTC+8).
//! - CSV and JSONL are streamed: at most about 2 MiB of a file is in memory, whatever its size. A workbook is read into
//!   memory, within the limits of [`FileProblem`].
//! - A month or year means its last day as a deadline, its first as a publication.
//! - A bad row never stops the reading. Only a file that is unreadable as a whole is refused. What was not read is told:
//!   [`Row::warnings`], and [`RecordFile::notes`] at the end.

mod amount;
mod build;
mod cell;
mod dates;
mod decode;
mod delimited;
mod error;
pub mod export;
mod fields;
mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod heading_rows;
mod headings;
mod kind;
mod large_parts;
mod leave_out;
mod lines;
mod mapping;
mod marks;
mod merged;
mod notes;
mod parts;
mod reader;
mod relations;
mod report;
mod seen;
mod shared_strings;
mod sheet_row;
mod sheets;
mod skip;
mod sniff;
mod styles;
mod table;
mod text;
mod values;
mod workbook;
mod zip_sizes;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

pub use self::{
    error::{FileError, FileProblem},
    mapping::{Mapping, MappingError},
    notes::Note,
    reader::RecordFile,
    report::{ErrorReport, ReportError, Written},
};
use duijie_core::domain::{Kind, Record};

/// Options for reading a file.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Kind of the records; `None` to guess.
    pub kind: Option<Kind>,
    /// Meanings of columns with unknown headings.
    pub mapping: Option<Mapping>,
    /// Source system for rows without one; takes precedence over the mapping's. Default `local`.
    pub source: Option<String>,
}

/// One row of a table, or one line of a JSONL file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the sheet; empty for a text.
    pub sheet: Arc<str>,
    /// Line of the file or row of the sheet, from 1, including the heading.
    pub number: u64,
    /// A checked record, or all errors of the row.
    pub result: Result<Record, Vec<CellError>>,
    /// What the row has and its record has not, or not as written. Empty without a record.
    pub warnings: Vec<CellError>,
    /// Whether the record's id was made from title and owner.
    pub is_derived: bool,
}

/// Error of one cell, or of a whole row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// Heading or key, as in the file; `（整行）` for an error of the whole row.
    pub column: String,
    /// Value of the cell, cut to 80 characters.
    pub value: String,
    /// Reason, in Chinese.
    pub reason: String,
}

/// Opens a file and reads up to its first row.
///
/// # Errors
/// [`FileError`] when the file is missing, does not match its extension, is empty, has too many columns, is of an
/// unknown kind, or is a workbook beyond the limits.
pub fn open(path: &Path, options: &ReadOptions) -> Result<RecordFile, FileError> {
    reader::open(path, options).map_err(|problem| FileError::new(path, problem))
}
