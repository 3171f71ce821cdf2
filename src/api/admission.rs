//! Admission control of all calls: the request is read, then the call takes a place. The deadline, and one count per
//! method and code.
//!
//! A caller whose request does not come holds no place. tonic's own timeout answers CANCELLED and bypasses our layers.
//! Therefore this layer ends a call a moment earlier, with DEADLINE_EXCEEDED. A guard counts every call, including calls
//! dropped by the caller.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use super::{
    Limits,
    caller::{Place, Shares, caller},
    connection::{Connection, InFlight},
    intake::{Handed, Held, Messages, Rules},
    methods::{Method, Methods},
    overload::Gate,
};
use crate::{error::Error, foreground::Foreground, identity::Access, metrics};
use duijie_cpu::Call;
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
/// Requests that may be on their way, for each place.
const ARRIVING: usize = 4;
/// Time that a stream's next message waits for bytes to be free.
const PATIENCE: Duration = Duration::from_secs(60);
/// Methods that cut texts into terms and windows, and bytes that this takes for each byte of a text.
const HEAVY: [&str; 2] = ["BatchUpsertRecords", "ImportRecords"];
const HEAVY_FACTOR: usize = 16;

/// Layer that gives its services the same bounds on calls and streams.
#[derive(Clone)]
pub struct AdmissionLayer {
    arriving: Shares,
    calls: Shares,
    streams: Shares,
    gate: Gate,
    budget: Shares,
    limits: Limits,
    foreground: Foreground,
    methods: Arc<Methods>,
    access: Access,
}

/// Service behind admission control.
#[derive(Clone)]
pub struct Admission<S> {
    inner: S,
    layer: AdmissionLayer,
}

/// Guard that counts a call when dropped.
struct Count {
    method: Arc<str>,
    started: Instant,
    code: Code,
}

/// The body of an answer; the call's place is free, and the call is counted, when the body has ended or is dropped.
struct Tracked {
    body: Body,
    held: Option<(Option<Count>, Option<Place>)>,
    in_flight: Option<InFlight>,
}

// === impl AdmissionLayer ===

impl AdmissionLayer {
    /// A layer with these limits for the callers that `access` knows. Calls whose callers wait for the answer are counted in
    /// `foreground`.
    pub fn new(limits: &Limits, foreground: Foreground, access: Access) -> Self {
        let shares = |total: usize| Shares::new(total, limits.caller_share);
        Self {
            arriving: shares(limits.max_calls.saturating_add(limits.max_streams).saturating_mul(ARRIVING)),
            calls: shares(limits.max_calls),
            streams: shares(limits.max_streams),
            gate: Gate::new(limits.max_calls, limits.waits),
            // a message as it came, and unpacked, always finds room
            budget: shares(limits.max_inflight_bytes.max(limits.max_message_bytes.saturating_mul(4))),
            limits: *limits,
            foreground,
            methods: Arc::new(Methods::new()),
            access,
        }
    }

    /// The places that a method takes one of. Messages of a stream may come or go for long, so streams have places of
    /// their own, and calls always find some.
    fn places(&self, method: &Method) -> &Shares {
        if method.takes_stream || method.sends_stream { &self.streams } else { &self.calls }
    }

    /// How a method's request is read.
    fn rules(&self, method: &Method) -> Rules {
        let limits = &self.limits;
        let (message_timeout, patience) = match method.takes_stream {
            true => (limits.message_timeout, PATIENCE),
            false => (limits.request_timeout, Duration::ZERO),
        };
        Rules {
            budget: self.budget.clone(),
            max_message: limits.max_message_bytes,
            message: Arc::clone(&method.input),
            factor: if HEAVY.contains(&&*method.name) { HEAVY_FACTOR } else { 1 },
            message_timeout,
            patience,
        }
    }

    fn deadline(&self, method: &str, headers: &HeaderMap) -> Option<Duration> {
        match headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout) {
            // a little before tonic's own timers, the caller's too, which would answer CANCELLED
            Some(timeout) => Some(timeout.min(MAX_DEADLINE).saturating_sub((timeout / 10).min(MARGIN))),
            None if UNLIMITED.contains(&method) => None,
            None => Some(self.limits.default_deadline),
        }
    }

    /// Asks who calls, reads the request, takes a place, and calls.
    async fn admit<S>(
        self,
        mut inner: S,
        method: &Method,
        mut request: Request<Body>,
    ) -> Result<Admitted<S::Error>, Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let busy = || Error::Busy { retry_ms: RETRY_MS };
        let sent = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let identity = self.access.identify(sent).await?;
        identity.may_call(&method.name, &method.roles)?;
        request.extensions_mut().insert(identity);
        let caller = caller(request.extensions());
        let call = Call::of(caller.key());
        let gate = is_gated(method).then_some(&self.gate);
        if let Some(gate) = gate {
            gate.check(&call)?;
        }
        let arriving = self.arriving.take(caller, 1).ok_or_else(busy)?;
        let (mut head, body) = request.into_parts();
        let mut messages = Messages::new(&head.headers, body, caller, self.rules(method));
        let first = messages.next().await?;
        drop(arriving);
        let place = self.places(method).take(caller, 1).ok_or_else(busy)?;
        let running = match gate {
            Some(gate) => Some(gate.enter(&call).await?),
            None => None,
        };
        let mut held = None;
        let body = match first {
            None => Body::empty(),
            Some(first) if method.takes_stream => {
                let held = Held::default();
                head.extensions.insert(held.clone());
                Body::new(Handed::stream(first, messages, held))
            }
            Some(first) => {
                held = Some(first.held);
                Body::new(Handed::one(first.bytes))
            }
        };
        let waiting = (!is_patient(method)).then(|| self.foreground.enter());
        let answer = call.run(inner.call(Request::from_parts(head, body))).await;
        drop((waiting, running, held));
        Ok(Admitted { answer, place })
    }
}

