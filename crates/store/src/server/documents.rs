//! Documents in a collection of their own, `<prefix>_documents`, which survives a rebuild. Writes are conditional, as
//! for records.

use std::collections::HashMap;

use futures::{FutureExt, future::BoxFuture};
use qdrant_client::qdrant::{CountPoints, GetPoints, RetrievedPoint, ScrollPoints};

use duijie_cpu::Lane;

use super::{ServerIndex, convert, write};
use crate::{
    CollectionKind, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Key, PointId,
    Result,
    damage::Sorted,
    document_row::{self, FOLDER, KEY, TAGS, TEXT},
    documents::{MAX_DOCUMENT_PAGE, check_whole, document_id},
    payload::{REVISION, StoredRow},
    row_sum::SUM,
};

/// Most bytes of documents per request; below the server's limit of 32 MB.
const GROUP_BYTES: usize = 8 << 20;
/// Payload fields read for a document.
const FIELDS: [&str; 6] = [FOLDER, KEY, REVISION, TAGS, TEXT, SUM];

impl Documents for ServerIndex {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        self.documents(folder.to_string(), keys.to_vec()).boxed()
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        async move {
            writes.iter().try_for_each(DocumentWrite::check)?;
            self.put_documents(writes, |write| write.text.len()).await
        }
        .boxed()
    }

    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        async move {
            documents.iter().try_for_each(|document| DocumentWrite::from(document.clone()).check())?;
            let stored = self.put_documents(documents, |document| document.text.len()).await?;
            Ok(stored.into_iter().filter(|stored| *stored).count() as u64)
        }
        .boxed()
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        let ids: Vec<PointId> = keys.iter().map(|key| document_id(folder, key)).collect();
        async move {
            self.core.store()?;
            for group in ids.chunks(MAX_DOCUMENT_PAGE) {
                write::remove(&self.core, self.core.documents_name(), group.to_vec()).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>> {
        self.document_page(query, after, limit).boxed()
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        async move {
            self.core.store()?;
            let request = CountPoints {
                collection_name: self.core.documents_name(),
                filter: convert::document_filter(query),
                exact: Some(true),
                ..CountPoints::default()
            };
            let answer = self.core.wire.call(|node| {
                let request = request.clone();
                async move { node.points().count(request).await }
            });
            Ok(answer.await?.result.map_or(0, |result| result.count))
        }
        .boxed()
    }
}

// === impl ServerIndex ===

impl ServerIndex {
    async fn documents(&self, folder: String, keys: Vec<Key>) -> Result<Vec<Option<Document>>> {
        self.core.store()?;
        let mut found: HashMap<Key, Document> = HashMap::new();
        for group in keys.chunks(MAX_DOCUMENT_PAGE) {
            let ids = group.iter().map(|key| convert::server_id(document_id(&folder, key)));
            let request = GetPoints {
                collection_name: self.core.documents_name(),
                ids: ids.collect(),
                with_payload: Some(convert::fields(&FIELDS)),
                ..GetPoints::default()
            };
            let answer = self.core.wire.call(|node| {
                let request = request.clone();
                async move { node.points().get(request).await }
            });
            let read = self.sorted(answer.await?.result).await?;
            check_whole(&read.damaged)?;
            let documents = read.rows.into_iter();
            // skips a document of another folder with the same id
            found.extend(documents.filter(|it| it.folder == folder).map(|it| (it.key.clone(), it)));
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// Writes in groups that limit the bytes per request.
    async fn put_documents<I: write::Item>(&self, items: Vec<I>, size: fn(&I) -> usize) -> Result<Vec<I::Outcome>> {
        self.core.store()?;
        let collection = self.core.documents_name();
        let mut written = Vec::with_capacity(items.len());
        let (mut group, mut bytes) = (Vec::new(), 0);
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            bytes += size(&item);
            group.push(item);
            if items.peek().is_none_or(|next| GROUP_BYTES < bytes + size(next)) {
                written.extend(write::write_all(&self.core, &collection, std::mem::take(&mut group)).await?);
                bytes = 0;
            }
        }
        Ok(written)
    }

    async fn document_page(&self, query: DocumentQuery, after: Option<PointId>, limit: usize) -> Result<DocumentPage> {
        self.core.store()?;
        let from = after.map(PointId::next);
        if from == Some(None) {
            return Ok(DocumentPage::default());
        }
        let request = ScrollPoints {
            collection_name: self.core.documents_name(),
            filter: convert::document_filter(query),
            offset: from.flatten().map(convert::server_id),
            limit: u32::try_from(limit.clamp(1, MAX_DOCUMENT_PAGE)).ok(),
            with_payload: Some(convert::fields(&FIELDS)),
            ..ScrollPoints::default()
        };
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().scroll(request).await }
        });
        let answer = answer.await?;
        let last = answer.result.last().and_then(|found| convert::point_id(found.id.as_ref()));
        let next = last.filter(|_| answer.next_page_offset.is_some());
        let Sorted { rows: documents, damaged, unchecked } = self.sorted(answer.result).await?;
        Ok(DocumentPage { documents, damaged, unchecked, next })
    }

    /// The documents, compared with their checksums.
    async fn sorted(&self, found: Vec<RetrievedPoint>) -> Result<Sorted<Document>> {
        let read = move || {
            let documents = found.into_iter().filter_map(|point| {
                let id = convert::point_id(point.id.as_ref())?;
                Some(document_row::document(id, convert::payload_out(point.payload)))
            });
            documents.collect()
        };
        let sorted: Sorted<Document> = duijie_cpu::run(Lane::Interactive, read).await?;
        self.core.damage.note(CollectionKind::Documents, &sorted.damaged);
        Ok(sorted)
    }
}

// === impl DocumentWrite ===

impl write::Item for DocumentWrite {
    type Outcome = DocumentWritten;

    fn id(&self) -> PointId {
        Self::id(self)
    }

    fn refusal(&self, stored: Option<u64>) -> Option<DocumentWritten> {
        let stored = stored.unwrap_or(0);
        (!self.expect.met_by(stored)).then_some(DocumentWritten::Conflict { stored })
    }

    fn is_damaged(_: RetrievedPoint) -> bool {
        // its version still counts
        false
    }

    fn done(&self, stored: Option<u64>) -> DocumentWritten {
        DocumentWritten::Stored { version: stored.unwrap_or(0) + 1 }
    }

    fn row(self, stored: Option<u64>) -> Result<StoredRow> {
        Ok(document_row::row(self, stored.unwrap_or(0) + 1))
    }
}

// === impl Document ===

impl write::Item for Document {
    /// Whether it was stored.
    type Outcome = bool;

    fn id(&self) -> PointId {
        Self::id(self)
    }

    fn refusal(&self, stored: Option<u64>) -> Option<bool> {
        stored.is_some_and(|stored| self.version <= stored).then_some(false)
    }

    fn is_damaged(found: RetrievedPoint) -> bool {
        let Some(id) = convert::point_id(found.id.as_ref()) else { return false };
        document_row::document(id, convert::payload_out(found.payload)).is_err()
    }

    fn done(&self, _: Option<u64>) -> bool {
        true
    }

    fn row(self, _: Option<u64>) -> Result<StoredRow> {
        let version = self.version;
        Ok(document_row::row(self.into(), version))
    }
}
