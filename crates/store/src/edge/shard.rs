//! One shard, of records or documents: the engine's shard with its journal replayed, and its cached state.

use std::{
    collections::HashSet,
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard, RwLock};
use qdrant_edge::{EdgeConfig, EdgeShard, OperationResult};

use super::{
    apply::{OPERATION_POINTS, SETTLED_POINTS, apply, operations, update},
    census::{Census, CensusDifference, CensusRule, CensusState},
    convert,
    disk::Disk,
    guard::guarded,
    journal::{Journal, JournalChanges, Replayed},
    options::Tuning,
    repair,
    store::{ShardPlace, StoreFolder, at},
    wal,
};
use crate::{CollectionKind, IndexError, KindStatus, PointId, Result, damage::DamageLog};
use duijie_core::domain::Kind;

/// A shard with its state. Only the writer writes, flushes and loads; any thread reads.
pub(super) struct Shard {
    /// Location of its files.
    pub(super) place: ShardPlace,
    /// Tuning.
    pub(super) tuning: Tuning,
    /// Held while optimising, flushing or loading: these three exclude each other.
    maintenance: Mutex<()>,
    /// `None` only after a failed load.
    engine: RwLock<Option<EdgeShard>>,
    /// Shared by counts and pages, exclusive while points that are there already are replaced or deleted. The engine
    /// goes from segment to segment: a point that moves meanwhile is counted twice, and a page of which a point is
    /// deleted meanwhile says that it is the last one. Always taken before `engine`.
    settled: RwLock<()>,
    config: EdgeConfig,
    /// Cached state.
    pub(super) state: ShardState,
    census: Mutex<CensusState>,
    /// Keeps the folder locked until the last thread using it has ended.
    store: Arc<StoreFolder>,
}

/// Cached state of a shard, known without asking the engine.
#[derive(Debug)]
pub(super) struct ShardState {
    /// Points stored.
    pub(super) points: AtomicU64,
    /// Points written or deleted since the optimiser last ran.
    pub(super) changed: AtomicU64,
    /// Whether the optimiser runs.
    pub(super) optimizing: AtomicBool,
    /// Whether the engine's state is unreliable until the shard is reloaded.
    pub(super) suspect: AtomicBool,
    /// Damaged rows that reads met.
    pub(super) damage: DamageLog,
    indexed: AtomicU64,
    segments: AtomicU64,
    last_write: Mutex<Instant>,
    problem: Mutex<Option<String>>,
}

/// A shard with its journal, which belongs to the writer.
pub(super) struct OpenedShard {
    pub(super) shard: Shard,
    pub(super) journal: Journal,
}

// === impl Shard ===

impl Shard {
    /// Loads or creates the shard at `place`, and replays the journal.
    pub(super) fn open(
        store: &Arc<StoreFolder>,
        place: ShardPlace,
        tuning: Tuning,
        rule: CensusRule,
    ) -> Result<OpenedShard> {
        let config = match place.collection {
            CollectionKind::Records(_) => convert::config(store.shape.dimensions, &tuning),
            CollectionKind::Documents => convert::documents_config(),
        };
        let engine = place.engine();
        let segments = place.segments();
        let has_segments = fs::read_dir(&segments).is_ok_and(|mut entries| entries.next().is_some());
        if store.has(place.collection) && !has_segments {
            return Err(place.damaged("没有数据段"));
        }
        fs::create_dir_all(&engine).map_err(at(&engine))?;
        let mut journal = place.open_journal(store.has(place.collection))?;
        store.disk.check_load(journal.bytes())?;
        let state = ShardState::default();
        let path = place.census();
        // holds only where nothing was written since
        let before = if journal.bytes() == 0 { Census::read(&path) } else { None };
        let loaded = load(&place, &config, &mut journal)?;
        let counted = guarded(|| Census::take(&loaded)).map_err(|reason| place.damaged(reason));
        let census = counted.and_then(|now| {
            let difference = before.filter(|before| *before != now);
            let difference = difference.map(|before| CensusDifference { before: before.count, now: now.count });
            match difference {
                Some(CensusDifference { before, now }) if rule == CensusRule::Compare => {
                    Err(place.counted_otherwise(before, now))
                }
                difference => Ok(CensusState { now, difference }),
            }
        });
        let census = match census {
            Ok(census) => census,
            Err(error) => {
                discard(&place, Some(loaded));
                return Err(error);
            }
        };
        let shard = Self {
            census: Mutex::new(census),
            place,
            tuning,
            maintenance: Mutex::new(()),
            engine: RwLock::new(Some(loaded)),
            settled: RwLock::new(()),
            config,
            state,
            store: Arc::clone(store),
        };
        shard.look();
        shard.count_points();
        // without it the next start compares nothing
        if let Err(error) = shard.write_census() {
            tracing::warn!(%error, "the census was not written");
        }
        // what a former process left unfinished is looked at after the first rest
        shard.state.changed.store(1, Relaxed);
        Ok(OpenedShard { shard, journal })
    }