/// Whether batch work need not yield to a method.
fn is_patient(method: &Method) -> bool {
    UNLIMITED.contains(&&*method.name) || PATIENT.contains(&&*method.name)
}

/// Whether a method is let in by how long calls wait: those whose callers wait for an answer of milliseconds. Imports wait
/// for the model and for lanes of their own; they are bounded by places and bytes.
fn is_gated(method: &Method) -> bool {
    !is_patient(method) && !HEAVY.contains(&&*method.name)
}

/// The answer of a call, and the place that the call holds until its answer is taken.
struct Admitted<E> {
    answer: Result<Response<Body>, E>,
    place: Place,
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
        let in_flight = request.extensions().get::<Arc<Connection>>().map(Connection::enter);
        let path = request.uri().path();
        let known = self.layer.methods.get(path);
        // health and reflection must answer even when all places are taken
        let is_ours = path.starts_with("/duijie.");
        // names that callers make up do not become labels of metrics
        let name = known.as_ref().map_or_else(|| UNKNOWN.into(), |method| Arc::clone(&method.name));
        let deadline = self.layer.deadline(&name, request.headers());
        let mut count = is_ours.then(|| Count { method: name, started: Instant::now(), code: Code::Cancelled });
        let Some(method) = known else {
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(tracked(answer.await?, (count, None), in_flight)) });
        };
        let inner = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, inner);
        let admitting = self.layer.clone();
        Box::pin(async move {
            let answer = deadline::within(deadline, admitting.admit(inner, &method, request));
            let answer = match deadline {
                Some(deadline) => tokio::time::timeout(deadline, answer).await.unwrap_or(Err(Error::DeadlineExceeded)),
                None => answer.await,
            };
            match answer {
                Ok(Admitted { answer, place }) => Ok(tracked(answer?, (count, Some(place)), in_flight)),
                Err(error) => {
                    let status = super::status::status(&error);
                    if let Some(count) = &mut count {
                        count.code = status.code();
                    }
                    Ok(status.into_http())
                }
            }
        })
    }
}

/// The answer as it is sent; it holds what the call holds.
fn tracked(
    answer: Response<Body>,
    mut held: (Option<Count>, Option<Place>),
    in_flight: Option<InFlight>,
) -> Response<Body> {
    // an answer without messages has its status in the headers
    if let (Some(status), Some(count)) = (Status::from_header_map(answer.headers()), &mut held.0) {
        count.code = status.code();
    }
    answer.map(|body| Body::new(Tracked { body, held: Some(held), in_flight }))
}

// === impl Count ===

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
        if let Some(in_flight) = &self.in_flight {
            in_flight.taken();
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(in_flight) = &self.in_flight {
            in_flight.handed();
        }
        let status = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().and_then(Status::from_header_map).map(|status| status.code()),
            Some(Err(status)) => Some(status.code()),
            None => None,
        };
        if let (Some(code), Some((Some(count), _))) = (status, &mut self.held) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Keys;
    use duijie_store::MemoryIndex;

    #[test]
    fn methods_are_known_and_each_list_names_real_ones() {
        let methods = Methods::new();
        let is_known = |name: &&str| methods.names().any(|known| known == *name);
        assert!(UNLIMITED.iter().chain(&PATIENT).chain(&HEAVY).all(is_known));
        // a stream ends when its caller wants
        let streams = methods.all().filter(|method| method.takes_stream || method.sends_stream);
        assert!(streams.map(|method| &*method.name).all(|name| UNLIMITED.contains(&name)));
    }

    #[test]
    fn deadlines_are_cut_to_a_day() {
        let limits = Limits { default_deadline: Duration::from_secs(30), ..Limits::default() };
        let access = Access::new(Keys::new(Arc::new(MemoryIndex::new(4))), None);
        let layer = AdmissionLayer::new(&limits, Foreground::default(), access);
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
