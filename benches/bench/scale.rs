//! Growth of one kind's store: `DUIJIE_SCALE_RECORDS=100000,1000000 cargo bench --bench bench -- scale` prints the
//! table used in `docs/scale.md`. Without criterion: a store is built once, below `target/`, and measured once.
//!
//! Each step (write, graph, measure) runs in its own process, so that its memory is measured alone; a finished step is
//! not repeated. `DUIJIE_SCALE_THREADS` sets the number of threads that build the graph (default: half of the cores).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use comfy_table::{Table, presets};
use duijie_core::{
    domain::{Filter, Kind, Record, codes::Status},
    text::TextPipeline,
};
use duijie_embed::Embedder;
use duijie_store::{EdgeIndex, EdgeOptions, FieldSelection, Index, Point, Records, Retrieval, Search, Tuning};
use qdrant_edge::{EdgeShard, NamedQuery, QueryEnum, SearchParams, SearchRequest, VectorInternal};
use tokio::runtime::Runtime;

use crate::{
    matching::{CANDIDATES, LIMIT, QUERIES, by_id, demand, parts, request},
    process_memory::Memory,
    support::{self, Made},
};

/// Variable that tells a child process its step and its store, such as `graph 100000`.
const STEP: &str = "DUIJIE_SCALE_STEP";
/// Depths at which the dense list is compared with the exact nearest: a deeper search visits more of the graph.
const DEPTHS: [usize; 3] = [CANDIDATES, 2 * CANDIDATES, 5 * CANDIDATES];
/// Searches per row of latencies: each query four times.
const SEARCHES: usize = 4 * QUERIES;
/// Update time of the first record, in seconds since 1970. Each further one is a second later: in a real catalogue no
/// two are equal.
const FIRST_UPDATE_S: i64 = 1_700_000_000;
/// Interval between lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

/// Data shared by all steps.
struct Bench {
    count: usize,
    folder: PathBuf,
    pipeline: Arc<TextPipeline>,
    embedder: Embedder,
    runtime: Runtime,
}

/// Names and values for one store, in the order of measurement.
#[derive(Default)]
struct Report(Vec<(String, String)>);

/// Runs every step for every size or, in a child process, its single step.
pub fn run() {
    if let Ok(step) = std::env::var(STEP) {
        let (step, count) = step.split_once(' ').expect("a step and a number");
        return run_step(step, count.parse().expect("a number"));
    }
    let counts = std::env::var("DUIJIE_SCALE_RECORDS").unwrap_or_else(|_| "100000".to_string());
    let counts: Vec<&str> = counts.split(',').map(str::trim).collect();
    let columns: Vec<Vec<(String, String)>> = counts.iter().map(|count| all_steps(count)).collect();
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["records"].into_iter().chain(counts.iter().copied()));
    let names = columns.first().into_iter().flatten().map(|(name, _)| name.clone());
    for name in names {
        let value = |column: &Vec<(String, String)>| {
            column.iter().find(|(other, _)| *other == name).map_or(String::new(), |(_, value)| value.clone())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        table.add_row([name].into_iter().chain(values));
    }
    println!("{table}");
}

fn all_steps(count: &str) -> Vec<(String, String)> {
    let step = |step: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("scale").env(STEP, format!("{step} {count}")).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = command.output().expect("a process");
        assert!(output.status.success(), "the step {step} of {count} records failed");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().filter_map(|line| line.split_once('\t')).map(|(a, b)| (a.into(), b.into())).collect::<Vec<_>>()
    };
    ["write", "graph", "measure"].into_iter().flat_map(step).collect()
}

fn run_step(step: &str, count: usize) {
    let pipeline = Arc::new(support::pipeline());
    let folder = support::root().join(format!("target/scale-store-{count}-{}-{}", pipeline.version(), support::MAKE));
    let done = folder.with_extension(step);
    if let Ok(report) = fs::read_to_string(&done) {
        return print!("{report}");
    }
    let (embedder, runtime) = (support::embedder(), Runtime::new().expect("a runtime"));
    let bench = Bench { count, folder, pipeline, embedder, runtime };
    let mut report = Report::default();
    match step {
        "write" => bench.write(&mut report),
        "graph" => bench.graph(&mut report),
        _ => bench.measure(&mut report),
    }
    let text: String = report.0.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect();
    if step != "measure" {
        fs::write(done, &text).expect("target/ can be written");
    }
    print!("{text}");
}

