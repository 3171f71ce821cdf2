//! Records of delimited text (CSV, TSV), one by one, in constant memory.
//!
//! Quoting follows the `csv` crate (RFC 4180; a test compares both). That crate cannot be used itself: after a missing
//! quotation mark it lets one record grow over the whole file.

use std::io::{self, Read};

use super::text::Text;

/// Most bytes of a decoded row. A body has at most 20,000 characters (80 kB), so a longer row is an error.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;

/// Most rows with an unclosed quotation mark: each costs a scan of 1 MiB.
const MAX_UNCLOSED: u32 = 100;

/// Ends of a line.
const BREAKS: [char; 2] = ['\r', '\n'];

/// Separators to try.
pub const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// Result of scanning for one record at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan {
    /// A record.
    Record {
        /// Its fields, unquoted.
        fields: Vec<String>,
        /// Bytes of the record, including its line break.
        bytes: usize,
        /// Line breaks in the record.
        lines: u64,
    },
    /// The text ends before the record.
    Unfinished,
    /// The file ends within quotation marks.
    Unclosed,
    /// No text left.
    Nothing,
}

/// One record, or its error.
#[derive(Debug, PartialEq, Eq)]
pub struct Delimited {
    /// Line where it starts, from 1.
    pub line: u64,
    /// Fields, or the start of the row and a reason in Chinese.
    pub fields: Result<Vec<String>, (String, String)>,
}

/// Reads records.
pub struct Records<R> {
    /// Remaining text.
    pub text: Text<R>,
    separator: char,
    line: u64,
    unclosed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    AfterQuote,
}

/// Scans for one record at the start of `text`; `ended` means that nothing follows the text.
pub fn scan(text: &str, separator: char, ended: bool) -> Scan {
    let (mut fields, mut field, mut lines) = (Vec::new(), String::new(), 0);
    let mut state = State::Start;
    let mut characters = text.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if character == '\r' && next.is_none() && !ended {
            return Scan::Unfinished;
        }
        let line_break = character == '\n' || (character == '\r' && next != Some('\n'));
        lines += u64::from(line_break);
        match (state, character) {
            (State::Quoted, '"') => state = State::AfterQuote,
            (State::Quoted, _) => field.push(character),
            (State::Start, '"') => state = State::Quoted,
            (State::AfterQuote, '"') => {
                field.push('"');
                state = State::Quoted;
            }
            (_, '\r') if !line_break => (),
            _ if line_break => {
                fields.push(field);
                return Scan::Record { fields, bytes: place + character.len_utf8(), lines };
            }
            _ if character == separator => {
                fields.push(std::mem::take(&mut field));
                state = State::Start;
            }
            _ => {
                field.push(character);
                state = State::Plain;
            }
        }
    }
    match state {
        _ if !ended => Scan::Unfinished,
        _ if text.is_empty() => Scan::Nothing,
        State::Quoted => Scan::Unclosed,
        _ => {
            fields.push(field);
            Scan::Record { fields, bytes: text.len(), lines }
        }
    }
}

// === impl Records ===

impl<R: Read> Records<R> {
    /// Records of a text that starts on line `line` of the file.
    pub fn new(text: Text<R>, separator: char, line: u64) -> Self {
        Self { text, separator, line, unclosed: 0 }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// Read errors.
    pub fn next_record(&mut self) -> io::Result<Option<Delimited>> {
        if MAX_UNCLOSED < self.unclosed {
            return Ok(None);
        }
        let line = self.line;
        loop {
            match scan(self.text.rest(), self.separator, self.text.ended()) {
                Scan::Nothing => return Ok(None),
                Scan::Record { fields, bytes, lines } if bytes <= MAX_ROW_BYTES => {
                    self.text.consume(bytes);
                    self.line += lines;
                    return Ok(Some(Delimited { line, fields: Ok(fields) }));
                }
                Scan::Unfinished if self.text.rest().len() <= MAX_ROW_BYTES => {
                    // doubles the window each time, so that a long row is not rescanned for each piece
                    self.text.fill(2 * self.text.rest().len() + 1)?;
                }
                _ => return self.skip_bad(line).map(Some),
            }
        }
    }

    /// Skips the first line of an unclosed record, so that one missing quotation mark costs one row instead of all
    /// following ones.
    fn skip_bad(&mut self, line: u64) -> io::Result<Delimited> {
        let start: String = self.text.rest().chars().take(200).collect();
        let first_break = self.text.rest().find(BREAKS).unwrap_or(self.text.rest().len());
        let one_line = MAX_ROW_BYTES < first_break;
        let reason = if one_line {
            "这一行超过 1 MiB，请删减内容".to_string()
        } else {
            self.unclosed += 1;
            let more =
                if MAX_UNCLOSED < self.unclosed { "；这样的行太多，余下的行没有读取" } else { "" };
            format!("引号没有配对，或一行超过 1 MiB；请检查这一行的双引号{more}")
        };
        self.text.skip_line(&BREAKS)?;
        self.line += 1;
        Ok(Delimited { line, fields: Err((start, reason)) })
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str, separator: char) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut records = Records::new(Text::new(text.as_bytes(), UTF_8), separator, 1);
        let mut rows = Vec::new();
        while let Some(Delimited { line, fields }) = records.next_record().unwrap() {
            rows.push((line, fields.map_err(|(_, reason)| reason)));
        }
        rows
    }

