//! Normalises units after numbers: `10兆帕`, `10 MPa` → `10mpa`, `5 微米` → `5μm`. The table is `data/units.txt`.

use std::{collections::HashMap, sync::LazyLock};

use super::{chars, normalize};

/// Lines of `canonical<TAB>alias…`.
pub(super) const UNITS: &str = include_str!("../../data/units.txt");
/// Han characters that may follow a single-character Han unit. Before any other one, the unit starts a word: `5米粉`,
/// `3克隆`, `2瓦楞`. Longer units (`兆帕`, `平方米`) need no such check.
const AFTER_SHORT_UNIT: &str = "以的左每至到和及或高长宽厚深内为时筛";

static TABLE: LazyLock<HashMap<char, Vec<Spelling>>> = LazyLock::new(table);

/// A unit found after a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundUnit {
    /// Canonical spelling.
    pub canonical: &'static str,
    /// Length in bytes of the unit as written.
    pub bytes: usize,
}

#[derive(Debug)]
struct Spelling {
    written: String,
    canonical: &'static str,
}

/// Longest matching unit at the start of a normal text, after a number. `apart` means that a blank separates them.
pub(super) fn unit_at(text: &str, apart: bool) -> Option<FoundUnit> {
    let spellings = TABLE.get(&text.chars().next()?)?;
    let fits =
        |spelling: &&Spelling| text.strip_prefix(&spelling.written).is_some_and(|rest| ends(spelling, rest, apart));
    let spelling = spellings.iter().find(fits)?;
    Some(FoundUnit { canonical: spelling.canonical, bytes: spelling.written.len() })
}

/// End in bytes of a number (`5`, `0.1`) at the start of a text.
pub(super) fn number_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    if end == 0 {
        return None;
    }
    while bytes.get(end) == Some(&b'.') && 0 < digits(end + 1) {
        end += 1 + digits(end + 1);
    }
    Some(end)
}

/// Returns whether the spelling may end where `rest` begins.
fn ends(spelling: &Spelling, rest: &str, apart: bool) -> bool {
    let mut rest = rest.chars();
    let Some(next) = rest.next() else { return true };
    let word_end = |text: &str| text.chars().next_back().is_some_and(chars::is_word);
    if chars::joins(next) || chars::is_word(next) && (word_end(&spelling.written) || word_end(spelling.canonical)) {
        return false;
    }
    let short = spelling.written.chars().nth(1).is_none();
    if short && spelling.written.chars().all(chars::is_han) {
        return !chars::is_han(next) || AFTER_SHORT_UNIT.contains(next);
    }
    // "in 2020 a new …" is English, not 2020 years or amperes
    let english = next == ' ' && rest.next().is_some_and(|after| after.is_ascii_alphabetic());
    !(short && apart && english)
}

fn table() -> HashMap<char, Vec<Spelling>> {
    let mut table: HashMap<char, Vec<Spelling>> = HashMap::new();
    for (canonical, written) in rows(UNITS) {
        // not `normalize`, which uses this table
        let written = normalize::without_units(written);
        if let Some(first) = written.chars().next() {
            table.entry(first).or_default().push(Spelling { written, canonical });
        }
    }
    table.values_mut().for_each(|spellings| spellings.sort_by_key(|spelling| usize::MAX - spelling.written.len()));
    table
}

/// Pairs of canonical and alternative spelling, from all lines; each unit is also its own alternative.
fn rows(units: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = units.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| {
        let mut spellings = line.split('\t').map(str::trim).filter(|spelling| !spelling.is_empty());
        let canonical = spellings.next().unwrap_or_default();
        std::iter::once(canonical).chain(spellings).map(move |spelling| (canonical, spelling))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_spelling_means_one_unit() {
        let mut seen = BTreeMap::new();
        for (canonical, written) in rows(UNITS) {
            assert_eq!(normalize::without_units(canonical), canonical, "is in its normal form");
            let earlier = seen.insert(normalize::without_units(written), canonical);
            assert!(earlier.is_none_or(|earlier| earlier == canonical), "{written}: {earlier:?} and {canonical}");
        }
        assert!(300 < seen.len(), "{}", seen.len());
    }

    #[test]
    fn units_end_where_words_begin() {
        let check = |text: &str, apart: bool, want: Option<&str>| {
            assert_eq!(unit_at(text, apart).map(|found| found.canonical), want, "{text}");
        };
        check("兆帕", false, Some("mpa"));
        check("mpa", false, Some("mpa"));
        check("毫克/升", false, Some("mg/l"));
        check("kw·h", false, Some("kwh"));
        check("米", false, Some("m"));
        check("米以上", false, Some("m"));
        check("米粉", false, None);
        check("mpax", false, None);
        check("克a", false, None);
        check("a new", true, None);
        check("a, then", true, Some("a"));
        check("目", false, Some("目"));
        check("目标", false, None);
        check("", false, None);
    }

    #[test]
    fn numbers_end_at_their_last_digit() {
        let check = |text: &str, want: Option<usize>| assert_eq!(number_end(text), want, "{text}");
        check("10mpa", Some(2));
        check("0.15.", Some(4));
        check("3。", Some(1));
        check(".5", None);
        check("米", None);
    }
}
