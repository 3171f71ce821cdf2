//! Streams of answers: no faster than the caller takes them, and never taken for whole when they are cut.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures::Stream;
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender, error::TrySendError},
};
use tonic::Status;

use crate::error::Error;
use duijie_proto::FilePart;

/// Bytes of one part of a file: few messages, and far below what a client takes by default (4 MiB).
const PART_BYTES: usize = 1 << 20;
/// Time that a caller has to take the next message before it counts as gone.
const STALL: Duration = Duration::from_secs(60);
/// Time that a stream waits for its caller in all: so long, and longer for each message that was taken. A file goes
/// through a network of 0.25 MB a second, but a caller that always comes just in time does not hold its place for ever.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time that a message adds.
const PATIENCE_EACH: Duration = Duration::from_secs(4);

/// The caller has gone, has taken nothing for a minute, or has been too slow for long.
#[derive(Debug)]
pub(super) struct Gone;

/// The sending side of a stream; clones send into the same one. Where all are dropped without [`Outgoing::finish`], the
/// stream ends with [`Error::StreamCut`], so that no caller takes a part for the whole.
pub(super) struct Outgoing<T> {
    messages: Sender<Result<T, Status>>,
    whole: Arc<AtomicBool>,
    stall: Duration,
    /// Time that is left to wait for the caller.
    patience: Arc<Mutex<Duration>>,
}

/// The receiving side of a stream, which tonic sends to the caller.
pub struct Answers<T> {
    messages: Receiver<Result<T, Status>>,
    whole: Arc<AtomicBool>,
    ended: bool,
}

/// Sends a file in parts of [`PART_BYTES`] each; clones write into the same file. [`Write`] is for a thread that may block.
/// The file is whole once [`PartWriter::complete`] has sent the last part.
pub(super) struct PartWriter<T>(Arc<Mutex<Parts<T>>>);

/// What the first part of a file says about it.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// Media type.
    pub media_type: &'static str,
    /// Suggested name.
    pub file_name: String,
}

struct Parts<T> {
    bytes: Vec<u8>,
    /// `None` once the first part is sent.
    about: Option<About>,
    message: Box<dyn FnMut(FilePart) -> T + Send>,
    outgoing: Outgoing<T>,
    runtime: Handle,
}

/// A stream that holds at most `waiting` messages that the caller has not taken yet.
pub(super) fn stream<T>(waiting: usize) -> (Outgoing<T>, Answers<T>) {
    let (sender, receiver) = mpsc::channel(waiting);
    let whole = Arc::new(AtomicBool::new(false));
    let patience = Arc::new(Mutex::new(PATIENCE));
    let outgoing = Outgoing { messages: sender, whole: Arc::clone(&whole), stall: STALL, patience };
    (outgoing, Answers { messages: receiver, whole, ended: false })
}

// === impl Outgoing ===

impl<T> Outgoing<T> {
    /// Sends a message as soon as there is room for it.
    pub(super) async fn send(&self, message: T) -> Result<(), Gone> {
        let message = match self.messages.try_send(Ok(message)) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(Gone),
            Err(TrySendError::Full(message)) => message,
        };
        let left = *self.patience.lock();
        let started = Instant::now();
        self.messages.send_timeout(message, left.min(self.stall)).await.map_err(|_| Gone)?;
        *self.patience.lock() = left.saturating_sub(started.elapsed()) + PATIENCE_EACH;
        Ok(())
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
        let (whole, patience) = (Arc::clone(&self.whole), Arc::clone(&self.patience));
        Self { messages: self.messages.clone(), whole, stall: self.stall, patience }
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
    /// A writer into `outgoing`; `message` makes a message of a part. Needs a tokio runtime.
    pub(super) fn new(
        outgoing: Outgoing<T>,
        about: About,
        message: impl FnMut(FilePart) -> T + Send + 'static,
    ) -> Self {
        let (message, runtime) = (Box::new(message), Handle::current());
        Self(Arc::new(Mutex::new(Parts { bytes: Vec::new(), about: Some(about), message, outgoing, runtime })))
    }

    /// Sends the last part, with what is left after the last full one, and ends the stream as whole.
    pub(super) async fn complete(self) -> Result<(), Gone> {
        let (last, outgoing) = {
            let mut parts = self.0.lock();
            (parts.next(true), parts.outgoing.clone())
        };
        outgoing.send(last).await?;
        outgoing.finish();
        Ok(())
    }

