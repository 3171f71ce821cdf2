//! Three real Qdrant nodes, of which one is killed, and two instances that write meanwhile.
//!
//! It needs a Qdrant server's binary: `QDRANT_BIN=/path/to/qdrant cargo test --release --test qdrant_cluster`. Without
//! one it says so and tests nothing; it has no test cases, so nothing counts as passed. `QDRANT_CHOICES` names what to
//! try instead of what is recommended, as copies:factor:ordering, such as `2:2:strong`; those are only measured.
//!
//! For each choice: two instances open an empty cluster at the same time and import at once, several times. Then each
//! node in turn is killed with SIGKILL under load and comes back. Writing must go on within [`BOUND`], nothing that was
//! acknowledged may be missing (while the node is away and afterwards), and in the end all nodes must give the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod cluster;
mod load;
#[path = "../it/index/sample.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod sample;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use cluster::{Cluster, NODES};
use duijie_core::domain::Kind;
use duijie_store::{
    Pace, Qdrant, QdrantLayout, Quantization, Records, ServerIndex, StoreShape, WriteOrdering, Written,
};
use load::{Ledger, Load};
use sample::{DIMENSIONS, Dice};

/// Longest time until writing goes on: generous, as machines that test may be busy. The aim is 10 s.
const BOUND: Duration = Duration::from_secs(60);
/// How long the load goes on without the node, once it writes.
const WITHOUT: Duration = Duration::from_secs(3);
/// Stores that are created on a cluster, one after the other, each by two instances.
const STARTS: usize = 3;
/// What is recommended.
const RECOMMENDED: &str = "3:2:medium,2:1:medium";

/// Settings of a cluster.
#[derive(Debug, Clone)]
struct Choice {
    copies: u32,
    factor: u32,
    ordering: WriteOrdering,
}

