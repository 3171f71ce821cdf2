//! Requests to the server: which node, how long, how often, and when not at all.
//!
//! A request is tried on one node after the other, those that have failed lately last, until one answers, the tries are used up, or the caller's time is:
//! what is left of the caller's deadline goes to the engine with every try. Every request that this program sends may be
//! repeated: reads by nature, writes because each is conditional on what was seen before (`write`, `state`).
//!
//! After [`OPEN_AFTER`] failures in a row the circuit opens: requests fail at once, and only the look that `watch` takes
//! every second goes out. When that is answered, the circuit closes.

use std::{
    fs,
    future::Future,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use qdrant_client::qdrant::{collections_client::CollectionsClient, points_client::PointsClient};
use tokio::time::Instant;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use super::{backoff, options::Qdrant};
use crate::{IndexError, Result, deadline};

/// Failures in a row after which the engine counts as down.
const OPEN_AFTER: u32 = 5;
/// How far the transport's clock may be ahead.
const CLOCK_MARGIN: Duration = Duration::from_millis(5);
/// Time for which a node that has failed is asked only when no other can be.
const REST: Duration = Duration::from_secs(2);
/// Largest answer taken in: a page of 10,000 points with texts and vectors.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Pings on connections, so that a dead one is found before a call needs it.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The connections to a server or to the nodes of a cluster.
pub(super) struct Wire {
    nodes: Vec<Node>,
    turn: AtomicUsize,
    api_key: Option<MetadataValue<Ascii>>,
    /// Most time of one try.
    pub(super) timeout: Duration,
    stale_after: Duration,
    attempts: u32,
    failures: AtomicU32,
    circuit_state: RwLock<(CircuitState, Instant)>,
    /// Addresses, for messages.
    pub(super) urls: String,
}

/// One node, and until when it rests because it has failed.
struct Node {
    channel: Channel,
    rests_until: Mutex<Option<Instant>>,
}

/// Whether requests go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CircuitState {
    /// They do.
    Ready,
    /// The engine does not answer, or has not done so yet.
    Down(String),
    /// Somebody rebuilds, restores or copies into the store.
    Maintenance,
    /// This program does not fit the store, for good.
    Refused(String),
}

/// One try: a node and the time it has.
#[derive(Clone)]
pub(super) struct Try {
    channel: Channel,
    header: Header,
}

/// What every request carries.
#[derive(Clone)]
pub(super) struct Header {
    api_key: Option<MetadataValue<Ascii>>,
    time: Duration,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine refused it; trying again does not help.
    Refused(Status),
    /// No node answered.
    Unreachable(String),
    /// The caller's time was used up.
    Late,
}

type Service = InterceptedService<Channel, Header>;

// === impl Wire ===

impl Wire {
    /// Connections that are made when the first request needs them.
    pub(super) fn new(options: &Qdrant, stale_after: Duration) -> Result<Self> {
        let urls = options.urls.join(",");
        let api_key = match &options.api_key {
            Some(key) => {
                let mut key = MetadataValue::try_from(key)
                    .map_err(|_| unreachable(&urls, "qdrant.api_key 含有不能发送的字符"))?;
                key.set_sensitive(true);
                Some(key)
            }
            None => None,
        };
        let tls = tls(options)?;
        let node = |url: &String| {
            let endpoint = Endpoint::from_shared(url.clone())
                .map_err(|error| unreachable(&urls, &error.to_string()))?
                .connect_timeout(options.connect_timeout)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .keep_alive_timeout(options.connect_timeout)
                .keep_alive_while_idle(true);
            let endpoint = match url.starts_with("https://") {
                true => endpoint.tls_config(tls.clone()).map_err(|error| unreachable(&urls, &format!("{error:?}")))?,
                false => endpoint,
            };
            Ok(Node { channel: endpoint.connect_lazy(), rests_until: Mutex::default() })
        };
        Ok(Self {
            nodes: options.urls.iter().map(node).collect::<Result<_>>()?,
            turn: AtomicUsize::new(0),
            api_key,
            timeout: options.timeout,
            attempts: options.attempts.max(1),
            failures: AtomicU32::new(0),
            stale_after,
            circuit_state: RwLock::new((CircuitState::Down("尚未连接".to_string()), Instant::now())),
            urls,
        })
    }

    /// Sends a request of a caller, if requests go out at all.
    pub(super) async fn call<T, F>(&self, ask: impl Fn(Try) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        match self.circuit_state() {
            CircuitState::Ready => {}
            CircuitState::Down(reason) => return Err(unreachable(&self.urls, &reason)),
            CircuitState::Maintenance => return Err(IndexError::Maintenance),
            CircuitState::Refused(sentence) => return Err(IndexError::Refused(sentence)),
        }
        self.send(ask).await.map_err(|failure| self.error(failure))
    }

