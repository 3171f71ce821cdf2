//! The matching hot path: segmentation, sparse vectors, the engine's queries, whole matches.
//!
//! `DUIJIE_BENCH_RECORDS` sets the numbers of records of each kind, separated by commas; default `10000,100000`. Stores
//! are built once and kept below `target/`. The project's target ratios compare rows of one run: `match/by id` against
//! `engine/native hybrid`; `match/by text` against `engine/native hybrid` plus `query/embed`; `match/evidence` (by id,
//! with all evidence) at most twice `match/by id`.

use std::{
    cell::Cell,
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use duijie::{
    app::{self, Parts},
    matching::{Avoidance, FreeText, Query, Request, Settings},
};
use duijie_core::{
    domain::{Filter, Kind, Record, RecordName, codes::Status},
    text::{QueryText, TextPipeline, query_embedding_texts},
};
use duijie_embed::{Embedder, Priority};
use duijie_insight::{
    evidence::{Explainer, Options},
    policy::Policies,
};
use duijie_store::{EdgeIndex, EdgeOptions, FieldSelection, Index, Point, Records, Retrieval, Search};
use jiff::Timestamp;
use qdrant_edge::{
    EdgeShard, Fusion as NativeFusion, NamedQuery, Prefetch, QueryEnum, QueryRequest, ScoringQuery, SearchParams,
    SparseVector as NativeSparse, VectorInternal, WithPayloadInterface, WithVector,
};
use tokio::runtime::Runtime;

use crate::support::{self, counts};

/// Number of queries used in turn: a single query would stay in the cache.
pub const QUERIES: usize = 256;
/// Matches wanted.
pub const LIMIT: usize = 20;
/// Candidates of each source, as the service's default.
pub const CANDIDATES: usize = 200;
/// Beam width of a graph search, as in the service, so that both sides find the same.
pub const BEAM: usize = 400;

/// Runs the benches of this file.
pub fn hot_path(criterion: &mut Criterion) {
    if !support::asked_for(&["text", "query", "engine", "match"]) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let pipeline = Arc::new(support::pipeline());
    let embedder = support::embedder();
    text(criterion, &pipeline);
    query(criterion, &pipeline, &embedder, &runtime);
    for count in counts() {
        let folder = support::store(count, &pipeline, &embedder, &runtime);
        let points = read_queries(&folder, &pipeline, &runtime);
        native(criterion, count, &folder, &points);
        let index = open(&folder, &pipeline);
        engine(criterion, count, &index, &points, &runtime);
        matches(criterion, count, index, (&pipeline, &embedder), &runtime);
    }
}

/// Opens a bench store.
pub fn open(folder: &Path, pipeline: &TextPipeline) -> Arc<EdgeIndex> {
    let options = EdgeOptions::new(folder.to_path_buf(), 384, support::versions(pipeline));
    Arc::new(EdgeIndex::open(options).expect("the store of the bench"))
}

/// Reads stored demands with their vectors.
fn read_queries(folder: &Path, pipeline: &TextPipeline, runtime: &Runtime) -> Vec<Point> {
    let index = open(folder, pipeline);
    let names: Vec<RecordName> = (0..QUERIES).map(demand).collect();
    let points = runtime.block_on(index.get(&names, FieldSelection::Everything)).expect("demands");
    points.into_iter().map(|point| point.expect("a demand")).collect()
}

/// Name of a stored demand.
pub fn demand(number: usize) -> RecordName {
    format!("demands/b-{number}").parse().expect("a name")
}

/// Counts through the queries in turn.
pub fn turns() -> impl Fn() -> usize {
    let turn = Cell::new(0);
    move || {
        turn.set((turn.get() + 1) % QUERIES);
        turn.get()
    }
}

fn text(criterion: &mut Criterion, pipeline: &TextPipeline) {
    let record = support::samples(Kind::Demand).into_iter().find(|record| 200 < record.body.chars().count());
    let record: Record = record.expect("a sample of more than 200 characters");
    let mut group = criterion.benchmark_group("text");
    group.bench_function("cut title", |bencher| bencher.iter(|| pipeline.terms(black_box(&record.title))));
    group.bench_function("cut body", |bencher| bencher.iter(|| pipeline.terms(black_box(&record.body))));
    group.bench_function("sparse vector", |bencher| bencher.iter(|| pipeline.document(black_box(&record))));
    group.finish();
}

fn query(criterion: &mut Criterion, pipeline: &TextPipeline, embedder: &Embedder, runtime: &Runtime) {
    let text = QueryText { title: "冲压件边缘容易开裂，想降低废品率", ..QueryText::default() };
    let mut group = criterion.benchmark_group("query");
    group.bench_function("cut", |bencher| bencher.iter(|| pipeline.query(black_box(&text))));
    let texts = [query_embedding_texts(&text)];
    group.bench_function("embed", |bencher| {
        bencher.iter(|| runtime.block_on(embedder.record_vectors(&texts, Priority::Interactive)).expect("a vector"));
    });
    group.finish();
}

/// The engine's own hybrid query, directly on the shard: the baseline for a match.
fn native(criterion: &mut Criterion, count: usize, folder: &Path, points: &[Point]) {
    let shard = EdgeShard::load(&folder.join(Kind::Achievement.collection()).join("engine"), None).expect("the shard");
    let next = turns();
    let mut group = criterion.benchmark_group(format!("engine/{count}"));
    group.bench_function("native hybrid", |bencher| {
        bencher.iter(|| shard.query(native_hybrid(&points[next()])).expect("an answer"));
    });
    group.finish();
}

fn native_hybrid(point: &Point) -> QueryRequest {
    let prefetch = |vector: VectorInternal, name: &str| Prefetch {
        prefetches: Vec::new(),
        query: Some(ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(vector, name)))),
        limit: CANDIDATES,
        params: Some(SearchParams { hnsw_ef: Some(BEAM), ..SearchParams::default() }),
        filter: None,
        score_threshold: None,
    };
    let sparse = point.query.sparse();
    let sparse = NativeSparse::new(sparse.indices, sparse.values).expect("a sparse vector");
    QueryRequest {
        prefetches: vec![
            prefetch(VectorInternal::Dense(point.dense.clone()), "dense"),
            prefetch(VectorInternal::Sparse(sparse), "sparse"),
        ],
        query: Some(ScoringQuery::Fusion(NativeFusion::Rrf { k: 60, weights: None })),
        filter: None,
        score_threshold: None,
        limit: LIMIT,
        offset: 0,
        params: None,
        with_vector: WithVector::Bool(false),
        with_payload: WithPayloadInterface::Bool(true),
    }
}

