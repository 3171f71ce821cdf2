//! Connections as the service takes them in: each socket gets its TCP options before it carries anything, and their
//! number is bounded.
//!
//! `tcp_nodelay` and `tcp_keepalive` of tonic's server builder only apply to listeners that tonic binds itself. The
//! service brings its own listener, so the options are set here.

use std::{
    fs,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{StreamExt, future};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep},
};
use tokio_stream::Stream;
use tonic::transport::server::TcpIncoming;

use super::{
    caller::{Caller, Shares},
    connection::ConnectionLimits,
    socket::Socket,
};
use crate::metrics;

/// Silence after which the kernel probes the peer. HTTP/2 pings do the same, but only after the HTTP/2 handshake.
const PROBE_AFTER: Duration = Duration::from_secs(60);
/// Time between two probes that get no answer.
const PROBE_EVERY: Duration = Duration::from_secs(10);
/// Probes without an answer after which the connection is closed.
const PROBES: u32 = 3;
/// Pause after the system had no connection to give, such as at the limit of open files.
const PAUSE: Duration = Duration::from_millis(100);
/// Shortest time between two lines of the log about such pauses, or about refused connections.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Where the system says how many files the process may open.
const SYSTEM_LIMITS: &str = "/proc/self/limits";

/// Accepts connections and sets two options on each socket:
///
/// - `TCP_NODELAY`. An answer is several small writes. Without this option the second write waits until the client
///   acknowledges the first one, and clients delay acknowledgements by about 40 ms.
/// - `SO_KEEPALIVE`, so that connections to machines that are gone are closed.
///
/// Where accepting fails, it rests before it tries again.
#[derive(Debug)]
pub struct Incoming<S = TcpIncoming> {
    accepting: S,
    pause: Option<Pin<Box<Sleep>>>,
    said: Said,
}

/// Bounds the lines of the log about one matter.
#[derive(Debug, Default)]
struct Said(Option<Instant>);

// === impl Incoming ===

impl Incoming {
    /// Accepts from `listener`.
    pub fn new(listener: TcpListener) -> Self {
        let incoming = TcpIncoming::from(listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(PROBE_AFTER))
            .with_keepalive_interval(Some(PROBE_EVERY))
            .with_keepalive_retries(Some(PROBES));
        Self::of(incoming)
    }

    /// The connections within these limits. Those beyond are closed at once.
    pub(super) fn sockets(
        self,
        limits: ConnectionLimits,
        share: usize,
    ) -> impl Stream<Item = io::Result<Socket>> + Send {
        let max = bounded(limits.max);
        let (places, mut said) = (Shares::new(max, share), Said::default());
        self.filter_map(move |stream| {
            let Ok(stream) = stream else { return future::ready(None) };
            let peer = stream.peer_addr().ok();
            let place = places.take(peer.map_or(Caller::Unknown, |peer| Caller::at(peer.ip())), 1);
            if place.is_none() {
                metrics::connection_closed("refused");
                if said.may() {
                    tracing::warn!(?peer, max, "closed a connection at once: too many are open");
                }
            }
            future::ready(place.map(|place| Ok(Socket::new(stream, place, limits))))
        })
    }
}

impl<S> Incoming<S> {
    fn of(accepting: S) -> Self {
        Self { accepting, pause: None, said: Said::default() }
    }
}

impl<S: Stream<Item = io::Result<TcpStream>> + Unpin> Stream for Incoming<S> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            let error = match ready!(Pin::new(&mut self.accepting).poll_next(context)) {
                Some(Err(error)) => error,
                accepted => return Poll::Ready(accepted),
            };
            // the client has gone before it was accepted: the next one may be there already
            if error.kind() != io::ErrorKind::ConnectionAborted {
                if self.said.may() {
                    tracing::warn!(%error, "no connection can be taken in, trying again");
                }
                self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
            }
        }
    }
}

// === impl Said ===

impl Said {
    /// Whether a line may be written now.
    fn may(&mut self) -> bool {
        let now = Instant::now();
        let may = self.0.is_none_or(|said| said + SAY_EVERY <= now);
        if may {
            self.0 = Some(now);
        }
        may
    }
}

/// At most half of the files that the process may open: the store needs some too.
fn bounded(max: usize) -> usize {
    let files = fs::read_to_string(SYSTEM_LIMITS).ok().and_then(|text| open_files(&text));
    match files.map(|files| (files / 2).max(1)) {
        Some(half) if half < max => {
            tracing::warn!(max, half, "fewer connections than configured: the system allows too few open files");
            half
        }
        _ => max,
    }
}

/// How many files the process may open, as the system says it; `None` for any number.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn where_no_connection_can_be_accepted_it_rests() {
        let asked = Arc::new(AtomicUsize::new(0));
        let failing = stream::repeat_with({
            let asked = Arc::clone(&asked);
            move || {
                asked.fetch_add(1, SeqCst);
                Err(io::Error::from_raw_os_error(24))
            }
        });
        let mut incoming = Incoming::of(failing);
        let started = Instant::now();
        assert!(tokio::time::timeout(2 * PAUSE, incoming.next()).await.is_err());
        // at most one attempt for each pause, however long this took
        let rests = started.elapsed().as_millis() / PAUSE.as_millis();
        assert!(asked.load(SeqCst) as u128 <= rests + 2, "{asked:?} after {rests} rests");
    }

    #[tokio::test]
    async fn connections_that_were_given_up_cost_no_rest() {
        let gone = || Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        let mut incoming = Incoming::of(stream::iter([gone(), gone()]));
        assert!(incoming.next().await.is_none());
        assert!(incoming.pause.is_none());
    }

    #[test]
    fn the_systems_limit_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max processes             100                  100                  processes\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!(open_files(text), Some(1024));
        assert_eq!(open_files("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(open_files(""), None);
        assert_eq!(bounded(1), 1);
    }
}
