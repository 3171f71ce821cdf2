//! A connection whose first bytes are looked at: a client that speaks TLS to this port is told apart and closed.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// First bytes of a TLS handshake record: its type, and the major version of all TLS versions.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// An accepted connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// How many of the first bytes have come and are those of TLS; `None` once one was different.
    tls_bytes: Option<usize>,
}

// === impl Socket ===

impl Socket {
    /// Wraps an accepted connection.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, tls_bytes: Some(0) }
    }

    /// Looks at the next bytes from the client.
    ///
    /// # Errors
    /// If the client speaks TLS. The server then closes the connection.
    fn look(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            let Some(seen) = self.tls_bytes else { return Ok(()) };
            self.tls_bytes = (TLS_HANDSHAKE.get(seen) == Some(byte)).then_some(seen + 1);
            if self.tls_bytes == Some(TLS_HANDSHAKE.len()) {
                let peer = self.stream.peer_addr().ok();
                tracing::warn!(?peer, "closed: the client speaks TLS, this port does not");
                return Err(io::Error::new(io::ErrorKind::InvalidData, "TLS on a port without TLS"));
            }
        }
        Ok(())
    }
}

impl Connected for Socket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.tls_bytes.is_some() {
            self.look(buffer.filled().get(before..).unwrap_or_default())?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
