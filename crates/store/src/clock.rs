//! The times of changes. Watching and incremental jobs ask for what has changed since a time; a clock that steps back must
//! not make them miss anything.
//!
//! A time here is the machine's clock, but never earlier than what an instance on the store has given out before. Within a
//! process it follows the monotonic clock, so a step back of the machine's clock does nothing; a step forward is followed.
//! Across restarts and instances it follows a document that holds the latest time. Each instance compares itself with it
//! every 5 s while it gives out times. (After the physical part of a hybrid logical clock: Kulkarni et al.,
//! "Logical Physical Clocks", 2014.)
//!
//! A clock that once ran ahead therefore stays ahead: times of changes then lie in the future by as much, and what
//! compares them with each other stays right.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::{Document, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Expect, IndexError, Key, Result};

/// Time between two comparisons with the document.
const SYNC_EVERY: Duration = Duration::from_secs(5);
/// How far the machine's clock may be behind before that is logged.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);
const FOLDER: &str = "clock";
const KEY: &str = "latest";

/// Clock of an instance; its store is passed with each call.
#[derive(Clone)]
pub struct ChangeClock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    state: Arc<Mutex<Option<State>>>,
}

/// What an instance knows of the time.
#[derive(Debug)]
struct State {
    /// A time, and the instant at which it was.
    base: Timestamp,
    at: Instant,
    /// When the document was last compared with.
    synced: Instant,
    /// No instance gives out an earlier time any more.
    settled: Timestamp,
    /// Times in the document, each with the instant from which it counts as settled.
    coming: VecDeque<(Instant, Timestamp)>,
}

// === impl ChangeClock ===

impl Default for ChangeClock {
    fn default() -> Self {
        Self::following(Timestamp::now)
    }
}

impl fmt::Debug for ChangeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeClock").field("state", &self.state).finish_non_exhaustive()
    }
}

impl ChangeClock {
    /// A clock that follows another one than the machine's, for tests.
    pub fn following(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(wall), state: Arc::default() }
    }

    /// The time of a change that is written next.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn now(&self, store: &(impl Documents + ?Sized)) -> Result<Timestamp> {
        let mut state = self.state.lock().await;
        let state = self.synced(&mut state, store).await?;
        Ok(state.read((self.wall)()))
    }

    /// A time that no later change is before, whichever instance writes it: at most about 10 s ago while times
    /// are given out. A change becomes visible a moment after its time, so a reader goes back further. Where nothing can be
    /// written any more, such as on a full disk, what was settled before still is: in a process that has just begun, what
    /// an earlier one left.
    ///
    /// # Errors
    /// Errors of the store where it cannot be read either.
    pub async fn settled(&self, store: &(impl Documents + ?Sized)) -> Result<Timestamp> {
        let mut state = self.state.lock().await;
        let failed = self.synced(&mut state, store).await.err();
        match (state.as_mut(), failed) {
            (Some(state), _) => Ok(state.settle(Instant::now())),
            (None, Some(_)) => Ok(stored(store).await?.time.unwrap_or_else(|| (self.wall)())),
            (None, None) => Err(IndexError::Closed),
        }
    }

    async fn synced<'a>(
        &self,
        state: &'a mut Option<State>,
        store: &(impl Documents + ?Sized),
    ) -> Result<&'a mut State> {
        let wall = (self.wall)();
        let before = match state {
            Some(state) if state.synced.elapsed() < SYNC_EVERY => None,
            Some(state) => Some(state.read(wall)),
            None => Some(wall),
        };
        if let Some(own) = before {
            let synced = Instant::now();
            let Latest { before, now } = latest(store, own).await?;
            let state = state.get_or_insert_with(|| State::new(now, before.unwrap_or(now)));
            state.sync(now, synced);
            if TOLERATED < now.duration_since(wall) {
                tracing::warn!(machine = %wall, store = %now, "the machine's clock is behind the times in the store");
            }
        }
        Ok(state.get_or_insert_with(|| State::new(wall, wall)))
    }
}

// === impl State ===

impl State {
    fn new(now: Timestamp, settled: Timestamp) -> Self {
        let at = Instant::now();
        Self { base: now, at, synced: at, settled, coming: VecDeque::new() }
    }

