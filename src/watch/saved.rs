//! Subscriptions stored under an id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Subscription, Watcher};
use crate::error::{Error, Result};
use duijie_core::domain::{Problem, Violation};
use duijie_store::{DocumentQuery, DocumentWrite, Expect, Key, pages::Pages};

/// Folder of the stored subscriptions.
const FOLDER: &str = "watch/subscriptions";
/// Most stored subscriptions.
pub const MAX_SAVED: usize = 1_000;
/// Subscriptions read at a time for their ids; one has up to 100 KB.
const READ: usize = 100;

/// A stored subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Id.
    pub id: String,
    /// The subscription.
    pub subscription: Subscription,
    /// When it was last saved.
    pub update_time: Timestamp,
}

/// A page of stored subscriptions, ordered by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SavedPage {
    /// Subscriptions.
    pub saved: Vec<Saved>,
    /// Id after which to continue; `None` on the last page.
    pub next: Option<String>,
}

// === impl Watcher ===

impl Watcher {
    /// Stores a subscription under a checked id, replacing any earlier one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when [`MAX_SAVED`] others are stored; the store's errors.
    pub async fn save(&self, id: String, subscription: Subscription, now: Timestamp) -> Result<Saved> {
        let key = Key::Name(id.clone());
        let known = self.index.read_documents(FOLDER, std::slice::from_ref(&key)).await?;
        let count = self.index.count_documents(DocumentQuery::folder(FOLDER)).await?;
        if known.iter().flatten().next().is_none() && u64::try_from(MAX_SAVED).unwrap_or(u64::MAX) <= count {
            return Err(Violation::new("id", Problem::TooMany { max: MAX_SAVED }).into());
        }
        let saved = Saved { id, subscription, update_time: now };
        let text = serde_json::to_string(&saved).map_err(|error| Error::Internal(error.to_string()))?;
        self.index.write_documents(vec![DocumentWrite::new(FOLDER, key, text, Expect::Any)]).await?;
        Ok(saved)
    }

    /// Reads a subscription; `None` if there is none.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn saved(&self, id: &str) -> Result<Option<Saved>> {
        let found = self.index.read_documents(FOLDER, &[Key::from(id)]).await?;
        found.into_iter().next().flatten().map(|document| read(&document.text)).transpose()
    }

    /// A page of the subscriptions with ids above `after`, ordered by id, at most `limit`.
    ///
    /// # Errors
    /// The store's errors.
    pub(crate) async fn page_of_saved(&self, after: Option<&str>, limit: usize) -> Result<SavedPage> {
        // the store lists by hash: all ids first, then only the texts of the page
        let mut ids = Vec::new();
        let query = DocumentQuery::folder(FOLDER);
        let mut pages = Pages::new(|after| self.index.list_documents(query.clone(), after, READ));
        while let Some(page) = pages.next_page().await? {
            ids.extend(page.documents.into_iter().map(|document| document.key.to_string()));
        }
        ids.retain(|id| after.is_none_or(|after| after < id.as_str()));
        ids.sort_unstable();
        let more = limit < ids.len();
        ids.truncate(limit);
        let next = ids.last().filter(|_| more).cloned();
        let keys: Vec<Key> = ids.into_iter().map(Key::Name).collect();
        let found = self.index.read_documents(FOLDER, &keys).await?;
        // one that was deleted in between is left out
        let saved = found.iter().flatten().map(|document| read(&document.text)).collect::<Result<_>>()?;
        Ok(SavedPage { saved, next })
    }

    /// Deletes a subscription; returns whether it existed.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn forget(&self, id: &str) -> Result<bool> {
        let key = Key::from(id);
        let known = self.index.read_documents(FOLDER, std::slice::from_ref(&key)).await?;
        self.index.remove_documents(FOLDER, &[key]).await?;
        Ok(known.iter().flatten().next().is_some())
    }
}

fn read(text: &str) -> Result<Saved> {
    serde_json::from_str(text).map_err(|error| Error::Internal(format!("a saved subscription: {error}")))
}
