//! Requests to the server: choice of node, timeouts, retries, circuit breaker.
//!
//! A request tries one node after another (`nodes`) until a node answers, the tries are used up, or the deadline passes.
//! Every try sends the remaining time of the caller's deadline to the engine. All requests may be repeated: reads by
//! nature, writes because each is conditional on an earlier read (`write`, `state`).
//!
//! A cluster that has lost a node answers reads at once, and refuses writes for some seconds, until it has marked the
//! copies on that node as dead. So a write to a cluster is tried until its time is used up, as long as a node answers.
//!
//! After [`OPEN_AFTER`] consecutive failures the circuit opens: requests fail at once, except the check that `watch`
//! sends every second. When a check is answered, the circuit closes. What says nothing about the engine as a whole is not
//! counted: a node that does not answer while another may, a write that the cluster refuses for now.

use std::{
    fs,
    future::Future,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use futures::future::join_all;
use parking_lot::RwLock;
use qdrant_client::qdrant::{
    HealthCheckRequest, collections_client::CollectionsClient, points_client::PointsClient, qdrant_client::QdrantClient,
};
use tokio::time::Instant;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use super::{
    backoff,
    nodes::{Node, Nodes},
    options::Qdrant,
};
use crate::{IndexError, NodeStatus, Result, deadline};

/// Consecutive failures after which the engine counts as down.
const OPEN_AFTER: u32 = 5;
/// Tolerance for a transport clock that runs ahead.
const CLOCK_MARGIN: Duration = Duration::from_millis(5);
/// Longest time for the answer to a probe.
const PROBE: Duration = Duration::from_secs(2);
/// Largest answer taken in: a page of 10,000 points with texts and vectors.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Interval of keep-alive pings, which find dead connections before a call needs them, and end calls to a machine that is
/// gone: with the connect timeout on top, within 5 s.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// The connections to a server or to the nodes of a cluster.
pub(super) struct Wire {
    nodes: Nodes,
    api_key: Option<MetadataValue<Ascii>>,
    /// Timeout of one try.
    pub(super) timeout: Duration,
    stale_after: Duration,
    attempts: u32,
    failures: AtomicU32,
    circuit_state: RwLock<(CircuitState, Instant)>,
    /// Addresses, for messages.
    pub(super) urls: String,
}

/// Whether requests go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CircuitState {
    /// Requests go out.
    Ready,
    /// The engine does not answer, or has not answered yet.
    Down(String),
    /// The store is being rebuilt, restored or copied into.
    Maintenance,
    /// This program does not fit the store, permanently.
    Refused(String),
}

/// How long a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// As many times as configured.
    Attempts,
    /// As long as its time lasts, if several nodes are known and one of them answers.
    Settling,
}

/// One try: a node and a timeout.
#[derive(Clone)]
pub(super) struct Try {
    channel: Channel,
    header: RequestHeader,
}

/// Metadata of every request.
#[derive(Clone)]
pub(super) struct RequestHeader {
    api_key: Option<MetadataValue<Ascii>>,
    time: Duration,
}

/// Why a request failed.
#[derive(Debug)]
pub(super) enum WireFailure {
    /// The engine refused the request; retrying does not help.
    Refused(Status),
    /// No node answered.
    Unreachable(String),
    /// The caller's deadline passed.
    Late,
}

type Service = InterceptedService<Channel, RequestHeader>;

// === impl Wire ===