    /// The time; never goes back.
    fn read(&mut self, wall: Timestamp) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.at.elapsed()).unwrap_or(SignedDuration::ZERO);
        let own = self.base.checked_add(elapsed).unwrap_or(self.base);
        if own < wall {
            (self.base, self.at) = (wall, Instant::now());
        }
        own.max(wall)
    }

    /// Takes over the time in the document, as it was compared with at `synced`.
    fn sync(&mut self, latest: Timestamp, synced: Instant) {
        if self.base < latest {
            (self.base, self.at) = (latest, Instant::now());
        }
        self.synced = synced;
        // by then every other instance that gives out times has seen it, too
        self.coming.push_back((Instant::now() + SYNC_EVERY, latest));
        self.settle(Instant::now());
    }

    fn settle(&mut self, now: Instant) -> Timestamp {
        while let Some((_, time)) = self.coming.pop_front_if(|(from, _)| *from <= now) {
            self.settled = self.settled.max(time);
        }
        self.settled
    }
}

/// The time in the document.
struct Latest {
    before: Option<Timestamp>,
    now: Timestamp,
}

/// The document as it is stored.
struct Stored {
    time: Option<Timestamp>,
    /// What a write has to expect.
    expect: Expect,
}

async fn stored(store: &(impl Documents + ?Sized)) -> Result<Stored> {
    let document = store.read_documents(FOLDER, &[Key::from(KEY)]).await?.into_iter().next().flatten();
    let time = document.as_ref().and_then(|document| document.text.parse().ok());
    Ok(Stored { time, expect: document.map_or(Expect::Absent, |document| Expect::Version(document.version)) })
}

/// Brings the document to `own` or later.
async fn latest(store: &(impl Documents + ?Sized), own: Timestamp) -> Result<Latest> {
    loop {
        let Stored { time: before, expect } = stored(store).await?;
        if let Some(now) = before.filter(|before| own <= *before) {
            return Ok(Latest { before, now });
        }
        let write = DocumentWrite::new(FOLDER, KEY, own.to_string(), expect);
        let written = store.write_documents(vec![write]).await?;
        // another instance may have been faster
        if written.iter().all(|written| matches!(written, DocumentWritten::Stored { .. })) {
            return Ok(Latest { before, now: own });
        }
    }
}

/// Number of documents of the clock: none until a time was given out, then one.
pub(crate) async fn count(store: &(impl Documents + ?Sized)) -> Result<u64> {
    store.count_documents(DocumentQuery::folder(FOLDER)).await
}

/// Sets the target's clock to the latest time of the source, if it is behind.
pub(crate) async fn copy(source: &(impl Documents + ?Sized), target: &(impl Documents + ?Sized)) -> Result<()> {
    match stored(source).await?.time {
        Some(time) => latest(target, time).await.map(drop),
        None => Ok(()),
    }
}

/// Whether a document is the clock's.
pub(crate) fn is_clock(document: &Document) -> bool {
    document.folder == FOLDER
}

