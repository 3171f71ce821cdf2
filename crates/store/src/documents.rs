//! Documents: jobs and their results, events, feedback on both. The service itself is stateless: all data that outlives
//! a call is a record or a document.
//!
//! A document has a folder, a key (number or name), a text (JSON in its owner's layout) and tags for listing. Its
//! version counts its writes from 1; a conditional write succeeds only if the stored version is the expected one. A
//! single document is written whole or not at all; several documents of one call are not one transaction.
//!
//! In id order, the documents of a folder are contiguous, and numbered documents are sorted by number.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Damaged, IndexError, PointId, Result, pages::Pages};

/// Largest text of a document, in bytes; one engine message holds many such texts.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// Longest folder, name or tag, in bytes.
pub(crate) const MAX_LABEL_BYTES: usize = 256;
/// Most tags of a document.
pub(crate) const MAX_TAGS: usize = 32;
/// Most documents of a page.
pub const MAX_DOCUMENT_PAGE: usize = 1_000;

/// Key of a document within its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Position in a sequence; listed in numerical order.
    Number(u64),
    /// Name; the listing order is stable but arbitrary (by hash).
    Name(String),
}

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Folder.
    pub folder: String,
    /// Key within the folder.
    pub key: Key,
    /// Number of writes so far, from 1.
    pub version: u64,
    /// Tags for listing.
    pub tags: Vec<String>,
    /// Text.
    pub text: String,
}

/// A document to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentWrite {
    /// Folder.
    pub folder: String,
    /// Key within the folder.
    pub key: Key,
    /// Tags for listing.
    pub tags: Vec<String>,
    /// Text.
    pub text: String,
    /// Precondition of the write.
    pub expect: Expect,
}

/// Precondition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// None; the last writer wins.
    Any,
    /// No document is stored under this key.
    Absent,
    /// The stored version equals this one.
    Version(u64),
}

/// Outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentWritten {
    /// Stored.
    Stored {
        /// The new version.
        version: u64,
    },
    /// Not stored: the precondition failed.
    Conflict {
        /// Stored version; 0 if there is none.
        stored: u64,
    },
}

/// Query for a list; documents must meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentQuery {
    /// Only this folder; `None` for all folders.
    pub folder: Option<String>,
    /// Only documents with all of these tags.
    pub tags: Vec<String>,
}

/// One page of a list, in id order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentPage {
    /// Documents.
    pub documents: Vec<Document>,
    /// Documents that are stored but damaged, in no order.
    pub damaged: Vec<Damaged>,
    /// Documents on the page without a checksum, which were taken as they are.
    pub unchecked: u64,
    /// Id to pass as `after` for the next page; `None` on the last page.
    pub next: Option<PointId>,
}

/// A store of documents; every engine of records is also one.
pub trait Documents: Send + Sync + 'static {
    /// Reads documents of a folder, in the order of the keys; `None` for a missing document.
    ///
    /// # Errors
    /// [`IndexError::DocumentDamaged`] for the first one that is damaged.
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>>;

    /// Writes documents in order, each if its precondition holds. Documents reported as stored survive a kill of the
    /// process.
    ///
    /// # Errors
    /// [`IndexError::BadDocument`] before anything is written. After any other error, some documents may be stored.
    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>>;

    /// Stores documents unchanged, version included, each only if its version is higher than the stored one; used to
    /// copy stores. Returns the number stored; as durable as [`Documents::write_documents`].
    ///
    /// # Errors
    /// As [`Documents::write_documents`].
    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>>;

    /// Deletes documents of a folder permanently, whatever their version.
    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>>;

    /// Lists at most `limit` whole documents (1 to [`MAX_DOCUMENT_PAGE`]) with ids above `after`, in id order; see
    /// [`document_id`].
    fn list_documents(
        &self,
        query: DocumentQuery,
        after: Option<PointId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<DocumentPage>>;

    /// Counts the documents that meet a query.
    fn count_documents(&self, query: DocumentQuery) -> BoxFuture<'_, Result<u64>>;
}

/// Refuses the first of these damaged documents.
pub(crate) fn check_whole(damaged: &[Damaged]) -> Result<()> {
    match damaged.first() {
        None => Ok(()),
        Some(it) => Err(IndexError::DocumentDamaged { name: it.label(), reason: it.reason.clone() }),
    }
}

/// Id of a document: hash of the folder, then the number or the hash of the name, 64 bits each. In a folder of a
/// million names, two share an id with probability 3 in 10^8; the second is then refused with
/// [`IndexError::BadDocument`].
pub fn document_id(folder: &str, key: &Key) -> PointId {
    let low = match key {
        Key::Number(number) => *number,
        Key::Name(name) => hash(name),
    };
    PointId::from(Uuid::from_u64_pair(hash(folder), low))
}

