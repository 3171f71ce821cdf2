//! An engine that accepts the first blocks of a job and stalls at the next, so that the job stays running during a test
//! on any machine.

use std::{future::pending, sync::Arc, time::Duration};

use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_store::{
    Candidates, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, FieldSelection, Hit,
    Index, IndexStatus, Key, Lease, Page, PageRequest, Point, PointId, Result, Search, VectorPage, VectorSelection,
    Vectors, Written,
};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Mutex;

/// Pause between writes.
const PAUSE: Duration = Duration::from_millis(20);

/// Engine wrapper: writes of a job's blocks run one by one, and stall from some block on. Everything else is unchanged.
pub struct Stalling {
    index: Arc<dyn Index>,
    /// Number of the block at which it stalls.
    at: u64,
    turn: Mutex<()>,
}

// === impl Stalling ===

impl Stalling {
    /// Accepts this many blocks of each job.
    pub fn new(index: Arc<dyn Index>, blocks: u64) -> Self {
        Self { index, at: blocks, turn: Mutex::new(()) }
    }

    async fn wait(&self, write: &DocumentWrite) {
        if let Key::Number(number) = write.key
            && write.folder.starts_with("rematch/results/")
        {
            if self.at <= number {
                pending::<()>().await;
            }
            let _turn = self.turn.lock().await;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Index for Stalling {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        self.index.upsert(kind, points)
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        self.index.delete(name)
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.index.get(names, with)
    }

    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        self.index.search(kind, search)
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        self.index.cosines(kind, dense, ids)
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.index.fetch(kind, ids, with)
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        self.index.vectors(kind, ids, which)
    }

    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>> {
        self.index.scan(kind, after, limit, which)
    }

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<Page>> {
        self.index.scroll(kind, filter, page)
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        self.index.count(kind, filter)
    }

    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        self.index.claim(duty)
    }

    fn status(&self) -> IndexStatus {
        self.index.status()
    }
}

impl Documents for Stalling {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        self.index.read_documents(folder, keys)
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        async move {
            for write in &writes {
                self.wait(write).await;
            }
            self.index.write_documents(writes).await
        }
        .boxed()
    }

    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        self.index.restore_documents(documents)
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        self.index.remove_documents(folder, keys)
    }

    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>> {
        self.index.list_documents(query, after, limit)
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        self.index.count_documents(query)
    }
}
