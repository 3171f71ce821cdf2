//! Measures the index: `cargo run --release --example index_scale -- FOLDER POINTS`. With a folder that is there already
//! it only opens and searches it.

#[path = "../tests/index_contract/sample.rs"]
#[allow(dead_code, reason = "shared with the tests, which need more of it")]
mod sample;

use std::{
    env, fs,
    path::Path,
    sync::LazyLock,
    time::{Duration, Instant},
};

use duijie::{
    domain::{Filter, Kind, Record},
    index::{EdgeIndex, EdgeOptions, Index, Point, PointId, Search, With, edge::Tuning},
    text::LexicalQuery,
};
use sample::Dice;

const KIND: Kind = Kind::Achievement;
const DIMENSIONS: usize = 384;
const TERMS: usize = 40;
const VOCABULARY: usize = 50_000;
const ROUNDS: usize = 500;

/// Directions that the embeddings are made of: those of a real model lie near far fewer dimensions than they have.
/// Numbers without any structure are all equally far from each other, and no graph finds anything among them.
static DIRECTIONS: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| {
    let dice = &mut Dice::new(5);
    (0..24).map(|_| sample::dense(dice, DIMENSIONS)).collect()
});

fn dense(dice: &mut Dice) -> Vec<f32> {
    let mut sum: Vec<f32> = sample::dense(dice, DIMENSIONS).into_iter().map(|noise| noise * 0.3).collect();
    for direction in DIRECTIONS.iter() {
        let weight = dice.float() + dice.float();
        sum.iter_mut().zip(direction).for_each(|(sum, part)| *sum += weight * part);
    }
    sum
}

fn point(number: usize, dice: &mut Dice) -> Point {
    let mut record: Record = sample::record(KIND, &format!("r-{number}"), dice);
    record.body = "一种用于薄板激光焊接的在线监测方法，".repeat(15);
    let terms = (0..TERMS).map(|term| (format!("词{term}"), dice.float())).collect();
    Point { record, dense: dense(dice), sparse: sample::sparse(dice, TERMS, VOCABULARY), query: LexicalQuery { terms } }
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
    };
    format!("RSS {} MiB: {} anonymous, {} of files", line("VmRSS"), line("RssAnon"), line("RssFile"))
}

fn disk(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() {
            disk(&entry.path())
        } else {
            std::os::unix::fs::MetadataExt::blocks(&metadata) * 512
        };
    }
    bytes
}

async fn time(what: &str, mut call: impl AsyncFnMut(usize)) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let started = Instant::now();
        call(round).await;
        times.push(started.elapsed());
    }
    times.sort();
    let at = |share: f64| times[(share * (ROUNDS - 1) as f64) as usize];
    println!("{what:<34} p50 {:>9.3?}  p99 {:>9.3?}", at(0.5), at(0.99));
}

async fn fill(index: &EdgeIndex, count: usize, dice: &mut Dice) {
    let mut busy = Duration::ZERO;
    for start in (0..count).step_by(1_000) {
        let points: Vec<Point> = (start..count.min(start + 1_000)).map(|number| point(number, dice)).collect();
        let started = Instant::now();
        index.upsert(KIND, points).await.expect("upsert");
        busy += started.elapsed();
    }
    println!("ingest of {count}: {busy:.1?}, {:.0} points/s; {}", count as f64 / busy.as_secs_f64(), memory());
}

async fn ask(index: &EdgeIndex, count: usize, dice: &mut Dice) {
    let queries: Vec<Point> = (0..ROUNDS).map(|number| point(number, dice)).collect();
    let region = Filter { regions: vec!["130100".into()], ..Filter::default() };
    let narrow = Filter { industries: vec!["C3851".into()], sources: vec!["tianjin".into()], ..region.clone() };
    let search = |query: &Point, dense: bool, sparse: bool, filter: &Filter| Search {
        dense: dense.then(|| query.dense.clone()),
        sparse: sparse.then(|| query.sparse.clone()),
        filter: filter.clone(),
        depth: 100,
        exclude: None,
    };
    let all = Filter::default();
    for (what, dense, sparse, filter) in [
        ("dense, 100", true, false, &all),
        ("sparse, 100", false, true, &all),
        ("both, 100 + 100", true, true, &all),
        ("both, region", true, true, &region),
        ("both, region + industry + source", true, true, &narrow),
    ] {
        time(what, async |round| {
            drop(index.search(KIND, search(&queries[round], dense, sparse, filter)).await.expect("search"));
        })
        .await;
    }
    let names: Vec<_> = (0..ROUNDS).map(|_| sample::record(KIND, "x", dice).name()).collect();
    time("an empty job (no such record)", async |round| {
        drop(index.get(&names[round..=round], With::Payload).await.expect("get"));
    })
    .await;
    let page = index.scroll(KIND, &all, None, 10_000.min(count)).await.expect("scroll").points;
    let names: Vec<_> = page.iter().map(|point| point.record.name()).collect();
    let ids: Vec<PointId> = page.iter().map(Point::id).collect();
    time("get 1", async |round| {
        drop(index.get(&names[round * 7 % names.len()..][..1], With::Payload).await.expect("get"));
    })
    .await;
    time("fetch 20", async |round| {
        let start = round * 19 % (ids.len() - 20);
        drop(index.fetch(KIND, &ids[start..start + 20], With::Sparse).await.expect("fetch"));
    })
    .await;
    time("count, region", async |_| {
        index.count(KIND, &region).await.expect("count");
    })
    .await;
    time("scroll 20, region", async |round| {
        drop(index.scroll(KIND, &region, Some(ids[round]), 20).await.expect("scroll"));
    })
    .await;
    println!("{}", memory());
}

