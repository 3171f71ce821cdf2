//! All benches in one binary: `cargo bench -- match` runs those whose name holds `match`.
//!
//! - [`matching`]: cutting, sparse vectors, the engine's queries, whole matches
//! - [`server`]: the same through the wire
//! - [`embedding`]: import against the bare model
//! - [`support`]: records, vectors and stores for both
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "benches")]

mod embedding;
mod matching;
#[path = "../../tests/qdrant_server/mod.rs"]
mod qdrant_server;
mod server;
mod support;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, matching::hot_path, embedding::embedding);
criterion_main!(benches);