// === impl Bench ===

impl Bench {
    /// Opens the store; graphs are built only on request.
    fn open(&self) -> Arc<EdgeIndex> {
        let threads = std::env::var("DUIJIE_SCALE_THREADS").ok().and_then(|threads| threads.parse().ok());
        let quiet = Duration::from_secs(365 * 24 * 3600);
        let tuning = Tuning { optimize_after_points: u64::MAX, optimize_after_rest: quiet, ..Tuning::default() };
        let graph_threads = threads.unwrap_or(tuning.graph_threads);
        let options = EdgeOptions::new(self.folder.clone(), 384, support::versions(&self.pipeline));
        let options = EdgeOptions { tuning: Tuning { graph_threads, ..tuning }, ..options };
        Arc::new(EdgeIndex::open(options).expect("the store"))
    }

    /// Writes the records. Another thread segments the texts a few batches ahead.
    fn write(&self, report: &mut Report) {
        let _ = fs::remove_dir_all(&self.folder);
        let index = self.open();
        let demands = support::make(Kind::Demand, &self.embedder, &self.runtime).take(QUERIES);
        let demands: Vec<Point> = demands.map(|made| support::point(made, &self.pipeline)).collect();
        self.runtime.block_on(index.upsert(Kind::Demand, demands)).expect("a write");
        let records = support::make(Kind::Achievement, &self.embedder, &self.runtime).take(self.count).enumerate();
        let (sender, batches) = mpsc::sync_channel(2);
        let (started, mut writing, mut written, mut said) = (Instant::now(), Duration::ZERO, 0, Instant::now());
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut points = records.map(|(number, made)| support::point(updated(number, made), &self.pipeline));
                loop {
                    let batch: Vec<Point> = points.by_ref().take(support::BATCH).collect();
                    if batch.is_empty() || sender.send(batch).is_err() {
                        break;
                    }
                }
            });
            for batch in batches {
                written += batch.len();
                let before = Instant::now();
                self.runtime.block_on(index.upsert(Kind::Achievement, batch)).expect("a write");
                writing += before.elapsed();
                if PROGRESS_EVERY < said.elapsed() {
                    said = Instant::now();
                    eprintln!("{written} written in {:.0} s, {}", started.elapsed().as_secs_f64(), Memory::now());
                }
            }
        });
        let memory = Memory::now();
        close(index);
        report.add("write: all, cutting of texts beside it, s", format!("{:.0}", started.elapsed().as_secs_f64()));
        report.add("write: within the index, s", format!("{:.0}", writing.as_secs_f64()));
        report.add("write: points/s within the index", format!("{:.0}", self.count as f64 / writing.as_secs_f64()));
        report.add("write: memory at its end (with model), MB", memory.to_string());
        report.add("write: highest memory, MB", Memory::now().highest_mb);
        report.add("write: disk, MB", mb(disk(&self.folder)));
    }

    /// Builds the graph and merges the segments into few.
    fn graph(&self, report: &mut Report) {
        let started = Instant::now();
        let index = self.open();
        report.add("graph: opening without graphs, s", format!("{:.1}", started.elapsed().as_secs_f64()));
        report.add("graph: memory before (with model), MB", Memory::now());
        let started = Instant::now();
        let (stop, stopped) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while stopped.recv_timeout(PROGRESS_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    eprintln!("graphs since {:.0} s, {}", started.elapsed().as_secs_f64(), Memory::now());
                }
            });
            index.optimize().expect("graphs");
            drop(stop);
        });
        report.add("graph: building, s", format!("{:.0}", started.elapsed().as_secs_f64()));
        report.add("graph: highest memory (with model), MB", Memory::now().highest_mb);
        close(index);
    }

    fn measure(&self, report: &mut Report) {
        let bare = Memory::now();
        let started = Instant::now();
        let index = self.open();
        report.add("open, s", format!("{:.2}", started.elapsed().as_secs_f64()));
        report.add("memory without the store: model and dictionary, MB", bare);
        report.add("memory after opening, MB", Memory::now());
        self.sizes(&index, report);
        let names: Vec<_> = (0..QUERIES).map(demand).collect();
        let queries = self.runtime.block_on(index.get(&names, FieldSelection::Everything)).expect("demands");
        let queries: Vec<Point> = queries.into_iter().flatten().collect();
        // each query for the first time, as after a start
        self.matches(&index, QUERIES, "match by id, first 256", report);
        report.add("memory after 256 matches, MB", Memory::now());
        self.searches(&index, &queries, report);
        self.matches(&index, SEARCHES, "match by id", report);
        report.add("memory at the end, MB", Memory::now());
        let lists = DEPTHS.map(|depth| self.lists(&index, &queries, depth));
        close(index);
        self.recall(&queries, &lists, report);
    }

    fn sizes(&self, index: &EdgeIndex, report: &mut Report) {
        let status = index.status();
        let status = status.kinds.iter().find(|status| status.kind == Kind::Achievement).expect("a kind");
        report.add("points", status.points);
        report.add("points in a graph", status.indexed);
        report.add("segments", status.segments);
        let folder = self.folder.join(Kind::Achievement.collection());
        let engine = folder.join("engine");
        report.add("disk: engine, MB", mb(disk(&engine)));
        report.add("disk: its own log, MB", mb(disk(&engine.join("wal"))));
        report.add("disk: journal, MB", mb(disk(&folder.join("journal"))));
        let mut parts: BTreeMap<String, u64> = BTreeMap::new();
        for segment in fs::read_dir(engine.join("segments")).expect("segments") {
            for part in fs::read_dir(segment.expect("a segment").path()).expect("a segment") {
                let part = part.expect("a part").path();
                let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let name = name.split('.').next().unwrap_or_default().to_string();
                *parts.entry(name).or_default() += disk(&part);
            }
        }
        for part in PARTS {
            let bytes = parts.get(part).copied().unwrap_or(0) as f64;
            report.add(&format!("bytes per record on disk: {part}"), format!("{:.0}", bytes / status.points as f64));
        }
    }

    /// Latencies of the sources.
    fn searches(&self, index: &Arc<EdgeIndex>, queries: &[Point], report: &mut Report) {
        let region = Filter { regions: vec!["130100".into()], statuses: vec![Status::Active], ..Filter::default() };
        let left = self.runtime.block_on(index.count(Kind::Achievement, &region)).expect("a number");
        report.add("records that the filter leaves", left);
        let none = Filter::default();
        let rows = [
            ("dense", (true, false), &none),
            ("sparse", (false, true), &none),
            ("hybrid", (true, true), &none),
            ("filtered hybrid", (true, true), &region),
        ];
        for (name, (dense, sparse), filter) in rows {
            let search = |number: usize| {
                let point = &queries[number % queries.len()];
                Search {
                    dense: dense.then(|| point.dense.clone()),
                    sparse: sparse.then(|| point.query.sparse()),
                    filter: filter.clone(),
                    depth: CANDIDATES,
                    exclude: Vec::new(),
                    within: None,
                }
            };
            let searches: Vec<Search> = (0..SEARCHES).map(search).collect();
            let index = Arc::clone(index);
            // on a worker thread, as in the service
            let all = self.runtime.spawn(async move {
                let mut took = Vec::new();
                for search in searches {
                    let started = Instant::now();
                    index.search(Kind::Achievement, search).await.expect("candidates");
                    took.push(started.elapsed());
                }
                took
            });
            let took = self.runtime.block_on(all).expect("no panic");
            report.latencies(&format!("{name}, depth {CANDIDATES}"), took);
        }
    }

    /// The first hits of each query's dense list at a given depth.
    fn lists(&self, index: &EdgeIndex, queries: &[Point], depth: usize) -> Vec<Vec<String>> {
        let list = |point: &Point| {
            let search = Search { dense: Some(point.dense.clone()), depth, ..Search::default() };
            let found = self.runtime.block_on(index.search(Kind::Achievement, search)).expect("candidates");
            found.dense.into_iter().take(LIMIT).map(|hit| hit.id.to_string()).collect()
        };
        queries.iter().map(list).collect()
    }

    fn matches(&self, index: &Arc<EdgeIndex>, turns: usize, name: &str, report: &mut Report) {
        let matcher = parts(index.clone(), &self.pipeline, &self.embedder).matcher;
        let all = self.runtime.spawn(async move {
            let mut took = Vec::new();
            for turn in 0..turns {
                let started = Instant::now();
                let page = matcher.find(request(by_id(turn as u64))).await.expect("a page");
                took.push(started.elapsed());
                assert_eq!(page.found.len(), LIMIT);
            }
            took
        });
        let took = self.runtime.block_on(all).expect("no panic");
        report.latencies(&format!("{name}, page of {LIMIT}"), took);
    }

    /// Share of the exact nearest that are among the first of the dense lists.
    fn recall(&self, queries: &[Point], lists: &[Vec<Vec<String>>], report: &mut Report) {
        let engine = self.folder.join(Kind::Achievement.collection()).join("engine");
        let shard = EdgeShard::load(&engine, None).expect("the shard");
        let (started, mut found) = (Instant::now(), vec![0; lists.len()]);
        for (number, query) in queries.iter().enumerate() {
            let nearest = shard.search(SearchRequest {
                query: QueryEnum::Nearest(NamedQuery::new(VectorInternal::Dense(query.dense.clone()), "dense")),
                filter: None,
                params: Some(SearchParams { exact: true, ..SearchParams::default() }),
                limit: LIMIT,
                offset: 0,
                with_payload: None,
                with_vector: None,
                score_threshold: None,
            });
            let nearest: Vec<String> = nearest.expect("an answer").iter().map(|point| point.id.to_string()).collect();
            for (lists, found) in lists.iter().zip(&mut found) {
                *found += nearest.iter().filter(|id| lists[number].contains(id)).count();
            }
        }
        for (depth, found) in DEPTHS.iter().zip(found) {
            let share = f64::from(u32::try_from(found).unwrap_or(0)) / (LIMIT * queries.len()) as f64;
            report.add(&format!("recall@{LIMIT} of the dense list, depth {depth}"), format!("{share:.4}"));
        }
        let each_ms = started.elapsed().as_secs_f64() * 1e3 / queries.len() as f64;
        report.add("dense by going through all, mean ms", format!("{each_ms:.1}"));
    }
}

