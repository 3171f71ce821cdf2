//! Chosen pairs without a meeting, with causes.

use serde::{Deserialize, Serialize};

use super::Pair;

/// A chosen pair without a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredUnplaced")]
pub struct Unplaced {
    /// The pair.
    pub pair: Pair,
    /// Cause.
    pub cause: UnplacedCause,
}

/// Why a pair has no meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnplacedCause {
    /// One person would sit on both sides.
    SamePerson,
    /// The two are never available in the same slot.
    NoCommonSlot,
    /// All common slots are over.
    SlotsOver,
    /// Only earlier pairs were kept.
    NotRefilled,
    /// Every common slot is blocked.
    Blocked(BlockedSlots),
}

/// Common slots of a pair, each counted once by what blocks it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedSlots {
    /// All common slots.
    pub slots: u32,
    /// The demand side has another meeting.
    pub demand_busy: u32,
    /// The counterpart side has another meeting.
    pub counterpart_busy: u32,
    /// Too few people of one side.
    pub presenter_busy: u32,
    /// All usable tables are taken.
    pub tables_taken: u32,
}

/// The stored form, now and before causes had a type.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredUnplaced {
    Now { pair: Pair, cause: UnplacedCause },
    Before { pair: Pair, code: String, reason: String },
}

// === impl Unplaced ===

impl From<StoredUnplaced> for Unplaced {
    fn from(stored: StoredUnplaced) -> Self {
        match stored {
            StoredUnplaced::Now { pair, cause } => Self { pair, cause },
            StoredUnplaced::Before { pair, code, reason } => {
                let cause = match code.as_str() {
                    "SAME_PERSON" => UnplacedCause::SamePerson,
                    "NO_COMMON_SLOT" => UnplacedCause::NoCommonSlot,
                    "SLOTS_OVER" => UnplacedCause::SlotsOver,
                    "NOT_REFILLED" => UnplacedCause::NotRefilled,
                    _ => UnplacedCause::Blocked(BlockedSlots::read(&reason)),
                };
                Self { pair, cause }
            }
        }
    }
}

// === impl UnplacedCause ===

impl UnplacedCause {
    /// Returns the stable code, as on the wire without its prefix.
    pub fn code(self) -> &'static str {
        match self {
            Self::SamePerson => "SAME_PERSON",
            Self::NoCommonSlot => "NO_COMMON_SLOT",
            Self::SlotsOver => "SLOTS_OVER",
            Self::NotRefilled => "NOT_REFILLED",
            Self::Blocked(_) => "BLOCKED",
        }
    }

    /// Returns the cause in Chinese.
    pub fn chinese(self) -> String {
        match self {
            Self::SamePerson => "双方由同一人到场".into(),
            Self::NoCommonSlot => "双方没有共同的时段".into(),
            Self::SlotsOver => "双方共同的时段都已结束".into(),
            Self::NotRefilled => "只保留原有安排，不增补".into(),
            Self::Blocked(blocked) => blocked.chinese(),
        }
    }
}

// === impl BlockedSlots ===

impl BlockedSlots {
    fn rows(self) -> [(u32, &'static str); 4] {
        [
            (self.demand_busy, "需求方另有洽谈"),
            (self.counterpart_busy, "供给方另有洽谈"),
            (self.presenter_busy, "到场人员不够"),
            (self.tables_taken, "可用的桌已满"),
        ]
    }

    fn chinese(self) -> String {
        let said = self.rows().into_iter().filter(|(count, _)| 0 < *count);
        let said: Vec<String> = said.map(|(count, what)| format!("{what} {count} 个")).collect();
        format!("双方共同的 {} 个时段都排不下：{}", self.slots, said.join("，"))
    }

    /// Reads the counts from a sentence of [`BlockedSlots::chinese`].
    fn read(sentence: &str) -> Self {
        let after = |words: &str| {
            let (_, rest) = sentence.split_once(words)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        let [demand_busy, counterpart_busy, presenter_busy, tables_taken] =
            Self::default().rows().map(|(_, what)| after(what).unwrap_or_default());
        let slots = after("双方共同的").unwrap_or_default();
        Self { slots, demand_busy, counterpart_busy, presenter_busy, tables_taken }
    }
}
