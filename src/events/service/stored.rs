//! The event's own document: the event, which plan holds, and what lists show without reading more.

use serde::{Deserialize, Serialize};

use crate::events::model::{Event, Participant, Plan};
use duijie_core::domain::Kind;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// The request that created it, where that had an id.
    #[serde(default)]
    pub request: Option<Request>,
    /// How many take part.
    #[serde(default)]
    pub counts: ParticipantCounts,
    /// The plan that holds; `None` before the first one.
    #[serde(default)]
    pub plan: Option<PlanPointer>,
    /// Number of its writes.
    #[serde(skip)]
    pub version: u64,
}

/// A request that may come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Hash of what it asks for.
    pub hash: String,
}

/// How many take part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantCounts {
    /// Demands that come.
    pub demands: u32,
    /// Achievements that come.
    pub achievements: u32,
    /// Experts who come.
    pub experts: u32,
    /// Participants of all kinds that have called off.
    pub cancelled: u32,
}

/// Where a plan lies, and what lists show of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanPointer {
    /// Number, from 1.
    pub number: u64,
    /// Folder of its parts.
    pub folder: String,
    /// Number of its parts.
    pub parts: u64,
    /// Hash of the whole.
    pub hash: String,
    /// `Event::inputs` that it was made from.
    pub inputs: u64,
    /// `Event::layout` that it was made from.
    pub layout: u64,
    /// Chosen pairs.
    pub pairs: u64,
    /// Meetings.
    pub meetings: u64,
    /// Chosen pairs without a meeting.
    pub unplaced: u64,
    /// Whether it has a schedule.
    pub is_scheduled: bool,
}

// === impl StoredEvent ===

impl StoredEvent {
    /// What a caller shows to change the event as it was seen.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Whether shortlists have to be made again to follow what has changed.
    pub fn is_shortlist_outdated(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.inputs != self.event.inputs)
    }

    /// Whether a schedule has to be made again to follow what has changed.
    pub fn is_schedule_outdated(&self) -> bool {
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
    /// Points at a plan of so many parts.
    pub(super) fn new(plan: &Plan, folder: String, parts: u64, hash: String) -> Self {
        Self {
            number: plan.number,
            folder,
            parts,
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
