//! An engine in memory: nothing is kept, everything is gone through. A search takes microseconds and gives the same each
//! time, so that thousands of random cases can be tried.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard},
};

use duijie_core::{
    domain::{Filter, Kind, RecordName},
    text::SparseVector,
};
use duijie_store::{
    Candidates, Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, FieldSelection, Hit,
    Index, IndexError, IndexStatus, Key, KindStatus, Lease, Leases, PageRequest, Point, PointId, PointPage, Records,
    Result, Retrieval, Search, VectorPage, VectorSelection, Vectors, Written, documents::document_id,
    lease::LocalDuties, tombstones,
};
use futures::{FutureExt, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};

use super::{contract::scaled, oracle::matches, sample::DIMENSIONS};

/// Folders of the notes of deleted records, and the bits of a note's key that are not its time.
const DELETED: (&str, u32) = ("rematch/deleted/", 20);
/// Folders of statistics of terms: their texts say when they were taken.
const STATISTICS: &str = "rematch/statistics";

/// An engine in memory.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
    duties: LocalDuties,
}

#[derive(Default)]
struct State {
    records: HashMap<Kind, BTreeMap<PointId, Point>>,
    /// Terms of deleted records: as in the real engines, they still count in the statistics.
    deleted: HashMap<Kind, Vec<SparseVector>>,
    documents: BTreeMap<PointId, Document>,
}

fn ready<'a, T: Send + 'a>(value: Result<T>) -> BoxFuture<'a, Result<T>> {
    std::future::ready(value).boxed()
}

/// A point with as much of it as was asked for.
fn read(point: &Point, with: FieldSelection) -> Point {
    let mut point = point.clone();
    if with != FieldSelection::Everything {
        point.dense = Vec::new();
    }
    if with == FieldSelection::Payload {
        point.sparse = SparseVector::default();
    }
    point
}

fn vectors(point: &Point, which: VectorSelection) -> Vectors {
    let dense = if which == VectorSelection::Sparse { Vec::new() } else { point.dense.clone() };
    let sparse = if which == VectorSelection::Dense { SparseVector::default() } else { point.sparse.clone() };
    Vectors { dense, sparse }
}

fn from(after: Option<PointId>) -> PointId {
    after.unwrap_or(PointId::from(uuid::Uuid::nil()))
}

/// What comes after an id, and the id to go on from.
fn page<T>(
    all: &BTreeMap<PointId, T>,
    after: Option<PointId>,
    limit: usize,
    wanted: impl Fn(&T) -> bool,
) -> (Vec<&T>, Option<PointId>) {
    let start = all.range(from(after)..).filter(|(id, it)| after != Some(**id) && wanted(it));
    let mut found: Vec<(&PointId, &T)> = start.take(limit + 1).collect();
    let more = limit < found.len();
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(id, _)| **id);
    (found.into_iter().map(|(_, it)| it).collect(), next)
}

/// The best `depth` of these.
fn best(mut hits: Vec<Hit>, depth: usize) -> Vec<Hit> {
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.id.cmp(&other.id)));
    hits.truncate(depth);
    hits
}

fn unit(dense: &[f32]) -> Vec<f32> {
    let length = dense.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    dense.iter().map(|value| if length == 0.0 { 0.0 } else { (f64::from(*value) / length) as f32 }).collect()
}

fn cosine(query: &[f32], point: &Point) -> f32 {
    query.iter().zip(&point.dense).map(|(one, other)| one * other).sum()
}

// === impl Memory ===

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Time passes: what was stored, deleted and counted until now was so much earlier. Jobs keep their times, so that only
    /// what comes from now on is later than the last one.
    pub fn age(&self, by: SignedDuration) {
        let state = &mut *self.state();
        for point in state.records.values_mut().flat_map(BTreeMap::values_mut) {
            point.record.update_time = point.record.update_time.map(|time| time.checked_sub(by).unwrap());
        }
        let (folder, bits) = DELETED;
        let earlier = u64::try_from(by.as_millis()).unwrap() << bits;
        let documents = std::mem::take(&mut state.documents).into_values().map(|mut document| {
            if let (true, Key::Number(number)) = (document.folder.starts_with(folder), &mut document.key) {
                *number -= earlier;
            }
            if let (true, Ok(mut about)) =
                (document.folder.starts_with(STATISTICS), serde_json::from_str::<serde_json::Value>(&document.text))
                && let Some(time) = about["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok())
            {
                about["time"] = time.checked_sub(by).unwrap().to_string().into();
                document.text = about.to_string();
            }
            (document.id(), document)
        });
        state.documents = documents.collect();
    }
}

