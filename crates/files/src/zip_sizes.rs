//! Unpacked sizes of a workbook's parts, from the directory at the end of the zip file.
//!
//! The directory is a reliable limit: the zip reader used by `calamine` stops when a part exceeds its size in the
//! directory (`zip` 9, `Crc32Reader::with_size_limit`). Files that could show that reader another directory than this
//! code (a second end record, zip64 records) are refused.

use std::{
    collections::HashSet,
    io::{Read, Seek, SeekFrom},
};

use zip::ZipArchive;

use super::{
    error::FileProblem,
    parts::{self, broken},
};

/// Most bytes of all parts with cells and texts together: about half a million rows; larger tables need a CSV.
const MAX_CELL_BYTES: u64 = 1 << 30;
/// Most bytes of any other part (styles, relations); `calamine` keeps many times its size in memory.
pub const MAX_OTHER_BYTES: u64 = 16 << 20;
/// Most parts; a workbook has a few dozen, plus one per picture.
const MAX_PARTS: usize = 20_000;
/// Most bytes of the directory and what follows it.
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ZIP64_SIGNATURE: &[u8] = b"PK\x06\x07";

/// Opens a workbook as an archive. Refuses one whose parts unpack to more than is read into memory.
pub fn open<R: Read + Seek>(mut file: R) -> Result<ZipArchive<R>, FileProblem> {
    let length = file.seek(SeekFrom::End(0))?;
    check_end(&mut file, length)?;
    let archive = ZipArchive::new(file).map_err(|_| broken("目录有误"))?;
    if MAX_PARTS < archive.len() || MAX_DIRECTORY_BYTES < length.saturating_sub(archive.central_directory_start()) {
        return Err(FileProblem::Unfolds);
    }
    let (mut cell_bytes, mut names) = (0_u64, HashSet::new());
    for number in 0..archive.len() {
        let part = archive.by_index_data(number).map_err(|_| broken("目录有误"))?;
        let (name, size) = (parts::normal(&String::from_utf8_lossy(part.name_raw())), part.size());
        let file_name = name.rsplit('/').next().unwrap_or_default();
        let holds_cells = file_name.starts_with("sheet") || file_name == "sharedstrings.xml";
        if holds_cells {
            cell_bytes = cell_bytes.saturating_add(size);
        }
        let large = !holds_cells && !is_unread(&name) && MAX_OTHER_BYTES < size;
        if MAX_CELL_BYTES < cell_bytes || large {
            return Err(FileProblem::Unfolds);
        }
        // which of the two is read would be up to the reader
        if !names.insert(name) {
            return Err(broken("压缩包中有两个同名部件"));
        }
    }
    Ok(archive)
}

/// Returns whether a part is never read: a picture, an embedded file, a data model. Any other part can be the target of
/// a relationship, whatever its ending; [`super::relations`] refuses targets that are no `.xml`.
pub fn is_unread(name: &str) -> bool {
    let kept_aside = name.split('/').rev().skip(1).any(|folder| matches!(folder, "media" | "embeddings" | "model"));
    kept_aside && !name.ends_with(".xml") && !name.ends_with(".rels")
}

