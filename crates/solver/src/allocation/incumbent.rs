//! The best plan found so far for the whole optimisation, while parts of it are searched.

use super::core::{Core, PairFate};

/// The best plan so far.
#[derive(Debug, Clone)]
pub(super) struct Incumbent {
    /// Value in steps, minus penalties for missed minimums.
    pub(super) worth: i64,
    pub(super) chosen: Vec<bool>,
    /// Decisions outside the part being searched.
    settled: Vec<bool>,
    /// Indices of the part's pairs in the whole.
    places: Vec<usize>,
    /// Value and gain of the decided pairs.
    base: i64,
    gained: i64,
}

// === impl Incumbent ===

impl Incumbent {
    /// A plan with no pairs.
    pub(super) fn new(core: &Core) -> Self {
        let pairs = core.pairs.len();
        let nothing = vec![false; pairs];
        let worth = core.worth(&nothing).unwrap_or(i64::MIN / 4);
        Self { worth, settled: nothing.clone(), chosen: nothing, places: (0..pairs).collect(), base: 0, gained: 0 }
    }

    /// A plan from a choice that keeps all limits.
    pub(super) fn of(core: &Core, chosen: &[bool]) -> Self {
        let mut incumbent = Self::new(core);
        incumbent.offer(core, chosen);
        incumbent
    }

    /// Takes a choice if it keeps all limits and is better; returns whether it was taken.
    pub(super) fn offer(&mut self, core: &Core, chosen: &[bool]) -> bool {
        let Some(worth) = core.worth(chosen).map(|worth| worth + self.base) else { return false };
        if worth <= self.worth {
            return false;
        }
        self.worth = worth;
        self.chosen.clone_from(&self.settled);
        for (place, is_in) in self.places.iter().zip(chosen) {
            self.chosen[*place] = *is_in;
        }
        true
    }

    /// Returns whether no plan within this bound is better.
    pub(super) fn beats(&self, core: &Core, bound: i64) -> bool {
        core.possible(self.whole(bound)) <= self.worth
    }

    /// Converts a bound of the part being searched to a bound of the whole.
    pub(super) fn whole(&self, bound: i64) -> i64 {
        bound.saturating_add(self.gained)
    }

    /// Narrows the search to [`Core::rest`] of these decisions.
    pub(super) fn settle(&mut self, core: &Core, fates: &[PairFate]) {
        let mut places = Vec::new();
        for ((place, fate), pair) in self.places.iter().zip(fates).zip(&core.pairs) {
            match fate {
                PairFate::Open => places.push(*place),
                PairFate::In => {
                    self.settled[*place] = true;
                    self.base += pair.value;
                    self.gained += pair.gain;
                }
                PairFate::Out => {}
            }
        }
        self.places = places;
    }
}