    /// Asks the engine something that it answers from all segments as they are at one moment: a count, or a page. Waits
    /// while points are replaced or deleted.
    pub(super) fn read_settled<T>(&self, ask: impl FnOnce(&EdgeShard) -> OperationResult<T>) -> Result<T> {
        let _settled = self.settled.read();
        self.read(ask)
    }

    /// Refuses to work on a shard that is not loaded.
    pub(super) fn check_loaded(&self) -> Result<()> {
        self.read(|_| Ok(()))
    }

    /// Asks the engine something. Several may do so at a time.
    pub(super) fn read<T>(&self, ask: impl FnOnce(&EdgeShard) -> OperationResult<T>) -> Result<T> {
        let engine = self.engine.read();
        let Some(engine) = engine.as_ref() else { return Err(self.failed("the shard is not loaded")) };
        guarded(|| ask(engine)).map_err(|reason| self.failed(reason))
    }

    /// Writes changes into the engine; they are not on disk yet. `there` are the points among them that it has.
    pub(super) fn apply(&self, changes: JournalChanges, there: &HashSet<PointId>) -> Result<()> {
        let (old, new): (JournalChanges, JournalChanges) = changes.into_iter().partition(|(id, _)| there.contains(id));
        for operation in operations(old, SETTLED_POINTS) {
            let _settled = self.settled.write();
            self.read(|engine| update(engine, operation))?;
        }
        operations(new, OPERATION_POINTS).try_for_each(|operation| self.read(|engine| update(engine, operation)))
    }

