//! The difference between two re-matching jobs: new, lost, better and worse pairs, with reasons. Pure.
//!
//! Both results are read side by side in the order of the demands, so memory is bounded by one demand. A reason is
//! given only if the stored data supports it. Several reasons may hold at once; otherwise the reason is unknown:
//!
//! - Both results store the revisions of demand and target, so for a pair in both it is known which record changed.
//! - For a pair in only one result, the current record tells when it was created and last changed.
//! - If neither demand, target nor any version differs, other records came or went: they took the place, freed it, or
//!   changed the feedback of the first pass.

mod explain;
mod pairs;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use explain::explain;
pub use pairs::{Step, changes, step};

use duijie_core::domain::{Kind, RecordName, hit::Level};

/// Score difference of a pair, 0 to 1, above which the score counts as moved.
pub const SCORE_STEP: f64 = 0.01;

/// A demand with its pairs in one job.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandResult {
    /// Name of the demand.
    pub demand: RecordName,
    /// Its revision when it was matched.
    pub revision: u64,
    /// Its pairs, best first, each target once.
    pub pairs: Vec<RankedTarget>,
}

/// A pair in one job.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedTarget {
    /// Name of the target.
    pub target: RecordName,
    /// Place in the list.
    pub place: Ranking,
}

/// A target's place in the list of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Rank among the targets of its kind, from 1.
    pub rank: u32,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level; `None` if levels are not known for such pairs.
    pub level: Option<Level>,
    /// Revision of the target when it was matched.
    pub revision: u64,
}

/// Inputs of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Start time.
    pub start: Timestamp,
    /// End time.
    pub end: Timestamp,
    /// Version of the text pipeline with its dictionary.
    pub text: String,
    /// Version of the model.
    pub model: String,
    /// Version of the calibration of the levels.
    pub calibration: String,
    /// Matching settings, as one text.
    pub settings: String,
    /// Kinds of targets, each with the version of its word statistics.
    pub targets: Vec<(Kind, String)>,
    /// Selection of the demands, as one text.
    pub selection: String,
    /// Most targets per demand, minimum level and minimum score, as one text.
    pub limits: String,
    /// Whether there is a minimum level, so that levels decide which targets are listed.
    pub has_min_level: bool,
    /// Whether the job finished; a job that was cancelled, failed or is still running lacks demands.
    pub complete: bool,
}

/// Current state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Revision.
    pub revision: u64,
    /// Whether the record is published and open.
    pub active: bool,
    /// Creation time.
    pub create_time: Option<Timestamp>,
    /// Time of the last change.
    pub update_time: Option<Timestamp>,
}

/// A pair that differs between two jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairChange {
    /// Name of the demand.
    pub demand: RecordName,
    /// Name of the target.
    pub target: RecordName,
    /// Kind of the difference.
    pub change: Change,
    /// Place in the earlier job; `None` for a new pair.
    pub before: Option<Ranking>,
    /// Place in the later job; `None` for a lost pair.
    pub after: Option<Ranking>,
    /// Revision of the demand in the earlier job; `None` if that job lacks the demand.
    pub demand_before: Option<u64>,
    /// Revision of the demand in the later job; `None` if that job lacks the demand.
    pub demand_after: Option<u64>,
}

/// How a pair differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only in the later job.
    New,
    /// Only in the earlier job.
    Lost,
    /// Higher level in the later job.
    Up,
    /// Lower level in the later job.
    Down,
}

/// Why a pair differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeReason {
    /// The demand was first stored after the earlier job began.
    DemandNew,
    /// The demand was deleted or closed.
    DemandGone,
    /// The demand was changed in between.
    DemandChanged,
    /// The target was first stored after the earlier job began.
    TargetNew,
    /// The target was deleted or is no longer published.
    TargetGone,
    /// The target was changed in between.
    TargetChanged,
    /// The text pipeline or the dictionary differs.
    Dictionary,
    /// The model differs.
    Model,
    /// The calibration of the levels differs.
    Calibration,
    /// The matching settings differ.
    Settings,
    /// The term statistics differ.
    Statistics,
    /// The jobs cover different demands, or different kinds of targets.
    Selection,
    /// The limit, the minimum level or the minimum score differs.
    Limits,
    /// One of the jobs did not reach the demand: it was cancelled, failed, or is still running.
    Incomplete,
    /// Neither the pair nor any version differs: other records took the place, freed it, or changed the feedback of the
    /// first pass.
    Others,
    /// The stored data does not tell, for example because a record was changed again after the later job.
    Unknown,
}

/// Totals of a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Demands in both jobs.
    pub demands_in_both: u64,
    /// Demands only in the earlier job.
    pub demands_before: u64,
    /// Demands only in the later job.
    pub demands_after: u64,
    /// Pairs in both jobs with equal levels.
    pub same: u64,
    /// Among `same`: pairs whose score moved by more than [`SCORE_STEP`].
    pub moved: u64,
    /// Changed pairs, in the order of [`Change::ALL`].
    pub changes: [u64; Change::ALL.len()],
    /// Changed pairs per reason, in the order of [`ChangeReason::ALL`]; a pair with several reasons counts for each.
    pub reasons: [u64; ChangeReason::ALL.len()],
}

// === impl Inputs ===

impl Inputs {
    /// Version of the term statistics of a kind; `None` if the job does not cover it.
    pub fn statistics(&self, kind: Kind) -> Option<&str> {
        self.targets.iter().find(|(it, _)| *it == kind).map(|(_, version)| version.as_str())
    }
}

// === impl Change ===

impl Change {
    /// All changes.
    pub const ALL: [Self; 4] = [Self::New, Self::Lost, Self::Up, Self::Down];

    /// Machine-readable key.
    pub fn key(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Lost => "lost",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Label for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::New => "新增",
            Self::Lost => "消失",
            Self::Up => "升级",
            Self::Down => "降级",
        }
    }
}

// === impl ChangeReason ===

impl ChangeReason {
    /// All reasons.
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

    /// Machine-readable key.
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

    /// Label for users.
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
    pub fn count(&mut self, change: Change, reasons: &[ChangeReason]) {
        let count = |counts: &mut [u64], place: Option<usize>| {
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        };
        count(&mut self.changes, Change::ALL.iter().position(|it| *it == change));
        for reason in reasons {
            count(&mut self.reasons, ChangeReason::ALL.iter().position(|it| it == reason));
        }
    }
}
