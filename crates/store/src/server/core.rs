//! State shared by all parts of the server index.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use qdrant_client::qdrant::{WriteOrdering as WireOrdering, WriteOrderingType};
use serde::{Deserialize, Serialize};

use super::{
    duty::Sightings,
    options::{Pace, Qdrant, QdrantLayout, WriteOrdering},
    wire::Wire,
};
use crate::{IndexError, KindStatus, Result, StoreShape, damage::DamageLog};
use duijie_core::domain::Kind;

/// The connections, and the known state of the store.
pub(super) struct ServerCore {
    /// Connections.
    pub(super) wire: Wire,
    /// Prefix of all collection names.
    pub(super) prefix: String,
    /// Layout of new collections.
    pub(super) layout: QdrantLayout,
    /// Timing.
    pub(super) pace: Pace,
    /// The store to open.
    pub(super) wanted: WantedStore,
    /// Id of this process as a lease holder.
    pub(super) holder: String,
    /// Renewals seen from other holders.
    pub(super) sightings: Mutex<Sightings>,
    /// Damaged rows that reads met.
    pub(super) damage: DamageLog,
    opened: RwLock<Option<Arc<StoreFile>>>,
    status: RwLock<HealthCheck>,
}

/// Result of a health check.
#[derive(Debug, Clone, Default)]
pub(super) struct HealthCheck {
    /// State of each kind.
    pub(super) kinds: Vec<KindStatus>,
    /// Problem of the document collection; `None` when healthy.
    pub(super) documents_problem: Option<String>,
}

/// The store to open.
#[derive(Debug, Clone)]
pub(super) enum WantedStore {
    /// The existing one, whatever its versions.
    Any,
    /// One of this shape; created if there is none.
    This(StoreShape),
    /// One that grows beside the store in use.
    Growing(StoreFile),
}

/// Shape and generation of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoreFile {
    /// Versions and dimensions.
    #[serde(flatten)]
    pub(super) shape: StoreShape,
    /// Number in its collection names, from 1; a rebuilt store has the next one.
    pub(super) generation: u64,
}

// === impl ServerCore ===

impl ServerCore {
    pub(super) fn new(wire: Wire, options: &Qdrant, pace: Pace, wanted: WantedStore, holder: String) -> Self {
        let opened = match &wanted {
            WantedStore::Growing(file) => Some(Arc::new(file.clone())),
            WantedStore::Any | WantedStore::This(_) => None,
        };
        Self {
            wire,
            prefix: options.prefix.clone(),
            layout: options.layout.clone(),
            pace,
            wanted,
            holder,
            sightings: Mutex::default(),
            damage: DamageLog::default(),
            opened: RwLock::new(opened),
            status: RwLock::default(),
        }
    }

    /// The store, once known.
    pub(super) fn store(&self) -> Result<Arc<StoreFile>> {
        let opened = self.opened.read().clone();
        opened
            .ok_or_else(|| IndexError::Unreachable { url: self.wire.urls.clone(), reason: "尚未连接".to_string() })
    }

    /// Sets the store found.
    pub(super) fn set_store(&self, file: StoreFile) {
        *self.opened.write() = Some(Arc::new(file));
    }

    /// Result of the last health check.
    pub(super) fn status(&self) -> HealthCheck {
        self.status.read().clone()
    }

    /// Sets the result of a health check.
    pub(super) fn set_status(&self, status: HealthCheck) {
        *self.status.write() = status;
    }

    /// Location of the store, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}（前缀 {}）", self.wire.urls, self.prefix)
    }

    /// Name of the collection of versions and duties.
    pub(super) fn state_name(&self) -> String {
        format!("{}_state", self.prefix)
    }

    /// Name of the collection of documents.
    pub(super) fn documents_name(&self) -> String {
        format!("{}_documents", self.prefix)
    }

    /// Name of the collection of a kind's records.
    pub(super) fn records_name(&self, kind: Kind, generation: u64) -> String {
        format!("{}_{}_{generation}", self.prefix, kind.collection())
    }

    /// Name of the collection of a kind's records in the open store.
    pub(super) fn records(&self, kind: Kind) -> Result<String> {
        self.store().map(|store| self.records_name(kind, store.generation))
    }

    /// Write ordering: one replica must decide which of two conditional writes came first.
    pub(super) fn ordering(&self) -> WireOrdering {
        let ordering = match self.layout.write_ordering {
            WriteOrdering::Strong => WriteOrderingType::Strong,
            WriteOrdering::Medium => WriteOrderingType::Medium,
        };
        WireOrdering { r#type: ordering.into() }
    }
}
