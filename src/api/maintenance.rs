//! `MaintenanceService`: streams a snapshot in parts, no faster than the caller reads.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use super::stream::{About, Answers, Outgoing, PartWriter, stream};
use crate::{app::Parts, error::Error};
use duijie_cpu::carried;
use duijie_proto as pb;
use duijie_proto::maintenance_service_server::MaintenanceService;
use duijie_store::{StoreShape, transfer};

/// Parts that the caller has not taken yet, to bound memory.
const WAITING_PARTS: usize = 2;
/// Suggested name of the file.
const FILE_NAME: &str = "duijie.zst";
/// When a caller that has to wait for another's snapshot shall come back, in milliseconds.
const RETRY_MS: u64 = 10_000;

/// The service. Its clones share one permit for snapshots.
#[derive(Clone)]
pub struct Maintenance {
    parts: Parts,
    turn: Arc<Semaphore>,
}

// === impl Maintenance ===

impl Maintenance {
    /// Creates the service from its parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, turn: Arc::new(Semaphore::new(1)) }
    }

    async fn send(self, turn: OwnedSemaphorePermit, outgoing: Outgoing<pb::CreateSnapshotResponse>) {
        let _turn = turn;
        let (done, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let about = About { media_type: "application/zstd", file_name: FILE_NAME.to_string() };
        let writer = PartWriter::new(outgoing.clone(), about, {
            let (done, total) = (Arc::clone(&done), Arc::clone(&total));
            let count = |count: &AtomicU64| i64::try_from(count.load(Relaxed)).unwrap_or(i64::MAX);
            move |part| pb::CreateSnapshotResponse {
                part: Some(part),
                done_count: count(&done),
                total_count: count(&total),
            }
        });
        let versions = (*self.parts.versions).clone();
        let store = StoreShape { versions, dimensions: self.parts.embedder.identity().dimensions };
        let created = transfer::create(&*self.parts.index, store, writer.clone(), |progress| {
            done.store(progress.done, Relaxed);
            total.store(progress.total, Relaxed);
        });
        if let Err(error) = created.await {
            return outgoing.fail(error.into()).await;
        }
        // a caller that has gone needs no answer
        let _ = writer.complete().await;
    }
}

#[tonic::async_trait]
impl MaintenanceService for Maintenance {
    type CreateSnapshotStream = Answers<pb::CreateSnapshotResponse>;

    async fn create_snapshot(
        &self,
        _: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<Self::CreateSnapshotStream>, Status> {
        let busy = |_| Error::Busy { retry_ms: RETRY_MS };
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(busy)?;
        let (outgoing, answers) = stream(WAITING_PARTS);
        tokio::spawn(carried(self.clone().send(turn, outgoing)));
        Ok(Response::new(answers))
    }
}
