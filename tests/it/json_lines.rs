//! `--json`: every command that prints data prints lines of JSON, and nothing else to standard output.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{events, harness::Service};

/// Commands that print no records, matches, jobs or events. The lines of `verify` are tested with damaged stores.
const WITHOUT_DATA: [&str; 17] = [
    "serve",
    "delete",
    "health",
    "reindex",
    "snapshot create",
    "snapshot restore",
    "copy",
    "repair",
    "verify",
    "eval",
    "calibrate",
    "mean-vector",
    "config",
    "demo",
    "rematch export",
    "event export",
    "event delete",
];

fn duijie(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

/// Every command without commands below it, as the helps list them.
fn leaves(path: &[&str], found: &mut Vec<String>) {
    let help = String::from_utf8(duijie(&[path, &["--help"][..]].concat()).stdout).unwrap();
    assert!(help.contains("--json"), "{path:?} takes no --json\n{help}");
    let listed = help.lines().skip_while(|line| !line.starts_with("命令")).skip(1).take_while(|line| !line.is_empty());
    let names: Vec<String> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().into())
        .collect();
    if names.is_empty() {
        found.push(path.join(" "));
    }
    names.iter().for_each(|name| leaves(&[path, &[name.as_str()][..]].concat(), found));
}

/// Runs a command; checks its exit code and that each line of standard output is an object with the field.
async fn lines(service: &Service, command: &str, field: &str) -> Vec<Value> {
    let arguments = format!("{command} --json --server {}", service.url);
    let run = move || duijie(&arguments.split(' ').collect::<Vec<_>>());
    let Output { status, stdout, stderr } = tokio::task::spawn_blocking(run).await.unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{command}: {stderr}");
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{command}: {line}"));
    let lines: Vec<Value> = stdout.lines().map(read).collect();
    assert!(!lines.is_empty(), "{command} prints nothing: {stderr}");
    for line in &lines {
        assert!(line.get(field).is_some(), "{command}: no {field} in {line}");
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_prints_data_prints_lines_of_json() {
    let service = events::setting::service().await;
    let file = service.folder.join("achievements.csv");
    // twice the same, and a new match of the first demand
    let text = "针对薄壁壳体焊接后变形大、气孔多的难题，采用摆动激光与填丝复合工艺，配合在线测温与路径规划，变形量下降六成，已在三条产线使用。";
    let rows: String =
        (0..2).map(|n| format!("new-{n},铝合金薄板激光焊接气孔与变形控制成套装备,{text},丙学院\n")).collect();
    std::fs::write(&file, format!("成果编号,成果名称,成果简介,完成单位\n{rows}")).unwrap();
    let import = format!("import {}", file.display());
    let job = lines(&service, "rematch start --wait", "state").await.remove(0);
    assert_eq!(job["state"], "REMATCH_STATE_DONE");
    let name = job["name"].as_str().unwrap();
    let status = format!("rematch status {name}");
    let (wait, cancel) = (format!("rematch wait {name}"), format!("rematch cancel {name}"));
    let mut tried = vec!["rematch start".to_string(), "rematch runs".to_string()];
    let rows = [
        (import.as_str(), "import", "created_count"),
        ("get demands/d-0", "get", "demand"),
        ("list demands", "list", "demand"),
        ("count demands", "count", "record_count"),
        ("match demands/d-0 --to achievements --evidence", "match", "record"),
        ("similar demands/d-0", "similar", "record"),
        ("duplicates achievements", "duplicates", "members"),
        ("watch demands/d-0 --to achievements --existing --count 2", "watch", "match"),
        (status.as_str(), "rematch status", "name"),
        ("rematch list", "rematch list", "name"),
        (wait.as_str(), "rematch wait", "name"),
        (cancel.as_str(), "rematch cancel", "name"),
        (
            "event create e --title 对接会 --day 2026-12-01 --session 09:00-11:30 --tables 4",
            "event create",
            "table_count",
        ),
        ("event update e --tables 5", "event update", "table_count"),
        ("event fill e --kind demands", "event fill", "participant_counts"),
        ("event fill e --kind achievements", "event fill", "participant_counts"),
        ("event remove e achievements/a-11", "event remove", "participant_counts"),
        ("event shortlist e", "event shortlist", "outline"),
        ("event edit e --pin demands/d-0 achievements/a-5", "event edit", "action"),
        ("event shortlist e", "event shortlist", "outline"),
        ("event schedule e", "event schedule", "schedule"),
        ("event publish e", "event publish", "state"),
        ("event list", "event list", "title"),
        ("event show e", "event show", "title"),
        ("event show e --participants", "event show", "record"),
        ("event show e --shortlists", "event show", "demand"),
        ("event show e --meetings", "event show", "slot"),
        ("event outcome e demands/d-0 achievements/a-5 --attendance 已洽谈", "event outcome", "attendance"),
        ("event outcome e", "event outcome", "attendance"),
        ("event statistics", "event statistics", "total"),
        ("event cancel e demands/d-1", "event cancel", "before"),
        ("key list", "key list", "owner"),
        ("key whoami", "key whoami", "caller"),
    ];
    let made = lines(&service, "key create --owner 省平台 --role reader", "secret").await.remove(0);
    let key = made["key"]["id"].as_str().unwrap();
    for (command, leaf, field) in rows {
        lines(&service, command, field).await;
        tried.push(leaf.to_string());
    }
    lines(&service, &format!("key rotate {key}"), "secret").await;
    lines(&service, &format!("key revoke {key}"), "revoke_time").await;
    tried.extend(["key create", "key rotate", "key revoke"].map(String::from));
    let again = lines(&service, "rematch start --wait", "state").await.remove(0);
    let diff = format!("rematch diff {name} {}", again["name"].as_str().unwrap());
    lines(&service, &diff, "kind").await;
    tried.push("rematch diff".into());
    service.stop().await;
    let mut all = Vec::new();
    leaves(&[], &mut all);
    assert!(30 < all.len(), "{all:?}");
    for leaf in &all {
        assert_ne!(WITHOUT_DATA.contains(&leaf.as_str()), tried.contains(leaf), "{leaf}");
    }
    assert!(WITHOUT_DATA.iter().all(|leaf| all.iter().any(|known| known == leaf)), "{all:?}");
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    let mut child = command.arg("config").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!((status.code(), String::from_utf8_lossy(&stderr).as_ref()), (Some(0), ""));
}

#[test]
fn wrong_usage_has_a_code_of_its_own() {
    for arguments in [&["imprt"][..], &["import"], &["list", "demands", "--limit", "x"]] {
        let Output { status, stdout, .. } = duijie(arguments);
        assert_eq!((status.code(), stdout.is_empty()), (Some(64), true), "{arguments:?}");
    }
}