    #[test]
    fn rows_are_cut_as_written() {
        let check = |text: &str, separator: char, want: &[(u64, &[&str])]| {
            let got: Vec<_> = rows(text, separator).into_iter().map(|(line, row)| (line, row.unwrap())).collect();
            let want: Vec<_> = want
                .iter()
                .map(|(line, row)| (*line, row.iter().map(ToString::to_string).collect::<Vec<_>>()))
                .collect();
            assert_eq!(got, want, "{text:?}");
        };
        check("a,b\nc,d\n", ',', &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a,b\r\nc,d", ',', &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a,b\rc,d", ',', &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a;b\tc", ';', &[(1, &["a", "b\tc"])]);
        check("\"a\nb\",c\nd,e", ',', &[(1, &["a\nb", "c"]), (3, &["d", "e"])]);
        check("\"a\r\nb\",c\r\nd,e", ',', &[(1, &["a\r\nb", "c"]), (3, &["d", "e"])]);
        check("\"say \"\"hi\"\"\",", ',', &[(1, &["say \"hi\"", ""])]);
        check("5\" pipe,x", ',', &[(1, &["5\" pipe", "x"])]);
        check("a\n\nb", ',', &[(1, &["a"]), (2, &[""]), (3, &["b"])]);
        check("", ',', &[]);
    }

    #[test]
    fn a_forgotten_mark_costs_one_row() {
        let got = rows("a,b\n\"c,d\ne,f\ng,h\n", ',');
        let bad: Vec<_> = got.iter().filter(|(_, row)| row.is_err()).map(|(line, _)| *line).collect();
        assert_eq!((bad, got.len()), (vec![2], 4));
        for end in ["\r", "\r\n"] {
            let got = rows(&"a,b\n\"c,d\ne,f\ng,h\n".replace('\n', end), ',');
            assert_eq!(got[2], (3, Ok(vec!["e".to_string(), "f".to_string()])));
            let bad: Vec<_> = got.iter().filter(|(_, row)| row.is_err()).map(|(line, _)| *line).collect();
            assert_eq!((bad, got.len()), (vec![2], 4), "{end:?}");
        }
        let long = format!("a\n\"{}\nb\n", "长\n".repeat(400_000));
        let got = rows(&long, ',');
        assert!(got[1].1.as_ref().is_err_and(|reason| reason.contains("引号")));
        let one_line = format!("a\n{}\nb", "长".repeat(400_000));
        let got = rows(&one_line, ',');
        assert!(got[1].1.as_ref().is_err_and(|reason| reason.contains("1 MiB")));
        assert_eq!(got[2], (3, Ok(vec!["b".to_string()])));
        let many = "\"x\n".repeat(1001);
        assert!(rows(&many, ',').len() < 1000);
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate(text in "[ab\",;\n]{0,40}") {
            // the csv crate ends an unclosed mark at the end of the text; this code refuses it
            prop_assume!(text.matches('"').count() % 2 == 0);
            let mine: Vec<_> = rows(&text, ',').into_iter().map(|(_, row)| row).collect();
            prop_assume!(mine.iter().all(Result::is_ok));
            let mine: Vec<_> = mine.into_iter().flatten().filter(|row| row != &[""] || text.contains('"')).collect();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
            let bare = |rows: Vec<Vec<String>>| rows.into_iter().filter(|row| row != &[""]).collect::<Vec<_>>();
            prop_assert_eq!(bare(mine), bare(theirs));
        }

        #[test]
        fn any_text_ends(text in "[\\PC\"\r\n,]{0,80}") {
            prop_assert!(rows(&text, ',').len() <= text.len());
        }
    }
}
