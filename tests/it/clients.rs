//! Clients as they come: compressed calls to every service, other compressions, HTTP/1.1, TLS, and errors of a size that
//! every client takes.

use std::time::Duration;

use duijie_proto as pb;
use duijie_proto::{
    maintenance_service_client::MaintenanceServiceClient, rematch_service_client::RematchServiceClient,
    watch_service_client::WatchServiceClient,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{
    Code, Request,
    codec::CompressionEncoding::{self, Gzip, Zstd},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};
use tonic_types::StatusExt;

use crate::harness::{Service, by_text, refusal};

/// What the service answers to bytes, until it closes the connection.
async fn raw(service: &Service, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(service.url.trim_start_matches("http://")).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await;
    // a reset is an end, too
    let _ = closed.expect("the connection stays open");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_takes_compressed_calls() {
    let service = Service::start().await;
    calls(&service, Gzip).await;
    calls(&service, Zstd).await;
    // it answers so, too, where the client says that it reads it
    let count = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, ..Default::default() };
    let encoding = async |accepted| {
        let mut catalog = service.catalog().await.accept_compressed(accepted);
        let answer = catalog.count_records(count.clone()).await.unwrap();
        answer.metadata().get("grpc-encoding").map(|it| it.to_str().unwrap().to_string())
    };
    assert_eq!((encoding(Zstd).await.as_deref(), encoding(Gzip).await), (Some("zstd"), None));
    service.stop().await;
}

/// Calls a method of each service with compressed requests.
async fn calls(service: &Service, encoding: CompressionEncoding) {
    let channel = service.channel().await;
    let count = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, ..Default::default() };
    service.catalog().await.send_compressed(encoding).count_records(count).await.unwrap();
    let found = by_text("漏油", pb::RecordKind::Achievement);
    service.matching().await.send_compressed(encoding).r#match(found).await.unwrap();
    service.events().await.send_compressed(encoding).list_events(pb::ListEventsRequest::default()).await.unwrap();
    let mut jobs = RematchServiceClient::new(channel.clone()).send_compressed(encoding);
    jobs.list_rematches(pb::ListRematchesRequest::default()).await.unwrap();
    let mut watch = WatchServiceClient::new(channel.clone()).send_compressed(encoding);
    watch.list_subscriptions(pb::ListSubscriptionsRequest::default()).await.unwrap();
    let mut maintenance = MaintenanceServiceClient::new(channel.clone()).send_compressed(encoding);
    maintenance.create_snapshot(pb::CreateSnapshotRequest::default()).await.unwrap();
    let mut health = HealthClient::new(channel.clone()).send_compressed(encoding);
    health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    let mut reflection = ServerReflectionClient::new(channel).send_compressed(encoding);
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let ask = ServerReflectionRequest { host: String::new(), message_request };
    let mut answers = reflection.server_reflection_info(tokio_stream::iter([ask])).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_compressions_are_told_what_is_taken() {
    let service = Service::start().await;
    let mut request = Request::new(pb::CountRecordsRequest { kind: 1, ..Default::default() });
    request.metadata_mut().insert("grpc-encoding", "deflate".parse().unwrap());
    let status = service.catalog().await.count_records(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("gzip"), "{status:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_what_this_port_is_and_tls_is_closed_at_once() {
    let service = Service::start().await;
    let requests = [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /metrics HTTP/1.0\r\n\r\n",
        "POST /duijie.v1.CatalogService/CountRecords HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\n\
         Content-Length: 5\r\n\r\n\0\0\0\0\0",
    ];
    for request in requests {
        let answer = String::from_utf8(raw(&service, request.as_bytes()).await).unwrap();
        assert!(answer.contains(" 426 Upgrade Required\r\n") && answer.contains("gRPC"), "{request}\n{answer}");
    }
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    assert!(raw(&service, &hello).await.is_empty(), "TLS is answered");
    // calls are served as before
    service.events().await.list_events(pb::ListEventsRequest::default()).await.unwrap();
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_small_whatever_was_wrong() {
    let service = Service::start().await;
    let many = |what: &str| (0..3_000).map(|n| format!("{what}{n}")).collect::<Vec<_>>();
    let filter = pb::Filter {
        regions: many("火星"),
        industries: many("行业"),
        fields: many("领域"),
        owners: vec![String::new(); 3_000],
        statuses: vec![99; 3_000],
        source_systems: many("来源"),
        ..Default::default()
    };
    let request = pb::MatchRequest { filter: Some(filter), ..by_text("漏油", pb::RecordKind::Achievement) };
    let status = service.matching().await.r#match(request).await.unwrap_err();
    let (code, reason, fields) = refusal(&status);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
    assert!((10..=20).contains(&fields.len()), "{fields:?}");
    assert!(status.details().len() < 3_072 && status.message().len() < 400, "{}", status.details().len());
    let details = status.get_error_details();
    let count: usize = details.error_info().unwrap().metadata["violation_count"].parse().unwrap();
    assert!(18_000 <= count, "{count}");
    let names: Vec<String> = many("demands/no-such-");
    let selection = pb::start_rematch_request::Selection::Names(pb::RematchNames { names: vec!["x".into(); 900] });
    let start = pb::StartRematchRequest { selection: Some(selection), ..Default::default() };
    let status = RematchServiceClient::new(service.channel().await).start_rematch(start).await.unwrap_err();
    assert!(status.details().len() < 3_072, "{}", status.details().len());
    let request = pb::RemoveParticipantsRequest { name: "events/none".into(), records: names, ..Default::default() };
    let status = service.events().await.remove_participants(request).await.unwrap_err();
    assert!(status.details().len() < 3_072, "{}", status.details().len());
    service.stop().await;
}
