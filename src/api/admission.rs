//! Admission control of all calls: a global limit, the deadline, and one count per method and code.
//!
//! tonic's own timeout answers CANCELLED and bypasses our layers. Therefore this layer ends a call a moment earlier,
//! with DEADLINE_EXCEEDED. A guard counts every call, including calls dropped by the caller.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{HeaderMap, Request, Response};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use crate::{error::Error, foreground::Foreground, metrics};
use duijie_store::deadline;

/// Methods without a default deadline: streams, and plans of large events.
const UNLIMITED: [&str; 11] = [
    "ImportRecords",
    "CreateSnapshot",
    "FindDuplicates",
    "StreamRematchResults",
    "ExportRematch",
    "DiffRematches",
    "Watch",
    "MakeShortlist",
    "MakeSchedule",
    "CancelParticipant",
    "ExportEvent",
];
/// Further methods that batch work need not yield to.
const PATIENT: [&str; 1] = ["WaitRematch"];
/// Maximum margin between the end of a call and the caller's deadline, so that the answer arrives in time even on a
/// loaded machine. A short deadline has a margin of one tenth.
const MARGIN: Duration = Duration::from_millis(50);
/// Retry delay for a refused caller, in milliseconds.
const RETRY_MS: u64 = 100;

/// Layer that gives its services one shared limit.
#[derive(Clone)]
pub struct AdmissionLayer {
    calls: Arc<Semaphore>,
    default_deadline: Duration,
    foreground: Foreground,
}

/// Service behind admission control.
#[derive(Clone)]
pub struct Admission<S> {
    inner: S,
    layer: AdmissionLayer,
}

/// Guard that counts a call when dropped.
struct Count {
    method: String,
    started: Instant,
    code: Code,
}

// === impl AdmissionLayer ===

impl AdmissionLayer {
    /// Allows `max_calls` at a time. `default_deadline` applies to callers that set none. `foreground` counts calls
    /// whose callers wait for the answer.
    pub fn new(max_calls: usize, default_deadline: Duration, foreground: Foreground) -> Self {
        Self { calls: Arc::new(Semaphore::new(max_calls)), default_deadline, foreground }
    }

    fn deadline(&self, method: &str, headers: &HeaderMap) -> Option<Duration> {
        match headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout) {
            // earlier than tonic's timers on both sides, which would answer CANCELLED
            Some(timeout) => Some(timeout.saturating_sub((timeout / 10).min(MARGIN))),
            None if UNLIMITED.contains(&method) => None,
            None => Some(self.default_deadline),
        }
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Admission<S> {
        Admission { inner, layer: self.clone() }
    }
}

// === impl Admission ===

impl<S> Service<Request<Body>> for Admission<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        // health and reflection must answer even when all places are taken
        if !path.starts_with("/duijie.") {
            return Box::pin(self.inner.call(request));
        }
        let method = path.rsplit('/').next().unwrap_or_default().to_string();
        let deadline = self.layer.deadline(&method, request.headers());
        let patient = UNLIMITED.contains(&method.as_str()) || PATIENT.contains(&method.as_str());
        let mut count = Count { method, started: Instant::now(), code: Code::Cancelled };
        let Ok(permit) = Arc::clone(&self.layer.calls).try_acquire_owned() else {
            return Box::pin(async move { Ok(count.refuse(&Error::Busy { retry_ms: RETRY_MS })) });
        };
        let waiting = (!patient).then(|| self.layer.foreground.enter());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let (_permit, _waiting) = (permit, waiting);
            let answer = deadline::within(deadline, answer);
            let answer = match deadline {
                Some(deadline) => tokio::time::timeout(deadline, answer).await,
                None => Ok(answer.await),
            };
            let Ok(answer) = answer else { return Ok(count.refuse(&Error::DeadlineExceeded)) };
            let answer = answer?;
            count.answered(&answer);
            Ok(answer)
        })
    }
}

// === impl Count ===

impl Count {
    fn answered(&mut self, answer: &Response<Body>) {
        self.code = Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code());
    }

    fn refuse(&mut self, error: &Error) -> Response<Body> {
        let status = super::status::status(error);
        self.code = status.code();
        status.into_http()
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        metrics::call(&self.method, self.code, self.started.elapsed());
    }
}

/// Parses `grpc-timeout` as in the gRPC specification: up to eight digits and a unit.
fn parse_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let number: u64 = Some(digits).filter(|digits| digits.len() <= 8)?.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_by_the_specification() {
        let check = |value: &str, want: Option<Duration>| assert_eq!(parse_timeout(value), want, "{value}");
        check("1H", Some(Duration::from_secs(3600)));
        check("99999999S", Some(Duration::from_secs(99_999_999)));
        check("250m", Some(Duration::from_millis(250)));
        check("7u", Some(Duration::from_micros(7)));
        check("123456789S", None);
        check("S", None);
        check("", None);
        check("1x", None);
        check("１S", None);
    }
}
