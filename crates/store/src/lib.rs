//! Storage of points: the trait that every engine implements, and the engines.
//!
//! - [`point`]: a record with its vectors and its id
//! - [`search`]: searches and their results
//! - [`payload`]: layout of a point in an engine, and its indexed fields
//! - [`filter`]: filter conditions on these fields
//! - [`lease`]: duties that only one process may hold at a time
//! - [`documents`]: data that is not a record; [`document_row`]: its layout in an engine
//! - [`tombstones`]: recently deleted records
//! - [`transfer`]: copies of a store and snapshot files; [`deadline`]: remaining time of the caller's deadline
//! - [`collection_kind`]: contents of a shard or collection
//! - [`edge`]: Qdrant Edge, in this process; [`server`]: a Qdrant server or cluster
//!
//! Invariant: [`Index`] contains no engine type, so a remote server can implement it too.

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

/// Version of the layout of folder, payload and ids; raise it with every incompatible change. Version 2 added
/// [`payload::Field::Achievements`].
pub const STORE_FORMAT: u32 = 2;

/// Result of an index operation.
pub type Result<T> = std::result::Result<T, IndexError>;

/// A store of points, searchable by embedding, by terms and by conditions.
///
/// Dropping a future does not cancel its operation: a write may or may not be stored.
///
/// Data that outlives a call and is not a record is stored as a document.
pub trait Index: Documents {
    /// Stores points of one kind, in order, each only if its revision is higher than the stored one. Returns the
    /// outcome of each. When it resolves, the points survive a kill of the process.
    ///
    /// # Errors
    /// [`IndexError::BadPoint`] before anything is written. After any other error, some points may be stored; sending
    /// them again is harmless.
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>>;

    /// Deletes a record permanently, whatever its revision, after writing its tombstone (see [`tombstones`]). Returns
    /// whether the record existed.
    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>>;

    /// Reads records by name, in the order of the names; `None` for a missing record.
    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Finds candidates, one list per source.
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>>;

    /// Cosines of 1 to [`MAX_DEPTH`] points, best first; for candidates found only by shared terms.
    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>>;

    /// Reads points by id, in the order of the ids; `None` for a point deleted meanwhile.
    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Reads vectors by id, in the order of the ids. Skips the records, the most expensive part of a read.
    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>>;

    /// Reads the vectors of at most `limit` points with ids above `after`, in id order.
    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>>;

    /// Reads the points that meet a filter, page by page in id order.
    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<Page>>;

    /// Counts the points that meet a filter.
    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>>;

    /// Claims a duty, such as [`MAINTENANCE`]; `None` if another process holds it. A holder that died loses the duty
    /// after [`LEASE_PERIOD`](lease::LEASE_PERIOD).
    fn claim(&self, duty: &str) -> BoxFuture<'_, Result<Option<Lease>>>;

    /// State of the index, from cached information; does not ask the engine.
    fn status(&self) -> IndexStatus;
}
