//! Errors of events as refusals, so that [`Error`] knows nothing of events.

use crate::{
    error::{Error, Refusal, RefusalKind},
    events::model::EventError,
};

impl From<EventError> for Refusal {
    fn from(error: EventError) -> Self {
        let metadata = match &error {
            EventError::Stale { current } => vec![("etag", current.clone())],
            _ => Vec::new(),
        };
        Self {
            kind: kind(&error),
            reason: error.reason(),
            english: error.english(),
            chinese: error.to_string(),
            metadata,
        }
    }
}

impl From<EventError> for Error {
    fn from(error: EventError) -> Self {
        Self::Refused(error.into())
    }
}

fn kind(error: &EventError) -> RefusalKind {
    match error {
        EventError::NotFound(_) | EventError::NoParticipant(_) | EventError::NoOutcome(_) => RefusalKind::NotFound,
        EventError::Exists(_) | EventError::RequestReused => RefusalKind::AlreadyExists,
        EventError::Stale { .. } => RefusalKind::Aborted,
        EventError::TooLarge(_) => RefusalKind::TooLarge,
        EventError::NoMeeting(_)
        | EventError::NoShortlist
        | EventError::ShortlistOutdated
        | EventError::ScheduleOutdated
        | EventError::WrongState { .. }
        | EventError::Contradictions(_)
        | EventError::HasOutcomes(_) => RefusalKind::FailedPrecondition,
    }
}