    /// Sends a whole file that lies in memory.
    pub(super) async fn send_all(self, bytes: &[u8]) -> Result<(), Gone> {
        for chunk in bytes.chunks(PART_BYTES) {
            let full = {
                let mut parts = self.0.lock();
                parts.bytes.extend_from_slice(chunk);
                let is_full = parts.bytes.len() == PART_BYTES;
                is_full.then(|| (parts.next(false), parts.outgoing.clone()))
            };
            if let Some((part, outgoing)) = full {
                outgoing.send(part).await?;
            }
        }
        self.complete().await
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

    /// Does nothing: a part is sent when it is full, the last one by [`PartWriter::complete`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Parts ===

impl<T> Parts<T> {
    /// The message of the part that was gathered.
    fn next(&mut self, complete: bool) -> T {
        let room = if complete { 0 } else { PART_BYTES };
        let chunk = std::mem::replace(&mut self.bytes, Vec::with_capacity(room));
        let about = self.about.take().map(|about| (about.media_type.to_string(), about.file_name));
        let (media_type, file_name) = about.unwrap_or_default();
        (self.message)(FilePart { chunk, complete, media_type, file_name })
    }

    fn send(&mut self) -> io::Result<()> {
        let message = self.next(false);
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

    #[tokio::test]
    async fn a_caller_that_always_comes_just_in_time_is_cut_at_last() {
        let (mut outgoing, mut answers) = stream(1);
        outgoing.stall = Duration::from_secs(3_600);
        *outgoing.patience.lock() = Duration::from_millis(20);
        outgoing.send(0).await.unwrap();
        // a message that is taken gives time for the next ones
        let (sent, taken) = tokio::join!(outgoing.send(1), answers.next());
        assert_eq!((sent.is_ok(), taken.unwrap().unwrap()), (true, 0));
        let left = *outgoing.patience.lock();
        assert!(PATIENCE_EACH <= left && left <= PATIENCE_EACH + Duration::from_millis(20), "{left:?}");
        *outgoing.patience.lock() = Duration::from_millis(20);
        assert!(outgoing.send(2).await.is_err());
        drop(outgoing);
        let late: Vec<_> = answers.map(|message| message.map_err(|status| status.code())).collect().await;
        assert_eq!(late, [Ok(1), Err(Code::Aborted)]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_come_in_parts_and_whole() {
        let about = About { media_type: "text/csv", file_name: "a.csv".into() };
        for (len, sizes) in [
            (0, vec![0]),
            (17, vec![17]),
            (PART_BYTES, vec![PART_BYTES, 0]),
            (2 * PART_BYTES + 17, vec![PART_BYTES, PART_BYTES, 17]),
        ] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            for is_in_memory in [false, true] {
                let (outgoing, answers) = stream(1);
                let mut writer = PartWriter::new(outgoing, about.clone(), |part| part);
                let written = bytes.clone();
                let writing = async {
                    if is_in_memory {
                        return writer.send_all(&written).await.unwrap();
                    }
                    let writing = tokio::task::spawn_blocking(move || writer.write_all(&written).map(|()| writer));
                    writing.await.unwrap().unwrap().complete().await.unwrap();
                };
                let reading = answers.map(|part| part.unwrap()).collect::<Vec<_>>();
                let (parts, ()) = tokio::join!(reading, writing);
                assert_eq!(parts.iter().map(|part| part.chunk.len()).collect::<Vec<_>>(), sizes);
                assert_eq!(parts.iter().filter(|part| part.complete).count(), 1);
                assert!(parts.last().unwrap().complete);
                let named = parts.iter().filter(|part| part.media_type == "text/csv" && part.file_name == "a.csv");
                assert_eq!((named.count(), parts[0].file_name.as_str()), (1, "a.csv"));
                assert_eq!(parts.into_iter().flat_map(|part| part.chunk).collect::<Vec<_>>(), bytes);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_without_its_last_part_ends_with_a_status() {
        let (outgoing, answers) = stream(4);
        let about = About { media_type: "", file_name: String::new() };
        let mut writer = PartWriter::new(outgoing, about, |part| part);
        let bytes = vec![1; PART_BYTES + 1];
        let writing = tokio::task::spawn_blocking(move || writer.write_all(&bytes));
        writing.await.unwrap().unwrap();
        let cut: Vec<_> = answers.map(|part| part.map(|it| it.complete).map_err(|it| it.code())).collect().await;
        assert_eq!(cut, [Ok(false), Err(Code::Aborted)]);
    }
}
