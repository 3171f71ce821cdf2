//! Documents in memory, in the order of their ids.

use std::{collections::BTreeMap, ops::Bound};

use futures::{FutureExt, future::BoxFuture};

use super::{
    MemoryIndex,
    collection::{FirstRows, page},
};
use crate::{
    Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Key, PointId, Result,
    documents::{MAX_DOCUMENT_PAGE, document_id},
};

type Stored = BTreeMap<PointId, Document>;

impl Documents for MemoryIndex {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        let (folder, keys) = (folder.to_string(), keys.to_vec());
        async move {
            let stored = self.documents.read();
            let read = |key: &Key| {
                let found = stored.get(&document_id(&folder, key));
                found.filter(|found| found.folder == folder && found.key == *key).cloned()
            };
            Ok(keys.iter().map(read).collect())
        }
        .boxed()
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        async move {
            let mut stored = self.documents.write();
            writes.iter().try_for_each(|write| check(write, &stored))?;
            let put = |write: DocumentWrite| {
                let old = version(&stored, write.id());
                if !write.expect.met_by(old) {
                    return DocumentWritten::Conflict { stored: old };
                }
                let DocumentWrite { folder, key, tags, text, .. } = write;
                let document = Document { folder, key, version: old + 1, tags, text };
                stored.insert(document.id(), document);
                DocumentWritten::Stored { version: old + 1 }
            };
            Ok(writes.into_iter().map(put).collect())
        }
        .boxed()
    }

    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        async move {
            let mut stored = self.documents.write();
            documents.iter().try_for_each(|document| check(&document.clone().into(), &stored))?;
            let mut count = 0;
            for document in documents {
                if version(&stored, document.id()) < document.version {
                    stored.insert(document.id(), document);
                    count += 1;
                }
            }
            Ok(count)
        }
        .boxed()
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        let ids: Vec<PointId> = keys.iter().map(|key| document_id(folder, key)).collect();
        async move {
            let mut stored = self.documents.write();
            ids.iter().for_each(|id| drop(stored.remove(id)));
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
        async move {
            let stored = self.documents.read();
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = stored.range((from, Bound::Unbounded)).map(|(_, document)| document);
            let matching = behind.filter(|it| meets(it, &query));
            let FirstRows { rows: found, has_more } = page(matching, limit.clamp(1, MAX_DOCUMENT_PAGE));
            let next = found.last().map(|document| document.id()).filter(|_| has_more);
            Ok(DocumentPage { documents: found.into_iter().cloned().collect(), next, ..DocumentPage::default() })
        }
        .boxed()
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        async move { Ok(self.documents.read().values().filter(|it| meets(it, &query)).count() as u64) }.boxed()
    }
}

/// Refuses what does not fit, and an id that another document has.
fn check(write: &DocumentWrite, stored: &Stored) -> Result<()> {
    write.check()?;
    match stored.get(&write.id()) {
        Some(other) if (&other.folder, &other.key) != (&write.folder, &write.key) => {
            Err(write.refused("编号与另一个文档相同".to_string()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Version that is stored; 0 where there is none.
fn version(stored: &Stored, id: PointId) -> u64 {
    stored.get(&id).map_or(0, |document| document.version)
}

fn meets(document: &Document, query: &DocumentQuery) -> bool {
    query.folder.as_ref().is_none_or(|folder| document.folder == *folder)
        && query.tags.iter().all(|tag| document.tags.contains(tag))
}
