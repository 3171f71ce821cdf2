//! Qdrant Edge as an index: the engine in this process, with one shard per kind and one for documents.
//!
//! - [`options`]: options for opening a store
//! - `store`: the folder, its lock and its versions
//! - `open`: opening the shards; `shard`: the engine's shard, loaded with its journal replayed
//! - `journal`: durability of writes; [`salvage`]: what can be saved of a damaged journal
//! - `apply`: writing changes into the engine
//! - `writer`: the thread that writes; `optimizer`: the thread that builds graphs
//! - `disk`: free space, without which nothing is written
//! - `wal`, `repair`: the engine's log, and repair after a cut-off optimiser
//! - `documents`: documents in their own shard
//! - `census`: number and ids of the points, against loss in silence
//! - `rows`: reading rows of which some are damaged
//! - `convert`: conversion between our types and the engine's; `guard`: panics become errors
//!
//! Sparse score: the sum of idf · query weight · stored weight over the shared terms, with idf = ln(1 + (N - df + 0.5)
//! / (df + 0.5)). The engine sums N (points with terms) and df (points with the term) over all segments before it
//! searches any, so scores do not depend on how points are spread over segments. Deleted points, and old versions of
//! points updated after their segment got a graph, still count until the optimiser purges them.
//!
//! Invariants: only the writer's thread writes, flushes and loads a shard; while the optimiser works on the shard, it
//! only writes. Acknowledged changes are in the synced journal or in a flushed engine. Counts and pages wait
//! while points are replaced or deleted (`Shard::read_settled`).

mod apply;
mod census;
mod convert;
mod disk;
mod documents;
mod guard;
mod journal;
mod open;
mod optimizer;
pub mod options;
mod repair;
mod rows;
mod shard;
mod store;
mod wal;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

pub use census::CensusDifference;
pub use disk::FreeSpace;
use futures::{FutureExt, future::BoxFuture};
#[cfg(any(test, fuzzing))]
pub use journal::fuzzing;
pub use journal::salvage;
pub use open::PartlyOpened;
pub use options::{EdgeOptions, Tuning};
use qdrant_edge::{CountRequest, ScrollRequest, SearchRequest};
use tokio::sync::{Semaphore, oneshot};

use self::{
    census::CensusRule,
    open::open_shards,
    optimizer::Charge,
    rows::{fetch, read_page, read_vectors, scan_page},
    shard::{OpenedShard, Shard},
    store::{StoreFolder, at},
    writer::{GROUP_POINTS, Write, WriteJob, WriteOutcome, Writer, WriterCommand},
};
use super::{
    Candidates, ChangeClock, CollectionKind, FieldSelection, Hit, Index, IndexError, IndexStatus, Lease, Leases,
    MAINTENANCE, PageRequest, Point, PointId, PointPage, Records, Result, Retrieval, Search, StoreShape, StoreVersions,
    VectorPage, VectorSelection, Vectors, Written,
    lease::LocalDuties,
    records::{Fetched, MAX_PAGE_POINTS, by_name, check_count},
    search::SourceSearches,
    tombstones,
};
use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_cpu::{Call, Lane, Places};

/// Most points in a writer's queue, to limit memory: two groups.
const QUEUE_POINTS: usize = 2 * GROUP_POINTS;
/// Most queued reads; more are refused.
const QUEUE_READS: usize = 1_024;
/// Fetches from this size run as two parallel halves: reading a payload takes 20 µs, handing over a half 40 µs.
const SPLIT_FETCH_POINTS: usize = 8;

/// The shards of a store.
pub struct EdgeIndex {
    /// Dropping the sender ends the thread after its current run. Dropped first, so that no new run starts.
    optimizer: Option<(Sender<()>, JoinHandle<()>)>,
    shards: Vec<Handle>,
    /// Keeps the folder locked, also where no shard could be opened.
    _store: Arc<StoreFolder>,
    readers: Places,
    shape: StoreShape,
    duties: LocalDuties,
    clock: ChangeClock,
}

