//! An index in this process's memory: exact, deterministic, gone with the process. Tests of what stands on [`Index`] take
//! it in place of an engine; it passes the engines' contract suite.
//!
//! - `collection`: the points of one kind, found by going through all of them
//! - `documents`: what lies beside the records
//!
//! Scores of terms are computed as the engines do (see [`edge`](super::edge)). Deleted points still count, as in an engine
//! that has not purged them; old versions of updated points do not.

mod collection;
mod documents;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};
use jiff::SignedDuration;
use parking_lot::RwLock;

use self::collection::Collection;
use super::{
    Candidates, ChangeClock, Damaged, Document, FieldSelection, Hit, Index, IndexError, IndexStatus, KindStatus, Lease,
    Leases, PageRequest, Point, PointId, PointPage, Records, Result, Retrieval, Search, VectorPage, VectorSelection,
    Vectors, Written, clock,
    lease::LocalDuties,
    records::{MAX_PAGE_POINTS, check_count},
    tombstones,
};
use duijie_core::domain::{Filter, Kind, RecordName};

/// Records and documents of one process. Needs a tokio runtime only for [`Leases`].
#[derive(Debug)]
pub struct MemoryIndex {
    dimensions: usize,
    records: RwLock<BTreeMap<Kind, Collection>>,
    documents: RwLock<BTreeMap<PointId, Document>>,
    duties: LocalDuties,
    clock: ChangeClock,
}

// === impl MemoryIndex ===

impl MemoryIndex {
    /// An empty index for embeddings of this many dimensions.
    pub fn new(dimensions: usize) -> Self {
        let records = Kind::ALL.map(|kind| (kind, Collection::default()));
        Self {
            dimensions,
            records: RwLock::new(records.into()),
            documents: RwLock::default(),
            duties: LocalDuties::default(),
            clock: ChangeClock::default(),
        }
    }

    /// The same index with another clock.
    #[must_use]
    pub fn with_clock(self, clock: ChangeClock) -> Self {
        Self { clock, ..self }
    }

    /// Lets time pass: all that is stored was stored so much earlier. `others` moves the times in the texts of documents
    /// that are no tombstones.
    pub fn age(&self, by: SignedDuration, mut others: impl FnMut(&mut Document)) {
        self.records.write().values_mut().for_each(|records| records.age(by));
        let mut documents = self.documents.write();
        let aged = std::mem::take(&mut *documents).into_values().map(|mut document| {
            if tombstones::is_tombstone(&document) {
                tombstones::age(&mut document, by);
            } else if clock::is_clock(&document) {
                clock::age(&mut document, by);
            } else {
                others(&mut document);
            }
            (document.id(), document)
        });
        *documents = aged.collect();
    }

    /// Lets reads take a record for damaged, until it is written anew or deleted.
    pub fn damage(&self, name: &RecordName) {
        self.records.write().entry(name.kind).or_default().damage(PointId::of(name));
    }

    /// Reads the points of a kind.
    fn read<T: Default>(&self, kind: Kind, read: impl FnOnce(&Collection) -> T) -> T {
        self.records.read().get(&kind).map(read).unwrap_or_default()
    }
}

impl Records for MemoryIndex {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        async move {
            points.iter().try_for_each(|point| point.check(kind, self.dimensions))?;
            let mut records = self.records.write();
            let collection = records.entry(kind).or_default();
            Ok(points.into_iter().map(|point| collection.put(point)).collect())
        }
        .boxed()
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        let name = name.clone();
        async move {
            if !tombstones::write(self, &name).await? {
                return Ok(false);
            }
            Ok(self.records.write().entry(name.kind).or_default().remove(PointId::of(&name)))
        }
        .boxed()
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let names = names.to_vec();
        async move {
            check_count(names.len())?;
            let check = |name: &RecordName| self.read(name.kind, |records| records.check(PointId::of(name)));
            if let Some(Damaged { name, reason, .. }) = names.iter().find_map(check) {
                return Err(IndexError::RecordDamaged { name: name.unwrap_or_default(), reason });
            }
            let get = |name: &RecordName| self.read(name.kind, |records| records.get(PointId::of(name), with));
            Ok(names.iter().map(get).collect())
        }
        .boxed()
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let ids = ids.to_vec();
        async move {
            check_count(ids.len())?;
            Ok(self.read(kind, |records| ids.iter().map(|id| records.get(*id, with)).collect()))
        }
        .boxed()
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        let ids = ids.to_vec();
        async move {
            check_count(ids.len())?;
            Ok(self.read(kind, |records| ids.iter().map(|id| records.vectors(*id, which)).collect()))
        }
        .boxed()
    }

    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>> {
        let limit = limit.clamp(1, MAX_PAGE_POINTS);
        async move { Ok(self.read(kind, |records| records.scan(after, limit, which))) }.boxed()
    }

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        let page = PageRequest { limit: page.limit.clamp(1, MAX_PAGE_POINTS), ..page };
        let filter = filter.clone();
        async move { Ok(self.read(kind, |records| records.scroll(&filter, page))) }.boxed()
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        let filter = filter.clone();
        async move { Ok(self.read(kind, |records| records.count(&filter))) }.boxed()
    }
}

impl Retrieval for MemoryIndex {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        async move {
            search.check(self.dimensions)?;
            Ok(self.read(kind, |records| records.search(&search)))
        }
        .boxed()
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        let (dense, within) = (Some(dense.to_vec()), Some(ids.to_vec()));
        self.search(kind, Search { dense, depth: ids.len(), within, ..Search::default() })
            .map(|found| Ok(found?.dense))
            .boxed()
    }
}

impl Leases for MemoryIndex {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        let duty = duty.to_string();
        async move { Ok(self.duties.claim(&duty)) }.boxed()
    }
}

impl Index for MemoryIndex {
    fn status(&self) -> IndexStatus {
        let records = self.records.read();
        let status = |(kind, records): (&Kind, &Collection)| KindStatus {
            points: records.count(&Filter::default()),
            damaged: records.damaged(),
            segments: 1,
            ..KindStatus::unknown(*kind)
        };
        IndexStatus {
            kinds: records.iter().map(status).collect(),
            documents_problem: None,
            documents_damaged: 0,
            refusal: None,
            nodes: Vec::new(),
        }
    }

    fn clock(&self) -> &ChangeClock {
        &self.clock
    }
}
