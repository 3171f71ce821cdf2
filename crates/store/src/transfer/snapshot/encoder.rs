//! Points and documents → the bytes of a snapshot.

use std::io::Write;

use sha2::{Digest as _, Sha256};

use super::{
    LEVEL, MAX_LINE_BYTES, Summary,
    create::Created,
    line::{PointLine, SnapshotHeader, SnapshotLine, Trailer},
    seal::Sealing,
};
use crate::{
    CollectionKind, LeftOut,
    transfer::{Digests, Result, TransferError, checksum::Hasher, piece::Piece},
};

/// Writes a snapshot; expects points by kind, then documents, each in id order.
pub(super) struct Encoder<W: Write> {
    lines: zstd::stream::write::Encoder<'static, Sealing<W>>,
    sha256: Sha256,
    hashers: Vec<(CollectionKind, Hasher)>,
}

// === impl Encoder ===

impl<W: Write> Encoder<W> {
    /// Writes the header.
    pub(super) fn new(sink: W, header: SnapshotHeader) -> Result<Self> {
        let lines = zstd::stream::write::Encoder::new(Sealing::new(sink), LEVEL).map_err(TransferError::Sink)?;
        let hashers = CollectionKind::ALL.map(|collection| (collection, Hasher::default())).into();
        let mut encoder = Self { lines, sha256: Sha256::new(), hashers };
        encoder.line(&SnapshotLine::Header(header)).map_err(|reason| reason.about("header"))?;
        Ok(encoder)
    }

    /// Writes the next point or document.
    pub(super) fn piece(&mut self, piece: Piece) -> Result<()> {
        let (collection, name) = (piece.collection(), piece.name());
        if let Some((_, hasher)) = self.hashers.iter_mut().find(|(other, _)| *other == collection) {
            hasher.add(&piece)?;
        }
        let line = match piece {
            Piece::Point(point) => SnapshotLine::Point(Box::new(PointLine::new(*point))),
            Piece::Document(document) => SnapshotLine::Document(document),
        };
        self.line(&line).map_err(|reason| reason.about(&name))
    }

    /// Writes trailer and seal.
    pub(super) fn finish(mut self, left_out: LeftOut) -> Result<Created<W>> {
        let kinds: Digests = self.hashers.drain(..).map(|(collection, hasher)| (collection, hasher.finish())).collect();
        let sha256 = format!("{:x}", self.sha256.clone().finalize());
        let trailer = Trailer { kinds: kinds.clone(), sha256, left_out: left_out.clone() };
        self.line(&SnapshotLine::Trailer(trailer)).map_err(|reason| reason.about("trailer"))?;
        let sink = self.lines.finish().and_then(Sealing::seal).map_err(TransferError::Sink)?;
        Ok(Created { sink, summary: Summary { digests: kinds, left_out } })
    }

    fn line(&mut self, line: &SnapshotLine) -> std::result::Result<(), LineError> {
        let mut text = serde_json::to_vec(line).map_err(|error| LineError::SnapshotLine(error.to_string()))?;
        text.push(b'\n');
        if MAX_LINE_BYTES < text.len() {
            return Err(LineError::SnapshotLine(format!("占 {} 字节，超过 {MAX_LINE_BYTES}", text.len())));
        }
        self.sha256.update(&text);
        self.lines.write_all(&text).map_err(LineError::Sink)
    }
}

/// Why a line cannot be written.
enum LineError {
    /// The line could not be read back.
    SnapshotLine(String),
    /// The sink failed.
    Sink(std::io::Error),
}

// === impl LineError ===

impl LineError {
    fn about(self, name: &str) -> TransferError {
        match self {
            Self::SnapshotLine(reason) => TransferError::Unwritable { name: name.to_string(), reason },
            Self::Sink(error) => TransferError::Sink(error),
        }
    }
}
