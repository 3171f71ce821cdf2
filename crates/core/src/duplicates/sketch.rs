//! Sketches of sets: the part of equal values estimates the Jaccard of the sets.
//!
//! Fast similarity sketching (Dahlgaard, Knudsen, Thorup 2017): as exact as MinHash with that many hash functions, also for
//! sets smaller than the sketch, but one pass over a large set is enough.

use super::shingle::mix;

/// Sketch of a set; shingles may stand in it several times. Of an empty set all values are the same.
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
            // in the second half each round fills one place, so that none stays open
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

/// Part of the values that are equal.
pub(super) fn estimate<const SIZE: usize>(left: &[u16; SIZE], right: &[u16; SIZE]) -> f64 {
    let equal = left.iter().zip(right).filter(|(left, right)| left == right).count();
    equal as f64 / SIZE as f64
}

/// Key of a band of values; `salt` keeps the bands, and what else must not meet, apart.
pub(super) fn band_key(sketch: &[u16], band: usize, size: usize, salt: u64) -> u64 {
    let values = sketch.iter().skip(band * size).take(size);
    values.fold(mix(salt ^ band as u64), |key, value| mix(key ^ u64::from(*value)))
}
