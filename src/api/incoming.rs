//! Connections as the service takes them in: each socket gets its TCP options before it carries anything.
//!
//! `tcp_nodelay` and `tcp_keepalive` of tonic's server builder only apply to listeners that tonic binds itself. The
//! service brings its own listener, so the options are set here.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};
use tokio_stream::Stream;
use tonic::transport::server::TcpIncoming;

/// Silence after which the kernel probes the peer. HTTP/2 pings do the same, but only after the HTTP/2 handshake.
const PROBE_AFTER: Duration = Duration::from_secs(60);
/// Time between two probes that get no answer.
const PROBE_EVERY: Duration = Duration::from_secs(10);
/// Probes without an answer after which the connection is closed.
const PROBES: u32 = 3;

/// Accepts connections and sets two options on each socket:
///
/// - `TCP_NODELAY`. An answer is several small writes. Without this option the second write waits until the client
///   acknowledges the first one, and clients delay acknowledgements by about 40 ms.
/// - `SO_KEEPALIVE`, so that connections to machines that are gone are closed.
#[derive(Debug)]
pub struct Incoming(TcpIncoming);

// === impl Incoming ===

impl Incoming {
    /// Accepts from `listener`.
    pub fn new(listener: TcpListener) -> Self {
        let incoming = TcpIncoming::from(listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(PROBE_AFTER))
            .with_keepalive_interval(Some(PROBE_EVERY))
            .with_keepalive_retries(Some(PROBES));
        Self(incoming)
    }
}

impl Stream for Incoming {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}
