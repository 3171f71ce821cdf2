//! Callers that hold on to what they have: requests that do not come, connections that say nothing, more than their share.

use std::{future::Future, io::ErrorKind, net::IpAddr, process::Command, time::Duration};

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::{catalog_service_client::CatalogServiceClient, watch_service_client::WatchServiceClient};
use futures::{StreamExt, future::join_all, stream};
use http::uri::PathAndQuery;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::CompressionEncoding,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::{
    bad_day::server::Server,
    harness::{Service, by_name, record, refusal},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3_600);
/// First bytes of a client of HTTP/2, with empty settings.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} took too long"))
}

/// A call whose headers come, and nothing else.
async fn silent(channel: Channel, path: &'static str) -> Status {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = ProstCodec::<pb::GetRecordRequest, pb::GetRecordResponse>::default();
    let request = Request::new(stream::pending());
    client.client_streaming(request, PathAndQuery::from_static(path), codec).await.unwrap_err()
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Resolves when the other side closes the connection.
async fn closed(mut stream: TcpStream) {
    let mut bytes = [0; 1_024];
    while stream.read(&mut bytes).await.is_ok_and(|read| read != 0) {}
}

/// A connection from an address of its own, as from another machine.
async fn from(service: &Service, last: u8) -> Channel {
    let address = IpAddr::from([127, 0, 0, last]);
    let endpoint = Endpoint::from_shared(service.url.clone()).unwrap().local_address(Some(address));
    endpoint.connect().await.unwrap()
}

fn watch_request() -> pb::WatchRequest {
    let text = pb::TextQuery { title: "冲压件边缘容易开裂".into(), ..Default::default() };
    let subscription = pb::Subscription {
        subject: Some(pb::subscription::Subject::Text(text)),
        target: pb::RecordKind::Achievement as i32,
        ..Default::default()
    };
    pb::WatchRequest {
        wanted: Some(pb::watch_request::Wanted::Subscription(subscription)),
        heartbeat: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        ..Default::default()
    }
}

/// Opens streams until one is refused.
async fn watch_all(channel: Channel) -> Vec<tonic::Streaming<pb::WatchResponse>> {
    let mut client = WatchServiceClient::new(channel);
    let mut streams = Vec::new();
    loop {
        match soon("a stream", client.watch(watch_request())).await {
            Ok(stream) => streams.push(stream.into_inner()),
            Err(status) => {
                assert_eq!(refusal(&status).1, "BUSY");
                return streams;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_do_not_come_hold_no_place() {
    let service = Service::start_with(|limits| {
        (limits.max_calls, limits.max_streams) = (2, 2);
        (limits.request_timeout, limits.message_timeout) = (10 * SHORT, 10 * SHORT);
    })
    .await;
    let paths = ["/duijie.v1.CatalogService/GetRecord", "/duijie.v1.CatalogService/ImportRecords"];
    let channel = service.channel().await;
    let waiting = (0..10).map(|number| tokio::spawn(silent(channel.clone(), paths[number % 2])));
    let waiting: Vec<_> = waiting.collect();
    // all places are free for others
    let (mut catalog, mut matching) = (service.catalog().await, service.matching().await);
    while waiting.iter().any(|call| !call.is_finished()) {
        let missing = by_name("demands/none", pb::RecordKind::Expert);
        let status = soon("a call", matching.r#match(missing)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let part = pb::ImportRecordsRequest { records: vec![record(Kind::Demand, "d-1", "冲压件边缘开裂", "")] };
        let stored = soon("an import", catalog.import_records(stream::iter([part]))).await.unwrap().into_inner();
        assert_eq!(stored.total_count, 1);
    }
    for call in waiting {
        let status = call.await.unwrap();
        assert_eq!(refusal(&status).1, "REQUEST_TOO_SLOW", "{status:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_sends_nothing_more_ends() {
    let service = Service::start_with(|limits| limits.message_timeout = SHORT).await;
    let part = pb::ImportRecordsRequest { records: vec![record(Kind::Demand, "d-1", "冲压件边缘开裂", "")] };
    let parts = stream::iter([part]).chain(stream::pending());
    let status = soon("the end", service.catalog().await.import_records(parts)).await.unwrap_err();
    assert_eq!(refusal(&status).1, "REQUEST_TOO_SLOW");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_caller_holds_all_places() {
    let service = Service::start_with(|limits| (limits.max_streams, limits.caller_share) = (8, 50)).await;
    let (greedy, other) = (from(&service, 2).await, from(&service, 3).await);
    // a quarter is left to others
    let held = watch_all(greedy.clone()).await;
    assert_eq!(held.len(), 6);
    let others = watch_all(other).await;
    assert_eq!(others.len(), 2);
    drop((held, others));
    let again = async {
        while watch_all(greedy.clone()).await.len() < 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("free places", again).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_closed_and_streams_stay() {
    let service = Service::start_with(|limits| {
        (limits.connections.handshake, limits.connections.idle) = (SHORT, SHORT);
    })
    .await;
    let mut watching = WatchServiceClient::new(service.channel().await);
    let mut events = watching.watch(watch_request()).await.unwrap().into_inner();
    let (mute, mut begun, mut idle) = (connect(&service).await, connect(&service).await, connect(&service).await);
    begun.write_all(&HELLO[..10]).await.unwrap();
    idle.write_all(HELLO).await.unwrap();
    soon("the end of a connection", join_all([mute, begun, idle].map(closed))).await;
    // a stream on which little happens goes on for long
    for _ in 0..3 {
        soon("a checkpoint", events.message()).await.unwrap().unwrap();
    }
    // a client whose connection was closed makes another one
    let mut catalog = service.catalog().await;
    for _ in 0..2 {
        let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
        let counted = async { while catalog.count_records(request.clone()).await.is_err() {} };
        soon("a call", counted).await;
        tokio::time::sleep(3 * SHORT).await;
    }
    drop(events);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_their_number_are_closed_at_once() {
    let service = Service::start_with(|limits| {
        (limits.connections.max, limits.connections.handshake) = (3, LONG);
    })
    .await;
    let held = [connect(&service).await, connect(&service).await, connect(&service).await];
    for _ in 0..50 {
        soon("the end of a connection", closed(connect(&service).await)).await;
    }
    drop(held);
    let served = async {
        loop {
            if let Ok(channel) = Endpoint::from_shared(service.url.clone()).unwrap().connect().await {
                let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
                if CatalogServiceClient::new(channel).count_records(request).await.is_ok() {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("a free place", served).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_connection_ends_and_a_subscription_goes_on_by_its_token() {
    let service = Service::start_with(|limits| {
        (limits.connections.age, limits.connections.grace) = (Some(SHORT), 8 * SHORT);
    })
    .await;
    let mut watching = WatchServiceClient::new(service.channel().await);
    let mut token = String::new();
    for _ in 0..2 {
        let request = pb::WatchRequest { resume_token: token.clone(), ..watch_request() };
        let opened = async {
            loop {
                if let Ok(stream) = watching.watch(request.clone()).await {
                    return stream.into_inner();
                }
            }
        };
        let mut events = soon("a stream", opened).await;
        let mut heard = 0;
        let ended = async {
            loop {
                match events.message().await {
                    Ok(Some(pb::WatchResponse { event: Some(pb::watch_response::Event::Checkpoint(it)) })) => {
                        (token, heard) = (it.resume_token, heard + 1);
                    }
                    Ok(Some(_)) => {}
                    ended => return ended,
                }
            }
        };
        assert!(soon("the end", ended).await.is_err(), "a stream that was cut ended as if it were whole");
        assert!(0 < heard && !token.is_empty());
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_all_calls_are_bounded() {
    let service = Service::start_with(|limits| {
        (limits.max_message_bytes, limits.max_inflight_bytes) = (256 << 10, 1 << 20);
    })
    .await;
    let body = "为提高焊接质量，需要研究新的工艺参数与设备。".repeat(110);
    let batch = |caller: usize| {
        let records = (0..3).map(|n| record(Kind::Demand, &format!("d-{caller}-{n}"), "题目", &body)).collect();
        pb::BatchUpsertRecordsRequest { records }
    };
    let catalog = service.catalog().await;
    // each of them is reckoned as half of all
    let calls = (0..6).map(|caller| {
        let mut catalog = catalog.clone();
        async move { catalog.batch_upsert_records(batch(caller)).await }
    });
    let answers = soon("all answers", join_all(calls)).await;
    let (stored, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(!stored.is_empty() && !refused.is_empty(), "{} {}", stored.len(), refused.len());
    for status in refused.into_iter().filter_map(Result::err) {
        assert_eq!((refusal(&status).0, refusal(&status).1.as_str()), (Code::ResourceExhausted, "BUSY"));
        assert!(status.get_error_details().retry_info().is_some_and(|retry| retry.retry_delay.is_some()));
    }
    // the parts of a stream wait for one another
    let parts: Vec<_> = (0..4).map(|part| pb::ImportRecordsRequest { records: batch(part).records }).collect();
    let stored = soon("an import", catalog.clone().import_records(stream::iter(parts))).await.unwrap().into_inner();
    assert_eq!((stored.total_count, stored.refused_count), (12, 0));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grows_when_it_is_unpacked_or_decoded_is_refused() {
    let service = Service::start_with(|limits| limits.max_message_bytes = 1 << 20).await;
    let empty = pb::BatchUpsertRecordsRequest { records: vec![pb::Record { kind: None }; 100_000] };
    let long = record(Kind::Demand, "d", "题目", &" ".repeat(20 << 20));
    let long = pb::BatchUpsertRecordsRequest { records: vec![long] };
    for (request, encoding) in [
        (&empty, CompressionEncoding::Gzip),
        (&empty, CompressionEncoding::Zstd),
        (&long, CompressionEncoding::Gzip),
        (&long, CompressionEncoding::Zstd),
    ] {
        let mut catalog = service.catalog().await.send_compressed(encoding);
        let status = soon("a refusal", catalog.batch_upsert_records(request.clone())).await.unwrap_err();
        assert_eq!(refusal(&status).1, "MESSAGE_TOO_LARGE", "{encoding:?}");
        let part = pb::ImportRecordsRequest { records: request.records.clone() };
        let status = soon("a refusal", catalog.import_records(stream::iter([part]))).await.unwrap_err();
        assert_eq!(refusal(&status).1, "MESSAGE_TOO_LARGE", "{encoding:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_at_its_limit_of_open_files_serves_on() {
    const FILES: usize = 512;
    let folder = TempDir::new().unwrap();
    let server = Server::start_by(folder.path(), |program| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {FILES} && exec \"$0\" serve")).arg(program);
        command
    });
    let mut catalog = CatalogServiceClient::connect(server.url.clone()).await.unwrap();
    let address = server.url.strip_prefix("http://").unwrap().to_string();
    let mut streams = Vec::new();
    for _ in 0..FILES {
        streams.push(TcpStream::connect(&address).await.unwrap());
    }
    // those beyond half of its files are closed at once, long before the others have to say something
    let ended = async {
        loop {
            let is_closed = |stream: &TcpStream| match stream.try_read(&mut [0]) {
                Err(error) => error.kind() != ErrorKind::WouldBlock,
                Ok(read) => read == 0,
            };
            if FILES / 2 <= streams.iter().filter(|stream| is_closed(stream)).count() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("the end of connections", ended).await;
    let records = vec![record(Kind::Demand, "d-1", "冲压件边缘开裂", "")];
    let stored = soon("a write", catalog.batch_upsert_records(pb::BatchUpsertRecordsRequest { records })).await;
    assert_eq!(stored.unwrap().into_inner().results[0].outcome(), pb::UpsertOutcome::Created);
    let read = pb::GetRecordRequest { name: "demands/d-1".into() };
    soon("a read", catalog.get_record(read)).await.unwrap();
    drop(streams);
    let status = soon("the end", tokio::task::spawn_blocking(move || server.terminate())).await.unwrap();
    assert!(status.success(), "{status:?}");
}