/// Moves the clock's document into the past.
pub(crate) fn age(document: &mut Document, by: SignedDuration) {
    let aged = document.text.parse::<Timestamp>().ok().and_then(|time| time.checked_sub(by).ok());
    if let Some(time) = aged {
        document.text = time.to_string();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use futures::future::{BoxFuture, FutureExt, ready};

    use super::*;
    use crate::{DocumentPage, MemoryIndex, PointId};

    /// A store that takes no more documents.
    struct Full(MemoryIndex);

    impl Documents for Full {
        fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>> {
            self.0.read_documents(folder, keys)
        }

        fn write_documents(&self, _: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
            ready(Err(IndexError::Busy)).boxed()
        }

        fn restore_documents(&self, _: Vec<Document>) -> BoxFuture<'_, Result<u64>> {
            ready(Err(IndexError::Busy)).boxed()
        }

        fn remove_documents(&self, _: &str, _: &[Key]) -> BoxFuture<'_, Result<()>> {
            ready(Err(IndexError::Busy)).boxed()
        }

        fn list_documents(
            &self,
            query: DocumentQuery,
            after: Option<PointId>,
            limit: usize,
        ) -> BoxFuture<'_, Result<DocumentPage>> {
            self.0.list_documents(query, after, limit)
        }

        fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>> {
            self.0.count_documents(query)
        }
    }

    /// A clock of a machine that can be set.
    #[derive(Clone, Default)]
    struct Wall(Arc<AtomicI64>);

    impl Wall {
        fn at(second: i64) -> Self {
            Self(Arc::new(AtomicI64::new(second)))
        }

        fn clock(&self) -> ChangeClock {
            let second = Arc::clone(&self.0);
            ChangeClock::following(move || Timestamp::from_second(second.load(SeqCst)).unwrap())
        }
    }

    async fn second(clock: &ChangeClock, store: &MemoryIndex) -> i64 {
        clock.now(store).await.unwrap().as_second()
    }

    #[tokio::test]
    async fn a_step_back_changes_nothing_and_a_step_forward_is_followed() {
        let (store, wall) = (MemoryIndex::new(4), Wall::at(10_000));
        let clock = wall.clock();
        assert_eq!(second(&clock, &store).await, 10_000);
        wall.0.store(6_000, SeqCst);
        assert!((10_000..10_060).contains(&second(&clock, &store).await));
        wall.0.store(20_000, SeqCst);
        assert!((20_000..20_060).contains(&second(&clock, &store).await));
    }

    #[tokio::test]
    async fn a_restart_with_a_clock_set_back_goes_on_at_the_latest_time() {
        let store = MemoryIndex::new(4);
        assert_eq!(second(&Wall::at(10_000).clock(), &store).await, 10_000);
        let after = Wall::at(6_000).clock();
        assert!((10_000..10_060).contains(&second(&after, &store).await));
        // what an earlier process may have given out is settled at once
        assert_eq!(after.settled(&store).await.unwrap().as_second(), 10_000);
    }

    #[tokio::test]
    async fn an_instance_follows_another_one_when_it_looks_again() {
        let (store, behind) = (MemoryIndex::new(4), Wall::at(6_000).clock());
        assert_eq!(second(&behind, &store).await, 6_000);
        let ahead = Wall::at(10_000).clock();
        assert_eq!(second(&ahead, &store).await, 10_000);
        // until the other one has looked again, its time is not settled for the one that is ahead
        assert_eq!(ahead.settled(&store).await.unwrap().as_second(), 6_000);
        if let Some(state) = &mut *behind.state.lock().await {
            state.synced = state.synced.checked_sub(SYNC_EVERY).unwrap();
        }
        assert!((10_000..10_060).contains(&second(&behind, &store).await));
        if let Some(state) = &mut *ahead.state.lock().await {
            state.coming.iter_mut().for_each(|(from, _)| *from = Instant::now());
        }
        assert_eq!(ahead.settled(&store).await.unwrap().as_second(), 10_000);
    }

    #[tokio::test]
    async fn what_was_settled_stays_so_where_nothing_can_be_written() {
        let clock = Wall::at(10_000).clock();
        let full = Full(MemoryIndex::new(4));
        let settled = clock.settled(&full.0).await.unwrap();
        if let Some(state) = &mut *clock.state.lock().await {
            state.synced = state.synced.checked_sub(SYNC_EVERY).unwrap();
        }
        assert_eq!(clock.settled(&full).await.unwrap(), settled);
        // the time of a change is another matter
        assert!(clock.now(&full).await.is_err());
    }

    #[tokio::test]
    async fn a_process_that_begins_where_nothing_can_be_written_goes_on_from_the_last_one() {
        let full = Full(MemoryIndex::new(4));
        // a store in which nothing was ever changed
        assert_eq!(Wall::at(5_000).clock().settled(&full).await.unwrap().as_second(), 5_000);
        assert_eq!(second(&Wall::at(10_000).clock(), &full.0).await, 10_000);
        for wall in [6_000, 20_000] {
            let clock = Wall::at(wall).clock();
            assert_eq!(clock.settled(&full).await.unwrap().as_second(), 10_000);
            // and as usual once there is room
            assert!(10_000 <= clock.now(&full.0).await.unwrap().as_second());
            assert_eq!(clock.settled(&full.0).await.unwrap().as_second(), 10_000);
            age_to(&full.0, 10_000).await;
        }
    }

    async fn age_to(store: &MemoryIndex, second: i64) {
        let time = Timestamp::from_second(second).unwrap().to_string();
        store.write_documents(vec![DocumentWrite::new(FOLDER, KEY, time, Expect::Any)]).await.unwrap();
    }

    #[tokio::test]
    async fn instances_that_begin_together_agree() {
        let store = MemoryIndex::new(4);
        let (one, other) = (Wall::at(5_000).clock(), Wall::at(5_100).clock());
        let (first, second) = tokio::join!(one.now(&store), other.now(&store));
        assert!(Timestamp::from_second(5_000).unwrap() <= first.unwrap());
        // the document has the later one; what each has counted since is its own until the next comparison
        let latest = Timestamp::from_second(5_100).unwrap();
        assert!(latest <= second.unwrap());
        assert!(latest <= Wall::at(0).clock().now(&store).await.unwrap());
    }

    #[tokio::test]
    async fn a_damaged_document_is_replaced() {
        let store = MemoryIndex::new(4);
        let damaged = DocumentWrite::new(FOLDER, KEY, "noon".into(), Expect::Any);
        store.write_documents(vec![damaged]).await.unwrap();
        assert_eq!(second(&Wall::at(10_000).clock(), &store).await, 10_000);
        assert_eq!(second(&Wall::at(0).clock(), &store).await, 10_000);
    }
}
