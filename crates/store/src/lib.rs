//! Storage of points: the trait that every engine implements, and the engines.
//!
//! [`Index`] is what every engine must do. It has four parts, each in the room of its types:
//!
//! - [`records`]: [`Records`], to write and read records, by name, by id, or all of them page by page
//! - [`search`]: [`Retrieval`], to find records by embedding and by terms
//! - [`documents`]: [`Documents`], what lies beside the records; [`document_row`]: how it is laid out in an engine
//! - [`lease`]: [`Leases`], duties that only one process may do at a time
//!
//! What the parts share, and the engines:
//!
//! - [`point`]: a record with its vectors and its id
//! - [`search`]: searches and their results
//! - [`payload`]: layout of a point in an engine, and its indexed fields
//! - [`filter`]: filter conditions on these fields
//! - [`lease`]: duties that only one process may hold at a time
//! - [`documents`]: data that is not a record; [`document_row`]: its layout in an engine
//! - [`clock`]: the times of changes, which never go back
//! - [`tombstones`]: recently deleted records; [`secrets`]: keys that all instances on a store share
//! - [`transfer`]: copies of a store and snapshot files; [`deadline`]: remaining time of the caller's deadline
//! - [`damage`]: rows that are not what was written; `row_sum`: the checksums that tell
//! - [`mod@verify`]: reading a whole index to find them
//! - [`collection_kind`]: contents of a shard or collection
//! - [`edge`]: Qdrant Edge, in this process; [`server`]: a Qdrant server or cluster
//! - [`memory`]: in this process's memory, for tests of what stands on an index
//!
//! Invariant: [`Index`] contains no engine type, so a remote server can implement it too.

pub mod clock;
pub mod collection_kind;
pub mod damage;
pub mod deadline;
pub mod document_row;
pub mod documents;
pub mod edge;
pub mod error;
pub mod filter;
pub mod lease;
pub mod memory;
pub mod pages;
pub mod payload;
pub mod point;
pub mod records;
pub(crate) mod row_sum;
pub mod search;
pub mod secrets;
pub mod server;
pub mod status;
pub mod tombstones;
pub mod transfer;
pub mod verify;
pub mod versions;

pub use clock::ChangeClock;
pub use collection_kind::CollectionKind;
pub use damage::{Damaged, LeftOut, LeftOutRow};
pub use documents::{Document, DocumentPage, DocumentQuery, DocumentWrite, DocumentWritten, Documents, Expect, Key};
pub use edge::{CensusDifference, EdgeIndex, EdgeOptions, FreeSpace, PartlyOpened, Tuning, salvage};
pub use error::IndexError;
pub use lease::{Lease, Leases, MAINTENANCE};
pub use memory::MemoryIndex;
pub use point::{FieldSelection, Point, PointId, VectorSelection, Vectors, Written};
pub use records::{PageRequest, PointPage, Records, VectorPage};
pub use search::{Candidates, Hit, MAX_DEPTH, Retrieval, Search};
pub use server::{Pace, Qdrant, QdrantLayout, Quantization, ServerIndex, WriteOrdering};
pub use status::{IndexStatus, KindStatus, NodeStatus};
pub use versions::{StoreShape, StoreVersions};

/// Version of the layout of folder, payload and ids; raise it with every incompatible change. Version 2 added
/// [`payload::FilterField::Achievements`].
pub const STORE_FORMAT: u32 = 2;

/// Result of an index operation.
pub type Result<T> = std::result::Result<T, IndexError>;

/// A store of points, searchable by embedding, by terms and by conditions.
///
/// Dropping a future does not cancel its operation: a write may or may not be stored.
///
/// A holder of a `dyn Index` calls the methods of all parts without importing them.
pub trait Index: Records + Retrieval + Documents + Leases {
    /// State of the index, from cached information; does not ask the engine.
    fn status(&self) -> IndexStatus;

    /// Gives out the times of changes.
    fn clock(&self) -> &ChangeClock;
}
