//! Decodes a text line by line: people join files, so some lines can be in another encoding than the rest.

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8};

/// Most bytes of a line that are kept to decide its encoding.
const LINE_BYTES: usize = 64 * 1024;
/// Fewest characters of GB18030 that show a line of it among lines of UTF-8; fewer are damaged UTF-8.
const FEWEST: usize = 3;

/// Lines in another encoding than most lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odd {
    /// Number of the first, from 1.
    pub first: u64,
    /// How many.
    pub lines: u64,
    /// Their encoding.
    pub encoding: &'static Encoding,
}

/// A text that is being decoded.
pub struct Decoding {
    /// Encoding of most lines.
    main: &'static Encoding,
    /// Bytes of a line whose end is not yet read.
    pending: Vec<u8>,
    /// Decoder of a line that is too long to be kept, or of a whole file in UTF-16.
    open: Option<Decoder>,
    line: u64,
    /// Whether a byte could not be decoded.
    pub lossy: bool,
    /// Lines in another encoding.
    pub odd: Option<Odd>,
}

// === impl Decoding ===

impl Decoding {
    /// Decoding of a file from its first byte; drops a byte order mark.
    pub fn new(main: &'static Encoding) -> Self {
        let by_line = main == UTF_8 || main == GB18030;
        let open = (!by_line).then(|| main.new_decoder_with_bom_removal());
        Self { main, pending: Vec::new(), open, line: 1, lossy: false, odd: None }
    }

    /// Decodes the next bytes; `last` means that none follow.
    pub fn decode(&mut self, bytes: &[u8], last: bool, out: &mut String) {
        if self.main != UTF_8 && self.main != GB18030 {
            return self.run_open(bytes, last, out);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.ends_with(b"\n");
            if self.open.is_some() {
                self.run_open(piece, ended, out);
                if ended {
                    self.open = None;
                }
            } else {
                self.pending.extend_from_slice(piece);
                if ended || LINE_BYTES < self.pending.len() {
                    self.decode_line(ended, out);
                }
            }
            self.line += u64::from(ended);
        }
        if last {
            if self.open.is_some() {
                self.run_open(b"", true, out);
            } else {
                self.decode_line(true, out);
            }
        }
    }

    /// Decodes the pending bytes; without the line's end, its decoder stays open.
    fn decode_line(&mut self, ended: bool, out: &mut String) {
        let line = std::mem::take(&mut self.pending);
        let line = if self.line == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line) } else { &line };
        let encoding = encoding_of(line, self.main);
        if encoding != self.main {
            let odd = self.odd.get_or_insert(Odd { first: self.line, lines: 0, encoding });
            odd.lines += 1;
        }
        self.open = Some(encoding.new_decoder_without_bom_handling());
        self.run_open(line, ended, out);
        if ended {
            self.open = None;
        }
    }

    fn run_open(&mut self, bytes: &[u8], last: bool, out: &mut String) {
        let Some(decoder) = &mut self.open else { return };
        out.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(0));
        let (_, _, had_errors) = decoder.decode_to_string(bytes, out, last);
        self.lossy |= had_errors;
    }
}

/// Encoding of a line among lines of `main`.
fn encoding_of(line: &[u8], main: &'static Encoding) -> &'static Encoding {
    if line.is_ascii() {
        return main;
    }
    let seen = Seen::of(line);
    if main == UTF_8 {
        let gb = seen.bad != 0 && 2 * (seen.short + seen.long) <= seen.bad && is_gb(line);
        return if gb { GB18030 } else { UTF_8 };
    }
    // Chinese in UTF-8 takes three bytes a character; text in GB18030 that is valid UTF-8 by chance takes two
    let utf8 = 0 < seen.long && 4 * seen.bad <= seen.long;
    if utf8 { UTF_8 } else { main }
}

/// Multi-byte sequences of a line, taken for UTF-8.
#[derive(Default)]
struct Seen {
    /// Valid ones of two bytes.
    short: usize,
    /// Valid ones of three and four bytes.
    long: usize,
    /// Malformed ones.
    bad: usize,
}

// === impl Seen ===

impl Seen {
    fn of(line: &[u8]) -> Self {
        let mut seen = Self::default();
        for chunk in line.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c.len_utf8() {
                    1 => (),
                    2 => seen.short += 1,
                    _ => seen.long += 1,
                }
            }
            seen.bad += usize::from(!chunk.invalid().is_empty());
        }
        seen
    }
}

/// Returns whether a line is text in GB18030: all of it is valid, and nearly all characters are common ones (GB 2312).
fn is_gb(line: &[u8]) -> bool {
    let valid = GB18030.decode_without_bom_handling_and_without_replacement(line).is_some();
    let (mut common, mut all, mut rest) = (0, 0, line);
    while let [first, second, after @ ..] = rest {
        if first.is_ascii() {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        all += 1;
        let known = matches!(first, 0xA1..=0xA9 | 0xB0..=0xF7) && 0xA1 <= *second;
        common += usize::from(known);
        rest = after;
    }
    valid && FEWEST <= all && 9 * all <= 10 * common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], main: &'static Encoding, piece: usize) -> (String, bool, Option<Odd>) {
        let mut decoding = Decoding::new(main);
        let mut out = String::new();
        for bytes in bytes.chunks(piece) {
            decoding.decode(bytes, false, &mut out);
        }
        decoding.decode(b"", true, &mut out);
        (out, decoding.lossy, decoding.odd)
    }

    #[test]
    fn each_line_has_its_encoding() {
        let lines = ["需求名称,需求单位", "窑炉脱硝,甲玻璃厂", "铝材挤压,乙铝业", "plain,1", "末行没有换行,丙"];
        for main in [UTF_8, GB18030] {
            for odd in 1..lines.len() {
                let other = if main == UTF_8 { GB18030 } else { UTF_8 };
                let encoded = lines
                    .iter()
                    .enumerate()
                    .map(|(n, line)| if n == odd { other } else { main }.encode(line).0.into_owned());
                let bytes = encoded.collect::<Vec<_>>().join(&b'\n');
                for piece in [1, 7, 4096] {
                    let (text, lossy, told) = read(&bytes, main, piece);
                    assert_eq!((text.as_str(), lossy), (lines.join("\n").as_str(), false));
                    let want = (odd != 3).then_some(Odd { first: odd as u64 + 1, lines: 1, encoding: other });
                    assert_eq!(told, want, "{main:?} {odd} {piece}");
                }
            }
        }
    }

    #[test]
    fn damage_is_no_other_encoding() {
        for damaged in
            [&b"\xE6\xBF,x"[..], b"\xE6\x88\x90\xE6\x9E\xE5\x90\x8D\xE7\xA7\xB0", b"\xFF\xFF\xFF\xFF\xFF\xFF"]
        {
            let (text, lossy, odd) = read(damaged, UTF_8, 4096);
            assert!(lossy && odd.is_none() && text.contains('\u{FFFD}'), "{text}");
        }
    }

    #[test]
    fn long_lines_are_decoded_in_pieces() {
        let line = "长".repeat(100_000);
        for main in [UTF_8, GB18030] {
            let bytes = main.encode(&line).0;
            assert_eq!(read(&bytes, main, 1000), (line.clone(), false, None));
            assert_eq!(read(&bytes, if main == UTF_8 { GB18030 } else { UTF_8 }, 1000).0, line);
        }
    }
}
