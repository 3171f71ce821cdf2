//! Errors of calls about events, other than invalid input.

use super::Pair;
use duijie_core::domain::RecordName;

/// Error of a call about an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// No such event.
    #[error("没有编号为 {0} 的活动")]
    NotFound(String),
    /// The record is not a participant.
    #[error("{0} 没有参加该活动")]
    NoParticipant(RecordName),
    /// No outcome is recorded for the pair.
    #[error("没有 {0} 的对接结果")]
    NoOutcome(Box<Pair>),
    /// The pair has no meeting and is on no shortlist, so it can have no outcome.
    #[error("{0} 不在该活动的洽谈安排中")]
    NoMeeting(Box<Pair>),
    /// The event id is taken.
    #[error("已有编号为 {0} 的活动")]
    Exists(String),
    /// The `request_id` belongs to another request.
    #[error("request_id 已用于另一内容不同的请求，请换一个")]
    RequestReused,
    /// The event has changed since the caller's etag.
    #[error("活动已被他人修改（当前版本 {current}），请重新读取后再试")]
    Stale {
        /// The stored etag; empty if unknown.
        current: String,
    },
    /// There is no shortlist yet.
    #[error("请先生成对接名单（duijie event shortlist）")]
    NoShortlist,
    /// Inputs of the shortlists have changed since.
    #[error("名单生成后规则、参会者或人工指定有变，请先重新生成（duijie event shortlist）")]
    ShortlistOutdated,
    /// There is no current schedule.
    #[error("尚无洽谈安排，或安排后又有改动，请先排期（duijie event schedule）")]
    ScheduleOutdated,
    /// Not permitted in the event's state.
    #[error("活动处于“{state}”状态，不能{what}")]
    WrongState {
        /// The state, in Chinese.
        state: &'static str,
        /// The requested operation, in Chinese.
        what: &'static str,
    },
    /// Staff decisions and rules contradict each other: one sentence per contradiction.
    #[error("人工指定与规则相互矛盾：{}", .0.join("；"))]
    Contradictions(Vec<String>),
    /// The event has outcomes, which would be lost.
    #[error("该活动已有 {0} 条对接结果，如确要一并删除请加 --force")]
    HasOutcomes(u64),
    /// The event is too large to plan.
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

    /// Returns a sentence in English.
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
