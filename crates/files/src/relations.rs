//! The parts that hold a workbook's sheets, found as calamine finds them: by the relationships from `_rels/.rels` on.
//!
//! Only parts whose names end in `.xml` or `.rels` are ever read, so [`super::zip_sizes`] need not limit pictures.

use std::{
    collections::{HashMap, HashSet},
    io::{Read, Seek},
};

use quick_xml::{
    escape::unescape,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    error::FileProblem,
    parts::{self, NEXT, STOP, broken},
};

/// Most sheets of a workbook.
const MAX_SHEETS: usize = 1000;
/// Most characters of a sheet's name; Excel stops at 31.
const MAX_NAME_CHARS: usize = 255;
/// End of the type of the relationship to the workbook.
const WORKBOOK_TYPE: &str = "/relationships/officeDocument";

/// Paths of the parts of all sheets, by the sheets' names.
///
/// # Errors
/// Too many sheets; two sheets with one name or one part, which would be read once for each; a part that is no `.xml`.
pub fn paths(archive: &mut ZipArchive<impl Read + Seek>) -> Result<HashMap<String, String>, FileProblem> {
    let book = workbook(archive)?;
    let (folder, name) = book.split_at(book.rfind('/').map_or(0, |place| place + 1));
    let targets = targets(archive, &parts::normal(&format!("{folder}_rels/{name}.rels")))?;
    let (mut paths, mut seen, mut problem) = (HashMap::new(), HashSet::new(), None);
    each_start(archive, &parts::normal(&book), "workbook", |element, local| {
        if local == "sheet"
            && let Some((name, path)) = sheet(element, folder, &targets)?
        {
            if MAX_SHEETS <= paths.len() {
                problem = Some(FileProblem::Unfolds);
            } else if MAX_NAME_CHARS < name.chars().count() {
                problem = Some(broken("工作表的名称过长"));
            } else if !path.ends_with(".xml") {
                problem = Some(broken("工作表的内容不是 XML"));
            } else if !seen.insert(path.clone()) || paths.insert(name, path).is_some() {
                problem = Some(broken("两张工作表同名，或指向同一内容"));
            }
        }
        Ok(problem.is_none())
    })?;
    problem.map_or(Ok(paths), Err)
}

/// Path of the workbook's main part.
fn workbook(archive: &mut ZipArchive<impl Read + Seek>) -> Result<String, FileProblem> {
    let mut found = None;
    each_start(archive, "_rels/.rels", "Relationships", |element, local| {
        if local == "Relationship"
            && raw(element, "Type")?.is_some_and(|kind| kind.ends_with(WORKBOOK_TYPE))
            && let Some(target) = raw(element, "Target")?
        {
            found = Some(plain(&target)?);
        }
        Ok(true)
    })?;
    let found = found.unwrap_or_else(|| "xl/workbook.xml".into());
    let path = found.strip_prefix('/').unwrap_or(&found);
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}workbook.xml") } else { path.to_string() };
    if path.to_ascii_lowercase().ends_with(".xml") { Ok(path) } else { Err(broken("工作簿的主体不是 XML")) }
}

/// Targets of the workbook's relationships, by their ids.
fn targets(archive: &mut ZipArchive<impl Read + Seek>, path: &str) -> Result<HashMap<String, String>, FileProblem> {
    let mut targets = HashMap::new();
    each_start(archive, path, "Relationships", |element, local| {
        if local == "Relationship"
            && let (Some(id), Some(target)) = (raw(element, "Id")?, raw(element, "Target")?)
        {
            targets.insert(id, target);
        }
        Ok(true)
    })?;
    Ok(targets)
}

/// Name of a sheet, and the path of its part in the form of [`parts::normal`].
fn sheet(
    element: &BytesStart<'_>,
    folder: &str,
    targets: &HashMap<String, String>,
) -> Result<Option<(String, String)>, FileProblem> {
    let (mut name, mut id) = (String::new(), None);
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| broken("工作表的列表有误"))?;
        match attribute.key.as_ref() {
            "name" => name = plain(&attribute.value)?,
            _ if attribute.key.local_name().as_ref() == "id" => id = Some(attribute.value.to_string()),
            _ => (),
        }
    }
    let path = |target: &String| match target.strip_prefix('/') {
        Some(whole) => parts::normal(whole),
        None => parts::normal(&format!("{folder}{target}")),
    };
    Ok(id.and_then(|id| targets.get(&id)).map(|target| (name, path(target))))
}

