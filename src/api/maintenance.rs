//! `MaintenanceService`: streams a snapshot in parts, no faster than the caller reads.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, Sender},
    },
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{app::Parts, error::Error};
use duijie_proto as pb;
use duijie_proto::maintenance_service_server::MaintenanceService;
use duijie_store::{StoreShape, transfer};

/// Bytes per part: few messages, each far below the default client limit (4 MiB).
const CHUNK_BYTES: usize = 1 << 20;
/// Parts queued for sending; bounds memory.
const WAITING_CHUNKS: usize = 2;
/// Time until a caller that reads no part is disconnected, since it holds a thread.
const STALL: Duration = Duration::from_secs(60);
/// Retry delay while another snapshot runs, in milliseconds.
const RETRY_MS: u64 = 10_000;

/// The service. Its clones share one permit for snapshots.
#[derive(Clone)]
pub struct Maintenance {
    parts: Parts,
    turn: Arc<Semaphore>,
}

type Part = Result<pb::CreateSnapshotResponse, Status>;

/// Cuts bytes into parts and sends them. Blocks, so it is used on a blocking thread only.
struct Chunks {
    bytes: Vec<u8>,
    sender: Sender<Part>,
    runtime: Handle,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

// === impl Maintenance ===

impl Maintenance {
    /// Creates the service from its parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, turn: Arc::new(Semaphore::new(1)) }
    }

    async fn send(self, turn: OwnedSemaphorePermit, sender: Sender<Part>) {
        let _turn = turn;
        let (done, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let chunks = Chunks {
            bytes: Vec::with_capacity(CHUNK_BYTES),
            sender: sender.clone(),
            runtime: Handle::current(),
            done: Arc::clone(&done),
            total: Arc::clone(&total),
        };
        let versions = (*self.parts.versions).clone();
        let store = StoreShape { versions, dimensions: self.parts.embedder.identity().dimensions };
        let created = transfer::create(&*self.parts.index, store, chunks, |progress| {
            done.store(progress.done, Ordering::Relaxed);
            total.store(progress.total, Ordering::Relaxed);
        });
        if let Err(error) = created.await {
            // a failed send means that the caller has gone
            let _ = sender.send_timeout(Err(Error::from(error).into()), STALL).await;
        }
    }
}

#[tonic::async_trait]
impl MaintenanceService for Maintenance {
    type CreateSnapshotStream = ReceiverStream<Part>;

    async fn create_snapshot(
        &self,
        _: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<Self::CreateSnapshotStream>, Status> {
        let busy = |_| Error::Busy { retry_ms: RETRY_MS };
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(busy)?;
        let (sender, parts) = mpsc::channel(WAITING_CHUNKS);
        tokio::spawn(self.clone().send(turn, sender));
        Ok(Response::new(ReceiverStream::new(parts)))
    }
}

// === impl Chunks ===

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        let count = |count: &AtomicU64| i64::try_from(count.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let part = pb::CreateSnapshotResponse {
            chunk: std::mem::replace(&mut self.bytes, Vec::with_capacity(CHUNK_BYTES)),
            done_count: count(&self.done),
            total_count: count(&self.total),
        };
        let sent = self.runtime.block_on(self.sender.send_timeout(Ok(part), STALL));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the caller has gone"))
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES - self.bytes.len());
        self.bytes.extend(bytes.iter().take(taken));
        if self.bytes.len() == CHUNK_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    /// Sends the rest; called once, at the end of the snapshot.
    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { self.send() }
    }
}
