//! Bytes of a snapshot → points and documents, with limits and order checked.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{
    MAX_LINE_BYTES, MAX_WINDOW_LOG, Summary,
    line::{SnapshotHeader, SnapshotLine, Trailer},
};
use crate::{
    CollectionKind, DocumentWrite, PointId,
    transfer::{Digests, checksum::Hasher, piece::Piece},
};

/// Fault of a snapshot, as part of an error message.
pub(super) type SnapshotFault = String;

/// A section of an open file with its own read position, independent of other readers.
#[derive(Debug)]
pub(super) struct FilePart {
    file: Arc<File>,
    at: u64,
    end: u64,
}

/// Reads header, points, documents and trailer, and checks the trailer against the contents.
pub(super) struct Decoder<R: Read> {
    lines: BufReader<zstd::stream::read::Decoder<'static, BufReader<R>>>,
    /// Hash of all lines before the last line read.
    sha256: Sha256,
    last_line: Vec<u8>,
    header: SnapshotHeader,
    hashers: Vec<(CollectionKind, Hasher)>,
    before: Option<(CollectionKind, PointId)>,
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
    /// Reads the header; `None` if the bytes do not start like a snapshot.
    pub(super) fn new(bytes: R) -> Option<Self> {
        let mut stream = zstd::stream::read::Decoder::with_buffer(BufReader::new(bytes)).ok()?;
        stream.window_log_max(MAX_WINDOW_LOG).ok()?;
        let mut lines = BufReader::new(stream);
        let mut first = Vec::new();
        read_line(&mut lines, &mut first).ok()?;
        let Ok(SnapshotLine::Header(header)) = serde_json::from_slice(&first) else { return None };
        let hashers = CollectionKind::ALL.map(|collection| (collection, Hasher::default())).into();
        let sha256 = Sha256::new();
        Some(Self { lines, sha256, last_line: first, header, hashers, before: None, trailer: None })
    }

    /// The header.
    pub(super) fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The next point or document; `None` after the last one, if the trailer is correct.
    pub(super) fn next_piece(&mut self) -> Result<Option<Piece>, SnapshotFault> {
        if self.trailer.is_some() {
            return Ok(None);
        }
        self.sha256.update(&self.last_line);
        read_line(&mut self.lines, &mut self.last_line)?;
        match serde_json::from_slice(&self.last_line).map_err(|error| format!("有一行无法读取：{error}"))? {
            SnapshotLine::Header(_) => Err("表头重复".to_string()),
            SnapshotLine::Point(line) => self.take_in(Piece::Point(Box::new(line.into_point()?))).map(Some),
            SnapshotLine::Document(document) => self.take_in(Piece::Document(document)).map(Some),
            SnapshotLine::Trailer(trailer) => self.end(trailer).map(|()| None),
        }
    }

    /// Checksums of the contents, and what is not among them; known after the last piece.
    pub(super) fn summary(&self) -> Option<Summary> {
        let Trailer { kinds, left_out, .. } = self.trailer.as_ref()?;
        Some(Summary { digests: kinds.clone(), left_out: left_out.clone() })
    }

    /// Checks order and uniqueness, and adds the piece to the checksums.
    fn take_in(&mut self, piece: Piece) -> Result<Piece, SnapshotFault> {
        let (collection, id) = (piece.collection(), piece.id());
        match &piece {
            Piece::Point(point) => point.check(point.record.kind(), self.header.store.dimensions),
            Piece::Document(document) => DocumentWrite::from(document.clone()).check(),
        }
        .map_err(|error| error.to_string())?;
        if self.before.is_some_and(|before| (collection, id) <= before) {
            return Err(format!("{} {} 的次序不对", collection.label(), piece.name()));
        }
        self.before = Some((collection, id));
        let hasher = self.hashers.iter_mut().find(|(other, _)| *other == collection);
        hasher.map_or(Ok(()), |(_, hasher)| hasher.add(&piece)).map_err(|error| error.to_string())?;
        Ok(piece)
    }

    fn end(&mut self, mut trailer: Trailer) -> Result<(), SnapshotFault> {
        let digest = |(collection, hasher): (CollectionKind, Hasher)| (collection, hasher.finish());
        let kinds: Digests = self.hashers.drain(..).map(digest).collect();
        // version 1 had no documents
        trailer.kinds.entry(CollectionKind::Documents).or_insert_with(|| Hasher::default().finish());
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
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> Result<(), SnapshotFault> {
    line.clear();
    let limit = MAX_LINE_BYTES as u64;
    lines.by_ref().take(limit).read_until(b'\n', line).map_err(|error| format!("无法解压：{error}"))?;
    match (line.last(), line.len()) {
        (Some(b'\n'), _) => Ok(()),
        (_, MAX_LINE_BYTES) => Err(format!("有一行超过 {MAX_LINE_BYTES} 字节")),
        _ => Err("内容不全，没有末行".to_string()),
    }
}
