//! What a user should know of a file as a whole: what was not read of it.

use super::{CellError, cell::cut};

/// Most notes of one file; further ones would only repeat them.
const MOST: usize = 1000;

/// A note on a file, a sheet, a column or a row that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the sheet; empty for a text.
    pub sheet: String,
    /// Row, if it is about one.
    pub row: Option<u64>,
    /// Column or `（整行）`, value, and what happened, in Chinese.
    pub cell: CellError,
    /// Whether content was not read, or may not be what the user meant. Else it is only said.
    pub warns: bool,
}

/// Notes of one file.
#[derive(Debug, Default)]
pub struct Notes(Vec<Note>);

// === impl Notes ===

impl Notes {
    /// Adds a warning.
    pub fn warn(&mut self, sheet: &str, row: Option<u64>, column: &str, value: &str, reason: impl Into<String>) {
        self.add(sheet, row, column, value, reason.into(), true);
    }

    /// Adds what is only said.
    pub fn say(&mut self, sheet: &str, reason: impl Into<String>) {
        self.add(sheet, None, "", "", reason.into(), false);
    }

    fn add(&mut self, sheet: &str, row: Option<u64>, column: &str, value: &str, reason: String, warns: bool) {
        if self.0.len() < MOST {
            let cell = CellError { column: column.to_string(), value: cut(value), reason };
            self.0.push(Note { sheet: sheet.to_string(), row, cell, warns });
        }
    }

    /// All notes so far.
    pub fn list(&self) -> &[Note] {
        &self.0
    }
}
