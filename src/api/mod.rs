//! The gRPC layer: services, health, reflection, limits. Only this module, `pb` and the command-line client use tonic
//! and prost. It has no matching logic.

mod admission;
mod catalog;
pub(crate) mod convert;
mod duplicates;
mod event_file;
mod event_lists;
mod events;
mod export;
mod grpc_only;
mod health;
mod incoming;
mod maintenance;
mod matching;
mod page;
mod page_token;
mod rematch;
mod routes;
mod socket;
pub mod status;
mod stream;
mod watching;

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::app::Parts;
use admission::AdmissionLayer;
pub use convert::record_out;
use grpc_only::GrpcOnlyLayer;
use health::{set_health, watch_health};
pub use incoming::Incoming;
use socket::Socket;

/// Maximum concurrent streams per connection.
const MAX_STREAMS: u32 = 256;

/// Server limits.
#[derive(Debug, Clone, Copy)]
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
    let routes = routes::all(&parts, limits.max_message_bytes, &stopped, health)?;
    let admission = AdmissionLayer::new(&limits, parts.foreground.clone());
    let health_watch = tokio::spawn(watch_health(parts, reporter, stopped.clone()));
    // HTTP/2 windows stay at the default of 1 MiB: adaptive windows begin at 64 KiB and slow down the first messages
    let serving = Server::builder()
        .layer(GrpcOnlyLayer)
        .layer(admission)
        // only to be answered by `GrpcOnlyLayer`
        .accept_http1(true)
        .max_concurrent_streams(MAX_STREAMS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming.map(|socket| socket.map(Socket::new)), wait(stopped.clone()));
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

async fn wait(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
