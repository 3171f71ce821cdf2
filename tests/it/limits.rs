//! Deadlines, admission control, large messages, health, reflection, shutdown.

use std::time::Duration;

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::watch_service_client::WatchServiceClient;
use tokio_stream::StreamExt;
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::harness::{Service, by_name, record, refusal};

/// A batch that keeps the model busy for a while.
fn slow_batch(size: usize) -> pb::BatchUpsertRecordsRequest {
    let body = "为提高焊接质量，需要研究新的工艺参数与设备。".repeat(40);
    let records = (0..size).map(|n| record(Kind::Demand, &format!("slow-{n}"), &format!("题目 {n}"), &body)).collect();
    pb::BatchUpsertRecordsRequest { records }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_kept() {
    let service = Service::start().await;
    let mut catalog = service.catalog().await;
    let mut status = None;
    // the client has a timer of its own: where it runs out first, its answer says nothing about the service
    for _ in 0..20 {
        let mut request = Request::new(slow_batch(200));
        request.set_timeout(Duration::from_millis(600));
        let answer = catalog.batch_upsert_records(request).await.unwrap_err();
        if answer.code() != Code::Cancelled {
            status = Some(answer);
            break;
        }
    }
    assert_eq!(refusal(&status.expect("the service's own answer")).0, Code::DeadlineExceeded);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_deadline_get_the_servers() {
    let service = Service::start_with(|limits| limits.default_deadline = Duration::from_millis(300)).await;
    let status = service.catalog().await.batch_upsert_records(slow_batch(200)).await.unwrap_err();
    assert_eq!(refusal(&status).0, Code::DeadlineExceeded);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_told_to_come_back() {
    let service = Service::start_with(|limits| limits.max_calls = 1).await;
    let mut catalog = service.catalog().await;
    let slow = tokio::spawn(async move {
        loop {
            match catalog.batch_upsert_records(slow_batch(20)).await {
                // one of the calls below was using the only slot
                Err(status) if status.code() == Code::ResourceExhausted => tokio::task::yield_now().await,
                done => return done,
            }
        }
    });
    let mut client = service.matching().await;
    let mut refused = None;
    // the slow call uses the only slot from its arrival to its end
    for _ in 0..2000 {
        match client.r#match(by_name("demands/none", pb::RecordKind::Expert)).await {
            Err(status) if status.code() == Code::ResourceExhausted => {
                refused = Some(status);
                break;
            }
            other => assert_eq!(other.unwrap_err().code(), Code::NotFound),
        }
    }
    assert_eq!(refusal(&refused.expect("never refused")).1, "BUSY");
    slow.await.unwrap().unwrap();
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_hold_places_of_their_own_until_they_end() {
    let service = Service::start_with(|limits| limits.max_streams = 2).await;
    let watch = || pb::WatchRequest {
        wanted: Some(pb::watch_request::Wanted::Subscription(pb::Subscription {
            subject: Some(pb::subscription::Subject::Text(pb::TextQuery {
                title: "冲压件边缘容易开裂".into(),
                ..pb::TextQuery::default()
            })),
            target: pb::RecordKind::Achievement as i32,
            ..pb::Subscription::default()
        })),
        ..pb::WatchRequest::default()
    };
    let mut watcher = WatchServiceClient::new(service.channel().await);
    let mut streams = vec![watcher.watch(watch()).await.unwrap(), watcher.watch(watch()).await.unwrap()];
    assert_eq!(refusal(&watcher.watch(watch()).await.unwrap_err()).1, "BUSY");
    // calls have places all the same
    let missing = service.matching().await.r#match(by_name("demands/none", pb::RecordKind::Expert)).await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
    // a stream that its caller drops frees its place
    drop(streams.pop());
    let again = async {
        loop {
            match watcher.watch(watch()).await {
                Ok(stream) => return stream,
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    streams.push(tokio::time::timeout(Duration::from_secs(60), again).await.expect("the place was never free"));
    drop((streams, watcher));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_have_a_size() {
    let service = Service::start_with(|limits| limits.max_message_bytes = 100_000).await;
    let status = service.catalog().await.batch_upsert_records(slow_batch(100)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_for_each_service() {
    let service = Service::start().await;
    let mut health = HealthClient::new(service.channel().await);
    for name in ["", "duijie.v1.CatalogService", "duijie.v1.MatchService"] {
        let watch = HealthCheckRequest { service: name.to_string() };
        let mut statuses = health.watch(watch).await.unwrap().into_inner();
        let serving = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(status) = statuses.next().await {
                if status.unwrap().status() == ServingStatus::Serving {
                    return true;
                }
            }
            false
        });
        assert!(serving.await.unwrap(), "{name}");
    }
    let unknown = health.check(HealthCheckRequest { service: "duijie.v1.Nothing".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    drop(health);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_names_the_services() {
    let service = Service::start().await;
    let mut client = ServerReflectionClient::new(service.channel().await);
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client.server_reflection_info(tokio_stream::iter([ask])).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["duijie.v1.CatalogService", "duijie.v1.MatchService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name.to_string()), "{names:?}");
    }
    drop((answers, client));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_in_flight_finish_when_the_service_stops() {
    let mut service = Service::start().await;
    let mut catalog = service.catalog().await;
    let calls = service.parts.foreground.clone();
    let call = tokio::spawn(async move { catalog.batch_upsert_records(slow_batch(10)).await });
    let taken_up = async {
        while calls.waiting() == 0 && !call.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), taken_up).await.unwrap();
    service.ask_to_stop();
    let results = call.await.unwrap().unwrap().into_inner().results;
    assert_eq!(results.len(), 10);
    service.stop().await;
}
