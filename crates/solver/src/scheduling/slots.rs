//! A set of slots as bits.

use super::input::MAX_SLOTS;

const WORDS: usize = MAX_SLOTS / 64;

/// A subset of the slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slots([u64; WORDS]);

impl Slots {
    /// Slots whose entry is true.
    pub fn of(available: &[bool]) -> Self {
        let mut slots = Self::default();
        for (slot, _) in available.iter().enumerate().filter(|(_, here)| **here) {
            slots.0[slot / 64] |= 1 << (slot % 64);
        }
        slots
    }

    pub fn contains(self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }

    pub fn both(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    pub fn either(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// Returns the set without the first `closed` slots.
    pub fn from(self, closed: usize) -> Self {
        let keep = |word: usize| match closed.saturating_sub(word * 64) {
            0 => u64::MAX,
            below @ 1..64 => u64::MAX << below,
            _ => 0,
        };
        Self(std::array::from_fn(|word| self.0[word] & keep(word)))
    }

    pub fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn is_empty(self) -> bool {
        self.0 == [0; WORDS]
    }

    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..WORDS).flat_map(move |word| {
            let mut bits = self.0[word];
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(word * 64 + bit)
            })
        })
    }
}
