//! The unit after a number: a spelling of the table, or one that consists of several (`元/吨`).

use std::borrow::Cow;

use super::{
    atoms::Atoms,
    compound::{self, Compound},
    pressure::{self, Origin},
    table::{Quantity, Spelling, TABLE, Unit},
    text::{CharText, is_han},
    unlisted,
    window::{Window, is_latin},
};

/// A unit found in a text.
#[derive(Debug)]
pub(super) struct FoundUnit {
    /// Position after the unit.
    pub end: usize,
    /// Another unit differs from it by nothing but case.
    pub is_unclear: bool,
    /// What a pressure is measured from, if it says so.
    pub origin: Option<Origin>,
    pub kind: Kind,
}

/// Conversion of a value to a quantity's base unit.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    pub quantity: &'static Quantity,
    pub base_unit: Cow<'static, str>,
    pub factor: f64,
    pub offset: f64,
    /// The unit can be read in two ways: `mw`, `MA`.
    pub is_unclear: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Meanings of one spelling, those with hints first.
    Simple(&'static [Spelling]),
    Compound(Conversion),
    /// Normal spelling.
    Unlisted(String),
}

/// Symbol within a compound unit.
#[derive(Debug)]
pub(super) struct Symbol {
    /// Its meaning without a hint.
    pub spelling: &'static Spelling,
    /// Position after it.
    pub end: usize,
    /// Whether it is written in the table's case.
    pub is_exact: bool,
    /// It can be read in two ways: `mw`.
    pub is_unclear: bool,
}

/// Unit that starts at a position.
pub(super) fn unit_at(text: &CharText<'_>, place: usize) -> Option<FoundUnit> {
    let whole = Window::at(text, place).whole(text);
    // %FS/℃ is longer than its %, and ms/s is no MS/s in the wrong case
    let is_better = |compound: &Compound| {
        whole.as_ref().is_none_or(|whole| {
            whole.end < compound.end || whole.end == compound.end && compound.is_exact && whole.changes_prefix
        })
    };
    if let Some(compound) = compound::at(text, place).filter(is_better) {
        return Some(FoundUnit::new(compound.end, Kind::Compound(compound.conversion)).with_origin(text));
    }
    let whole = whole?;
    let found = FoundUnit::new(whole.end, Kind::Simple(whole.spellings));
    Some(FoundUnit { is_unclear: whole.is_unclear, ..found }.with_origin(text))
}

/// Characters at a position that stand where a unit stands, but are none of the table.
pub(super) fn unlisted_at(text: &CharText<'_>, place: usize) -> Option<FoundUnit> {
    let (end, written) = unlisted::run(text, place)?;
    // 5年达到, 5/MPa/: a known unit before a character that is part of none; but 4K分辨率
    let is_cut = !(end == place + 1 && is_latin(text.at(place)) && is_han(text.at(end)));
    let alone: String = text.slice(place..end).iter().collect();
    let known = is_cut.then(|| unit_at(&CharText::new(&alone), 0)).flatten();
    let known = known.filter(|unit| place + unit.end == end).map(|unit| FoundUnit { end, ..unit });
    Some(known.unwrap_or(FoundUnit::new(end, Kind::Unlisted(written))))
}

/// Symbol of a compound unit at a position.
pub(super) fn symbol_at(text: &CharText<'_>, place: usize, is_below: bool) -> Option<Symbol> {
    let found = Window::at(text, place).symbol(text, is_below)?;
    let spelling = found.spellings.iter().find(|spelling| spelling.hints.is_empty())?;
    let is_unclear = found.is_unclear || spelling.is_unclear;
    Some(Symbol { spelling, end: found.end, is_exact: found.is_exact, is_unclear })
}

// === impl FoundUnit ===

impl FoundUnit {
    fn new(end: usize, kind: Kind) -> Self {
        Self { end, is_unclear: false, origin: None, kind }
    }

    /// Takes the 表压 or 绝压 behind a pressure.
    fn with_origin(self, text: &CharText<'_>) -> Self {
        let is_pressure = |unit: &Self| unit.read("").is_some_and(|own| pressure::is_plain(own.quantity));
        match pressure::behind(text, self.end).filter(|_| is_pressure(&self)) {
            Some((origin, end)) => Self { end, origin: Some(origin), ..self },
            None => self,
        }
    }

    /// Conversion of the unit for a number about `subject`.
    pub(super) fn conversion(&self, subject: &str) -> Option<Conversion> {
        let conversion = self.read(subject)?;
        Some(match self.origin {
            Some(origin) => origin.apply(conversion),
            None => conversion,
        })
    }

    fn read(&self, subject: &str) -> Option<Conversion> {
        let spellings = match &self.kind {
            Kind::Compound(conversion) => return Some(conversion.clone()),
            Kind::Unlisted(written) => return Conversion::unlisted(written.clone()),
            Kind::Simple(spellings) => *spellings,
        };
        match spellings.iter().find(|spelling| spelling.fits(subject)) {
            Some(spelling) => {
                let own = Conversion::of_spelling(spelling)?;
                Some(Conversion { is_unclear: own.is_unclear || self.is_unclear, ..own })
            }
            None => Conversion::unlisted(spellings.first()?.normal.iter().collect()),
        }
    }

    /// Returns whether it is none of the table.
    pub(super) fn is_unlisted(&self) -> bool {
        matches!(self.kind, Kind::Unlisted(_))
    }
}

