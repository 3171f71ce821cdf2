//! Records that were deleted: noted before the deletion, so that a later job knows what is gone.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{Kind, RecordName},
    error::Result,
    index::{
        DocumentQuery, DocumentWrite, Expect, Index, Key,
        documents::{MAX_DOCUMENT_PAGE, document_id},
    },
};

/// How long a note is kept. A job whose base is older matches everything.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Bits of a key that tell notes of one millisecond apart.
const RANDOM_BITS: u32 = 20;

/// Deletes a record for good and notes it. Says whether there was one.
///
/// # Errors
/// Those of the store; a note of a record that is still there does no harm.
pub async fn delete(index: &dyn Index, name: &RecordName) -> Result<bool> {
    let there = index.get(std::slice::from_ref(name), crate::index::With::Payload).await?;
    if there.iter().all(Option::is_none) {
        return Ok(false);
    }
    let key = Key::Number(number(Timestamp::now()) | fastrand::u64(0..1 << RANDOM_BITS));
    let write = DocumentWrite { key, ..DocumentWrite::new(folder(name.kind), "", name.to_string(), Expect::Any) };
    index.write_documents(vec![write]).await?;
    Ok(index.delete(name).await?)
}

/// Records of a kind that were deleted at a time or later; they may be there again. `None` where they are more than
/// `most`.
pub(super) async fn since(
    index: &dyn Index,
    kind: Kind,
    time: Timestamp,
    most: usize,
) -> Result<Option<Vec<RecordName>>> {
    let folder = folder(kind);
    let mut after = Some(document_id(&folder, &Key::Number(number(time).saturating_sub(1))));
    let mut names: Vec<RecordName> = Vec::new();
    loop {
        let query = DocumentQuery::folder(&folder);
        let page = index.list_documents(query, after, MAX_DOCUMENT_PAGE).await?;
        names.extend(page.documents.iter().filter_map(|document| document.text.parse().ok()));
        if most < names.len() {
            return Ok(None);
        }
        if page.next.is_none() {
            return Ok(Some(names));
        }
        after = page.next;
    }
}

/// Throws away notes that are older than they are kept.
pub(super) async fn prune(index: &dyn Index, now: Timestamp) -> Result<()> {
    let Ok(oldest) = now.checked_sub(KEPT * 2) else { return Ok(()) };
    for kind in Kind::ALL {
        let folder = folder(kind);
        loop {
            let page = index.list_documents(DocumentQuery::folder(&folder), None, MAX_DOCUMENT_PAGE).await?;
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

fn folder(kind: Kind) -> String {
    format!("rematch/deleted/{}", kind.collection())
}

fn number(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0) << RANDOM_BITS
}
