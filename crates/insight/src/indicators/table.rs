//! Quantities and their units, read once from `data/quantities.txt`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Serialize;

use super::{text::ByChar, units};

const QUANTITIES: &str = include_str!("../../data/quantities.txt");

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(QUANTITIES));

/// A measured quantity: pressure, length, hardness HRC.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Quantity {
    /// Stable name in `data/quantities.txt`: `pressure`.
    pub id: &'static str,
    /// Chinese name.
    pub name: &'static str,
    /// Unit of [`super::Indicator::interval`].
    pub base_unit: &'static str,
    /// Whether it is clear without a subject, such as hardness HRC.
    pub is_specific: bool,
    /// Whether each unit has its own meaning (`件`, `台`).
    pub is_count: bool,
}

/// `base = factor × value + offset`.
#[derive(Debug)]
pub(super) struct Unit {
    /// Index of the quantity.
    pub quantity: usize,
    pub canonical: &'static str,
    pub factor: f64,
    pub offset: f64,
}

/// A spelling of a unit, as [`units::normal`] returns it.
#[derive(Debug)]
pub(super) struct Spelling {
    pub normal: Vec<char>,
    /// Index of the unit.
    pub unit: usize,
    /// Valid only if the subject contains one of these; empty means always.
    pub hint: &'static str,
    /// Valid only below a fraction stroke.
    pub is_below: bool,
}

/// A sign before a number that implies its unit: `HRC 60`.
#[derive(Debug)]
pub(super) struct Mark {
    pub sign: &'static str,
    /// Index of the unit.
    pub unit: usize,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub quantities: Vec<Quantity>,
    pub units: Vec<Unit>,
    /// By the first character in lower case; longer ones first, meanings of one spelling side by side.
    spellings: ByChar<Vec<Spelling>>,
    /// Longer ones first.
    pub marks: Vec<Mark>,
    by_base: BTreeMap<&'static str, usize>,
}

// === impl Table ===

impl Table {
    pub(super) fn quantity(&self, index: usize) -> Option<&Quantity> {
        self.quantities.get(index)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|quantity| quantity.id == id)
    }

    pub(super) fn by_base(&self, base_unit: &str) -> Option<&Quantity> {
        self.by_base.get(base_unit).and_then(|index| self.quantities.get(*index))
    }

    /// Spellings that start with the character in either case.
    pub(super) fn spellings(&self, first: char) -> &[Spelling] {
        self.spellings.get(&first.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// Parses the table. Malformed lines are skipped; tests ensure that there are none.
    fn read(lines: &'static str) -> Self {
        let mut table = Self::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let read = match line.strip_prefix('@') {
                Some(quantity) => table.read_quantity(quantity),
                None => table.read_unit(line),
            };
            debug_assert!(read.is_some(), "{line}");
        }
        let key = |spelling: &Spelling| {
            (usize::MAX - spelling.normal.len(), spelling.normal.clone(), spelling.hint.is_empty())
        };
        table.spellings.values_mut().for_each(|spellings| spellings.sort_by_key(key));
        table.marks.sort_by_key(|mark| usize::MAX - mark.sign.len());
        table
    }

    fn read_quantity(&mut self, line: &'static str) -> Option<()> {
        let mut words = line.split_whitespace();
        let (id, name, base_unit) = (words.next()?, words.next()?, words.next()?);
        let flags: Vec<&str> = words.collect();
        let has = |flag: &str| flags.contains(&flag);
        self.by_base.entry(base_unit).or_insert(self.quantities.len());
        self.quantities.push(Quantity { id, name, base_unit, is_specific: has("specific"), is_count: has("count") });
        Some(())
    }

    fn read_unit(&mut self, line: &'static str) -> Option<()> {
        let quantity = self.quantities.len().checked_sub(1)?;
        let mut words = line.split_whitespace();
        let (canonical, conversion) = (words.next()?, words.next()?);
        let (factor, offset) = conversion.split_once('+').unwrap_or((conversion, "0"));
        let (factor, offset) = (factor.parse::<f64>().ok()?, offset.parse::<f64>().ok()?);
        let unit = self.units.len();
        self.units.push(Unit { quantity, canonical, factor, offset });
        for word in std::iter::once(canonical).chain(words) {
            if let Some(sign) = word.strip_prefix('^') {
                self.marks.push(Mark { sign, unit });
                continue;
            }
            let (is_below, word) = word.strip_prefix('÷').map_or((false, word), |word| (true, word));
            let (written, hint) = word.split_once('?').unwrap_or((word, ""));
            let normal = units::normal(written);
            let first = normal.first()?.to_ascii_lowercase();
            self.spellings.entry(first).or_default().push(Spelling { normal, unit, hint, is_below });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines = QUANTITIES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (quantities, units): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('@'));
        assert_eq!(TABLE.quantities.len(), quantities.len());
        assert_eq!(TABLE.units.len(), units.len());
        assert!(60 < quantities.len() && 250 < units.len(), "{} {}", quantities.len(), units.len());
        let ids: BTreeSet<&str> = TABLE.quantities.iter().map(|quantity| quantity.id).collect();
        assert_eq!(ids.len(), quantities.len(), "each id once");
    }

    #[test]
    fn factors_are_finite_and_positive() {
        for unit in &TABLE.units {
            assert!(unit.factor.is_finite() && 0.0 < unit.factor && unit.offset.is_finite(), "{unit:?}");
        }
    }

    #[test]
    fn a_spelling_means_one_unit_unless_hints_tell() {
        let mut seen = BTreeMap::new();
        for spelling in TABLE.spellings.values().flatten() {
            let earlier = seen.insert((&spelling.normal, spelling.hint, spelling.is_below), spelling.unit);
            let same = |earlier: usize| earlier == spelling.unit;
            assert!(
                earlier.is_none_or(same),
                "{:?} {:?}",
                spelling.normal,
                earlier.map(|unit| TABLE.units[unit].canonical)
            );
        }
        assert!(500 < seen.len(), "{}", seen.len());
    }

    #[test]
    fn base_units_belong_to_one_quantity() {
        let mut seen = BTreeMap::new();
        for quantity in &TABLE.quantities {
            let earlier = seen.insert(quantity.base_unit, quantity.id);
            assert!(earlier.is_none(), "{} {earlier:?}", quantity.id);
        }
    }
}
