//! An accepted connection: a client that speaks TLS to this port is told apart and closed, and so is one that says
//! nothing, or nothing more.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};
use tonic::transport::server::Connected;

use super::{
    caller::Place,
    connection::{Closed, Connection, ConnectionLimits},
};
use crate::metrics;

/// First bytes of a TLS handshake record: its type, and the major version of all TLS versions.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];
/// First bytes of HTTP/2. What begins otherwise is HTTP/1, and the server has a time limit for its headers.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An accepted connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// What has come of the first bytes; `None` once the client has said what it speaks.
    first: Option<Seen>,
    /// When to look at the connection again.
    look: Pin<Box<Sleep>>,
    closed: Option<Closed>,
    _place: Place,
}

/// The first bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// So many bytes of [`PREFACE`].
    Preface(usize),
    /// The first byte of [`TLS_HANDSHAKE`].
    Tls,
}

// === impl Socket ===

impl Socket {
    /// Wraps an accepted connection, which holds its place until it is closed.
    pub fn new(stream: TcpStream, place: Place, limits: ConnectionLimits) -> Self {
        let connection = Arc::new(Connection::new(stream.peer_addr().ok(), limits));
        let look =
            Box::pin(tokio::time::sleep_until(connection.look(Instant::now()).unwrap_or_else(|_| Instant::now())));
        Self { stream, connection, first: Some(Seen::Preface(0)), look, closed: None, _place: place }
    }

    /// Looks at the next bytes from the client.
    ///
    /// # Errors
    /// If the client speaks TLS. The server then closes the connection.
    fn read_first(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.first = match self.first {
                None => return Ok(()),
                Some(Seen::Preface(seen)) if PREFACE.get(seen) == Some(byte) => Some(Seen::Preface(seen + 1)),
                Some(Seen::Preface(0)) if TLS_HANDSHAKE[0] == *byte => Some(Seen::Tls),
                Some(Seen::Tls) if TLS_HANDSHAKE[1] == *byte => {
                    let peer = self.stream.peer_addr().ok();
                    tracing::warn!(?peer, "closed: the client speaks TLS, this port does not");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "TLS on a port without TLS"));
                }
                Some(_) => None,
            };
            if self.first == Some(Seen::Preface(PREFACE.len())) {
                self.first = None;
            }
            if self.first.is_none() {
                self.connection.begin();
            }
        }
        Ok(())
    }

    /// Whether the connection is open; if it is, the task is woken when that may change.
    fn is_open(&mut self, context: &mut Context<'_>) -> bool {
        while self.closed.is_none() && self.look.as_mut().poll(context).is_ready() {
            match self.connection.look(Instant::now()) {
                Ok(next) => self.look.as_mut().reset(next),
                Err(closed) => {
                    let peer = self.stream.peer_addr().ok();
                    tracing::debug!(?peer, reason = closed.name(), "closed a connection");
                    metrics::connection_closed(closed.name());
                    self.closed = Some(closed);
                }
            }
        }
        self.closed.is_none()
    }
}

impl Connected for Socket {
    type ConnectInfo = Arc<Connection>;

    fn connect_info(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // as if the client had ended the connection
        if !self.is_open(context) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.first.is_some() {
            self.read_first(buffer.filled().get(before..).unwrap_or_default())?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.is_open(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.is_open(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
