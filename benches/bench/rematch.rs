//! Batch re-matching against bare engine queries: `cargo bench --bench bench -- rematch` prints a table.
//!
//! `DUIJIE_BENCH_DEMANDS` (default 1000) demands against `DUIJIE_BENCH_RECORDS` (default 10000, the first number)
//! achievements. The store is built once, below `target/`; each run works on a copy. Bare queries are the same three
//! searches per demand (nearest, shared terms, nearest again), as many at a time, and nothing else. They run before and
//! after the job.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use comfy_table::{Table, presets};
use duijie::rematch::job::{Job, JobRequest, Rematch, State};
use duijie_core::domain::{Filter, Kind, RecordName, codes::Status};
use duijie_store::{EdgeIndex, EdgeOptions, FieldSelection, Point, Records, Retrieval, STORE_FORMAT, Search, Tuning};
use jiff::Timestamp;
use tokio::{runtime::Runtime, sync::oneshot};

use crate::{
    matching::{CANDIDATES, by_id, demand, parts, request},
    process_memory::Memory,
    support::{self, BATCH},
};

/// Records changed before the incremental job: half of them demands.
const CHANGED: usize = 100;
/// Most demands in a row of bare queries.
const BARE: usize = 2_000;
/// Most matches in a row of latencies.
const MATCHES: usize = 1_500;
/// Time limit of a job.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Interval between memory samples.
const LOOK_EVERY: Duration = Duration::from_millis(500);

struct Bench {
    demands: usize,
    records: usize,
    runtime: Runtime,
    index: Arc<EdgeIndex>,
    parts: duijie::app::Parts,
    /// Points not yet in the store.
    spare: [Vec<Point>; 2],
}

type Row = (String, String);

/// Prints the table.
pub fn run() {
    let bench = Bench::open();
    let mut rows = vec![("demands × achievements".to_string(), format!("{} × {}", bench.demands, bench.records))];
    let (before, cpu_before) = bench.bare();
    let cpu = cpu_seconds();
    let full = bench.full(&mut rows);
    let cpu = (cpu_seconds() - cpu) / full.counts.done as f64;
    let (after, cpu_after) = bench.bare();
    let bare = (before + after) / 2.0;
    let speed = full.demands_per_second();
    rows.push(("bare queries, demands/s".into(), format!("{before:.0} before, {after:.0} after")));
    rows.push(("job of bare queries".into(), format!("{:.0} %", 100.0 * speed / bare)));
    // on a busy machine, processor time says more than elapsed time
    let cpu_bare = (cpu_before + cpu_after) / 2.0;
    let said = format!("{:.2} and {:.2} ms: {:.0} %", cpu * 1e3, cpu_bare * 1e3, 100.0 * cpu_bare / cpu);
    rows.push(("processor time of a demand, job and bare".into(), said));
    rows.iter().for_each(|(name, value)| eprintln!("{name}: {value}"));
    bench.since(&full, &mut rows);
    bench.latency(&mut rows);
    bench.cancel(&mut rows);
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["re-matching", ""]);
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    println!("{table}");
}

// === impl Bench ===

impl Bench {
    fn open() -> Self {
        let wanted = std::env::var("DUIJIE_BENCH_DEMANDS").ok().and_then(|demands| demands.parse().ok());
        let demands = wanted.unwrap_or(1_000);
        let records = std::env::var("DUIJIE_BENCH_RECORDS").map_or(10_000, |_| support::counts().remove(0));
        let (runtime, pipeline) = (Runtime::new().expect("a runtime"), Arc::new(support::pipeline()));
        let embedder = support::embedder();
        let versions = support::versions(&pipeline);
        let version = format!("{STORE_FORMAT}-{}-{}", pipeline.version(), support::MAKE);
        let folder = format!("target/rematch-store-{demands}-{records}-{version}");
        let folder = support::root().join(folder);
        let counts = [(Kind::Demand, demands), (Kind::Achievement, records)];
        let made = |kind, skip: usize, count| {
            let points = support::make(kind, &embedder, &runtime).skip(skip).take(count);
            points.map(|made| support::point(made, &pipeline)).collect::<Vec<Point>>()
        };
        let open = |folder: &Path| {
            let tuning = Tuning { graph_threads: 2, ..Tuning::default() };
            let options = EdgeOptions::new(folder.to_path_buf(), 384, versions.clone());
            Arc::new(EdgeIndex::open(EdgeOptions { tuning, ..options }).expect("the store"))
        };
        if !folder.with_extension("done").exists() {
            let _ = fs::remove_dir_all(&folder);
            eprintln!("building a store of {demands} demands and {records} achievements, once");
            let index = open(&folder);
            for (kind, count) in counts {
                let mut points = support::make(kind, &embedder, &runtime).take(count);
                loop {
                    let batch = points.by_ref().take(BATCH).map(|made| support::point(made, &pipeline));
                    let batch: Vec<Point> = batch.collect();
                    if batch.is_empty() {
                        break;
                    }
                    runtime.block_on(index.upsert(kind, batch)).expect("a write");
                }
            }
            index.optimize().expect("graphs");
            Arc::into_inner(index).expect("the only one").close();
            fs::write(folder.with_extension("done"), "").expect("target/ can be written");
        }
        let index = open(&copy(&folder));
        let parts = runtime.block_on(async { parts(index.clone(), &pipeline, &embedder) });
        let spare = counts.map(|(kind, count)| made(kind, count, CHANGED / 2));
        Self { demands, records, runtime, index, parts, spare }
    }

