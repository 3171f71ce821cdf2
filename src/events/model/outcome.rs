//! Outcomes of meetings: attendance and progress.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Pair, PlanVersions};
use duijie_core::domain::{Code, RecordName, hit::Level};

/// Maximum characters of a note.
pub(crate) const MAX_NOTE_CHARS: usize = 500;
/// Maximum steps of history; the last ones are kept.
pub const MAX_STEPS: usize = 50;

/// Outcome of the meeting of a pair, with the figures of the match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The pair.
    pub pair: Pair,
    /// Id of the event.
    pub event: String,
    /// Date of the meeting; the event's first day for a pair without a meeting.
    pub date: Date,
    /// Whether the meeting was held.
    pub attendance: Attendance,
    /// Record that replaced the counterpart; only with [`Attendance::Replaced`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<RecordName>,
    /// Progress after the meeting; `None`: none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<OutcomeProgress>,
    /// Consent of each side to show its contact.
    #[serde(default)]
    pub consent: Consent,
    /// Note of the staff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Planned score of the match, 0 to 1; `None` if the pair was not in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Planned level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Versions that the match was computed with.
    #[serde(default)]
    pub versions: PlanVersions,
    /// City of the demand, six digits; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Field of the demand, two digits; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Time of the last recording.
    pub update_time: Timestamp,
    /// Earlier recordings, oldest first, the last [`MAX_STEPS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
}

/// An earlier recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Time of the recording.
    pub time: Timestamp,
    /// Whether the meeting was held.
    pub attendance: Attendance,
    /// Progress after the meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<OutcomeProgress>,
}

/// Whether a meeting was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// On the schedule; not yet reported.
    #[default]
    Booked,
    /// Took place.
    Held,
    /// Did not take place: nobody came, or only one side.
    Empty,
    /// Took place with a replacement for the counterpart.
    Replaced,
}

/// Progress after a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeProgress {
    /// An intent was declared.
    Intent,
    /// Negotiations are under way.
    Negotiating,
    /// A contract was signed.
    Signed {
        /// Kind of contract.
        kind: ContractKind,
        /// Amount in whole yuan.
        amount_yuan: i64,
    },
    /// One side declined to continue.
    Rejected {
        /// Reason for the rejection.
        reason: Rejection,
    },
}

/// Kind of a technology contract (技术合同).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// 技术开发.
    Development,
    /// 技术转让.
    Transfer,
    /// 技术许可.
    License,
    /// 技术咨询.
    Consulting,
    /// 技术服务.
    Service,
}

/// Reason one side declined to continue, in eight classes, as in Inpart's "feedback trends" of 2023. Its public report
/// names the first four (too early, benefit unclear, route unclear, text unclear). The others are ours, since the rest
/// of its list is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The technology is not mature enough.
    TooEarly,
    /// The benefit over current technology is unclear.
    BenefitUnclear,
    /// The route to market is unclear.
    RouteUnclear,
    /// The description is not clear enough.
    TextUnclear,
    /// Outside the field of the organisation.
    NotOurField,
    /// No people or budget available.
    NoResources,
    /// The problem is solved already.
    SolvedAlready,
    /// Price, terms or rights are not acceptable.
    Terms,
}

/// Consent of each side to show its contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// The demand's side.
    pub demand: bool,
    /// The counterpart's side.
    pub counterpart: bool,
}

// === impl Outcome ===

impl Outcome {
    /// Keeps what was recorded until now in the history.
    pub fn remember(&mut self, before: &Self) {
        self.history.clone_from(&before.history);
        if (before.attendance, before.progress) == (self.attendance, self.progress) {
            return;
        }
        let step = Step { time: before.update_time, attendance: before.attendance, progress: before.progress };
        self.history.push(step);
        let surplus = self.history.len().saturating_sub(MAX_STEPS);
        self.history.drain(..surplus);
    }

    /// Quarter of the meeting, such as `2026Q4`.
    pub fn quarter(&self) -> String {
        format!("{}Q{}", self.date.year(), (self.date.month() + 2) / 3)
    }
}

// === impl Consent ===

impl Consent {
    /// Whether both agree.
    pub(crate) fn of_both(self) -> bool {
        self.demand && self.counterpart
    }
}

// === impl Progress ===

impl OutcomeProgress {
    /// For machines.
    pub fn key(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Negotiating => "negotiating",
            Self::Signed { .. } => "signed",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Intent => "达成意向",
            Self::Negotiating => "洽谈中",
            Self::Signed { .. } => "已签约",
            Self::Rejected { .. } => "未成",
        }
    }
}

impl Code for Attendance {
    const NAME: &'static str = "到会情况";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Booked, &["已预约", "booked"]),
        (Self::Held, &["已洽谈", "held"]),
        (Self::Empty, &["空场", "empty"]),
        (Self::Replaced, &["已替换", "replaced"]),
    ];
}

impl Code for ContractKind {
    const NAME: &'static str = "技术合同类型";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Development, &["技术开发", "开发", "development"]),
        (Self::Transfer, &["技术转让", "转让", "transfer"]),
        (Self::License, &["技术许可", "许可", "license"]),
        (Self::Consulting, &["技术咨询", "咨询", "consulting"]),
        (Self::Service, &["技术服务", "服务", "service"]),
    ];
}

impl Code for Rejection {
    const NAME: &'static str = "未成原因";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::TooEarly, &["成熟度不够", "too_early"]),
        (Self::BenefitUnclear, &["优势不明确", "benefit_unclear"]),
        (Self::RouteUnclear, &["产业化路径不明确", "route_unclear"]),
        (Self::TextUnclear, &["材料说明不清", "text_unclear"]),
        (Self::NotOurField, &["不属于本单位方向", "not_our_field"]),
        (Self::NoResources, &["没有人力或预算", "no_resources"]),
        (Self::SolvedAlready, &["已有解决方案", "solved_already"]),
        (Self::Terms, &["价格、条件或知识产权谈不拢", "terms"]),
    ];
}
