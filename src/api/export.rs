//! `ExportRematch`: streams a file in parts, no faster than the caller reads. Async tasks read the records; a blocking
//! thread makes the file.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    error::Error,
    rematch::{
        export::{Content, ExportError, Exporter, Format, Row},
        job::Job,
        reader::Reader,
    },
};
use duijie_proto as pb;

/// Bytes per part: few messages, each far below the default client limit (4 MiB).
const CHUNK_BYTES: usize = 1 << 20;
/// Parts queued for sending; bounds memory.
const WAITING_CHUNKS: usize = 2;
/// Batches of rows queued for the file.
const WAITING_ROWS: usize = 2;
/// Time until a caller that reads no part is disconnected, since it holds a thread.
pub const STALL: Duration = Duration::from_secs(60);

/// A part, or the error that ends the stream.
pub type Part = Result<pb::ExportRematchResponse, Status>;

/// The file to make.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// File format.
    pub format: Format,
    /// Content of the rows: results or differences.
    pub content: Content,
    /// Creation time that the file states.
    pub made: Timestamp,
}

/// Cuts bytes into parts and sends them. Blocks, so it is used on a blocking thread only.
struct Chunks {
    bytes: Vec<u8>,
    rows: i64,
    sender: Sender<Part>,
    runtime: Handle,
}

/// Shared handle: the file library writes to it, and the end of the file flushes it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Chunks>>);

/// Streams the file of a job's results, or of the differences from an earlier job.
pub fn send(reader: Reader, (before, job): (Option<Job>, Job), file: File) -> ReceiverStream<Part> {
    let (sender, parts) = mpsc::channel(WAITING_CHUNKS);
    tokio::spawn(run(reader, (before, job), file, sender));
    ReceiverStream::new(parts)
}

async fn run(reader: Reader, (before, job): (Option<Job>, Job), file: File, sender: Sender<Part>) {
    let (batches, rows) = mpsc::channel(WAITING_ROWS);
    let chunks = Chunks { bytes: Vec::new(), rows: 0, sender: sender.clone(), runtime: Handle::current() };
    let making = tokio::task::spawn_blocking(move || make(file, rows, chunks));
    let read = match before {
        Some(before) => reader.changes((&before, &job), &batches).await.map(drop),
        None => reader.pairs(job.id, &batches).await,
    };
    if let Err(error) = read {
        // the last part with `complete` is not sent, so the file counts as truncated
        let _ = sender.send_timeout(Err(error.into()), STALL).await;
        return;
    }
    drop(batches);
    let made = making.await.map_err(|error| Error::Internal(error.to_string()));
    if sender.is_closed() {
        return;
    }
    let rows = match made.and_then(|made| made.map_err(|error| Error::Internal(error.to_string()))) {
        Ok(rows) => rows,
        Err(error) => return drop(sender.send_timeout(Err(error.into()), STALL).await),
    };
    let last = pb::ExportRematchResponse { chunk: Vec::new(), row_count: rows, complete: true };
    let _ = sender.send_timeout(Ok(last), STALL).await;
}

/// Makes the file and returns its number of rows.
fn make(file: File, mut rows: Receiver<Vec<Row>>, chunks: Chunks) -> Result<i64, ExportError> {
    let shared = Shared(Arc::new(Mutex::new(chunks)));
    let mut exporter = Exporter::new(file.format, file.content, file.made, shared.clone())?;
    let mut count = 0;
    while let Some(batch) = rows.blocking_recv() {
        for row in &batch {
            exporter.write(row)?;
            count += 1;
        }
        shared.with(|chunks| chunks.rows = count);
    }
    exporter.finish()?;
    shared.with(Chunks::send)?;
    Ok(count)
}

// === impl Shared ===

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut Chunks) -> T) -> T {
        work(&mut self.0.lock())
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|chunks| {
            let taken = bytes.len().min(CHUNK_BYTES - chunks.bytes.len());
            chunks.bytes.extend(bytes.iter().take(taken));
            if chunks.bytes.len() == CHUNK_BYTES {
                chunks.send()?;
            }
            Ok(taken)
        })
    }

    /// Does nothing: parts are sent when full and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Chunks ===

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let part =
            pb::ExportRematchResponse { chunk: std::mem::take(&mut self.bytes), row_count: self.rows, complete: false };
        let sent = self.runtime.block_on(self.sender.send_timeout(Ok(part), STALL));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the caller has gone"))
    }
}
