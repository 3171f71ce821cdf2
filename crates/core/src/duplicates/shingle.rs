//! Sets of character bigrams and trigrams. A character takes 21 bits, so shingles fit a number without collisions.

/// Bits of a character.
const CHAR_BITS: u32 = 21;

/// Characters used for comparison: letters, digits and Han characters.
pub(super) fn letters(normal: &str) -> Vec<char> {
    normal.chars().filter(|character| character.is_alphanumeric()).collect()
}

/// Appends every run of `SIZE` characters, at most three.
pub(super) fn add_shingles<const SIZE: usize>(letters: &[char], shingles: &mut Vec<u64>) {
    const { assert!(0 < SIZE && SIZE <= 3) };
    let pack = |window: &[char]| window.iter().fold(0, |packed, character| packed << CHAR_BITS | u64::from(*character));
    shingles.extend(letters.windows(SIZE).map(pack));
}

/// Sorts and removes duplicates.
pub(super) fn set(mut shingles: Vec<u64>) -> Vec<u64> {
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

/// Jaccard similarity of two sorted sets; 1 if both are empty.
pub(super) fn jaccard<T: Ord>(left: &[T], right: &[T]) -> f64 {
    let (mut shared, mut rest) = (0_usize, right.iter().peekable());
    for value in left {
        while rest.next_if(|other| *other < value).is_some() {}
        shared += usize::from(rest.next_if(|other| *other == value).is_some());
    }
    let all = left.len() + right.len() - shared;
    if all == 0 { 1.0 } else { shared as f64 / all as f64 }
}

/// Mixes 64 bits (the finalizer of splitmix64); the result is the same on every machine and in every version.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Hash of characters; never 0, which means "none".
pub(super) fn hash(letters: impl IntoIterator<Item = char>) -> u64 {
    letters.into_iter().fold(1, |hash, character| mix(hash ^ u64::from(character))).max(1)
}
