//! The engine as batch work uses it, and what a job remembers of its targets.
//!
//! At most a few reads are under way at a time, and each first leaves room for calls that wait. What is remembered is
//! bounded: where a collection is larger, the rest is read again each time.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::Semaphore;

use super::{
    held::Held,
    statistics::{Moved, Statistics, Terms, terms},
};
use crate::{
    calls::Calls,
    domain::{Filter, Kind, RecordName, codes::Status},
    error::{Error, Result},
    index::{self, Hit, Index, PointId, Search, Vectors, Which, With},
    text::SparseVector,
};

/// Terms that a job without postings remembers, of 8 bytes each: those of 200,000 records.
const MOST_TERMS: usize = 16 << 20;
/// Names that a job remembers, of about 100 bytes each.
const MOST_LABELS: usize = 500_000;

/// The engine, for work that nobody waits for.
#[derive(Clone)]
pub(super) struct Engine {
    /// The store.
    pub index: Arc<dyn Index>,
    calls: Calls,
    places: Arc<Semaphore>,
}

/// One kind of targets of a job.
pub(super) struct Targets {
    /// Kind.
    pub kind: Kind,
    /// Statistics that the job scores with.
    pub statistics: Statistics,
    /// What the job knows of all of them.
    pub known: Known,
    engine: Engine,
    documents: Mutex<Documents>,
    labels: Mutex<FxHashMap<PointId, Label>>,
    /// What was looked for and is not published.
    absent: Mutex<FxHashSet<PointId>>,
}

/// What a job knows of all targets of a kind.
pub(super) enum Known {
    /// Their terms and embeddings.
    All(Held),
    /// How far they are from what the statistics were taken of: the engine's scores are to be compared with ours.
    Moved(Moved),
}

/// What a result says of a target beside its scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// Name.
    pub name: RecordName,
    /// Revision.
    pub revision: u64,
}

#[derive(Default)]
struct Documents {
    known: FxHashMap<PointId, Arc<Terms>>,
    terms: usize,
}

// === impl Engine ===

impl Engine {
    /// One more read at a time than there are cores, so that one is ready when another ends and callers find a place.
    pub fn new(index: Arc<dyn Index>, calls: Calls) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { index, calls, places: Arc::new(Semaphore::new(cores + 1)) }
    }

    /// Reads something when it is batch work's turn.
    pub async fn read<T>(&self, read: impl Future<Output = index::Result<T>>) -> Result<T> {
        let _place = self.places.acquire().await.map_err(|_| Error::Unavailable("closed".into()))?;
        let _turn = self.calls.leave_room().await;
        Ok(read.await?)
    }
}

// === impl Targets ===

impl Targets {
    /// Targets of a kind, scored with these statistics.
    pub fn new(engine: Engine, kind: Kind, statistics: Statistics, known: Known) -> Self {
        let (documents, labels, absent) = Default::default();
        Self { kind, statistics, known, engine, documents, labels, absent }
    }

    /// The nearest of what is published.
    pub async fn nearest(&self, query: &[f32], depth: usize) -> Result<Vec<Hit>> {
        let search = Search { dense: Some(query.to_vec()), filter: published(), depth, ..Search::default() };
        Ok(self.engine.read(self.engine.index.search(self.kind, search)).await?.dense)
    }

    /// What is published and shares most terms.
    pub async fn sharing(&self, query: &SparseVector, depth: usize) -> Result<Vec<Hit>> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let search = Search { sparse: Some(query.clone()), filter: published(), depth, ..Search::default() };
        Ok(self.engine.read(self.engine.index.search(self.kind, search)).await?.sparse)
    }

    /// Cosines of those of some targets that are published. Of the others none is asked for again.
    pub async fn cosines(&self, query: &[f32], ids: Vec<PointId>) -> Result<Vec<Hit>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (dense, filter, depth) = (Some(query.to_vec()), published(), ids.len());
        let search = Search { dense, filter, depth, among: Some(ids.clone()), ..Search::default() };
        let hits = self.engine.read(self.engine.index.search(self.kind, search)).await?.dense;
        if hits.len() < ids.len() {
            let found: FxHashSet<PointId> = hits.iter().map(|hit| hit.id).collect();
            lock(&self.absent).extend(ids.into_iter().filter(|id| !found.contains(id)));
        }
        Ok(hits)
    }

    /// Of some targets those that are not known to be unpublished.
    pub fn present(&self, mut targets: Vec<(PointId, f64)>) -> Vec<(PointId, f64)> {
        let absent = lock(&self.absent);
        targets.retain(|(id, _)| !absent.contains(id));
        targets
    }

    /// Embeddings of some targets; `None` for one that is gone.
    pub async fn embeddings(&self, ids: &[PointId]) -> Result<Vec<Option<Vec<f32>>>> {
        let found = self.engine.read(self.engine.index.vectors(self.kind, ids, Which::Dense)).await?;
        Ok(found.into_iter().map(|found| found.map(|vectors| vectors.dense)).collect())
    }

    /// Terms of some targets; `None` for one that is gone.
    pub async fn documents(&self, ids: &[PointId]) -> Result<Vec<Option<Arc<Terms>>>> {
        let mut found: Vec<Option<Arc<Terms>>> = {
            let documents = lock(&self.documents);
            ids.iter().map(|id| documents.known.get(id).cloned()).collect()
        };
        let missing: Vec<PointId> =
            ids.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(id, _)| *id).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let read = self.engine.read(self.engine.index.vectors(self.kind, &missing, Which::Sparse)).await?;
        let read = read.into_iter().map(|found| found.map(|Vectors { sparse, .. }| Arc::from(terms(&sparse))));
        let read: Vec<Option<Arc<Terms>>> = read.collect();
        lock(&self.documents).remember(&missing, &read);
        let mut read = read.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = read.next().flatten();
        }
        Ok(found)
    }

    /// Names and revisions of some targets; `None` for one that is gone.
    pub async fn labels(&self, ids: &[PointId]) -> Result<Vec<Option<Label>>> {
        let mut found: Vec<Option<Label>> = {
            let labels = lock(&self.labels);
            ids.iter().map(|id| labels.get(id).cloned()).collect()
        };
        let missing: Vec<PointId> =
            ids.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(id, _)| *id).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let read = self.engine.read(self.engine.index.fetch(self.kind, &missing, With::Payload)).await?;
        let label = |record: crate::domain::Record| Label { name: record.name(), revision: record.revision };
        let read: Vec<Option<Label>> = read.into_iter().map(|point| point.map(|point| label(point.record))).collect();
        {
            let mut labels = lock(&self.labels);
            for (id, label) in missing.iter().zip(&read) {
                if let (Some(label), true) = (label, labels.len() < MOST_LABELS) {
                    labels.insert(*id, label.clone());
                }
            }
        }
        let mut read = read.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = read.next().flatten();
        }
        Ok(found)
    }
}

// === impl Documents ===

impl Documents {
    fn remember(&mut self, ids: &[PointId], read: &[Option<Arc<Terms>>]) {
        for (id, document) in ids.iter().zip(read) {
            let Some(document) = document else { continue };
            if self.terms + document.len() <= MOST_TERMS && self.known.insert(*id, Arc::clone(document)).is_none() {
                self.terms += document.len();
            }
        }
    }
}

/// What a match looks among.
pub(super) fn published() -> Filter {
    Filter { statuses: vec![Status::Active], ..Filter::default() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
