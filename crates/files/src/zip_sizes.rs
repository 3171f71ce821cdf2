//! Unpacked sizes of a workbook's parts, from the directory at the end of the zip file.
//!
//! The directory is a reliable limit: the zip reader used by `calamine` stops when a part exceeds its size in the
//! directory (`zip` 9, `Crc32Reader::with_size_limit`). Files that could show that reader another directory than this
//! code (a second end record, zip64 records) are refused.

use std::io::{Read, Seek, SeekFrom};

use super::error::FileProblem;

/// Most bytes of all parts with cells and texts together: about half a million rows; larger tables need a CSV.
const MAX_CELL_BYTES: u64 = 1 << 30;
/// Most bytes of any other part (styles, relations); `calamine` keeps many times its size in memory.
const MAX_OTHER_BYTES: u64 = 16 << 20;
/// Most parts; a workbook has a few dozen, plus one per picture.
const MAX_PARTS: usize = 20_000;
/// Most bytes of the directory.
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ZIP64_SIGNATURE: &[u8] = b"PK\x06\x07";
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
/// Placeholder for a size stored in the zip64 field.
const IN_ZIP64: u32 = u32::MAX;

/// Rejects a workbook whose parts unpack to more than the memory limits.
pub fn check(file: &mut (impl Read + Seek)) -> Result<(), FileProblem> {
    let directory = directory(file)?;
    let mut rest = directory.as_slice();
    let (mut parts, mut cell_bytes) = (0, 0_u64);
    while !rest.is_empty() {
        let (name, size, after) = entry(rest).ok_or_else(|| broken("目录有误"))?;
        rest = after;
        parts += 1;
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let holds_cells = file_name.starts_with("sheet") || file_name == "sharedstrings.xml";
        let is_read = [".xml", ".rels", ".bin", ".vml"].iter().any(|ending| file_name.ends_with(ending));
        if holds_cells {
            cell_bytes = cell_bytes.saturating_add(size);
        }
        if MAX_PARTS < parts || MAX_CELL_BYTES < cell_bytes || (is_read && !holds_cells && MAX_OTHER_BYTES < size) {
            return Err(FileProblem::Unfolds);
        }
    }
    Ok(())
}

fn broken(what: &str) -> FileProblem {
    FileProblem::BrokenWorkbook(what.to_string())
}

/// Bytes of the directory.
fn directory(file: &mut (impl Read + Seek)) -> Result<Vec<u8>, FileProblem> {
    let length = file.seek(SeekFrom::End(0))?;
    // the end record may be followed by a comment of at most 65,535 bytes
    let tail_start = length.saturating_sub(END_BYTES as u64 + u64::from(u16::MAX));
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_start))?;
    file.take(length - tail_start).read_to_end(&mut tail)?;
    let mut ends = tail.windows(END_SIGNATURE.len()).enumerate().filter(|(_, bytes)| *bytes == END_SIGNATURE);
    let (end, _) = ends.next().ok_or_else(|| broken("没有压缩包目录，文件可能不完整"))?;
    if ends.next().is_some() || tail.windows(ZIP64_SIGNATURE.len()).any(|bytes| bytes == ZIP64_SIGNATURE) {
        return Err(broken("压缩包目录不规范"));
    }
    let record = tail.get(end..).unwrap_or_default();
    let size = u64::from(number_4(record, 12).ok_or_else(|| broken("没有压缩包目录"))?);
    let start = (tail_start + end as u64).checked_sub(size).ok_or_else(|| broken("目录有误"))?;
    if MAX_DIRECTORY_BYTES < size {
        return Err(FileProblem::Unfolds);
    }
    let mut directory = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(size).read_to_end(&mut directory)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(directory)
}

/// Lower-case name and unpacked size of the first entry, and the bytes after it.
fn entry(bytes: &[u8]) -> Option<(String, u64, &[u8])> {
    bytes.starts_with(ENTRY_SIGNATURE).then_some(())?;
    let [name, extra, comment] = [28, 30, 32].map(|place| number_2(bytes, place).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let text = bytes.get(ENTRY_BYTES..ENTRY_BYTES + name)?;
    let extra_bytes = bytes.get(ENTRY_BYTES + name..ENTRY_BYTES + name + extra)?;
    let size = match number_4(bytes, 24)? {
        IN_ZIP64 => zip64_size(extra_bytes).unwrap_or(u64::MAX),
        size => u64::from(size),
    };
    let after = bytes.get(ENTRY_BYTES + name + extra + comment..)?;
    Some((String::from_utf8_lossy(text).to_lowercase(), size, after))
}

/// Unpacked size from the zip64 field (id 1), where the size comes first.
fn zip64_size(mut extra: &[u8]) -> Option<u64> {
    loop {
        let (id, length) = (number_2(extra, 0)?, usize::from(number_2(extra, 2)?));
        if id == 1 {
            let low = number_4(extra, 4)?;
            let high = number_4(extra, 8).filter(|_| 8 <= length)?;
            return Some(u64::from(high) << 32 | u64::from(low));
        }
        extra = extra.get(4 + length..)?;
    }
}

fn number_2(bytes: &[u8], place: usize) -> Option<u16> {
    bytes.get(place..place + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn number_4(bytes: &[u8], place: usize) -> Option<u32> {
    bytes.get(place..place + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A zip file with only its directory.
    fn zip(entries: &[(&str, u32)], comment: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        let start = bytes.len();
        for (name, size) in entries {
            let mut entry = vec![0; ENTRY_BYTES];
            entry[..4].copy_from_slice(ENTRY_SIGNATURE);
            entry[24..28].copy_from_slice(&size.to_le_bytes());
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            entry.extend(name.as_bytes());
            bytes.extend(entry);
        }
        let mut end = vec![0; END_BYTES];
        end[..4].copy_from_slice(END_SIGNATURE);
        end[12..16].copy_from_slice(&((bytes.len() - start) as u32).to_le_bytes());
        end[20..22].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        bytes.extend(end);
        bytes.extend(comment);
        bytes
    }

    fn check_zip(bytes: Vec<u8>) -> Result<(), String> {
        check(&mut Cursor::new(bytes)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn bombs_are_refused() {
        const MIB: u32 = 1 << 20;
        let fits = |entries: &[(&str, u32)]| check_zip(zip(entries, b"")).is_ok();
        assert!(fits(&[("xl/worksheets/sheet1.xml", 900 * MIB), ("xl/sharedStrings.xml", 100 * MIB)]));
        assert!(fits(&[("xl/media/image1.png", 1000 * MIB)]));
        assert!(!fits(&[("xl/worksheets/sheet1.xml", 900 * MIB), ("xl/SharedStrings.xml", 200 * MIB)]));
        assert!(!fits(&[("xl/styles.xml", 17 * MIB)]));
        assert!(!fits(&[("xl/worksheets/sheet1.xml", u32::MAX)]));
        assert!(fits(&[]));
        assert!(!fits(&vec![("x.png", 1); 20_001]));
    }

    #[test]
    fn strange_directories_are_refused() {
        let entries = [("xl/styles.xml", 5)];
        assert_eq!(check_zip(zip(&entries, b"a comment")), Ok(()));
        assert!(check_zip(zip(&entries, END_SIGNATURE)).is_err());
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
