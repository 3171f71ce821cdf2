//! CSV for Excel: UTF-8 with a byte order mark, CRLF, and no text that Excel takes for a formula.

use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use super::{Cell, harmless};

/// Without this mark Excel reads UTF-8 as GBK.
const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Writes CSV row by row.
#[derive(Debug)]
pub struct Csv<W: Write>(Writer<W>);

// === impl Csv ===

impl<W: Write> Csv<W> {
    /// Begins a file with its headings.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new<'a>(mut out: W, headings: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        out.write_all(BYTE_ORDER_MARK)?;
        let mut csv = Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out));
        csv.write(headings.into_iter().map(Cell::from))?;
        Ok(csv)
    }

    /// Writes a row, which must have as many cells as there are headings.
    ///
    /// # Errors
    /// Those of the target; a row of another length.
    pub fn write<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
        for cell in cells {
            match cell {
                Cell::Empty => self.0.write_field("")?,
                Cell::Text(text) => self.0.write_field(&*harmless(&text))?,
                Cell::Number(number) => self.0.write_field(number.to_string())?,
            }
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Ends the file and gives the target back, flushed.
    ///
    /// # Errors
    /// Those of the target.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.0.into_inner().map_err(|error| error.into_error())?;
        out.flush()?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_quoted_and_harmless() {
        let mut csv = Csv::new(Vec::new(), ["名称", "得分", "备注"]).unwrap();
        csv.write(["a,\"b\"".into(), Cell::Number(-0.5), Cell::Empty]).unwrap();
        csv.write(["=1+1".into(), Cell::Number(3.0), String::from("两\n行").into()]).unwrap();
        assert!(csv.write([Cell::Empty]).is_err(), "a row of another length");
        let text = String::from_utf8(csv.finish().unwrap()).unwrap();
        assert!(
            text.starts_with("\u{FEFF}名称,得分,备注\r\n\"a,\"\"b\"\"\",-0.5,\r\n'=1+1,3,\"两\n行\"\r\n"),
            "{text:?}"
        );
    }
}
