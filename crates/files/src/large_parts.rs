//! Checks large parts of a workbook before they are read as XML: a part of 1 GiB packs into 1 MB.
//!
//! A text, tag or comment is read in one piece and copied several times, and an empty shared text takes five times its size.
//! So a large part may have no long piece, and only so many shared texts. The pieces are told apart by their bytes, in the
//! plain form that spreadsheets write: no comments, no second encoding.

use std::io::{BufRead, BufReader, Read, Seek};

use zip::ZipArchive;

use super::{
    error::FileProblem,
    parts::broken,
    shared_strings::MAX_TEXTS,
    zip_sizes::{self, MAX_OTHER_BYTES},
};

/// Most bytes of one text or tag. A cell has at most 32,767 characters.
const MAX_PIECE: u64 = 4 << 20;
/// Bytes in which the XML declaration names the encoding.
const HEAD_BYTES: usize = 256;

/// Refuses a workbook with a part whose pieces are larger, or more, than is held in memory.
pub fn check(archive: &mut ZipArchive<impl Read + Seek>) -> Result<(), FileProblem> {
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| broken("目录有误"))?;
        if MAX_OTHER_BYTES < part.size()
            && !zip_sizes::is_unread(&super::parts::normal(&part.name().unwrap_or_default()))
        {
            scan(BufReader::with_capacity(1 << 16, part), MAX_PIECE, MAX_TEXTS)?;
        }
    }
    Ok(())
}

/// Where in the XML a byte stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    Text,
    /// Right behind `<`.
    Open,
    Name,
    Tag,
    Quoted(u8),
    End,
    /// In `<?xml`, and whether the byte before is `?`.
    Declaration(bool),
}

/// What was seen of a part.
struct Pieces {
    place: Place,
    tags: u64,
    texts: u64,
    /// Bytes of the piece so far.
    length: u64,
    /// The last three bytes of the tag's name so far.
    name: [u8; 3],
}

fn scan(mut part: impl BufRead, max_piece: u64, max_texts: u64) -> Result<(), FileProblem> {
    let mut pieces = Pieces { place: Place::Text, tags: 0, texts: 0, length: 0, name: [0; 3] };
    let mut first = true;
    loop {
        let bytes = part.fill_buf().map_err(|_| broken("工作表的内容有误"))?;
        if bytes.is_empty() {
            return Ok(());
        }
        let plain = !std::mem::take(&mut first) || is_utf_8(bytes.get(..HEAD_BYTES).unwrap_or(bytes));
        let fits = plain
            && bytes.iter().all(|byte| pieces.step(*byte) && pieces.length <= max_piece && pieces.texts <= max_texts);
        if !fits {
            return Err(FileProblem::Unfolds);
        }
        let length = bytes.len();
        part.consume(length);
    }
}

/// Returns whether a part begins in UTF-8, and declares no other encoding.
fn is_utf_8(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let declared = head
        .split_once("encoding")
        .is_none_or(|(_, rest)| rest.trim_start_matches(['=', ' ', '"', '\'']).starts_with("utf-8"));
    declared && head.trim_start_matches('\u{FEFF}').trim_start().starts_with('<')
}

// === impl Pieces ===

impl Pieces {
    /// Takes one byte; returns false for what no spreadsheet writes.
    fn step(&mut self, byte: u8) -> bool {
        self.length += 1;
        self.place = match (self.place, byte) {
            (_, 0) | (Place::Open, b'!') | (Place::End, b'"' | b'\'') => return false,
            (Place::Text, b'<') => self.begin(Place::Open),
            (Place::Text, _) => Place::Text,
            (Place::Open, b'?') if self.tags == 0 => Place::Declaration(false),
            (Place::Open, b'?') => return false,
            (Place::Open, b'/') => Place::End,
            (Place::Open | Place::Name, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n') => {
                self.tags += 1;
                self.texts += u64::from(matches!(self.name, [0 | b':', b's', b'i']));
                if byte == b'>' { self.begin(Place::Text) } else { Place::Tag }
            }
            (Place::Open | Place::Name | Place::Tag, b'"' | b'\'') => Place::Quoted(byte),
            (Place::Open | Place::Name, _) => {
                self.name = [self.name[1], self.name[2], byte];
                Place::Name
            }
            (Place::Tag | Place::End | Place::Declaration(true), b'>') => self.begin(Place::Text),
            (Place::Quoted(quote), _) if byte == quote => Place::Tag,
            (Place::Declaration(_), _) => Place::Declaration(byte == b'?'),
            (same, _) => same,
        };
        true
    }

    fn begin(&mut self, place: Place) -> Place {
        self.length = 0;
        self.name = [0; 3];
        place
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(text: &str) -> bool {
        scan(text.as_bytes(), 40, 3).is_ok()
    }

    #[test]
    fn long_pieces_and_many_texts_are_refused() {
        let declaration = "<?xml version=\"1.0\" encoding='UTF-8'?>";
        let long = "x".repeat(41);
        assert!(fits(&format!("{declaration}<sst><si><t>a</t></si><x:si><t a=\">'<\">b</t></x:si><si/></sst>")));
        assert!(fits(&"<row r=\"1\"><sit/></row>".repeat(99)));
        for bad in [
            long.clone(),
            format!("<{long}>"),
            format!("<a b=\"{}\"/>", "<>".repeat(30)),
            format!("<a b='{}'/>", "\"<>\"".repeat(30)),
            format!("<t>{}</t>", long),
            format!("<!--{}-->", "<a>".repeat(30)),
            format!("<t><![CDATA[{}]]></t>", "<a>".repeat(30)),
            format!("<?xml {}?>", "<a>".repeat(30)),
            format!("{declaration}<a/><?x <a> ?>"),
            "</a \"><a>\">".into(),
            "<si/>".repeat(4),
            "<x:si ></x:si>".repeat(4),
            "<?xml encoding=\"utf-16\"?><a/>".into(),
            "<\0a>".into(),
        ] {
            assert!(!fits(&format!("<r>{bad}</r>")) && !fits(&bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_let_through_has_short_pieces(text in "(<a|<x:si|</|>|/>|\"|'|=| |<|\\?|x{9}){0,40}") {
            prop_assume!(fits(&format!("<r>{text}")));
            let mut reader = quick_xml::Reader::from_reader(text.as_bytes());
            reader.config_mut().check_end_names = false;
            let (mut buffer, mut texts) = (Vec::new(), 0);
            while let Ok(event) = reader.read_event_into(&mut buffer) {
                use quick_xml::events::Event;
                match &event {
                    Event::Eof => break,
                    Event::Start(tag) | Event::Empty(tag) => texts += usize::from(tag.local_name().as_ref() == "si"),
                    _ => (),
                }
                prop_assert!(event.len() <= 40 && texts <= 3, "{text}");
                buffer.clear();
            }
        }
    }
}
