//! Documents beside the records: jobs and their results, events, what was said of them. The service keeps no state of its
//! own: whatever outlives a call is a record or a document.
//!
//! A document lies in a folder under a number or a name, holds a text (JSON, by its owner's layout) and tags by which it is
//! listed. Its version counts its writes from 1, so that a writer can insist on being the one who saw it last. Each
//! document is written whole or not at all; several documents of one call are not one transaction.
//!
//! In the order of ids the documents of a folder lie together, those under numbers in the order of their numbers.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{IndexError, PointId, Result, pages::Pages};

/// Longest text of a document, in bytes: what a message of the engine takes many of.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// Longest folder, name or tag, in bytes.
pub const MAX_LABEL_BYTES: usize = 256;
/// Most tags of a document.
pub const MAX_TAGS: usize = 32;
/// Most documents of a page.
pub const MAX_DOCUMENT_PAGE: usize = 1_000;

/// What a document is called within its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// A place in a sequence: listed in its order.
    Number(u64),
    /// A name: listed in no order of use, but always the same one.
    Name(String),
}

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Folder.
    pub folder: String,
    /// Key within the folder.
    pub key: Key,
    /// Number of its writes, from 1.
    pub version: u64,
    /// Tags by which it is listed.
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
    /// Tags by which it is listed.
    pub tags: Vec<String>,
    /// Text.
    pub text: String,
    /// What must be there for the write to happen.
    pub expect: Expect,
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Whatever; who writes last wins.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentWritten {
    /// It is stored, as this version.
    Stored {
        /// Its version.
        version: u64,
    },
    /// It was left out: something else was there than was expected.
    Conflict {
        /// Version that is stored; 0 where there is none.
        stored: u64,
    },
}

/// Which documents to list: all that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentQuery {
    /// Those of this folder; of all folders where there is none.
    pub folder: Option<String>,
    /// Those that have each of these tags.
    pub tags: Vec<String>,
}

/// One page of a list, in the order of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentPage {
    /// Documents.
    pub documents: Vec<Document>,
    /// What to list after to get the next page; `None` on the last one.
    pub next: Option<PointId>,
}

/// A store of documents; every engine of records is one.
pub trait Documents: Send + Sync + 'static {
    /// Reads documents of a folder, in the order of the keys; `None` where there is none.
    fn read_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Document>>>>;

    /// Writes documents in order, each if it may be written. When it resolves, what is said to be stored survives a kill
    /// of the process.
    ///
    /// # Errors
    /// [`IndexError::BadDocument`] before anything is written. After another error it is not known which are stored.
    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>>;

    /// Stores documents as they are, version too, each only if its version is higher than the stored one: for copies of a
    /// store. Says how many were stored; durable as [`Documents::write_documents`] is.
    ///
    /// # Errors
    /// As [`Documents::write_documents`].
    fn restore_documents(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<u64>>;

    /// Removes documents of a folder for good, whatever their version.
    fn remove_documents(&self, folder: &str, keys: &[Key]) -> BoxFuture<'_, Result<()>>;

    /// Lists documents, at most `limit` (1 to [`MAX_DOCUMENT_PAGE`]) that come after `after` in the order of ids; see
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

/// Id of the document under a key of a folder: the folder's hash, then the number or the name's hash, 64 bits each. Two
/// names of a folder of a million share an id with a probability of 3 in 10^8; then the second is refused, see
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

/// All documents that meet a query, read page by page; for folders that are known to be small.
///
/// # Errors
/// Those of the store.
pub async fn all_documents(documents: &(impl Documents + ?Sized), query: DocumentQuery) -> Result<Vec<Document>> {
    let mut found = Vec::new();
    let mut pages = Pages::new(|after| documents.list_documents(query.clone(), after, MAX_DOCUMENT_PAGE));
    while let Some(page) = pages.next_page().await? {
        found.extend(page.documents);
    }
    Ok(found)
}

/// Removes a folder with all that is in it.
///
/// # Errors
/// Those of the store; what is left then is removed by the next call.
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
    /// All documents of a folder.
    pub fn folder(folder: impl Into<String>) -> Self {
        Self { folder: Some(folder.into()), tags: Vec::new() }
    }

    /// Those of them that have this tag.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }
}

// === impl Document ===

impl Document {
    /// Its id.
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

    /// The same with a tag.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Its id.
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

    /// Says why it cannot be written.
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
    /// Whether a write may happen where this version is stored, 0 for none.
    pub fn met_by(self, stored: u64) -> bool {
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
