//! One cell of a table.

use std::borrow::Cow;

/// Beginnings that make a spreadsheet take a text for a formula, in both widths. White space may stand before them.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text. It is never a formula: CSV guards it ([`harmless`]), a workbook stores it as a string.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
}

// === impl Cell ===

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// Text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe before it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        let check = |text: &str, want: &str| assert_eq!(harmless(text), want);
        check("=1+1", "'=1+1");
        check("+86 10", "'+86 10");
        check("-5", "'-5");
        check("@x", "'@x");
        check("＝1", "'＝1");
        check("＋1", "'＋1");
        check("－1", "'－1");
        check("＠x", "'＠x");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        check("\n=1", "'\n=1");
        check("a=1", "a=1");
        check("'=1", "'=1");
        check("", "");
    }
}
