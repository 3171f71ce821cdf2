//! Layout of events in the store's documents.
//!
//! | Folder | Documents |
//! | --- | --- |
//! | `events` | one per event, under its id: the event with a pointer to its current plan |
//! | `events/{id}/participants` | one per participant, under its record's name |
//! | `events/{id}/edits` | one: all staff decisions |
//! | `events/{id}/plan/{number}-{hash}` | the immutable parts of a plan, its head first; equal plans have equal parts |
//! | `events/{id}/outcomes` | one per pair |
//!
//! All but the first carry the tag of their event, which is used to delete them.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    pieces::{Head, Piece, cut, joined},
    stored::{PlanForm, PlanPointer, StoredEvent},
};
use crate::{
    error::{Error, Result},
    events::model::{Edits, EventError, Outcome, Pair, Participant, Plan},
};
use duijie_core::domain::RecordName;
use duijie_cpu::Lane;
use duijie_store::{
    Document, DocumentQuery, DocumentWrite, DocumentWritten, Expect, Index, Key, PointId,
    documents::{MAX_DOCUMENT_PAGE, all_documents, document_id},
    pages::{Paged, Pages},
};

/// Folder of the events.
const EVENTS: &str = "events";
/// Tag of every outcome.
const OUTCOME: &str = "outcome";
/// Documents per write; bounds the message size, as a participant has at most 20 KB.
const WRITE: usize = 200;
/// Parts of a plan per read and per write: of those that were stored as one text, each has 1 MB.
const PARTS: usize = 16;
/// Documents per page when searching for documents to remove; parts of plans have 1 MB.
const REMOVE_PAGE: usize = 16;

/// Reads and writes events.
#[derive(Clone)]
pub(super) struct Store {
    index: Arc<dyn Index>,
}

/// One page of a list.
pub(super) struct Listed<T> {
    /// Listed entries.
    pub items: Vec<T>,
    /// Position after which the next page starts.
    pub next: Option<PointId>,
}

// === impl Listed ===

impl<T> Paged for Listed<T> {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}

// === impl Store ===

impl Store {
    pub fn new(index: Arc<dyn Index>) -> Self {
        Self { index }
    }

    pub fn index(&self) -> &dyn Index {
        &*self.index
    }

    fn documents(&self) -> &dyn Index {
        &*self.index
    }

    /// Returns an event, or `EventError::NotFound`.
    pub async fn event(&self, id: &str) -> Result<StoredEvent> {
        let found = self.find_event(id).await?;
        found.ok_or_else(|| EventError::NotFound(id.to_string()).into())
    }

    /// Returns an event, if there is one.
    pub async fn find_event(&self, id: &str) -> Result<Option<StoredEvent>> {
        let found = self.documents().read_documents(EVENTS, &[id.into()]).await?;
        found.into_iter().flatten().next().map(stored_event).transpose()
    }

    /// Returns a page of events.
    pub async fn events(&self, after: Option<PointId>, limit: usize) -> Result<Listed<StoredEvent>> {
        let page = self.documents().list_documents(DocumentQuery::folder(EVENTS), after, limit).await?;
        let items = page.documents.into_iter().map(stored_event).collect::<Result<_>>()?;
        Ok(Listed { items, next: page.next })
    }

    /// Writes an event if its version is unchanged; version 0 means that it must not exist.
    pub async fn write_event(&self, mut stored: StoredEvent) -> Result<StoredEvent> {
        let expect = if stored.version == 0 { Expect::Absent } else { Expect::Version(stored.version) };
        let write = DocumentWrite::new(EVENTS, stored.event.id.as_str(), json(&stored)?, expect);
        match self.documents().write_documents(vec![write]).await?.first() {
            Some(DocumentWritten::Stored { version }) => {
                stored.version = *version;
                Ok(stored)
            }
            Some(DocumentWritten::Conflict { .. }) if stored.version == 0 => {
                Err(EventError::Exists(stored.event.id).into())
            }
            Some(DocumentWritten::Conflict { stored: 0 }) => Err(EventError::NotFound(stored.event.id).into()),
            Some(DocumentWritten::Conflict { stored }) => Err(EventError::Stale { current: stored.to_string() }.into()),
            None => Err(Error::Internal("a write has no answer".into())),
        }
    }

