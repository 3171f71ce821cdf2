//! The command line: output and exit codes.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use duijie_core::domain::Kind;
use tempfile::TempDir;

use crate::harness::{Service, record};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs `duijie` in the project's folder.
pub fn duijie(arguments: &[&str], env: &[(&str, &Path)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    command.args(arguments).current_dir(ROOT).env("DUIJIE_LOG_FILTER", "error");
    for (name, value) in env {
        command.env(name, value);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code().unwrap_or(-1), text)
}

/// Runs `duijie` outside the async threads.
pub async fn call(arguments: &[&str]) -> (i32, String) {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let run = move || duijie(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[track_caller]
pub fn check((code, text): (i32, String), want_code: i32, want: &[&str]) {
    assert_eq!(code, want_code, "{text}");
    for part in want {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// A copy of the shipped model that can be damaged.
fn model_copy(folder: &Path) -> PathBuf {
    let copy = folder.join("e5-small-zh");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("models/e5-small-zh")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn what_cannot_start_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let serve = |env: &[(&str, &Path)]| {
        let mut all =
            vec![("DUIJIE_STORE_FOLDER", store.as_path()), ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"))];
        all.extend_from_slice(env);
        duijie(&["serve"], &all)
    };
    check(serve(&[("DUIJIE_MODEL_RUNTIME", Path::new("/nowhere/libonnxruntime.so"))]), 1, &["make runtime"]);
    check(serve(&[("DUIJIE_MODEL_RUNTIME", Path::new("/etc/hostname"))]), 1, &["make runtime"]);
    check(serve(&[("DUIJIE_MODEL_SOURCE", Path::new("models/none"))]), 1, &["models/none"]);
    let model = model_copy(folder.path());
    fs::write(model.join("tokenizer.json"), "{}").unwrap();
    check(serve(&[("DUIJIE_MODEL_SOURCE", &model)]), 1, &["tokenizer.json"]);
    fs::copy(Path::new(ROOT).join("models/e5-small-zh/tokenizer.json"), model.join("tokenizer.json")).unwrap();
    fs::remove_file(model.join("model.onnx")).unwrap();
    check(serve(&[("DUIJIE_MODEL_SOURCE", &model)]), 1, &["model.onnx"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(serve(&[("DUIJIE_SERVER_LISTEN", Path::new(&address))]), 1, &["无法监听", &address]);
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    check(serve(&[("DUIJIE_STORE_FOLDER", &file)]), 1, &["file"]);
    let dictionary = folder.path().join("dictionary.txt");
    fs::write(&dictionary, "没有词频的词\n").unwrap();
    check(serve(&[("DUIJIE_TEXT_DICTIONARY", &dictionary)]), 1, &["词频"]);
    check(serve(&[("DUIJIE_TEXT_DICTIONARY", &folder.path().join("none.txt"))]), 1, &["none.txt"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = TempDir::new().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // root may write anywhere; a folder below a file then replaces one that cannot be created
    let root = fs::write(closed.join("probe"), "").is_ok();
    let store = if root {
        fs::write(closed.join("file"), "").unwrap();
        closed.join("file/store")
    } else {
        closed.join("store")
    };
    let env = [("DUIJIE_STORE_FOLDER", store.as_path()), ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"))];
    check(duijie(&["serve"], &env), 1, &["store"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_bad_configuration_tells_all_mistakes() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("duijie.toml");
    fs::write(&file, "[server]\nprot = 1\nlisten = \"x\"\n[nothing]\na = 1").unwrap();
    let arguments = ["--config", file.to_str().unwrap(), "serve"];
    check(duijie(&arguments, &[]), 64, &["3 处错误", "server.prot", "server.listen", "nothing.a"]);
    check(duijie(&["--config", "/nowhere.toml", "serve"], &[]), 64, &["/nowhere.toml"]);
    check(duijie(&["config"], &[]), 0, &["server.listen", "127.0.0.1:50051"]);
    check(duijie(&["count", "demands", "--server", "http://127.0.0.1:1"], &[]), 1, &["make serve"]);
    check(
        duijie(&["match", "--text", "x", "--to", "projects", "--server", "http://127.0.0.1:1"], &[]),
        1,
        &["projects"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_is_left_alone() {
    let service = Service::start().await;
    let store = service.folder.join("store");
    let run = move || {
        let env = [("DUIJIE_STORE_FOLDER", store.as_path()), ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"))];
        (duijie(&["serve"], &env), duijie(&["reindex"], &env))
    };
    let (serve, reindex) = tokio::task::spawn_blocking(run).await.unwrap();
    check(serve, 1, &["使用"]);
    check(reindex, 1, &["使用"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dictionary_asks_for_reindex_which_keeps_every_record() {
    let folder = TempDir::new().unwrap();
    let service = Service::start_in(folder.path(), |_| ()).await;
    let records = (0..30).map(|n| record(Kind::Demand, &format!("d-{n}"), &format!("石墨烯散热膜 {n}"), "")).collect();
    service.store(records).await;
    let before = dump(&service).await;
    service.stop().await;
    let store = folder.path().join("store");
    let dictionary = folder.path().join("dictionary.txt");
    fs::write(&dictionary, "石墨烯散热膜 50 n\n").unwrap();
    let run = {
        let (store, dictionary) = (store.clone(), dictionary.clone());
        move || {
            let address = ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"));
            let env =
                [("DUIJIE_STORE_FOLDER", store.as_path()), ("DUIJIE_TEXT_DICTIONARY", dictionary.as_path()), address];
            (duijie(&["serve"], &env), duijie(&["reindex"], &env), duijie(&["serve"], &[address, env[0]]))
        }
    };
    let (refused, rebuilt, back) = tokio::task::spawn_blocking(run).await.unwrap();
    check(refused, 1, &["duijie reindex"]);
    check(rebuilt, 0, &["30"]);
    check(back, 1, &["duijie reindex"]);
    // the store now belongs to the other dictionary: reindex back and compare every record
    let store_of = store.clone();
    let run = move || duijie(&["reindex"], &[("DUIJIE_STORE_FOLDER", store_of.as_path())]);
    check(tokio::task::spawn_blocking(run).await.unwrap(), 0, &["30"]);
    let service = Service::start_in(folder.path(), |_| ()).await;
    assert_eq!(dump(&service).await, before);
    service.stop().await;
}

/// Every record as stored, with times and revisions.
async fn dump(service: &Service) -> Vec<String> {
    let request = duijie_proto::ListRecordsRequest { kind: 2, page_size: 200, ..Default::default() };
    let page = service.catalog().await.list_records(request).await.unwrap().into_inner();
    page.records.iter().map(|record| format!("{record:?}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_go_to_a_report_and_stop_nothing() {
    let service = Service::start().await;
    let file = service.folder.join("需求.csv");
    let text = "需求编号,需求名称,预算(万元),地区\nd-1,铝合金焊接,50,石家庄\nd-2,,30,唐山\nd-3,盐碱地改良,-1,火星\nd-4,氢气检测,面议,130200\n";
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    check(call(&["import", path, "--server", &service.url]).await, 2, &["新增 3", "未导入 1", "提示 2 处"]);
    let report = fs::read_to_string(format!("{path}.错误.csv")).unwrap();
    for part in ["行号", "3,需求名称", "4,预算", "4,地区", "火星"] {
        assert!(report.contains(part), "{part} in {report}");
    }
    // again: nothing changed, the same rows are refused
    check(call(&["import", path, "--server", &service.url]).await, 2, &["未变 3", "未导入 1"]);
    check(call(&["get", "demands/d-1", "--server", &service.url]).await, 0, &["铝合金焊接", "500000 元", "石家庄"]);
    check(call(&["get", "demands/d-9", "--server", &service.url]).await, 1, &["demands/d-9"]);
    check(call(&["count", "需求", "--region", "唐山", "--server", &service.url]).await, 0, &["1"]);
    check(
        call(&["list", "demands", "--min-yuan", "1", "--server", &service.url]).await,
        0,
        &["铝合金焊接", "到此为止"],
    );
    check(call(&["match", "demands/d-1", "--to", "demands", "--server", &service.url]).await, 0, &["氢气检测"]);
    check(call(&["similar", "demands/d-1", "--server", &service.url]).await, 0, &["demands/d-4"]);
    check(call(&["delete", "demands/d-1", "--server", &service.url]).await, 0, &["已删除"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_comes_again_in_a_file_ends_as_its_last_row() {
    let service = Service::start().await;
    let file = service.folder.join("demands.csv");
    let rows: String = (0..450).map(|n| format!("d-{},第 {n} 行\n", n % 150)).collect();
    fs::write(&file, format!("需求编号,需求名称\n{rows}")).unwrap();
    check(
        call(&["import", file.to_str().unwrap(), "--server", &service.url]).await,
        3,
        &["新增 150", "更新 300", "提示 300 处"],
    );
    let report = fs::read_to_string(service.folder.join("demands.csv.错误.csv")).unwrap();
    assert!(report.contains("编号与第 2 行相同而内容不同"), "{report}");
    check(call(&["get", "demands/d-149", "--server", &service.url]).await, 0, &["第 449 行", "修订号：3"]);
    check(call(&["get", "demands/d-0", "--server", &service.url]).await, 0, &["第 300 行"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_what_they_say_are_told() {
    let service = Service::start().await;
    let wide: String = (0..300).map(|n| format!("列{n}")).collect::<Vec<_>>().join(",");
    let rows: [(&str, Vec<u8>, &[&str]); 5] = [
        ("空.csv", Vec::new(), &["空"]),
        ("宽.csv", format!("{wide}\n1\n").into_bytes(), &["300"]),
        ("假.xlsx", "需求名称\n焊接\n".into(), &["假.xlsx"]),
        ("假.csv", b"PK\x03\x04\x00\x00\x00\x00".to_vec(), &["假.csv"]),
        ("怪.docx", b"x".to_vec(), &["怪.docx"]),
    ];
    for (name, bytes, want) in rows {
        let file = service.folder.join(name);
        fs::write(&file, bytes).unwrap();
        check(call(&["import", file.to_str().unwrap(), "--kind", "demands", "--server", &service.url]).await, 1, want);
    }
    check(call(&["import", "/nowhere.csv", "--server", &service.url]).await, 1, &["/nowhere.csv"]);
    service.stop().await;
}

#[test]
fn the_demo_runs_and_a_second_time_embeds_nothing() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("demo");
    let event = folder.path().join("event");
    let arguments = ["demo", "--store", store.to_str().unwrap(), "--event-folder", event.to_str().unwrap()];
    check(duijie(&arguments, &[]), 0, &["新增 320", "新增 128", "新增 88", "一段文字 → 成果", "名次", "duijie match"]);
    let files = || {
        let files =
            ["xlsx", "html", "ics", "zip", "csv", "json"].map(|ending| fs::read(event.join(format!("demo.{ending}"))));
        files.map(|file| file.unwrap().len())
    };
    let first = files();
    assert!(first.iter().all(|len| 100 < *len), "{first:?}");
    check(duijie(&arguments, &[]), 0, &["未变 320", "未变 128", "未变 88", "已发布", "洽谈安排没有变化"]);
    assert_eq!(files()[4], first[4]);
}
