//! The only place that makes a gRPC status. Each status carries `ErrorInfo` and a sentence in Chinese; invalid input
//! adds all violations.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Error, RefusalKind};

/// Domain of the reasons in `ErrorInfo`.
const DOMAIN: &str = "duijie";

/// Converts an error to a status. Details of internal errors go to the log only.
pub fn status(error: &Error) -> Status {
    let (code, reason, message) = match error {
        Error::Invalid(violations) => {
            let text = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            (Code::InvalidArgument, "INVALID_ARGUMENT", text)
        }
        Error::NotFound(name) => (Code::NotFound, "RECORD_NOT_FOUND", format!("no record named {name}")),
        Error::NoSuchJob(name) => (Code::NotFound, "JOB_NOT_FOUND", format!("no job named {name}")),
        Error::NoSuchSubscription(id) => {
            (Code::NotFound, "SUBSCRIPTION_NOT_FOUND", format!("no subscription with the id {id}"))
        }
        Error::Stopping => (Code::Unavailable, "STOPPING", "the service stops, go on by the token".into()),
        Error::StreamCut => (Code::Aborted, "STREAM_CUT", "the stream was cut before its end, ask again".into()),
        Error::Refused(refusal) => (refusal_code(refusal.kind), refusal.reason, refusal.english.clone()),
        Error::Busy { .. } => (Code::ResourceExhausted, "BUSY", "too many calls wait, try again later".into()),
        Error::DeadlineExceeded => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline has passed".into()),
        Error::Unavailable(_) => (Code::Unavailable, "UNAVAILABLE", "engine or model do not answer".into()),
        Error::Internal(_) => (Code::Internal, "INTERNAL", "internal error".into()),
    };
    if let Error::Unavailable(what) | Error::Internal(what) = error {
        tracing::error!(reason, what, "call failed");
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, metadata(error));
    let chinese = match error {
        Error::Unavailable(_) => "服务暂不可用，请稍后重试".to_string(),
        Error::Internal(_) => "内部错误，请联系管理员查看日志".to_string(),
        other => other.to_string(),
    };
    details.set_localized_message("zh-CN", chinese);
    match error {
        Error::Invalid(violations) => {
            for violation in violations {
                details.add_bad_request_violation(&violation.field, violation.problem.to_string());
            }
        }
        Error::Busy { retry_ms } => drop(details.set_retry_info(Some(Duration::from_millis(*retry_ms)))),
        _ => {}
    }
    Status::with_error_details(code, message, details)
}

fn refusal_code(kind: RefusalKind) -> Code {
    match kind {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::AlreadyExists => Code::AlreadyExists,
        RefusalKind::Aborted => Code::Aborted,
        RefusalKind::FailedPrecondition => Code::FailedPrecondition,
        RefusalKind::TooLarge => Code::ResourceExhausted,
    }
}

fn metadata(error: &Error) -> HashMap<String, String> {
    match error {
        Error::NotFound(name) => HashMap::from([("name".to_string(), name.to_string())]),
        Error::NoSuchJob(name) => HashMap::from([("name".to_string(), name.clone())]),
        Error::NoSuchSubscription(id) => HashMap::from([("id".to_string(), id.clone())]),
        Error::Refused(refusal) => {
            refusal.metadata.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect()
        }
        Error::Invalid(violations) => {
            let reasons = violations.iter().map(|violation| violation.problem.reason());
            HashMap::from([("violations".to_string(), reasons.collect::<Vec<_>>().join(","))])
        }
        _ => HashMap::new(),
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::EventError;
    use duijie_core::domain::{Problem, Violation};

    #[test]
    fn every_error_has_a_code_a_reason_and_a_sentence() {
        let violations = vec![
            Violation::new("common.id", Problem::Required),
            Violation::new("common.title", Problem::TooLong { max_chars: 200 }),
        ];
        let rows = [
            (Error::Invalid(violations), Code::InvalidArgument, "INVALID_ARGUMENT"),
            (Error::NotFound("demands/d1".parse().unwrap()), Code::NotFound, "RECORD_NOT_FOUND"),
            (Error::NoSuchJob("rematch/jobs/0".into()), Code::NotFound, "JOB_NOT_FOUND"),
            (Error::NoSuchSubscription("s-1".into()), Code::NotFound, "SUBSCRIPTION_NOT_FOUND"),
            (Error::Stopping, Code::Unavailable, "STOPPING"),
            (Error::StreamCut, Code::Aborted, "STREAM_CUT"),
            (EventError::NotFound("a".into()).into(), Code::NotFound, "EVENT_NOT_FOUND"),
            (EventError::Exists("a".into()).into(), Code::AlreadyExists, "EVENT_EXISTS"),
            (EventError::Stale { current: "3".into() }.into(), Code::Aborted, "ETAG_STALE"),
            (EventError::NoShortlist.into(), Code::FailedPrecondition, "NO_SHORTLIST"),
            (EventError::TooLarge("x".into()).into(), Code::ResourceExhausted, "EVENT_TOO_LARGE"),
            (Error::Busy { retry_ms: 50 }, Code::ResourceExhausted, "BUSY"),
            (Error::DeadlineExceeded, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Error::Unavailable("secret".into()), Code::Unavailable, "UNAVAILABLE"),
            (Error::Internal("secret".into()), Code::Internal, "INTERNAL"),
        ];
        for (error, code, reason) in rows {
            let status = status(&error);
            let details = status.get_error_details();
            assert_eq!(status.code(), code);
            assert_eq!(
                details.error_info().map(|info| (info.reason.as_str(), info.domain.as_str())),
                Some((reason, DOMAIN))
            );
            assert!(details.localized_message().is_some_and(|message| !message.message.contains("secret")));
            assert!(!status.message().contains("secret"));
            match error {
                Error::Invalid(violations) => {
                    let fields: Vec<_> =
                        details.bad_request().unwrap().field_violations.iter().map(|v| v.field.clone()).collect();
                    assert_eq!(fields, violations.iter().map(|v| v.field.clone()).collect::<Vec<_>>());
                }
                Error::Busy { .. } => assert!(details.retry_info().is_some()),
                _ => {}
            }
        }
    }
}
