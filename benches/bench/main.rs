//! All benches in one binary: `cargo bench -- match` runs those whose name holds `match`.
//!
//! - [`matching`]: cutting, sparse vectors, the engine's queries, whole matches
//! - [`server`]: the same through the wire
//! - [`embedding`]: import against the bare model
//! - [`allocation`]: shortlists of whole events
//! - [`scale`]: how a store grows, only where asked for by `cargo bench -- scale`; [`process_memory`] for it
//! - [`support`]: records, vectors and stores for all
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "benches")]

mod allocation;
mod embedding;
mod matching;
mod process_memory;
#[path = "../../tests/qdrant_server/mod.rs"]
mod qdrant_server;
mod scale;
mod server;
mod support;

use criterion::{Criterion, criterion_group};

criterion_group!(benches, matching::hot_path, server::server, embedding::embedding, allocation::allocation);

fn main() {
    if std::env::args().any(|argument| argument == "scale") {
        return scale::run();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
