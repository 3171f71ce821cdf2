//! `ExportRematch`: the bytes of a file, part by part, no faster than they are taken. Records are read on async threads, the
//! file is made on one that may block.

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

/// Bytes of one part: few messages, and far below what a client takes by default (4 MiB).
const CHUNK_BYTES: usize = 1 << 20;
/// Parts that wait to be sent, to bound memory.
const WAITING_CHUNKS: usize = 2;
/// Batches of rows that wait for the file.
const WAITING_ROWS: usize = 2;
/// Time that a caller has to take the next part before it counts as gone: it holds a thread.
pub const STALL: Duration = Duration::from_secs(60);

/// A part, or why there are no more.
pub type Part = Result<pb::ExportRematchResponse, Status>;

/// What file is to be made.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Sort of file.
    pub format: Format,
    /// What its rows say.
    pub content: Content,
    /// When it says that it was made.
    pub made: Timestamp,
}

/// Cuts bytes into parts and sends them; used on a thread that may block.
struct Chunks {
    bytes: Vec<u8>,
    rows: i64,
    sender: Sender<Part>,
    runtime: Handle,
}

/// The same twice: for the library that makes the file, and to send what is left when it is done.
#[derive(Clone)]
struct Shared(Arc<Mutex<Chunks>>);

/// Sends the file of a job's results, or of what differs from the job before.
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
        // the file is not ended: without its last part nobody takes it for whole
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

/// Makes the file; says how many rows it has.
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

    /// Does nothing: parts are sent when they are full, and at the end.
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
