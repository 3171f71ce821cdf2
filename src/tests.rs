//! What the unit tests of the rooms stand on: an index in memory and an embedder without a model.

mod counting;

use std::sync::{Arc, LazyLock};

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
use duijie_store::{Index, MemoryIndex, STORE_FORMAT, StoreVersions};

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
        let reads = Counting::new(MemoryIndex::new(DIMENSIONS));
        let index: Arc<dyn Index> = Arc::new(reads.clone());
        let embedder = Arc::new(BigramEmbedder::new(DIMENSIONS));
        let matcher = Matcher::new(TEXT.clone(), embedder.clone(), index.clone(), settings());
        Self { ingest: Ingest::new(TEXT.clone(), embedder, index.clone()), matcher, index, reads }
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

/// A record of the local source.
pub fn record(kind: Kind, id: &str, title: &str, body: &str) -> Record {
    Record { body: body.into(), ..Record::new("local", id, title, Detail::empty(kind)) }
}
