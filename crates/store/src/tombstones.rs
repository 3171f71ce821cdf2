//! Tombstones: names of deleted records, kept for a while so that a later re-matching job knows about the deletions.
//!
//! Each engine writes the tombstone inside `Records::delete`, before it deletes; no caller can forget it.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use duijie_core::domain::{Kind, RecordName};

use crate::{
    Document, DocumentPage, DocumentQuery, DocumentWrite, Expect, FieldSelection, Index, IndexError, Key, PointId,
    Result,
    documents::{MAX_DOCUMENT_PAGE, document_id},
    pages::Pages,
};

/// Minimum time that a tombstone is kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Start of the folders of tombstones; the name is older than this room, and stores have it.
const FOLDER: &str = "rematch/deleted/";
/// Random bits of a key, to distinguish tombstones of the same millisecond.
const RANDOM_BITS: u32 = 20;

/// Writes a tombstone if the record is stored, and returns whether it is. Engines call this before they delete. A
/// tombstone of a record that still exists is harmless: the record is only checked once more.
///
/// # Errors
/// Errors of the store.
pub async fn write(index: &dyn Index, name: &RecordName) -> Result<bool> {
    match index.get(std::slice::from_ref(name), FieldSelection::Payload).await {
        Ok(stored) if stored.iter().all(Option::is_none) => return Ok(false),
        // a damaged record is there, and can be deleted
        Ok(_) | Err(IndexError::RecordDamaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let now = index.clock().now(index).await?;
    let key = Key::Number(number(now) | fastrand::u64(0..1 << RANDOM_BITS));
    let write = DocumentWrite { key, ..DocumentWrite::new(folder(name.kind), "", name.to_string(), Expect::Any) };
    index.write_documents(vec![write]).await?;
    Ok(true)
}

/// Names of records of a kind deleted at `time` or later; some may have been stored again since. `None` if there are
/// more than `max`.
///
/// # Errors
/// Errors of the store.
pub async fn since(index: &dyn Index, kind: Kind, time: Timestamp, max: usize) -> Result<Option<Vec<RecordName>>> {
    let folder = folder(kind);
    let before = document_id(&folder, &Key::Number(number(time).saturating_sub(1)));
    let mut names: Vec<RecordName> = Vec::new();
    let mut pages = Pages::after(Some(before), |after| list(index, &folder, after));
    while let Some(page) = pages.next_page().await? {
        names.extend(page.documents.iter().filter_map(|document| document.text.parse().ok()));
        if max < names.len() {
            return Ok(None);
        }
    }
    Ok(Some(names))
}

/// Removes tombstones older than twice [`KEPT`].
///
/// # Errors
/// Errors of the store.
pub async fn prune(index: &dyn Index, now: Timestamp) -> Result<()> {
    let Ok(oldest) = now.checked_sub(KEPT * 2) else { return Ok(()) };
    for kind in Kind::ALL {
        let folder = folder(kind);
        loop {
            let page = list(index, &folder, None).await?;
            let old = page.documents.into_iter().map(|document| document.key);
            let old: Vec<Key> = old.filter(|key| matches!(key, Key::Number(at) if *at < number(oldest))).collect();
            if old.is_empty() {
                break;
            }
            index.remove_documents(&folder, &old).await?;
        }
    }
    Ok(())
}

/// Moves a tombstone into the past.
pub(crate) fn age(tombstone: &mut Document, by: SignedDuration) {
    if let Key::Number(number) = &mut tombstone.key {
        let by = u64::try_from(by.as_millis()).unwrap_or(0) << RANDOM_BITS;
        *number = number.saturating_sub(by);
    }
}

/// Whether a document is a tombstone.
pub(crate) fn is_tombstone(document: &Document) -> bool {
    document.folder.starts_with(FOLDER)
}

/// Where a tombstone lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tombstone {
    /// Kind of the deleted record.
    pub kind: Kind,
    /// Key of the document.
    pub key: Key,
}

/// All tombstones by id.
pub(crate) async fn all(index: &dyn Index) -> Result<BTreeMap<PointId, Tombstone>> {
    let mut found = BTreeMap::new();
    for kind in Kind::ALL {
        let folder = folder(kind);
        let mut pages = Pages::new(|after| list(index, &folder, after));
        while let Some(page) = pages.next_page().await? {
            found.extend(
                page.documents.into_iter().map(|document| (document.id(), Tombstone { kind, key: document.key })),
            );
        }
    }
    Ok(found)
}

/// Removes these tombstones.
pub(crate) async fn remove(index: &dyn Index, tombstones: impl IntoIterator<Item = Tombstone>) -> Result<()> {
    let mut keys: BTreeMap<Kind, Vec<Key>> = BTreeMap::new();
    tombstones.into_iter().for_each(|it| keys.entry(it.kind).or_default().push(it.key));
    for (kind, keys) in keys {
        for keys in keys.chunks(MAX_DOCUMENT_PAGE) {
            index.remove_documents(&folder(kind), keys).await?;
        }
    }
    Ok(())
}

fn list<'a>(index: &'a dyn Index, folder: &str, after: Option<PointId>) -> BoxFuture<'a, Result<DocumentPage>> {
    index.list_documents(DocumentQuery::folder(folder), after, MAX_DOCUMENT_PAGE)
}

fn folder(kind: Kind) -> String {
    format!("{FOLDER}{}", kind.collection())
}

fn number(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0) << RANDOM_BITS
}
