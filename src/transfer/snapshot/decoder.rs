//! The bytes of a snapshot → points, with limits and in order.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{
    MAX_LINE_BYTES, MAX_WINDOW_LOG,
    line::{Header, Line, Trailer},
};
use crate::{
    domain::Kind,
    index::{Point, PointId},
    transfer::{Digests, checksum::Hasher},
};

/// What is wrong with a snapshot, for the sentence about it.
pub(super) type Reason = String;

/// A part of an open file, read from its start whatever else reads the same file.
#[derive(Debug)]
pub(super) struct FilePart {
    file: Arc<File>,
    at: u64,
    end: u64,
}

/// Reads header, points and trailer; the trailer is compared with what was read.
pub(super) struct Decoder<R: Read> {
    lines: BufReader<zstd::stream::read::Decoder<'static, BufReader<R>>>,
    /// Of all lines but the last one that was read.
    sha256: Sha256,
    last_line: Vec<u8>,
    header: Header,
    kinds: Vec<(Kind, Hasher)>,
    before: Option<(Kind, PointId)>,
    trailer: Option<Trailer>,
}

// === impl FilePart ===

impl FilePart {
    /// The first `end` bytes.
    pub(super) fn new(file: Arc<File>, end: u64) -> Self {
        Self { file, at: 0, end }
    }
}

impl Read for FilePart {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = bytes.len().min(left);
        let read = bytes.get_mut(..wanted).map_or(Ok(0), |bytes| self.file.read_at(bytes, self.at))?;
        self.at += read as u64;
        Ok(read)
    }
}

// === impl Decoder ===

impl<R: Read> Decoder<R> {
    /// Reads the header; `None` where the bytes do not begin as a snapshot does.
    pub(super) fn new(bytes: R) -> Option<Self> {
        let mut stream = zstd::stream::read::Decoder::with_buffer(BufReader::new(bytes)).ok()?;
        stream.window_log_max(MAX_WINDOW_LOG).ok()?;
        let mut lines = BufReader::new(stream);
        let mut first = Vec::new();
        read_line(&mut lines, &mut first).ok()?;
        let Ok(Line::Header(header)) = serde_json::from_slice(&first) else { return None };
        let kinds = Kind::ALL.map(|kind| (kind, Hasher::default())).into();
        let sha256 = Sha256::new();
        Some(Self { lines, sha256, last_line: first, header, kinds, before: None, trailer: None })
    }

    /// The header.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next point; `None` after the last one, once the trailer was found right.
    pub(super) fn next_point(&mut self) -> Result<Option<Point>, Reason> {
        if self.trailer.is_some() {
            return Ok(None);
        }
        self.sha256.update(&self.last_line);
        read_line(&mut self.lines, &mut self.last_line)?;
        match serde_json::from_slice(&self.last_line).map_err(|error| format!("有一行无法读取：{error}"))? {
            Line::Header(_) => Err("表头重复".to_string()),
            Line::Point(line) => {
                let point = line.into_point()?;
                self.take_in(&point)?;
                Ok(Some(point))
            }
            Line::Trailer(trailer) => self.end(trailer).map(|()| None),
        }
    }

    /// Checksums of what the snapshot holds; known after the last point.
    pub(super) fn digests(&self) -> Option<&Digests> {
        self.trailer.as_ref().map(|trailer| &trailer.kinds)
    }

    /// Every point comes once, and in order.
    fn take_in(&mut self, point: &Point) -> Result<(), Reason> {
        point.check(point.record.kind(), self.header.store.dimensions).map_err(|error| error.to_string())?;
        let place = (point.record.kind(), point.id());
        if self.before.is_some_and(|before| place <= before) {
            return Err(format!("记录 {} 的次序不对", point.record.name()));
        }
        self.before = Some(place);
        let hasher = self.kinds.iter_mut().find(|(kind, _)| *kind == place.0);
        hasher.map_or(Ok(()), |(_, hasher)| hasher.add(point)).map_err(|error| error.to_string())
    }

    fn end(&mut self, trailer: Trailer) -> Result<(), Reason> {
        let kinds: Digests = self.kinds.drain(..).map(|(kind, hasher)| (kind, hasher.finish())).collect();
        if trailer.sha256 != format!("{:x}", self.sha256.clone().finalize()) || trailer.kinds != kinds {
            return Err("末行的校验和不符".to_string());
        }
        if !self.lines.fill_buf().map_err(|error| error.to_string())?.is_empty() {
            return Err("末行之后还有内容".to_string());
        }
        self.trailer = Some(trailer);
        Ok(())
    }
}

/// Reads one line with its line feed into `line`, at most [`MAX_LINE_BYTES`].
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> Result<(), Reason> {
    line.clear();
    let limit = MAX_LINE_BYTES as u64;
    lines.by_ref().take(limit).read_until(b'\n', line).map_err(|error| format!("无法解压：{error}"))?;
    match (line.last(), line.len()) {
        (Some(b'\n'), _) => Ok(()),
        (_, MAX_LINE_BYTES) => Err(format!("有一行超过 {MAX_LINE_BYTES} 字节")),
        _ => Err("内容不全，没有末行".to_string()),
    }
}