    /// Waits until no other thread optimises, flushes or loads.
    pub(super) fn maintain(&self) -> MutexGuard<'_, ()> {
        self.maintenance.lock()
    }

    /// As [`Shard::maintain`], but returns `None` instead of waiting.
    pub(super) fn try_maintain(&self) -> Option<MutexGuard<'_, ()>> {
        self.maintenance.try_lock()
    }

    /// Flushes everything to disk and empties the journal. Only the writer may call it, under [`Shard::maintain`]: the
    /// engine panics if another thread writes or optimises meanwhile.
    pub(super) fn checkpoint(&self, journal: &mut Journal) -> Result<()> {
        let engine = self.engine.read();
        let Some(engine) = engine.as_ref() else { return Err(self.failed("the shard is not loaded")) };
        self.disk().check_flush(journal.bytes())?;
        flush(engine).map_err(|reason| self.failed(reason))?;
        self.disk().look(&self.place);
        self.write_census()?;
        finish(&self.place, journal)
    }

    /// The disk under the store.
    pub(super) fn disk(&self) -> &Disk {
        &self.store.disk
    }

    /// Discards the engine's state and reloads it from disk with the journal replayed. Only the writer may call it,
    /// under [`Shard::maintain`]. Reads wait meanwhile.
    pub(super) fn reload(&self, journal: &mut Journal) -> Result<()> {
        // without room for it, what is loaded goes on serving reads
        self.disk().check_flush(journal.bytes())?;
        let mut engine = self.engine.write();
        // stays set if loading fails: the next write tries again
        self.state.suspect.store(true, Relaxed);
        let old = engine.take();
        discard(&self.place, old);
        *journal = self.place.open_journal(true)?;
        *engine = Some(load(&self.place, &self.config, journal)?);
        drop(engine);
        // a journal that failed may hold more or less than was counted
        let now = self.read(Census::take)?;
        self.census.lock().now = now;
        self.write_census()?;
        self.state.suspect.store(false, Relaxed);
        self.look();
        self.count_points();
        Ok(())
    }

    /// Closes the engine; `journal_bytes` are in the journal.
    pub(super) fn close(&self, journal_bytes: u64) {
        let engine = self.engine.write().take();
        // with an empty journal everything is flushed already
        let room = if journal_bytes == 0 { Ok(()) } else { self.disk().check_flush(journal_bytes) };
        match room {
            Ok(()) => discard(&self.place, engine),
            Err(error) => {
                // dropping it would write; the journal has the changes
                tracing::warn!(collection = %self.place.collection, %error, "a shard was left without a flush");
                std::mem::forget(engine);
            }
        }
    }

    /// Notes in the census what the journal has: `there` are the points that the engine had before.
    pub(super) fn note_changes(&self, changes: &JournalChanges, there: &HashSet<PointId>) {
        let census = &mut self.census.lock().now;
        for (id, row) in changes {
            match (there.contains(id), row.is_some()) {
                (false, true) => census.add(*id),
                (true, false) => census.remove(*id),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// How the points differ from those of the last checkpoint.
    pub(super) fn census_difference(&self) -> Option<CensusDifference> {
        self.census.lock().difference
    }

    /// Takes the points that there are for right.
    pub(super) fn accept_census(&self) -> Result<()> {
        self.census.lock().difference = None;
        self.write_census()
    }

    fn write_census(&self) -> Result<()> {
        let CensusState { now, difference } = *self.census.lock();
        let path = self.place.census();
        if difference.is_some() { Ok(()) } else { now.write(&path).map_err(at(&path)) }
    }

    /// Takes the number of points from the engine. Only while nobody writes: from then on the writer counts.
    fn count_points(&self) {
        let Ok(info) = self.read(|engine| Ok(engine.info())) else { return };
        self.state.points.store(info.points_count as u64, Relaxed);
    }

    /// Looks at the engine's own numbers.
    pub(super) fn look(&self) {
        let Ok(info) = self.read(|engine| Ok(engine.info())) else { return };
        self.disk().look(&self.place);
        let points = info.points_count as u64;
        self.state.segments.store(info.segments_count as u64, Relaxed);
        // the engine's count includes the sparse vectors, all of which are indexed
        let indexed = (info.indexed_vectors_count as u64).saturating_sub(points);
        self.state.indexed.store(indexed.min(points), Relaxed);
    }

    /// Error for a failed engine operation.
    pub(super) fn failed(&self, reason: impl ToString) -> IndexError {
        IndexError::Engine { collection: self.place.collection, reason: reason.to_string() }
    }

    /// Public status of a record shard.
    pub(super) fn status(&self, kind: Kind) -> KindStatus {
        KindStatus {
            kind,
            points: self.state.points.load(Relaxed),
            indexed: self.state.indexed.load(Relaxed),
            damaged: self.state.damage.count(self.place.collection),
            segments: self.state.segments.load(Relaxed),
            optimizing: self.state.optimizing.load(Relaxed),
            problem: self.state.problem(),
        }
    }
}

// === impl ShardState ===

impl Default for ShardState {
    fn default() -> Self {
        Self {
            points: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            optimizing: AtomicBool::new(false),
            suspect: AtomicBool::new(false),
            damage: DamageLog::default(),
            indexed: AtomicU64::new(0),
            segments: AtomicU64::new(0),
            last_write: Mutex::new(Instant::now()),
            problem: Mutex::new(None),
        }
    }
}

impl ShardState {
    /// Records a write of `changed` points that leaves `points` in total.
    pub(super) fn wrote(&self, changed: u64, points: u64) {
        self.changed.fetch_add(changed, Relaxed);
        self.points.store(points, Relaxed);
        *self.last_write.lock() = Instant::now();
    }

    /// Time of the last write.
    pub(super) fn last_write(&self) -> Instant {
        *self.last_write.lock()
    }

    /// Current problem; `None` when healthy.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }

    /// Sets or clears the problem.
    pub(super) fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock() = problem;
    }
}

/// Loads the engine, replays the journal, repairs leftovers of a cut-off optimiser, and flushes everything to disk.
fn load(place: &ShardPlace, config: &EdgeConfig, journal: &mut Journal) -> Result<EdgeShard> {
    let folder = place.engine();
    let log = folder.join("wal");
    wal::renew(&log).map_err(at(&log))?;
    // unfinished work of the optimiser; nothing refers to it
    let unfinished = folder.join("temp_segments");
    let removed = if unfinished.is_dir() { fs::remove_dir_all(&unfinished) } else { fs::remove_file(&unfinished) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&unfinished)(error)),
        Ok(()) | Err(_) => {}
    }
    let load = || {
        let engine = EdgeShard::load(&folder, Some(config.clone()))?;
        for index in convert::create_indexes(place.collection) {
            engine.update(index)?;
        }
        Ok(engine)
    };
    let engine = guarded(load).map_err(|reason| place.damaged(reason))?;
    match recover(place, &engine, journal) {
        Ok(()) => Ok(engine),
        Err(error) => {
            discard(place, Some(engine));
            Err(error)
        }
    }
}