    /// Sends a request whatever the circuit_state: for those who find out and for those who maintain.
    pub(super) async fn send<T, F>(&self, ask: impl Fn(Try) -> F) -> std::result::Result<T, Failure>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let all_tries = self.timeout.saturating_mul(self.attempts);
        let end = Instant::now() + deadline::left().unwrap_or(all_tries).min(all_tries);
        let mut tried = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Late);
            }
            let time = left.min(self.timeout);
            let Some(node) = self.next_node() else { return Err(Failure::Unreachable("没有地址".to_string())) };
            let header = Header { api_key: self.api_key.clone(), time };
            let answer = tokio::time::timeout(time, ask(Try { channel: node.channel.clone(), header })).await;
            tried += 1;
            let failure = match answer {
                Ok(Ok(answer)) => {
                    node.rest(None);
                    self.failures.store(0, Relaxed);
                    return Ok(answer.into_inner());
                }
                Ok(Err(status)) if !may_pass(status.code()) => return Err(Failure::Refused(status)),
                // the caller's time is used up, which says nothing about the engine
                Err(_) if time < self.timeout => return Err(Failure::Late),
                // the transport's own clock may be a moment faster than ours
                Ok(Err(_)) if time < self.timeout && end <= Instant::now() + CLOCK_MARGIN => return Err(Failure::Late),
                Ok(Err(status)) => describe(&status),
                Err(_) => format!("{} 毫秒内没有应答", time.as_millis()),
            };
            node.rest(Instant::now().checked_add(REST));
            self.note_failure(&failure);
            // another node is asked at once
            let wait = if self.nodes.iter().any(|node| !node.rests()) { Duration::ZERO } else { backoff::after(tried) };
            if self.attempts <= tried || end <= Instant::now() + wait {
                return Err(Failure::Unreachable(failure));
            }
            tracing::debug!(failure, tried, "engine did not answer, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether requests go out: they do for as long as a look has shown lately that all is well.
    pub(super) fn circuit_state(&self) -> CircuitState {
        match &*self.circuit_state.read() {
            (CircuitState::Ready, since) if self.stale_after < since.elapsed() => {
                CircuitState::Down("久未能查看引擎的状态".to_string())
            }
            (circuit_state, _) => circuit_state.clone(),
        }
    }

    /// Says whether requests go out.
    pub(super) fn set_circuit_state(&self, circuit_state: CircuitState) {
        let mut now = self.circuit_state.write();
        if now.0 != circuit_state {
            tracing::info!(?circuit_state, "circuit_state of the engine changed");
        }
        *now = (circuit_state, Instant::now());
    }

    /// A failure as the caller hears it.
    pub(super) fn error(&self, failure: Failure) -> IndexError {
        match failure {
            Failure::Refused(status) => IndexError::Server { reason: describe(&status) },
            Failure::Unreachable(reason) => unreachable(&self.urls, &reason),
            Failure::Late => IndexError::DeadlineExceeded,
        }
    }

    /// The nodes in turn, without those that rest as long as another does not.
    fn next_node(&self) -> Option<&Node> {
        let turn = self.turn.fetch_add(1, Relaxed) % self.nodes.len().max(1);
        let (before, after) = self.nodes.split_at_checked(turn)?;
        let mut in_turn = after.iter().chain(before);
        in_turn.clone().find(|node| !node.rests()).or_else(|| in_turn.next())
    }

    fn note_failure(&self, reason: &str) {
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if OPEN_AFTER <= failures && self.circuit_state() == CircuitState::Ready {
            self.set_circuit_state(CircuitState::Down(reason.to_string()));
        }
    }
}

// === impl Node ===

impl Node {
    fn rests(&self) -> bool {
        let until = *self.rests_until.lock();
        until.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self, until: Option<Instant>) {
        *self.rests_until.lock() = until;
    }
}

// === impl Try ===

impl Try {
    /// Requests about points.
    pub(super) fn points(&self) -> PointsClient<Service> {
        let service = InterceptedService::new(self.channel.clone(), self.header.clone());
        PointsClient::new(service).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Requests about collections.
    pub(super) fn collections(&self) -> CollectionsClient<Service> {
        CollectionsClient::new(InterceptedService::new(self.channel.clone(), self.header.clone()))
    }
}

// === impl Header ===

impl Interceptor for Header {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        request.set_timeout(self.time);
        if let Some(key) = &self.api_key {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

/// Whether the same request may be answered a moment later, or by another node.
fn may_pass(code: Code) -> bool {
    match code {
        Code::Unavailable
        | Code::Unknown
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Aborted
        | Code::ResourceExhausted => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

fn describe(status: &Status) -> String {
    let code = status.code();
    let source = std::error::Error::source(status).map(|source| format!("：{source}")).unwrap_or_default();
    format!("{code:?} {}{source}", status.message())
}

fn tls(options: &Qdrant) -> Result<ClientTlsConfig> {
    let Some(path) = &options.ca_file else { return Ok(ClientTlsConfig::new().with_native_roots()) };
    let pem = fs::read(path).map_err(|source| IndexError::Folder { path: path.clone(), source })?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}

fn unreachable(urls: &str, reason: &str) -> IndexError {
    IndexError::Unreachable { url: urls.to_string(), reason: reason.to_string() }
}
