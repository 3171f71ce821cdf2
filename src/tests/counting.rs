//! An index that counts what is read of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_store::{
    Candidates, ChangeClock, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents,
    FieldSelection, Hit, Index, IndexError, IndexStatus, Key, Lease, Leases, MemoryIndex, PageRequest, Point, PointId,
    PointPage, Records, Result, Retrieval, Search, VectorPage, VectorSelection, Vectors, Written,
};
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;

/// What was read, in records and documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// Records without their embeddings.
    pub records: usize,
    /// Records with all of their vectors.
    pub whole: usize,
    /// Vectors without their records.
    pub vectors: usize,
    /// Documents.
    pub documents: usize,
}

#[derive(Debug, Default)]
struct Counts {
    records: AtomicUsize,
    whole: AtomicUsize,
    vectors: AtomicUsize,
    documents: AtomicUsize,
}

/// An index in memory that counts.
#[derive(Clone)]
pub struct Counting {
    index: Arc<MemoryIndex>,
    counts: Arc<Counts>,
    is_full: Arc<AtomicBool>,
    is_away: Arc<AtomicBool>,
    stalls: watch::Sender<bool>,
}

// === impl Counting ===

impl Counting {
    pub fn new(index: MemoryIndex) -> Self {
        Self {
            index: Arc::new(index),
            counts: Arc::default(),
            is_full: Arc::default(),
            is_away: Arc::default(),
            stalls: watch::Sender::new(false),
        }
    }

    /// Lets reads take a record for damaged.
    pub fn damage(&self, name: &RecordName) {
        self.index.damage(name);
    }

    /// Whether writes of documents fail from now on, as on a full disk.
    pub fn refuse_documents(&self, refuse: bool) {
        self.is_full.store(refuse, Relaxed);
    }

    /// Whether lists of documents fail from now on.
    pub fn hide_documents(&self, hide: bool) {
        self.is_away.store(hide, Relaxed);
    }

    /// Whether reads of records are not answered from now on.
    pub fn stall(&self, stall: bool) {
        self.stalls.send_replace(stall);
    }

    /// What was read since the last call.
    pub fn take(&self) -> Reads {
        let Counts { records, whole, vectors, documents } = &*self.counts;
        let [records, whole, vectors, documents] = [records, whole, vectors, documents].map(|it| it.swap(0, Relaxed));
        Reads { records, whole, vectors, documents }
    }

    fn note(&self, count: usize, with: FieldSelection) {
        let counter = match with {
            FieldSelection::Payload | FieldSelection::Sparse => &self.counts.records,
            FieldSelection::Everything => &self.counts.whole,
        };
        counter.fetch_add(count, Relaxed);
    }
}

impl Records for Counting {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        self.index.upsert(kind, points)
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        self.index.delete(name)
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.note(names.len(), with);
        let (found, mut stalls) = (self.index.get(names, with), self.stalls.subscribe());
        Box::pin(async move {
            let _ = stalls.wait_for(|stalls| !*stalls).await;
            found.await
        })
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.note(ids.len(), with);
        self.index.fetch(kind, ids, with)
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        self.counts.vectors.fetch_add(ids.len(), Relaxed);
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

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        self.index.scroll(kind, filter, page)
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        self.index.count(kind, filter)
    }
}

impl Retrieval for Counting {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        self.index.search(kind, search)
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        self.index.cosines(kind, dense, ids)
    }
}

impl Documents for Counting {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        // the clock compares itself with its document from time to time, not for a call
        if folder != "clock" {
            self.counts.documents.fetch_add(keys.len(), Relaxed);
        }
        self.index.read_documents(folder, keys)
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        if self.is_full.load(Relaxed) {
            return Box::pin(ready(Err(IndexError::Busy)));
        }
        self.index.write_documents(writes)
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
        if self.is_away.load(Relaxed) {
            return Box::pin(ready(Err(IndexError::Closed)));
        }
        let listed = self.index.list_documents(query, after, limit);
        Box::pin(async move {
            let page = listed.await?;
            self.counts.documents.fetch_add(page.documents.len(), Relaxed);
            Ok(page)
        })
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        self.index.count_documents(query)
    }
}

impl Leases for Counting {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        self.index.claim(duty)
    }
}

impl Index for Counting {
    fn status(&self) -> IndexStatus {
        self.index.status()
    }

    fn clock(&self) -> &ChangeClock {
        self.index.clock()
    }
}