/// Restores a loaded engine to the acknowledged state, on disk.
fn recover(place: &ShardPlace, engine: &EdgeShard, journal: &mut Journal) -> Result<()> {
    let replayed = 0 < journal.bytes();
    if replayed {
        let replay = |changes| guarded(|| apply(engine, changes)).map_err(io::Error::other);
        match journal.replay(replay).map_err(|error| place.damaged(error))? {
            Replayed::Whole { torn_bytes } => {
                let bytes = journal.bytes();
                tracing::info!(collection = %place.collection, bytes, torn_bytes, "journal replayed");
            }
            Replayed::Damaged { offset } => {
                let (collection, path) = (place.collection, place.journal());
                return Err(IndexError::JournalDamaged { collection, path, offset });
            }
        }
    }
    let cut_off = place.is_optimizing();
    if cut_off {
        let repaired = guarded(|| repair::remove_doubles(engine)).map_err(|reason| place.damaged(reason))?;
        tracing::info!(collection = %place.collection, repaired, "optimisation was cut off");
    }
    if replayed || cut_off {
        flush(engine).map_err(|reason| place.damaged(reason))?;
        // with an empty journal it would hold again
        let path = place.census();
        Census::remove_file(&path).map_err(at(&path))?;
        finish(place, journal)?;
    }
    Ok(())
}

/// Flushes the engine to disk; the engine panics on failure.
fn flush(engine: &EdgeShard) -> std::result::Result<(), String> {
    guarded(|| {
        engine.flush();
        Ok(())
    })
}

/// Drops an engine. Dropping flushes, which may fail; the journal covers that.
fn discard(place: &ShardPlace, engine: Option<EdgeShard>) {
    let dropped = guarded(|| {
        drop(engine);
        Ok(())
    });
    if let Err(reason) = dropped {
        tracing::warn!(collection = %place.collection, reason, "a shard was dropped without a flush");
    }
}

/// Empties the journal and removes the optimiser's mark after a flush.
fn finish(place: &ShardPlace, journal: &mut Journal) -> Result<()> {
    let path = place.journal();
    journal.clear().map_err(at(&path))?;
    place.unmark_optimizing()
}
