//! Acknowledged writes survive kill -9, and an interrupted import can be resumed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::catalog_service_client::CatalogServiceClient;
use tempfile::TempDir;

use crate::harness::record;

/// A separate `duijie serve` process that can be killed.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        Self::start_by(folder, |program| {
            let mut command = Command::new(program);
            command.arg("serve");
            command
        })
    }

    /// Starts it by a command made from its program.
    pub fn start_by(folder: &Path, command: impl FnOnce(&str) -> Command) -> Self {
        let mut child = command(env!("CARGO_BIN_EXE_duijie"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("DUIJIE_STORE_FOLDER", folder.join("store"))
            .env("DUIJIE_SERVER_LISTEN", "127.0.0.1:0")
            .env("DUIJIE_LOG_FILTER", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split('，').find_map(|part| part.strip_prefix("监听 ")).unwrap_or_else(|| panic!("{line}"));
        Self { child, url: format!("http://{address}") }
    }

    /// Tells the process to end, and waits until it has, at most two minutes.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        for _ in 0..1_200 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the process does not end");
    }

    /// kill -9 by process id.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn count(url: &str) -> i64 {
    let mut client = CatalogServiceClient::connect(url.to_string()).await.unwrap();
    let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
    client.count_records(request).await.unwrap().into_inner().record_count
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let server = Server::start(folder.path());
        let mut client = CatalogServiceClient::connect(server.url.clone()).await.unwrap();
        for batch in 0..5 {
            let ids: Vec<String> = (0..4).map(|n| format!("d-{round}-{batch}-{n}")).collect();
            let records = ids.iter().map(|id| record(Kind::Demand, id, &format!("题目 {id}"), "")).collect();
            let results = client.batch_upsert_records(pb::BatchUpsertRecordsRequest { records }).await.unwrap();
            assert!(results.into_inner().results.iter().all(|r| r.outcome() == pb::UpsertOutcome::Created));
            acknowledged.extend(ids);
        }
        // deletions survive like any other write
        let gone = acknowledged.remove(0);
        client.delete_record(pb::DeleteRecordRequest { name: format!("demands/{gone}") }).await.unwrap();
        server.kill();
    }
    let server = Server::start(folder.path());
    assert_eq!(count(&server.url).await, i64::try_from(acknowledged.len()).unwrap());
    let mut client = CatalogServiceClient::connect(server.url.clone()).await.unwrap();
    for id in acknowledged {
        client.get_record(pb::GetRecordRequest { name: format!("demands/{id}") }).await.unwrap();
    }
    server.kill();
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
