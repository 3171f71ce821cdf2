//! Where the points live: what every engine must do, and the engines.
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
//! - [`payload`]: how a point is laid out in an engine, and which of its fields are indexed
//! - [`filter`]: the conditions of a filter on these fields
//! - [`tombstones`]: what was deleted lately
//! - [`transfer`]: copies of a store and snapshot files; [`deadline`]: what is left of the caller's deadline
//! - [`collection_kind`]: what a shard or a collection holds
//! - [`edge`]: Qdrant Edge, in this process; [`server`]: a Qdrant server or cluster
//! - [`memory`]: in this process's memory, for tests of what stands on an index
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
pub mod memory;
pub mod payload;
pub mod point;
pub mod records;
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
pub use lease::{Lease, Leases, MAINTENANCE};
pub use memory::MemoryIndex;
pub use point::{FieldSelection, Point, PointId, VectorSelection, Vectors, Written};
pub use records::{Page, PageRequest, Records, VectorPage};
pub use search::{Candidates, Hit, MAX_DEPTH, Retrieval, Search};
pub use server::{Pace, Qdrant, QdrantLayout, Quantization, ServerIndex, WriteOrdering};
pub use status::{IndexStatus, KindStatus};
pub use versions::{StoreShape, StoreVersions};

/// Layout of folder, payload and ids; to be raised with any change that an old store does not fit.
/// Version 2 has [`payload::Field::Achievements`].
pub const STORE_FORMAT: u32 = 2;

/// What an operation on the index answers.
pub type Result<T> = std::result::Result<T, IndexError>;

/// A store of records and documents. What outlives a call and is no record lies beside the records, as a document.
///
/// Futures that are dropped before they resolve leave the operation running: a write may or may not be stored.
///
/// A holder of a `dyn Index` calls the methods of all parts without importing them.
pub trait Index: Records + Retrieval + Documents + Leases {
    /// How the index is, from what is known without asking the engine.
    fn status(&self) -> IndexStatus;
}
