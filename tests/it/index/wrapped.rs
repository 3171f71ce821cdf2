//! An engine behind a wrapper that does one thing otherwise: see [`Wrapper`].

use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_store::{
    Candidates, ChangeClock, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents,
    FieldSelection, Hit, Index, IndexStatus, Key, Lease, Leases, PageRequest, Point, PointId, PointPage, Records,
    Result, Retrieval, Search, VectorPage, VectorSelection, Vectors, Written,
};
use futures::future::BoxFuture;

/// Says what is otherwise than in an engine; all else goes through to it.
pub trait Wrapper: Send + Sync + 'static {
    /// The engine behind it.
    fn index(&self) -> &dyn Index;

    /// In place of [`Records::get`].
    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.index().get(names, with)
    }

    /// In place of [`Documents::write_documents`].
    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        self.index().write_documents(writes)
    }
}

/// The engine of a wrapper, as the rest of the program sees it.
pub struct Wrapped<W>(pub W);

impl<W: Wrapper> Records for Wrapped<W> {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        self.0.index().upsert(kind, points)
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        self.0.index().delete(name)
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.0.get(names, with)
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.0.index().fetch(kind, ids, with)
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        self.0.index().vectors(kind, ids, which)
    }

    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>> {
        self.0.index().scan(kind, after, limit, which)
    }

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        self.0.index().scroll(kind, filter, page)
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        self.0.index().count(kind, filter)
    }
}

impl<W: Wrapper> Retrieval for Wrapped<W> {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        self.0.index().search(kind, search)
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        self.0.index().cosines(kind, dense, ids)
    }
}

impl<W: Wrapper> Documents for Wrapped<W> {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        self.0.index().read_documents(folder, keys)
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        self.0.write_documents(writes)
    }

    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        self.0.index().restore_documents(documents)
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        self.0.index().remove_documents(folder, keys)
    }

    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>> {
        self.0.index().list_documents(query, after, limit)
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        self.0.index().count_documents(query)
    }
}

impl<W: Wrapper> Leases for Wrapped<W> {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        self.0.index().claim(duty)
    }
}

impl<W: Wrapper> Index for Wrapped<W> {
    fn status(&self) -> IndexStatus {
        self.0.index().status()
    }

    fn clock(&self) -> &ChangeClock {
        self.0.index().clock()
    }
}
