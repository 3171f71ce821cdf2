//! kill -9 of a service at any moment: what was acknowledged is there afterwards, and an import goes on.

use std::{
    collections::HashSet,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::catalog_service_client::CatalogServiceClient;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic::{Code, transport::Channel};

use super::{expected::Expected, rounds, server::Server};
use crate::{
    harness::{common, record},
    index::sample::Dice,
};

const WRITERS: usize = 8;
/// Records of each writer.
const RECORDS: usize = 25;
/// Most acknowledged calls of a round.
const CALLS: usize = 120;

fn id(number: usize) -> String {
    format!("d-{number}")
}

fn title(number: usize, revision: u64) -> String {
    format!("第 {number} 项需求，修订 {revision}")
}

/// What a writer shares with the others.
#[derive(Clone)]
struct Shared {
    expected: Arc<Mutex<Expected>>,
    acknowledged: Arc<AtomicUsize>,
}

/// Writes and deletes records of one writer until a call fails, as the process was killed.
async fn write(mut client: CatalogServiceClient<Channel>, writer: usize, round: u64, shared: Shared) {
    let dice = &mut Dice::new(round * 100 + writer as u64);
    for call in 0.. {
        let revision = round * 1_000_000 + call + 1;
        let mut some = || writer * RECORDS + dice.below(RECORDS);
        let (numbers, state): (HashSet<usize>, u64) =
            if call % 4 == 3 { ([some()].into(), 0) } else { ((0..1 + call % 5).map(|_| some()).collect(), revision) };
        numbers.iter().for_each(|number| shared.expected.lock().tried(*number, state));
        let done = match state {
            0 => {
                let name = format!("demands/{}", id(*numbers.iter().next().unwrap()));
                match client.delete_record(pb::DeleteRecordRequest { name }).await {
                    Err(status) if status.code() == Code::NotFound => Ok(()),
                    answer => answer.map(drop),
                }
            }
            revision => {
                let make = |number: &usize| record(Kind::Demand, &id(*number), &title(*number, revision), "");
                let records = numbers.iter().map(make).collect();
                client.batch_upsert_records(pb::BatchUpsertRecordsRequest { records }).await.map(|answer| {
                    let results = answer.into_inner().results;
                    assert!(results.iter().all(|it| it.outcome() != pb::UpsertOutcome::Refused), "{results:?}");
                })
            }
        };
        if done.is_err() {
            return;
        }
        numbers.iter().for_each(|number| shared.expected.lock().acknowledged(*number, state));
        shared.acknowledged.fetch_add(1, Relaxed);
    }
}

/// Compares every record with what is allowed; returns how many were compared.
async fn check(url: &str, expected: &mut Expected) -> usize {
    let mut client = CatalogServiceClient::connect(url.to_string()).await.unwrap();
    let numbers = expected.keys();
    let mut stored = 0;
    for number in &numbers {
        let found = match client.get_record(pb::GetRecordRequest { name: format!("demands/{}", id(*number)) }).await {
            Ok(found) => found.into_inner().record.unwrap(),
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status}");
                expected.found(*number, 0);
                continue;
            }
        };
        let said = &common(&found).title;
        let revision = said.rsplit(' ').next().unwrap().parse().unwrap();
        assert_eq!(*said, title(*number, revision));
        expected.found(*number, revision);
        stored += 1;
    }
    assert_eq!(count(url).await, stored);
    numbers.len()
}

/// Starts a service and kills it while it opens the store.
fn kill_while_it_opens(folder: &Path, after: Duration) {
    let mut command = Server::command(folder, |program| {
        let mut command = Command::new(program);
        command.arg("serve");
        command
    });
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let (rounds, dice) = (rounds(4), &mut Dice::new(17));
    let mut expected = Expected::default();
    let mut checks = 0;
    for round in 1..=rounds {
        let server = Server::start(folder.path());
        checks += check(&server.url, &mut expected).await;
        let shared = Shared { expected: Arc::new(Mutex::new(expected)), acknowledged: Arc::default() };
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let client = CatalogServiceClient::connect(server.url.clone()).await.unwrap();
            writers.spawn(write(client, writer, round, shared.clone()));
        }
        // after a number of calls, as a fixed time would not fit every machine
        let calls = 1 + dice.below(CALLS);
        while shared.acknowledged.load(Relaxed) < calls {
            assert!(!writers.is_empty() && writers.try_join_next().is_none(), "a writer ended before the kill");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        expected = Arc::into_inner(shared.expected).unwrap().into_inner();
        if round % 4 == 0 {
            kill_while_it_opens(folder.path(), Duration::from_millis(dice.below(1_500) as u64));
        }
    }
    let server = Server::start(folder.path());
    checks += check(&server.url, &mut expected).await;
    server.kill();
    println!("{rounds} kills under {WRITERS} writers, {checks} records compared, none lost");
}

async fn count(url: &str) -> i64 {
    let mut client = CatalogServiceClient::connect(url.to_string()).await.unwrap();
    let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
    client.count_records(request).await.unwrap().into_inner().record_count
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_broken_off_goes_on() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("demands.csv");
    let rows: String = (0..1500).map(|n| format!("d-{n},第 {n} 项技术需求\n")).collect();
    std::fs::write(&file, format!("需求编号,需求名称\n{rows}")).unwrap();
    let import = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
        command.arg("import").arg(&file).arg("--server").arg(url).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let server = Server::start(folder.path());
    let importing = import(&server.url).spawn().unwrap();
    let mut stored = 0;
    // bounded, as the import ends in any case
    for _ in 0..600 {
        stored = count(&server.url).await;
        if 200 <= stored {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.kill();
    let broken = importing.wait_with_output().unwrap();
    assert!((200..1500).contains(&stored), "{stored}");
    assert_eq!(broken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("再次执行同一命令"));
    let server = Server::start(folder.path());
    let kept = count(&server.url).await;
    assert!(stored <= kept, "{stored} were stored, {kept} are left");
    let finished = import(&server.url).output().unwrap();
    let text = String::from_utf8_lossy(&finished.stdout).to_string();
    assert_eq!(finished.status.code(), Some(0), "{text}");
    assert!(text.contains(&format!("未变 {kept}")), "{kept} kept: {text}");
    assert_eq!(count(&server.url).await, 1500);
    server.kill();
}
