//! One cell of a table.

use std::borrow::Cow;

/// Beginnings that make a spreadsheet take a text for a formula, in both widths. White space may stand before them.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// Most characters of a cell in a sheet.
const MAX_SHEET_CHARS: usize = 32_767;

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

/// Text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe before it. So does one
/// that begins with an apostrophe, so that [`unguarded`] gives every text back.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let formula = text.trim_start().starts_with(FORMULA_STARTS) || text.starts_with(FORMULA_STARTS);
    if formula || text.starts_with('\'') { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Text for a sheet, where no text is a formula: one that [`unguarded`] would change gets an apostrophe before it, so that
/// [`unguarded`] gives every text back.
pub fn kept(text: &str) -> Cow<'_, str> {
    // a text that fills its cell has no room for more
    let guarded = unguarded(text) != text && text.chars().count() < MAX_SHEET_CHARS;
    if guarded { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Text of a cell without the guards that people and programs put around it: our own apostrophe, the apostrophe before a
/// number that shall stay a text (`'00123`), and `="00123"`. Quotation marks of a text stay (`'十四五'规划`).
pub fn unguarded(text: &str) -> Cow<'_, str> {
    if let Some(rest) = text.strip_prefix('\'') {
        let ours =
            rest.trim_start().starts_with(FORMULA_STARTS) || rest.starts_with(FORMULA_STARTS) || rest.starts_with('\'');
        let number = rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !rest.contains('\'');
        return Cow::Borrowed(if ours || number { rest } else { text });
    }
    let quoted = text.trim().strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => Cow::Owned(inner.replace("\"\"", "\"")),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        check(" =1", "' =1");
        check("'=1", "''=1");
        check("'十四五'规划", "''十四五'规划");
        check("", "");
    }

    #[test]
    fn guards_of_others_come_off() {
        let check = |text: &str, want: &str| assert_eq!(unguarded(text), want);
        check("=\"00123\"", "00123");
        check("=\"a \"\"b\"\"\"", "a \"b\"");
        check("'00125", "00125");
        check("'91130200MA0FGHJK2H", "91130200MA0FGHJK2H");
        check("'十四五'规划", "'十四五'规划");
        check("'A'型支架", "'A'型支架");
        check("=A1&\"x\"", "=A1&\"x\"");
        check("=\"a\"&\"b\"", "=\"a\"&\"b\"");
        check("'", "'");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[=+@'\" \t\n－＝a1甲-]{0,6}|\\PC{0,20}") {
            let guarded = harmless(&text);
            prop_assert_eq!(&*unguarded(&guarded), &text);
            let kept = kept(&text);
            prop_assert_eq!(&*unguarded(&kept), &text);
        }
    }
}
