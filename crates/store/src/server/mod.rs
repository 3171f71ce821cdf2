//! A Qdrant server or cluster as an index: the same collections, vectors, payloads, filters and scores as in the
//! embedded engine, shared by several instances of this program.
//!
//! - `wire`: requests, retries, deadlines, circuit breaker; `nodes`: which node is asked; `watch`: health checks
//! - `collections`: creation and checks; `convert`: conversion between our types and Qdrant's messages
//! - `write`: conditional writes of records and of `documents`
//! - `state`: versions of the store and duties; `duty`: leases on them
//! - `rebuild`: a store that grows beside the one in use
//!
//! This process is stateless: it reads its state from the engine, and every decision rests on data stored there.
//!
//! Invariant: every write is conditional on an earlier read, so it may be repeated, and of instances that write the
//! same record only one wins.

mod backoff;
mod collections;
mod convert;
mod core;
mod documents;
mod duty;
mod nodes;
pub mod options;
mod rebuild;
mod state;
mod watch;
mod wire;
mod write;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
pub use options::{Pace, Qdrant, QdrantLayout, Quantization, WriteOrdering};
use qdrant_client::qdrant::{CountPoints, GetPoints, QueryBatchPoints, QueryPoints, ScrollPoints};
use tokio::{task::JoinHandle, time::Instant};
use uuid::Uuid;

use self::{
    convert::Beam,
    core::{HealthCheck, ServerCore, WantedStore},
    wire::{CircuitState, Wire, WireFailure},
};
use super::{
    Candidates, ChangeClock, CollectionKind, FieldSelection, Hit, Index, IndexError, IndexStatus, KindStatus, Lease,
    Leases, PageRequest, Point, PointId, PointPage, Records, Result, Retrieval, Search, StoreShape, VectorPage,
    VectorSelection, Vectors, Written,
    damage::Sorted,
    records::{Fetched, MAX_PAGE_POINTS, by_name, check_count, in_order},
    search::SourceSearches,
    tombstones,
};
use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_cpu::Lane;

/// Beam width of a graph search, as in the embedded engine.
const BEAM: u64 = 400;

/// The collections of a store on a server. Dropping it ends the health checks.
pub struct ServerIndex {
    core: Arc<ServerCore>,
    watch: JoinHandle<()>,
    clock: ChangeClock,
}

// === impl ServerIndex ===

impl ServerIndex {
    /// Opens a store of this shape, or creates it if there is none. Connects in the background: until the engine
    /// answers, calls fail with [`IndexError::Unreachable`] or [`IndexError::NodesAway`]. Needs a tokio runtime.
    ///
    /// # Errors
    /// Only invalid options.
    pub fn open(options: &Qdrant, shape: StoreShape) -> Result<Self> {
        Self::open_at(options, shape, Pace::default())
    }

    /// As [`ServerIndex::open`], with other timing.
    ///
    /// # Errors
    /// As [`ServerIndex::open`].
    pub fn open_at(options: &Qdrant, shape: StoreShape, pace: Pace) -> Result<Self> {
        Self::start(options, pace, WantedStore::This(shape))
    }

    /// Opens the existing store, whatever its versions.
    ///
    /// # Errors
    /// As [`ServerIndex::open`].
    pub fn open_any(options: &Qdrant, pace: Pace) -> Result<Self> {
        Self::start(options, pace, WantedStore::Any)
    }

    fn start(options: &Qdrant, pace: Pace, wanted: WantedStore) -> Result<Self> {
        let holder = Uuid::new_v4().to_string();
        Ok(Self::watched(ServerCore::new(Wire::new(options, pace.stale_after)?, options, pace, wanted, holder)))
    }

    fn watched(core: ServerCore) -> Self {
        let core = Arc::new(core);
        Self { watch: tokio::spawn(watch::run(Arc::clone(&core))), core, clock: ChangeClock::default() }
    }