/// Calls `take` for the beginning of each element up to the end of the element `root`, while it returns true.
fn each_start(
    archive: &mut ZipArchive<impl Read + Seek>,
    path: &str,
    root: &str,
    mut take: impl FnMut(&BytesStart<'_>, &str) -> Result<bool, FileProblem>,
) -> Result<(), FileProblem> {
    let Some(index) = parts::find(archive, path) else { return Ok(()) };
    parts::each(archive, index, |event| match event {
        Event::Start(element) | Event::Empty(element) => {
            if take(element, element.local_name().as_ref())? {
                NEXT
            } else {
                STOP
            }
        }
        Event::End(element) if element.local_name().as_ref() == root => STOP,
        _ => NEXT,
    })
}

/// An attribute as written.
fn raw(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, FileProblem> {
    let mut found = None;
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| broken("部件之间的关系有误"))?;
        if attribute.key.as_ref() == name {
            found = Some(attribute.value.to_string());
        }
    }
    Ok(found)
}

fn plain(text: &str) -> Result<String, FileProblem> {
    unescape(text).map(|text| text.into_owned()).map_err(|_| broken("部件之间的关系有误"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::hostile::archive;

    const RELS: &str = r#"<Relationships><Relationship Id="a" Type="x/relationships/officeDocument" Target="/yl/book.xml"/></Relationships>"#;

    fn check(rels: &str, targets: &str, sheets: &str) -> Result<Vec<(String, String)>, String> {
        let mut archive = archive(&[
            ("_rels/.rels", rels),
            ("yl/_rels/book.xml.rels", &format!("<Relationships>{targets}</Relationships>")),
            ("yl/book.xml", &format!("<workbook><sheets>{sheets}</sheets></workbook>")),
        ]);
        let mut found: Vec<_> = paths(&mut archive).map_err(|problem| problem.to_string())?.into_iter().collect();
        found.sort();
        Ok(found)
    }

    #[test]
    fn sheets_are_found_by_the_relationships() {
        let targets =
            r#"<Relationship Id="r1" Target="worksheets/Sheet3.xml"/><Relationship Id="r2" Target="/a/b.xml"/>"#;
        let sheets = r#"<sheet name="甲&amp;乙" r:id="r1"/><sheet name="丙" r:id="r2"/>"#;
        let want = [("丙", "a/b.xml"), ("甲&乙", "yl/worksheets/sheet3.xml")];
        assert_eq!(check(RELS, targets, sheets), Ok(want.map(|(a, b)| (a.into(), b.into())).to_vec()));
    }

    #[test]
    fn a_part_is_read_once_and_only_as_xml() {
        let targets = r#"<Relationship Id="r1" Target="a.xml"/><Relationship Id="r2" Target="A.xml"/><Relationship Id="r3" Target="data.png"/>"#;
        for sheets in [
            r#"<sheet name="1" r:id="r1"/><sheet name="2" r:id="r1"/>"#,
            r#"<sheet name="1" r:id="r1"/><sheet name="2" r:id="r2"/>"#,
            r#"<sheet name="1" r:id="r3"/>"#,
        ] {
            assert!(check(RELS, targets, sheets).is_err(), "{sheets}");
        }
        assert!(check(RELS, targets, &format!(r#"<sheet name="{}" r:id="r1"/>"#, "长".repeat(256))).is_err());
        assert!(check(&RELS.replace("book.xml", "book.png"), targets, "").is_err());
    }

    #[test]
    fn sheets_have_a_limit() {
        let all = |count: usize| {
            let targets = (0..count).map(|n| format!(r#"<Relationship Id="r{n}" Target="s{n}.xml"/>"#));
            let sheets = (0..count).map(|n| format!(r#"<sheet name="{n}" r:id="r{n}"/>"#));
            check(RELS, &targets.collect::<String>(), &sheets.collect::<String>()).map(|found| found.len())
        };
        assert_eq!(all(MAX_SHEETS), Ok(MAX_SHEETS));
        assert_eq!(all(MAX_SHEETS + 1), Err(FileProblem::Unfolds.to_string()));
    }
}
