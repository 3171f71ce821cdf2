//! Subsidy amounts by scheme and price: whole yuan, integer arithmetic, rates in basis points. Fractions of a yuan are
//! dropped, since the result must never exceed the text's "最高".
//!
//! Prices reach 10^12 yuan, rates 10^4 and bands 8: the sums stay below 10^17 and fit an `i64`.

use super::rule::{Base, Combine, Scheme};

/// Basis points of 100 %.
pub const WHOLE_BASIS_POINTS: i64 = 10_000;

/// Answer assumed for the open question about lower bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As in the rule file: the highest amount that the text allows.
    Highest,
    /// Without the lower bands.
    WithoutLower,
}

/// One product in a calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwardStep {
    /// Part of the price in yuan.
    pub part_yuan: i64,
    /// Rate in basis points.
    pub rate_basis_points: i64,
}

/// Subsidy from one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// Identifier of the scheme.
    pub scheme: String,
    /// Name of the scheme.
    pub title: String,
    /// Products in ascending order of the price.
    pub steps: Vec<AwardStep>,
    /// Sum of the products in yuan, before the cap.
    pub sum_yuan: i64,
    /// Subsidy in yuan, after the cap.
    pub yuan: i64,
}

/// Subsidy from several schemes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Awards that count.
    pub awards: Vec<Award>,
    /// Subsidy in yuan after all caps.
    pub yuan: i64,
}

/// Subsidy for a price from all applicable schemes.
pub fn total(schemes: &[&Scheme], combine: Combine, price_yuan: i64, reading: Reading) -> Total {
    let awards = schemes.iter().map(|scheme| award(scheme, price_yuan, reading)).filter(|award| 0 < award.yuan);
    match combine {
        Combine::Highest => {
            let best = best(schemes, awards, price_yuan);
            Total { yuan: best.as_ref().map_or(0, |best| best.yuan), awards: best.into_iter().collect() }
        }
        Combine::Sum { total_cap_yuan } => {
            let awards: Vec<Award> = awards.collect();
            let sum: i64 = awards.iter().map(|award| award.yuan).sum();
            Total { awards, yuan: sum.min(total_cap_yuan) }
        }
    }
}

/// Subsidy of one scheme for a price.
pub fn award(scheme: &Scheme, price_yuan: i64, reading: Reading) -> Award {
    let band = scheme.bands.iter().position(|band| band.holds(price_yuan));
    let mut steps = Vec::new();
    if let Some(band) = band {
        add_steps(scheme, band, price_yuan, reading, &mut steps);
    }
    let products: i64 = steps.iter().map(|step| step.part_yuan * step.rate_basis_points).sum();
    let sum_yuan = products / WHOLE_BASIS_POINTS;
    let yuan = sum_yuan.min(scheme.cap_yuan);
    Award { scheme: scheme.id.clone(), title: scheme.title.clone(), steps, sum_yuan, yuan }
}

/// The highest award. Ties go to the one with the larger sum before the cap, then to the one with more under the
/// unfavourable reading, then to the first in the file.
fn best(schemes: &[&Scheme], awards: impl Iterator<Item = Award>, price_yuan: i64) -> Option<Award> {
    let firmness = |award: &Award| {
        let scheme = schemes.iter().find(|scheme| scheme.id == award.scheme);
        let firm = scheme.map_or(0, |scheme| self::award(scheme, price_yuan, Reading::WithoutLower).yuan);
        (award.yuan, award.sum_yuan, firm)
    };
    awards.fold(None, |best: Option<Award>, next| match best {
        Some(best) if firmness(&next) <= firmness(&best) => Some(best),
        _ => Some(next),
    })
}

/// Adds the steps of the band at `place`, for a price inside the band or at its upper end.
fn add_steps(scheme: &Scheme, place: usize, price_yuan: i64, reading: Reading, steps: &mut Vec<AwardStep>) {
    let Some(band) = scheme.bands.get(place) else { return };
    let part_yuan = match band.base {
        Base::Whole => price_yuan,
        Base::Excess { keeps_lower } => {
            if let (true, Reading::Highest, Some(lower)) = (keeps_lower, reading, place.checked_sub(1)) {
                add_steps(scheme, lower, band.from_yuan, reading, steps);
            }
            price_yuan - band.from_yuan
        }
    };
    if 0 < part_yuan {
        steps.push(AwardStep { part_yuan, rate_basis_points: band.rate_basis_points });
    }
}