    /// Removes an event and then all its data.
    pub async fn remove_event(&self, id: &str) -> Result<()> {
        self.documents().remove_documents(EVENTS, &[id.into()]).await?;
        self.remove_tagged(id, |_| true).await
    }

    /// Returns all participants, ordered by record.
    pub async fn participants(&self, id: &str) -> Result<Vec<Participant>> {
        let found = all_documents(self.documents(), DocumentQuery::folder(participants(id))).await?;
        let mut all: Vec<Participant> = read_all(found).await?;
        all.sort_by(|one, other| one.record.cmp(&other.record));
        Ok(all)
    }

    /// Returns the participants among these records, ordered by record.
    pub async fn participants_of(&self, id: &str, records: &BTreeSet<RecordName>) -> Result<Vec<Participant>> {
        let keys: Vec<Key> = records.iter().map(|record| Key::Name(record.to_string())).collect();
        read_all(self.named(&participants(id), &keys).await?).await
    }

    /// Returns the outcomes of these pairs.
    pub async fn outcomes_of(&self, id: &str, pairs: &[Pair]) -> Result<Vec<Outcome>> {
        let keys: Vec<Key> = pairs.iter().map(|pair| Key::Name(pair.key())).collect();
        read_all(self.named(&outcomes(id), &keys).await?).await
    }

    /// Reads documents by name; missing ones are left out.
    async fn named(&self, folder: &str, keys: &[Key]) -> Result<Vec<Document>> {
        let mut all = Vec::with_capacity(keys.len());
        for some in keys.chunks(MAX_DOCUMENT_PAGE) {
            all.extend(self.documents().read_documents(folder, some).await?.into_iter().flatten());
        }
        Ok(all)
    }

    /// Writes participants unconditionally.
    pub async fn write_participants(&self, id: &str, all: &[Participant]) -> Result<()> {
        for some in all.chunks(WRITE) {
            let write = |it: &Participant| {
                let write =
                    DocumentWrite::new(participants(id), it.record.to_string().as_str(), json(it)?, Expect::Any);
                Ok(write.tagged(tag(id)))
            };
            self.documents().write_documents(some.iter().map(write).collect::<Result<_>>()?).await?;
        }
        Ok(())
    }

    /// Removes participants.
    pub async fn remove_participants(&self, id: &str, records: &[RecordName]) -> Result<()> {
        let keys: Vec<Key> = records.iter().map(|record| Key::Name(record.to_string())).collect();
        for some in keys.chunks(WRITE) {
            self.documents().remove_documents(&participants(id), some).await?;
        }
        Ok(())
    }

    /// Returns all staff decisions.
    pub async fn edits(&self, id: &str) -> Result<Edits> {
        let found = self.documents().read_documents(&edits(id), &[Key::Number(0)]).await?;
        found.iter().flatten().next().map_or_else(|| Ok(Edits::default()), read)
    }

    /// Writes all staff decisions unconditionally.
    pub async fn write_edits(&self, id: &str, all: &Edits) -> Result<()> {
        let write = DocumentWrite::new(edits(id), 0, json(all)?, Expect::Any).tagged(tag(id));
        self.documents().write_documents(vec![write]).await?;
        Ok(())
    }

    /// Returns the plan that an event points to.
    pub async fn plan(&self, pointer: &PlanPointer) -> Result<Plan> {
        match self.head(pointer).await? {
            (head, Some(pieces)) => Ok(joined(head, pieces)),
            (head, None) => {
                let pieces = self.pieces(pointer, &head, 0..head.pieces.len()).await?;
                Ok(joined(head, pieces))
            }
        }
    }

    /// Returns the head of a plan. For a plan that was stored as one text, also its pieces.
    pub async fn head(&self, pointer: &PlanPointer) -> Result<(Head, Option<Vec<Piece>>)> {
        let folder = pointer.folder.clone();
        let parts = match pointer.form {
            PlanForm::Pieces => 0..1,
            PlanForm::Whole => 0..pointer.parts,
        };
        let (texts, form, wanted) = (self.parts(&folder, parts).await?, pointer.form, pointer.hash.clone());
        // a whole plan takes tens of milliseconds
        let read = move || -> Result<(Head, Option<Vec<Piece>>)> {
            let text = texts.concat();
            if hash(&text) != wanted {
                return Err(Error::Internal(format!("the parts of plan {folder} do not fit together")));
            }
            let unreadable = |error| unreadable(&folder, &error);
            match form {
                PlanForm::Pieces => Ok((serde_json::from_str(&text).map_err(unreadable)?, None)),
                PlanForm::Whole => {
                    let plan = serde_json::from_str(&text).map_err(unreadable)?;
                    let (head, pieces) = cut(&plan).map_err(unreadable)?;
                    Ok((head, Some(pieces)))
                }
            }
        };
        duijie_cpu::run(Lane::Interactive, read).await?
    }

