//! Rows of the sheets of a workbook, as the user sees them.

use std::{
    collections::{VecDeque, btree_map},
    iter::Peekable,
    sync::Arc,
};

use super::{
    Row,
    build::{self, Context, row_error},
    cell::{Cell, cut},
    delimited::MAX_ROW_BYTES,
    error::FileProblem,
    heading_rows::Heading,
    kind::{self, Resolver},
    mapping::Mapping,
    marks::{Marks, Merge},
    merged::Merged,
    notes::Notes,
    sheet_row::{Cells, SheetRow},
    skip,
    table::{self, Table, column_name, sheet_cells},
    workbook::{Rows, Sheet, Sheets},
};
use duijie_core::domain::Kind;

/// Hidden rows that a note lists.
const NAMED_ROWS: usize = 20;

/// Rows of all sheets that are read, in the order of the workbook.
pub struct SheetRows {
    sheets: VecDeque<Open>,
    total: u64,
    done: u64,
}

/// A sheet that is being read.
struct Open {
    name: Arc<str>,
    table: Table,
    rows: Peekable<btree_map::IntoIter<u32, SheetRow>>,
    merged: Merged,
    index: usize,
}

/// A sheet with its heading.
struct Found {
    sheet: Sheet,
    row: u32,
    heading: Heading,
}

/// Chooses the sheets that are read: the visible ones whose headings fit, or hidden ones if there are no others.
///
/// # Errors
/// No sheet with a heading; an unknown kind.
pub fn choose(
    sheets: Sheets,
    named: Option<Kind>,
    mapping: &Mapping,
    path: &std::path::Path,
    notes: &mut Notes,
) -> Result<(SheetRows, Kind), FileProblem> {
    for (name, reason) in &sheets.failed {
        notes.warn(name, None, "（整张工作表）", "", format!("没有读取：{reason}"));
    }
    let resolver = Resolver { kind: named, mapping };
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for sheet in sheets.sheets {
        match table::find_sheet_heading(&sheet, resolver) {
            Some((row, heading)) => found.push(Found { sheet, row, heading }),
            None => others.push(sheet),
        }
    }
    let visible = found.iter().any(|found| !found.sheet.hidden);
    let main = found.iter().filter(|found| found.sheet.hidden != visible).max_by(|a, b| {
        // of equal ones the first
        a.heading.score.cmp(&b.heading.score).then(std::cmp::Ordering::Greater)
    });
    let Some(main) = main else {
        let problem = others.first().map(|sheet| table::sheet_without_heading(&sheet.rows));
        return Err(problem.unwrap_or(FileProblem::Empty));
    };
    let kind = kind::decide(named, &main.heading.cells, mapping, path)?;
    let resolver = Resolver { kind: Some(kind), mapping };
    let main_name = main.sheet.name.clone();
    let main_fields = Table::new(main.heading.cells.clone(), 0, resolver)?.fields();
    for sheet in others {
        let seen = if sheet.hidden { "隐藏的工作表，" } else { "" };
        notes.say(&sheet.name, format!("{seen}没有认得出的表头，不是数据表，没有读取"));
    }
    let mut open = VecDeque::new();
    for found in found {
        let name = found.sheet.name.clone();
        let own = kind::decide(None, &found.heading.cells, mapping, std::path::Path::new("")).ok();
        let table = Table::new(found.heading.cells.clone(), 0, resolver);
        let fits = |table: &Table| {
            let shared = table.fields().iter().filter(|field| main_fields.contains(field)).count();
            main_fields.len().div_ceil(2).max(2).min(main_fields.len()) <= shared
        };
        let reason = match (&table, own) {
            _ if name == main_name => None,
            _ if found.sheet.hidden && visible => Some("隐藏的工作表，没有读取；要导入请先取消隐藏".to_string()),
            (_, Some(own)) if own != kind && named.is_none() => Some(format!(
                "是{}表，本次导入的是{}，没有读取；请另加 --kind {} 导入",
                own.label(),
                kind.label(),
                own.collection()
            )),
            (Ok(table), _) if fits(table) => None,
            _ => Some(format!("表头与工作表“{main_name}”不同，没有读取；如是同类数据，请统一表头或另存为单独的文件")),
        };
        match (reason, table) {
            (Some(reason), _) => notes.warn(&name, None, "（整张工作表）", "", reason),
            (None, Err(problem)) => return Err(problem),
            (None, Ok(table)) => open.push_back(begin(found, table, notes)),
        }
    }
    let total = open.iter().map(|sheet| sheet.rows.len() as u64).sum();
    Ok((SheetRows { sheets: open, total, done: 0 }, kind))
}

