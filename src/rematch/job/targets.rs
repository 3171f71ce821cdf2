//! The engine as used by batch work, and a job's cache of targets.
//!
//! Only a few reads run at a time, and each first yields to waiting callers. The cache is bounded: in a larger
//! collection, the rest is read again each time.

use std::{future::Future, sync::Arc, thread};

use parking_lot::{Mutex, MutexGuard};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::Semaphore;

use super::{
    held::Held,
    statistics::{Moved, Statistics, Terms, terms},
};
use crate::{
    error::{Error, Result},
    foreground::Foreground,
    heart::Heart,
};
use duijie_core::{
    domain::{Filter, Kind, RecordName, codes::Status},
    text::SparseVector,
};
use duijie_store::{FieldSelection, Hit, Index, PointId, Search, VectorSelection, Vectors};

/// Most terms cached by a job without posting lists, 8 bytes each: the terms of 200,000 records.
const MAX_TERMS: usize = 16 << 20;
/// Most names cached by a job, about 100 bytes each.
const MAX_LABELS: usize = 500_000;

/// The engine, for batch work.
#[derive(Clone)]
pub(super) struct Engine {
    /// The store.
    pub index: Arc<dyn Index>,
    foreground: Foreground,
    /// Beats with each read.
    pub heart: Heart,
    places: Arc<Semaphore>,
}

/// Targets of one kind in a job.
pub(super) struct Targets {
    /// Kind.
    pub kind: Kind,
    /// Term statistics used for scores.
    pub statistics: Statistics,
    /// What the job knows of all of them.
    pub known: Known,
    engine: Engine,
    documents: Mutex<Documents>,
    labels: Mutex<FxHashMap<PointId, Label>>,
    /// Requested targets that are not published.
    absent: Mutex<FxHashSet<PointId>>,
}

/// What a job knows of all targets of a kind.
pub(super) enum Known {
    /// Their terms and embeddings.
    All(Arc<Held>),
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
    /// Allows one more read at a time than there are cores: one is ready when another ends, and callers still get their
    /// turn.
    pub fn new(index: Arc<dyn Index>, foreground: Foreground) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { index, foreground, heart: Heart::default(), places: Arc::new(Semaphore::new(cores + 1)) }
    }

    /// Runs a read when it is batch work's turn.
    pub async fn read<T>(&self, read: impl Future<Output = duijie_store::Result<T>>) -> Result<T> {
        let _place = self.places.acquire().await.map_err(|_| Error::Unavailable("closed".into()))?;
        let _turn = self.foreground.yield_to_foreground().await;
        let read = read.await;
        self.heart.beat();
        Ok(read?)
    }
}

// === impl Targets ===

impl Targets {
    /// Targets of a kind, scored with these statistics.
    pub fn new(engine: Engine, kind: Kind, statistics: Statistics, known: Known) -> Self {
        let (documents, labels, absent) = Default::default();
        Self { kind, statistics, known, engine, documents, labels, absent }
    }

    /// The nearest published targets.
    pub async fn nearest(&self, query: &[f32], depth: usize) -> Result<Vec<Hit>> {
        let search = Search { dense: Some(query.to_vec()), filter: published(), depth, ..Search::default() };
        Ok(self.engine.read(self.engine.index.search(self.kind, search)).await?.dense)
    }

    /// The published targets that share most terms.
    pub async fn sharing(&self, query: &SparseVector, depth: usize) -> Result<Vec<Hit>> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let search = Search { sparse: Some(query.clone()), filter: published(), depth, ..Search::default() };
        Ok(self.engine.read(self.engine.index.search(self.kind, search)).await?.sparse)
    }

    /// Cosines of the published ones among `ids`; the others are never requested again.
    pub async fn cosines(&self, query: &[f32], ids: Vec<PointId>) -> Result<Vec<Hit>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (dense, filter, depth) = (Some(query.to_vec()), published(), ids.len());
        let search = Search { dense, filter, depth, within: Some(ids.clone()), ..Search::default() };
        let hits = self.engine.read(self.engine.index.search(self.kind, search)).await?.dense;
        if hits.len() < ids.len() {
            let found: FxHashSet<PointId> = hits.iter().map(|hit| hit.id).collect();
            lock(&self.absent).extend(ids.into_iter().filter(|id| !found.contains(id)));
        }
        Ok(hits)
    }

    /// Removes targets known to be unpublished.
    pub fn present(&self, mut targets: Vec<(PointId, f64)>) -> Vec<(PointId, f64)> {
        let absent = lock(&self.absent);
        targets.retain(|(id, _)| !absent.contains(id));
        targets
    }

    /// Embeddings of targets; `None` for one that is gone.
    pub async fn embeddings(&self, ids: &[PointId]) -> Result<Vec<Option<Vec<f32>>>> {
        let found = self.engine.read(self.engine.index.vectors(self.kind, ids, VectorSelection::Dense)).await?;
        Ok(found.into_iter().map(|found| found.map(|vectors| vectors.dense)).collect())
    }

    /// Terms of targets; `None` for one that is gone.
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
        let read = self.engine.read(self.engine.index.vectors(self.kind, &missing, VectorSelection::Sparse)).await?;
        let read = read.into_iter().map(|found| found.map(|Vectors { sparse, .. }| Arc::from(terms(&sparse))));
        let read: Vec<Option<Arc<Terms>>> = read.collect();
        lock(&self.documents).remember(&missing, &read);
        let mut read = read.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = read.next().flatten();
        }
        Ok(found)
    }

    /// Names and revisions of targets; `None` for one that is gone.
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
        let read = self.engine.read(self.engine.index.fetch(self.kind, &missing, FieldSelection::Payload)).await?;
        let label = |record: duijie_core::domain::Record| Label { name: record.name(), revision: record.revision };
        let read: Vec<Option<Label>> = read.into_iter().map(|point| point.map(|point| label(point.record))).collect();
        {
            let mut labels = lock(&self.labels);
            for (id, label) in missing.iter().zip(&read) {
                if let (Some(label), true) = (label, labels.len() < MAX_LABELS) {
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
            if self.terms + document.len() <= MAX_TERMS && self.known.insert(*id, Arc::clone(document)).is_none() {
                self.terms += document.len();
            }
        }
    }
}

/// Filter for the targets of matches: published records.
pub(super) fn published() -> Filter {
    Filter { statuses: vec![Status::Active], ..Filter::default() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
