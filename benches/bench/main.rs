//! All benches in one binary: `cargo bench -- match` runs those whose name contains `match`.
//!
//! - [`matching`]: segmentation, sparse vectors, the engine's queries, whole matches
//! - [`scheduling`]: the schedule of an event
//! - [`server`]: matches over gRPC
//! - [`embedding`]: import against the bare model
//! - [`unchanged`]: import of what the store already has
//! - [`allocation`]: shortlists of whole events
//! - [`scale`]: growth of a store, only on request by `cargo bench -- scale`; [`process_memory`] for it
//! - [`rematch`]: batch re-matching against bare queries, only on request by `cargo bench -- rematch`
//! - [`support`]: records, vectors and stores for all
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "benches")]

mod allocation;
mod client;
mod embedding;
mod matching;
mod process_memory;
#[path = "../../tests/qdrant_server/mod.rs"]
mod qdrant_server;
mod rematch;
mod scale;
mod scheduling;
mod server;
mod support;
mod unchanged;

use criterion::{Criterion, criterion_group};

criterion_group!(
    benches,
    matching::hot_path,
    client::client,
    server::server,
    embedding::embedding,
    unchanged::unchanged,
    allocation::allocation,
    scheduling::scheduling
);

fn main() {
    if client::serves() {
        return;
    }
    if std::env::args().any(|argument| argument == "scale") {
        return scale::run();
    }
    if std::env::args().any(|argument| argument == "rematch") {
        return rematch::run();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
