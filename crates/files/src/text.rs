//! Decodes text in any encoding that spreadsheets write, in pieces and in constant memory.

use std::io::{self, Read};

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::decode::{Decoding, Odd};

/// Bytes per read.
const CHUNK_BYTES: usize = 64 * 1024;

/// A file with at least this many valid multi-byte characters per invalid one counts as damaged UTF-8, not GB18030:
/// text in GB18030 forms valid UTF-8 sequences only by chance.
const GOOD_PER_BAD: u64 = 4;

/// A file with more than one zero byte in this many is not text.
const BYTES_PER_ZERO: u64 = 50;

/// Result of a first pass over a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Encoding of most lines.
    pub encoding: &'static Encoding,
    /// Whether there are many zero bytes, which text never has (except UTF-16).
    pub binary: bool,
}

/// Decoded text with a window at its front for the caller to read and consume.
pub struct Text<R> {
    input: R,
    decoding: Decoding,
    window: String,
    start: usize,
    bytes_read: u64,
    ended: bool,
}

// === impl Probe ===

impl Probe {
    /// Reads the whole input and decides: by the byte order mark if there is one, else UTF-8 if (nearly) all of it is
    /// valid, else GB18030.
    ///
    /// # Errors
    /// Read errors.
    pub fn of(mut input: impl Read) -> io::Result<Self> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let (mut kept, mut first) = (0, true);
        let (mut good, mut bad, mut total, mut zeros) = (0_u64, 0_u64, 0_u64, 0_u64);
        loop {
            let read = read_some(&mut input, buffer.get_mut(kept..).unwrap_or_default())?;
            let bytes = buffer.get(..kept + read).unwrap_or_default();
            if std::mem::take(&mut first) {
                let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
                if let Some(encoding) = marked.filter(|encoding| *encoding != UTF_8).or_else(|| unmarked_utf_16(bytes))
                {
                    return Ok(Self { encoding, binary: false });
                }
            }
            // the bytes kept from the piece before were counted there
            zeros += bytes.get(kept..).unwrap_or_default().iter().filter(|byte| **byte == 0).count() as u64;
            total += read as u64;
            let counted = count(bytes, read == 0);
            good += counted.good;
            bad += counted.bad;
            let (from, to) = (bytes.len() - counted.unfinished, bytes.len());
            kept = counted.unfinished;
            if read == 0 {
                break;
            }
            buffer.copy_within(from..to, 0);
        }
        let utf8 = bad == 0 || GOOD_PER_BAD * bad <= good;
        let binary = 1 < zeros && total < BYTES_PER_ZERO * zeros;
        Ok(Self { encoding: if utf8 { UTF_8 } else { GB18030 }, binary })
    }
}

/// UTF-16 without a byte order mark: its line ends, blanks and digits have zeros on one side only.
fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let even = bytes.len() & !1;
    let bytes = bytes.get(..even)?;
    let zeros = |side: usize| bytes.chunks_exact(2).filter(|pair| pair.get(side) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    let (encoding, most, least) = if first < second { (UTF_16LE, second, first) } else { (UTF_16BE, first, second) };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    (bytes.len() < 100 * most && 3 * least < most && text.contains(['\n', '\r'])).then_some(encoding)
}

/// Character counts of one piece.
struct Counted {
    /// Multi-byte characters.
    good: u64,
    /// Malformed sequences.
    bad: u64,
    /// Trailing bytes of a character that may continue in the next piece; at most 3.
    unfinished: usize,
}

fn count(mut bytes: &[u8], last: bool) -> Counted {
    let mut counted = Counted { good: 0, bad: 0, unfinished: 0 };
    let leads = |bytes: &[u8]| bytes.iter().filter(|byte| 0xC0 <= **byte).count() as u64;
    loop {
        let Err(error) = std::str::from_utf8(bytes) else {
            counted.good += leads(bytes);
            return counted;
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        counted.good += leads(valid);
        match error.error_len() {
            None if !last => {
                counted.unfinished = rest.len();
                return counted;
            }
            length => {
                counted.bad += 1;
                bytes = rest.get(length.unwrap_or(rest.len())..).unwrap_or_default();
            }
        }
    }
}

// === impl Text ===

impl<R: Read> Text<R> {
    /// Text of an input at its first byte; drops a byte order mark.
    pub fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoding = Decoding::new(encoding);
        Self { input, decoding, window: String::new(), start: 0, bytes_read: 0, ended: false }
    }

    /// Decoded text that is not yet consumed.
    pub fn rest(&self) -> &str {
        self.window.get(self.start..).unwrap_or_default()
    }

    /// Returns whether nothing follows [`Self::rest`].
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Bytes of the file read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns whether a byte could not be decoded so far; it was replaced by U+FFFD.
    pub fn lossy(&self) -> bool {
        self.decoding.lossy
    }

    /// Lines in another encoding than most lines of the file, so far.
    pub fn odd(&self) -> Option<Odd> {
        self.decoding.odd
    }

    /// Consumes `bytes` of the rest.
    pub fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.window.len());
    }

    /// Decodes until the rest has at least `want` bytes or the input ends.
    ///
    /// # Errors
    /// Read errors.
    pub fn fill(&mut self, want: usize) -> io::Result<()> {
        if self.rest().len() < want && !self.ended {
            self.window.drain(..self.start);
            self.start = 0;
        }
        let mut chunk = Vec::new();
        while self.window.len() - self.start < want && !self.ended {
            chunk.resize(CHUNK_BYTES, 0);
            let read = read_some(&mut self.input, &mut chunk)?;
            self.bytes_read += read as u64;
            self.ended = read == 0;
            self.decoding.decode(chunk.get(..read).unwrap_or_default(), self.ended, &mut self.window);
        }
        Ok(())
    }

    /// Consumes up to and including the next of these line breaks, or everything if there is none, without storing it. A
    /// carriage return and a line feed are one break.
    ///
    /// # Errors
    /// Read errors.
    pub fn skip_line(&mut self, breaks: &[char]) -> io::Result<()> {
        loop {
            if let Some(place) = self.rest().find(breaks) {
                let returns = self.rest().get(place..).is_some_and(|rest| rest.starts_with('\r'));
                self.consume(place + 1);
                if returns {
                    self.fill(1)?;
                    self.consume(usize::from(self.rest().starts_with('\n')));
                }
                return Ok(());
            }
            self.consume(self.rest().len());
            if self.ended {
                return Ok(());
            }
            self.fill(1)?;
        }
    }
}

