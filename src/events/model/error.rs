//! Why a call about an event fails, beyond bad input.

use super::Pair;
use duijie_core::domain::RecordName;

/// Why a call about an event failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// No such event.
    #[error("没有编号为 {0} 的活动")]
    NotFound(String),
    /// The record takes no part.
    #[error("{0} 没有参加该活动")]
    NoParticipant(RecordName),
    /// Nothing was recorded about the pair.
    #[error("没有 {0} 的对接结果")]
    NoOutcome(Box<Pair>),
    /// The pair has no meeting and is on no shortlist, so nothing can have come of it.
    #[error("{0} 不在该活动的洽谈安排中")]
    NoMeeting(Box<Pair>),
    /// There is an event with this id.
    #[error("已有编号为 {0} 的活动")]
    Exists(String),
    /// The `request_id` belongs to another request.
    #[error("request_id 已用于另一内容不同的请求，请换一个")]
    RequestReused,
    /// The event was changed since the caller read it.
    #[error("活动已被他人修改（当前版本 {current}），请重新读取后再试")]
    Stale {
        /// The etag that is stored; empty where it is not known.
        current: String,
    },
    /// The shortlists have to be made first.
    #[error("请先生成对接名单（duijie event shortlist）")]
    NoShortlist,
    /// The shortlists are older than what they are made from.
    #[error("名单生成后规则、参会者或人工指定有变，请先重新生成（duijie event shortlist）")]
    ShortlistOutdated,
    /// The schedule has to be made, or made again, first.
    #[error("尚无洽谈安排，或安排后又有改动，请先排期（duijie event schedule）")]
    ScheduleOutdated,
    /// It cannot be done in this state.
    #[error("活动处于“{state}”状态，不能{what}")]
    WrongState {
        /// The state, in Chinese.
        state: &'static str,
        /// What was asked, in Chinese.
        what: &'static str,
    },
    /// Decisions of the staff and rules exclude each other: a sentence each.
    #[error("人工指定与规则相互矛盾：{}", .0.join("；"))]
    Contradictions(Vec<String>),
    /// Outcomes would be lost.
    #[error("该活动已有 {0} 条对接结果，如确要一并删除请加 --force")]
    HasOutcomes(u64),
    /// More than this service plans at once.
    #[error("活动过大：{0}")]
    TooLarge(String),
}

// === impl EventError ===

impl EventError {
    /// Stable reason in UPPER_SNAKE for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "EVENT_NOT_FOUND",
            Self::NoParticipant(_) => "PARTICIPANT_NOT_FOUND",
            Self::NoOutcome(_) => "OUTCOME_NOT_FOUND",
            Self::NoMeeting(_) => "NOT_PLANNED",
            Self::Exists(_) => "EVENT_EXISTS",
            Self::RequestReused => "REQUEST_ID_REUSED",
            Self::Stale { .. } => "ETAG_STALE",
            Self::NoShortlist => "NO_SHORTLIST",
            Self::ShortlistOutdated => "SHORTLIST_OUTDATED",
            Self::ScheduleOutdated => "SCHEDULE_OUTDATED",
            Self::WrongState { .. } => "WRONG_STATE",
            Self::Contradictions(_) => "CONTRADICTIONS",
            Self::HasOutcomes(_) => "HAS_OUTCOMES",
            Self::TooLarge(_) => "EVENT_TOO_LARGE",
        }
    }

    /// A sentence in English.
    pub fn english(&self) -> String {
        match self {
            Self::NotFound(id) => format!("no event named events/{id}"),
            Self::NoParticipant(name) => format!("{name} takes no part in the event"),
            Self::NoOutcome(pair) => format!("nothing is recorded about {pair}"),
            Self::NoMeeting(pair) => format!("{pair} is not in the plan of the event"),
            Self::Exists(id) => format!("events/{id} exists"),
            Self::RequestReused => "request_id belongs to another request".into(),
            Self::Stale { current } => format!("the event has changed; its etag is now \"{current}\": read it again"),
            Self::NoShortlist => "make the shortlists first".into(),
            Self::ShortlistOutdated => "the shortlists are outdated: make them again first".into(),
            Self::ScheduleOutdated => "there is no schedule, or it is outdated: make it first".into(),
            Self::WrongState { .. } => "not possible in the state of the event".into(),
            Self::Contradictions(all) => format!("decisions of the staff contradict rules in {} places", all.len()),
            Self::HasOutcomes(count) => format!("the event has {count} outcomes: set force to delete them, too"),
            Self::TooLarge(_) => "the event is too large to be planned".into(),
        }
    }
}
