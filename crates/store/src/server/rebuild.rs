//! Rebuilding: a new store grows in collections of the next generation beside the store in use, then replaces it.
//!
//! One document names the store in use; one conditional write changes it. The rebuilding process holds the duty
//! [`MAINTENANCE`](crate::MAINTENANCE), so nobody writes to the old store meanwhile.

use super::options::Qdrant;
use super::{
    ServerIndex, collections,
    core::{ServerCore, StoreFile, WantedStore},
    state, watch,
    wire::{CircuitState, Wire},
};
use crate::{IndexError, Result, StoreShape};

/// Key of the document with the versions of the growing store.
const GROWING: &str = "growing";

impl ServerIndex {
    /// Opens the growing store beside this one. Resumes an unfinished rebuild for the same versions; discards one for
    /// other versions.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn growing(&self, options: &Qdrant, shape: StoreShape) -> Result<Self> {
        let error = |failure| self.core.wire.error(failure);
        let generation = self.core.store()?.generation + 1;
        let file = StoreFile { shape, generation };
        let text = serde_json::to_string(&file).map_err(|error| IndexError::Server { reason: error.to_string() })?;
        let begun = state::read(&self.core, &[GROWING]).await.map_err(error)?.into_iter().next().flatten();
        if begun.as_ref().is_none_or(|begun| begun.value != text) {
            collections::remove_records(&self.core, generation).await?;
            if state::put(&self.core, GROWING, text, begun.as_ref()).await.map_err(error)?.is_none() {
                return Err(IndexError::Maintenance);
            }
        }
        collections::ensure_records(&self.core, &file).await?;
        let (wire, pace) = (Wire::new(options, self.core.pace.stale_after)?, self.core.pace);
        let growing =
            Self::watched(ServerCore::new(wire, options, pace, WantedStore::Growing(file), self.core.holder.clone()));
        growing.core.wire.set_circuit_state(CircuitState::Ready);
        Ok(growing)
    }

    /// Replaces this store by the grown one and removes this store's collections.
    ///
    /// # Errors
    /// When the engine fails, or another process has changed the store; either this store or the grown one is then in
    /// use, complete.
    pub async fn replace_by(&self, grown: &Self) -> Result<()> {
        let error = |failure| self.core.wire.error(failure);
        let (old, new) = (self.core.store()?, grown.core.store()?);
        let seen = state::read(&self.core, &[watch::STORE]).await.map_err(error)?.into_iter().next().flatten();
        let Some(seen) = seen else { return Err(IndexError::Maintenance) };
        if watch::read_store(&self.core, &seen.value)? != *old {
            return Err(IndexError::Maintenance);
        }
        let text = serde_json::to_string(&*new).map_err(|error| IndexError::Server { reason: error.to_string() })?;
        if state::put(&self.core, watch::STORE, text, Some(&seen)).await.map_err(error)?.is_none() {
            return Err(IndexError::Maintenance);
        }
        // if this fails, the old collections only take up space
        collections::remove_records(&self.core, old.generation).await
    }
}