/// Begins to read a sheet below its heading.
fn begin(found: Found, table: Table, notes: &mut Notes) -> Open {
    let Found { mut sheet, row, .. } = found;
    if sheet.hidden {
        notes.warn(&sheet.name, None, "（整张工作表）", "", "是隐藏的工作表，因没有别的数据表而照常读取，请核对");
    }
    if sheet.unmarked {
        let reason = "没有读到合并的单元格、隐藏的行列和没有结果的公式，请核对";
        notes.warn(&sheet.name, None, "（整张工作表）", "", reason);
    }
    let rows = sheet.rows.split_off(&(row + 1));
    tell_hidden(&sheet.name, &sheet.marks, row, &rows, &table, notes);
    let too_long = |merge: &&Merge| {
        let first = merge.first.row;
        first < merge.last.row && rows.get(&first).is_some_and(|row| MAX_ROW_BYTES < row.bytes)
    };
    if let Some(merge) = sheet.marks.merges.iter().find(too_long) {
        let reason = "这一行超过 1 MiB，其中合并到下面各行的内容没有读取";
        notes.warn(&sheet.name, Some(u64::from(merge.first.row) + 1), "（合并单元格）", "", reason);
    }
    let merged = Merged::of(&sheet.marks.merges, &rows, table.headings.len());
    Open { name: sheet.name.into(), table, rows: rows.into_iter().peekable(), merged, index: 0 }
}

/// Tells hidden rows and columns: they are read, which the user may not expect.
fn tell_hidden(name: &str, marks: &Marks, heading: u32, rows: &Rows, table: &Table, notes: &mut Notes) {
    let hidden: Vec<u32> =
        marks.hidden_rows.iter().copied().filter(|row| heading < *row && rows.contains_key(row)).collect();
    if !hidden.is_empty() {
        let shown: Vec<_> = hidden.iter().take(NAMED_ROWS).map(|row| (row + 1).to_string()).collect();
        let more = if NAMED_ROWS < hidden.len() { "……" } else { "" };
        let reason = format!("第 {}{more} 行是隐藏的（共 {} 行），已照常读取，请核对", shown.join("、"), hidden.len());
        notes.warn(name, None, "（隐藏行）", "", reason);
    }
    for column in &marks.hidden_columns {
        let target = table.columns.targets.get(*column as usize).copied().flatten();
        if target.is_some() {
            let heading = table.headings.get(*column as usize).map_or("", String::as_str);
            notes.warn(
                name,
                None,
                heading,
                "",
                format!("{} 列是隐藏的，已照常读取，请核对", column_name(*column as usize)),
            );
        }
    }
}

// === impl SheetRows ===

impl SheetRows {
    /// Rows that were read, and all rows.
    pub fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }

    /// Tables of the sheets that are not yet read to their end.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.sheets.iter().map(|sheet| &sheet.table)
    }

    /// The next row that is a record.
    pub fn next_row(&mut self, context: &Context, notes: &mut Notes) -> Option<Row> {
        loop {
            let sheet = self.sheets.front_mut()?;
            let Some((row, cells)) = sheet.rows.next() else {
                tell_unread(&sheet.name, &sheet.table, context, true, notes);
                self.sheets.pop_front();
                continue;
            };
            self.done += 1;
            let number = u64::from(row) + 1;
            let refused = |sheet: &Open, reason: &str| {
                let errors = vec![row_error("", reason)];
                Some(Row {
                    sheet: sheet.name.clone(),
                    number,
                    result: Err(errors),
                    warnings: Vec::new(),
                    is_derived: false,
                })
            };
            let mut bytes = cells.bytes;
            let mut cells = cells.into_cells();
            self.done += sheet.add_continuations(row, &mut cells, &mut bytes);
            if MAX_ROW_BYTES < bytes {
                return refused(sheet, "这一行超过 1 MiB，请删减内容");
            }
            let texts = sheet_cells(cells.iter());
            let resolver = context.resolver();
            let why = skip::why(&texts, &sheet.table.headings, sheet.table.title(), sheet.index, resolver);
            sheet.index += 1;
            if let Some(why) = why {
                let shown =
                    texts.iter().filter(|text| !text.is_empty()).map(String::as_str).collect::<Vec<_>>().join("，");
                notes.warn(&sheet.name, Some(number), "（整行）", &shown, format!("这一行{why}，没有导入"));
                continue;
            }
            if let Err(reason) = sheet.merged.fill(row, &mut cells, bytes) {
                return refused(sheet, reason);
            }
            sheet.table.count_unread(cells.keys().map(|column| *column as usize));
            // column numbers are below MAX_COLUMNS
            let places = sheet.table.places(|index| u32::try_from(index).ok().and_then(|index| cells.remove(&index)));
            let build::Built { result, warnings, is_derived } = build::record(context, &places, false);
            return Some(Row { sheet: sheet.name.clone(), number, result, warnings, is_derived });
        }
    }
}