    /// Returns some pieces of a plan.
    pub async fn pieces(&self, pointer: &PlanPointer, head: &Head, range: Range<usize>) -> Result<Vec<Piece>> {
        let contents = head.pieces.get(range.clone()).unwrap_or_default();
        let hashes: Vec<String> = contents.iter().map(|it| it.hash.clone()).collect();
        let folder = pointer.folder.clone();
        // the head is part 0
        let texts = self.parts(&folder, range.start as u64 + 1..range.end as u64 + 1).await?;
        let read = move || -> Result<Vec<Piece>> {
            let pieces = texts.iter().zip(&hashes).map(|(text, wanted)| {
                if hash(text) != *wanted {
                    return Err(Error::Internal(format!("a piece of plan {folder} does not fit its head")));
                }
                serde_json::from_str(text).map_err(|error| unreadable(&folder, &error))
            });
            pieces.collect()
        };
        duijie_cpu::run(Lane::Interactive, read).await?
    }

    async fn parts(&self, folder: &str, parts: Range<u64>) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let keys: Vec<Key> = parts.map(Key::Number).collect();
        for some in keys.chunks(PARTS) {
            let found = self.documents().read_documents(folder, some).await?;
            let gone = || Error::Internal(format!("a part of plan {folder} is gone"));
            for document in found {
                texts.push(document.ok_or_else(gone)?.text);
            }
        }
        Ok(texts)
    }

    /// Writes a plan beside the current one.
    pub async fn write_plan(&self, id: &str, plan: &Plan) -> Result<PlanPointer> {
        let owned = plan.clone();
        let (texts, hash) = duijie_cpu::run(Lane::Bulk, move || written(&owned)).await??;
        let folder = format!("{EVENTS}/{id}/plan/{}-{}", plan.number, hash.get(..16).unwrap_or_default());
        let parts = texts.len() as u64;
        let write = |(part, text)| {
            let write = DocumentWrite::new(folder.as_str(), Key::Number(part), text, Expect::Any);
            write.tagged(tag(id)).tagged(plan_tag(id))
        };
        let mut writes = (0..).zip(texts).map(write);
        loop {
            let some: Vec<DocumentWrite> = writes.by_ref().take(PARTS).collect();
            if some.is_empty() {
                break;
            }
            self.documents().write_documents(some).await?;
        }
        drop(writes);
        Ok(PlanPointer::new(plan, folder, parts, hash))
    }

    /// Removes all plans of an event except `keep`: the current one, and the previous one, which may still be read.
    pub async fn clear_plans(&self, id: &str, keep: &[&PlanPointer]) -> Result<()> {
        let gone = |document: &Document| keep.iter().all(|plan| plan.folder != document.folder);
        self.remove(DocumentQuery { folder: None, tags: vec![plan_tag(id)] }, gone).await
    }

    /// Returns the outcome of a pair with its version; 0 if there is none.
    pub async fn outcome(&self, id: &str, pair: &Pair) -> Result<(Option<Outcome>, u64)> {
        let found = self.documents().read_documents(&outcomes(id), &[Key::Name(pair.key())]).await?;
        let Some(document) = found.into_iter().flatten().next() else { return Ok((None, 0)) };
        Ok((Some(read(&document)?), document.version))
    }

    /// Writes an outcome if the stored version is this one; returns whether it was written.
    pub async fn write_outcome(&self, outcome: &Outcome, version: u64) -> Result<bool> {
        let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
        let id = &outcome.event;
        let write = DocumentWrite::new(outcomes(id), outcome.pair.key().as_str(), json(outcome)?, expect);
        let write = write.tagged(tag(id)).tagged(OUTCOME);
        let written = self.documents().write_documents(vec![write]).await?;
        Ok(matches!(written.as_slice(), [DocumentWritten::Stored { .. }]))
    }

    /// Returns a page of outcomes of one event or of all events.
    pub async fn outcomes(&self, id: Option<&str>, after: Option<PointId>, limit: usize) -> Result<Listed<Outcome>> {
        let query = match id {
            Some(id) => DocumentQuery::folder(outcomes(id)),
            None => DocumentQuery { folder: None, tags: vec![OUTCOME.to_string()] },
        };
        let page = self.documents().list_documents(query, after, limit).await?;
        Ok(Listed { items: read_all(page.documents).await?, next: page.next })
    }

    /// Calls `take` with each outcome, reading page by page.
    pub async fn each_outcome(&self, id: Option<&str>, mut take: impl FnMut(Outcome)) -> Result<()> {
        let mut pages = Pages::new(|after| self.outcomes(id, after, MAX_DOCUMENT_PAGE));
        while let Some(page) = pages.next_page().await? {
            page.items.into_iter().for_each(&mut take);
        }
        Ok(())
    }

    /// Returns the number of outcomes of an event.
    pub async fn count_outcomes(&self, id: &str) -> Result<u64> {
        Ok(self.documents().count_documents(DocumentQuery::folder(outcomes(id))).await?)
    }

    async fn remove_tagged(&self, id: &str, gone: impl Fn(&Document) -> bool) -> Result<()> {
        self.remove(DocumentQuery { folder: None, tags: vec![tag(id)] }, gone).await
    }

    async fn remove(&self, query: DocumentQuery, gone: impl Fn(&Document) -> bool) -> Result<()> {
        let mut pages = Pages::new(|after| self.documents().list_documents(query.clone(), after, REMOVE_PAGE));
        while let Some(page) = pages.next_page().await? {
            for document in page.documents.iter().filter(|document| gone(document)) {
                self.documents().remove_documents(&document.folder, std::slice::from_ref(&document.key)).await?;
            }
        }
        Ok(())
    }
}