/// One shard with its writer.
struct Handle {
    charge: Charge,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

// === impl EdgeIndex ===

impl EdgeIndex {
    /// Opens or creates a store, replays changes that the last process did not flush, and starts the threads.
    ///
    /// # Errors
    /// [`IndexError::InUse`], [`IndexError::OtherVersions`], [`IndexError::Foreign`], [`IndexError::Folder`],
    /// [`IndexError::Damaged`].
    pub fn open(options: EdgeOptions) -> Result<Self> {
        let store = Arc::new(StoreFolder::open(&options)?);
        let opened = open_shards(&store, &options, CensusRule::Compare);
        let shards = opened.into_iter().map(|(_, shard)| shard).collect::<Result<_>>()?;
        store.set_complete()?;
        Self::start(store, shards, &options)
    }

    fn start(store: Arc<StoreFolder>, shards: Vec<Handle>, options: &EdgeOptions) -> Result<Self> {
        let charges: Vec<Charge> = shards.iter().map(|handle| handle.charge.clone()).collect();
        let (stop, stopped) = channel();
        let thread = spawn("index-optimizer", move || optimizer::run(&charges, &stopped), options)?;
        Ok(Self {
            shards,
            readers: Places::new(options.tuning.readers, QUEUE_READS),
            shape: store.shape.clone(),
            _store: store,
            duties: LocalDuties::default(),
            clock: ChangeClock::default(),
            optimizer: Some((stop, thread)),
        })
    }

    /// Versions that the store was built with; they differ from the requested ones only with `any_version`.
    pub fn versions(&self) -> &StoreVersions {
        &self.shape.versions
    }

    /// Versions and dimensions of the store.
    pub fn shape(&self) -> &StoreShape {
        &self.shape
    }

    /// Versions and dimensions of the store in a folder, without opening it; `None` if there is no store.
    ///
    /// # Errors
    /// [`IndexError::Folder`] if its description cannot be read.
    pub fn shape_of(folder: &Path) -> Result<Option<StoreShape>> {
        StoreFolder::shape_of(folder)
    }

    /// Builds graphs and purges deleted points now, and waits until done. Blocks for up to minutes.
    ///
    /// # Errors
    /// [`IndexError::Engine`]; acknowledged changes are kept.
    pub fn optimize(&self) -> Result<()> {
        self.shards.iter().try_for_each(|handle| optimizer::optimize(&handle.charge))
    }

    /// Ends all threads and unlocks the folder. Waits for the optimiser, which may take minutes. Dropping the value
    /// does not wait; the folder then stays locked until the optimiser ends.
    pub fn close(mut self) {
        if let Some((stop, thread)) = self.optimizer.take() {
            drop(stop);
            let _ = thread.join();
        }
    }

    fn handle(&self, collection: CollectionKind) -> Result<&Handle> {
        let handle = self.shards.iter().find(|handle| handle.charge.shard.place.collection == collection);
        handle.ok_or(IndexError::Closed)
    }

    /// Runs a read of one shard outside the async threads; the number of concurrent reads is limited, and callers take
    /// turns.
    async fn read<T: Send + 'static>(
        &self,
        collection: CollectionKind,
        work: impl FnOnce(&Shard) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shard = Arc::clone(&self.handle(collection)?.charge.shard);
        let place = self.readers.take().await?;
        if let Some(call) = Call::current() {
            call.add_wait(place.waited());
        }
        let work = tokio::task::spawn_blocking(move || {
            // holds the place until the work is done, even if the caller is gone
            let _place = place;
            work(&shard)
        });
        work.await.map_err(|_| IndexError::Closed)?
    }

