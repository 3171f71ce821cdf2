//! What a unit consists of, so that `mbar·L/s` and `Pa·m³/s` are one quantity. Nothing is cancelled: `mm/m` is no plain
//! number.

use std::collections::BTreeMap;

use super::table::UnitTable;

/// Maximum steps from a base unit to what it consists of: mAh/g, A·h, A.
const MAX_STEPS: usize = 4;

/// A factor and base units with their powers, above and below the fraction stroke.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Atoms {
    pub factor: f64,
    above: BTreeMap<String, u32>,
    below: BTreeMap<String, u32>,
}

/// What the base unit of a quantity consists of. Base units have the form `W/(m·K)`.
pub(super) fn of_base_unit(table: &UnitTable, base_unit: &str) -> Atoms {
    read(table, base_unit, MAX_STEPS).unwrap_or_else(|| Atoms::one(base_unit))
}

fn read(table: &UnitTable, written: &str, steps: usize) -> Option<Atoms> {
    let (above, below) = written.split_once('/').unwrap_or((written, ""));
    let mut atoms = Atoms { factor: 1.0, ..Atoms::default() };
    let below = below.trim_start_matches('(').trim_end_matches(')');
    for (part, sign) in above.split('·').map(|part| (part, 1)).chain(below.split('·').map(|part| (part, -1))) {
        if part.is_empty() || part == "1" {
            continue;
        }
        let name = part.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let power = if name.len() < part.len() { part.get(name.len()..)?.parse().ok()? } else { 1 };
        atoms.multiply(&symbol(table, name, steps.checked_sub(1)?)?, sign * power);
    }
    Some(atoms)
}

fn symbol(table: &UnitTable, name: &str, steps: usize) -> Option<Atoms> {
    let unit = table.exact(name)?;
    let quantity = table.quantity(unit.quantity)?;
    if quantity.is_count {
        return Some(Atoms::one(unit.canonical).times(unit.factor));
    }
    let is_plain = quantity.base_unit.chars().all(|part| part.is_alphabetic() || part == '°');
    if is_plain {
        return Some(Atoms::one(quantity.base_unit).times(unit.factor));
    }
    Some(read(table, quantity.base_unit, steps)?.times(unit.factor))
}

// === impl Atoms ===

impl Atoms {
    pub(super) fn one(name: &str) -> Self {
        let above = if name == "1" { BTreeMap::new() } else { BTreeMap::from([(name.to_string(), 1)]) };
        Self { factor: 1.0, above, below: BTreeMap::new() }
    }

    pub(super) fn times(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, ..self }
    }

    /// Multiplies by a power of another unit.
    pub(super) fn multiply(&mut self, other: &Self, power: i32) {
        self.factor *= other.factor.powi(power);
        let (above, below) =
            if power < 0 { (&mut self.below, &mut self.above) } else { (&mut self.above, &mut self.below) };
        for (side, names) in [(above, &other.above), (below, &other.below)] {
            for (name, own) in names {
                let sum = side.entry(name.clone()).or_default();
                *sum = sum.saturating_add(own.saturating_mul(power.unsigned_abs()));
            }
        }
    }

    /// `kg/m3`, `W/(K·m)`, `1/K`.
    pub(super) fn name(&self) -> String {
        let side = |names: &BTreeMap<String, u32>| {
            let part =
                |(name, power): (&String, &u32)| if *power == 1 { name.clone() } else { format!("{name}{power}") };
            names.iter().map(part).collect::<Vec<_>>().join("·")
        };
        let above = if self.above.is_empty() { "1".to_string() } else { side(&self.above) };
        match self.below.len() {
            0 => above,
            1 => format!("{above}/{}", side(&self.below)),
            _ => format!("{above}/({})", side(&self.below)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::table::TABLE, *};

    #[test]
    fn base_units_come_apart() {
        let check = |written: &str, name: &str, factor: f64| {
            let found = of_base_unit(&TABLE, written);
            assert_eq!(found.name(), name, "{written}");
            assert!((found.factor / factor - 1.0).abs() < 1e-12, "{written}: {}", found.factor);
        };
        check("kg/m3", "kg/m3", 1.0);
        check("W/(m·K)", "W/(K·m)", 1.0);
        check("L/(m2·h)", "m3/(m2·s)", 1e-3 / 3600.0);
        check("Wh/kg", "J/kg", 3600.0);
        check("mAh/g", "A·s/kg", 3600.0);
        check("1/K", "1/K", 1.0);
        check("HRC", "HRC", 1.0);
        check("MPa·m1/2", "MPa·m1/2", 1.0);
    }
}
