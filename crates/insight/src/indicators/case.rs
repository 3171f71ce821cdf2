//! Spellings in the wrong case: `Mpa`, `KV`, `MBPS`. Where two units differ by nothing but case, the number is unclear.

use super::table::{Spelling, TABLE};

/// Relative difference up to which two factors are equal.
const RELATIVE_ERROR: f64 = 1e-12;

/// A spelling that fits but for case.
#[derive(Debug, PartialEq)]
pub(super) struct Folded {
    /// Index of the first meaning.
    pub first: usize,
    pub is_unclear: bool,
}

/// Longest spelling that `written` begins with in any case. `ends` returns whether it may end there.
pub(super) fn folded(spellings: &[Spelling], written: &[char], ends: impl Fn(&Spelling) -> bool) -> Option<Folded> {
    let first = *written.first()?;
    let is_same = |(_, spelling): &(usize, &Spelling)| is_same_but_case(spelling, written);
    let same: Vec<(usize, &Spelling)> = spellings.iter().enumerate().filter(is_same).collect();
    // a prefix that was put before a unit keeps its case: gW is no GW
    let is_usable = |spelling: &Spelling| !spelling.is_derived || spelling.normal.first() == Some(&first);
    let length = same.iter().find(|(_, spelling)| is_usable(spelling) && ends(spelling))?.1.normal.len();
    let written = written.get(..length)?;
    let is_twin = |(_, spelling): &(usize, &Spelling)| spelling.normal.len() == length && ends(spelling);
    let twins: Vec<(usize, &Spelling)> = same.into_iter().filter(is_twin).collect();
    let begins = |prefix: char| twins.iter().any(|(_, spelling)| spelling.normal.first() == Some(&prefix));
    let keeps_prefix = matches!(first, 'm' | 'M') && begins(first);
    let is_own = |spelling: &Spelling| spelling.normal.first() == Some(&first);
    let is_chosen =
        |(_, spelling): &&(usize, &Spelling)| if keeps_prefix { is_own(spelling) } else { is_usable(spelling) };
    let chosen: Vec<(usize, &Spelling)> = twins.iter().filter(is_chosen).copied().collect();
    let own = chosen.iter().find(|(_, spelling)| is_own(spelling));
    let (index, best) = own.or(chosen.first())?;
    let is_of_best = |other: &Spelling| {
        chosen.iter().any(|(_, spelling)| spelling.normal == best.normal && is_same_unit(spelling, other))
    };
    let has_other = chosen.iter().any(|(_, other)| other.normal != best.normal && !is_of_best(other));
    let is_doubted = keeps_prefix && is_prefix_doubted(written, &twins, best);
    Some(Folded { first: *index, is_unclear: has_other || is_doubted })
}

/// Returns whether the m of `mw` may mean M, or the M of `MEV` may mean m.
fn is_prefix_doubted(written: &[char], twins: &[(usize, &Spelling)], best: &Spelling) -> bool {
    let mut mega = twins.iter().map(|(_, spelling)| spelling).filter(|twin| twin.normal.first() == Some(&'M'));
    let has_milli = twins.iter().any(|(_, spelling)| spelling.normal.first() == Some(&'m'));
    match written.first() {
        // no one writes MSv, so msv is mSv
        Some('m') => {
            let may_be = |mega: &Spelling| !mega.is_unclear && !is_same_unit(mega, best);
            !written.iter().any(char::is_ascii_uppercase) && mega.any(|mega| may_be(mega))
        }
        _ => !written.iter().any(char::is_ascii_lowercase) && has_milli && mega.all(|mega| mega.is_derived),
    }
}

fn is_same_but_case(spelling: &Spelling, written: &[char]) -> bool {
    // fast rejection of most spellings
    let second = |characters: &[char]| characters.get(1).map(char::to_ascii_lowercase);
    if spelling.is_case_fixed || spelling.normal.len() < 2 || second(written) != second(&spelling.normal) {
        return false;
    }
    written
        .get(..spelling.normal.len())
        .is_some_and(|written| written.iter().zip(&spelling.normal).all(|(one, other)| one.eq_ignore_ascii_case(other)))
}

fn is_same_unit(one: &Spelling, other: &Spelling) -> bool {
    let Some((unit, other_unit)) = TABLE.units.get(one.unit).zip(TABLE.units.get(other.unit)) else { return false };
    let (factor, other_factor) = (unit.factor * one.scale, other_unit.factor * other.scale);
    let is_one_thing = one.unit == other.unit || !TABLE.quantity(unit.quantity).is_some_and(|unit| unit.is_count);
    one.hints == other.hints
        && one.is_unclear == other.is_unclear
        && unit.quantity == other_unit.quantity
        && is_one_thing
        && unit.offset == other_unit.offset
        && (factor / other_factor - 1.0).abs() < RELATIVE_ERROR
}
