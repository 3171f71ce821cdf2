//! The event's own document: the event, the pointer to its current plan, and the counts shown in lists.

use serde::{Deserialize, Serialize};

use crate::events::model::{Event, Participant, Plan};
use duijie_core::domain::Kind;

/// A stored event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// The request that created the event, if it had an idempotency key.
    #[serde(default)]
    pub request: Option<Request>,
    /// Numbers of participants.
    #[serde(default)]
    pub counts: ParticipantCounts,
    /// Pointer to the current plan; `None` before the first one.
    #[serde(default)]
    pub plan: Option<PlanPointer>,
    /// Version: the number of writes.
    #[serde(skip)]
    pub version: u64,
}

/// A request that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Idempotency key.
    pub id: String,
    /// Hash of the content.
    pub hash: String,
}

/// Numbers of participants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantCounts {
    /// Active demands.
    pub demands: u32,
    /// Active achievements.
    pub achievements: u32,
    /// Active experts.
    pub experts: u32,
    /// Cancelled participants of all kinds.
    pub cancelled: u32,
}

/// Place of a plan, with its counts shown in lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanPointer {
    /// Number, from 1.
    pub number: u64,
    /// Folder of its parts.
    pub folder: String,
    /// Number of its parts, the head included.
    pub parts: u64,
    /// How it is stored.
    #[serde(default)]
    pub form: PlanForm,
    /// Hash of the head, which holds the hashes of the pieces; of a whole text, its hash.
    pub hash: String,
    /// `Event::inputs` at the time of the shortlists.
    pub inputs: u64,
    /// `Event::layout` at the time of the schedule.
    pub layout: u64,
    /// Chosen pairs.
    pub pairs: u64,
    /// Scheduled meetings.
    pub meetings: u64,
    /// Chosen pairs without a meeting.
    pub unplaced: u64,
    /// Whether the plan has a schedule.
    pub is_scheduled: bool,
}

/// How a plan is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanForm {
    /// One text, cut at any character. Nothing writes this form any more.
    #[default]
    Whole,
    /// A head and the pieces of the lists.
    Pieces,
}

// === impl StoredEvent ===

impl StoredEvent {
    /// Returns the etag.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Returns whether inputs of the shortlists have changed since the plan.
    pub(crate) fn is_shortlist_outdated(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.inputs != self.event.inputs)
    }

    /// Returns whether inputs of the schedule have changed since the plan.
    pub(crate) fn is_schedule_outdated(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.layout != self.event.layout || plan.inputs != self.event.inputs)
    }
}

// === impl ParticipantCounts ===

impl ParticipantCounts {
    /// Counts participants.
    pub fn of(participants: &[Participant]) -> Self {
        let mut counts = Self::default();
        for participant in participants {
            let count = match (participant.is_active(), participant.record.kind) {
                (false, _) => &mut counts.cancelled,
                (true, Kind::Demand) => &mut counts.demands,
                (true, Kind::Achievement) => &mut counts.achievements,
                (true, Kind::Expert) => &mut counts.experts,
            };
            *count += 1;
        }
        counts
    }
}

// === impl PlanPointer ===

impl PlanPointer {
    /// Creates a pointer to a plan with the given number of parts.
    pub(super) fn new(plan: &Plan, folder: String, parts: u64, hash: String) -> Self {
        Self {
            number: plan.number,
            folder,
            parts,
            form: PlanForm::Pieces,
            hash,
            inputs: plan.inputs,
            layout: plan.layout,
            pairs: plan.shortlist.len() as u64,
            meetings: plan.meetings.len() as u64,
            unplaced: plan.unplaced.len() as u64,
            is_scheduled: plan.schedule.is_some(),
        }
    }
}