// === impl Open ===

impl Open {
    /// Adds the rows below that belong to the same record, because its title is merged over them; returns how many. Of a
    /// record that is too long only the bytes are counted.
    fn add_continuations(&mut self, row: u32, cells: &mut Cells, bytes: &mut usize) -> u64 {
        let title = self.table.title().and_then(|title| u32::try_from(title).ok());
        let Some(last) = title.and_then(|title| self.merged.last_row(row, title)) else {
            return 0;
        };
        let mut added = 0;
        while let Some((_, more)) = self.rows.next_if(|(next, _)| *next <= last) {
            added += 1;
            *bytes = bytes.saturating_add(more.bytes);
            if MAX_ROW_BYTES < *bytes {
                continue;
            }
            for (column, cell) in more.into_cells() {
                match cells.entry(column) {
                    btree_map::Entry::Vacant(place) => drop(place.insert(cell)),
                    btree_map::Entry::Occupied(mut place) => join(place.get_mut(), cell),
                }
            }
        }
        added
    }
}

/// Adds the text of a cell below, unless it says the same. A broken cell stays or replaces the other.
fn join(own: &mut Cell, more: Cell) {
    match (own, more.text()) {
        (Cell::Broken { .. }, _) if more.text().is_ok() => (),
        (own, Err(_)) => *own = more,
        (Cell::Text(text), Ok(more)) if *text != more => {
            text.push('\n');
            text.push_str(&more);
        }
        (own @ Cell::Number { .. }, Ok(more)) => {
            let text = own.text().unwrap_or_default();
            if text != more {
                *own = Cell::Text(format!("{text}\n{more}"));
            }
        }
        _ => (),
    }
}

/// Tells the columns with content that was not read.
pub fn tell_unread(sheet: &str, table: &Table, context: &Context, letters: bool, notes: &mut Notes) {
    for (column, heading, count) in table.unread() {
        let place = if letters { format!("{} 列", column_name(column)) } else { format!("第 {} 列", column + 1) };
        let heading = cut(heading);
        if heading.is_empty() {
            notes.warn(sheet, None, &place, "", format!("{place}没有表头，有 {count} 格内容没有读取；请补上表头"));
        } else if table.is_beaten(column, context.resolver()) {
            notes.say(sheet, format!("列“{heading}”与另一列含义相同，已读更明确的那一列，此列没有读取"));
        } else {
            let reason = format!(
                "不认识的列，有 {count} 格内容没有读取；可用 --mapping 指明含义，或写 \"{heading}\" = \"ignore\" 表示不需要"
            );
            notes.warn(sheet, None, &heading, "", reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::CellPlace;

    fn rows(texts: &[(u32, u32, &str)]) -> Rows {
        let mut rows = Rows::new();
        for (row, column, text) in texts {
            let own: &mut SheetRow = rows.entry(*row).or_default();
            own.bytes += text.len();
            own.put(*column, Cell::Text((*text).into()));
        }
        rows
    }

    #[test]
    fn a_sheet_without_marks_and_a_merged_cell_that_is_too_long_are_told() {
        let mut rows = rows(&[(0, 0, "需求名称"), (1, 0, "甲"), (2, 0, "乙")]);
        rows.entry(1).or_default().bytes = MAX_ROW_BYTES + 1;
        let at = |row| CellPlace { row, column: 1 };
        let marks = Marks { merges: vec![Merge { first: at(1), last: at(2) }], ..Marks::default() };
        let sheet = Sheet { name: "表".into(), hidden: false, rows, marks, unmarked: true };
        let mut sheets = Sheets::default();
        sheets.sheets.push(sheet);
        let mut notes = Notes::default();
        choose(sheets, Some(Kind::Demand), &Mapping::default(), std::path::Path::new("a.xlsx"), &mut notes).unwrap();
        let told = |part: &str| notes.list().iter().any(|note| note.warns && note.cell.reason.contains(part));
        assert!(told("没有读到合并的单元格") && told("1 MiB"), "{:?}", notes.list());
    }

    #[test]
    fn texts_of_several_rows_are_joined_once_each() {
        let text = |text: &str| Cell::Text(text.into());
        let number = |shown: &str| Cell::Number { raw: "1".into(), shown: shown.into() };
        let broken = || Cell::Broken { shown: "x".into(), reason: "y" };
        let check = |mut own: Cell, more: Cell, want: Cell| {
            join(&mut own, more);
            assert_eq!(own, want);
        };
        check(text("a"), text("b"), text("a\nb"));
        check(text("a"), text("a"), text("a"));
        check(number("1"), number("2"), text("1\n2"));
        check(number("1"), text("1"), number("1"));
        check(text("a"), broken(), broken());
        check(broken(), text("a"), broken());
    }
}
