//! The last 40 bytes of a snapshot: a skippable frame of zstd (RFC 8878, 3.1.2) with the SHA-256 of all bytes before.
//!
//! zstd's own checksum covers the decompressed data, not the header bytes, so a flipped bit that no decoder reads would
//! go unnoticed.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// Magic number and length of the frame.
const HEAD: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
/// Bytes of the whole frame.
pub(super) const SEAL_BYTES: u64 = 40;

/// Passes bytes on and hashes them.
pub(super) struct Sealing<W> {
    inner: W,
    sha256: Sha256,
}

// === impl Sealing ===

impl<W: Write> Sealing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new() }
    }

    /// Writes the seal; nothing may follow.
    pub(super) fn seal(mut self) -> io::Result<W> {
        self.inner.write_all(&seal(self.sha256))?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Returns whether `bytes` of this length end with a valid seal; reads all of them.
pub(super) fn is_sealed(mut bytes: impl Read, length: u64) -> io::Result<bool> {
    let Some(body) = length.checked_sub(SEAL_BYTES) else { return Ok(false) };
    let mut sha256 = Sha256::new();
    io::copy(&mut bytes.by_ref().take(body), &mut sha256)?;
    let mut found = Vec::new();
    bytes.read_to_end(&mut found)?;
    Ok(found == seal(sha256))
}

fn seal(sha256: Sha256) -> Vec<u8> {
    HEAD.into_iter().chain(sha256.finalize()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_fits_its_bytes_only() {
        let mut sealing = Sealing::new(Vec::new());
        sealing.write_all("对接".as_bytes()).unwrap();
        let bytes = sealing.seal().unwrap();
        assert_eq!(bytes.len() as u64, 6 + SEAL_BYTES);
        let check = |bytes: &[u8], want: bool| {
            assert_eq!(is_sealed(bytes, bytes.len() as u64).unwrap(), want, "{bytes:?}");
        };
        check(&bytes, true);
        check(&[], false);
        for place in 0..bytes.len() {
            check(&bytes[..place], false);
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            check(&flipped, false);
        }
    }
}
