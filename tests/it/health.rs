//! `duijie health`, as a container runs it: one sentence and an exit code.

use std::{net::TcpListener, process::Command, time::Duration};

use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::harness::Service;

/// Runs it against `server`, or against the address in `listen` if there is no server.
async fn health(server: Option<&str>, listen: Option<&str>) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    command.arg("health").current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(server.iter().flat_map(|server| ["--server", server]));
    command.envs(listen.map(|listen| ("DUIJIE_SERVER_LISTEN", listen)));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

#[track_caller]
fn check((code, text): (i32, String), want_code: i32, want: &str) {
    assert_eq!(code, want_code, "{text}");
    assert!(text.contains(want), "{want} in {text}");
    assert_eq!(text.trim().lines().count(), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_serves_is_healthy_and_one_that_is_gone_is_not() {
    let service = Service::start().await;
    // the service checks its parts twice a second
    let mut answer = health(Some(&service.url), None).await;
    for _ in 0..20 {
        if answer.0 == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = health(Some(&service.url), None).await;
    }
    check(answer, 0, "正常");
    // a service in a container listens on all addresses
    let port = service.url.rsplit(':').next().unwrap().to_string();
    check(health(None, Some(&format!("0.0.0.0:{port}"))).await, 0, &format!("127.0.0.1:{port} 正常"));
    let url = service.url.clone();
    service.stop().await;
    check(health(Some(&url), None).await, 1, "连接不上服务");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_serve_yet_is_not_healthy() {
    let (reporter, serving) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tokio::spawn(tonic::transport::Server::builder().add_service(serving).serve_with_incoming(incoming));
    check(health(Some(&url), None).await, 1, "尚不能应答");
    // what does not work is named
    reporter.set_service_status("duijie.engine", tonic_health::ServingStatus::NotServing).await;
    reporter.set_service_status("duijie.model", tonic_health::ServingStatus::Serving).await;
    reporter.set_service_status("duijie.rematch", tonic_health::ServingStatus::NotServing).await;
    check(health(Some(&url), None).await, 1, "尚不能应答，有问题的是：存储引擎、重新匹配的后台任务；");
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    check(health(Some(&url), None).await, 0, "正常");
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_answer_shows_by_name_until_it_does() {
    let (service, holds) = Service::start_held(|_| ()).await;
    let wait_for = async |name: &str, wanted: ServingStatus| {
        let mut health = HealthClient::new(service.channel().await);
        let request = HealthCheckRequest { service: name.to_string() };
        let mut statuses = health.watch(request).await.unwrap().into_inner();
        let seen = async { while statuses.message().await.unwrap().unwrap().status() != wanted {} };
        tokio::time::timeout(Duration::from_secs(120), seen).await.unwrap();
    };
    wait_for("", ServingStatus::Serving).await;
    holds.send(true).unwrap();
    wait_for("duijie.engine", ServingStatus::NotServing).await;
    wait_for("", ServingStatus::NotServing).await;
    wait_for("duijie.model", ServingStatus::Serving).await;
    check(health(Some(&service.url), None).await, 1, "有问题的是：存储引擎；");
    holds.send(false).unwrap();
    wait_for("", ServingStatus::Serving).await;
    wait_for("duijie.engine", ServingStatus::Serving).await;
    check(health(Some(&service.url), None).await, 0, "正常");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_the_connection_and_says_nothing_is_not_healthy() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, text) = health(Some(&format!("http://{}", silent.local_addr().unwrap())), None).await;
    assert_eq!((code, text.trim().lines().count()), (1, 1), "{text}");
}
