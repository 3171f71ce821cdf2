//! The only place that makes a gRPC status. Each status carries `ErrorInfo` and a sentence in Chinese; invalid input
//! adds all violations.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Error, RefusalKind};
use duijie_core::domain::{Violation, Violations};

/// Domain of the reasons in `ErrorInfo`.
const DOMAIN: &str = "duijie";

// Clients and proxies take 8 KiB of headers in all. The details travel in base64 and the message percent-encoded, so
// their sizes here are those of less than half of that.

/// Maximum bytes of the encoded details: less than 4 KiB in base64.
const MAX_DETAILS: usize = 3_000;
/// Maximum bytes of the message.
const MAX_MESSAGE: usize = 320;
/// Maximum bytes of the Chinese message.
const MAX_LOCALIZED: usize = 480;
/// Maximum bytes of a name or another value from outside.
const MAX_VALUE: usize = 120;
/// Bytes kept for the number of violations that are not listed.
const MAX_MORE: usize = 80;
/// Bytes of the encoded details without any text of ours: type names and lengths.
const FRAME: usize = 300;
/// Bytes of an entry of a list besides its texts.
const ENTRY: usize = 10;

/// Converts an error to a status. Details of internal errors go to the log only.
pub fn status(error: &Error) -> Status {
    let (code, reason, message) = match error {
        Error::Invalid(violations) => (Code::InvalidArgument, "INVALID_ARGUMENT", english(violations)),
        Error::NotFound(name) => (Code::NotFound, "RECORD_NOT_FOUND", format!("no record named {name}")),
        Error::NoSuchJob(name) => (Code::NotFound, "JOB_NOT_FOUND", format!("no job named {name}")),
        Error::NoSuchSubscription(id) => {
            (Code::NotFound, "SUBSCRIPTION_NOT_FOUND", format!("no subscription with the id {id}"))
        }
        Error::Stopping => (Code::Unavailable, "STOPPING", "the service stops, go on by the token".into()),
        Error::StreamCut => (Code::Aborted, "STREAM_CUT", "the stream was cut before its end, ask again".into()),
        Error::TooSlow => {
            (Code::DeadlineExceeded, "REQUEST_TOO_SLOW", "the request did not come whole within its time".into())
        }
        Error::MessageTooLarge { max } => {
            let message = format!("a message is larger than {max} bytes once unpacked, send less at a time");
            (Code::OutOfRange, "MESSAGE_TOO_LARGE", message)
        }
        Error::Refused(refusal) => (refusal_code(refusal.kind), refusal.reason, refusal.english.clone()),
        Error::Busy { .. } => (Code::ResourceExhausted, "BUSY", "too many calls wait, try again later".into()),
        Error::DeadlineExceeded => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline has passed".into()),
        Error::Unavailable(_) => (Code::Unavailable, "UNAVAILABLE", "engine or model do not answer".into()),
        Error::NodesAway { nodes, .. } => {
            (Code::Unavailable, "UNAVAILABLE", format!("Qdrant nodes do not answer: {nodes}"))
        }
        Error::Internal(_) => (Code::Internal, "INTERNAL", "internal error".into()),
    };
    if let Error::Unavailable(what) | Error::NodesAway { what, .. } | Error::Internal(what) = error {
        tracing::error!(reason, what, "call failed");
    }
    let message = cut(&message, MAX_MESSAGE);
    let chinese = match error {
        Error::Unavailable(_) => "服务暂不可用，请稍后重试".to_string(),
        Error::Internal(_) => "内部错误，请联系管理员查看日志".to_string(),
        Error::Invalid(violations) => chinese(violations),
        other => other.to_string(),
    };
    let chinese = cut(&chinese, MAX_LOCALIZED);
    let room = MAX_DETAILS.saturating_sub(FRAME + message.len() + chinese.len());
    let mut details = ErrorDetails::new();
    details.set_localized_message("zh-CN", chinese);
    let mut metadata = metadata(error);
    match error {
        Error::Invalid(violations) => {
            metadata.extend(list(violations, room, &mut details));
        }
        Error::Busy { retry_ms } => drop(details.set_retry_info(Some(Duration::from_millis(*retry_ms)))),
        _ => {}
    }
    details.set_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}

