//! More calls than can be worked on: some run, some wait, the others are refused at once, and afterwards all is as before.

use std::time::Duration;

use duijie::api::Waits;
use duijie_proto as pb;
use duijie_proto::catalog_service_client::CatalogServiceClient;
use futures::future::join_all;
use tokio::task::JoinSet;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::harness::{Service, refusal};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// More calls than places.
const CALLS: usize = 200;

async fn get(channel: Channel) -> Status {
    let request = pb::GetRecordRequest { name: "demands/none".to_string() };
    CatalogServiceClient::new(channel).get_record(request).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_would_wait_too_long_are_refused_at_once_and_afterwards_all_is_as_before() {
    let (service, holds) = Service::start_held(|limits| {
        limits.waits = Waits { target: Duration::from_millis(1), burst: Duration::from_millis(10) };
    })
    .await;
    let channel = service.channel().await;
    assert_eq!(get(channel.clone()).await.code(), Code::NotFound);
    holds.send(true).unwrap();
    let mut calls = JoinSet::new();
    (0..CALLS).for_each(|_| drop(calls.spawn(get(channel.clone()))));
    // no answer comes while the engine is held, so what ends is refused
    for _ in 0..CALLS / 2 {
        let status = tokio::time::timeout(PATIENCE, calls.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!(refusal(&status).1, "BUSY", "{status:?}");
        assert!(status.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some()));
    }
    // a large request is refused without being read
    let body = "焊接质量".repeat(4_000);
    let text = pb::TextQuery { title: "题目".into(), body, ..Default::default() };
    let request = pb::MatchRequest {
        query: Some(pb::match_request::Query::Text(text)),
        target: pb::RecordKind::Achievement as i32,
        ..Default::default()
    };
    let refused = async {
        loop {
            match service.matching().await.r#match(request.clone()).await {
                Err(status) => return status,
                // it came when a place was free
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refusal(&status).1, "BUSY", "{status:?}");
    holds.send(false).unwrap();
    while let Some(status) = tokio::time::timeout(PATIENCE, calls.join_next()).await.unwrap() {
        assert!(matches!(status.unwrap().code(), Code::NotFound | Code::ResourceExhausted));
    }
    for _ in 0..10 {
        let statuses = join_all((0..4).map(|_| get(channel.clone()))).await;
        assert!(statuses.iter().all(|status| status.code() == Code::NotFound), "{statuses:?}");
    }
    drop(channel);
    service.stop().await;
}
