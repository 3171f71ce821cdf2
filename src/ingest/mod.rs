//! The import path: check → compare with what is stored → embed what changed → write.
//!
//! A batch is idempotent: what is stored already with the same content is neither embedded nor written. The engine's
//! writer decides over revisions, so that two callers who store the same record at once cannot lose an update.

mod plan;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use crate::{
    domain::{Kind, Problem, Record, RecordName, Violation},
    embed::{Embedder, EmbeddingTexts, Priority},
    error::{Error, Result},
    index::{Index, Point, With, Written},
    text::{LexicalQuery, QueryText, SparseVector, TextPipeline, embedding_texts},
};
use plan::{Plan, plan};

/// Most records of one batch.
pub const MAX_BATCH: usize = 500;
/// Attempts for a record without a revision of its own that another caller keeps changing.
const ATTEMPTS: usize = 3;

/// Stores records.
#[derive(Clone)]
pub struct Ingest {
    text: Arc<TextPipeline>,
    embedder: Embedder,
    index: Arc<dyn Index>,
    embedded: Arc<AtomicU64>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its name; `None` where the id was not valid.
    pub name: Option<RecordName>,
    /// What happened.
    pub outcome: Outcome,
    /// Revision that is stored now; 0 where nothing is.
    pub revision: u64,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Stored for the first time.
    Created,
    /// Stored in place of an older revision.
    Updated,
    /// Equal to what is stored; nothing was written.
    Unchanged,
    /// Not stored.
    Refused(Vec<Violation>),
}

/// A record that will be written, and what is known of it.
struct Change {
    place: usize,
    record: Record,
    /// Vectors that can be kept because the texts are the same.
    kept: Option<Vec<f32>>,
    /// Whether the caller gave no revision.
    unversioned: bool,
}

/// A record cut into terms.
struct Cut {
    sparse: SparseVector,
    query: LexicalQuery,
    texts: EmbeddingTexts,
}

// === impl Ingest ===

impl Ingest {
    /// An import path over these parts.
    pub fn new(text: Arc<TextPipeline>, embedder: Embedder, index: Arc<dyn Index>) -> Self {
        Self { text, embedder, index, embedded: Arc::default() }
    }

    /// Records that were embedded since the start; the others were known.
    pub fn embedded(&self) -> u64 {
        self.embedded.load(Ordering::Relaxed)
    }

    /// Stores a batch of at most [`MAX_BATCH`] records, each for itself. When it returns, what was stored is durable.
    /// Where two records have one name, the later one is stored after the earlier one.
    ///
    /// # Errors
    /// Only for the whole batch: [`Error::Unavailable`] when engine or model fail. The batch can be sent again.
    pub async fn upsert(&self, batch: Vec<std::result::Result<Record, Vec<Violation>>>) -> Result<Vec<Stored>> {
        let mut results = vec![None; batch.len()];
        let mut waiting = Vec::with_capacity(batch.len());
        for (place, record) in batch.into_iter().enumerate() {
            match record.and_then(Record::checked) {
                Ok(record) => waiting.push((place, record)),
                Err(violations) => set(&mut results, place, refused(None, violations, 0)),
            }
        }
        while !waiting.is_empty() {
            let mut names = HashSet::new();
            let (wave, rest) = waiting.into_iter().partition(|(_, record)| names.insert(record.name()));
            self.upsert_wave(wave, &mut results).await?;
            waiting = rest;
        }
        results.into_iter().map(|stored| stored.ok_or_else(|| Error::Internal("a record got no result".into()))).collect()
    }

