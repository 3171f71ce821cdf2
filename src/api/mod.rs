//! The gRPC layer: services, health, reflection, limits. Only this module, `pb` and the command-line client use tonic
//! and prost. It has no matching logic.

mod access;
mod admission;
mod caller;
mod catalog;
mod connection;
pub(crate) mod convert;
mod duplicates;
mod event_file;
mod event_lists;
mod events;
mod export;
mod grpc_only;
mod health;
mod incoming;
mod intake;
mod limit;
mod maintenance;
mod matching;
mod methods;
mod overload;
mod page;
pub(crate) mod page_token;
mod rematch;
mod routes;
mod socket;
pub mod status;
mod stream;
mod watching;

use std::time::Duration;

use tokio::sync::watch;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::app::Parts;
use admission::AdmissionLayer;
pub use connection::ConnectionLimits;
pub use convert::record_out;
use grpc_only::GrpcOnlyLayer;
pub(crate) use health::node_name;
use health::{set_health, watch_health};
pub use incoming::Incoming;
pub use overload::Waits;

/// Server limits. The defaults are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum concurrent calls.
    pub max_calls: usize,
    /// Streams at a time, beside the calls.
    pub max_streams: usize,
    /// Maximum message size in bytes.
    pub max_message_bytes: usize,
    /// Deadline for callers that set none.
    pub default_deadline: Duration,
    /// Time for calls in flight to finish after `stop`.
    pub drain: Duration,
    /// Percentage of all places of one sort that one caller may hold when they are scarce.
    pub caller_share: usize,
    /// Bytes that all calls in flight may hold.
    pub max_inflight_bytes: usize,
    /// Time in which a request has to come whole.
    pub request_timeout: Duration,
    /// The same for each message of a stream.
    pub message_timeout: Duration,
    /// How long calls may wait.
    pub waits: Waits,
    /// Limits of connections.
    pub connections: ConnectionLimits,
}

/// Error that ended serving early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("gRPC 服务中断：{0}")]
    Transport(#[from] tonic::transport::Error),
    /// The service descriptors cannot be read: a build error.
    #[error("无法提供反射服务：{0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves the connections of `incoming` until `stopped` is set, then lets calls in flight finish within the drain time.
///
/// # Errors
/// If the transport fails.
pub async fn serve(
    parts: Parts,
    limits: Limits,
    incoming: Incoming,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    set_health(&reporter, ServingStatus::NotServing).await;
    let routes = routes::all(&parts, &limits, &stopped, health)?;
    let admission = AdmissionLayer::new(&limits, parts.foreground.clone(), parts.access.clone());
    let health_watch = tokio::spawn(watch_health(parts, reporter, stopped.clone()));
    // HTTP/2 windows stay at the default of 1 MiB: adaptive windows begin at 64 KiB and slow down the first messages
    let mut server = Server::builder();
    if let Some(age) = limits.connections.age {
        // without tonic's grace, which would cut connections at its end without a word before
        server = server.max_connection_age(age);
    }
    let serving = server
        .layer(GrpcOnlyLayer)
        .layer(admission)
        // only to be answered by `GrpcOnlyLayer`
        .accept_http1(true)
        .max_concurrent_streams(limits.connections.max_calls)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming.sockets(limits.connections, limits.caller_share), wait(stopped.clone()));
    let drained = async move {
        wait(stopped).await;
        // tonic would wait for open connections without a limit
        tokio::time::sleep(limits.drain).await;
    };
    let result = tokio::select! {
        result = serving => result.map_err(ServeError::from),
        () = drained => Ok(()),
    };
    health_watch.abort();
    let _ = health_watch.await;
    result
}

impl Default for Limits {
    fn default() -> Self {
        let (seconds, hours) = (Duration::from_secs, |hours: u64| Duration::from_secs(hours * 3_600));
        Self {
            max_calls: 256,
            max_streams: 128,
            max_message_bytes: 32 << 20,
            default_deadline: seconds(30),
            drain: seconds(10),
            caller_share: 50,
            max_inflight_bytes: 512 << 20,
            request_timeout: seconds(30),
            message_timeout: seconds(120),
            waits: Waits { target: Duration::from_millis(100), burst: Duration::from_millis(300) },
            connections: ConnectionLimits {
                max: 1_000,
                max_calls: 128,
                handshake: seconds(10),
                idle: seconds(900),
                age: Some(hours(24)),
                grace: hours(6),
            },
        }
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
