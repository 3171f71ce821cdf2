//! What all parts of the server index share.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use qdrant_client::qdrant::{WriteOrdering as WireOrdering, WriteOrderingType};
use serde::{Deserialize, Serialize};

use super::{
    duty::Sightings,
    options::{Pace, Qdrant, QdrantLayout, WriteOrdering},
    wire::Wire,
};
use crate::{IndexError, KindStatus, Result, StoreShape};
use duijie_core::domain::Kind;

/// The connections, and what is known of the store behind them.
pub(super) struct Core {
    /// Connections.
    pub(super) wire: Wire,
    /// Start of all names of collections.
    pub(super) prefix: String,
    /// How collections are laid out.
    pub(super) layout: QdrantLayout,
    /// When what is done.
    pub(super) pace: Pace,
    /// Which store is wanted.
    pub(super) wanted: Wanted,
    /// Name of this process among those that claim duties.
    pub(super) holder: String,
    /// What was seen of other holders.
    pub(super) sightings: Mutex<Sightings>,
    opened: RwLock<Option<Arc<StoreFile>>>,
    status: RwLock<Looked>,
}

/// What a look has shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Looked {
    /// State of each kind.
    pub(super) kinds: Vec<KindStatus>,
    /// What is wrong with the collection of the documents.
    pub(super) documents_problem: Option<String>,
}

/// Which store is wanted.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// The one that is there, whatever its versions.
    Any,
    /// One of this shape; made where there is none.
    This(StoreShape),
    /// One that grows beside the one in use.
    Growing(StoreFile),
}

/// What a store was built by, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoreFile {
    /// Versions and dimensions.
    #[serde(flatten)]
    pub(super) shape: StoreShape,
    /// Number in the names of its collections, from 1; a rebuilt store has the next one.
    pub(super) generation: u64,
}

// === impl Core ===

impl Core {
    pub(super) fn new(wire: Wire, options: &Qdrant, pace: Pace, (wanted, holder): (Wanted, String)) -> Self {
        let opened = match &wanted {
            Wanted::Growing(file) => Some(Arc::new(file.clone())),
            Wanted::Any | Wanted::This(_) => None,
        };
        Self {
            wire,
            prefix: options.prefix.clone(),
            layout: options.layout.clone(),
            pace,
            wanted,
            holder,
            sightings: Mutex::default(),
            opened: RwLock::new(opened),
            status: RwLock::default(),
        }
    }

    /// The store, once it was found.
    pub(super) fn store(&self) -> Result<Arc<StoreFile>> {
        let opened = self.opened.read().clone();
        opened
            .ok_or_else(|| IndexError::Unreachable { url: self.wire.urls.clone(), reason: "尚未连接".to_string() })
    }

    /// Notes the store that was found.
    pub(super) fn set_store(&self, file: StoreFile) {
        *self.opened.write() = Some(Arc::new(file));
    }

    /// What the last look has shown.
    pub(super) fn status(&self) -> Looked {
        self.status.read().clone()
    }

    /// Notes what a look has shown.
    pub(super) fn set_status(&self, status: Looked) {
        *self.status.write() = status;
    }

    /// The store, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}（前缀 {}）", self.wire.urls, self.prefix)
    }

    /// Collection of versions and duties.
    pub(super) fn state_name(&self) -> String {
        format!("{}_state", self.prefix)
    }

    /// Collection of the documents beside the records.
    pub(super) fn documents_name(&self) -> String {
        format!("{}_documents", self.prefix)
    }

    /// Collection of a kind's records.
    pub(super) fn records_name(&self, kind: Kind, generation: u64) -> String {
        format!("{}_{}_{generation}", self.prefix, kind.collection())
    }

    /// Collection of a kind's records in the store that is open.
    pub(super) fn records(&self, kind: Kind) -> Result<String> {
        self.store().map(|store| self.records_name(kind, store.generation))
    }

    /// Whose order of writes counts: one replica must decide which of two conditional writes came first.
    pub(super) fn ordering(&self) -> WireOrdering {
        let ordering = match self.layout.write_ordering {
            WriteOrdering::Strong => WriteOrderingType::Strong,
            WriteOrdering::Medium => WriteOrderingType::Medium,
        };
        WireOrdering { r#type: ordering.into() }
    }
}
