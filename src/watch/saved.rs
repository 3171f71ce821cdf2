//! Subscriptions stored under an id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Subscription, Watcher};
use crate::error::{Error, Result};
use duijie_core::domain::{Problem, Violation};
use duijie_store::{DocumentQuery, DocumentWrite, Expect, Key, documents::all_documents};

/// Folder of the stored subscriptions.
const FOLDER: &str = "watch/subscriptions";
/// Most stored subscriptions.
pub const MAX_SAVED: usize = 1_000;

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

    /// All subscriptions, ordered by id.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn all_saved(&self) -> Result<Vec<Saved>> {
        let documents = all_documents(&*self.index, DocumentQuery::folder(FOLDER)).await?;
        let mut saved: Vec<Saved> = documents.iter().map(|document| read(&document.text)).collect::<Result<_>>()?;
        saved.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(saved)
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
