//! Parts of a workbook, read as XML.

use std::{
    io::{BufReader, Read, Seek},
    ops::ControlFlow,
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::error::FileProblem;

/// Whether to read on.
pub type Flow = Result<ControlFlow<()>, FileProblem>;

/// To read on.
pub const NEXT: Flow = Ok(ControlFlow::Continue(()));
/// To stop.
pub const STOP: Flow = Ok(ControlFlow::Break(()));

/// A part that is no XML or says what no workbook says.
pub fn broken(what: &str) -> FileProblem {
    FileProblem::BrokenWorkbook(what.to_string())
}

/// Path of a part in the form in which paths are compared: calamine finds a part whatever its case and strokes.
pub fn normal(path: &str) -> String {
    path.trim_start_matches('/').replace('\\', "/").to_ascii_lowercase()
}

/// Place of the part with a path in the form of [`normal`].
pub fn find(archive: &ZipArchive<impl Read + Seek>, path: &str) -> Option<usize> {
    names(archive).find(|(_, name)| name == path).map(|(index, _)| index)
}

/// Places of all parts with a file name, in any folder.
pub fn named(archive: &ZipArchive<impl Read + Seek>, file_name: &str) -> Vec<usize> {
    let named = |name: &str| name.rsplit('/').next() == Some(file_name);
    names(archive).filter(|(_, name)| named(name)).map(|(index, _)| index).collect()
}

fn names(archive: &ZipArchive<impl Read + Seek>) -> impl Iterator<Item = (usize, String)> {
    archive.file_names().enumerate().filter_map(|(index, name)| Some((index, normal(&name.ok()?))))
}

/// Calls `take` for each event of a part, until it stops.
///
/// # Errors
/// A damaged part; what `take` refuses.
pub fn each(
    archive: &mut ZipArchive<impl Read + Seek>,
    index: usize,
    mut take: impl FnMut(&Event<'_>) -> Flow,
) -> Result<(), FileProblem> {
    let damaged = || broken("工作表的内容有误");
    let part = archive.by_index(index).map_err(|_| damaged())?;
    let mut reader = Reader::from_reader(BufReader::new(part));
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| damaged())? {
            Event::Eof => return Ok(()),
            event => {
                if take(&event)?.is_break() {
                    return Ok(());
                }
            }
        }
    }
}

/// Value of an attribute, by its name without prefix.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let attributes = attributes.with_checks(false).flatten();
    let found = attributes.into_iter().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

/// Returns whether an attribute is true.
pub fn is_set(element: &BytesStart<'_>, name: &str) -> bool {
    attribute(element, name).is_some_and(|value| matches!(value.as_str(), "1" | "true"))
}