fn main() -> ExitCode {
    // a filter of test names that does not mean this one
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if filter.is_some_and(|filter| !"qdrant_cluster".contains(&filter)) {
        return ExitCode::SUCCESS;
    }
    let Some(binary) = std::env::var_os("QDRANT_BIN").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        eprintln!("\n  qdrant_cluster: NOT RUN, nothing was tested: QDRANT_BIN names no Qdrant server\n");
        return ExitCode::SUCCESS;
    };
    let choices = std::env::var("QDRANT_CHOICES").ok();
    let recommended = choices.is_none();
    let choices: Vec<Choice> = choices.as_deref().unwrap_or(RECOMMENDED).split(',').map(choice).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut problems = Vec::new();
    println!(
        "\n| copies, confirming, ordering | what | writing goes on after | refused | longest write | longest read, failed | acknowledged | lost | whole again after |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for choice in choices {
        problems.extend(runtime.block_on(try_choice(&binary, &choice)));
    }
    println!("\n{} problems", problems.len());
    for problem in &problems {
        println!("- {problem}");
    }
    if problems.is_empty() || !recommended { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries one choice and returns what went wrong.
async fn try_choice(binary: &Path, choice: &Choice) -> Vec<String> {
    let mut problems = Vec::new();
    let mut cluster = Cluster::start(binary).await;
    let mut indexes = Vec::new();
    for start in 0..STARTS {
        indexes = start_two(&cluster, choice, &prefix(start), &mut problems).await;
    }
    let prefix = prefix(STARTS - 1);
    let records = Kind::ALL.map(|kind| format!("{prefix}_{}_1", kind.collection()));
    let collections: Vec<String> =
        records.into_iter().chain(["state", "documents"].map(|what| format!("{prefix}_{what}"))).collect();
    load::prepare(&indexes[0]).await;
    let ledger = Arc::new(Ledger::default());
    let mut peers = Vec::new();
    for place in 0..NODES {
        peers.push(cluster.peer(place).await.id);
    }
    for place in 0..NODES {
        let who = format!("{choice}, node {}", place + 1);
        let load = Load::start(&indexes, &ledger).await;
        load.all_written(BOUND).await.expect("all nodes are there");
        let peer = cluster.peer(place).await;
        let (leads, is_last) = (peer.is_leader, peers.iter().all(|id| *id <= peer.id));
        cluster.kill(place);
        ledger.mark();
        let after = load.all_written(BOUND).await;
        tokio::time::sleep(WITHOUT).await;
        let since = ledger.since();
        let mut lost = ledger.lost(&indexes[0]).await;
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        // at once: a slow machine may not get further
        print!(
            "| {choice} | node {} killed{}{} | {} | {} | {} | {} ms, {} |",
            place + 1,
            if leads { ", leads the consensus" } else { "" },
            if is_last { ", highest id" } else { "" },
            after.map_or("never".to_string(), seconds),
            since.refused,
            seconds(since.write),
            since.read.as_millis(),
            since.failed,
        );
        let _ = std::io::stdout().flush();
        let began = Instant::now();
        cluster.revive(place).await;
        cluster.wait_whole(&collections).await;
        let back = began.elapsed();
        load.stop().await;
        cluster.wait_whole(&collections).await;
        lost.extend(ledger.lost(&indexes[1]).await);
        let differ = differences(&cluster, &prefix).await;
        let (stored, marks) = ledger.counts();
        println!(
            " {stored} + {marks} | {} | {}{} |",
            lost.len(),
            seconds(back),
            if differ.is_empty() { "" } else { ", DIFFERENT" },
        );
        for sentence in &since.sentences {
            println!("    refused: {sentence}");
        }
        problems.extend(after.is_none().then(|| format!("{who}: no writes within {BOUND:?}\n{}", cluster.logs())));
        problems.extend(lost.iter().take(5).map(|lost| format!("{who}: {lost} was acknowledged and is lost")));
        problems.extend(differ.iter().take(5).map(|differ| format!("{who}: {differ}")));
        problems.extend((0 < since.failed).then(|| format!("{who}: {} reads failed", since.failed)));
        if after.is_none() || !differ.is_empty() {
            break;
        }
    }
    problems
}

/// Two instances open an empty store at the same time and import at once.
async fn start_two(
    cluster: &Cluster,
    choice: &Choice,
    prefix: &str,
    problems: &mut Vec<String>,
) -> Vec<Arc<ServerIndex>> {
    let began = Instant::now();
    let indexes: Vec<Arc<ServerIndex>> = (0..2).map(|_| Arc::new(open(cluster.urls(), choice, prefix))).collect();
    for index in &indexes {
        index.ready(BOUND).await.unwrap();
    }
    let ready = began.elapsed();
    let import = async |index: &ServerIndex, seed: u64| -> Result<(), String> {
        for kind in Kind::ALL {
            let mut dice = Dice::new(seed);
            let records = (0..100).map(|place| sample::record(kind, &format!("first-{seed}-{place}"), &mut dice));
            let records: Vec<_> = records.collect();
            let points = records.into_iter().map(|record| sample::point(record, &mut dice)).collect();
            let written = index.upsert(kind, points).await.map_err(|error| error.to_string())?;
            assert!(written.iter().all(|it| *it == Written::Created));
        }
        Ok(())
    };
    let imported = tokio::join!(import(&indexes[0], 1), import(&indexes[1], 2));
    let refused: Vec<String> = [imported.0, imported.1].into_iter().filter_map(Result::err).collect();
    println!(
        "| {choice} | two instances start on an empty cluster: {:.1} s, first import of 600 {:.1} s later | | {} | | | 600 | | |",
        ready.as_secs_f64(),
        (began.elapsed() - ready).as_secs_f64(),
        refused.len(),
    );
    problems.extend(refused.into_iter().map(|refused| format!("{choice}: the first import was refused: {refused}")));
    indexes
}

/// What the nodes say differently. Each is asked alone and answers from its own copies where it has them.
async fn differences(cluster: &Cluster, prefix: &str) -> Vec<String> {
    let any = Choice { copies: 1, factor: 1, ordering: WriteOrdering::Medium };
    let mut seen = Vec::new();
    for place in 0..NODES {
        let index = ServerIndex::open_any(&options(vec![cluster.url(place)], &any, prefix), Pace::default()).unwrap();
        index.ready(BOUND).await.unwrap();
        seen.push(load::everything(&index, Kind::Demand).await);
    }
    let mut different = Vec::new();
    for (place, other) in seen.iter().enumerate().skip(1) {
        let first = &seen[0];
        let names = first.keys().chain(other.keys()).filter(|name| first.get(*name) != other.get(*name));
        different.extend(names.map(|name| format!("{name} is not the same on node 1 and node {}", place + 1)));
    }
    different
}

fn open(urls: Vec<String>, choice: &Choice, prefix: &str) -> ServerIndex {
    ServerIndex::open(&options(urls, choice, prefix), shape()).unwrap()
}

/// The defaults of the service's configuration, as far as they do not depend on the choice.
fn options(urls: Vec<String>, choice: &Choice, prefix: &str) -> Qdrant {
    Qdrant {
        urls,
        api_key: None,
        ca_file: None,
        prefix: prefix.to_string(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(10),
        attempts: 3,
        layout: QdrantLayout {
            shard_number: 6,
            replication_factor: choice.copies,
            write_consistency_factor: choice.factor,
            write_ordering: choice.ordering,
            vectors_on_disk: false,
            payload_on_disk: true,
            quantization: Quantization::None,
            oversampling: 3.0,
        },
    }
}

fn shape() -> StoreShape {
    StoreShape { versions: sample::options(Path::new("")).versions, dimensions: DIMENSIONS }
}

fn prefix(start: usize) -> String {
    format!("start{start}")
}

fn choice(text: &str) -> Choice {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [copies, factor, ordering] = parts[..] else { panic!("{text} is no copies:factor:ordering") };
    let ordering = match ordering {
        "strong" => WriteOrdering::Strong,
        "medium" => WriteOrdering::Medium,
        other => panic!("{other} is no ordering"),
    };
    Choice { copies: copies.parse().unwrap(), factor: factor.parse().unwrap(), ordering }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ordering = match self.ordering {
            WriteOrdering::Strong => "strong",
            WriteOrdering::Medium => "medium",
        };
        write!(f, "{}, {}, {ordering}", self.copies, self.factor)
    }
}
