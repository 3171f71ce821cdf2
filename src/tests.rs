//! What the unit tests of the rooms stand on: an index in memory and an embedder without a model.

mod counting;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    ingest::{Ingest, UpsertOutcome},
    matching::{Matcher, Settings},
};
pub use counting::{Counting, Reads};
use duijie_core::{
    domain::{Detail, Kind, Record},
    rank::{Calibration, Fusion},
    text::TextPipeline,
};
use duijie_embed::BigramEmbedder;
use duijie_store::{ChangeClock, Index, MemoryIndex, STORE_FORMAT, StoreVersions, transfer};

/// Much more than the pairs of characters of a test's text.
const DIMENSIONS: usize = 512;

static TEXT: LazyLock<Arc<TextPipeline>> = LazyLock::new(|| Arc::new(TextPipeline::new(None).unwrap()));

/// The parts of a service without engine and model.
pub struct Twins {
    pub index: Arc<dyn Index>,
    /// The same index: what was read of it.
    pub reads: Counting,
    pub matcher: Matcher,
    pub ingest: Ingest,
}

impl Twins {
    pub fn new() -> Self {
        Self::with_clock(ChangeClock::default())
    }

    pub fn with_clock(clock: ChangeClock) -> Self {
        let reads = Counting::new(MemoryIndex::new(DIMENSIONS).with_clock(clock));
        let index: Arc<dyn Index> = Arc::new(reads.clone());
        let embedder = Arc::new(BigramEmbedder::new(DIMENSIONS));
        let matcher = Matcher::new(TEXT.clone(), embedder.clone(), index.clone(), settings());
        Self { ingest: Ingest::new(TEXT.clone(), embedder, index.clone()), matcher, index, reads }
    }

    /// The same store in another process, with another clock.
    pub async fn restarted(&self, clock: ChangeClock) -> Self {
        let after = Self::with_clock(clock);
        transfer::copy(&*self.index, &*after.index, |_| ()).await.unwrap();
        after
    }

    /// Stores records, all of them new or changed.
    pub async fn store(&self, records: impl IntoIterator<Item = Record>) {
        let stored = self.ingest.upsert(records.into_iter().map(Ok).collect()).await.unwrap();
        let written = |outcome: &UpsertOutcome| matches!(outcome, UpsertOutcome::Created | UpsertOutcome::Updated);
        assert!(stored.iter().all(|stored| written(&stored.outcome)), "{stored:?}");
    }
}

pub fn settings() -> Settings {
    Settings {
        candidates: 40,
        fusion: Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 },
        feedback: 5,
        calibration: Arc::new(Calibration::shipped().unwrap()),
    }
}

pub fn versions() -> StoreVersions {
    StoreVersions { format: STORE_FORMAT, text: "text".into(), model: "bigrams".into() }
}

/// A clock of a machine that can be set.
#[derive(Clone, Default)]
pub struct Wall(Arc<AtomicI64>);

impl Wall {
    /// A clock ahead of the real one by some seconds, which may be negative.
    pub fn set(&self, ahead: i64) {
        self.0.store(ahead, SeqCst);
    }

    pub fn clock(&self) -> ChangeClock {
        let ahead = Arc::clone(&self.0);
        ChangeClock::following(move || Timestamp::now() + SignedDuration::from_secs(ahead.load(SeqCst)))
    }
}

/// A record of the local source.
pub fn record(kind: Kind, id: &str, title: &str, body: &str) -> Record {
    Record { body: body.into(), ..Record::new("local", id, title, Detail::empty(kind)) }
}
