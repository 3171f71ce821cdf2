//! Checks the number of shared texts that a workbook declares, before the workbook's reader relies on it.
//!
//! calamine 0.38 reserves memory for `uniqueCount` texts, whatever the size of the part; a count of 3·10⁹ requested 72
//! GB, and a failed allocation ends the process. This cannot be caught, so the count is checked first.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::error::FileProblem;

/// Range searched for the count: it is in the part's first tag, after the XML declaration.
const HEAD_BYTES: u64 = 64 << 10;
/// Fewest bytes of one text: `<si/>`.
const TEXT_BYTES: u64 = 5;
/// Path of the shared texts.
const PART: &str = "xl/sharedStrings.xml";

/// Refuses a workbook that claims more shared texts than its part has room for.
pub fn check(archive: &mut ZipArchive<impl Read + Seek>) -> Result<(), FileProblem> {
    let broken = |what: &str| FileProblem::BrokenWorkbook(what.to_string());
    let mut names = archive.file_names().flatten().map(|name| name.into_owned());
    let found = names.find(|name| name.eq_ignore_ascii_case(PART));
    drop(names);
    let Some(name) = found else {
        return Ok(());
    };
    let part = archive.by_name(&name).map_err(|_| broken("共享文本有误"))?;
    let size = part.size();
    let mut head = Vec::new();
    part.take(HEAD_BYTES).read_to_end(&mut head).map_err(|_| broken("共享文本有误"))?;
    let fits = claims(&String::from_utf8_lossy(&head))
        .is_some_and(|claims| claims.iter().all(|claim| *claim <= size / TEXT_BYTES));
    if fits { Ok(()) } else { Err(FileProblem::Unfolds) }
}

/// All quoted numbers after `uniqueCount=`; `None` if one is not a number. (`count` is the number of uses and may be
/// any number.)
fn claims(head: &str) -> Option<Vec<u64>> {
    let attributes = head.split("uniqueCount").skip(1).map(str::trim_start).filter_map(|rest| rest.strip_prefix('='));
    let number = |rest: &str| {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()?.trim().parse().ok()
    };
    attributes.map(number).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn workbook(strings: &str) -> ZipArchive<Cursor<Vec<u8>>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(PART, SimpleFileOptions::default()).unwrap();
        zip.write_all(strings.as_bytes()).unwrap();
        zip.finish_into_readable().unwrap()
    }

    #[test]
    fn claims_beyond_the_part_are_refused() {
        let check = |head: &str, want: bool| {
            let strings = format!("<?xml version=\"1.0\"?>{head}<si><t>甲</t></si><si><t>乙</t></si></sst>");
            assert_eq!(check(&mut workbook(&strings)).is_ok(), want, "{head}");
        };
        check("<sst count=\"200000\" uniqueCount=\"2\">", true);
        check("<sst>", true);
        check("<sst uniqueCount=\"3000000000\">", false);
        check("<sst uniqueCount = '3000000000'>", false);
        check("<sst uniqueCount=\"18446744073709551616\">", false);
        check("<sst uniqueCount=\"many\">", false);
    }
}
