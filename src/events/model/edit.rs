//! What staff have decided. It is kept through every regeneration, and may contradict the optimum but no rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Pair;

/// Most pairs of an event that carry a decision.
pub const MAX_EDITS: usize = 2_000;

/// One decision about one pair; a later one on the same matter takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The pair shall meet.
    Pin,
    /// The pair shall not meet.
    Forbid,
    /// The optimisation decides again whether the pair meets.
    Free,
    /// The meeting of the pair shall be in this slot and at this table, both from 0. Pins the pair as well.
    Lock {
        /// Slot.
        slot: usize,
        /// Table.
        table: u32,
    },
    /// The schedule decides again when and where the pair meets; a pin stays.
    Unlock,
}

/// All decisions of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Pair, Decision)>", into = "Vec<(Pair, Decision)>")]
pub struct Edits(pub BTreeMap<Pair, Decision>);

/// What holds for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It shall meet.
    Pinned,
    /// It shall not meet.
    Forbidden,
    /// It shall meet in this slot and at this table, both from 0.
    Locked {
        /// Slot.
        slot: usize,
        /// Table.
        table: u32,
    },
}

// === impl Edits ===

impl Edits {
    /// Notes a decision. Says whether anything changed.
    pub fn apply(&mut self, pair: &Pair, edit: Edit) -> bool {
        let before = self.0.get(pair).copied();
        let after = match (edit, before) {
            (Edit::Pin, Some(locked @ Decision::Locked { .. })) => Some(locked),
            (Edit::Pin, _) => Some(Decision::Pinned),
            (Edit::Forbid, _) => Some(Decision::Forbidden),
            (Edit::Free, _) => None,
            (Edit::Lock { slot, table }, _) => Some(Decision::Locked { slot, table }),
            (Edit::Unlock, Some(Decision::Locked { .. })) => Some(Decision::Pinned),
            (Edit::Unlock, other) => other,
        };
        match after {
            Some(after) => self.0.insert(pair.clone(), after),
            None => self.0.remove(pair),
        };
        before != after
    }

    /// What holds for a pair.
    pub fn of(&self, pair: &Pair) -> Option<Decision> {
        self.0.get(pair).copied()
    }

    /// Whether a pair shall meet.
    pub fn is_pinned(&self, pair: &Pair) -> bool {
        matches!(self.of(pair), Some(Decision::Pinned | Decision::Locked { .. }))
    }

    /// Whether a pair shall not meet.
    pub fn is_forbidden(&self, pair: &Pair) -> bool {
        self.of(pair) == Some(Decision::Forbidden)
    }

    /// Slot and table that a pair's meeting shall have, both from 0.
    pub fn place(&self, pair: &Pair) -> Option<(usize, u32)> {
        match self.of(pair) {
            Some(Decision::Locked { slot, table }) => Some((slot, table)),
            _ => None,
        }
    }
}

impl From<Vec<(Pair, Decision)>> for Edits {
    fn from(rows: Vec<(Pair, Decision)>) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl From<Edits> for Vec<(Pair, Decision)> {
    fn from(edits: Edits) -> Self {
        edits.0.into_iter().collect()
    }
}
