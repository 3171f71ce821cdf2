//! Cells that are merged over several rows: each row below the first has the cell as well.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    cell::Cell,
    delimited::MAX_ROW_BYTES,
    marks::Merge,
    sheet_row::{self, Cells},
    workbook::{MAX_SHEET_BYTES, Rows},
};

/// Merged cells of a sheet whose rows are read from top to bottom.
#[derive(Debug, Default)]
pub struct Merged {
    /// Those whose first row is not yet reached: by first row and column, with the last row.
    coming: BTreeMap<(u32, u32), (u32, Cell)>,
    /// Those that may cover the next row, by column. Each ends before the one below it, which it covers for a while.
    open: BTreeMap<u32, Vec<(u32, Cell)>>,
    /// Bytes that were copied so far.
    copied: usize,
}

// === impl Merged ===

impl Merged {
    /// The ranges of more than one row that begin with a cell of these rows, in one of the first columns.
    pub fn of(merges: &[Merge], rows: &Rows, columns: usize) -> Self {
        let mut coming = BTreeMap::new();
        for merge in merges {
            let (first, last, column) = (merge.first.row, merge.last.row, merge.first.column);
            if last <= first || columns <= column as usize {
                continue;
            }
            match coming.entry((first, column)) {
                Entry::Occupied(mut own) => {
                    let (before, _): &mut (u32, Cell) = own.get_mut();
                    *before = last.max(*before);
                }
                Entry::Vacant(place) => {
                    if let Some(cell) = rows.get(&first).and_then(|row| row.get(column)) {
                        place.insert((last, cell));
                    }
                }
            }
        }
        Self { coming, ..Self::default() }
    }

    /// Last row of the range that begins in a cell.
    pub fn last_row(&self, row: u32, column: u32) -> Option<u32> {
        self.coming.get(&(row, column)).map(|(last, _)| *last)
    }

    /// Fills in the cells that are merged from a row above. Of overlapping ranges the one counts that begins last.
    ///
    /// # Errors
    /// A reason in Chinese, if the row or all copies become too long.
    pub fn fill(&mut self, row: u32, cells: &mut Cells, mut bytes: usize) -> Result<(), &'static str> {
        self.begin_to(row);
        for (column, open) in &mut self.open {
            while open.last().is_some_and(|(last, _)| *last < row) {
                open.pop();
            }
            let Some((_, cell)) = open.last().filter(|_| !cells.contains_key(column)) else { continue };
            let size = sheet_row::bytes(cell);
            bytes = bytes.saturating_add(size);
            self.copied = self.copied.saturating_add(size);
            if MAX_ROW_BYTES < bytes {
                return Err("这一行连同合并的单元格超过 1 MiB，请删减内容");
            }
            if MAX_SHEET_BYTES < self.copied {
                return Err("合并的单元格重复的内容过多，请拆分单元格或另存为 CSV 后导入");
            }
            cells.insert(*column, cell.clone());
        }
        Ok(())
    }

    /// Takes in the ranges that begin up to a row.
    fn begin_to(&mut self, row: u32) {
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= row) {
            let ((_, column), (last, cell)) = entry.remove_entry();
            let open = self.open.entry(column).or_default();
            while open.last().is_some_and(|(before, _)| *before <= last) {
                open.pop();
            }
            open.push((last, cell));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::CellPlace;

    fn merged(texts: &[(u32, &str)], merges: &[(u32, u32)]) -> Merged {
        let mut rows = Rows::new();
        for (row, text) in texts {
            rows.entry(*row).or_default().put(0, Cell::Text((*text).into()));
        }
        let at = |row| CellPlace { row, column: 0 };
        let merges: Vec<_> = merges.iter().map(|rows| Merge { first: at(rows.0), last: at(rows.1) }).collect();
        Merged::of(&merges, &rows, 1)
    }

    #[test]
    fn overlapping_ranges_leave_no_row_empty() {
        let mut merged = merged(&[(0, "a"), (2, "b"), (3, "c")], &[(0, 8), (2, 4), (3, 3), (3, 6), (9, 10)]);
        let got: Vec<_> = (0..10)
            .map(|row| {
                let mut cells = Cells::new();
                merged.fill(row, &mut cells, 0).unwrap();
                cells.remove(&0).map_or(String::new(), |cell| cell.text().unwrap())
            })
            .collect();
        assert_eq!(got, ["a", "a", "b", "c", "c", "c", "c", "a", "a", ""]);
    }

    #[test]
    fn copies_have_a_limit() {
        let text = "x".repeat(9000);
        let mut merged = merged(&[(0, &text)], &[(0, 9)]);
        assert!(merged.fill(1, &mut Cells::new(), MAX_ROW_BYTES - 9000).is_err());
        assert!(merged.fill(1, &mut Cells::new(), 0).is_ok());
        merged.copied = MAX_SHEET_BYTES - 9000;
        assert!(merged.fill(2, &mut Cells::new(), 0).is_err());
    }
}