// === impl Conversion ===

impl Conversion {
    pub(super) fn of(unit: &'static Unit) -> Option<Self> {
        let quantity = TABLE.quantity(unit.quantity)?;
        let base_unit = Cow::Borrowed(if quantity.is_count { unit.canonical } else { quantity.base_unit });
        Some(Self { quantity, base_unit, factor: unit.factor, offset: unit.offset, is_unclear: false })
    }

    pub(super) fn of_spelling(spelling: &Spelling) -> Option<Self> {
        let own = Self::of(TABLE.units.get(spelling.unit)?)?;
        Some(Self { factor: own.factor * spelling.scale, is_unclear: spelling.is_unclear, ..own })
    }

    /// Conversion of a unit that the table does not have: only what is written alike is compared.
    pub(super) fn unlisted(written: String) -> Option<Self> {
        let quantity = TABLE.by_id("unlisted")?;
        Some(Self { quantity, base_unit: Cow::Owned(written), factor: 1.0, offset: 0.0, is_unclear: false })
    }

    /// Conversion of a unit that consists of others.
    pub(super) fn composed(atoms: &Atoms) -> Option<Self> {
        if let Some((quantity, factor)) = TABLE.by_atoms(atoms) {
            return Some(Self {
                quantity,
                base_unit: Cow::Borrowed(quantity.base_unit),
                factor,
                offset: 0.0,
                is_unclear: false,
            });
        }
        let quantity = TABLE.by_id("composite")?;
        Some(Self {
            quantity,
            base_unit: Cow::Owned(atoms.name()),
            factor: atoms.factor,
            offset: 0.0,
            is_unclear: false,
        })
    }

    /// Conversion of a number without a unit.
    pub(super) fn none() -> Option<Self> {
        let quantity = TABLE.by_id("number")?;
        Some(Self {
            quantity,
            base_unit: Cow::Borrowed(quantity.base_unit),
            factor: 1.0,
            offset: 0.0,
            is_unclear: false,
        })
    }

    /// Conversion of a difference: no offset.
    pub(super) fn difference(self) -> Self {
        let quantity = match self.quantity.id {
            "temperature" => TABLE.by_id("temperature_difference").unwrap_or(self.quantity),
            _ => self.quantity,
        };
        let is_same = quantity.id == self.quantity.id;
        let base_unit = if is_same { self.base_unit.clone() } else { Cow::Borrowed(quantity.base_unit) };
        Self { quantity, base_unit, offset: 0.0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, f64, usize)> {
        let found = unit_at(&CharText::new(text), 0)?;
        let conversion = found.conversion("")?;
        Some((conversion.base_unit.to_string(), conversion.factor, found.end))
    }

    #[test]
    fn units_are_found_in_many_spellings() {
        let check = |text: &str, base_unit: &str, factor: f64, end: usize| {
            let (base, found_factor, found_end) = found(text).unwrap_or_default();
            assert_eq!((base.as_str(), found_end), (base_unit, end), "{text}");
            assert!((found_factor / factor - 1.0).abs() < 1e-12, "{text}: {found_factor}");
        };
        check("MPa", "Pa", 1e6, 3);
        check("Mpa以上", "Pa", 1e6, 3);
        check("ＭＰａ，", "Pa", 1e6, 3);
        check("mW", "W", 1e-3, 2);
        check("MW", "W", 1e6, 2);
        check("Mw", "W", 1e6, 2);
        check("W/(m·K)", "W/(m·K)", 1.0, 7);
        check("W/m.K(500℃)", "W/(m·K)", 1.0, 5);
        check("W·m⁻¹·K⁻¹", "W/(m·K)", 1.0, 9);
        check("g/cm³", "kg/m3", 1e3, 5);
        check("mg/L", "kg/m3", 1e-3, 4);
        check("毫克每升", "kg/m3", 1e-3, 4);
        check("千克/立方米", "kg/m3", 1.0, 6);
        check("kW·h/t", "J/kg", 3.6e3, 6);
        check("m/s", "m/s", 1.0, 3);
        check("r/min", "r/s", 1.0 / 60.0, 5);
        check("次/分钟", "次/s", 1.0 / 60.0, 4);
        check("元/吨产品", "元/kg", 1e-3, 3);
        check("s/片以内", "s/片", 1.0, 3);
        check("mm / min", "m/s", 1e-3 / 60.0, 8);
        check("%FS/℃", "FS/K", 0.01, 5);
        check("℃/min", "K/s", 1.0 / 60.0, 5);
        check("m2", "m2", 1.0, 2);
        check("m^2", "m2", 1.0, 3);
        check("平方米", "m2", 1.0, 3);
        check("kgf/cm²", "Pa", 98066.5, 7);
    }

    #[test]
    fn units_end_where_words_begin() {
        let check = |text: &str, want: Option<usize>| assert_eq!(found(text).map(|found| found.2), want, "{text}");
        check("米以上", Some(1));
        check("米粉", None);
        check("克隆", None);
        check("mx", None);
        check("m2x", None);
        check("K分辨率", None);
        check("K以下", Some(1));
        check("年级", None);
        check("年", Some(1));
        check("个样品", Some(1));
        check("个月", Some(2));
        check("条件", None);
        check("元/疗程", None);
        check("mm/10", Some(2));
        check("D", None);
        check("", None);
    }
}
