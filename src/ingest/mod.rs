//! The import path: check → compare with the store → embed the changes → write.
//!
//! A batch is idempotent: a record already stored with equal content is neither embedded nor written, and its vectors
//! are not read. The engine's writer compares revisions, so two callers storing the same record at once cannot lose an
//! update.

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

use crate::{
    error::{Error, Result},
    identity::Scope,
};
use claim::Claims;
use duijie_core::{
    domain::{Kind, Problem, Record, RecordName, Violation, Violations, name::LOCAL_SOURCE},
    text::{LexicalQuery, QueryText, SparseVector, TextPipeline, embedding_texts},
};
use duijie_cpu::Lane;
use duijie_embed::{Embed, EmbedError, EmbeddingTexts, Priority};
use duijie_store::{FieldSelection, Index, Point, Written, records::whole};
use plan::{IngestPlan, may_keep_vector, plan};

/// Most records of one batch.
pub const MAX_BATCH: usize = 500;
/// Attempts for a record without a caller-given revision that other callers keep changing.
const ATTEMPTS: usize = 3;

/// Text that is cut into terms in one go: some milliseconds of work.
const PIECE_BYTES: usize = 64 << 10;

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
    Refused(Violations),
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

/// What becomes of a point's write.
struct Writing {
    place: usize,
    name: RecordName,
    revision: u64,
    /// The record as the caller gave it, to be tried again; `None` if the caller gave a revision.
    again: Option<Record>,
}

/// A record's terms and embedding texts.
struct Cut {
    sparse: SparseVector,
    query: LexicalQuery,
    /// `None` if the stored vector is kept.
    texts: Option<EmbeddingTexts>,
}

