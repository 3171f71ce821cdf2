//! The service on a Qdrant server: starts before the engine, reports its absence, and gives the same answers.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use duijie::{api::record_out, config::Config};
use duijie_core::domain::{Kind, Record};
use duijie_files::ReadOptions;
use duijie_proto as pb;
use tempfile::TempDir;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    harness::{self, Service, by_name, by_text, record, refusal},
    qdrant_server::QdrantServer,
};

/// Records per batch.
const BATCH: usize = 100;

pub fn config(folder: &Path, server: &str) -> Config {
    harness::config_with(folder, &format!("[qdrant]\nurl = {server:?}\ntimeout_ms = 3000\nconnect_timeout_ms = 500"))
}

pub async fn wait_for(service: &Service, wanted: ServingStatus) {
    let mut health = HealthClient::new(service.channel().await);
    let request = HealthCheckRequest { service: "duijie.v1.MatchService".into() };
    let mut statuses = health.watch(request).await.unwrap().into_inner();
    let seen = async {
        while let Some(status) = statuses.message().await.unwrap() {
            if status.status() == wanted {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_up_before_the_engine_and_follows_it() {
    let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = QdrantServer::start(data.path());
    let (address, url) = (server.address(), server.url());
    server.stop().await;
    let service = Service::start_configured(folder.path(), config(folder.path(), &url), |_| ()).await;
    wait_for(&service, ServingStatus::NotServing).await;
    let count = || async {
        let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
        service.catalog().await.count_records(request).await.map(|answer| answer.into_inner().record_count)
    };
    let (code, reason, _) = refusal(&count().await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::Unavailable, "UNAVAILABLE"));
    let server = QdrantServer::start_at(data.path(), address);
    wait_for(&service, ServingStatus::Serving).await;
    service.store(vec![record(Kind::Demand, "d-1", "激光焊接薄板", "")]).await;
    assert_eq!(count().await.unwrap(), 1);
    server.stop().await;
    wait_for(&service, ServingStatus::NotServing).await;
    assert_eq!(count().await.unwrap_err().code(), Code::Unavailable);
    let server = QdrantServer::start_at(data.path(), address);
    wait_for(&service, ServingStatus::Serving).await;
    assert_eq!(count().await.unwrap(), 1);
    service.stop().await;
    server.stop().await;
}

fn samples(kind: Kind, name: &str, count: usize) -> Vec<pb::Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let rows = duijie_files::open(&path, &ReadOptions { kind: Some(kind), ..ReadOptions::default() }).unwrap();
    let records: Vec<Record> = rows.map(|row| row.result.unwrap()).take(count).collect();
    records.into_iter().map(record_out).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_give_the_same_matches() {
    let (folder, other, data) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = QdrantServer::start(data.path());
    let embedded = Service::start_in(folder.path(), |_| ()).await;
    let on_server = Service::start_configured(other.path(), config(other.path(), &server.url()), |_| ()).await;
    wait_for(&on_server, ServingStatus::Serving).await;
    let achievements = samples(Kind::Achievement, "achievements.csv", 150);
    let demands = samples(Kind::Demand, "demands.csv", 12);
    for service in [&embedded, &on_server] {
        for batch in [achievements.chunks(BATCH), demands.chunks(BATCH)].into_iter().flatten() {
            service.store(batch.to_vec()).await;
        }
    }
    let filter = pb::Filter { regions: vec!["13".into()], ..Default::default() };
    let by_names = demands.iter().map(|demand| by_name(&name(demand), pb::RecordKind::Achievement));
    let filtered = by_names.clone().map(|request| pb::MatchRequest { filter: Some(filter.clone()), ..request });
    let by_text = by_text("冲压件边缘容易开裂，想降低废品率", pb::RecordKind::Achievement);
    for request in by_names.chain(filtered).chain([by_text]) {
        let one = embedded.matching().await.r#match(request.clone()).await.unwrap().into_inner().matches;
        let other = on_server.matching().await.r#match(request).await.unwrap().into_inner().matches;
        let close = |one: f64, other: f64| (one - other).abs() < 1e-5;
        assert_eq!(harness::names(&one), harness::names(&other));
        assert!(!one.is_empty() && one.iter().zip(&other).all(|(one, other)| close(one.score, other.score)));
        assert!(one.iter().zip(&other).all(|(one, other)| one.matched_terms == other.matched_terms));
    }
    embedded.stop().await;
    on_server.stop().await;
    server.stop().await;
}

fn name(record: &pb::Record) -> String {
    let common = harness::common(record);
    format!("demands/{}", common.id)
}

/// Runs `duijie` with a configuration of its own against a server.
async fn run(url: &str, dictionary: Option<&Path>, args: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_duijie")));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env("DUIJIE_QDRANT_URL", url);
    command.env("DUIJIE_SERVER_LISTEN", "127.0.0.1:0").env("DUIJIE_LOG_FILTER", "error");
    if let Some(path) = dictionary {
        command.env("DUIJIE_TEXT_DICTIONARY", path);
    }
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await.unwrap().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dictionary_is_refused_until_the_store_is_rebuilt() {
    let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = QdrantServer::start(data.path());
    let service = Service::start_configured(folder.path(), config(folder.path(), &server.url()), |_| ()).await;
    wait_for(&service, ServingStatus::Serving).await;
    let titles = [("d-1", "焊缝跟踪"), ("d-2", "薄板焊接"), ("d-3", "激光熔覆")];
    service.store(titles.map(|(id, title)| record(Kind::Demand, id, title, "")).to_vec()).await;
    service.stop().await;
    let dictionary = folder.path().join("words.txt");
    std::fs::write(&dictionary, "焊缝跟踪 9 n\n").unwrap();
    let (good, said) = run(&server.url(), Some(&dictionary), &["serve"]).await;
    assert!(!good && said.contains("duijie reindex"), "{said}");
    let (good, said) = run(&server.url(), Some(&dictionary), &["reindex"]).await;
    assert!(good && said.contains("已重建 3 条记录"), "{said}");
    let (good, said) = run(&server.url(), Some(&dictionary), &["reindex"]).await;
    assert!(good && said.contains("不需要重建"), "{said}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_is_named_in_health_and_in_what_callers_are_told() {
    let (folder, data, gone_data) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (server, gone) = (QdrantServer::start(data.path()), QdrantServer::start(gone_data.path()));
    let (left, away) = (server.url(), gone.url());
    gone.stop().await;
    let urls = format!("{left},{away}");
    let service = Service::start_configured(folder.path(), config(folder.path(), &urls), |_| ()).await;
    wait_for(&service, ServingStatus::Serving).await;
    let mut health = HealthClient::new(service.channel().await);
    let mut told = async |url: &str, wanted: ServingStatus| {
        for _ in 0..600 {
            let asked = health.check(HealthCheckRequest { service: format!("qdrant/{url}") }).await;
            if asked.is_ok_and(|answer| answer.into_inner().status() == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{url} is not {wanted:?}");
    };
    told(&away, ServingStatus::NotServing).await;
    told(&left, ServingStatus::Serving).await;
    let (good, said) = run(&urls, None, &["health", "--server", &service.url]).await;
    assert!(good && said.contains(&format!("正常（Qdrant 节点 {away} 没有应答")), "{said}");
    server.stop().await;
    wait_for(&service, ServingStatus::NotServing).await;
    told(&left, ServingStatus::NotServing).await;
    let (good, said) = run(&urls, None, &["health", "--server", &service.url]).await;
    assert!(!good && said.contains(&left) && said.contains(&away), "{said}");
    let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
    let status = service.catalog().await.count_records(request).await.unwrap_err();
    let said = tonic_types::StatusExt::get_error_details(&status).localized_message().unwrap().message.clone();
    assert!(said.contains(&left) && said.contains(&away) && said.contains("没有应答"), "{said}");
    service.stop().await;
}