    /// Waits until requests can be sent; for commands that need the engine at once.
    ///
    /// # Errors
    /// Why requests cannot be sent: after `patience`, or at once if the reason is permanent.
    pub async fn ready(&self, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            let error = match self.core.wire.circuit_state() {
                CircuitState::Ready => return Ok(()),
                CircuitState::Refused(sentence) => return Err(IndexError::Refused(sentence)),
                CircuitState::Maintenance => IndexError::Maintenance,
                CircuitState::Down(reason) => self.core.wire.error(WireFailure::Unreachable(reason)),
            };
            if end <= Instant::now() {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Versions and dimensions of the store, once known.
    ///
    /// # Errors
    /// [`IndexError::Unreachable`] until then.
    pub fn shape(&self) -> Result<StoreShape> {
        self.core.store().map(|store| store.shape.clone())
    }

    async fn query(&self, query: QueryPoints) -> Result<Vec<Hit>> {
        let answer = self.core.wire.call(|node| {
            let query = query.clone();
            async move { node.points().query(query).await }
        });
        answer.await.map(|answer| convert::hits(answer.result))
    }

    async fn find(&self, kind: Kind, search: Search) -> Result<Candidates> {
        let store = self.core.store()?;
        search.check(store.shape.dimensions)?;
        let quantized = self.core.layout.quantization != Quantization::None;
        let beam = Beam { width: BEAM, oversampling: quantized.then_some(self.core.layout.oversampling) };
        let collection_name = self.core.records_name(kind, store.generation);
        let SourceSearches { dense, sparse } = convert::searches(&collection_name, search, beam);
        let (dense, sparse) = match (dense, sparse) {
            (None, None) => return Ok(Candidates::default()),
            (Some(dense), None) => return Ok(Candidates { dense: self.query(dense).await?, sparse: Vec::new() }),
            (None, Some(sparse)) => return Ok(Candidates { dense: Vec::new(), sparse: self.query(sparse).await? }),
            (Some(dense), Some(sparse)) => (dense, sparse),
        };
        let batch =
            QueryBatchPoints { collection_name, query_points: vec![dense, sparse], ..QueryBatchPoints::default() };
        let answer = self.core.wire.call(|node| {
            let batch = batch.clone();
            async move { node.points().query_batch(batch).await }
        });
        let mut lists = answer.await?.result.into_iter().map(|list| convert::hits(list.result));
        match (lists.next(), lists.next()) {
            (Some(dense), Some(sparse)) => Ok(Candidates { dense, sparse }),
            _ => Err(IndexError::Server { reason: "查询的应答不完整".to_string() }),
        }
    }

    async fn fetch_points(&self, kind: Kind, ids: Vec<PointId>, with: FieldSelection) -> Result<Fetched> {
        if ids.is_empty() {
            return Ok(Fetched::default());
        }
        check_count(ids.len())?;
        let request = convert::get(&self.core.records(kind)?, &ids, with);
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().get(request).await }
        });
        let answer = answer.await?;
        let read = move || {
            let points = answer.result.into_iter().filter_map(|found| convert::point_out(found, with));
            let Sorted { rows, damaged, .. } = points.collect();
            let found: HashMap<PointId, Point> = rows.into_iter().map(|point: Point| (point.id(), point)).collect();
            Fetched { points: in_order(&ids, found), damaged }
        };
        let fetched = duijie_cpu::run(Lane::Interactive, read).await?;
        self.core.damage.note(CollectionKind::Records(kind), &fetched.damaged);
        Ok(fetched)
    }

    async fn get_points(&self, names: Vec<RecordName>, with: FieldSelection) -> Result<Vec<Option<Point>>> {
        let of_kind = |kind| {
            let ids: Vec<PointId> = names.iter().filter(|name| name.kind == kind).map(PointId::of).collect();
            async move {
                let fetched = self.fetch_points(kind, ids, with).await?;
                Ok::<_, IndexError>((kind, fetched))
            }
        };
        let found = futures::future::try_join_all(Kind::ALL.map(of_kind)).await?;
        found.iter().try_for_each(|(_, fetched)| fetched.check(&names))?;
        let found = found.into_iter().map(|(kind, fetched)| (kind, fetched.points));
        Ok(by_name(&names, found))
    }

    async fn read_page(&self, kind: Kind, filter: Filter, page: PageRequest) -> Result<PointPage> {
        let from = page.after.map(PointId::next);
        if from == Some(None) {
            return Ok(PointPage::default());
        }
        let request = ScrollPoints {
            collection_name: self.core.records(kind)?,
            filter: convert::point_filter(&filter),
            offset: from.flatten().map(convert::server_id),
            limit: u32::try_from(page.limit.clamp(1, MAX_PAGE_POINTS)).ok(),
            with_payload: Some(convert::payload_of_interest(page.with)),
            with_vectors: Some(convert::vectors_of_interest(page.with)),
            ..ScrollPoints::default()
        };
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().scroll(request).await }
        });
        let answer = answer.await?;
        let read = move || {
            let last = answer.result.last().and_then(|found| convert::point_id(found.id.as_ref()));
            let next = last.filter(|_| answer.next_page_offset.is_some());
            let points = answer.result.into_iter().filter_map(|found| convert::point_out(found, page.with));
            let Sorted { rows: points, damaged, unchecked } = points.collect();
            PointPage { points, damaged, unchecked, next }
        };
        let page = duijie_cpu::run(Lane::Interactive, read).await?;
        self.core.damage.note(CollectionKind::Records(kind), &page.damaged);
        Ok(page)
    }

    async fn read_vectors(
        &self,
        kind: Kind,
        ids: Vec<PointId>,
        which: VectorSelection,
    ) -> Result<Vec<Option<Vectors>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        check_count(ids.len())?;
        let request = GetPoints {
            with_payload: Some(convert::no_payload()),
            with_vectors: Some(convert::these_vectors(which)),
            ..convert::get(&self.core.records(kind)?, &ids, FieldSelection::Payload)
        };
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().get(request).await }
        });
        let mut found: HashMap<PointId, Vectors> =
            answer.await?.result.into_iter().filter_map(convert::plain_vectors).collect();
        Ok(ids.iter().map(|id| found.remove(id)).collect())
    }

    async fn scan_page(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> Result<VectorPage> {
        let from = after.map(PointId::next);
        if from == Some(None) {
            return Ok(VectorPage::default());
        }
        let request = ScrollPoints {
            collection_name: self.core.records(kind)?,
            offset: from.flatten().map(convert::server_id),
            limit: u32::try_from(limit.clamp(1, MAX_PAGE_POINTS)).ok(),
            with_payload: Some(convert::no_payload()),
            with_vectors: Some(convert::these_vectors(which)),
            ..ScrollPoints::default()
        };
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().scroll(request).await }
        });
        let answer = answer.await?;
        let read = move || {
            let last = answer.result.last().and_then(|found| convert::point_id(found.id.as_ref()));
            let next = last.filter(|_| answer.next_page_offset.is_some());
            VectorPage { rows: answer.result.into_iter().filter_map(convert::plain_vectors).collect(), next }
        };
        Ok(duijie_cpu::run(Lane::Bulk, read).await?)
    }

    async fn count_points(&self, kind: Kind, filter: Filter) -> Result<u64> {
        let request = CountPoints {
            collection_name: self.core.records(kind)?,
            filter: convert::point_filter(&filter),
            exact: Some(true),
            ..CountPoints::default()
        };
        let answer = self.core.wire.call(|node| {
            let request = request.clone();
            async move { node.points().count(request).await }
        });
        Ok(answer.await?.result.map_or(0, |result| result.count))
    }
}