fn hash(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Reads all documents that meet a query, page by page; only for folders known to be small.
///
/// # Errors
/// Errors of the store.
pub async fn all_documents(documents: &(impl Documents + ?Sized), query: DocumentQuery) -> Result<Vec<Document>> {
    let mut found = Vec::new();
    let mut pages = Pages::new(|after| documents.list_documents(query.clone(), after, MAX_DOCUMENT_PAGE));
    while let Some(page) = pages.next_page().await? {
        found.extend(page.documents);
    }
    Ok(found)
}

/// Deletes all documents of a folder.
///
/// # Errors
/// Errors of the store; calling again deletes the rest.
pub async fn remove_folder(documents: &(impl Documents + ?Sized), folder: &str) -> Result<()> {
    loop {
        let query = DocumentQuery { folder: Some(folder.to_string()), tags: Vec::new() };
        let page = documents.list_documents(query, None, MAX_DOCUMENT_PAGE).await?;
        let keys: Vec<Key> = page.documents.into_iter().map(|document| document.key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        documents.remove_documents(folder, &keys).await?;
    }
}

// === impl Key ===

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Self::Name(name.to_string())
    }
}

// === impl DocumentQuery ===

impl DocumentQuery {
    /// Query for all documents of a folder.
    pub fn folder(folder: impl Into<String>) -> Self {
        Self { folder: Some(folder.into()), tags: Vec::new() }
    }

    /// Adds a required tag.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }
}

// === impl Document ===

impl Document {
    /// Id of the document.
    pub fn id(&self) -> PointId {
        document_id(&self.folder, &self.key)
    }
}

// === impl DocumentWrite ===

impl From<Document> for DocumentWrite {
    fn from(document: Document) -> Self {
        let Document { folder, key, tags, text, .. } = document;
        Self { folder, key, tags, text, expect: Expect::Any }
    }
}

impl DocumentWrite {
    /// A write without tags.
    pub fn new(folder: impl Into<String>, key: impl Into<Key>, text: String, expect: Expect) -> Self {
        Self { folder: folder.into(), key: key.into(), tags: Vec::new(), text, expect }
    }

    /// Adds a tag.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Id of the document.
    pub fn id(&self) -> PointId {
        document_id(&self.folder, &self.key)
    }

    /// Checks lengths.
    ///
    /// # Errors
    /// [`IndexError::BadDocument`].
    pub fn check(&self) -> Result<()> {
        let fits = |label: &String| !label.is_empty() && label.len() <= MAX_LABEL_BYTES;
        let name = match &self.key {
            Key::Number(_) => true,
            Key::Name(name) => fits(name),
        };
        let labels = fits(&self.folder) && name && self.tags.iter().all(fits) && self.tags.len() <= MAX_TAGS;
        let reason = match (labels, self.text.len() <= MAX_DOCUMENT_BYTES) {
            (true, true) => return Ok(()),
            (false, _) => format!("文件夹、名称、标签须为 1 到 {MAX_LABEL_BYTES} 字节，标签至多 {MAX_TAGS} 个"),
            (true, false) => format!("正文 {} 字节，至多 {MAX_DOCUMENT_BYTES} 字节", self.text.len()),
        };
        Err(self.refused(reason))
    }

    /// Error for a document that cannot be written.
    pub(super) fn refused(&self, reason: String) -> IndexError {
        IndexError::BadDocument { folder: self.folder.clone(), key: self.key.to_string(), reason }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

// === impl Expect ===

impl Expect {
    /// Returns whether the precondition holds for the stored version; 0 means none is stored.
    pub(crate) fn met_by(self, stored: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => stored == 0,
            Self::Version(version) => stored == version && 0 < version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_folder_lie_in_order_and_together() {
        let id = |folder: &str, key: Key| document_id(folder, &key).uuid().as_u128();
        let numbers = [0, 1, 255, 256, u64::MAX].map(|number| id("jobs/a", Key::Number(number)));
        assert!(numbers.is_sorted_by(|one, next| one < next));
        let other = id("jobs/b", Key::Number(7));
        assert!(other < numbers[0] || numbers[4] < other);
        // stored documents depend on this value
        assert_eq!(document_id("jobs", &"a".into()).to_string(), "5d9a17cb-70b9-733a-ca97-8112ca1bbdca");
    }

    #[test]
    fn writes_that_do_not_fit_are_refused() {
        let check = |change: fn(&mut DocumentWrite), want: bool| {
            let mut write = DocumentWrite::new("jobs", "a", String::new(), Expect::Any);
            change(&mut write);
            assert_eq!(write.check().is_ok(), want, "{:?}", write.check());
        };
        check(|_| (), true);
        check(|write| write.text = "x".repeat(MAX_DOCUMENT_BYTES), true);
        check(|write| write.text = "x".repeat(MAX_DOCUMENT_BYTES + 1), false);
        check(|write| write.folder.clear(), false);
        check(|write| write.key = "".into(), false);
        check(|write| write.key = Key::Name("键".repeat(86)), false);
        check(|write| write.tags = vec!["x".into(); MAX_TAGS + 1], false);
        check(|write| write.tags = vec![String::new()], false);
    }

    #[test]
    fn what_a_writer_expects() {
        let check = |expect: Expect, met: [bool; 3]| assert_eq!([0, 1, 2].map(|stored| expect.met_by(stored)), met);
        check(Expect::Any, [true, true, true]);
        check(Expect::Absent, [true, false, false]);
        check(Expect::Version(1), [false, true, false]);
        check(Expect::Version(0), [false, false, false]);
    }
}
