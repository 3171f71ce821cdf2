//! Candidate pairs for an exact comparison, by registration number and by sketch bands.

use super::{
    groups::{DuplicateReason, SignedLink},
    limits::{
        BUCKET_WINDOW, MAX_BUCKET, MAX_PAIRS, MAX_SAME_NUMBER, TEXT_BAND, TEXT_ESTIMATE, TEXT_VALUES, TITLE_BAND,
        TITLE_ESTIMATE, TITLE_VALUES,
    },
    signed::Signed,
    sketch::{band_key, estimate},
};
use crate::domain::Kind;

/// Links by registration number.
#[derive(Debug)]
pub(super) struct ByNumber {
    pub links: Vec<SignedLink>,
    /// Numbers ignored because too many records share them.
    pub ignored: Vec<String>,
}

/// Two records, by index; `left` is lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NearPair {
    pub left: u32,
    pub right: u32,
}

/// Pairs to compare, in order.
#[derive(Debug)]
pub(super) struct NearPairs {
    pub pairs: Vec<NearPair>,
    /// Whether the limit was exceeded; the least similar pairs are then dropped.
    pub is_cut: bool,
}

/// Candidate pairs during collection.
#[derive(Debug, Default)]
struct Gathered {
    /// Dissimilarity, 0 to 255, and the two indices.
    pairs: Vec<(u8, u32, u32)>,
    is_cut: bool,
}

/// Links each record to the first record with the same number.
pub(super) fn by_number(signed: &[Signed]) -> ByNumber {
    let mut numbered: Vec<(&str, u32)> =
        places(signed).filter(|(one, _)| !one.number.is_empty()).map(|(one, place)| (&*one.number, place)).collect();
    numbered.sort_unstable();
    let mut found = ByNumber { links: Vec::new(), ignored: Vec::new() };
    for run in numbered.chunk_by(|(one, _), (other, _)| one == other) {
        let [(number, first), others @ ..] = run else { continue };
        if MAX_SAME_NUMBER < run.len() {
            found.ignored.push((*number).to_string());
            continue;
        }
        let link = |(_, place): &(&str, u32)| SignedLink {
            left: *first,
            right: *place,
            reason: DuplicateReason::Number((*number).to_string()),
        };
        found.links.extend(others.iter().map(link));
    }
    found
}

/// Pairs with near texts, or near titles and one owner, according to the sketches. `signed` must be sorted by name.
pub(super) fn by_sketches(signed: &[Signed], kind: Kind) -> NearPairs {
    let mut candidates = Gathered::default();
    let representatives = candidates.add_equal(signed);
    let is_near = |left: &Signed, right: &Signed| TEXT_ESTIMATE <= estimate(&left.text, &right.text);
    for band in 0..TEXT_VALUES / TEXT_BAND {
        let key = |one: &Signed| band_key(&one.text, band, TEXT_BAND, 1);
        let entries = representatives.iter().filter_map(|place| Some((key(signed.get(*place as usize)?), *place)));
        candidates.add_buckets(signed, entries.collect(), is_near);
    }
    let is_same = |left: &Signed, right: &Signed| {
        let near_title = TITLE_ESTIMATE <= estimate(&left.title, &right.title);
        near_title && left.same_owner(right)
    };
    for band in 0..TITLE_VALUES / TITLE_BAND {
        let key = |one: &Signed, salt| band_key(&one.title, band, TITLE_BAND, salt);
        let of = |owner: fn(&Signed) -> u64| {
            let owned = places(signed).filter(move |(one, _)| owner(one) != 0);
            owned.map(|(one, place)| (key(one, owner(one)), place)).collect()
        };
        candidates.add_buckets(signed, of(|one| one.owner_code), is_same);
        candidates.add_buckets(signed, of(|one| one.owner_name), is_same);
        // pairs up records with near titles among many with one shared profile; experts' titles are names
        if kind != Kind::Expert {
            let all = representatives.iter().filter_map(|place| Some((key(signed.get(*place as usize)?, 2), *place)));
            candidates.add_buckets(signed, all.collect(), is_near);
        }
    }
    let mut pairs: Vec<NearPair> =
        candidates.pairs.into_iter().map(|(_, left, right)| NearPair { left, right }).collect();
    pairs.sort_unstable();
    NearPairs { pairs, is_cut: candidates.is_cut }
}

