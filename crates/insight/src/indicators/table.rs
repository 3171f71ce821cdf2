//! Quantities and their units, read once from `data/quantities.txt`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Serialize;

use super::{
    atoms::{self, Atoms},
    text::{ByChar, is_han},
    window,
};

const QUANTITIES: &str = include_str!("../../data/quantities.txt");

pub(super) static TABLE: LazyLock<UnitTable> = LazyLock::new(|| UnitTable::read(QUANTITIES));

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

/// A spelling of a unit, as [`window::normal`] returns it.
#[derive(Debug)]
pub(super) struct Spelling {
    pub normal: Vec<char>,
    /// Index of the unit.
    pub unit: usize,
    /// Factor of an SI prefix.
    pub scale: f64,
    /// Whether an SI prefix was put before a spelling of the table.
    pub is_derived: bool,
    /// Whether it can be read in two ways: MA is mega-ampere, or mA in capitals.
    pub is_unclear: bool,
    /// Whether it is read in no other case.
    pub is_case_fixed: bool,
    /// Valid only if the subject contains one of these words; empty means always.
    pub hints: Vec<&'static str>,
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
pub(super) struct UnitTable {
    pub quantities: Vec<Quantity>,
    pub units: Vec<Unit>,
    /// By the first character in lower case; longer ones first, meanings of one spelling side by side.
    spellings: ByChar<Vec<Spelling>>,
    /// Longer ones first.
    pub marks: Vec<Mark>,
    /// What each quantity's base unit consists of.
    atoms: Vec<Atoms>,
    /// Quantities by what their base unit consists of.
    by_atoms: BTreeMap<String, usize>,
    /// Spellings that take SI prefixes, and their units.
    prefixed: Vec<(&'static str, usize)>,
}

/// SI prefixes in Latin and Chinese. Others are written out where a unit has them (hPa, cm).
const PREFIXES: [(&str, &str, f64); 10] = [
    ("T", "太", 1e12),
    ("G", "吉", 1e9),
    ("M", "兆", 1e6),
    ("k", "千", 1e3),
    ("m", "毫", 1e-3),
    ("μ", "微", 1e-6),
    ("u", "微", 1e-6),
    ("n", "纳", 1e-9),
    ("p", "皮", 1e-12),
    ("f", "飞", 1e-15),
];

// === impl Spelling ===

impl Spelling {
    fn new(normal: Vec<char>, unit: usize) -> Self {
        Self {
            normal,
            unit,
            scale: 1.0,
            is_derived: false,
            is_unclear: false,
            is_case_fixed: false,
            hints: Vec::new(),
            is_below: false,
        }
    }

    /// Returns whether it is valid for numbers about `subject`.
    pub(super) fn fits(&self, subject: &str) -> bool {
        self.hints.is_empty() || self.hints.iter().any(|hint| subject.contains(hint))
    }
}

// === impl UnitTable ===

impl UnitTable {
    pub(super) fn quantity(&self, index: usize) -> Option<&Quantity> {
        self.quantities.get(index)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|quantity| quantity.id == id)
    }

    /// What a unit consists of: `1 L` is `1e-3 m3`.
    pub(super) fn atoms(&self, unit: &Unit) -> Option<Atoms> {
        if self.quantity(unit.quantity)?.is_count {
            return Some(Atoms::one(unit.canonical).times(unit.factor));
        }
        Some(self.atoms.get(unit.quantity)?.clone().times(unit.factor))
    }

    /// Quantity whose base unit consists of the same, and how many of its base units one is.
    pub(super) fn by_atoms(&self, found: &Atoms) -> Option<(&Quantity, f64)> {
        let index = *self.by_atoms.get(&found.name())?;
        Some((self.quantities.get(index)?, found.factor / self.atoms.get(index)?.factor))
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
        table.derive();
        let key = |spelling: &Spelling| {
            (usize::MAX - spelling.normal.len(), spelling.normal.clone(), spelling.hints.is_empty())
        };
        table.spellings.values_mut().for_each(|spellings| spellings.sort_by_key(key));
        table.marks.sort_by_key(|mark| usize::MAX - mark.sign.len());
        table.read_atoms();
        table
    }