/// UNIMPLEMENTED for a compression that is none of `taken`, which the answer names as gRPC wants it.
pub(crate) fn unknown_encoding(taken: &[&'static str]) -> Status {
    let mut status = Status::unimplemented(format!("unknown grpc-encoding: this service takes {}", taken.join(", ")));
    if let Ok(taken) = taken.join(",").parse() {
        status.metadata_mut().insert("grpc-accept-encoding", taken);
    }
    status
}

/// Lists as many violations in the details as have room; returns the metadata about them.
fn list(violations: &Violations, mut room: usize, details: &mut ErrorDetails) -> [(String, String); 2] {
    let mut reasons = Vec::new();
    for violation in violations.iter() {
        let (field, problem) = (cut(&violation.field, MAX_VALUE), violation.problem.to_string());
        let reason = violation.problem.reason();
        match room.checked_sub(field.len() + problem.len() + reason.len() + ENTRY) {
            Some(rest) => room = rest,
            None => break,
        }
        details.add_bad_request_violation(field, problem);
        reasons.push(reason);
    }
    let count = violations.count().to_string();
    [("violations".to_string(), reasons.join(",")), ("violation_count".to_string(), count)]
}

/// The first violations in English, and how many more there are.
fn english(violations: &Violations) -> String {
    let (said, more) = first(violations, MAX_MESSAGE - MAX_MORE, |it| it.to_string());
    match more {
        0 => said.join("; "),
        more => format!("{}; and {more} more", said.join("; ")),
    }
}

/// The first violations in Chinese, and how many more there are.
fn chinese(violations: &Violations) -> String {
    let say = |it: &Violation| format!("{} {}", it.field, it.problem.chinese());
    let (said, more) = first(violations, MAX_LOCALIZED - MAX_MORE, say);
    let all = format!("输入有 {} 处不符合要求：{}", violations.count(), said.join("；"));
    match more {
        0 => all,
        more => format!("{all}；另有 {more} 处"),
    }
}

/// As many violations as have room in `bytes`, at least one, and the number of the others.
fn first(violations: &Violations, bytes: usize, say: impl Fn(&Violation) -> String) -> (Vec<String>, usize) {
    let mut room = bytes;
    let mut said = Vec::new();
    for violation in violations.iter() {
        let short = Violation { field: cut(&violation.field, MAX_VALUE), problem: violation.problem.clone() };
        let text = say(&short);
        room = match room.checked_sub(text.len() + 3) {
            Some(rest) => rest,
            None if said.is_empty() => 0,
            None => break,
        };
        said.push(text);
    }
    let more = violations.count() - said.len();
    (said, more)
}

/// Cuts a text to `bytes`, at a character's border, and marks the cut.
fn cut(text: &str, bytes: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= bytes {
        return text.to_string();
    }
    format!("{}{MARK}", &text[..text.floor_char_boundary(bytes.saturating_sub(MARK.len()))])
}

fn refusal_code(kind: RefusalKind) -> Code {
    match kind {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::AlreadyExists => Code::AlreadyExists,
        RefusalKind::Aborted => Code::Aborted,
        RefusalKind::FailedPrecondition => Code::FailedPrecondition,
        RefusalKind::TooLarge => Code::ResourceExhausted,
        RefusalKind::DataLoss => Code::DataLoss,
        RefusalKind::Unauthenticated => Code::Unauthenticated,
        RefusalKind::PermissionDenied => Code::PermissionDenied,
    }
}

fn metadata(error: &Error) -> HashMap<String, String> {
    let all = match error {
        Error::NotFound(name) => vec![("name", name.to_string())],
        Error::NoSuchJob(name) => vec![("name", name.clone())],
        Error::NoSuchSubscription(id) => vec![("id", id.clone())],
        Error::Refused(refusal) => refusal.metadata.clone(),
        Error::NodesAway { nodes, .. } => vec![("nodes", nodes.clone())],
        _ => Vec::new(),
    };
    all.into_iter().map(|(key, value)| (key.to_string(), cut(&value, MAX_VALUE))).collect()
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::Refusal,
        events::model::EventError,
        identity::{Role, Unknown},
    };
    use duijie_core::domain::Problem;
    use duijie_store::IndexError;

    #[test]
    fn every_error_has_a_code_a_reason_and_a_sentence() {
        let violations = Violations::from_iter([
            Violation::new("common.id", Problem::Required),
            Violation::new("common.title", Problem::TooLong { max_chars: 200 }),
        ]);
        let damaged = IndexError::RecordDamaged { name: "demands/d1".into(), reason: "内容".into() };
        let rows = [
            (Error::Invalid(violations), Code::InvalidArgument, "INVALID_ARGUMENT"),
            (Error::NotFound("demands/d1".parse().unwrap()), Code::NotFound, "RECORD_NOT_FOUND"),
            (Error::NoSuchJob("rematch/jobs/0".into()), Code::NotFound, "JOB_NOT_FOUND"),
            (Error::NoSuchSubscription("s-1".into()), Code::NotFound, "SUBSCRIPTION_NOT_FOUND"),
            (Error::Stopping, Code::Unavailable, "STOPPING"),
            (Error::StreamCut, Code::Aborted, "STREAM_CUT"),
            (Error::TooSlow, Code::DeadlineExceeded, "REQUEST_TOO_SLOW"),
            (Error::MessageTooLarge { max: 1 }, Code::OutOfRange, "MESSAGE_TOO_LARGE"),
            (EventError::NotFound("a".into()).into(), Code::NotFound, "EVENT_NOT_FOUND"),
            (EventError::Exists("a".into()).into(), Code::AlreadyExists, "EVENT_EXISTS"),
            (EventError::Stale { current: "3".into() }.into(), Code::Aborted, "ETAG_STALE"),
            (EventError::NoShortlist.into(), Code::FailedPrecondition, "NO_SHORTLIST"),
            (EventError::TooLarge("x".into()).into(), Code::ResourceExhausted, "EVENT_TOO_LARGE"),
            (damaged.into(), Code::DataLoss, "RECORD_DAMAGED"),
            (Unknown::Missing.into(), Code::Unauthenticated, "KEY_MISSING"),
            (Role::Reader.refusal("DeleteRecord", &[Role::Contributor]).into(), Code::PermissionDenied, "ROLE_MAY_NOT"),
            (Error::Busy { retry_ms: 50 }, Code::ResourceExhausted, "BUSY"),
            (Error::DeadlineExceeded, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Error::Unavailable("secret".into()), Code::Unavailable, "UNAVAILABLE"),
            (Error::NodesAway { nodes: "http://n".into(), what: "secret".into() }, Code::Unavailable, "UNAVAILABLE"),
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
                Error::NodesAway { nodes, .. } => {
                    assert!(details.localized_message().unwrap().message.contains(&nodes), "{nodes} is not named");
                }
                _ => {}
            }
        }
    }

    /// Bytes of a status in the trailers: the message percent-encoded, the details in base64.
    fn in_trailers(status: &Status) -> (usize, usize) {
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        let bytes = |name| headers.get(name).map_or(0, http::HeaderValue::len);
        (bytes("grpc-message"), bytes("grpc-status-details-bin"))
    }

    #[test]
    fn a_status_is_small_whatever_the_input() {
        let problems = [
            Problem::NoSuchRecord,
            Problem::IdCharacters { allowed: "A-Za-z0-9._-" },
            Problem::Malformed { want: "a day such as 2026-12-01", want_zh: "形如 2026-12-01 的日期" },
        ];
        for problem in problems {
            for path in ["participants", "很长的路径", &"x".repeat(5_000)] {
                let mut violations = Violations::default();
                (0..1_000).for_each(|index| violations.say(format_args!("{path}[{index}]"), problem.clone()));
                let status = status(&Error::Invalid(violations));
                let details = status.get_error_details();
                let listed = details.bad_request().unwrap().field_violations.len();
                assert!((8..=20).contains(&listed), "{listed} of {path:.20}");
                assert_eq!(details.error_info().unwrap().metadata["violation_count"], "1000");
                let said = status.message().matches("; ").count();
                assert!(status.message().ends_with(&format!("; and {} more", 1_000 - said)), "{}", status.message());
                let chinese = &details.localized_message().unwrap().message;
                assert!(chinese.starts_with("输入有 1000 处") && chinese.ends_with(" 处"), "{chinese}");
                let (message, details) = in_trailers(&status);
                assert!(message + details < 8_192 && details < 4_096, "{message} {details}");
            }
        }
        // a usual list is told whole
        let mut violations = Violations::default();
        (0..20).for_each(|index| violations.say(format_args!("participants[{index}].record"), Problem::NoSuchRecord));
        let all = status(&Error::Invalid(violations));
        assert_eq!(all.get_error_details().bad_request().unwrap().field_violations.len(), 20);
        let long = "长".repeat(10_000);
        let refusal = Refusal {
            kind: RefusalKind::Aborted,
            reason: "ETAG_STALE",
            english: long.clone(),
            chinese: long.clone(),
            metadata: vec![("etag", long.clone())],
        };
        for error in [Error::Refused(refusal), Error::NoSuchJob(long.clone()), Error::NoSuchSubscription(long)] {
            let (message, details) = in_trailers(&status(&error));
            assert!(message + details < 8_192 && details < 4_096, "{message} {details}");
        }
    }
}
