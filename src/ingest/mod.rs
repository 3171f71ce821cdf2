//! The import path: check → compare with the store → embed the changes → write.
//!
//! A batch is idempotent: a record already stored with equal content is neither embedded nor written. The engine's
//! writer compares revisions, so two callers storing the same record at once cannot lose an update.

mod claim;
mod plan;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use crate::error::{Error, Result};
use claim::Claims;
use duijie_core::{
    domain::{Kind, Problem, Record, RecordName, Violation},
    text::{LexicalQuery, QueryText, SparseVector, TextPipeline, embedding_texts},
};
use duijie_embed::{Embed, EmbedError, EmbeddingTexts, Priority};
use duijie_store::{FieldSelection, Index, Point, Written};
use plan::{IngestPlan, plan};

/// Most records of one batch.
pub const MAX_BATCH: usize = 500;
/// Attempts for a record without a caller-given revision that other callers keep changing.
const ATTEMPTS: usize = 3;

/// Stores records.
#[derive(Clone)]
pub struct Ingest {
    text: Arc<TextPipeline>,
    embedder: Arc<dyn Embed>,
    index: Arc<dyn Index>,
    claims: Arc<Claims>,
    embedded: Arc<AtomicU64>,
}

/// Result for one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Name; `None` if the id was invalid.
    pub name: Option<RecordName>,
    /// What happened.
    pub outcome: UpsertOutcome,
    /// Revision stored now; 0 if nothing is stored.
    pub revision: u64,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum UpsertOutcome {
    /// Stored for the first time.
    Created,
    /// Stored over an older revision.
    Updated,
    /// Equal to the stored record; nothing was written.
    Unchanged,
    /// Not stored.
    Refused(Vec<Violation>),
}

/// A record to write.
struct Change {
    place: usize,
    record: Record,
    /// Stored vector, kept because the texts are equal.
    kept: Option<Vec<f32>>,
    /// Whether the caller gave no revision.
    unversioned: bool,
}

/// A record's terms and embedding texts.
struct Cut {
    sparse: SparseVector,
    query: LexicalQuery,
    texts: EmbeddingTexts,
}

// === impl Ingest ===

impl Ingest {
    /// An import path over these parts.
    pub fn new(text: Arc<TextPipeline>, embedder: Arc<dyn Embed>, index: Arc<dyn Index>) -> Self {
        Self { text, embedder, index, claims: Arc::default(), embedded: Arc::default() }
    }

    /// Number of records embedded since the start; unchanged texts are not embedded.
    pub fn embedded(&self) -> u64 {
        self.embedded.load(Ordering::Relaxed)
    }

    /// Stores a batch of at most [`MAX_BATCH`] records independently. On return, everything stored is durable. If two
    /// records have the same name, the later one is stored after the earlier one.
    ///
    /// # Errors
    /// Only for the whole batch: [`Error::Unavailable`] when the engine or the model fails. The batch can be sent
    /// again.
    pub async fn upsert(&self, batch: Vec<std::result::Result<Record, Vec<Violation>>>) -> Result<Vec<Stored>> {
        let mut results = vec![None; batch.len()];
        let mut waiting = Vec::with_capacity(batch.len());
        for (place, record) in batch.into_iter().enumerate() {
            match record.and_then(Record::checked) {
                Ok(record) => waiting.push((place, record)),
                Err(violations) => set(&mut results, place, refused(None, violations, 0)),
            }
        }
        let names = waiting.iter().map(|(_, record): &(usize, Record)| record.name()).collect();
        let _claim = self.claims.claim(names).await;
        while !waiting.is_empty() {
            let mut names = HashSet::new();
            let (wave, rest) = waiting.into_iter().partition(|(_, record)| names.insert(record.name()));
            self.upsert_wave(wave, &mut results).await?;
            waiting = rest;
        }
        results
            .into_iter()
            .map(|stored| stored.ok_or_else(|| Error::Internal("a record got no result".into())))
            .collect()
    }