impl Records for ServerIndex {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        write::upsert(&self.core, kind, points).boxed()
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        let name = name.clone();
        async move {
            if !tombstones::write(self, &name).await? {
                return Ok(false);
            }
            write::delete(&self.core, name.kind, PointId::of(&name)).await
        }
        .boxed()
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        self.get_points(names.to_vec(), with).boxed()
    }

    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let ids = ids.to_vec();
        async move { Ok(self.fetch_points(kind, ids, with).await?.points) }.boxed()
    }

    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>> {
        self.read_vectors(kind, ids.to_vec(), which).boxed()
    }

    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>> {
        self.scan_page(kind, after, limit, which).boxed()
    }

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        self.read_page(kind, filter.clone(), page).boxed()
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        self.count_points(kind, filter.clone()).boxed()
    }
}

impl Retrieval for ServerIndex {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        self.find(kind, search).boxed()
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        let (dense, ids) = (dense.to_vec(), ids.to_vec());
        async move {
            let store = self.core.store()?;
            let search = Search { dense: Some(dense), depth: ids.len(), ..Search::default() };
            search.check(store.shape.dimensions)?;
            let collection = self.core.records_name(kind, store.generation);
            self.query(convert::cosines(&collection, search.dense.unwrap_or_default(), &ids)).await
        }
        .boxed()
    }
}

impl Leases for ServerIndex {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        let duty = duty.to_string();
        async move { duty::claim(&self.core, &duty).await }.boxed()
    }
}

impl Index for ServerIndex {
    fn status(&self) -> IndexStatus {
        let (problem, refusal) = match self.core.wire.circuit_state() {
            CircuitState::Ready => (None, None),
            CircuitState::Down(reason) => (Some(reason), None),
            CircuitState::Maintenance => (Some(IndexError::Maintenance.to_string()), None),
            CircuitState::Refused(sentence) => (Some(sentence.clone()), Some(sentence)),
        };
        let HealthCheck { mut kinds, documents_problem } = self.core.status();
        if kinds.is_empty() {
            kinds = Kind::ALL.map(KindStatus::unknown).to_vec();
        }
        for kind in &mut kinds {
            kind.problem = kind.problem.take().or(problem.clone());
        }
        let documents_damaged = self.core.damage.count(CollectionKind::Documents);
        let nodes = self.core.wire.node_status();
        IndexStatus { kinds, documents_problem, documents_damaged, refusal, nodes }
    }

    fn clock(&self) -> &ChangeClock {
        &self.clock
    }
}

impl Drop for ServerIndex {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
