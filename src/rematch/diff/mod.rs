//! The difference between two jobs of re-matching: which pairs are new, lost, better or worse, and why. Pure.
//!
//! Both results are gone through side by side in the order of the demands, so memory is bounded by one demand. A reason is
//! given only where what is stored bears it out; several may hold at once, and what cannot be known is said to be unknown:
//!
//! - revisions of demand and target stand in both results, so for a pair that both have it is known what changed;
//! - of a pair that only one result has, the record as it is now tells when it was made and last changed;
//! - where neither demand nor target nor any version differs, others came or went: they took the place, gave it free, or
//!   moved what the query learns from.

mod explain;
mod pairs;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use explain::explain;
pub use pairs::{Step, changes, step};

use duijie_core::domain::{Kind, RecordName, hit::Level};

/// Difference of two scores of a pair, 0 to 1, above which the score counts as moved.
pub const SCORE_STEP: f64 = 0.01;

/// A demand with its pairs, as one job has it.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandResult {
    /// The demand.
    pub demand: RecordName,
    /// Its revision when it was matched.
    pub revision: u64,
    /// Its pairs, best first, each target once.
    pub pairs: Vec<Pair>,
}

/// A pair, as one job has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The target.
    pub target: RecordName,
    /// Where it stands.
    pub place: Place,
}

/// Where a target stands in the list of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Place among the targets of its kind, from 1.
    pub rank: u32,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level; `None` where none is known for such pairs.
    pub level: Option<Level>,
    /// Revision of the target when it was matched.
    pub revision: u64,
}

/// What a job was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Version of the text pipeline with its dictionary.
    pub text: String,
    /// Version of the model.
    pub model: String,
    /// Version of the calibration of the levels.
    pub calibration: String,
    /// Settings of matching, as one text.
    pub settings: String,
    /// Kinds of targets, each with the version of its word statistics.
    pub targets: Vec<(Kind, String)>,
    /// Which demands, as one text.
    pub selection: String,
    /// Most targets of each demand, least level and least score, as one text.
    pub limits: String,
    /// Whether there is a least level, so that levels decide what is in the list.
    pub has_least_level: bool,
    /// Whether it reached its end: one that was cancelled, failed or still runs lacks demands.
    pub complete: bool,
}

/// A record as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Revision.
    pub revision: u64,
    /// Whether it is published and open.
    pub active: bool,
    /// When it was first stored.
    pub create_time: Option<Timestamp>,
    /// When it was last changed.
    pub update_time: Option<Timestamp>,
}

/// A pair that differs between two jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairChange {
    /// The demand.
    pub demand: RecordName,
    /// The target.
    pub target: RecordName,
    /// How it differs.
    pub change: Change,
    /// Where it stood in the earlier job; `None` for a new pair.
    pub before: Option<Place>,
    /// Where it stands in the later job; `None` for a lost pair.
    pub after: Option<Place>,
    /// Revision of the demand in the earlier job; `None` where that has no such demand.
    pub demand_before: Option<u64>,
    /// Revision of the demand in the later job; `None` where that has no such demand.
    pub demand_after: Option<u64>,
}

/// How a pair differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only the later job has it.
    New,
    /// Only the earlier job has it.
    Lost,
    /// Its level is higher in the later job.
    Up,
    /// Its level is lower in the later job.
    Down,
}

/// Why a pair differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The demand was first stored after the earlier job had begun.
    DemandNew,
    /// The demand is gone or no longer open.
    DemandGone,
    /// The demand was changed in between.
    DemandChanged,
    /// The target was first stored after the earlier job had begun.
    TargetNew,
    /// The target is gone or no longer published.
    TargetGone,
    /// The target was changed in between.
    TargetChanged,
    /// Text pipeline or dictionary are another.
    Dictionary,
    /// The model is another.
    Model,
    /// The calibration of the levels is another.
    Calibration,
    /// The settings of matching are others.
    Settings,
    /// The word statistics are others.
    Statistics,
    /// The jobs are about other demands, or other kinds of targets.
    Selection,
    /// Limit, least level or least score are others.
    Limits,
    /// One of the jobs has not come to the demand: it was cancelled, failed, or still runs.
    Incomplete,
    /// Neither the pair nor any version differs: other records took the place, gave it free, or moved what the query
    /// learns from.
    Others,
    /// Nothing that is stored tells, as where a record was changed again after the later job.
    Unknown,
}