fn participants(id: &str) -> String {
    format!("{EVENTS}/{id}/participants")
}

fn edits(id: &str) -> String {
    format!("{EVENTS}/{id}/edits")
}

fn outcomes(id: &str) -> String {
    format!("{EVENTS}/{id}/outcomes")
}

/// Position of an event in the list of all events.
pub(super) fn event_place(id: &str) -> PointId {
    document_id(EVENTS, &id.into())
}

/// Position of an outcome in a list of outcomes.
pub(super) fn outcome_place(outcome: &Outcome) -> PointId {
    document_id(&outcomes(&outcome.event), &Key::Name(outcome.pair.key()))
}

fn tag(id: &str) -> String {
    format!("event/{id}")
}

fn plan_tag(id: &str) -> String {
    format!("event-plan/{id}")
}

/// Returns the hash of a text.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the texts of a plan, the head's first, and the hash of the head.
fn written(plan: &Plan) -> Result<(Vec<String>, String)> {
    let (mut head, pieces) = cut(plan).map_err(|error| Error::Internal(format!("cannot write JSON: {error}")))?;
    let mut texts = vec![String::new()];
    for (contents, piece) in head.pieces.iter_mut().zip(&pieces) {
        let text = json(piece)?;
        contents.hash = hash(&text);
        texts.push(text);
    }
    let text = json(&head)?;
    let hash = hash(&text);
    if let Some(first) = texts.first_mut() {
        *first = text;
    }
    Ok((texts, hash))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Internal(format!("cannot write JSON: {error}")))
}

fn read<T: DeserializeOwned>(document: &Document) -> Result<T> {
    serde_json::from_str(&document.text).map_err(|error| unreadable(&document.folder, &error))
}

/// Reads documents outside the async threads: an event has thousands.
async fn read_all<T: DeserializeOwned + Send + 'static>(documents: Vec<Document>) -> Result<Vec<T>> {
    duijie_cpu::run(Lane::Interactive, move || documents.iter().map(read).collect()).await?
}

fn stored_event(document: Document) -> Result<StoredEvent> {
    let stored: StoredEvent = read(&document)?;
    Ok(StoredEvent { version: document.version, ..stored })
}

fn unreadable(folder: &str, error: &serde_json::Error) -> Error {
    Error::Internal(format!("a document in {folder} cannot be read: {error}"))
}