    async fn write(&self, collection: CollectionKind, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        let handle = self.handle(collection)?;
        let places = u32::try_from(writes.len()).unwrap_or(u32::MAX);
        let permit = Arc::clone(&handle.places).acquire_many_owned(places).await.map_err(|_| IndexError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job = WriterCommand::Write(WriteJob { writes, reply, permit });
        // never full: each job takes at least one place
        handle.charge.writer.try_send(job).map_err(|_| IndexError::Closed)?;
        answer.await.map_err(|_| IndexError::Closed)?
    }

    /// Waits until all that was to be written is written, also where nobody waits for it any more: a caller that has
    /// gone does not take its writes back.
    async fn settle(&self) -> Result<()> {
        let all = u32::try_from(QUEUE_POINTS).unwrap_or(u32::MAX);
        for handle in &self.shards {
            drop(handle.places.acquire_many(all).await.map_err(|_| IndexError::Closed)?);
        }
        Ok(())
    }

    async fn write_points(&self, kind: Kind, points: Vec<Point>) -> Result<Vec<Written>> {
        let dimensions = self.shape.dimensions;
        let check = move || points.iter().try_for_each(|point| point.check(kind, dimensions)).map(|()| points);
        let points = duijie_cpu::run(Lane::Bulk, check).await??;
        let mut written = Vec::with_capacity(points.len());
        let mut points = points.into_iter();
        loop {
            let chunk: Vec<Write> =
                points.by_ref().take(GROUP_POINTS).map(|point| Write::Upsert(Box::new(point))).collect();
            if chunk.is_empty() {
                return Ok(written);
            }
            for outcome in self.write(CollectionKind::Records(kind), chunk).await? {
                match outcome {
                    WriteOutcome::Written(outcome) => written.push(outcome),
                    WriteOutcome::Put(_) | WriteOutcome::Deleted(_) => {}
                }
            }
        }
    }

    async fn fetch_points(&self, kind: Kind, ids: Vec<PointId>, with: FieldSelection) -> Result<Fetched> {
        if ids.is_empty() {
            return Ok(Fetched::default());
        }
        check_count(ids.len())?;
        if ids.len() < SPLIT_FETCH_POINTS {
            return self.read(CollectionKind::Records(kind), move |shard| fetch(shard, &ids, with)).await;
        }
        let (first, second) = ids.split_at(ids.len() / 2);
        let half = |ids: &[PointId]| {
            let ids = ids.to_vec();
            self.read(CollectionKind::Records(kind), move |shard| fetch(shard, &ids, with))
        };
        let (mut fetched, rest) = tokio::try_join!(half(first), half(second))?;
        fetched.points.extend(rest.points);
        fetched.damaged.extend(rest.damaged);
        Ok(fetched)
    }

    async fn find(&self, kind: Kind, request: Option<SearchRequest>) -> Result<Vec<Hit>> {
        match request {
            Some(request) => {
                let search = move |shard: &Shard| shard.read(|engine| engine.search(request));
                self.read(CollectionKind::Records(kind), search).await.map(convert::hits)
            }
            None => Ok(Vec::new()),
        }
    }

    async fn get_points(&self, names: Vec<RecordName>, with: FieldSelection) -> Result<Vec<Option<Point>>> {
        let mut found = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            let ids = names.iter().filter(|name| name.kind == kind).map(PointId::of).collect();
            let fetched = self.fetch_points(kind, ids, with).await?;
            fetched.check(&names)?;
            found.push((kind, fetched.points));
        }
        Ok(by_name(&names, found))
    }
}