    /// Stores records whose names differ.
    async fn upsert_wave(&self, wave: Vec<(usize, Record)>, results: &mut [Option<Stored>]) -> Result<()> {
        let mut waiting = wave;
        for attempt in 1..=ATTEMPTS {
            let changes = self.plan_wave(waiting, results).await?;
            waiting = Vec::new();
            for kind in Kind::ALL {
                let (of_kind, _): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.record.kind() == kind);
                let points = self.points(&of_kind).await?;
                if points.is_empty() {
                    continue;
                }
                let written = self.index.upsert(kind, points).await?;
                for (change, written) in of_kind.into_iter().zip(written) {
                    let again = attempt < ATTEMPTS && change.unversioned;
                    match self.written(change, written) {
                        None if again => waiting.push((change.place, Record { revision: 0, ..change.record.clone() })),
                        None => set(results, change.place, lost_race(change)),
                        Some(stored) => set(results, change.place, stored),
                    }
                }
            }
            if waiting.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Compares records with what is stored; what needs no write gets its result at once.
    async fn plan_wave(&self, wave: Vec<(usize, Record)>, results: &mut [Option<Stored>]) -> Result<Vec<Change>> {
        let names: Vec<RecordName> = wave.iter().map(|(_, record)| record.name()).collect();
        let known = self.index.get(&names, With::Everything).await?;
        let now = Timestamp::now();
        let mut changes = Vec::new();
        for (((place, record), name), known) in wave.into_iter().zip(names).zip(known) {
            let unversioned = record.revision == 0;
            match plan(record, known, now) {
                Plan::Write { record, kept } => changes.push(Change { place, record: *record, kept, unversioned }),
                Plan::Keep { revision } => {
                    set(results, place, Stored { name: Some(name), outcome: Outcome::Unchanged, revision });
                }
                Plan::Refuse { problem, revision } => {
                    let violations = vec![Violation::new("common.revision", problem)];
                    set(results, place, refused(Some(name), violations, revision));
                }
            }
        }
        Ok(changes)
    }

    /// Cuts and embeds what changed.
    async fn points(&self, changes: &[&Change]) -> Result<Vec<Point>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let records: Vec<Record> = changes.iter().map(|change| change.record.clone()).collect();
        let (pipeline, to_cut) = (Arc::clone(&self.text), records.clone());
        let cut = tokio::task::spawn_blocking(move || to_cut.iter().map(|record| cut(&pipeline, record)).collect());
        let cut: Vec<Cut> = cut.await.map_err(|error| Error::Internal(error.to_string()))?;
        let new = || changes.iter().zip(&cut).filter(|(change, _)| change.kept.is_none());
        let texts: Vec<EmbeddingTexts> = new().map(|(_, cut)| cut.texts.clone()).collect();
        let mut vectors = self.embedder.record_vectors(&texts, Priority::Bulk).await?.into_iter();
        self.embedded.fetch_add(u64::try_from(texts.len()).unwrap_or(0), Ordering::Relaxed);
        let point = |((change, record), cut): ((&&Change, Record), Cut)| {
            let dense = change.kept.clone().or_else(|| vectors.next());
            let dense = dense.ok_or_else(|| Error::Internal("the model gave too few vectors".into()))?;
            Ok(Point { record, dense, sparse: cut.sparse, query: cut.query })
        };
        changes.iter().zip(records).zip(cut).map(point).collect()
    }

    /// Result of a write; `None` where another caller was faster.
    fn written(&self, change: &Change, written: Written) -> Option<Stored> {
        let outcome = match written {
            Written::Created => Outcome::Created,
            Written::Updated => Outcome::Updated,
            Written::Stale { .. } => return None,
        };
        Some(Stored { name: Some(change.record.name()), outcome, revision: change.record.revision })
    }
}

fn cut(pipeline: &TextPipeline, record: &Record) -> Cut {
    Cut {
        sparse: pipeline.document(record),
        query: pipeline.query(&QueryText::of(record)),
        texts: embedding_texts(record),
    }
}

/// Another caller stored the same record while this one was on its way.
fn lost_race(change: &Change) -> Stored {
    let stored = change.record.revision;
    let violations = vec![Violation::new("common.revision", Problem::RevisionStale { stored })];
    refused(Some(change.record.name()), violations, stored)
}

fn refused(name: Option<RecordName>, violations: Vec<Violation>, revision: u64) -> Stored {
    Stored { name, outcome: Outcome::Refused(violations), revision }
}

fn set(results: &mut [Option<Stored>], place: usize, stored: Stored) {
    if let Some(slot) = results.get_mut(place) {
        *slot = Some(stored);
    }
}
