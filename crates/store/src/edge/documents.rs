//! Documents in a shard of their own, with its own writer and journal, as durable as records.

use std::collections::HashMap;

use futures::{FutureExt, future::BoxFuture};
use qdrant_edge::{CountRequest, PointId as EdgeId, Record as EdgeRecord, ScrollRequest};

use super::{
    EdgeIndex, convert,
    shard::Shard,
    writer::{GROUP_POINTS, Write, WriteOutcome},
};
use crate::{
    CollectionKind, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Key, PointId,
    Result, document_row,
    documents::{MAX_DOCUMENT_PAGE, document_id},
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
            with_payload: Some(true.into()),
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
    let ids: Vec<EdgeId> = keys.iter().map(|key| convert::edge_id(document_id(folder, key))).collect();
    let records = shard.read(|engine| engine.retrieve(&ids, Some(true.into()), Some(false.into())))?;
    let mut found = HashMap::with_capacity(records.len());
    for document in documents(shard, records)? {
        // skips a document of another folder with the same id
        if document.folder == folder {
            found.insert(document.key.clone(), document);
        }
    }
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

fn list(shard: &Shard, request: ScrollRequest) -> Result<DocumentPage> {
    let (records, more) = shard.read_settled(|engine| engine.scroll(request))?;
    let last = records.last().and_then(|record| convert::point_id(record.id));
    Ok(DocumentPage { documents: documents(shard, records)?, next: last.filter(|_| more.is_some()) })
}

fn documents(shard: &Shard, records: Vec<EdgeRecord>) -> Result<Vec<Document>> {
    let payloads = records.into_iter().map(|record| record.payload.map(|payload| payload.0).unwrap_or_default());
    payloads.map(|payload| document_row::document(payload).map_err(|reason| shard.failed(reason))).collect()
}
