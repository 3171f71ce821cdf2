//! One row of a sheet in memory. A sheet may have two million rows, so a row is a list of small cells, not a map.

use std::collections::BTreeMap;

use super::cell::Cell;

/// Cells of one row by column.
pub type Cells = BTreeMap<u32, Cell>;

/// Bytes of a row besides its cells: its place in the map of rows, and its list.
pub const ROW_BYTES: usize = 96;
/// Bytes of a cell besides its text: its place in the list, and what the allocator adds.
pub const CELL_BYTES: usize = 48;

/// Non-empty cells of one row.
#[derive(Debug, Default)]
pub struct SheetRow {
    /// In the order of the columns; empty if the row is too long.
    cells: Vec<(u32, Held)>,
    /// Bytes of its cells; a row above [`super::delimited::MAX_ROW_BYTES`] is not kept.
    pub bytes: usize,
}

/// A cell in memory.
#[derive(Debug)]
enum Held {
    Text(Box<str>),
    Number(Box<(Box<str>, Box<str>)>),
    Broken(Box<(Box<str>, &'static str)>),
}

/// Bytes that a cell takes in memory.
pub fn bytes(cell: &Cell) -> usize {
    // the second text of a number, and the reason of a broken cell, have places of their own
    CELL_BYTES
        + match cell {
            Cell::Text(text) => text.len(),
            Cell::Number { raw, shown } => CELL_BYTES + raw.len() + shown.len(),
            Cell::Broken { shown, .. } => CELL_BYTES + shown.len(),
            Cell::Json(_) => 0,
        }
}

// === impl SheetRow ===

impl SheetRow {
    /// Puts a cell in its column; the last one stays.
    pub fn put(&mut self, column: u32, cell: Cell) {
        let held = Held::from(cell);
        match self.cells.last() {
            Some((last, _)) if column <= *last => match self.cells.binary_search_by_key(&column, |(own, _)| *own) {
                Ok(place) => drop(self.cells.get_mut(place).map(|(_, own)| *own = held)),
                Err(place) => self.cells.insert(place, (column, held)),
            },
            _ => self.cells.push((column, held)),
        }
    }

    /// Drops all cells.
    pub fn clear(&mut self) {
        self.cells = Vec::new();
    }

    /// Gives back the memory that no cell uses.
    pub fn shrink(&mut self) {
        self.cells.shrink_to_fit();
    }

    /// The cell in a column.
    pub fn get(&self, column: u32) -> Option<Cell> {
        let place = self.cells.binary_search_by_key(&column, |(own, _)| *own).ok()?;
        self.cells.get(place).map(|(_, held)| held.cell())
    }

    /// Texts of the cells by column; those of broken cells are empty.
    pub fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for (column, held) in &self.cells {
            // column numbers are below MAX_COLUMNS
            texts.resize(*column as usize, String::new());
            texts.push(held.text().to_string());
        }
        texts
    }

    /// All cells.
    pub fn into_cells(self) -> Cells {
        self.cells.into_iter().map(|(column, held)| (column, held.cell())).collect()
    }
}

// === impl Held ===

impl Held {
    fn cell(&self) -> Cell {
        match self {
            Self::Text(text) => Cell::Text(text.to_string()),
            Self::Number(texts) => Cell::Number { raw: texts.0.to_string(), shown: texts.1.to_string() },
            Self::Broken(texts) => Cell::Broken { shown: texts.0.to_string(), reason: texts.1 },
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Number(texts) => &texts.1,
            Self::Broken(_) => "",
        }
    }
}

impl From<Cell> for Held {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(text.into()),
            Cell::Number { raw, shown } => Self::Number(Box::new((raw.into(), shown.into()))),
            Cell::Broken { shown, reason } => Self::Broken(Box::new((shown.into(), reason))),
            // sheets have none
            Cell::Json(value) => Self::Text(value.to_string().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_costs_what_is_counted() {
        // with the 16 bytes that an allocator adds to each text and list
        assert!(size_of::<(u32, Held)>() + 16 <= CELL_BYTES);
        assert!(size_of::<(Box<str>, Box<str>)>() + 16 <= CELL_BYTES);
        // a map's nodes are at least half full
        assert!(2 * size_of::<(u32, SheetRow)>() + 16 <= ROW_BYTES);
    }

    #[test]
    fn cells_come_back() {
        let text = |text: &str| Cell::Text(text.into());
        let number = Cell::Number { raw: "1".into(), shown: "01".into() };
        let broken = Cell::Broken { shown: "#N/A".into(), reason: "x" };
        let mut row = SheetRow::default();
        for (column, cell) in [(2, text("c")), (0, number.clone()), (4, broken.clone()), (2, text("d"))] {
            row.put(column, cell);
        }
        row.shrink();
        assert_eq!((row.get(2), row.get(1)), (Some(text("d")), None));
        assert_eq!(row.texts(), ["01", "", "d", "", ""]);
        assert_eq!(row.into_cells(), Cells::from([(0, number), (2, text("d")), (4, broken)]));
    }
}
