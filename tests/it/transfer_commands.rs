//! `duijie copy` and `duijie snapshot` on the command line, and the snapshot of a running service.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::maintenance_service_client::MaintenanceServiceClient;
use duijie_store::{
    EdgeIndex, EdgeOptions, Records,
    transfer::{Digests, Snapshot, digests},
};
use tempfile::TempDir;
use tonic::Code;

use crate::{
    command_line::{check, duijie},
    harness::{Service, by_name, record, refusal},
    index::sample::{self, Dice},
};

/// An address where no service listens.
const NOBODY: (&str, &str) = ("DUIJIE_SERVER_LISTEN", "127.0.0.1:1");

/// Runs `duijie` outside the async threads, with a configured store.
async fn call(arguments: &[&str], store: &Path) -> (i32, String) {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let store = store.to_path_buf();
    let run = move || {
        let env = [("DUIJIE_STORE_FOLDER", store.as_path()), (NOBODY.0, Path::new(NOBODY.1))];
        duijie(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &env)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// A store with `points` of each kind.
async fn store(folder: &Path, points: usize) -> Digests {
    let (index, dice) = (sample::open(folder), &mut Dice::new(21));
    for kind in Kind::ALL {
        index.upsert(kind, sample::points(kind, points, dice)).await.unwrap();
    }
    let found = digests(&index).await.unwrap();
    index.close();
    found
}

async fn stored(folder: &Path) -> Digests {
    let shape = EdgeIndex::shape_of(folder).unwrap().unwrap();
    let options = EdgeOptions::new(folder.to_path_buf(), shape.dimensions, shape.versions);
    let index = EdgeIndex::open(options).unwrap();
    let found = digests(&index).await.unwrap();
    index.close();
    found
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_copied_without_the_model() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let original = store(&at("from"), 300).await;
    let copy = async |from: &Path, to: &Path| call(&["copy", "--from", text(from), "--to", text(to)], &at("x")).await;
    check(copy(&at("from"), &at("to")).await, 0, &["共 900 条", "校验一致", "写入 900 条"]);
    check(copy(&at("from"), &at("to")).await, 0, &["写入 0 条"]);
    assert_eq!(stored(&at("to")).await, original);
    check(copy(&at("none"), &at("to")).await, 1, &["没有存储", "none"]);
    assert!(!at("none").exists());
    check(copy(&at("from"), &at("from")).await, 1, &["同一处"]);
    check(copy(&at("from"), Path::new("http://127.0.0.1:1")).await, 1, &["连接不上 Qdrant", "qdrant.url"]);
    fs::create_dir(at("thesis")).unwrap();
    fs::write(at("thesis/text"), "x").unwrap();
    check(copy(&at("from"), &at("thesis")).await, 1, &["thesis", "空目录"]);
    // a target of another model
    let other = EdgeOptions { dimensions: 3, ..sample::options(&at("other")) };
    EdgeIndex::open(other).unwrap().close();
    check(copy(&at("from"), &at("other")).await, 1, &["维数：来源为 16，目标为 3", "空的目标"]);
    let index = sample::open(&at("to"));
    check(copy(&at("from"), &at("to")).await, 1, &["使用"]);
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_made_of_the_store_and_restored() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let original = store(&at("from"), 300).await;
    let file = at("backup");
    check(call(&["snapshot", "create", text(&file)], &at("from")).await, 0, &["已备份 900 条", "校验一致"]);
    let bytes = fs::read(&file).unwrap();
    check(call(&["snapshot", "create", text(&file)], &at("from")).await, 1, &["已存在"]);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let restored = call(&["snapshot", "restore", text(&file)], &at("to")).await;
    // the sample store has versions that no program has
    check(restored, 0, &["共 900 条", "写入 900 条", "duijie reindex"]);
    assert_eq!(stored(&at("to")).await, original);
    check(call(&["snapshot", "restore", text(&file)], &at("to")).await, 0, &["写入 0 条"]);
    check(call(&["snapshot", "create", text(&at("b2"))], &at("none")).await, 1, &["没有存储", "服务未运行"]);
    check(call(&["snapshot", "restore", text(&at("b2"))], &at("new")).await, 1, &["b2"]);
    let second = at("b2");
    let server = ["snapshot", "create", text(&second), "--server", "http://127.0.0.1:1"];
    check(call(&server, &at("from")).await, 1, &["连接不上服务"]);
    let left =
        |name: &str| fs::read_dir(folder.path()).unwrap().any(|e| e.unwrap().file_name().to_string_lossy() == name);
    assert!(!left("b2") && !left("b2.part") && !left("none") && !left("new"));
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    fs::write(at("b3"), damaged).unwrap();
    check(call(&["snapshot", "restore", text(&at("b3"))], &at("new")).await, 1, &["已损坏", "另一份备份"]);
    assert!(!left("new"), "nothing was written");
    let index = sample::open(&at("to"));
    check(call(&["snapshot", "restore", text(&file)], &at("to")).await, 1, &["使用"]);
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_is_backed_up_while_it_is_written_to() {
    let service = Service::start().await;
    let rows = |from: usize, body: &str| -> Vec<pb::Record> {
        (from..from + 100).map(|n| record(Kind::Demand, &format!("d-{n}"), &format!("石墨烯散热 {n}"), body)).collect()
    };
    for batch in 0..4 {
        service.store(rows(batch * 100, "")).await;
    }
    let (stop, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let write = async {
        while !stop.load(Ordering::Relaxed) {
            let round = writes.fetch_add(1, Ordering::Relaxed);
            service.store(rows(400 + round % 5 * 100, &format!("第 {round} 轮"))).await;
        }
    };
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let back_up = async {
        let mut files: Vec<PathBuf> = Vec::new();
        while writes.load(Ordering::Relaxed) < 2 || files.is_empty() {
            let file = at(&format!("backup-{}", files.len()));
            let arguments = ["snapshot", "create", text(&file), "--server", &service.url];
            check(call(&arguments, &at("unused")).await, 0, &["校验一致"]);
            files.push(file);
        }
        stop.store(true, Ordering::Relaxed);
        files
    };
    let (files, ()) = tokio::join!(back_up, write);
    assert!(!at("unused").exists());
    for file in &files {
        let points = Snapshot::open(file).unwrap().summary().points();
        assert!((400..=900).contains(&points), "{points}");
    }
    // a service on the restored store finds the same records
    let found = service.matching().await.r#match(by_name("demands/d-7", pb::RecordKind::Demand)).await.unwrap();
    assert!(!found.into_inner().matches.is_empty());
    service.stop().await;
    check(call(&["snapshot", "restore", text(files.last().unwrap())], &at("store")).await, 0, &["校验一致"]);
    let service = Service::start_in(folder.path(), |_| ()).await;
    let found = service.matching().await.r#match(by_name("demands/d-7", pb::RecordKind::Demand)).await.unwrap();
    assert!(!found.into_inner().matches.is_empty());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_small_callers_take_turns_and_one_that_leaves_makes_room() {
    let service = Service::start().await;
    let dice = &mut Dice::new(31);
    let dimensions = service.parts.embedder.identity().dimensions;
    for kind in Kind::ALL {
        let mut points = sample::points(kind, 3_000, dice);
        points.iter_mut().for_each(|point| point.dense = sample::dense(dice, dimensions));
        service.parts.index.upsert(kind, points).await.unwrap();
    }
    let client = async || MaintenanceServiceClient::new(service.channel().await);
    let request = pb::CreateSnapshotRequest {};
    let mut first = client().await.create_snapshot(request).await.unwrap().into_inner();
    let part = first.message().await.unwrap().unwrap();
    let (chunk, counts) = (part.part.unwrap().chunk, (part.done_count, part.total_count));
    assert_eq!((chunk.len(), counts.1), (1 << 20, 9_000));
    assert!(0 < counts.0 && counts.0 < 9_000, "{}", counts.0);
    // the first caller stops reading, so its snapshot stalls, and others must wait too
    let said = client().await.create_snapshot(request).await.unwrap_err();
    assert_eq!((refusal(&said).0, refusal(&said).1.as_str()), (Code::ResourceExhausted, "BUSY"));
    drop(first);
    let mut parts = loop {
        match client().await.create_snapshot(request).await {
            Ok(parts) => break parts.into_inner(),
            Err(said) => assert_eq!(said.code(), Code::ResourceExhausted, "{said}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (mut bytes, mut complete) = (Vec::new(), false);
    while let Some(message) = parts.message().await.unwrap() {
        let part = message.part.unwrap();
        assert!(!complete && part.chunk.len() <= 1 << 20);
        complete = part.complete;
        bytes.extend(part.chunk);
    }
    assert!(complete);
    let file = service.folder.join("snapshot");
    fs::write(&file, bytes).unwrap();
    assert_eq!(Snapshot::open(&file).unwrap().summary().digests, digests(&*service.parts.index).await.unwrap());
    service.stop().await;
}

/// Starts `duijie snapshot create`.
fn creating(file: &Path, store: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    command.args(["snapshot", "create", text(file)]).env("DUIJIE_STORE_FOLDER", store).env(NOBODY.0, NOBODY.1);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_no_file_of_the_name() {
    let folder = TempDir::new().unwrap();
    let (from, file, part) =
        (folder.path().join("from"), folder.path().join("backup"), folder.path().join("backup.part"));
    store(&from, 8_000).await;
    let mut child = creating(&file, &from);
    let end = Instant::now() + Duration::from_secs(60);
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "it never wrote");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!file.exists() && part.exists());
    let status = tokio::task::spawn_blocking({
        let (file, from) = (file.clone(), from.clone());
        move || creating(&file, &from).wait().unwrap()
    });
    assert!(status.await.unwrap().success());
    assert!(!part.exists());
    assert_eq!(Snapshot::open(&file).unwrap().summary().points(), 24_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_says_that_the_same_command_goes_on() {
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let original = store(&from, 8_000).await;
    let arguments = ["copy", "--from", text(&from), "--to", text(&to)];
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let begun = || fs::metadata(to.join("achievements/journal")).is_ok_and(|journal| 100_000 < journal.len());
    while !begun() {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "it never wrote");
        std::thread::sleep(Duration::from_millis(1));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("再次执行同一命令即继续"), "{said}");
    check(call(&arguments, &from).await, 0, &["共 24000 条", "校验一致"]);
    assert_eq!(stored(&to).await, original);
}
