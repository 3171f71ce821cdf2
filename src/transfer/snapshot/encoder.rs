//! Points → the bytes of a snapshot.

use std::io::Write;

use sha2::{Digest as _, Sha256};

use super::{
    LEVEL, MAX_LINE_BYTES,
    line::{Header, Line, PointLine, Trailer},
    seal::Sealing,
};
use crate::{
    domain::Kind,
    index::Point,
    transfer::{Digests, Result, TransferError, checksum::Hasher},
};

/// Writes a snapshot; the points must come by kind, then by id.
pub(super) struct Encoder<W: Write> {
    lines: zstd::stream::write::Encoder<'static, Sealing<W>>,
    sha256: Sha256,
    kinds: Vec<(Kind, Hasher)>,
}

// === impl Encoder ===

impl<W: Write> Encoder<W> {
    /// Begins with the header.
    pub(super) fn new(sink: W, header: Header) -> Result<Self> {
        let lines = zstd::stream::write::Encoder::new(Sealing::new(sink), LEVEL).map_err(TransferError::Sink)?;
        let kinds = Kind::ALL.map(|kind| (kind, Hasher::default())).into();
        let mut encoder = Self { lines, sha256: Sha256::new(), kinds };
        encoder.line(&Line::Header(header)).map_err(|reason| reason.about("header"))?;
        Ok(encoder)
    }

    /// Writes the next point.
    pub(super) fn point(&mut self, point: Point) -> Result<()> {
        let kind = point.record.kind();
        if let Some((_, hasher)) = self.kinds.iter_mut().find(|(other, _)| *other == kind) {
            hasher.add(&point)?;
        }
        let name = point.record.name();
        self.line(&Line::Point(Box::new(PointLine::new(point)))).map_err(|reason| reason.about(&name.to_string()))
    }

    /// Writes trailer and seal.
    pub(super) fn finish(mut self) -> Result<(W, Digests)> {
        let kinds: Digests = self.kinds.drain(..).map(|(kind, hasher)| (kind, hasher.finish())).collect();
        let sha256 = format!("{:x}", self.sha256.clone().finalize());
        let trailer = Trailer { kinds: kinds.clone(), sha256 };
        self.line(&Line::Trailer(trailer)).map_err(|reason| reason.about("trailer"))?;
        let sink = self.lines.finish().and_then(Sealing::seal).map_err(TransferError::Sink)?;
        Ok((sink, kinds))
    }

    fn line(&mut self, line: &Line) -> std::result::Result<(), LineError> {
        let mut text = serde_json::to_vec(line).map_err(|error| LineError::Line(error.to_string()))?;
        text.push(b'\n');
        if MAX_LINE_BYTES < text.len() {
            return Err(LineError::Line(format!("占 {} 字节，超过 {MAX_LINE_BYTES}", text.len())));
        }
        self.sha256.update(&text);
        self.lines.write_all(&text).map_err(LineError::Sink)
    }
}

/// Why a line cannot be written.
enum LineError {
    /// It would not be read back.
    Line(String),
    /// Its bytes are not taken.
    Sink(std::io::Error),
}

// === impl LineError ===

impl LineError {
    fn about(self, name: &str) -> TransferError {
        match self {
            Self::Line(reason) => TransferError::Unwritable { name: name.to_string(), reason },
            Self::Sink(error) => TransferError::Sink(error),
        }
    }
}
