//! Text → unit vectors: fastembed on an ONNX Runtime that is loaded at run time, one session for each core.
//!
//! # Layout
//! - `runtime`: loads `libonnxruntime.so` once
//! - `model`, `folder`, `hub`, `recipe`: where the model comes from, that its files are whole, how it wants its texts
//! - `session`: one ONNX session, one call at a time
//! - `window`, `splitter`: a long text → pieces that the model can take, nothing lost
//! - `batch`: which waiting windows go together and in which order; pure
//! - `queue`, `worker`, `pool`: the threads around it; [`Embedder`] is what the rest of the service sees
//! - `vector`: arithmetic on vectors
//! - `bigrams`: [`BigramEmbedder`], which does as if it were one, for tests
//! - `mean_vector`: the part that all vectors share, which is taken from each
//!
//! The same text gives the same vector on each run: sessions run with one thread, and the vector of a text does not
//! depend on what else is in its batch. [`ModelIdentity::version`] names everything that a vector depends on here.

mod batch;
mod bigrams;
mod error;
mod folder;
mod hub;
mod mean_vector;
mod model;
mod pool;
mod queue;
mod recipe;
mod runtime;
mod session;
mod splitter;
mod vector;
mod window;
mod worker;

#[cfg(test)]
mod tests;

pub use batch::{BatchLimits, Batcher, Ticket};
pub use bigrams::BigramEmbedder;
pub use error::EmbedError;
use futures::future::BoxFuture;
pub use mean_vector::{MEAN_SHARE, MeanAccumulator, MeanVector};
pub use model::{MeanVectorSource, Model, ModelIdentity, ModelOptions, ModelSource};
pub use pool::{Embedder, HEAD_SHARE};
pub use queue::Stats;
pub use recipe::{Pooling, Recipe};
pub use runtime::{Runtime, load};
pub use session::Session;
pub use splitter::{MAX_TEXT_CHARS, MAX_TEXT_TOKENS};
pub use window::Window;

pub use duijie_core::text::EmbeddingTexts;

/// What matching and imports need of an embedder: [`Embedder`] in service, [`BigramEmbedder`] in tests.
pub trait Embed: Send + Sync + 'static {
    /// Vectors of records and queries, in their order, each of unit length.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    fn record_vectors<'a>(
        &'a self,
        records: &'a [EmbeddingTexts],
        priority: Priority,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>>;
}

/// On which side of a search a text stands. Many models want another prefix for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What is searched for.
    Query,
    /// What is stored.
    Passage,
}

/// Who waits for the vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A person: goes first, and is refused at once when too many wait.
    Interactive,
    /// An import: waits for room, and gets a share of the work even while people search.
    Bulk,
}