// === impl State ===

impl State {
    fn of(&mut self, kind: Kind) -> &mut BTreeMap<PointId, Point> {
        self.records.entry(kind).or_default()
    }

    fn upsert(&mut self, kind: Kind, points: Vec<Point>) -> Result<Vec<Written>> {
        points.iter().try_for_each(|point| point.check(kind, DIMENSIONS))?;
        let stored = self.of(kind);
        let written = points.into_iter().map(|point| {
            let (id, revision) = (point.id(), point.record.revision);
            let before = stored.get(&id).map(|before| before.record.revision);
            if let Some(before) = before.filter(|before| revision <= *before) {
                return Written::Stale { stored: before };
            }
            let mut point = scaled(point);
            let terms: BTreeMap<u32, f32> = point.sparse.indices.iter().copied().zip(point.sparse.values).collect();
            point.sparse = terms.into_iter().collect();
            stored.insert(id, point);
            if before.is_some() { Written::Updated } else { Written::Created }
        });
        Ok(written.collect())
    }

    fn search(&mut self, kind: Kind, search: &Search) -> Result<Candidates> {
        search.check(DIMENSIONS)?;
        let within: Option<HashSet<PointId>> = search.within.as_ref().map(|within| within.iter().copied().collect());
        let deleted = self.deleted.remove(&kind).unwrap_or_default();
        let points = self.of(kind);
        let kept: Vec<(PointId, &Point)> = points
            .iter()
            .map(|(id, point)| (*id, point))
            .filter(|(id, _)| !search.exclude.contains(id) && within.as_ref().is_none_or(|within| within.contains(id)))
            .filter(|(_, point)| matches(&search.filter, &point.record))
            .collect();
        let dense = search.dense.as_ref().map(|dense| {
            let query = unit(dense);
            kept.iter().map(|(id, point)| Hit { id: *id, score: cosine(&query, point) }).collect()
        });
        let sparse = search.sparse.as_ref().map(|query| {
            let counted = || points.values().map(|point| &point.sparse).chain(&deleted).filter(|it| !it.is_empty());
            let records = counted().count() as f64;
            let weights: Vec<(u32, f64)> = query
                .indices
                .iter()
                .zip(&query.values)
                .map(|(term, weight)| {
                    let count = counted().filter(|it| it.contains(*term)).count() as f64;
                    (*term, f64::from(*weight) * ((records - count + 0.5) / (count + 0.5)).ln_1p())
                })
                .collect();
            let score = |point: &Point| {
                let shared = weights.iter().filter_map(|(term, weight)| {
                    let place = point.sparse.indices.binary_search(term).ok()?;
                    Some(weight * f64::from(point.sparse.values[place]))
                });
                // in order of the terms of the document, whatever the order of the query is
                let mut shared: Vec<f64> = shared.collect();
                shared.sort_by(f64::total_cmp);
                shared.iter().sum::<f64>() as f32
            };
            let hits = kept.iter().map(|(id, point)| Hit { id: *id, score: score(point) });
            hits.filter(|hit| 0.0 < hit.score).collect()
        });
        let list = |hits: Option<Vec<Hit>>| best(hits.unwrap_or_default(), search.depth);
        let found = Candidates { dense: list(dense), sparse: list(sparse) };
        self.deleted.insert(kind, deleted);
        Ok(found)
    }

