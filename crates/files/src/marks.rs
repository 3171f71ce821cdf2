//! What a sheet says about its cells besides their values: merged ranges, hidden rows and columns, formulas whose value
//! is not stored. calamine gives none of these in one pass, or not at all.

use std::{
    collections::{HashMap, HashSet},
    io::{BufReader, Read, Seek},
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, read::ZipFile};

use super::{error::FileProblem, headings::MAX_COLUMNS};

/// Most merged ranges that are kept, and most formulas without a value.
const MOST: usize = 1_000_000;

/// A merged range: its first and last row and column, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// First and last row.
    pub rows: (u32, u32),
    /// First and last column.
    pub columns: (u32, u32),
}

/// Marks of one sheet.
#[derive(Debug, Default)]
pub struct Marks {
    /// Merged ranges that begin in a column that can be read.
    pub merges: Vec<Merge>,
    /// Hidden rows with cells, in order.
    pub hidden_rows: Vec<u32>,
    /// Hidden columns that can be read, in order.
    pub hidden_columns: Vec<u32>,
    /// Places of formulas without a stored value.
    pub bare_formulas: HashSet<(u32, u32)>,
}

type Xml<'a, R> = Reader<BufReader<ZipFile<'a, R>>>;

fn broken() -> FileProblem {
    FileProblem::BrokenWorkbook("工作表的内容有误".into())
}

fn xml<'a, R: Read + Seek>(archive: &'a mut ZipArchive<R>, path: &str) -> Result<Option<Xml<'a, R>>, FileProblem> {
    let path = path.trim_start_matches('/');
    let mut names = archive.file_names().flatten().map(|name| name.into_owned());
    let found = names.find(|name| name.replace('\\', "/").eq_ignore_ascii_case(path));
    drop(names);
    let Some(name) = found else { return Ok(None) };
    let part = archive.by_name(&name).map_err(|_| broken())?;
    let mut reader = Reader::from_reader(BufReader::new(part));
    reader.config_mut().check_end_names = false;
    Ok(Some(reader))
}

/// Calls `take` for each beginning of an element.
fn each<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    path: &str,
    mut take: impl FnMut(&Event<'_>) -> Result<(), FileProblem>,
) -> Result<(), FileProblem> {
    let Some(mut reader) = xml(archive, path)? else { return Ok(()) };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| broken())? {
            Event::Eof => return Ok(()),
            event => take(&event)?,
        }
    }
}

/// Value of an attribute, by its name without prefix.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let attributes = attributes.with_checks(false).flatten();
    let found = attributes.into_iter().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

fn is_set(element: &BytesStart<'_>, name: &str) -> bool {
    attribute(element, name).is_some_and(|value| matches!(value.as_str(), "1" | "true"))
}

/// Paths of the parts of all sheets, by the sheets' names.
pub fn paths(archive: &mut ZipArchive<impl Read + Seek>) -> Result<HashMap<String, String>, FileProblem> {
    let mut targets = HashMap::new();
    each(archive, "xl/_rels/workbook.xml.rels", |event| {
        if let Event::Start(element) | Event::Empty(element) = event
            && let (Some(id), Some(target)) = (attribute(element, "Id"), attribute(element, "Target"))
        {
            targets.insert(id, target);
        }
        Ok(())
    })?;
    let mut paths = HashMap::new();
    each(archive, "xl/workbook.xml", |event| {
        if let Event::Start(element) | Event::Empty(element) = event
            && element.local_name().as_ref() == "sheet"
            && let (Some(name), Some(target)) =
                (attribute(element, "name"), attribute(element, "id").and_then(|id| targets.get(&id)))
        {
            let path = if target.starts_with('/') { target.clone() } else { format!("xl/{target}") };
            paths.insert(name, path);
        }
        Ok(())
    })?;
    Ok(paths)
}

