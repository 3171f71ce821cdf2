//! What a sheet says about its cells besides their values: merged ranges, hidden rows and columns, formulas whose value
//! is not stored. calamine gives none of these in one pass, or not at all.

use std::{
    collections::{BTreeSet, HashSet},
    io::{Read, Seek},
};

use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::{
    error::FileProblem,
    headings::MAX_COLUMNS,
    parts::{self, NEXT, attribute, is_set},
};

/// Maximum of merged ranges that are kept, and of formulas without a value.
const MAX_MARKS: usize = 1_000_000;

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellPlace {
    /// Row, from 0.
    pub row: u32,
    /// Column, from 0.
    pub column: u32,
}

/// A merged range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// Its first cell, above and to the left of all others.
    pub first: CellPlace,
    /// Its last cell.
    pub last: CellPlace,
}

/// Marks of one sheet.
#[derive(Debug, Default)]
pub struct Marks {
    /// Merged ranges that begin in a column that can be read.
    pub merges: Vec<Merge>,
    /// Hidden rows with cells, in order.
    pub hidden_rows: Vec<u32>,
    /// Hidden columns that can be read, in order.
    pub hidden_columns: BTreeSet<u32>,
    /// Places of formulas without a stored value.
    pub bare_formulas: HashSet<CellPlace>,
}

/// Marks of the sheet in the part `path`.
///
/// # Errors
/// A missing or damaged part; more formulas without a value than are kept.
pub fn read(archive: &mut ZipArchive<impl Read + Seek>, path: &str) -> Result<Marks, FileProblem> {
    let index = parts::find(archive, path).ok_or_else(|| parts::broken("缺少工作表的内容"))?;
    let mut marks = Marks::default();
    let (mut row, mut column) = (0_u32, 0_u32);
    let mut cell = Formula::default();
    let mut in_value = false;
    parts::each(archive, index, |event| {
        match event {
            Event::Start(element) | Event::Empty(element) => {
                let empty = matches!(event, Event::Empty(_));
                match element.local_name().as_ref() {
                    "row" => {
                        row = attribute(element, "r")
                            .and_then(|number| number.parse::<u32>().ok())
                            .map_or(row, |number| number.saturating_sub(1));
                        column = 0;
                        if is_set(element, "hidden") && !empty {
                            marks.hidden_rows.push(row);
                        }
                    }
                    "c" => {
                        if let Some(own) = attribute(element, "r").as_deref().and_then(place) {
                            column = own.column;
                        }
                        cell =
                            Formula { text: attribute(element, "t").is_some_and(|t| t == "str"), ..Formula::default() };
                    }
                    "f" => cell.formula = true,
                    "v" | "t" => in_value = !empty,
                    "col" if is_set(element, "hidden") => marks.hide_columns(element),
                    "mergeCell" => {
                        let range = attribute(element, "ref").as_deref().and_then(range);
                        marks.merges.extend(range.filter(|merge| (merge.first.column as usize) < MAX_COLUMNS));
                    }
                    _ => (),
                }
            }
            Event::Text(text) => cell.value |= in_value && !text.as_ref().is_empty(),
            Event::End(element) => match element.local_name().as_ref() {
                "v" | "t" => in_value = false,
                "c" => {
                    // a formula whose value is an empty text stores that
                    if cell.formula && !cell.value && !cell.text && (column as usize) < MAX_COLUMNS {
                        marks.bare_formulas.insert(CellPlace { row, column });
                    }
                    column = column.saturating_add(1);
                }
                "row" => row = row.saturating_add(1),
                _ => (),
            },
            _ => (),
        }
        let many =
            MAX_MARKS < marks.merges.len().max(marks.bare_formulas.len()) || 2 * MAX_MARKS < marks.hidden_rows.len();
        if many { Err(FileProblem::Unfolds) } else { NEXT }
    })?;
    Ok(marks)
}

// === impl Marks ===

impl Marks {
    /// Bytes of the merged ranges and hidden rows in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self.merges.as_slice()) + size_of_val(self.hidden_rows.as_slice())
    }

    /// Adds the columns of a `col` element that can be read: at most [`MAX_COLUMNS`] in all.
    fn hide_columns(&mut self, element: &BytesStart<'_>) {
        let number = |name| attribute(element, name).and_then(|number| number.parse::<u32>().ok());
        if let (Some(first), Some(last)) = (number("min"), number("max")) {
            let columns = first.max(1)..=last.min(MAX_COLUMNS as u32);
            self.hidden_columns.extend(columns.map(|number| number - 1));
        }
    }
}

/// What is known of the cell that is being read.
#[derive(Default)]
struct Formula {
    formula: bool,
    value: bool,
    text: bool,
}

/// Place of `B3`.
fn place(name: &str) -> Option<CellPlace> {
    let name = name.trim_start_matches('$');
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, row) = name.split_at_checked(letters)?;
    let column = letters.bytes().try_fold(0_u32, |column, letter| {
        column.checked_mul(26)?.checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    let row: u32 = row.trim_start_matches('$').parse().ok()?;
    Some(CellPlace { row: row.checked_sub(1)?, column: column.checked_sub(1)? })
}

fn range(text: &str) -> Option<Merge> {
    let (first, last) = text.split_once(':')?;
    let (first, last) = (place(first)?, place(last)?);
    (first.row <= last.row && first.column <= last.column).then_some(Merge { first, last })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::hostile::archive;

    #[test]
    fn marks_of_a_sheet() {
        let sheet = r#"<worksheet><cols><col min="2" max="3" hidden="1"/></cols><sheetData>
            <row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>
            <row r="3" hidden="1"><c r="A3"><f>1+1</f><v/></c><c><f>2</f><v>2</v></c><c t="str"><f>""</f><v></v></c><c r="D3"><f>A1</f></c></row>
            </sheetData><mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="B2:$B$4"/><mergeCell ref="C4:B2"/><mergeCell ref="ZZZZZZZZZZ1:A2"/></mergeCells></worksheet>"#;
        let marks = read(&mut archive(&[("xl/s.xml", sheet)]), "xl/s.xml").unwrap();
        assert_eq!((marks.hidden_rows, marks.hidden_columns), (vec![2], BTreeSet::from([1, 2])));
        let at = |row, column| CellPlace { row, column };
        assert_eq!(marks.bare_formulas, HashSet::from([at(2, 0), at(2, 3)]));
        let merges = [Merge { first: at(0, 0), last: at(0, 2) }, Merge { first: at(1, 1), last: at(3, 1) }];
        assert_eq!(marks.merges, merges);
    }

    #[test]
    fn hidden_columns_are_kept_once() {
        let sheet = format!("<cols>{}</cols>", "<col min=\"0\" max=\"16384\" hidden=\"1\"/>".repeat(50));
        let marks = read(&mut archive(&[("xl/s.xml", &sheet)]), "xl/s.xml").unwrap();
        assert_eq!(marks.hidden_columns.len(), MAX_COLUMNS);
    }

    proptest! {
        #[test]
        fn any_part_ends(text in "(<row r=\"[0-9]{0,12}\"/?>|<c r=\"[A-Z]{0,9}[0-9]{0,12}\">|<f>|<v>|</c>|<mergeCell ref=\"[A-Z0-9:]{0,12}\"/>|\\PC){0,20}") {
            let _ = read(&mut archive(&[("xl/s.xml", &text)]), "xl/s.xml");
        }
    }
}
