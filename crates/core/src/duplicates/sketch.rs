//! Sketches of sets: the share of equal values estimates the Jaccard similarity of the sets.
//!
//! Fast similarity sketching (Dahlgaard, Knudsen, Thorup 2017): as accurate as MinHash with the same number of hash
//! functions, also for sets smaller than the sketch, but a large set needs only one pass.

use super::shingle::mix;

/// Sketch of a set; repeated shingles have no effect. All values of an empty set's sketch are equal.
pub(super) fn sketch<const SIZE: usize>(shingles: &[u64]) -> [u16; SIZE] {
    let mut best = [u64::MAX; SIZE];
    let mut open = SIZE;
    for round in 0..2 * SIZE {
        if open == 0 || shingles.is_empty() {
            break;
        }
        let seed = mix(round as u64);
        for shingle in shingles {
            let hash = mix(shingle ^ seed);
            // in the second half each round fills one slot, so no slot stays open
            let place = round.checked_sub(SIZE).unwrap_or_else(|| ((hash >> 32) as usize * SIZE) >> 32);
            let value = (round as u64) << 32 | (hash & 0xFFFF_FFFF);
            if let Some(slot) = best.get_mut(place).filter(|slot| value < **slot) {
                open -= usize::from(*slot == u64::MAX);
                *slot = value;
            }
        }
    }
    best.map(|value| mix(value) as u16)
}

/// Share of equal values.
pub(super) fn estimate<const SIZE: usize>(left: &[u16; SIZE], right: &[u16; SIZE]) -> f64 {
    let equal = left.iter().zip(right).filter(|(left, right)| left == right).count();
    equal as f64 / SIZE as f64
}

/// Key of a band of values; `salt` separates bands of different kinds.
pub(super) fn band_key(sketch: &[u16], band: usize, size: usize, salt: u64) -> u64 {
    let values = sketch.iter().skip(band * size).take(size);
    values.fold(mix(salt ^ band as u64), |key, value| mix(key ^ u64::from(*value)))
}