    /// Stores records with distinct names.
    async fn upsert_wave(&self, wave: Vec<(usize, Record)>, results: &mut [Option<Stored>]) -> Result<()> {
        let mut waiting = wave;
        for attempt in 1..=ATTEMPTS {
            let changes = self.plan_wave(waiting, results).await?;
            waiting = Vec::new();
            for kind in Kind::ALL {
                let of_kind: Vec<&Change> = changes.iter().filter(|change| change.record.kind() == kind).collect();
                let (of_kind, points) = self.points(of_kind, results).await?;
                if points.is_empty() {
                    continue;
                }
                let written = self.index.upsert(kind, stamped(points)).await?;
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

    /// Compares records with the store; a record that needs no write gets its result at once.
    async fn plan_wave(&self, wave: Vec<(usize, Record)>, results: &mut [Option<Stored>]) -> Result<Vec<Change>> {
        let names: Vec<RecordName> = wave.iter().map(|(_, record)| record.name()).collect();
        let known = self.index.get(&names, FieldSelection::Everything).await?;
        let now = Timestamp::now();
        let mut changes = Vec::new();
        for (((place, record), name), known) in wave.into_iter().zip(names).zip(known) {
            let unversioned = record.revision == 0;
            match plan(record, known, now) {
                IngestPlan::Write { record, kept } => {
                    changes.push(Change { place, record: *record, kept, unversioned })
                }
                IngestPlan::Keep { revision } => {
                    set(results, place, Stored { name: Some(name), outcome: UpsertOutcome::Unchanged, revision });
                }
                IngestPlan::Refuse { problem, revision } => {
                    let violations = vec![Violation::new("common.revision", problem)];
                    set(results, place, refused(Some(name), violations, revision));
                }
            }
        }
        Ok(changes)
    }

    /// Makes terms and vectors for the changes; a record whose text the model cannot embed is refused.
    async fn points<'a>(
        &self,
        changes: Vec<&'a Change>,
        results: &mut [Option<Stored>],
    ) -> Result<(Vec<&'a Change>, Vec<Point>)> {
        let records: Vec<Record> = changes.iter().map(|change| change.record.clone()).collect();
        let pipeline = Arc::clone(&self.text);
        let cut = tokio::task::spawn_blocking(move || records.iter().map(|record| cut(&pipeline, record)).collect());
        let cut: Vec<Cut> = cut.await.map_err(|error| Error::Internal(error.to_string()))?;
        let new: Vec<&EmbeddingTexts> =
            changes.iter().zip(&cut).filter(|(change, _)| change.kept.is_none()).map(|(_, cut)| &cut.texts).collect();
        let mut vectors = self.vectors(&new).await?.into_iter();
        let mut points = (Vec::new(), Vec::new());
        for (change, cut) in changes.into_iter().zip(cut) {
            let dense = match &change.kept {
                Some(kept) => Some(kept.clone()),
                None => vectors.next().ok_or_else(|| Error::Internal("the model gave too few vectors".into()))?,
            };
            match dense {
                Some(dense) => {
                    let record = change.record.clone();
                    points.1.push(Point { record, dense, sparse: cut.sparse, query: cut.query });
                    points.0.push(change);
                }
                None => set(results, change.place, unreadable(change)),
            }
        }
        Ok(points)
    }

    /// Vectors of texts; `None` for a text that the model cannot embed. Such a text is rare and fails its whole call;
    /// only then are the texts tried one by one.
    async fn vectors(&self, texts: &[&EmbeddingTexts]) -> Result<Vec<Option<Vec<f32>>>> {
        let all: Vec<EmbeddingTexts> = texts.iter().map(|texts| (*texts).clone()).collect();
        let vectors = match self.embedder.record_vectors(&all, Priority::Bulk).await {
            Err(EmbedError::Blank { .. } | EmbedError::TooLong { .. }) => {
                let mut vectors = Vec::with_capacity(all.len());
                for texts in &all {
                    match self.embedder.record_vectors(std::slice::from_ref(texts), Priority::Bulk).await {
                        Err(EmbedError::Blank { .. } | EmbedError::TooLong { .. }) => vectors.push(None),
                        embedded => vectors.extend(embedded?.into_iter().map(Some)),
                    }
                }
                vectors
            }
            embedded => embedded?.into_iter().map(Some).collect(),
        };
        self.embedded.fetch_add(u64::try_from(all.len()).unwrap_or(0), Ordering::Relaxed);
        Ok(vectors)
    }

    /// Result of a write; `None` if another caller wrote first.
    fn written(&self, change: &Change, written: Written) -> Option<Stored> {
        let outcome = match written {
            Written::Created => UpsertOutcome::Created,
            Written::Updated => UpsertOutcome::Updated,
            Written::Stale { .. } => return None,
        };
        Some(Stored { name: Some(change.record.name()), outcome, revision: change.record.revision })
    }
}

/// Sets the times to the time of the write, not of the earlier comparison: embedding may take long in between, and a
/// search for changes since a given time must miss nothing.
fn stamped(mut points: Vec<Point>) -> Vec<Point> {
    let now = Some(Timestamp::now());
    for record in points.iter_mut().map(|point| &mut point.record) {
        if record.create_time == record.update_time {
            record.create_time = now;
        }
        record.update_time = now;
    }
    points
}

fn cut(pipeline: &TextPipeline, record: &Record) -> Cut {
    Cut {
        sparse: pipeline.document(record),
        query: pipeline.query(&QueryText::of(record)),
        texts: embedding_texts(record),
    }
}

/// The record's texts are empty for the model, or too long.
fn unreadable(change: &Change) -> Stored {
    let want = "text that is not blank and not written out beyond 48,000 tokens";
    let problem =
        Problem::Malformed { want, want_zh: "可读的文字（不能全是空白或展开后过长的字符）" };
    refused(Some(change.record.name()), vec![Violation::new("common.title", problem)], 0)
}

/// Another caller stored the same record during this write.
fn lost_race(change: &Change) -> Stored {
    let stored = change.record.revision;
    let violations = vec![Violation::new("common.revision", Problem::RevisionStale { stored })];
    refused(Some(change.record.name()), violations, stored)
}

fn refused(name: Option<RecordName>, violations: Vec<Violation>, revision: u64) -> Stored {
    Stored { name, outcome: UpsertOutcome::Refused(violations), revision }
}

fn set(results: &mut [Option<Stored>], place: usize, stored: Stored) {
    if let Some(slot) = results.get_mut(place) {
        *slot = Some(stored);
    }
}
