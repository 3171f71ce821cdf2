//! Both engines give the same plan, and two instances on one engine can work on one event.

use std::path::Path;

use duijie_proto as pb;
use tempfile::TempDir;

use super::setting::*;
use crate::{
    harness::{self, Service},
    qdrant_server::QdrantServer,
};

async fn on_server(folder: &Path, url: &str) -> Service {
    let config = harness::config_with(folder, &format!("[qdrant]\nurl = {url:?}\ntimeout_ms = 5000"));
    Service::start_configured(folder, config, |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_give_the_same_plan() {
    let embedded = service().await;
    let client = &mut embedded.events().await;
    published(client, "e").await;
    let want = (shortlists(client, "e").await, places(&meetings(client, "e").await));
    embedded.stop().await;
    let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = QdrantServer::start(data.path());
    let first = on_server(folder.path(), &server.url()).await;
    let second = on_server(folder.path(), &server.url()).await;
    // a service starts before its engine is ready
    for service in [&first, &second] {
        for _ in 0..200 {
            if service.parts.healthy() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    first.store(records(8, 12, 4)).await;
    let (one, other) = (&mut first.events().await, &mut second.events().await);
    create(one, "e", event()).await;
    fill(other, "e").await;
    // concurrent calls run one after the other, and both plans are complete
    let (left, right) = futures::join!(shortlist(one, "e"), shortlist(other, "e"));
    let number = |made: &pb::MakeShortlistResponse| made.plan.as_ref().unwrap().outline.as_ref().unwrap().number;
    assert_eq!([number(&left), number(&right)].into_iter().sum::<i64>(), 3);
    schedule(one, "e").await;
    publish(other, "e").await;
    let found = (shortlists(other, "e").await, places(&meetings(one, "e").await));
    let rounded = |lists: &[pb::DemandShortlist]| {
        let chosen = lists.iter().flat_map(|list| {
            list.chosen
                .iter()
                .map(|it| (list.demand.clone(), it.counterpart.clone(), (it.score * 1e4).round(), it.grade))
        });
        chosen.collect::<Vec<_>>()
    };
    assert_eq!(rounded(&found.0), rounded(&want.0));
    assert_eq!(found.1, want.1);
    first.stop().await;
    second.stop().await;
    server.stop().await;
}
