//! What became of a meeting: whether it was held, and what followed.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Pair, PlanVersions};
use duijie_core::domain::{Code, RecordName, hit::Level};

/// Most characters of a note.
pub const MAX_NOTE_CHARS: usize = 500;
/// Steps of the history that are kept, the last ones.
pub const MAX_STEPS: usize = 50;

/// What became of the meeting of a pair, with what it was matched with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who met.
    pub pair: Pair,
    /// Id of the event.
    pub event: String,
    /// Day of the meeting, or the event's first day where it had none.
    pub date: Date,
    /// Whether it was held.
    pub attendance: Attendance,
    /// Who came in the counterpart's place; only with [`Attendance::Replaced`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<RecordName>,
    /// What followed; `None`: nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Who agrees that the other side sees the contact.
    #[serde(default)]
    pub consent: Consent,
    /// Note of the staff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Score of the match, 0 to 1, as planned; `None` where the pair was not in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Level, as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What the match was made with.
    #[serde(default)]
    pub versions: PlanVersions,
    /// City of the demand in six digits; empty where not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Field of the demand in two digits; empty where not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// When it was last recorded.
    pub update_time: Timestamp,
    /// What was recorded before, oldest first, the last [`MAX_STEPS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
}

/// What was recorded at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// Whether the meeting was held.
    pub attendance: Attendance,
    /// What followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// Whether a meeting was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// It is on the schedule.
    #[default]
    Booked,
    /// It took place.
    Held,
    /// Nobody came, or one side only.
    Empty,
    /// Somebody else sat there.
    Replaced,
}

/// What followed a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// An intent was declared.
    Intent,
    /// They negotiate.
    Negotiating,
    /// A contract was signed.
    Signed {
        /// Kind of contract.
        kind: ContractKind,
        /// Amount in whole yuan.
        amount_yuan: i64,
    },
    /// One side does not want to go on.
    Rejected {
        /// Why.
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

/// Why one side does not want to go on, in eight classes, as many as Inpart's "feedback trends" of 2023 have. The first
/// four are those that its public report names (too early, benefit unclear, route unclear, text unclear); the others are
/// ours, since the rest of its list is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Not mature enough.
    TooEarly,
    /// No clear benefit over the technique of today.
    BenefitUnclear,
    /// No clear way to the market.
    RouteUnclear,
    /// The description does not say enough.
    TextUnclear,
    /// Not the field of the organisation.
    NotOurField,
    /// No people or money for it.
    NoResources,
    /// There is a solution already.
    SolvedAlready,
    /// Price, terms or rights do not fit.
    Terms,
}

/// Who agrees that the other side sees the contact.
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
    pub fn of_both(self) -> bool {
        self.demand && self.counterpart
    }
}

// === impl Progress ===

impl Progress {
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
