//! A job continues after its process died: after kill -9 of the only process, and on another instance of a server. It
//! also finishes on a slow engine.

use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use duijie::{
    foreground::Foreground,
    rematch::job::{DemandResult, JobRequest, Rematch, State},
};
use duijie_core::domain::Kind;
use duijie_store::Index;
use tempfile::TempDir;

use super::{PATIENCE, Worker, results, settings, stalling::Stalling, store, versions};
use crate::{
    index::{
        engines::{connect, open, options},
        sample::{self, Dice},
        server::start,
    },
    qdrant_server::Fault,
};

const FOLDER: &str = "DUIJIE_REMATCH_FOLDER";
const BLOCKS: &str = "DUIJIE_REMATCH_BLOCKS";
/// Demands: enough for 94 blocks.
const DEMANDS: usize = 3_000;

fn jobs(index: Arc<dyn Index>) -> Rematch {
    Rematch::new(index, settings(), Arc::new(versions()), Foreground::default())
}

async fn fill(index: &dyn Index, demands: usize) {
    let mut dice = Dice::new(11);
    store(index, Kind::Demand, demands, &mut dice).await;
    store(index, Kind::Achievement, 200, &mut dice).await;
}

/// Runs in the child until killed, with a time limit; prints the progress of the job.
#[tokio::test(flavor = "multi_thread")]
async fn rematch_crash_child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let blocks = env::var(BLOCKS).unwrap().parse().unwrap();
    let rematch = jobs(Arc::new(Stalling::new(Arc::new(sample::open(Path::new(&folder))), blocks)));
    let _worker = Worker::start(&rematch);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let job = rematch.list(None, 1).await.unwrap().jobs.remove(0);
        let mut out = std::io::stdout().lock();
        writeln!(out, "done {}", job.counts.done).unwrap();
        out.flush().unwrap();
        drop(out);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Starts a process whose engine accepts this many blocks.
fn child(folder: &Path, blocks: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "rematch::survives::rematch_crash_child", "--nocapture"]).env(FOLDER, folder);
    command.env(BLOCKS, blocks.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets a process work until more than `before` demands are done, then kills it.
fn run_and_kill(folder: &Path, blocks: u64, before: u64) {
    let mut child = child(folder, blocks);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let more = lines.map_while(Result::ok).any(|line| {
        let done = line.rsplit_once("done ").and_then(|(_, done)| done.parse::<u64>().ok());
        done.is_some_and(|done| before < done)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(more, "the child ended by itself");
}

fn assert_whole(results: &[DemandResult], demands: usize) {
    let names: HashSet<_> = results.iter().map(|result| &result.demand).collect();
    assert_eq!((names.len(), results.len()), (demands, demands));
    for list in results.iter().flat_map(|result| &result.lists) {
        let targets: HashSet<_> = list.pairs.iter().map(|pair| &pair.target).collect();
        assert_eq!(targets.len(), list.pairs.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_kill_9_with_no_pair_twice_and_none_missing() {
    let folder = TempDir::new().unwrap();
    let index = Arc::new(sample::open(folder.path()));
    fill(&*index, DEMANDS).await;
    let job = jobs(index.clone()).start(JobRequest::default()).await.unwrap();
    Arc::into_inner(index).unwrap().close();
    let mut before = 0;
    for (attempts, blocks) in [(1, 25), (2, 50), (3, 75)] {
        run_and_kill(folder.path(), blocks, before);
        let index = Arc::new(sample::open(folder.path()));
        let left = jobs(index.clone()).get(job.id).await.unwrap();
        Arc::into_inner(index).unwrap().close();
        assert!(before < left.counts.done, "what was done is kept: {left:?}");
        assert_eq!((left.state, left.attempts), (State::Running, attempts));
        before = left.counts.done;
    }
    let index = Arc::new(sample::open(folder.path()));
    let rematch = jobs(index.clone());
    let worker = Worker::start(&rematch);
    let ended = rematch.wait(job.id, PATIENCE).await.unwrap();
    assert_eq!((ended.state, ended.counts.done), (State::Done, DEMANDS as u64), "{ended:?}");
    let again = rematch.start(JobRequest::default()).await.unwrap();
    let again = rematch.wait(again.id, PATIENCE).await.unwrap();
    assert_eq!(again.counts, ended.counts);
    let (got, want) = (results(&rematch, job.id, 1_000).await, results(&rematch, again.id, 1_000).await);
    assert_whole(&got, DEMANDS);
    assert_eq!(got, want);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_takes_a_job_over_when_the_lease_runs_out() {
    let (_folder, server) = start();
    let index: Arc<dyn Index> = Arc::new(connect(&server).await);
    fill(&*index, DEMANDS).await;
    let heir = jobs(index.clone());
    let job = heir.start(JobRequest::default()).await.unwrap();
    // a separate instance that dies with all its tasks
    let dying = tokio::runtime::Runtime::new().unwrap();
    let options = options(&server.url(), "test");
    let worker = dying.spawn(async move {
        let index = open(&options);
        index.ready(PATIENCE).await.unwrap();
        let rematch = jobs(Arc::new(Stalling::new(Arc::new(index), 40)));
        (Worker::start(&rematch), rematch)
    });
    let _worker = worker.await.unwrap();
    let under_way = async {
        while heir.get(job.id).await.unwrap().counts.done == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, under_way).await.unwrap();
    let left = heir.get(job.id).await.unwrap();
    assert_eq!((left.state, left.attempts), (State::Running, 1));
    let worker = Worker::start(&heir);
    dying.shutdown_background();
    let ended = heir.wait(job.id, PATIENCE).await.unwrap();
    assert_eq!((ended.state, ended.attempts), (State::Done, 2), "{ended:?}");
    assert_eq!(ended.counts.done, DEMANDS as u64);
    assert_whole(&results(&heir, job.id, 1_000).await, DEMANDS);
    worker.stop().await;
    drop((heir, index));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_where_the_engine_takes_longer_to_write_than_there_is_between_two_saves() {
    let (_folder, server) = start();
    let index: Arc<dyn Index> = Arc::new(connect(&server).await);
    fill(&*index, 200).await;
    let rematch = jobs(index.clone());
    let job = rematch.start(JobRequest::default()).await.unwrap();
    server.inject("Upsert", Fault::Slow(Duration::from_millis(600)), 1_000);
    let worker = Worker::start(&rematch);
    let ended = rematch.wait(job.id, PATIENCE).await.unwrap();
    assert_eq!((ended.state, ended.counts.done), (State::Done, 200), "{ended:?}");
    server.heal();
    assert_whole(&results(&rematch, job.id, 1_000).await, 200);
    worker.stop().await;
}