/// Reads at least one byte unless the input ends; retries after an interruption.
fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{UTF_16BE, UTF_16LE};
    use proptest::prelude::*;

    use super::*;

    /// Returns one byte per read, so that every multi-byte character is split.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match (self.0.split_first(), buffer.first_mut()) {
                (Some((byte, rest)), Some(place)) => {
                    *place = *byte;
                    self.0 = rest;
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    fn read(bytes: &[u8]) -> (String, bool) {
        let probe = Probe::of(Drip(bytes)).unwrap();
        let mut text = Text::new(Drip(bytes), probe.encoding);
        text.fill(usize::MAX).unwrap();
        (text.rest().to_string(), text.lossy())
    }

    #[test]
    fn encodings_are_told_apart() {
        let check = |bytes: &[u8], want: &'static Encoding| {
            // a byte order mark is only recognised in one piece, as files are read
            assert_eq!(Probe::of(bytes).unwrap().encoding, want, "{bytes:?}");
        };
        let sentence = "激光焊接工艺，误差不超过0.1mm。";
        let (gb, ..) = GB18030.encode(sentence);
        check(sentence.as_bytes(), UTF_8);
        check(&[b"\xEF\xBB\xBF", sentence.as_bytes()].concat(), UTF_8);
        check(&gb, GB18030);
        check(b"", UTF_8);
        check(b"plain", UTF_8);
        check(b"\xFF\xFEa\0", UTF_16LE);
        check(b"\xFE\xFF\0a", UTF_16BE);
        // one damaged character does not turn a UTF-8 file into GB18030
        check(&[sentence.as_bytes(), b"\xE6\xBF", sentence.as_bytes()].concat(), UTF_8);
        // the well-known two characters that are also valid UTF-8; with more text they are not
        let (short, ..) = GB18030.encode("联通公司的需求名称");
        check(&short, GB18030);
        assert!(Probe::of(&b"a\0b\0"[..]).unwrap().binary);
        assert!(!Probe::of(&b"one forgotten \0 is no reason"[..]).unwrap().binary);
        check(b"i\0d\0,\0x\0\n\x001\0", UTF_16LE);
        check(b"\0i\0d\0\n\x001", UTF_16BE);
        assert!(!Probe::of(&b"a b"[..]).unwrap().binary);
    }

    #[test]
    fn text_comes_back_whole() {
        let sentence = "α-Al2O3 陶瓷 𠮷 ≥500 MPa";
        assert_eq!(read(sentence.as_bytes()), (sentence.to_string(), false));
        assert_eq!(read(&GB18030.encode(sentence).0), (sentence.to_string(), false));
        let (text, lossy) = read(&[sentence.as_bytes(), b"\xE6"].concat());
        assert_eq!((text, lossy), (format!("{sentence}\u{FFFD}"), true));
        let marked = [b"\xEF\xBB\xBF", sentence.as_bytes()].concat();
        let mut text = Text::new(&marked[..], UTF_8);
        text.fill(1).unwrap();
        assert_eq!(text.rest(), sentence);
    }

    #[test]
    fn lines_can_be_skipped_whatever_their_length() {
        let long = format!("{}\nnext", "长".repeat(200_000));
        let mut text = Text::new(long.as_bytes(), UTF_8);
        text.skip_line(&['\n']).unwrap();
        text.fill(1).unwrap();
        assert_eq!((text.rest(), text.bytes_read()), ("next", long.len() as u64));
        text.skip_line(&['\n']).unwrap();
        assert_eq!((text.rest(), text.ended()), ("", true));
    }

    #[test]
    fn lines_end_at_any_break() {
        for (long, want) in [("a\rb\nc", "b\nc"), ("a\r\nb", "b"), ("a\n\rb", "\rb"), ("a\r", "")] {
            let mut text = Text::new(Drip(long.as_bytes()), UTF_8);
            text.skip_line(&['\r', '\n']).unwrap();
            text.fill(9).unwrap();
            assert_eq!(text.rest(), want, "{long:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let (text, lossy) = read(&bytes);
            prop_assert_eq!(lossy, text.contains('\u{FFFD}') && lossy);
        }

        #[test]
        fn any_text_comes_back(text in "\\PC{0,60}") {
            prop_assume!(!text.starts_with('\u{FEFF}'));
            prop_assert_eq!(read(text.as_bytes()), (text.clone(), false));
        }
    }
}
