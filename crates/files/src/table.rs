//! Finds the heading of a table, and assigns cells to its columns.

use std::io::Read;

use super::{
    build::Place,
    cell::Cell,
    delimited::{MAX_ROW_BYTES, SEPARATORS, Scan, scan},
    error::FileProblem,
    export::unguarded,
    fields::Field,
    heading_rows::{self, HEADING_ROWS},
    headings::{Columns, MAX_COLUMNS},
    kind::Resolver,
    marks::Merge,
    sheet_row::SheetRow,
    text::Text,
    workbook::{Rows, Sheet},
};

/// Most headings listed in a message.
const NAMED_HEADINGS: usize = 12;

/// Heading of a delimited text.
#[derive(Debug)]
pub struct Heading {
    /// Its cells.
    pub cells: Vec<String>,
    /// Cells of its row, with blank ones at its end.
    pub width: usize,
    /// Separator of the file.
    pub separator: char,
    /// Bytes of the text up to and including the heading.
    pub bytes: usize,
    /// Line breaks up to and including the heading.
    pub lines: u64,
}

/// Headings and the meanings of their columns.
#[derive(Debug)]
pub struct Table {
    /// Heading of each column.
    pub headings: Vec<String>,
    /// Meaning of each column.
    pub columns: Columns,
    /// Cells of the heading's row, with blank ones at its end.
    width: usize,
    /// Columns that the mapping ignores.
    waived: Vec<bool>,
    /// Filled cells of each column that is not read.
    unread: Vec<u64>,
}

/// A row at the front of a text.
struct FrontRow {
    cells: Vec<String>,
    width: usize,
    bytes: usize,
    lines: u64,
}

/// Finds the heading of a text: the row, or the two rows, with a title and the most known headings, tried with each
/// separator. A first line `sep=;` names the separator.
///
/// # Errors
/// [`FileProblem::Empty`], [`FileProblem::TooManyColumns`], [`FileProblem::NoTitle`].
pub fn find_heading<R: Read>(text: &mut Text<R>, resolver: Resolver<'_>) -> Result<Heading, FileProblem> {
    text.fill(MAX_ROW_BYTES)?;
    if text.rest().trim().is_empty() && text.ended() {
        return Err(FileProblem::Empty);
    }
    let mut best: Option<(usize, Heading)> = None;
    let mut widest = Vec::new();
    let named = named_separator(text.rest());
    let separators = named.map_or(SEPARATORS.to_vec(), |separator| vec![separator]);
    for separator in separators {
        let rows = first_rows(text.rest(), separator, text.ended());
        let cells: Vec<_> = rows.iter().map(|row| row.cells.clone()).collect();
        for row in &cells {
            if widest.len() < row.len() {
                widest.clone_from(row);
            }
        }
        let found = heading_rows::find(&cells, resolver, |_, _| false);
        if let Some(found) = found
            && best.as_ref().is_none_or(|(most, _)| *most < found.score)
            && let Some(row) = rows.get(found.last)
        {
            let width = row.width.max(found.cells.len());
            let heading = Heading { cells: found.cells, width, separator, bytes: row.bytes, lines: row.lines };
            best = Some((found.score, heading));
        }
    }
    match best {
        Some((_, heading)) if MAX_COLUMNS < heading.cells.len() => {
            Err(FileProblem::TooManyColumns { columns: heading.cells.len() })
        }
        Some((_, heading)) => Ok(heading),
        None if MAX_COLUMNS < widest.len() => Err(FileProblem::TooManyColumns { columns: widest.len() }),
        None => Err(no_title(&widest)),
    }
}

/// Separator that Excel's line `sep=;` names.
fn named_separator(text: &str) -> Option<char> {
    let line = text.lines().next()?.trim_matches(['"', ' ', '\u{FEFF}']);
    let rest = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and_then(|_| line.get(4..))?;
    let mut rest = rest.chars();
    rest.next().filter(|_| rest.next().is_none())
}

/// The first non-blank rows, without trailing blank cells.
fn first_rows(text: &str, separator: char, ended: bool) -> Vec<FrontRow> {
    let (mut rows, mut bytes, mut lines) = (Vec::new(), 0, 0);
    while rows.len() <= HEADING_ROWS
        && let Some(rest) = text.get(bytes..)
        && let Scan::Record { fields, bytes: own_bytes, lines: own_lines } = scan(rest, separator, ended)
    {
        bytes += own_bytes;
        lines += own_lines;
        let width = fields.len();
        let mut cells: Vec<String> = fields.iter().map(|field| unguarded(field).into_owned()).collect();
        trim_end(&mut cells);
        if !cells.is_empty() {
            rows.push(FrontRow { cells, width, bytes, lines });
        }
    }
    rows
}

fn trim_end(cells: &mut Vec<String>) {
    while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
}

/// Last row of a sheet's heading, and the heading.
pub fn find_sheet_heading(sheet: &Sheet, resolver: Resolver<'_>) -> Option<(u32, heading_rows::Heading)> {
    let numbers: Vec<u32> = sheet.rows.keys().copied().take(HEADING_ROWS + 1).collect();
    let rows: Vec<_> = sheet.rows.values().take(HEADING_ROWS + 1).map(SheetRow::texts).collect();
    let joined = |index: usize, column: usize| {
        let (Some(row), Some(next)) = (numbers.get(index), numbers.get(index + 1)) else { return false };
        let covers = |merge: &Merge| {
            (merge.first.column..=merge.last.column).contains(&(column as u32))
                && merge.first.row <= *row
                && *next <= merge.last.row
        };
        sheet.marks.merges.iter().any(covers)
    };
    let found = heading_rows::find(&rows, resolver, joined)?;
    numbers.get(found.last).map(|row| (*row, found))
}

