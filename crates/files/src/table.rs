//! Finds the heading of a table, and assigns cells to its columns.

use std::io::Read;

use super::{
    build::Place,
    cell::Cell,
    delimited::{MAX_ROW_BYTES, SEPARATORS, Scan, scan},
    error::FileProblem,
    fields::Field,
    headings::{Columns, MAX_COLUMNS},
    kind::Resolver,
    text::Text,
    workbook::Rows,
};

/// Rows searched for the heading: a banner and notes may precede it.
const HEADING_ROWS: usize = 10;
/// Most headings listed in a message.
const NAMED_HEADINGS: usize = 12;

/// Heading of a delimited text.
#[derive(Debug)]
pub struct Heading {
    /// Its cells.
    pub cells: Vec<String>,
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
}

/// Finds the heading of a text: the row with a title and the most known headings, tried with each separator.
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
    for separator in SEPARATORS {
        for heading in first_rows(text.rest(), separator, text.ended()) {
            match resolver.score(&heading.cells) {
                Some(score) if best.as_ref().is_none_or(|(most, _)| *most < score) => best = Some((score, heading)),
                _ if widest.len() < heading.cells.len() => widest = heading.cells,
                _ => (),
            }
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

/// The first non-blank rows, without trailing blank cells.
fn first_rows(text: &str, separator: char, ended: bool) -> Vec<Heading> {
    let (mut rows, mut bytes, mut lines) = (Vec::new(), 0, 0);
    while rows.len() < HEADING_ROWS
        && let Some(rest) = text.get(bytes..)
        && let Scan::Record { fields: mut cells, bytes: own_bytes, lines: own_lines } = scan(rest, separator, ended)
    {
        bytes += own_bytes;
        lines += own_lines;
        trim_end(&mut cells);
        if !cells.is_empty() {
            rows.push(Heading { cells, separator, bytes, lines });
        }
    }
    rows
}

fn trim_end(cells: &mut Vec<String>) {
    while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
}

/// Heading row of a sheet, with its cells by column.
pub fn find_sheet_heading(rows: &Rows, resolver: Resolver<'_>) -> Option<(u32, Vec<String>)> {
    let scored = rows.iter().take(HEADING_ROWS).filter_map(|(row, cells)| {
        let cells = sheet_cells(cells.cells.iter());
        resolver.score(&cells).map(|score| (score, *row, cells))
    });
    let best = scored.reduce(|best, next| if best.0 < next.0 { next } else { best });
    best.map(|(_, row, cells)| (row, cells))
}

fn sheet_cells<'a>(cells: impl Iterator<Item = (&'a u32, &'a Cell)>) -> Vec<String> {
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
    let widest = rows.values().take(HEADING_ROWS).map(|row| sheet_cells(row.cells.iter())).max_by_key(Vec::len);
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
    pub fn new(headings: Vec<String>, resolver: Resolver<'_>) -> Result<Self, FileProblem> {
        let columns = Columns::assign(headings.iter().map(|heading| resolver.find(heading)).collect());
        if !columns.has(Field::Title) {
            return Err(no_title(&headings));
        }
        let headings = headings.iter().map(|heading| super::cell::one_line(heading)).collect();
        Ok(Self { headings, columns })
    }

    /// Headings of ignored columns.
    pub fn ignored(&self) -> Vec<String> {
        let pairs = self.headings.iter().zip(&self.columns.targets);
        pairs
            .filter(|(heading, target)| target.is_none() && !heading.is_empty())
            .map(|(heading, _)| heading.clone())
            .collect()
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

    /// Checks the width of a row: no cell missing, and none filled beyond the headings.
    ///
    /// # Errors
    /// A reason in Chinese.
    pub fn check_width(&self, fields: &[String]) -> Result<(), String> {
        let (want, got) = (self.headings.len(), fields.len());
        let beyond = fields.get(want..).unwrap_or_default();
        if want <= got && beyond.iter().all(|field| field.trim().is_empty()) {
            return Ok(());
        }
        Err(format!("这一行有 {got} 列，表头有 {want} 列；请检查分隔符和引号"))
    }
}