    fn write(&mut self, writes: Vec<DocumentWrite>) -> Result<Vec<DocumentWritten>> {
        writes.iter().try_for_each(DocumentWrite::check)?;
        let written = writes.into_iter().map(|write| {
            let (id, expect) = (write.id(), write.expect);
            let stored = self.documents.get(&id).map_or(0, |document| document.version);
            if !expect.met_by(stored) {
                return DocumentWritten::Conflict { stored };
            }
            let DocumentWrite { folder, key, tags, text, .. } = write;
            self.documents.insert(id, Document { folder, key, version: stored + 1, tags, text });
            DocumentWritten::Stored { version: stored + 1 }
        });
        Ok(written.collect())
    }
}

fn meets(query: &DocumentQuery, document: &Document) -> bool {
    query.folder.as_ref().is_none_or(|folder| document.folder == *folder)
        && query.tags.iter().all(|tag| document.tags.contains(tag))
}

impl Records for Memory {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        ready(self.state().upsert(kind, points))
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        let name = name.clone();
        async move {
            if !tombstones::write(self, &name).await? {
                return Ok(false);
            }
            let state = &mut *self.state();
            let gone = state.of(name.kind).remove(&PointId::of(&name));
            let there = gone.is_some();
            state.deleted.entry(name.kind).or_default().extend(gone.map(|point| point.sparse));
            Ok(there)
        }
        .boxed()
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let mut state = self.state();
        let found = names.iter().map(|name| state.of(name.kind).get(&PointId::of(name)).map(|point| read(point, with)));
        ready(Ok(found.collect()))
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let mut state = self.state();
        let points = state.of(kind);
        ready(Ok(ids.iter().map(|id| points.get(id).map(|point| read(point, with))).collect()))
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        let mut state = self.state();
        let points = state.of(kind);
        ready(Ok(ids.iter().map(|id| points.get(id).map(|point| vectors(point, which))).collect()))
    }

    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>> {
        let mut state = self.state();
        let (found, next) = page(state.of(kind), after, limit, |_| true);
        let rows = found.into_iter().map(|point| (point.id(), vectors(point, which))).collect();
        ready(Ok(VectorPage { rows, next }))
    }

    fn scroll(&self, kind: Kind, filter: &Filter, request: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        let mut state = self.state();
        let wanted = |point: &Point| matches(filter, &point.record);
        let (found, next) = page(state.of(kind), request.after, request.limit, wanted);
        let points = found.into_iter().map(|point| read(point, request.with)).collect();
        ready(Ok(PointPage { points, next }))
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        ready(Ok(self.state().of(kind).values().filter(|point| matches(filter, &point.record)).count() as u64))
    }
}

impl Retrieval for Memory {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        ready(self.state().search(kind, &search))
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        let (query, mut state) = (unit(dense), self.state());
        let points = state.of(kind);
        let hit = |id: &PointId| Some(Hit { id: *id, score: cosine(&query, points.get(id)?) });
        ready(Ok(best(ids.iter().filter_map(hit).collect(), ids.len())))
    }
}

impl Leases for Memory {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        ready(Ok(self.duties.claim(duty)))
    }
}

impl Index for Memory {
    fn status(&self) -> IndexStatus {
        let mut state = self.state();
        let kinds = Kind::ALL.map(|kind| {
            let points = state.of(kind).len() as u64;
            KindStatus { kind, points, indexed: 0, segments: 1, optimizing: false, problem: None }
        });
        IndexStatus { kinds: kinds.to_vec(), documents_problem: None, refusal: None }
    }
}

impl Documents for Memory {
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
        let state = self.state();
        ready(Ok(keys.iter().map(|key| state.documents.get(&document_id(folder, key)).cloned()).collect()))
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        ready(self.state().write(writes))
    }

    fn restore_documents(&self, _: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
        ready(Err(IndexError::BadSearch { reason: "nothing is restored into memory".into() }))
    }

    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>> {
        let mut state = self.state();
        state.documents.retain(|_, document| document.folder != folder || !keys.contains(&document.key));
        ready(Ok(()))
    }

    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>> {
        let state = self.state();
        let (found, next) = page(&state.documents, after, limit, |document| meets(&query, document));
        ready(Ok(DocumentPage { documents: found.into_iter().cloned().collect(), next }))
    }

    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
        ready(Ok(self.state().documents.values().filter(|document| meets(&query, document)).count() as u64))
    }
}
