//! Admission control of all calls: a global limit, the deadline, and one count per method and code.
//!
//! tonic's own timeout answers CANCELLED and bypasses our layers. Therefore this layer ends a call a moment earlier,
//! with DEADLINE_EXCEEDED. A guard counts every call, including calls dropped by the caller.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use super::Limits;
use crate::{error::Error, foreground::Foreground, metrics};
use duijie_store::deadline;

/// Methods without the default deadline: streams, and plans of events, whose deadline is in the event service.
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
/// Longest deadline; a longer one is cut down.
const MAX_DEADLINE: Duration = Duration::from_secs(24 * 3_600);
/// Label of methods that are none of ours.
const UNKNOWN: &str = "unknown";
/// When a refused caller shall come back.
const RETRY_MS: u64 = 100;

/// Methods whose messages may come or go for long. They have a bound of their own, so that calls always find places.
const STREAMS: [&str; 8] = [
    "ImportRecords",
    "CreateSnapshot",
    "FindDuplicates",
    "StreamRematchResults",
    "ExportRematch",
    "DiffRematches",
    "Watch",
    "ExportEvent",
];

/// Layer that gives its services the same bounds on calls and streams.
#[derive(Clone)]
pub struct AdmissionLayer {
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    default_deadline: Duration,
    foreground: Foreground,
    methods: Arc<HashSet<String>>,
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

/// The body of an answer; the call's place is free, and the call is counted, when the body has ended or is dropped.
struct Tracked {
    body: Body,
    held: Option<(Count, OwnedSemaphorePermit)>,
}

// === impl AdmissionLayer ===

impl AdmissionLayer {
    /// At most `max_calls` calls and `max_streams` streams at a time; `default_deadline` for callers that set none. Calls
    /// whose callers wait for the answer are counted in `foreground`.
    pub fn new(limits: &Limits, foreground: Foreground) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(limits.max_calls)),
            streams: Arc::new(Semaphore::new(limits.max_streams)),
            default_deadline: limits.default_deadline,
            foreground,
            methods: Arc::new(methods()),
        }
    }

    /// The places that a method takes one of.
    fn places(&self, method: &str) -> Arc<Semaphore> {
        Arc::clone(if STREAMS.contains(&method) { &self.streams } else { &self.calls })
    }

    fn deadline(&self, method: &str, headers: &HeaderMap) -> Option<Duration> {
        match headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout) {
            // a little before tonic's own timers, the caller's too, which would answer CANCELLED
            Some(timeout) => Some(timeout.min(MAX_DEADLINE).saturating_sub((timeout / 10).min(MARGIN))),
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
        // names that callers make up do not become labels of metrics
        let known = self.layer.methods.get(path).and_then(|path| path.rsplit('/').next());
        let method = known.unwrap_or(UNKNOWN).to_string();
        let deadline = self.layer.deadline(&method, request.headers());
        let patient = UNLIMITED.contains(&method.as_str()) || PATIENT.contains(&method.as_str());
        let mut count = Count { method, started: Instant::now(), code: Code::Cancelled };
        let Ok(permit) = self.layer.places(&count.method).try_acquire_owned() else {
            return Box::pin(async move { Ok(count.refuse(&Error::Busy { retry_ms: RETRY_MS })) });
        };
        let waiting = (!patient).then(|| self.layer.foreground.enter());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _waiting = waiting;
            let answer = deadline::within(deadline, answer);
            let answer = match deadline {
                Some(deadline) => tokio::time::timeout(deadline, answer).await,
                None => Ok(answer.await),
            };
            let Ok(answer) = answer else { return Ok(count.refuse(&Error::DeadlineExceeded)) };
            let answer = answer?;
            // an answer without messages has its status in the headers
            if let Some(status) = Status::from_header_map(answer.headers()) {
                count.code = status.code();
            }
            Ok(answer.map(|body| Body::new(Tracked { body, held: Some((count, permit)) })))
        })
    }
}

// === impl Count ===

impl Count {
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

// === impl Tracked ===

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let status = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().and_then(Status::from_header_map).map(|status| status.code()),
            Some(Err(status)) => Some(status.code()),
            None => None,
        };
        if let (Some(code), Some((count, _))) = (status, &mut self.held) {
            count.code = code;
        }
        if status.is_some() || frame.is_none() {
            self.held = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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

/// Paths of all our methods.
fn methods() -> HashSet<String> {
    let files = FileDescriptorSet::decode(duijie_proto::DESCRIPTORS).map(|set| set.file).unwrap_or_default();
    let of_file = |file: &prost_types::FileDescriptorProto| {
        let package = file.package().to_string();
        let services = file.service.clone().into_iter();
        services.flat_map(move |service| {
            let path = format!("/{package}.{}", service.name());
            service.method.into_iter().map(move |method| format!("{path}/{}", method.name()))
        })
    };
    files.iter().flat_map(of_file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_and_each_list_names_real_ones() {
        let methods = methods();
        assert!(methods.contains("/duijie.v1.MatchService/Match"));
        let names: HashSet<&str> = methods.iter().filter_map(|path| path.rsplit('/').next()).collect();
        assert!(UNLIMITED.iter().chain(&STREAMS).chain(&PATIENT).all(|name| names.contains(name)));
    }

    #[test]
    fn deadlines_are_cut_to_a_day() {
        let limits = Limits {
            max_calls: 1,
            max_streams: 1,
            max_message_bytes: 1,
            default_deadline: Duration::from_secs(30),
            drain: Duration::ZERO,
        };
        let layer = AdmissionLayer::new(&limits, Foreground::default());
        let deadline = |value: Option<&str>, method: &str| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("grpc-timeout", value.parse().unwrap());
            }
            layer.deadline(method, &headers)
        };
        assert_eq!(deadline(Some("99999999H"), "Match"), Some(MAX_DEADLINE - MARGIN));
        assert_eq!(deadline(Some("100m"), "Match"), Some(Duration::from_millis(90)));
        assert_eq!(deadline(None, "Match"), Some(Duration::from_secs(30)));
        assert_eq!(deadline(None, "Watch"), None);
    }

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