/// Parts of a segment's folder, for separate sizes.
const PARTS: [&str; 7] = [
    "vector_storage-dense",
    "vector_index-dense",
    "vector_storage-sparse",
    "vector_index-sparse",
    "payload_storage",
    "payload_index",
    "id_tracker",
];

// === impl Report ===

impl Report {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_string(), value.to_string()));
    }

    fn latencies(&mut self, name: &str, mut took: Vec<Duration>) {
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        self.add(&format!("{name}: p50 / p99, ms"), format!("{:.2} / {:.2}", at(0.5), at(0.99)));
    }
}

fn updated(number: usize, made: Made) -> Made {
    let time = jiff::Timestamp::from_second(FIRST_UPDATE_S + number as i64).ok();
    Made { record: Record { create_time: time, update_time: time, ..made.record }, ..made }
}

fn close(index: Arc<EdgeIndex>) {
    Arc::into_inner(index).expect("nobody else uses it").close();
}

/// Bytes on disk of a file or folder; the engine's files are longer than their content.
fn disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    let inner = if metadata.is_dir() { fs::read_dir(path).ok() } else { None };
    let inner = inner.into_iter().flatten().flatten().map(|entry| disk(&entry.path()));
    512 * metadata.blocks() + inner.sum::<u64>()
}

fn mb(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}
