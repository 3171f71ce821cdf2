//! What a user should know of a file as a whole: what was not read of it.

use super::{CellError, cell::cut};

/// Maximum of notes of one file on single rows, and again on sheets, columns and the file. Further ones are counted.
const MAX_NOTES: usize = 1000;

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
pub struct Notes {
    list: Vec<Note>,
    /// Notes in the list on single rows.
    rows: usize,
    left_out: LeftOut,
}

/// Numbers of notes that are not in the list.
#[derive(Debug, Default)]
struct LeftOut {
    /// On single rows.
    on_rows: u64,
    /// On sheets, columns and the file.
    others: u64,
}

// === impl Notes ===

impl Notes {
    /// Adds a warning.
    pub fn warn(&mut self, sheet: &str, row: Option<u64>, column: &str, value: &str, reason: impl Into<String>) {
        let cell = CellError { column: cut(column), value: cut(value), reason: reason.into() };
        self.add(Note { sheet: sheet.to_string(), row, cell, warns: true });
    }

    /// Adds what is only said.
    pub fn say(&mut self, sheet: &str, reason: impl Into<String>) {
        let cell = CellError { column: String::new(), value: String::new(), reason: reason.into() };
        self.add(Note { sheet: sheet.to_string(), row: None, cell, warns: false });
    }

    fn add(&mut self, note: Note) {
        let others = self.list.len() - self.rows;
        match note.row {
            Some(_) if MAX_NOTES <= self.rows => self.left_out.on_rows += 1,
            None if MAX_NOTES <= others => self.left_out.others += 1,
            _ => {
                self.rows += usize::from(note.row.is_some());
                self.list.push(note);
            }
        }
    }

    /// Adds a last note on those that are left out. Nothing may be added afterwards.
    pub fn end(&mut self) {
        let LeftOut { on_rows, others } = self.left_out;
        let part = |count: u64, what: &str| if count == 0 { String::new() } else { format!("{count} 条{what}") };
        let parts = [part(on_rows, "关于单行的"), part(others, "关于工作表和列的")];
        let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        if !parts.is_empty() {
            let reason = format!("提示过多，另有{}没有列出", parts.join("、"));
            let cell = CellError { column: "（整个文件）".into(), value: String::new(), reason };
            self.list.push(Note { sheet: String::new(), row: None, cell, warns: true });
        }
    }

    /// All notes so far.
    pub fn list(&self) -> &[Note] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_on_columns_have_room_and_the_rest_is_counted() {
        let mut notes = Notes::default();
        for row in 0..1500 {
            notes.warn("", Some(row), "（整行）", "", "跳过");
        }
        notes.warn("", None, "列", "", "没有读取");
        notes.end();
        let list = notes.list();
        assert_eq!((list.len(), list[1000].cell.column.as_str()), (1002, "列"));
        assert!(list[1001].warns && list[1001].cell.reason.contains("500 条关于单行的没有列出"), "{:?}", list[1001]);
        let mut few = Notes::default();
        few.warn("", Some(1), "", "", "x");
        few.end();
        assert_eq!(few.list().len(), 1);
    }
}
