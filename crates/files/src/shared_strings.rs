//! Checks the number of shared texts that a workbook declares, before the workbook's reader relies on it.
//!
//! calamine 0.38 reserves memory for `uniqueCount` texts, whatever the size of the part; a count of 3·10⁹ requested 72
//! GB, and a failed allocation ends the process. This cannot be caught, so the count is checked first.

use std::io::{Cursor, Read, Seek};

use quick_xml::{Reader, events::Event};
use zip::ZipArchive;

use super::{
    error::FileProblem,
    parts::{self, broken},
};

/// Range in which the first tag must stand: it follows the XML declaration.
const HEAD_BYTES: u64 = 64 << 10;
/// Fewest bytes of one text: `<si/>`.
const TEXT_BYTES: u64 = 5;
/// Most texts: each takes at least 24 bytes of memory.
pub const MAX_TEXTS: u64 = 20_000_000;

/// Refuses a workbook that claims more shared texts than its part has room for.
pub fn check(archive: &mut ZipArchive<impl Read + Seek>) -> Result<(), FileProblem> {
    // calamine takes them from the folder that a relationship names, so each such part is checked
    for index in parts::named(archive, "sharedstrings.xml") {
        let part = archive.by_index(index).map_err(|_| broken("共享文本有误"))?;
        let room = (part.size() / TEXT_BYTES).min(MAX_TEXTS);
        let mut head = Vec::new();
        part.take(HEAD_BYTES).read_to_end(&mut head).map_err(|_| broken("共享文本有误"))?;
        let tag = first_tag(head).ok_or_else(|| broken("共享文本的开头有误"))?;
        if !claims(&tag).is_some_and(|claims| claims.iter().all(|claim| *claim <= room)) {
            return Err(FileProblem::Unfolds);
        }
    }
    Ok(())
}

/// The `sst` tag in the head of a part, decoded as calamine decodes it.
fn first_tag(head: Vec<u8>) -> Option<String> {
    let mut reader = Reader::from_reader(Cursor::new(head));
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "sst" => {
                return Some(tag.to_string());
            }
            Event::Eof => return None,
            _ => (),
        }
    }
}

/// All quoted numbers after `uniqueCount=`; `None` if one is not a number. (`count` is the number of uses and may be
/// any number.)
fn claims(tag: &str) -> Option<Vec<u64>> {
    let attributes = tag.split("uniqueCount").skip(1).map(str::trim_start).filter_map(|rest| rest.strip_prefix('='));
    let number = |rest: &str| {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()?.trim().parse().ok()
    };
    attributes.map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::hostile::archive;

    #[test]
    fn claims_beyond_the_part_are_refused() {
        let check = |name: &str, head: &str, want: bool| {
            let strings = format!("<?xml version=\"1.0\"?>{head}<si><t>甲</t></si><si><t>乙</t></si></sst>");
            let start: String = head.chars().take(60).collect();
            assert_eq!(check(&mut archive(&[(name, &strings)])).is_ok(), want, "{name} {start}");
        };
        check("xl/sharedStrings.xml", "<sst count=\"200000\" uniqueCount=\"2\">", true);
        check("xl/sharedStrings.xml", "<x:sst uniqueCount=\"2\">", true);
        check("xl/sharedStrings.xml", "<sst>", true);
        for head in [
            "<sst uniqueCount=\"3000000000\">",
            "<sst uniqueCount = '3000000000'>",
            "<sst uniqueCount=\"18446744073709551616\">",
            "<sst uniqueCount=\"many\">",
        ] {
            check("xl/sharedStrings.xml", head, false);
        }
    }

    #[test]
    fn claims_are_found_wherever_calamine_finds_them() {
        let check = |name: &str, strings: &str| {
            assert!(check(&mut archive(&[(name, strings)])).is_err(), "{name}");
        };
        let claim = "<sst uniqueCount=\"3000000000000\"></sst>";
        for name in ["yl/sharedStrings.xml", "sharedStrings.xml", "XL\\SHAREDSTRINGS.XML"] {
            check(name, claim);
        }
        check("xl/sharedStrings.xml", &format!("<!--{}-->{claim}", "x".repeat(70_000)));
        check("xl/sharedStrings.xml", &format!("<!--{}-->{}", "x".repeat(HEAD_BYTES as usize - 30), claim));
    }
}
