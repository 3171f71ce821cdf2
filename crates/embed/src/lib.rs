//! Text → unit vectors: fastembed on an ONNX Runtime loaded at run time, one session per core.
//!
//! # Layout
//! - `runtime`: loads `libonnxruntime.so` once
//! - `model`, `folder`, `hub`, `recipe`: source of the model, verification of its files, its input format
//! - `session`: one ONNX session, one call at a time
//! - `window`, `splitter`: a long text → pieces that fit the model, nothing lost
//! - `batch`: selection and order of waiting windows; pure
//! - `queue`, `worker`, `pool`: the threads; [`Embedder`] is the interface to the rest of the service
//! - `vector`: arithmetic on vectors
//! - `bigrams`: [`BigramEmbedder`], an embedder without a model, for tests
//! - `mean_vector`: the mean of all vectors, subtracted from each
//!
//! The same text gives the same vector on each run: sessions run with one thread, and a text's vector does not depend
//! on the rest of its batch. [`ModelIdentity::version`] covers everything that a vector depends on.

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

pub use batch::BatchLimits;
pub use bigrams::BigramEmbedder;
pub use error::EmbedError;
use futures::future::BoxFuture;
pub use mean_vector::{MeanAccumulator, MeanVector};
pub use model::{MeanVectorSource, Model, ModelIdentity, ModelOptions, ModelSource};
pub use pool::Embedder;
pub use queue::Stats;
pub use recipe::{Pooling, Recipe};
pub use runtime::{Runtime, load};
pub use session::Session;

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

/// Role of a text in a search. Many models use a different prefix for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A query.
    Query,
    /// A stored text.
    Passage,
}

/// Priority of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A person waits: goes first, and is refused at once if the queue is full.
    Interactive,
    /// An import: waits for room, and gets a share of the batches even during searches.
    Bulk,
}