/// Texts of a row by column.
pub fn sheet_cells<'a>(cells: impl Iterator<Item = (&'a u32, &'a Cell)>) -> Vec<String> {
    let mut texts = Vec::new();
    for (column, cell) in cells {
        // column numbers are below MAX_COLUMNS
        texts.resize(*column as usize, String::new());
        texts.push(cell.text().unwrap_or_default());
    }
    texts
}

/// Error for a sheet without heading.
pub fn sheet_without_heading(rows: &Rows) -> FileProblem {
    let widest = rows.values().take(HEADING_ROWS).map(SheetRow::texts).max_by_key(Vec::len);
    no_title(&widest.unwrap_or_default())
}

fn no_title(headings: &[String]) -> FileProblem {
    let named: Vec<_> = headings.iter().map(|heading| super::cell::cut(heading.trim())).collect();
    let named: Vec<_> = named.iter().filter(|heading| !heading.is_empty()).map(String::as_str).collect();
    let shown = named.get(..NAMED_HEADINGS).unwrap_or(&named).join("、");
    let more = if NAMED_HEADINGS < named.len() { "……" } else { "" };
    FileProblem::NoTitle { headings: format!("{shown}{more}") }
}

// === impl Table ===

impl Table {
    /// Resolves the headings.
    ///
    /// # Errors
    /// [`FileProblem::NoTitle`] if none is a title for the kind.
    pub fn new(headings: Vec<String>, width: usize, resolver: Resolver<'_>) -> Result<Self, FileProblem> {
        let columns = Columns::assign(headings.iter().map(|heading| resolver.find(heading)).collect());
        if !columns.has(Field::Title) {
            return Err(no_title(&headings));
        }
        let waived = headings.iter().map(|heading| resolver.mapping.find(heading) == Some(None)).collect();
        let headings: Vec<String> = headings.iter().map(|heading| super::cell::one_line(heading)).collect();
        let (width, unread) = (width.max(headings.len()), vec![0; width.max(headings.len())]);
        Ok(Self { headings, columns, width, waived, unread })
    }

    /// Column of the title.
    pub fn title(&self) -> Option<usize> {
        self.columns.targets.iter().position(|target| target.is_some_and(|target| target.field == Field::Title))
    }

    /// Fields that the table has.
    pub fn fields(&self) -> Vec<Field> {
        self.columns.targets.iter().flatten().map(|target| target.field).collect()
    }

    /// Headings of ignored columns.
    pub fn ignored(&self) -> Vec<String> {
        let pairs = self.headings.iter().zip(&self.columns.targets);
        pairs
            .filter(|(heading, target)| target.is_none() && !heading.is_empty())
            .map(|(heading, _)| super::cell::cut(heading))
            .collect()
    }

    /// Columns with content that is not read and that the mapping does not ignore: index, heading, filled cells.
    pub fn unread(&self) -> impl Iterator<Item = (usize, &str, u64)> {
        let filled = self
            .unread
            .iter()
            .enumerate()
            .filter(|(column, count)| 0 < **count && !self.waived.get(*column).copied().unwrap_or_default());
        filled.map(|(column, count)| (column, self.headings.get(column).map_or("", String::as_str), *count))
    }

    /// Returns whether another column, which is read, means the same.
    pub fn is_beaten(&self, column: usize, resolver: Resolver<'_>) -> bool {
        let field = self.headings.get(column).and_then(|heading| resolver.find(heading)).map(|target| target.field);
        field.is_some_and(|field| self.columns.has(field))
    }

    /// Counts the filled cells that are not read.
    pub fn count_unread(&mut self, filled: impl Iterator<Item = usize>) {
        for column in filled {
            if self.columns.targets.get(column).is_none_or(Option::is_none) {
                if self.unread.len() <= column {
                    self.unread.resize(column + 1, 0);
                }
                if let Some(count) = self.unread.get_mut(column) {
                    *count += 1;
                }
            }
        }
    }

    /// Cells of the columns that are read; `cell` returns a column's cell and may consume it.
    pub fn places(&self, mut cell: impl FnMut(usize) -> Option<Cell>) -> Vec<Place<'_>> {
        let columns = self.headings.iter().zip(&self.columns.targets).enumerate();
        let read = columns.filter_map(|(index, (heading, target))| target.map(|target| (index, heading, target)));
        read.map(|(index, heading, target)| {
            let cell = cell(index).unwrap_or_else(|| Cell::Text(String::new()));
            Place { column: heading, target, cell }
        })
        .collect()
    }

    /// Checks that a row has no content beyond the heading's row: there a separator too many has moved its cells. Cells
    /// missing at its end are empty, as Excel writes them.
    ///
    /// # Errors
    /// A reason in Chinese.
    pub fn check_width(&self, fields: &[String]) -> Result<(), String> {
        let beyond = fields.get(self.width..).unwrap_or_default();
        if beyond.iter().all(|field| field.trim().is_empty()) {
            return Ok(());
        }
        let (want, got) = (self.headings.len(), fields.len());
        Err(format!("这一行有 {got} 列，表头有 {want} 列；请检查分隔符和引号"))
    }
}

/// Name of a column in a sheet: `C` for 2.
pub fn column_name(column: usize) -> String {
    let (mut name, mut rest) = (Vec::new(), column + 1);
    while 0 < rest {
        rest -= 1;
        name.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    name.iter().rev().collect()
}