    /// Demands per second of the searches alone, and processor seconds per demand.
    fn bare(&self) -> (f64, f64) {
        let count = self.demands.min(BARE);
        let names: Vec<RecordName> = (0..count).map(demand).collect();
        let points = self.runtime.block_on(self.index.get(&names, FieldSelection::Everything)).expect("demands");
        let points: Arc<Vec<Point>> = Arc::new(points.into_iter().flatten().collect());
        let next = Arc::new(AtomicUsize::new(0));
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let tasks: Vec<_> = (0..2 * cores())
            .map(|_| {
                let (index, points, next) = (Arc::clone(&self.index), Arc::clone(&points), Arc::clone(&next));
                self.runtime.spawn(async move {
                    while let Some(point) = points.get(next.fetch_add(1, Relaxed)) {
                        searches(&index, point).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            self.runtime.block_on(task).expect("no panic");
        }
        let count = points.len() as f64;
        (count / started.elapsed().as_secs_f64(), (cpu_seconds() - cpu) / count)
    }

    fn full(&self, rows: &mut Vec<Row>) -> Job {
        let (job, memory) = self.job(JobRequest::default(), |_| ());
        let seconds = job.worked_ms as f64 / 1e3;
        rows.push(("full job".into(), format!("{seconds:.1} s, {:.0} demands/s", job.demands_per_second())));
        let compared = (self.demands * self.records) as f64 / seconds;
        let kept = job.counts.pairs as f64 / seconds;
        rows.push(("pairs/s".into(), format!("{kept:.0} kept of {compared:.3e} compared")));
        let later = &memory[memory.len() / 4..];
        let ends = (later.iter().min(), later.iter().max());
        rows.push(("memory after a quarter".into(), format!("{ends:?} MB resident, least and most")));
        job
    }

    /// Runs a job to its end. `meanwhile` runs beside it, with a flag that is true while the job runs. Also returns
    /// samples of the resident memory in MB.
    fn job(&self, request: JobRequest, meanwhile: impl FnOnce(Arc<AtomicBool>)) -> (Job, Vec<u64>) {
        let runs = Arc::new(AtomicBool::new(true));
        let watched = Arc::clone(&runs);
        let memory = std::thread::spawn(move || {
            let mut seen = vec![Memory::now().resident_mb];
            while watched.load(Relaxed) {
                std::thread::sleep(LOOK_EVERY);
                seen.push(Memory::now().resident_mb);
            }
            seen
        });
        let job = self.working(|rematch| {
            let job = self.runtime.block_on(rematch.start(request)).expect("a job");
            let (rematch, runs_no_more) = (rematch.clone(), Arc::clone(&runs));
            let ended = self.runtime.spawn(async move {
                let job = rematch.wait(job.id, PATIENCE).await;
                runs_no_more.store(false, Relaxed);
                job
            });
            meanwhile(runs);
            self.runtime.block_on(ended).expect("no panic").expect("a job")
        });
        assert_eq!(job.state, State::Done, "{job:?}");
        (job, memory.join().expect("no panic"))
    }

    /// Does something while a worker runs jobs.
    fn working<T>(&self, work: impl FnOnce(&Rematch) -> T) -> T {
        let rematch = &self.parts.rematch;
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = rematch.clone();
        let worker = self.runtime.spawn(async move { worker.run(async { drop(stopped.await) }).await });
        let done = work(rematch);
        drop(stop);
        self.runtime.block_on(worker).expect("no panic");
        done
    }

    /// Time to cancel a full job in the middle.
    fn cancel(&self, rows: &mut Vec<Row>) {
        let took = self.working(|rematch| {
            self.runtime.block_on(async {
                let job = rematch.start(JobRequest::default()).await.expect("a job");
                let begun = |job: &Job| job.state.ended() || 0 < job.counts.done;
                while !begun(&rematch.get(job.id).await.expect("a job")) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let asked = Instant::now();
                rematch.cancel(job.id).await.expect("a job");
                let job = rematch.wait(job.id, PATIENCE).await.expect("a job");
                assert_eq!(job.state, State::Cancelled, "{job:?}");
                asked.elapsed()
            })
        });
        rows.push(("cancel, asked to ended".into(), format!("{} ms", took.as_millis())));
    }

    /// Cost of an incremental job after some changes.
    fn since(&self, base: &Job, rows: &mut Vec<Row>) {
        let counts = [self.demands, self.records];
        for ((kind, count), spare) in [Kind::Demand, Kind::Achievement].into_iter().zip(counts).zip(&self.spare) {
            let step = count / spare.len();
            let changed = spare.iter().enumerate().map(|(number, point)| {
                let mut point = point.clone();
                point.record.id = format!("b-{}", number * step);
                point.record.revision = 2;
                point.record.update_time = Some(Timestamp::now());
                point
            });
            let changed = self.index.upsert(kind, changed.collect());
            self.runtime.block_on(changed).expect("a write");
        }
        let started = Instant::now();
        let (job, _) = self.job(JobRequest { base: Some(base.id), ..JobRequest::default() }, |_| ());
        let (matched, seconds) = (job.counts.done - job.counts.carried, job.worked_ms as f64 / 1e3);
        let share = 100.0 * job.worked_ms as f64 / base.worked_ms as f64;
        let said = format!("{seconds:.2} s, {share:.1} % of the full job; {matched} demands matched; {:?}", job.method);
        rows.push((format!("since {CHANGED} changed records"), said));
        rows.push(("the same, start to end".into(), format!("{:.2} s", started.elapsed().as_secs_f64())));
    }

    fn latency(&self, rows: &mut Vec<Row>) {
        let alone = self.matches(Arc::new(AtomicBool::new(true)));
        let mut beside = Vec::new();
        let (job, _) = self.job(JobRequest::default(), |runs| beside = self.matches(runs));
        let count = beside.len();
        let (alone, beside) = (percentiles(alone), percentiles(beside));
        let said = |(half, max): (f64, f64)| format!("p50 {half:.2} ms, p99 {max:.2} ms");
        rows.push(("Match alone".into(), said(alone)));
        let times = beside.1 / alone.1;
        rows.push((format!("Match beside a job, {count} times"), format!("{}, {times:.2} of alone", said(beside))));
        rows.push(("that job".into(), format!("{:.0} demands/s", job.demands_per_second())));
    }

    /// Latencies of one caller who sends the next request at once, while `on` is true.
    fn matches(&self, on: Arc<AtomicBool>) -> Vec<Duration> {
        let (matcher, foreground) = (self.parts.matcher.clone(), self.parts.foreground.clone());
        let asked = async move {
            let mut took = Vec::with_capacity(MATCHES);
            while on.load(Relaxed) && took.len() < MATCHES {
                let number = took.len() as u64;
                let started = Instant::now();
                let waiting = foreground.enter();
                let page = matcher.find(request(by_id(number))).await.expect("a page");
                drop(waiting);
                assert!(!page.found.is_empty());
                took.push(started.elapsed());
            }
            took
        };
        self.runtime.block_on(self.runtime.spawn(asked)).expect("no panic")
    }
}

/// The three searches of a demand.
async fn searches(index: &EdgeIndex, point: &Point) {
    let published = Filter { statuses: vec![Status::Active], ..Filter::default() };
    let search = Search { filter: published, depth: CANDIDATES, ..Search::default() };
    let dense = Search { dense: Some(point.dense.clone()), ..search.clone() };
    let sparse = Search { sparse: Some(point.query.sparse()), ..search };
    for search in [dense.clone(), sparse, dense] {
        index.search(Kind::Achievement, search).await.expect("candidates");
    }
}

/// Processor seconds of this process so far: fields 14 and 15 of its `stat` line, in hundredths of a second.
fn cpu_seconds() -> f64 {
    let line = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn percentiles(mut took: Vec<Duration>) -> (f64, f64) {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
    (at(50), at(99))
}

/// A writable copy beside the store.
fn copy(folder: &Path) -> PathBuf {
    let copy = folder.with_extension("copy");
    let _ = fs::remove_dir_all(&copy);
    let done = Command::new("cp").arg("-r").arg(folder).arg(&copy).status().expect("cp");
    assert!(done.success());
    copy
}