/// How much differs between two jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Demands that both have.
    pub demands_in_both: u64,
    /// Demands that only the earlier one has.
    pub demands_before: u64,
    /// Demands that only the later one has.
    pub demands_after: u64,
    /// Pairs that both have with one level.
    pub same: u64,
    /// Those of them whose score moved by more than [`SCORE_STEP`].
    pub moved: u64,
    /// Changed pairs, in the order of [`Change::ALL`].
    pub changes: [u64; Change::ALL.len()],
    /// Changed pairs for each reason, in the order of [`Reason::ALL`]; a pair with several counts for each.
    pub reasons: [u64; Reason::ALL.len()],
}

// === impl Inputs ===

impl Inputs {
    /// Version of the word statistics of a kind; `None` where the job is not about it.
    pub fn statistics(&self, kind: Kind) -> Option<&str> {
        self.targets.iter().find(|(it, _)| *it == kind).map(|(_, version)| version.as_str())
    }
}

// === impl Change ===

impl Change {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::New, Self::Lost, Self::Up, Self::Down];

    /// Key for machines.
    pub fn key(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Lost => "lost",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// What users call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::New => "新增",
            Self::Lost => "消失",
            Self::Up => "升级",
            Self::Down => "降级",
        }
    }
}

// === impl Reason ===

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::DemandNew,
        Self::DemandGone,
        Self::DemandChanged,
        Self::TargetNew,
        Self::TargetGone,
        Self::TargetChanged,
        Self::Dictionary,
        Self::Model,
        Self::Calibration,
        Self::Settings,
        Self::Statistics,
        Self::Selection,
        Self::Limits,
        Self::Incomplete,
        Self::Others,
        Self::Unknown,
    ];

    /// Key for machines.
    pub fn key(self) -> &'static str {
        match self {
            Self::DemandNew => "demand_new",
            Self::DemandGone => "demand_gone",
            Self::DemandChanged => "demand_changed",
            Self::TargetNew => "target_new",
            Self::TargetGone => "target_gone",
            Self::TargetChanged => "target_changed",
            Self::Dictionary => "dictionary",
            Self::Model => "model",
            Self::Calibration => "calibration",
            Self::Settings => "settings",
            Self::Statistics => "statistics",
            Self::Selection => "selection",
            Self::Limits => "limits",
            Self::Incomplete => "incomplete",
            Self::Others => "others",
            Self::Unknown => "unknown",
        }
    }

    /// What users read.
    pub fn label(self) -> &'static str {
        match self {
            Self::DemandNew => "需求为新增",
            Self::DemandGone => "需求已删除或不再公开",
            Self::DemandChanged => "需求有改动",
            Self::TargetNew => "对象为新增",
            Self::TargetGone => "对象已删除或不再公开",
            Self::TargetChanged => "对象有改动",
            Self::Dictionary => "词典或文本处理不同",
            Self::Model => "模型不同",
            Self::Calibration => "级别校准不同",
            Self::Settings => "匹配设置不同",
            Self::Statistics => "词频统计不同",
            Self::Selection => "任务范围不同",
            Self::Limits => "任务的条数或级别要求不同",
            Self::Incomplete => "任务未做完",
            Self::Others => "其他记录占去或让出了位次",
            Self::Unknown => "原因无法确定（记录后来可能又有改动）",
        }
    }
}

// === impl Totals ===

impl Totals {
    /// Counts one changed pair.
    pub fn count(&mut self, change: Change, reasons: &[Reason]) {
        let count = |counts: &mut [u64], place: Option<usize>| {
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        };
        count(&mut self.changes, Change::ALL.iter().position(|it| *it == change));
        for reason in reasons {
            count(&mut self.reasons, Reason::ALL.iter().position(|it| it == reason));
        }
    }
}
