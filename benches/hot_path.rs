//! The matching hot path: cutting, sparse vectors, the engine's queries, whole matches.
//!
//! `DUIJIE_BENCH_RECORDS` says at how many records of each kind, separated by commas; default `10000,100000`. Stores are
//! built once and kept below `target/`. The ratios that the project promises are between rows of one run:
//! `match/by id` against `engine/native hybrid`, `match/by text` against `engine/native hybrid` plus `query/embed`.

mod support;

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use duijie::{
    app::Parts,
    domain::{Filter, Kind, RecordName, codes::Status},
    embed::{EmbeddingTexts, Embedder, Priority},
    index::{EdgeIndex, EdgeOptions, Index, Search, With},
    matcher::{FreeText, Query, Request, Settings},
    rank::Fusion,
    text::{QueryText, TextPipeline},
};
use qdrant_edge::{
    EdgeShard, Fusion as EdgeFusion, NamedQuery, Prefetch, QueryEnum, QueryRequest, ScoringQuery, SearchParams,
    WithPayloadInterface, WithVector,
};
use tokio::runtime::Runtime;

fn main_group(criterion: &mut Criterion) {
    let _ = criterion;
}

criterion_group!(benches, main_group);
criterion_main!(benches);
