//! Properties of files from outside, for `fuzz/` and for tests.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{ReadOptions, open};

/// Sheets of a workbook around one part that is made of the input.
const PARTS: [(&str, &str); 4] = [
    ("[Content_Types].xml", r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="需求" sheetId="1" r:id="r1"/></sheets></workbook>"#,
    ),
];

/// A file is refused with a sentence, or each of its rows is a record or has reasons. The first byte says what file the
/// others are: a text with commas, one with tabs, lines of JSON, a workbook, the sheet of a workbook.
pub fn importer(bytes: &[u8]) {
    let Some((sort, content)) = bytes.split_first() else { return };
    let (ending, content) = match sort % 5 {
        0 => ("csv", content.to_vec()),
        1 => ("tsv", content.to_vec()),
        2 => ("jsonl", content.to_vec()),
        3 => ("xlsx", content.to_vec()),
        _ => ("xlsx", workbook(content)),
    };
    let file = tempfile::Builder::new().suffix(&format!(".{ending}")).tempfile();
    let Ok(mut file) = file else { return };
    if file.write_all(&content).is_err() {
        return;
    }
    match open(file.path(), &ReadOptions::default()) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(rows) => {
            for row in rows {
                match row.result {
                    Ok(record) => assert!(!record.id.is_empty()),
                    Err(reasons) => assert!(!reasons.is_empty()),
                }
            }
        }
    }
}

fn workbook(sheet: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let parts = PARTS.iter().map(|(name, text)| (*name, text.as_bytes()));
    for (name, bytes) in parts.chain([("xl/worksheets/sheet1.xml", sheet)]) {
        if zip.start_file(name, SimpleFileOptions::default()).and_then(|()| Ok(zip.write_all(bytes)?)).is_err() {
            return Vec::new();
        }
    }
    zip.finish().map_or(Vec::new(), Cursor::into_inner)
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_file_is_read_or_refused() {
        duijie_hostile::check("importer", super::importer);
    }
}
