//! Streams of answers: no faster than the caller takes them, and never taken for whole when they are cut.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::Stream;
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender},
};
use tonic::Status;

use crate::error::Error;

/// Bytes of one part of a file: few messages, and far below what a client takes by default (4 MiB).
pub(super) const PART_BYTES: usize = 1 << 20;
/// Time that a caller has to take the next message before it counts as gone.
const STALL: Duration = Duration::from_secs(60);

/// The caller has gone, or has taken nothing for a minute.
#[derive(Debug)]
pub(super) struct Gone;

/// The sending side of a stream; clones send into the same one. Where all are dropped without [`Outgoing::finish`], the
/// stream ends with [`Error::StreamCut`], so that no caller takes a part for the whole.
pub(super) struct Outgoing<T> {
    messages: Sender<Result<T, Status>>,
    whole: Arc<AtomicBool>,
    stall: Duration,
}

/// The receiving side of a stream, which tonic sends to the caller.
pub struct Answers<T> {
    messages: Receiver<Result<T, Status>>,
    whole: Arc<AtomicBool>,
    ended: bool,
}

/// Writes bytes as messages of [`PART_BYTES`] each, from a thread that may block; clones write into the same stream.
pub(super) struct PartWriter<T>(Arc<Mutex<Parts<T>>>);

struct Parts<T> {
    bytes: Vec<u8>,
    message: Box<dyn FnMut(Vec<u8>) -> T + Send>,
    outgoing: Outgoing<T>,
    runtime: Handle,
}

/// A stream that holds at most `waiting` messages that the caller has not taken yet.
pub(super) fn stream<T>(waiting: usize) -> (Outgoing<T>, Answers<T>) {
    let (sender, receiver) = mpsc::channel(waiting);
    let whole = Arc::new(AtomicBool::new(false));
    let outgoing = Outgoing { messages: sender, whole: Arc::clone(&whole), stall: STALL };
    (outgoing, Answers { messages: receiver, whole, ended: false })
}

// === impl Outgoing ===

impl<T> Outgoing<T> {
    /// Sends a message as soon as there is room for it.
    pub(super) async fn send(&self, message: T) -> Result<(), Gone> {
        self.messages.send_timeout(Ok(message), self.stall).await.map_err(|_| Gone)
    }

    /// Ends the stream as whole, once all clones are dropped.
    pub(super) fn finish(self) {
        self.whole.store(true, SeqCst);
    }

    /// Ends the stream with an error. A caller that has gone does not hear it.
    pub(super) async fn fail(self, error: Error) {
        let _ = self.messages.send_timeout(Err(error.into()), self.stall).await;
    }

    /// Whether the caller has gone.
    pub(super) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// Resolves when the caller has gone.
    pub(super) async fn closed(&self) {
        self.messages.closed().await;
    }
}

impl<T> Clone for Outgoing<T> {
    fn clone(&self) -> Self {
        Self { messages: self.messages.clone(), whole: Arc::clone(&self.whole), stall: self.stall }
    }
}

// === impl Answers ===

impl<T> Stream for Answers<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let message = ready!(self.messages.poll_recv(context));
        self.ended = !matches!(message, Some(Ok(_)));
        Poll::Ready(match message {
            None if !self.whole.load(SeqCst) => Some(Err(Error::StreamCut.into())),
            message => message,
        })
    }
}

// === impl PartWriter ===

impl<T> PartWriter<T> {
    /// A writer into `outgoing`; `message` makes a message of the bytes of a part. Needs a tokio runtime.
    pub(super) fn new(outgoing: Outgoing<T>, message: impl FnMut(Vec<u8>) -> T + Send + 'static) -> Self {
        let (bytes, runtime) = (Vec::with_capacity(PART_BYTES), Handle::current());
        Self(Arc::new(Mutex::new(Parts { bytes, message: Box::new(message), outgoing, runtime })))
    }

    /// Sends what is left after the last whole part.
    ///
    /// # Errors
    /// `BrokenPipe` where the caller has gone.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut parts = self.0.lock();
        if parts.bytes.is_empty() { Ok(()) } else { parts.send() }
    }
}

impl<T> Clone for PartWriter<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Write for PartWriter<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut parts = self.0.lock();
        let taken = bytes.len().min(PART_BYTES - parts.bytes.len());
        parts.bytes.extend(bytes.iter().take(taken));
        if parts.bytes.len() == PART_BYTES {
            parts.send()?;
        }
        Ok(taken)
    }

    /// Does nothing: a part is sent when it is full, the last one by [`PartWriter::finish`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Parts ===

impl<T> Parts<T> {
    fn send(&mut self) -> io::Result<()> {
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(PART_BYTES));
        let message = (self.message)(bytes);
        let sent = self.runtime.block_on(self.outgoing.send(message));
        sent.map_err(|Gone| io::Error::new(io::ErrorKind::BrokenPipe, "the caller has gone"))
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_was_not_finished_ends_with_a_status() {
        let (outgoing, answers) = stream(4);
        outgoing.send(1).await.unwrap();
        outgoing.clone().finish();
        outgoing.send(2).await.unwrap();
        drop(outgoing);
        let whole: Vec<_> = answers.map(|message| message.map_err(|status| status.code())).collect().await;
        assert_eq!(whole, [Ok(1), Ok(2)]);

        let (outgoing, answers) = stream(4);
        outgoing.send(1).await.unwrap();
        drop(outgoing);
        let cut: Vec<_> = answers.map(|message| message.map_err(|status| status.code())).collect().await;
        assert_eq!(cut, [Ok(1), Err(Code::Aborted)]);

        let (outgoing, answers) = stream::<i32>(4);
        outgoing.fail(Error::NoSuchJob("a".into())).await;
        let failed: Vec<_> = answers.map(|message| message.map_err(|status| status.code())).collect().await;
        assert_eq!(failed, [Err(Code::NotFound)]);
    }

    #[tokio::test]
    async fn a_caller_that_takes_nothing_counts_as_gone_and_hears_that_it_missed_something() {
        let (mut outgoing, answers) = stream(1);
        outgoing.stall = Duration::from_millis(1);
        outgoing.send(1).await.unwrap();
        assert!(outgoing.send(2).await.is_err());
        drop(outgoing);
        let late: Vec<_> = answers.map(|message| message.map_err(|status| status.code())).collect().await;
        assert_eq!(late, [Ok(1), Err(Code::Aborted)]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bytes_come_in_parts_and_whole() {
        let (outgoing, answers) = stream(1);
        let bytes: Vec<u8> = (0..2 * PART_BYTES + 17).map(|n| (n % 251) as u8).collect();
        let written = bytes.clone();
        let writing = tokio::task::spawn_blocking({
            let mut writer = PartWriter::new(outgoing.clone(), |part| part);
            move || writer.write_all(&written).and_then(|()| writer.flush()).and_then(|()| writer.finish())
        });
        let reading = answers.map(|part| part.unwrap()).collect::<Vec<_>>();
        let (parts, ()) = tokio::join!(reading, async {
            writing.await.unwrap().unwrap();
            outgoing.finish();
        });
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [PART_BYTES, PART_BYTES, 17]);
        assert_eq!(parts.concat(), bytes);
    }
}