/// Refuses a file that has not exactly one end record, or has zip64 records. So there are at most 65,535 parts.
fn check_end(file: &mut (impl Read + Seek), length: u64) -> Result<(), FileProblem> {
    // a comment of at most 65,535 bytes follows the end record; the zip64 record before it has 20 bytes
    let tail_start = length.saturating_sub(END_BYTES as u64 + 20 + (1 << 16));
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_start))?;
    file.take(length - tail_start).read_to_end(&mut tail)?;
    let count = |signature: &[u8]| tail.windows(signature.len()).filter(|bytes| *bytes == signature).count();
    match (count(END_SIGNATURE), count(ZIP64_SIGNATURE)) {
        (0, _) => Err(broken("没有压缩包目录，文件可能不完整")),
        (1, 0) => Ok(()),
        _ => Err(broken("压缩包目录不规范")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const ENTRY_BYTES: usize = 46;

    /// A zip file with nothing but its directory.
    fn zip<N: AsRef<str>>(entries: &[(N, u32)], comment: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        let start = bytes.len();
        for (name, size) in entries {
            let name = name.as_ref();
            let mut entry = vec![0; ENTRY_BYTES];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[24..28].copy_from_slice(&size.to_le_bytes());
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            entry.extend(name.as_bytes());
            bytes.extend(entry);
        }
        let mut end = vec![0; END_BYTES];
        end[..4].copy_from_slice(END_SIGNATURE);
        end[8..10].copy_from_slice(&(entries.len() as u16).to_le_bytes());
        end[10..12].copy_from_slice(&(entries.len() as u16).to_le_bytes());
        end[12..16].copy_from_slice(&((bytes.len() - start) as u32).to_le_bytes());
        end[16..20].copy_from_slice(&(start as u32).to_le_bytes());
        end[20..22].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        bytes.extend(end);
        bytes.extend(comment);
        bytes
    }

    fn check_zip(bytes: Vec<u8>) -> Result<(), String> {
        open(Cursor::new(bytes)).map(drop).map_err(|problem| problem.to_string())
    }

    #[test]
    fn bombs_are_refused() {
        const MIB: u32 = 1 << 20;
        let fits = |entries: &[(&str, u32)]| check_zip(zip(entries, b"")).is_ok();
        assert!(fits(&[("xl/worksheets/sheet1.xml", 900 * MIB), ("xl/sharedStrings.xml", 100 * MIB)]));
        assert!(fits(&[("xl/media/image1.png", 1000 * MIB)]));
        assert!(!fits(&[("xl/worksheets/sheet1.xml", 900 * MIB), ("xl/SharedStrings.xml", 200 * MIB)]));
        assert!(!fits(&[("xl/styles.xml", 17 * MIB)]));
        for target in ["xl/worksheets/data.png", "xl/data", "xl/media/styles.xml", "media", "xl/theme/theme1.XML"] {
            assert!(!fits(&[(target, 17 * MIB)]), "{target}");
        }
        assert!(fits(&[("xl/embeddings/a.docx", 17 * MIB), ("xl/model/item.data", 17 * MIB)]));
        assert!(!fits(&[("xl/worksheets/sheet1.xml", u32::MAX)]));
        assert!(fits(&[]));
        let many = |count: usize| zip(&(0..count).map(|number| (format!("{number}.png"), 1)).collect::<Vec<_>>(), b"");
        assert_eq!(check_zip(many(20_000)), Ok(()));
        assert_eq!(check_zip(many(20_001)), Err(FileProblem::Unfolds.to_string()));
        let long = |count: usize| {
            let entries = (0..count).map(|number| (format!("{number:0>65000}.png"), 1));
            zip(&entries.collect::<Vec<_>>(), b"")
        };
        assert_eq!(check_zip(long(128)), Ok(()));
        assert_eq!(check_zip(long(130)), Err(FileProblem::Unfolds.to_string()));
    }

    #[test]
    fn strange_directories_are_refused() {
        let entries = [("xl/styles.xml", 5)];
        assert_eq!(check_zip(zip(&entries, b"a comment")), Ok(()));
        assert!(check_zip(zip(&entries, END_SIGNATURE)).is_err());
        assert!(check_zip(zip(&[("xl/styles.xml", 5), ("XL\\Styles.xml", 5)], b"")).is_err());
        assert!(check_zip(zip(&entries, ZIP64_SIGNATURE)).is_err());
        assert!(check_zip(b"PK\x03\x04".to_vec()).is_err());
        let mut cut = zip(&entries, b"");
        cut.drain(5..20);
        assert!(check_zip(cut).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), flip in 0_usize..90) {
            let _ = check_zip(bytes);
            let mut near = zip(&[("xl/styles.xml", 5)], b"");
            let place = flip % near.len();
            near[place] ^= 0x81;
            let _ = check_zip(near);
        }
    }
}