fn engine(criterion: &mut Criterion, count: usize, index: &EdgeIndex, points: &[Point], runtime: &Runtime) {
    let region = Filter { regions: vec!["130100".into()], statuses: vec![Status::Active], ..Filter::default() };
    let search = |point: &Point, (dense, sparse): (bool, bool), filter: &Filter| Search {
        dense: dense.then(|| point.dense.clone()),
        sparse: sparse.then(|| point.query.sparse()),
        filter: filter.clone(),
        depth: CANDIDATES,
        exclude: Vec::new(),
        within: None,
    };
    let none = Filter::default();
    let rows = [
        ("dense", (true, false), &none),
        ("sparse", (false, true), &none),
        ("hybrid", (true, true), &none),
        ("filtered hybrid", (true, true), &region),
    ];
    let mut group = criterion.benchmark_group(format!("engine/{count}"));
    for (name, sources, filter) in rows {
        let next = turns();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let search = search(&points[next()], sources, filter);
                runtime.block_on(index.search(Kind::Achievement, search)).expect("candidates")
            });
        });
    }
    group.finish();
}

fn matches(
    criterion: &mut Criterion,
    count: usize,
    index: Arc<EdgeIndex>,
    (pipeline, embedder): (&Arc<TextPipeline>, &Embedder),
    runtime: &Runtime,
) {
    let parts = parts(index, pipeline, embedder);
    // on a worker thread, as in the service: from outside the runtime each step would pay for a wake-up
    let run = |iterations: u64, query: fn(u64) -> Query| {
        let matcher = parts.matcher.clone();
        let all = async move {
            let started = Instant::now();
            for iteration in 0..iterations {
                let page = matcher.find(request(query(iteration))).await.expect("a page");
                assert_eq!(page.found.len(), LIMIT);
            }
            started.elapsed()
        };
        runtime.block_on(runtime.spawn(all)).expect("no panic")
    };
    let mut group = criterion.benchmark_group(format!("match/{count}"));
    group.bench_function("by id", |bencher| bencher.iter_custom(|iterations| run(iterations, by_id)));
    group.bench_function("by text", |bencher| bencher.iter_custom(|iterations| run(iterations, by_text)));
    group.bench_function("evidence", |bencher| {
        bencher.iter_custom(|iterations| {
            runtime.block_on(runtime.spawn(explained(parts.clone(), iterations))).expect("no panic")
        });
    });
    group.finish();
}

/// Time of matches by id with all evidence, as the service makes them.
async fn explained(parts: Parts, iterations: u64) -> Duration {
    let options = Options { reasons: true, indicators: true, policy: true, diagnosis: true };
    let started = Instant::now();
    for iteration in 0..iterations {
        let asked = by_id(iteration);
        let page = parts.matcher.find(request(asked.clone())).await.expect("a page");
        let Query::Stored(name) = asked else { continue };
        let point =
            parts.index.get(&[name], FieldSelection::Payload).await.expect("an answer").remove(0).expect("a demand");
        let explainer = Arc::clone(&parts.explainer);
        let explain = move || explainer.explain(&point.record, &page.found, options, Timestamp::UNIX_EPOCH);
        let evidence = tokio::task::spawn_blocking(explain).await.expect("no panic");
        assert!(evidence.matches.len() == LIMIT && evidence.diagnosis.is_some());
    }
    started.elapsed()
}

/// The parts of a service over a bench store.
pub fn parts(index: Arc<dyn Index>, pipeline: &Arc<TextPipeline>, embedder: &Embedder) -> Parts {
    let settings = app::settings(&support::config(), embedder).expect("a calibration");
    let settings = Settings { candidates: CANDIDATES, ..settings };
    let versions = support::versions(pipeline);
    let policies = Policies::load(&support::root().join("policies")).expect("the shipped rules are right");
    let explainer = Arc::new(Explainer::new(pipeline, policies));
    Parts::new(Arc::clone(pipeline), embedder.clone(), index, explainer, versions, settings)
}

/// A query by name for one of the stored demands.
pub fn by_id(turn: u64) -> Query {
    Query::Stored(demand(usize::try_from(turn).unwrap_or(0) % QUERIES))
}

fn by_text(_: u64) -> Query {
    Query::Text(FreeText { title: "冲压件边缘容易开裂，想降低废品率".into(), ..FreeText::default() })
}

/// A request for the first page of a query.
pub fn request(query: Query) -> Request {
    Request {
        query,
        target: Kind::Achievement,
        filter: Filter::default(),
        offset: 0,
        limit: LIMIT,
        avoidance: Avoidance::default(),
        levels: false,
    }
}
