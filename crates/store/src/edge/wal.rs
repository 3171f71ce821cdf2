//! The engine's own log. The engine writes every operation into it and numbers operations by it, but never reads or
//! truncates it, so it would grow forever. Our journal provides durability instead. Before each load we replace the log
//! by an empty one with numbers above all used ones. Numbers must never decrease: the engine silently ignores an
//! operation whose number is not above the point's.
//!
//! File format (crate `wal` in qdrant-edge): `closed-N` holds the operations from number N, `open-K` the operations
//! after the last closed file; 8 bytes of header, then for each operation 8 bytes of length, the data padded to 8
//! bytes, 4 bytes of checksum.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use super::store::write_whole;

const HEADER: &[u8] = b"wal\0\0\0\0\0";
/// Gap left above the highest number found: after a power failure the files may lack the newest operations.
const MARGIN: u64 = 1 << 16;

/// Replaces the log in `folder`, if present.
pub(super) fn renew(folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let files = files(folder)?;
    let last_closed = files.iter().filter_map(|file| file.start).max().unwrap_or(0);
    let mut next = last_closed + MARGIN;
    for LogFile { path, start } in &files {
        if start.is_none_or(|start| start == last_closed) {
            next += operations(path)?;
        }
    }
    let renewed = folder.join(format!("closed-{next}"));
    write_whole(&renewed, HEADER)?;
    for LogFile { path, .. } in files {
        fs::remove_file(path)?;
    }
    File::open(folder)?.sync_all()
}

/// Bytes of the closed log files, which only grow; two open files of 32 MiB come on top.
pub(super) fn closed_bytes(folder: &Path) -> io::Result<u64> {
    let closed = files(folder)?.into_iter().filter(|file| file.start.is_some());
    closed.map(|file| Ok(fs::metadata(file.path)?.len())).sum()
}

/// A file of the log.
struct LogFile {
    path: PathBuf,
    /// First number of a closed file; `None` for an open one.
    start: Option<u64>,
}

fn files(folder: &Path) -> io::Result<Vec<LogFile>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.split_once('-') {
            Some(("open", _)) => found.push(LogFile { path, start: None }),
            Some(("closed", start)) => {
                found.extend(start.parse().ok().map(|start| LogFile { path, start: Some(start) }))
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Counts the operations of a file by their lengths, up to the first damaged one; [`MARGIN`] covers the rest.
fn operations(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut offset = HEADER.len() as u64;
    reader.seek_relative(HEADER.len() as i64)?;
    let mut count = 0;
    loop {
        let mut length = [0; 8];
        if reader.read_exact(&mut length).is_err() {
            return Ok(count);
        }
        let length = u64::from_le_bytes(length);
        // length, data and checksum together are a multiple of 8
        let whole = length.saturating_add(8 + 4).checked_next_multiple_of(8).unwrap_or(u64::MAX);
        if length == 0 || size < offset.saturating_add(whole) {
            return Ok(count);
        }
        offset = offset.saturating_add(whole);
        // unlike `seek`, this keeps the buffer
        reader.seek_relative(i64::try_from(whole - 8).unwrap_or(i64::MAX))?;
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(length: usize) -> Vec<u8> {
        let mut bytes = (length as u64).to_le_bytes().to_vec();
        bytes.resize((8 + length + 4).next_multiple_of(8), 1);
        bytes
    }

    fn check(files: &[(&str, &[usize])], want: u64) {
        let folder = tempfile::tempdir().unwrap();
        for (name, lengths) in files {
            let mut bytes = HEADER.to_vec();
            bytes.extend(lengths.iter().flat_map(|length| entry(*length)));
            // the engine preallocates its files
            bytes.resize(bytes.len() + 64, 0);
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        renew(folder.path()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [format!("closed-{}", want + MARGIN).as_str()]);
        assert_eq!(closed_bytes(folder.path()).unwrap(), HEADER.len() as u64);
    }

    #[test]
    fn numbers_go_on_above_all_that_were_given_out() {
        check(&[("open-1", &[])], 0);
        check(&[("open-1", &[1, 4, 5, 12, 13, 1000])], 6);
        check(&[("closed-0", &[7, 8]), ("open-2", &[9]), ("open-3", &[])], 3);
        check(&[("closed-0", &[7; 9]), ("closed-9", &[3; 5]), ("open-4", &[3; 2])], 16);
        check(&[("closed-700000", &[])], 700_000);
    }

    #[test]
    fn a_damaged_log_is_replaced_as_well() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("closed-12"), b"wal").unwrap();
        fs::write(folder.path().join("open-2"), [u8::MAX; 100]).unwrap();
        renew(folder.path()).unwrap();
        assert!(folder.path().join(format!("closed-{}", 12 + MARGIN)).exists());
        renew(&folder.path().join("nothing")).unwrap();
    }
}