impl Records for EdgeIndex {
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>> {
        self.write_points(kind, points).boxed()
    }

    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>> {
        let name = name.clone();
        async move {
            if !tombstones::write(self, &name).await? {
                return Ok(false);
            }
            let delete = vec![Write::Delete(PointId::of(&name))];
            let outcomes = self.write(CollectionKind::Records(name.kind), delete).await?;
            Ok(outcomes.contains(&WriteOutcome::Deleted(true)))
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
        let ids = ids.to_vec();
        async move {
            check_count(ids.len())?;
            self.read(CollectionKind::Records(kind), move |shard| read_vectors(shard, &ids, which)).await
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
        let request = ScrollRequest {
            offset: after.and_then(PointId::next).map(convert::edge_id),
            limit: Some(limit.clamp(1, MAX_PAGE_POINTS)),
            ..ScrollRequest::default()
        };
        let at_end = after.is_some() && request.offset.is_none();
        async move {
            if at_end {
                return Ok(VectorPage::default());
            }
            self.read(CollectionKind::Records(kind), move |shard| scan_page(shard, request, which)).await
        }
        .boxed()
    }

    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>> {
        let request = ScrollRequest {
            offset: page.after.and_then(PointId::next).map(convert::edge_id),
            limit: Some(page.limit.clamp(1, MAX_PAGE_POINTS)),
            filter: convert::edge_filter(filter),
            ..ScrollRequest::default()
        };
        let at_end = page.after.is_some() && request.offset.is_none();
        let with = page.with;
        async move {
            if at_end {
                return Ok(PointPage::default());
            }
            self.read(CollectionKind::Records(kind), move |shard| read_page(shard, request, with)).await
        }
        .boxed()
    }

    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>> {
        let request = CountRequest { filter: convert::edge_filter(filter), exact: true };
        let count = move |shard: &Shard| shard.read_settled(|engine| engine.count(request)).map(|count| count as u64);
        self.read(CollectionKind::Records(kind), count).boxed()
    }
}

impl Retrieval for EdgeIndex {
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>> {
        async move {
            search.check(self.shape.dimensions)?;
            let SourceSearches { dense, sparse } =
                convert::searches(search, self.handle(CollectionKind::Records(kind))?.charge.shard.tuning.beam);
            // side by side: a search waits for the slower of its sources, not for both
            let (dense, sparse) = tokio::try_join!(self.find(kind, dense), self.find(kind, sparse))?;
            Ok(Candidates { dense, sparse })
        }
        .boxed()
    }

    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>> {
        let (dense, ids) = (dense.to_vec(), ids.to_vec());
        async move {
            let search = Search { dense: Some(dense), depth: ids.len(), ..Search::default() };
            search.check(self.shape.dimensions)?;
            self.find(kind, Some(convert::cosines(search.dense.unwrap_or_default(), ids))).await
        }
        .boxed()
    }
}

impl Leases for EdgeIndex {
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>> {
        // the folder's lock excludes other processes, so duties only matter within this one
        let lease = self.duties.claim(duty);
        let settle = lease.is_some() && duty == MAINTENANCE;
        async move {
            if settle {
                self.settle().await?;
            }
            Ok(lease)
        }
        .boxed()
    }
}

impl Index for EdgeIndex {
    fn status(&self) -> IndexStatus {
        let (mut kinds, mut documents_problem, mut documents_damaged) = (Vec::new(), None, 0);
        for handle in &self.shards {
            let shard = &handle.charge.shard;
            match shard.place.collection {
                CollectionKind::Records(kind) => kinds.push(shard.status(kind)),
                CollectionKind::Documents => {
                    documents_problem = shard.state.problem();
                    documents_damaged = shard.state.damage.count(CollectionKind::Documents);
                }
            }
        }
        IndexStatus { kinds, documents_problem, documents_damaged, refusal: None, nodes: Vec::new() }
    }

    fn clock(&self) -> &ChangeClock {
        &self.clock
    }
}

// === impl Handle ===

impl Handle {
    fn open(store: &Arc<StoreFolder>, collection: CollectionKind, tuning: Tuning, rule: CensusRule) -> Result<Self> {
        let OpenedShard { shard, journal } = Shard::open(store, store.place(collection), tuning, rule)?;
        let shard = Arc::new(shard);
        // each queued job takes at least one place; plus one for a checkpoint, one for the stop
        let (writer, inbox): (SyncSender<WriterCommand>, _) = sync_channel(QUEUE_POINTS + 2);
        let thread = Writer::new(Arc::clone(&shard), journal, inbox);
        let thread = thread::Builder::new().name(format!("index-{collection}")).spawn(|| thread.run());
        let thread = thread.map_err(at(&shard.place.engine()))?;
        let charge = Charge { shard, writer };
        Ok(Self { charge, places: Arc::new(Semaphore::new(QUEUE_POINTS)), thread: Some(thread) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // never full, see `EdgeIndex::write`; an error means that the writer has ended
        let _ = self.charge.writer.try_send(WriterCommand::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static, options: &EdgeOptions) -> Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_string()).spawn(work).map_err(at(&options.folder))
}