impl Wire {
    /// Prepares connections; each is opened by its first request.
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
            Ok(Node::new(url.clone(), endpoint.connect_lazy()))
        };
        Ok(Self {
            nodes: Nodes::new(options.urls.iter().map(node).collect::<Result<_>>()?),
            api_key,
            timeout: options.timeout,
            attempts: options.attempts.max(1),
            failures: AtomicU32::new(0),
            stale_after,
            circuit_state: RwLock::new((CircuitState::Down("尚未连接".to_string()), Instant::now())),
            urls,
        })
    }

    /// Sends a caller's request if the circuit is closed.
    pub(super) async fn call<T, F>(&self, ask: impl Fn(Try) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        self.check_circuit()?;
        self.send(ask).await.map_err(|failure| self.error(failure))
    }

    /// Sends a caller's conditional write if the circuit is closed, as long as [`Wire::send_write`] does.
    pub(super) async fn write<T, F>(&self, ask: impl Fn(Try) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        self.check_circuit()?;
        self.send_write(ask).await.map_err(|failure| self.error(failure))
    }

    /// Sends a request whatever the circuit state; for health checks and maintenance.
    pub(super) async fn send<T, F>(&self, ask: impl Fn(Try) -> F) -> std::result::Result<T, WireFailure>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        self.try_nodes(ask, Patience::Attempts).await
    }

    /// Sends a conditional write whatever the circuit state, until a cluster that has lost a node takes writes again.
    pub(super) async fn send_write<T, F>(&self, ask: impl Fn(Try) -> F) -> std::result::Result<T, WireFailure>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let patience = if self.nodes.are_several() { Patience::Settling } else { Patience::Attempts };
        self.try_nodes(ask, patience).await
    }

    /// Asks every node of a cluster whether it is there.
    pub(super) async fn probe(&self) {
        if !self.nodes.are_several() {
            return;
        }
        let probe = async |node: &Node| {
            let node_try = self.one_try(node, PROBE);
            match tokio::time::timeout(PROBE, node_try.health_check()).await {
                Ok(Err(status)) if no_answer(&status) => node.failed_probe(&describe(&status), Instant::now()),
                Ok(_) => node.answered_probe(Instant::now()),
                Err(_) => node.failed_probe(&no_answer_within(PROBE), Instant::now()),
            }
        };
        join_all(self.nodes.iter().map(probe)).await;
    }

    async fn try_nodes<T, F>(&self, ask: impl Fn(Try) -> F, patience: Patience) -> std::result::Result<T, WireFailure>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let all_tries = self.timeout.saturating_mul(self.attempts);
        let end = Instant::now() + deadline::left().unwrap_or(all_tries).min(all_tries);
        let mut tried = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(WireFailure::Late);
            }
            let time = left.min(self.timeout);
            let Some(node) = self.nodes.next() else {
                return Err(WireFailure::Unreachable("没有地址".to_string()));
            };
            let answer = tokio::time::timeout(time, ask(self.one_try(node, time))).await;
            tried += 1;
            let failure = match answer {
                Ok(Ok(answer)) => {
                    node.answered();
                    self.failures.store(0, Relaxed);
                    return Ok(answer.into_inner());
                }
                Ok(Err(status)) if !may_pass(status.code()) => {
                    node.answered();
                    return Err(WireFailure::Refused(status));
                }
                // the caller's deadline passed; this says nothing about the engine
                Err(_) if time < self.timeout => return Err(WireFailure::Late),
                // the transport's clock may run slightly ahead of ours
                Ok(Err(_)) if time < self.timeout && end <= Instant::now() + CLOCK_MARGIN => {
                    return Err(WireFailure::Late);
                }
                Ok(Err(status)) if no_answer(&status) => self.no_answer_from(node, describe(&status)),
                Ok(Err(status)) => {
                    node.answered();
                    let failure = describe(&status);
                    if patience == Patience::Attempts {
                        self.note_failure(&failure);
                    }
                    failure
                }
                Err(_) => self.no_answer_from(node, no_answer_within(time)),
            };
            let all_away = self.nodes.are_all_away();
            let enough = self.attempts <= tried && (patience == Patience::Attempts || all_away);
            // instead of a node that is away another one is asked at once
            let wait = if node.is_away() && !all_away { Duration::ZERO } else { backoff::after(tried) };
            if enough || end <= Instant::now() + wait {
                return Err(WireFailure::Unreachable(failure));
            }
            tracing::debug!(failure, tried, "engine did not answer, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Notes that a node did not answer, and returns the reason with its address.
    fn no_answer_from(&self, node: &Node, reason: String) -> String {
        node.failed(&reason, Instant::now());
        let reason = format!("{}：{reason}", node.url);
        if self.nodes.are_all_away() {
            self.note_failure(&reason);
        }
        reason
    }

    fn one_try(&self, node: &Node, time: Duration) -> Try {
        Try { channel: node.channel.clone(), header: RequestHeader { api_key: self.api_key.clone(), time } }
    }

    /// Requests that ask every node so many times.
    pub(super) fn rounds(&self, times: usize) -> usize {
        self.nodes.iter().count() * times
    }

    /// State of each node; empty where there is but one.
    pub(super) fn node_status(&self) -> Vec<NodeStatus> {
        let status = |node: &Node| NodeStatus { url: node.url.clone(), answers: !node.is_away() };
        self.nodes.iter().filter(|_| self.nodes.are_several()).map(status).collect()
    }

    fn check_circuit(&self) -> Result<()> {
        match self.circuit_state() {
            CircuitState::Ready => Ok(()),
            CircuitState::Down(reason) => Err(self.error(WireFailure::Unreachable(reason))),
            CircuitState::Maintenance => Err(IndexError::Maintenance),
            CircuitState::Refused(sentence) => Err(IndexError::Refused(sentence)),
        }
    }

    /// State of the circuit; a `Ready` older than `stale_after` counts as `Down`.
    pub(super) fn circuit_state(&self) -> CircuitState {
        match &*self.circuit_state.read() {
            (CircuitState::Ready, since) if self.stale_after < since.elapsed() => {
                CircuitState::Down("久未能查看引擎的状态".to_string())
            }
            (circuit_state, _) => circuit_state.clone(),
        }
    }

    /// Sets the state of the circuit.
    pub(super) fn set_circuit_state(&self, circuit_state: CircuitState) {
        let mut now = self.circuit_state.write();
        if now.0 != circuit_state {
            tracing::info!(?circuit_state, "circuit_state of the engine changed");
        }
        *now = (circuit_state, Instant::now());
    }

    /// Converts a failure to the caller's error.
    pub(super) fn error(&self, failure: WireFailure) -> IndexError {
        match failure {
            WireFailure::Refused(status) => IndexError::Server { reason: describe(&status) },
            WireFailure::Unreachable(reason) => match self.nodes.away() {
                Some(nodes) => IndexError::NodesAway { nodes, reason },
                None => unreachable(&self.urls, &reason),
            },
            WireFailure::Late => IndexError::DeadlineExceeded,
        }
    }

    fn note_failure(&self, reason: &str) {
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if OPEN_AFTER <= failures && self.circuit_state() == CircuitState::Ready {
            self.set_circuit_state(CircuitState::Down(reason.to_string()));
        }
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

    async fn health_check(self) -> std::result::Result<(), Status> {
        let service = InterceptedService::new(self.channel, self.header);
        QdrantClient::new(service).health_check(HealthCheckRequest {}).await.map(drop)
    }
}

// === impl RequestHeader ===

impl Interceptor for RequestHeader {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        request.set_timeout(self.time);
        if let Some(key) = &self.api_key {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

/// Returns whether a retry, or another node, may succeed.
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

/// Whether a status comes from the connection, not from the node.
fn no_answer(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

fn no_answer_within(time: Duration) -> String {
    format!("{} 毫秒内没有应答", time.as_millis())
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
