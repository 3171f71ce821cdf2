//! Checks the styles of a workbook before the workbook's reader copies them.
//!
//! calamine 0.38 clones the format code, the font and the fill of each `<xf>`: one code of 4 MB with 2,000 `<xf>` took
//! 3.9 GB.

use std::io::{Read, Seek};

use quick_xml::events::Event;
use zip::ZipArchive;

use super::{
    error::FileProblem,
    parts::{self, NEXT},
};

/// Most characters of a format code: Excel's limit.
const MAX_CODE_CHARS: usize = 255;
/// Most bytes of one tag: a code of that length, with all quotation marks escaped.
const MAX_TAG_BYTES: usize = 4096;
/// Most elements of a kind that is copied. Excel stops at 65,490 formats, which stand in two lists.
const MAX_COPIED: usize = 2 * 65_490;
/// Elements that calamine keeps or copies.
const COPIED: [&str; 5] = ["xf", "font", "fill", "border", "numFmt"];

/// Refuses a workbook whose styles are larger than those of any real one.
pub fn check(archive: &mut ZipArchive<impl Read + Seek>) -> Result<(), FileProblem> {
    // calamine takes them from the folder that a relationship names, so each such part is checked
    for index in parts::named(archive, "styles.xml") {
        let mut counts = [0_usize; COPIED.len()];
        parts::each(archive, index, |event| {
            let (Event::Start(element) | Event::Empty(element)) = event else { return NEXT };
            let code = parts::attribute(element, "formatCode").map_or(0, |code| code.chars().count());
            let mut many = MAX_CODE_CHARS < code || MAX_TAG_BYTES < element.len();
            let local = element.local_name();
            for (name, count) in COPIED.iter().zip(&mut counts) {
                *count += usize::from(local.as_ref() == *name);
                many |= MAX_COPIED < *count;
            }
            if many { Err(FileProblem::Unfolds) } else { NEXT }
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::hostile::archive;

    #[test]
    fn styles_that_grow_when_read_are_refused() {
        let check = |name: &str, inner: &str, want: bool| {
            let styles = format!("<styleSheet>{inner}</styleSheet>");
            let start: String = inner.chars().take(60).collect();
            assert_eq!(check(&mut archive(&[(name, &styles)])).is_ok(), want, "{start}");
        };
        let code = |length: usize| {
            format!("<numFmts><numFmt numFmtId=\"164\" formatCode=\"{}\"/></numFmts>", "0".repeat(length))
        };
        check("xl/styles.xml", &code(255), true);
        check("xl/styles.xml", &code(256), false);
        check("YL/Styles.XML", &code(256), false);
        check("xl/styles.xml", &format!("<fonts><font><name val=\"{}\"/></font></fonts>", "a".repeat(5000)), false);
        check("xl/styles.xml", &format!("<cellXfs>{}</cellXfs>", "<xf/>".repeat(64_000)), true);
        for name in COPIED {
            check("xl/styles.xml", &format!("<{name}/>").repeat(MAX_COPIED + 1), false);
        }
    }
}