/// A record of a batch with its position, checked or refused.
type Checked = (usize, std::result::Result<Record, Violations>);

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
    pub async fn upsert(&self, batch: Vec<std::result::Result<Record, Violations>>) -> Result<Vec<Stored>> {
        self.upsert_within(batch, &Scope::default()).await
    }

    /// As [`Ingest::upsert`]; records out of a scope are refused, and so are those that would replace one out of it.
    ///
    /// # Errors
    /// As [`Ingest::upsert`].
    pub async fn upsert_within(
        &self,
        batch: Vec<std::result::Result<Record, Violations>>,
        scope: &Scope,
    ) -> Result<Vec<Stored>> {
        let mut results = vec![None; batch.len()];
        // first of all: claims are granted in the order of the calls
        let names = batch.iter().filter_map(|record| record.as_ref().ok()).map(name_of);
        // who may not write a record keeps nobody else from it
        let names = names.filter(|name| scope.has_source(&name.source)).collect();
        let _claim = self.claims.claim(names).await;
        let own = scope.clone();
        let check = move || -> Vec<Checked> {
            let within = |record: Record| own.refusal(&record).map_or(Ok(record), |violation| Err(violation.into()));
            let checked = batch.into_iter().map(|record| record.and_then(Record::checked).and_then(within));
            checked.enumerate().collect()
        };
        let checked = duijie_cpu::run(Lane::Bulk, check).await?;
        let mut waiting = Vec::with_capacity(checked.len());
        for (place, record) in checked {
            match record {
                Ok(record) => waiting.push((place, record)),
                Err(violations) => set(&mut results, place, refused(None, violations, 0)),
            }
        }
        while !waiting.is_empty() {
            let mut names = HashSet::new();
            let (wave, rest) =
                waiting.into_iter().partition(|(_, record): &(usize, Record)| names.insert(record.name()));
            self.upsert_wave(wave, scope, &mut results).await?;
            waiting = rest;
        }
        results
            .into_iter()
            .map(|stored| stored.ok_or_else(|| Error::Internal("a record got no result".into())))
            .collect()
    }

    /// Stores records with distinct names.
    async fn upsert_wave(
        &self,
        wave: Vec<(usize, Record)>,
        scope: &Scope,
        results: &mut [Option<Stored>],
    ) -> Result<()> {
        let mut waiting = wave;
        for attempt in 1..=ATTEMPTS {
            let mut changes = self.plan_wave(waiting, scope, results).await?;
            waiting = Vec::new();
            for kind in Kind::ALL {
                let of_kind: Vec<Change> = changes.extract_if(.., |change| change.record.kind() == kind).collect();
                let (writing, points) = self.points(of_kind, results).await?;
                if points.is_empty() {
                    continue;
                }
                let now = self.index.clock().now(&*self.index).await?;
                let written = self.index.upsert(kind, stamped(points, now)).await?;
                for (writing, written) in writing.into_iter().zip(written) {
                    let outcome = match written {
                        Written::Created => UpsertOutcome::Created,
                        Written::Updated => UpsertOutcome::Updated,
                        Written::Stale { .. } => {
                            match writing.again.filter(|_| attempt < ATTEMPTS) {
                                Some(record) => waiting.push((writing.place, record)),
                                None => set(results, writing.place, lost_race(writing.name, writing.revision)),
                            }
                            continue;
                        }
                    };
                    let Writing { place, name, revision, .. } = writing;
                    set(results, place, Stored { name: Some(name), outcome, revision });
                }
            }
            if waiting.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Compares records with the store; a record that needs no write gets its result at once.
    async fn plan_wave(
        &self,
        wave: Vec<(usize, Record)>,
        scope: &Scope,
        results: &mut [Option<Stored>],
    ) -> Result<Vec<Change>> {
        let names: Vec<RecordName> = wave.iter().map(|(_, record)| record.name()).collect();
        // a damaged record is written anew, as if there were none
        let known = whole(&*self.index, &names, FieldSelection::Payload).await?;
        let compare = move || {
            let keeps = |((_, record), known): (&(usize, Record), &Option<Point>)| {
                known.as_ref().is_some_and(|known| may_keep_vector(record, &known.record))
            };
            let keeping: Vec<bool> = wave.iter().zip(&known).map(keeps).collect();
            (wave, known, keeping)
        };
        let (wave, mut known, keeping) = duijie_cpu::run(Lane::Bulk, compare).await?;
        let kept = names.iter().zip(&keeping).filter(|(_, keep)| **keep).map(|(name, _)| name.clone());
        let kept: Vec<RecordName> = kept.collect();
        if !kept.is_empty() {
            // with their records: another instance may have written since, and a vector belongs to its text
            let mut points = whole(&*self.index, &kept, FieldSelection::Everything).await?.into_iter();
            for (known, _) in known.iter_mut().zip(keeping).filter(|(_, keep)| *keep) {
                // without its vector, where that is damaged: it is made again
                *known = points.next().flatten().or(known.take());
            }
        }
        // set again when it is written
        let now = Timestamp::now();
        let own = scope.clone();
        let plans = move || -> Vec<(usize, bool, IngestPlan)> {
            let both = wave.into_iter().zip(known);
            let plan_one = |record: Record, known: Option<Point>| match known.as_ref().map(|it| own.refusal(&it.record))
            {
                // nothing is told of a record that belongs to somebody else
                Some(Some(violation)) => IngestPlan::Refuse { violation, revision: 0 },
                _ => plan(record, known, now),
            };
            both.map(|((place, record), known)| (place, record.revision == 0, plan_one(record, known))).collect()
        };
        let mut changes = Vec::new();
        for ((place, unversioned, plan), name) in duijie_cpu::run(Lane::Bulk, plans).await?.into_iter().zip(names) {
            match plan {
                IngestPlan::Write { record, kept } => {
                    changes.push(Change { place, record: *record, kept, unversioned })
                }
                IngestPlan::Keep { revision } => {
                    set(results, place, Stored { name: Some(name), outcome: UpsertOutcome::Unchanged, revision });
                }
                IngestPlan::Refuse { violation, revision } => {
                    set(results, place, refused(Some(name), violation.into(), revision));
                }
            }
        }
        Ok(changes)
    }

    /// Makes terms and vectors for the changes; a record whose text the model cannot embed is refused.
    async fn points(&self, changes: Vec<Change>, results: &mut [Option<Stored>]) -> Result<(Vec<Writing>, Vec<Point>)> {
        if changes.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut cut = Vec::with_capacity(changes.len());
        for piece in pieces(changes) {
            let pipeline = Arc::clone(&self.text);
            let with_cut = move |change: Change| {
                let cut = self::cut(&pipeline, &change);
                (change, cut)
            };
            let work = move || -> Vec<(Change, Cut)> { piece.into_iter().map(with_cut).collect() };
            cut.extend(duijie_cpu::run(Lane::Bulk, work).await?);
        }
        let new: Vec<EmbeddingTexts> = cut.iter_mut().filter_map(|(_, cut)| cut.texts.take()).collect();
        let mut vectors = self.vectors(new).await?.into_iter();
        let (mut writing, mut points) = (Vec::with_capacity(cut.len()), Vec::with_capacity(cut.len()));
        for (Change { place, record, kept, unversioned }, Cut { sparse, query, .. }) in cut {
            let dense = match kept {
                Some(kept) => Some(kept),
                None => vectors.next().ok_or_else(|| Error::Internal("the model gave too few vectors".into()))?,
            };
            let name = record.name();
            match dense {
                Some(dense) => {
                    let again = unversioned.then(|| Record { revision: 0, ..record.clone() });
                    writing.push(Writing { place, name, revision: record.revision, again });
                    points.push(Point { record, dense, sparse, query });
                }
                None => set(results, place, unreadable(name)),
            }
        }
        Ok((writing, points))
    }

    /// Vectors of texts; `None` for a text that the model cannot embed. Such a text is rare and fails its whole call;
    /// only then are the texts tried one by one.
    async fn vectors(&self, all: Vec<EmbeddingTexts>) -> Result<Vec<Option<Vec<f32>>>> {
        if all.is_empty() {
            return Ok(Vec::new());
        }
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
}

/// The name that a record will have once it is checked.
fn name_of(record: &Record) -> RecordName {
    let name = record.name();
    if name.source.is_empty() { RecordName { source: LOCAL_SOURCE.to_string(), ..name } } else { name }
}

/// Sets the times to the time of the write, not of the earlier comparison: embedding may take long in between, and a
/// search for changes since a given time must miss nothing.
fn stamped(mut points: Vec<Point>, now: Timestamp) -> Vec<Point> {
    let now = Some(now);
    for record in points.iter_mut().map(|point| &mut point.record) {
        if record.create_time == record.update_time {
            record.create_time = now;
        }
        record.update_time = now;
    }
    points
}

/// The changes in pieces of about [`PIECE_BYTES`] of text, so that other calls have a turn in between.
fn pieces(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let (mut pieces, mut room) = (Vec::<Vec<Change>>::new(), 0);
    for change in changes {
        let bytes = change.record.title.len() + change.record.body.len();
        match pieces.last_mut() {
            Some(piece) if bytes <= room => {
                room -= bytes;
                piece.push(change);
            }
            _ => {
                room = PIECE_BYTES.saturating_sub(bytes);
                pieces.push(vec![change]);
            }
        }
    }
    pieces
}

fn cut(pipeline: &TextPipeline, Change { record, kept, .. }: &Change) -> Cut {
    Cut {
        sparse: pipeline.document(record),
        query: pipeline.query(&QueryText::of(record)),
        texts: kept.is_none().then(|| embedding_texts(record)),
    }
}

/// The record's texts are empty for the model, or too long.
fn unreadable(name: RecordName) -> Stored {
    let want = "text that is not blank and not written out beyond 48,000 tokens";
    let problem =
        Problem::Malformed { want, want_zh: "可读的文字（不能全是空白或展开后过长的字符）" };
    refused(Some(name), Violation::new("common.title", problem).into(), 0)
}

/// Another caller stored the same record during this write.
fn lost_race(name: RecordName, stored: u64) -> Stored {
    let violation = Violation::new("common.revision", Problem::RevisionStale { stored });
    refused(Some(name), violation.into(), stored)
}

fn refused(name: Option<RecordName>, violations: Violations, revision: u64) -> Stored {
    Stored { name, outcome: UpsertOutcome::Refused(violations), revision }
}

fn set(results: &mut [Option<Stored>], place: usize, stored: Stored) {
    if let Some(slot) = results.get_mut(place) {
        *slot = Some(stored);
    }
}