/// Share of the 20 nearest, by going through all points, that a search of 100 finds.
async fn recall(index: &EdgeIndex, count: usize, filter: &Filter, kept: impl Fn(&Record) -> bool, what: &str) {
    let asking = &mut Dice::new(99);
    let queries: Vec<Vec<f32>> = (0..50).map(|_| dense(asking)).collect();
    let mut nearest: Vec<Vec<(f32, PointId)>> = vec![Vec::new(); queries.len()];
    let (dice, mut left) = (&mut Dice::new(1), 0);
    for point in (0..count).map(|number| point(number, dice)).filter(|point| kept(&point.record)) {
        left += 1;
        let length = point.dense.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (query, nearest) in queries.iter().zip(&mut nearest) {
            let score = query.iter().zip(&point.dense).map(|(a, b)| a * b).sum::<f32>() / length;
            if nearest.len() < 20 || nearest[19].0 < score {
                let place = nearest.partition_point(|(other, _)| score < *other);
                nearest.insert(place, (score, point.id()));
                nearest.truncate(20);
            }
        }
    }
    let mut found = 0;
    for (query, nearest) in queries.iter().zip(&nearest) {
        let search = Search { dense: Some(query.clone()), depth: 100, filter: filter.clone(), ..Search::default() };
        let hits = index.search(KIND, search).await.expect("search").dense;
        found += nearest.iter().filter(|(_, id)| hits.iter().any(|hit| hit.id == *id)).count();
    }
    println!("recall {what}: {:.3} ({left} points)", found as f64 / (20 * queries.len()) as f64);
}

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let folder = args.next().expect("folder");
    let count: usize = args.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let folder = Path::new(&folder);
    let options = EdgeOptions {
        dimensions: DIMENSIONS,
        tuning: Tuning {
            optimize_after_points: u64::MAX,
            graph_threads: env::var("THREADS").map_or(1, |n| n.parse().unwrap_or(1)),
            ..Tuning::default()
        },
        ..sample::options(folder)
    };
    let dice = &mut Dice::new(1);
    if !folder.join("store.json").exists() {
        let index = EdgeIndex::open(options.clone()).expect("open");
        fill(&index, count, dice).await;
        println!("-- before the graph is built");
        ask(&index, count, dice).await;
        let started = Instant::now();
        index.optimize().expect("optimize");
        println!("optimize: {:.1?}; {}; {} MiB on disk", started.elapsed(), memory(), disk(folder) >> 20);
        index.close();
    }
    let started = Instant::now();
    let index = EdgeIndex::open(options).expect("open");
    println!("open: {:.3?}; {}; {:?}", started.elapsed(), memory(), index.status().kinds[0]);
    ask(&index, count, dice).await;
    recall(&index, count, &Filter::default(), |_| true, "of all").await;
    let filter = Filter { industries: vec!["C".into()], ..Filter::default() };
    recall(&index, count, &filter, |record| record.industry.starts_with('C'), "industry C").await;
    let filter = Filter { regions: vec!["130000".into()], sources: vec!["local".into()], ..Filter::default() };
    let kept = |record: &Record| record.region.starts_with("13") && record.source == "local";
    recall(&index, count, &filter, kept, "region + source").await;
    let filter = Filter { fields: vec!["10".into()], ..filter };
    recall(&index, count, &filter, |r| kept(r) && r.field.starts_with("10"), "region + source + field").await;
    let mut points: Vec<Point> = (0..ROUNDS).map(|number| point(count + number, dice)).collect();
    time("upsert 1", async |round| {
        let point = std::mem::replace(&mut points[round], point(0, dice));
        drop(index.upsert(KIND, vec![point]).await.expect("upsert"));
    })
    .await;
    index.close();
    println!("{} MiB on disk; {}", disk(folder) >> 20, memory());
}