fn places(signed: &[Signed]) -> impl Iterator<Item = (&Signed, u32)> {
    signed.iter().zip(0..)
}

/// Dissimilarity of two records, 0 to 255, independent of the band that paired them.
fn unlikeness(left: &Signed, right: &Signed) -> u8 {
    let title = if left.same_owner(right) { estimate(&left.title, &right.title) } else { 0.0 };
    let alike = estimate(&left.text, &right.text).max(title);
    ((1.0 - alike) * 255.0) as u8
}

// === impl Gathered ===

impl Gathered {
    /// Pairs each record with the next one of equal text, sorted by owner. If the owners differ, the record is also
    /// paired with the first one, which has no owner if any record has none: a short text then links to each owner's
    /// records but does not link these to each other. Returns the first record of each text; only these are compared by
    /// text sketches.
    fn add_equal(&mut self, signed: &[Signed]) -> Vec<u32> {
        let with_text = places(signed).filter(|(one, _)| 0 < one.shingles);
        let mut keys: Vec<(u64, (u64, u64), u32)> =
            with_text.map(|(one, place)| (one.text_key, (one.owner_code, one.owner_name), place)).collect();
        keys.sort_unstable();
        let mut firsts = Vec::new();
        for run in keys.chunk_by(|one, other| one.0 == other.0) {
            let [(_, first_owner, first), rest @ ..] = run else { continue };
            firsts.push(*first);
            let (mut owner_before, mut before) = (first_owner, *first);
            for (_, owner, place) in rest {
                self.pairs.push((0, before.min(*place), before.max(*place)));
                if before != *first && owner_before != owner {
                    self.pairs.push((0, *first.min(place), *first.max(place)));
                }
                (owner_before, before) = (owner, *place);
            }
        }
        firsts.sort_unstable();
        firsts
    }

    /// Pairs records with equal keys that pass the test. In a large bucket only neighbours are paired; neighbours
    /// differ between bands.
    fn add_buckets(
        &mut self,
        signed: &[Signed],
        mut entries: Vec<(u64, u32)>,
        passes: impl Fn(&Signed, &Signed) -> bool,
    ) {
        entries.sort_unstable();
        for bucket in entries.chunk_by(|(one, _), (other, _)| one == other) {
            let reach = if bucket.len() <= MAX_BUCKET { MAX_BUCKET } else { BUCKET_WINDOW };
            for (index, (_, left)) in bucket.iter().enumerate() {
                for (_, right) in bucket.iter().skip(index + 1).take(reach) {
                    let both = signed.get(*left as usize).zip(signed.get(*right as usize));
                    if let Some((one, other)) = both.filter(|(one, other)| passes(one, other)) {
                        self.pairs.push((unlikeness(one, other), *left, *right));
                    }
                }
            }
            if 2 * MAX_PAIRS < self.pairs.len() {
                self.finish();
            }
        }
        self.finish();
    }

    /// Removes repeated pairs, and the least similar pairs above the limit.
    fn finish(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.is_cut |= MAX_PAIRS < self.pairs.len();
        self.pairs.truncate(MAX_PAIRS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_pairs_the_less_alike_are_left_out() {
        let gathered = |count: u32| {
            let pairs = (0..count).map(|right| (if right == 5 { 9 } else { 3 }, 0, right + 1)).collect();
            let mut gathered = Gathered { pairs, is_cut: false };
            gathered.finish();
            (gathered.pairs.len(), gathered.is_cut, gathered.pairs.contains(&(9, 0, 6)))
        };
        let max = u32::try_from(MAX_PAIRS).unwrap();
        assert_eq!(gathered(max), (MAX_PAIRS, false, true));
        assert_eq!(gathered(max + 1), (MAX_PAIRS, true, false));
    }
}
