//! The server path: a match over gRPC against one hybrid query of the bare client, and the recall of the nearest
//! neighbours.
//!
//! Runs against the test server (Qdrant Edge behind Qdrant's gRPC, `tests/qdrant_server/`), whose store is filled once
//! and kept below `target/`, or against the server at `QDRANT_URL` if set. The project's targets: `match by id` takes
//! at most 1.3 times as long as `bare client`, and recall@20 is 0.98 against brute force.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use duijie::config::Config;
use duijie_core::{
    domain::{Filter, Kind, RecordName},
    text::TextPipeline,
};
use duijie_embed::Embedder;
use duijie_store::Qdrant;
use duijie_store::{FieldSelection, PageRequest, Point, PointId, Records, Retrieval, Search, ServerIndex, StoreShape};
use qdrant_client::qdrant::{
    Fusion, PrefetchQueryBuilder, Query, QueryPointsBuilder, SearchParamsBuilder, VectorInput,
};
use tokio::runtime::Runtime;

use crate::{
    matching::{BEAM, CANDIDATES, LIMIT, QUERIES, by_id, demand, parts, request, turns},
    qdrant_server::QdrantServer,
    support,
};

/// Points written or read together.
const PAGE: usize = 1_000;
/// Time limit for the engine's first answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the benches of this file.
pub fn server(criterion: &mut Criterion) {
    if !support::asked_for(&["server"]) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let (pipeline, embedder) = (Arc::new(support::pipeline()), support::embedder());
    for count in support::counts() {
        of_size(criterion, count, (&pipeline, &embedder), &runtime);
    }
}

fn of_size(
    criterion: &mut Criterion,
    count: usize,
    (pipeline, embedder): (&Arc<TextPipeline>, &Embedder),
    runtime: &Runtime,
) {
    let place = support::root().join(format!("target/bench-server-{count}-{}-{}", pipeline.version(), support::MAKE));
    let _inside = runtime.enter();
    let test_server = std::env::var("QDRANT_URL").is_err().then(|| QdrantServer::start(&place));
    let url = test_server.as_ref().map_or_else(|| std::env::var("QDRANT_URL").unwrap_or_default(), QdrantServer::url);
    let options = options(&url, count);
    let index = ServerIndex::open(&options, StoreShape { versions: support::versions(pipeline), dimensions: 384 })
        .expect("right options");
    runtime.block_on(index.ready(PATIENCE)).expect("the server answers");
    if runtime.block_on(index.count(Kind::Achievement, &Filter::default())).expect("a count") != count as u64 {
        eprintln!("filling a server with {count} achievements, once");
        for (kind, count) in [(Kind::Achievement, count), (Kind::Demand, QUERIES)] {
            let made = support::make(kind, embedder, runtime).take(count);
            let points: Vec<Point> = made.map(|made| support::point(made, pipeline)).collect();
            for page in points.chunks(PAGE) {
                runtime.block_on(index.upsert(kind, page.to_vec())).expect("a write");
            }
        }
        if let Some(server) = &test_server {
            server.optimize();
        }
    }
    let names: Vec<RecordName> = (0..QUERIES).map(demand).collect();
    let points = runtime.block_on(index.get(&names, FieldSelection::Everything)).expect("demands");
    let points: Vec<Point> = points.into_iter().map(|point| point.expect("a demand")).collect();
    let recall = runtime.block_on(recall(&index, &points));
    println!("server/{count}: recall@20 against brute force over {QUERIES} queries: {recall:.4}");
    let client = qdrant_client::Qdrant::from_url(&url).skip_compatibility_check().build().expect("a client");
    let collection = format!("{}_achievements_1", options.prefix);
    let mut group = criterion.benchmark_group(format!("server/{count}"));
    let next = turns();
    group.bench_function("bare client", |bencher| {
        bencher.iter(|| {
            let answer = runtime.block_on(client.query(hybrid(&collection, &points[next()]))).expect("an answer");
            assert_eq!(answer.result.len(), LIMIT);
        });
    });
    let parts = parts(Arc::new(index), pipeline, embedder);
    group.bench_function("match by id", |bencher| {
        bencher.iter_custom(|iterations| {
            let matcher = parts.matcher.clone();
            let all = async move {
                let started = Instant::now();
                for iteration in 0..iterations {
                    let page = matcher.find(request(by_id(iteration))).await.expect("a page");
                    assert_eq!(page.found.len(), LIMIT);
                }
                started.elapsed()
            };
            runtime.block_on(runtime.spawn(all)).expect("no panic")
        });
    });
    group.finish();
    drop(parts);
    if let Some(server) = test_server {
        runtime.block_on(server.stop());
    }
}

fn options(url: &str, count: usize) -> Qdrant {
    let toml = format!("[qdrant]\nurl = {url:?}\nprefix = \"bench-{count}\"");
    Config::read(&toml, []).expect("right options").qdrant.expect("an address")
}

/// Recall@20 of a search against brute force over all vectors.
async fn recall(index: &ServerIndex, queries: &[Point]) -> f64 {
    let mut best: Vec<Vec<(f32, PointId)>> = vec![Vec::new(); queries.len()];
    let mut after = None;
    loop {
        let page = PageRequest { after, limit: PAGE, with: FieldSelection::Everything };
        let page = index.scroll(Kind::Achievement, &Filter::default(), page).await.expect("a page");
        for (query, best) in queries.iter().zip(&mut best) {
            let cosine = |point: &Point| query.dense.iter().zip(&point.dense).map(|(a, b)| a * b).sum::<f32>();
            best.extend(page.points.iter().map(|point| (cosine(point), point.id())));
            best.sort_by(|one, other| other.0.total_cmp(&one.0));
            best.truncate(LIMIT);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut found = 0;
    for (query, best) in queries.iter().zip(&best) {
        let search = Search { dense: Some(query.dense.clone()), depth: CANDIDATES, ..Search::default() };
        let hits = index.search(Kind::Achievement, search).await.expect("candidates").dense;
        let first: HashSet<PointId> = hits.iter().take(LIMIT).map(|hit| hit.id).collect();
        found += best.iter().filter(|(_, id)| first.contains(id)).count();
    }
    found as f64 / (queries.len() * LIMIT) as f64
}

/// The server's own hybrid query, as a plain user of the bare client would write it.
fn hybrid(collection: &str, point: &Point) -> QueryPointsBuilder {
    let sparse = point.query.sparse();
    let limit = CANDIDATES as u64;
    let dense = PrefetchQueryBuilder::default()
        .query(Query::new_nearest(VectorInput::new_dense(point.dense.clone())))
        .using("dense")
        .params(SearchParamsBuilder::default().hnsw_ef(BEAM as u64))
        .limit(limit);
    let sparse = PrefetchQueryBuilder::default()
        .query(Query::new_nearest(VectorInput::new_sparse(sparse.indices, sparse.values)))
        .using("sparse")
        .limit(limit);
    QueryPointsBuilder::new(collection)
        .add_prefetch(dense)
        .add_prefetch(sparse)
        .query(Query::new_fusion(Fusion::Rrf))
        .limit(LIMIT as u64)
        .with_payload(true)
}
