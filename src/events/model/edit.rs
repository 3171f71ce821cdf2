//! Staff decisions. They are kept through every regeneration and may contradict the optimum but no rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Pair;

/// Maximum pairs of an event with a decision.
pub(crate) const MAX_EDITS: usize = 2_000;

/// One decision about one pair; a later decision on the same matter replaces an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The pair must meet.
    Pin,
    /// The pair must not meet.
    Forbid,
    /// Withdraws every decision: the optimisation decides whether the pair meets.
    Free,
    /// The pair must meet in this slot and at this table, both from 0; pins the pair too.
    Lock {
        /// Slot.
        slot: usize,
        /// Table.
        table: u32,
    },
    /// Withdraws the slot and table of a lock; the pin stays.
    Unlock,
}

/// All decisions of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Pair, Decision)>", into = "Vec<(Pair, Decision)>")]
pub struct Edits(pub BTreeMap<Pair, Decision>);

/// Decision in force for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The pair must meet.
    Pinned,
    /// The pair must not meet.
    Forbidden,
    /// The pair must meet in this slot and at this table, both from 0.
    Locked {
        /// Slot.
        slot: usize,
        /// Table.
        table: u32,
    },
}

// === impl Edits ===

impl Edits {
    /// Applies a decision and returns whether anything changed.
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

    /// Decision in force for a pair.
    pub fn of(&self, pair: &Pair) -> Option<Decision> {
        self.0.get(pair).copied()
    }

    /// Returns whether a pair must meet.
    pub fn is_pinned(&self, pair: &Pair) -> bool {
        matches!(self.of(pair), Some(Decision::Pinned | Decision::Locked { .. }))
    }

    /// Returns whether a pair must not meet.
    pub(crate) fn is_forbidden(&self, pair: &Pair) -> bool {
        self.of(pair) == Some(Decision::Forbidden)
    }

    /// Returns the locked slot and table of a pair, both from 0.
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