/// Marks of the sheet in the part `path`.
///
/// # Errors
/// A damaged part; more formulas without a value than are kept.
pub fn read(archive: &mut ZipArchive<impl Read + Seek>, path: &str) -> Result<Marks, FileProblem> {
    let mut marks = Marks::default();
    let (mut row, mut column) = (0_u32, 0_u32);
    let mut cell = Formula::default();
    let mut in_value = false;
    each(archive, path, |event| {
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
                        if let Some((_, own)) = attribute(element, "r").as_deref().and_then(place) {
                            column = own;
                        }
                        cell =
                            Formula { text: attribute(element, "t").is_some_and(|t| t == "str"), ..Formula::default() };
                    }
                    "f" => cell.formula = true,
                    "v" | "t" => in_value = !empty,
                    "col" if is_set(element, "hidden") => {
                        let number = |name| attribute(element, name).and_then(|number| number.parse::<u32>().ok());
                        if let (Some(first), Some(last)) = (number("min"), number("max")) {
                            marks
                                .hidden_columns
                                .extend((first.max(1)..=last.min(MAX_COLUMNS as u32)).map(|number| number - 1));
                        }
                    }
                    "mergeCell" => {
                        let range = attribute(element, "ref").as_deref().and_then(range);
                        marks.merges.extend(range.filter(|merge| (merge.columns.0 as usize) < MAX_COLUMNS));
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
                        marks.bare_formulas.insert((row, column));
                    }
                    column = column.saturating_add(1);
                }
                "row" => row = row.saturating_add(1),
                _ => (),
            },
            _ => (),
        }
        let many = MOST < marks.merges.len() || MOST < marks.bare_formulas.len() || 2 * MOST < marks.hidden_rows.len();
        if many { Err(FileProblem::Unfolds) } else { Ok(()) }
    })?;
    Ok(marks)
}

/// What is known of the cell that is being read.
#[derive(Default)]
struct Formula {
    formula: bool,
    value: bool,
    text: bool,
}

/// Row and column of `B3`, from 0.
fn place(name: &str) -> Option<(u32, u32)> {
    let name = name.trim_start_matches('$');
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, row) = name.split_at_checked(letters)?;
    let column = letters.bytes().try_fold(0_u32, |column, letter| {
        column.checked_mul(26)?.checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    let row: u32 = row.trim_start_matches('$').parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

fn range(text: &str) -> Option<Merge> {
    let (first, last) = text.split_once(':')?;
    let ((top, left), (bottom, right)) = (place(first)?, place(last)?);
    (top <= bottom && left <= right).then_some(Merge { rows: (top, bottom), columns: (left, right) })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(parts: &[(&str, &str)]) -> ZipArchive<Cursor<Vec<u8>>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish_into_readable().unwrap()
    }

    #[test]
    fn sheets_are_found_by_name() {
        let mut archive = archive(&[
            (
                "xl/workbook.xml",
                r#"<workbook><sheets><sheet name="甲&amp;乙" sheetId="1" r:id="rId9"/></sheets></workbook>"#,
            ),
            (
                "xl/_rels/workbook.xml.rels",
                r#"<Relationships><Relationship Id="rId9" Target="worksheets/sheet3.xml"/></Relationships>"#,
            ),
        ]);
        assert_eq!(paths(&mut archive).unwrap().get("甲&乙").map(String::as_str), Some("xl/worksheets/sheet3.xml"));
    }

    #[test]
    fn marks_of_a_sheet() {
        let sheet = r#"<worksheet><cols><col min="2" max="3" hidden="1"/></cols><sheetData>
            <row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>
            <row r="3" hidden="1"><c r="A3"><f>1+1</f><v/></c><c><f>2</f><v>2</v></c><c t="str"><f>""</f><v></v></c><c r="D3"><f>A1</f></c></row>
            </sheetData><mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="B2:$B$4"/><mergeCell ref="C4:B2"/><mergeCell ref="ZZZZZZZZZZ1:A2"/></mergeCells></worksheet>"#;
        let marks = read(&mut archive(&[("xl/s.xml", sheet)]), "xl/s.xml").unwrap();
        assert_eq!((marks.hidden_rows, marks.hidden_columns), (vec![2], vec![1, 2]));
        assert_eq!(marks.bare_formulas, HashSet::from([(2, 0), (2, 3)]));
        let merges: Vec<_> = marks.merges.iter().map(|merge| (merge.rows, merge.columns)).collect();
        assert_eq!(merges, [((0, 0), (0, 2)), ((1, 3), (1, 1))]);
    }

    proptest! {
        #[test]
        fn any_part_ends(text in "(<row r=\"[0-9]{0,12}\"/?>|<c r=\"[A-Z]{0,9}[0-9]{0,12}\">|<f>|<v>|</c>|<mergeCell ref=\"[A-Z0-9:]{0,12}\"/>|\\PC){0,20}") {
            let _ = read(&mut archive(&[("xl/s.xml", &text)]), "xl/s.xml");
        }
    }
}
