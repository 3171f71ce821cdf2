//! Documents in a shard of their own, with its own writer and journal, as durable as records.

use std::collections::HashMap;

use futures::{FutureExt, future::BoxFuture};
use qdrant_edge::{CountRequest, ScrollRequest};

use super::{
    EdgeIndex, convert,
    rows::{Parts, RowPage, Rows},
    shard::Shard,
    writer::{GROUP_POINTS, Write, WriteOutcome},
};
use crate::{
    CollectionKind, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Key, PointId,
    Result,
    damage::Sorted,
    documents::{MAX_DOCUMENT_PAGE, check_whole, document_id},
};

/// Most bytes of documents per sync.
const GROUP_BYTES: usize = 8 << 20;

/// A write with the length of its text.
struct SizedWrite {
    bytes: usize,
    write: Write,
}

impl Documents for EdgeIndex {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        let (folder, keys) = (folder.to_string(), keys.to_vec());
        async move {
            if keys.is_empty() {
                return Ok(Vec::new());
            }
            self.read(CollectionKind::Documents, move |shard| read(shard, &folder, &keys)).await
        }
        .boxed()
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        async move {
            writes.iter().try_for_each(DocumentWrite::check)?;
            let sized = writes
                .into_iter()
                .map(|write| SizedWrite { bytes: write.text.len(), write: Write::Put(Box::new(write)) });
            self.put_documents(sized.collect()).await
        }
        .boxed()
    }

    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        async move {
            documents.iter().try_for_each(|document| DocumentWrite::from(document.clone()).check())?;
            let sized = documents
                .into_iter()
                .map(|it| SizedWrite { bytes: it.text.len(), write: Write::Restore(Box::new(it)) });
            let written = self.put_documents(sized.collect()).await?;
            Ok(written.iter().filter(|it| matches!(it, DocumentWritten::Stored { .. })).count() as u64)
        }
        .boxed()
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        let writes: Vec<Write> = keys.iter().map(|key| Write::Delete(document_id(folder, key))).collect();
        async move {
            let mut writes = writes.into_iter();
            loop {
                let group: Vec<Write> = writes.by_ref().take(GROUP_POINTS).collect();
                if group.is_empty() {
                    return Ok(());
                }
                self.write(CollectionKind::Documents, group).await?;
            }
        }
        .boxed()
    }

    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>> {
        let from = after.map(PointId::next);
        let request = ScrollRequest {
            offset: from.flatten().map(convert::edge_id),
            limit: Some(limit.clamp(1, MAX_DOCUMENT_PAGE)),
            filter: convert::document_filter(query),
            ..ScrollRequest::default()
        };
        async move {
            if from == Some(None) {
                return Ok(DocumentPage::default());
            }
            self.read(CollectionKind::Documents, move |shard| list(shard, request)).await
        }
        .boxed()
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        let request = CountRequest { filter: convert::document_filter(query), exact: true };
        let count = move |shard: &Shard| shard.read_settled(|engine| engine.count(request)).map(|count| count as u64);
        self.read(CollectionKind::Documents, count).boxed()
    }
}

// === impl EdgeIndex ===

impl EdgeIndex {
    /// Writes in groups that limit the bytes per sync.
    async fn put_documents(&self, writes: Vec<SizedWrite>) -> Result<Vec<DocumentWritten>> {
        let mut written = Vec::with_capacity(writes.len());
        let (mut group, mut bytes) = (Vec::new(), 0);
        let mut writes = writes.into_iter().peekable();
        while let Some(SizedWrite { bytes: size, write }) = writes.next() {
            bytes += size;
            group.push(write);
            let next = writes.peek().map(|next| next.bytes);
            if next.is_none_or(|next| group.len() == GROUP_POINTS || GROUP_BYTES < bytes + next) {
                for outcome in self.write(CollectionKind::Documents, std::mem::take(&mut group)).await? {
                    match outcome {
                        WriteOutcome::Put(outcome) => written.push(outcome),
                        WriteOutcome::Written(_) | WriteOutcome::Deleted(_) => {}
                    }
                }
                bytes = 0;
            }
        }
        Ok(written)
    }
}

fn read(shard: &Shard, folder: &str, keys: &[Key]) -> Result<Vec<Option<Document>>> {
    let ids: Vec<PointId> = keys.iter().map(|key| document_id(folder, key)).collect();
    let read = Rows::read(shard, &ids, &Parts::document())?.documents(shard);
    check_whole(&read.damaged)?;
    // skips a document of another folder with the same id
    let own = read.rows.into_iter().filter(|document| document.folder == folder);
    let found: HashMap<Key, Document> = own.map(|document| (document.key.clone(), document)).collect();
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

fn list(shard: &Shard, request: ScrollRequest) -> Result<DocumentPage> {
    let RowPage { rows, next } = RowPage::read(shard, request, &Parts::document())?;
    let Sorted { rows: documents, damaged, unchecked } = rows.documents(shard);
    Ok(DocumentPage { documents, damaged, unchecked, next })
}