    /// Puts SI prefixes before the spellings that take them, unless the table has the result.
    fn derive(&mut self) {
        let mut known: BTreeSet<Vec<char>> =
            self.spellings.values().flatten().map(|spelling| spelling.normal.clone()).collect();
        for (written, unit) in std::mem::take(&mut self.prefixed) {
            let is_chinese = written.chars().next().is_some_and(is_han);
            for (latin, chinese, scale) in PREFIXES {
                let prefix = if is_chinese { chinese } else { latin };
                let normal = window::normal(&format!("{prefix}{written}"));
                if let Some(first) = normal.first().copied().filter(|_| known.insert(normal.clone())) {
                    let derived = Spelling {
                        scale,
                        is_derived: true,
                        // 20 MA in a text of capitals are 20 mA
                        is_unclear: latin == "M" && written.chars().all(|written| written.is_ascii_uppercase()),
                        ..Spelling::new(normal, unit)
                    };
                    self.spellings.entry(first.to_ascii_lowercase()).or_default().push(derived);
                }
            }
        }
    }

    fn read_atoms(&mut self) {
        let names: Vec<&'static str> = self.quantities.iter().map(|quantity| quantity.base_unit).collect();
        self.atoms = names.iter().map(|name| atoms::of_base_unit(self, name)).collect();
        for (index, found) in self.atoms.iter().enumerate() {
            // J/kg stands for itself rather than for Wh/kg
            let is_itself = found.factor == 1.0;
            let name = found.name();
            if is_itself && self.by_atoms.get(&name).is_none_or(|other| self.atoms[*other].factor != 1.0)
                || !self.by_atoms.contains_key(&name)
            {
                self.by_atoms.insert(name, index);
            }
        }
    }

    /// The unit that is written exactly so, if it has one meaning.
    pub(super) fn exact(&self, written: &str) -> Option<&Unit> {
        let normal = window::normal(written);
        let first = *normal.first()?;
        let fits =
            |spelling: &&Spelling| spelling.normal == normal && spelling.hints.is_empty() && !spelling.is_derived;
        self.units.get(self.spellings(first).iter().find(fits)?.unit)
    }

    fn read_quantity(&mut self, line: &'static str) -> Option<()> {
        let mut words = line.split_whitespace();
        let (id, name, base_unit) = (words.next()?, words.next()?, words.next()?);
        let flags: Vec<&str> = words.collect();
        let has = |flag: &str| flags.contains(&flag);
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
        let name = canonical.trim_start_matches(['~', '=']);
        self.units.push(Unit { quantity, canonical: name, factor, offset });
        for word in std::iter::once(canonical).chain(words) {
            if let Some(sign) = word.strip_prefix('^') {
                self.marks.push(Mark { sign, unit });
                continue;
            }
            let word = match word.strip_prefix('~') {
                Some(word) => {
                    self.prefixed.push((word, unit));
                    word
                }
                None => word,
            };
            let (is_unclear, word) = word.strip_prefix('!').map_or((false, word), |word| (true, word));
            let (is_case_fixed, word) = word.strip_prefix('=').map_or((false, word), |word| (true, word));
            let (is_below, word) = word.strip_prefix('÷').map_or((false, word), |word| (true, word));
            let (written, hints) = word.split_once('?').unwrap_or((word, ""));
            let hints = hints.split(',').filter(|hint| !hint.is_empty()).collect();
            let normal = window::normal(written);
            let first = normal.first()?.to_ascii_lowercase();
            let spelling = Spelling { hints, is_below, is_unclear, is_case_fixed, ..Spelling::new(normal, unit) };
            self.spellings.entry(first).or_default().push(spelling);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
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
            let meaning = (spelling.unit, spelling.scale.to_bits());
            let earlier = seen.insert((&spelling.normal, &spelling.hints, spelling.is_below), meaning);
            let same = |earlier: (usize, u64)| earlier == meaning;
            assert!(
                earlier.is_none_or(same),
                "{:?} {:?}",
                spelling.normal,
                earlier.map(|(unit, _)| TABLE.units[unit].canonical)
            );
        }
        assert!(500 < seen.len(), "{}", seen.len());
    }

    #[test]
    fn hints_are_whole_words() {
        for spelling in TABLE.spellings.values().flatten() {
            let is_short = |hint: &&&str| hint.chars().count() < 2 && !["温", "熔"].contains(*hint);
            assert_eq!(spelling.hints.iter().find(is_short), None, "{:?}", spelling.normal);
        }
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
