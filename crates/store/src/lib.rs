//! Where the points live: what every engine must do, and the engines.
//!
//! - [`point`]: a record with its vectors and its id
//! - [`search`]: searches and what they find
//! - [`payload`]: how a point is laid out in an engine, and which of its fields are indexed
//! - [`filter`]: the conditions of a filter on these fields
//! - [`lease`]: duties that only one process may do at a time
//! - [`pages`]: reads all pages of a list
//! - [`documents`]: what lies beside the records; [`document_row`]: how it is laid out in an engine
//! - [`tombstones`]: what was deleted lately
//! - [`transfer`]: copies of a store and snapshot files; [`deadline`]: what is left of the caller's deadline
//! - [`collection_kind`]: what a shard or a collection holds
//! - [`edge`]: Qdrant Edge, in this process; [`server`]: a Qdrant server or cluster
//!
//! Invariant: no type of an engine stands in [`Index`]; it can be met by a server across the network as well.

pub mod collection_kind;
pub mod deadline;
pub mod document_row;
pub mod documents;
pub mod edge;
pub mod error;
pub mod filter;
pub mod lease;
pub mod pages;
pub mod payload;
pub mod point;
pub mod search;
pub mod server;
pub mod status;
pub mod tombstones;
pub mod transfer;
pub mod versions;

pub use collection_kind::CollectionKind;
pub use documents::{Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Expect, Key};
pub use edge::{EdgeIndex, EdgeOptions, Tuning};
pub use error::IndexError;
use futures::future::BoxFuture;
pub use lease::{Lease, MAINTENANCE};
pub use point::{FieldSelection, Point, PointId, VectorSelection, Vectors, Written};
pub use search::{Candidates, Hit, MAX_DEPTH, Page, PageRequest, Search, VectorPage};
pub use server::{Pace, Qdrant, QdrantLayout, Quantization, ServerIndex, WriteOrdering};
pub use status::{IndexStatus, KindStatus};
pub use versions::{StoreShape, StoreVersions};

use duijie_core::domain::{Filter, Kind, RecordName};

/// Layout of folder, payload and ids; to be raised with any change that an old store does not fit.
/// Version 2 has [`payload::Field::Achievements`].
pub const STORE_FORMAT: u32 = 2;

/// What an operation on the index answers.
pub type Result<T> = std::result::Result<T, IndexError>;

/// A store of points that finds them by embedding, by terms and by conditions.
///
/// Futures that are dropped before they resolve leave the operation running: a write may or may not be stored.
///
/// What outlives a call and is no record lies beside the points, as a document.
pub trait Index: Documents {
    /// Stores points of one kind, in order, each only if its revision is higher than the stored one. When it resolves,
    /// the points survive a kill of the process. Says what became of each.
    ///
    /// # Errors
    /// [`IndexError::BadPoint`] before anything is written. After another error it is not known which of the points
    /// are stored; sending them again does no harm.
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>>;

    /// Removes a record for good, whatever its revision, after writing its tombstone (see [`tombstones`]). Says whether
    /// there was one.
    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>>;

    /// Reads records by name, in the order of the names; `None` where there is none.
    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Finds candidates; each source says its own.
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>>;

    /// Cosines of some points, 1 to [`MAX_DEPTH`] of them, best first: of candidates that only shared terms have found.
    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>>;

    /// Reads found points by id, in the order of the ids; `None` where one is gone by now.
    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Reads vectors of found points by id, in the order of the ids, without their records, which cost the most of a read.
    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>>;

    /// Reads the vectors of all points, at most `limit` of them that come after `after` in the order of ids.
    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>>;

    /// Reads the points that meet a filter, page by page in the order of ids.
    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<Page>>;

    /// Counts the points that meet a filter.
    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>>;

    /// Claims a duty that only one process may do at a time, such as [`MAINTENANCE`]; `None` where another has it. A
    /// holder that died loses it after [`LEASE_PERIOD`](lease::LEASE_PERIOD).
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>>;

    /// How the index is, from what is known without asking the engine.
    fn status(&self) -> IndexStatus;
}
