//! Watching for new matches, over real gRPC and from the command line.

use std::{collections::BTreeSet, time::Duration};

use duijie::watch::{self as room, Cursor, End, Pace, Subscription};
use duijie_core::domain::{Filter, Kind, codes::Status as RecordStatus, record::Owner};
use duijie_proto as pb;
use duijie_proto::{
    subscription::Subject, watch_request::Wanted, watch_response::Event, watch_service_client::WatchServiceClient,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tonic::{Code, Streaming, transport::Channel};
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    command_line::{call, check},
    harness::{Service, common, record, record_with, refusal},
    on_server,
    qdrant_server::QdrantServer,
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

async fn client(service: &Service) -> WatchServiceClient<Channel> {
    WatchServiceClient::new(service.channel().await)
}

/// Watch request for achievements that match a demand.
fn for_demand(name: &str) -> pb::WatchRequest {
    let subject = Some(Subject::Record(name.into()));
    let target = pb::RecordKind::Achievement as i32;
    let subscription = pb::Subscription { subject, target, ..Default::default() };
    pb::WatchRequest { wanted: Some(Wanted::Subscription(subscription)), ..Default::default() }
}

fn with(request: pb::WatchRequest, change: impl FnOnce(&mut pb::Subscription)) -> pb::WatchRequest {
    let Some(Wanted::Subscription(mut subscription)) = request.wanted else { panic!("no subscription") };
    change(&mut subscription);
    pb::WatchRequest { wanted: Some(Wanted::Subscription(subscription)), ..request }
}

async fn watch_for(service: &Service, request: pb::WatchRequest) -> Streaming<pb::WatchResponse> {
    client(service).await.watch(request).await.unwrap().into_inner()
}

/// Reads messages until a checkpoint after at least `count` matches. Returns target, id and query of each, and the
/// token.
async fn take(messages: &mut Streaming<pb::WatchResponse>, count: usize) -> (Vec<(String, String, String)>, String) {
    let taking = async {
        let mut found = Vec::new();
        loop {
            match messages.message().await.unwrap().unwrap().event.unwrap() {
                Event::NewMatch(it) => {
                    let target = common(it.r#match.as_ref().unwrap().record.as_ref().unwrap()).name.clone();
                    found.push((target, it.id, it.query));
                }
                Event::Checkpoint(checkpoint) if count <= found.len() => return (found, checkpoint.resume_token),
                Event::Checkpoint(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, taking).await.unwrap()
}

fn targets(found: &[(String, String, String)]) -> BTreeSet<&str> {
    found.iter().map(|(target, ..)| target.trim_start_matches("achievements/")).collect()
}

fn achievement(id: &str) -> pb::Record {
    record(Kind::Achievement, id, "激光焊接薄板", "焊接薄壁壳体，变形小")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_by_its_token_without_loss() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "薄板焊接变形", ""), achievement("old")]).await;
    let mut messages = watch_for(&service, for_demand("demands/d-1")).await;
    take(&mut messages, 0).await;
    service.store(vec![achievement("a-1")]).await;
    let (found, token) = take(&mut messages, 1).await;
    let found: Vec<_> = found.into_iter().filter(|(target, ..)| !target.ends_with("/old")).collect();
    assert_eq!(targets(&found), BTreeSet::from(["a-1"]));
    assert_eq!((found[0].2.as_str(), found[0].1.len()), ("demands/d-1", 16));
    drop(messages);

    // matches stored while nobody listens are delivered after resuming by the token; delivered ones are not repeated
    service.store(vec![achievement("a-2"), achievement("a-3")]).await;
    let resumed = pb::WatchRequest { resume_token: token.clone(), ..for_demand("demands/d-1") };
    let (later, _) = take(&mut watch_for(&service, resumed.clone()).await, 2).await;
    assert_eq!(targets(&later), BTreeSet::from(["a-2", "a-3"]));
    // resuming from the same token delivers the same matches with the same ids: at least once
    let (again, token) = take(&mut watch_for(&service, resumed).await, 2).await;
    let ids = |found: &[(String, String, String)]| found.iter().map(|it| it.1.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&again), ids(&later));
    // a new revision counts as new
    service.store(vec![record(Kind::Achievement, "a-2", "激光焊接薄板", "焊接薄壁壳体，变形更小")]).await;
    let resumed = pb::WatchRequest { resume_token: token.clone(), ..for_demand("demands/d-1") };
    let (revised, _) = take(&mut watch_for(&service, resumed).await, 1).await;
    assert_eq!(targets(&revised), BTreeSet::from(["a-2"]));
    assert!(ids(&revised).is_disjoint(&ids(&later)));
    // a token is only valid for its own subscription
    let other = pb::WatchRequest { resume_token: token, ..for_demand("demands/d-2") };
    let status = client(&service).await.watch(other).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec!["resume_token".into()]));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_at_another_instance_by_its_token() {
    let data = TempDir::new().unwrap();
    let server = QdrantServer::start(data.path());
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let start = async |folder: &TempDir| {
        let config = on_server::config(folder.path(), &server.url());
        let service = Service::start_configured(folder.path(), config, |_| ()).await;
        on_server::wait_for(&service, ServingStatus::Serving).await;
        service
    };
    let (one, other) = (start(&folders[0]).await, start(&folders[1]).await);
    one.store(vec![record(Kind::Demand, "d-1", "薄板焊接变形", "")]).await;
    let mut messages = watch_for(&one, for_demand("demands/d-1")).await;
    take(&mut messages, 0).await;
    // records stored through the other instance are reported here
    other.store(vec![achievement("a-1")]).await;
    let (found, resume_token) = take(&mut messages, 1).await;
    assert_eq!(targets(&found), BTreeSet::from(["a-1"]));
    drop(messages);
    one.store(vec![achievement("a-2")]).await;
    let resumed = pb::WatchRequest { resume_token, ..for_demand("demands/d-1") };
    let (later, _) = take(&mut watch_for(&other, resumed).await, 1).await;
    assert_eq!(targets(&later), BTreeSet::from(["a-2"]));
    one.stop().await;
    other.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_comes_first_where_it_is_wanted() {
    let service = Service::start().await;
    let closed = record_with(Kind::Achievement, "closed", "激光焊接薄板", |it| it.status = RecordStatus::Closed);
    let far = record(Kind::Achievement, "far", "食用菌栽培", "蘑菇工厂化栽培");
    service.store(vec![record(Kind::Demand, "d-1", "激光焊接薄板", ""), achievement("a-1"), closed, far]).await;
    let existing = || pb::WatchRequest { include_existing: true, ..for_demand("demands/d-1") };
    let (all, _) = take(&mut watch_for(&service, existing()).await, 2).await;
    assert_eq!(targets(&all), BTreeSet::from(["a-1", "far"]));
    let good = with(existing(), |it| it.min_score = 0.5);
    let (found, _) = take(&mut watch_for(&service, good).await, 1).await;
    assert_eq!(targets(&found), BTreeSet::from(["a-1"]));
    let text = with(existing(), |it| {
        let text = pb::TextQuery { title: "激光焊接薄板".into(), ..Default::default() };
        (it.subject, it.min_score) = (Some(Subject::Text(text)), 0.5);
    });
    let (found, _) = take(&mut watch_for(&service, text).await, 1).await;
    assert_eq!((targets(&found), found[0].2.as_str()), (BTreeSet::from(["a-1"]), ""));
    // every grade reaches the lowest minimum
    let graded = with(existing(), |it| it.min_grade = pb::Grade::None as i32);
    let (found, _) = take(&mut watch_for(&service, graded).await, 2).await;
    assert_eq!(targets(&found), targets(&all));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_records_ask_for_themselves() {
    let service = Service::start().await;
    let owned = |id: &str, body: &str| {
        record_with(Kind::Demand, id, "薄板焊接变形", |it| {
            it.owner = Some(Owner { name: "甲公司".into(), credit_code: String::new(), owner_type: None });
            it.body = body.into();
        })
    };
    service.store(vec![owned("d-1", ""), record(Kind::Demand, "other", "薄板焊接", ""), achievement("a-1")]).await;
    let of_owner = with(for_demand(""), |it| {
        let kind = pb::RecordKind::Demand as i32;
        it.subject = Some(Subject::Owned(pb::OwnedRecords { owner: "甲公司".into(), kind }));
    });
    let request = pb::WatchRequest { include_existing: true, ..of_owner };
    let mut messages = watch_for(&service, request).await;
    let (first, _) = take(&mut messages, 1).await;
    let pair = |it: &(String, String, String)| (it.2.clone(), it.0.clone());
    let found: Vec<_> = first.iter().map(pair).collect();
    assert_eq!(found, [("demands/d-1".to_string(), "achievements/a-1".to_string())]);
    // another record of the owner, and a changed one, are matched again
    service.store(vec![owned("d-2", "")]).await;
    let (more, _) = take(&mut messages, 1).await;
    assert_eq!(more.iter().map(pair).collect::<Vec<_>>(), [("demands/d-2".into(), "achievements/a-1".into())]);
    service.store(vec![owned("d-1", "要求变形小于0.3mm")]).await;
    let (changed, _) = take(&mut messages, 1).await;
    assert_eq!(changed.iter().map(pair).collect::<Vec<_>>(), found);
    assert_ne!(changed[0].1, first[0].1);
    drop(messages);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_signs_of_life_until_the_service_stops() {
    let mut service = Service::start().await;
    let heartbeat = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let mut messages = watch_for(&service, pb::WatchRequest { heartbeat, ..for_demand("demands/none") }).await;
    for _ in 0..3 {
        let message = tokio::time::timeout(PATIENCE, messages.message()).await.unwrap().unwrap().unwrap();
        let Some(Event::Checkpoint(checkpoint)) = message.event else { panic!("{message:?}") };
        assert!(!checkpoint.resume_token.is_empty() && checkpoint.time.is_some() && !checkpoint.truncated);
    }
    service.ask_to_stop();
    let ended = async {
        loop {
            match messages.message().await {
                Ok(Some(_)) => {}
                ended => return ended,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap_err();
    assert_eq!((refusal(&status).0, refusal(&status).1.as_str()), (Code::Unavailable, "STOPPING"));
    drop(messages);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_who_takes_nothing_is_ended_and_goes_on_by_the_cursor() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "薄板焊接变形", "")]).await;
    service.store((0..20).map(|n| achievement(&format!("a-{n}"))).collect()).await;
    let pace = Pace { look_every: Duration::from_millis(50), patience: Duration::from_millis(200) };
    let watcher = service.parts.watcher.clone().with_pace(pace);
    let subscription = || Subscription {
        subject: room::Subject::Record("demands/d-1".parse().unwrap()),
        target: Kind::Achievement,
        filter: Filter::default(),
        min_level: None,
        min_score: 0.0,
    };
    let (_stop, stopped) = watch::channel(false);
    let heartbeat = Duration::from_secs(60);
    let (sender, mut events) = mpsc::channel(4);
    let ended = watcher.run(subscription(), Cursor::starting_at(0), heartbeat, sender, stopped.clone());
    assert!(matches!(ended.await, End::Slow));
    let mut waiting = 0;
    while events.recv().await.is_some() {
        waiting += 1;
    }
    assert_eq!(waiting, 4, "no more than may wait are kept");

    // a watcher that resumes where it stopped gets everything
    let watcher = watcher.with_pace(Pace { patience: PATIENCE, ..pace });
    let (sender, mut events) = mpsc::channel(4);
    let going_on = tokio::spawn({
        let watcher = watcher.clone();
        async move { watcher.run(subscription(), Cursor::starting_at(0), heartbeat, sender, stopped).await }
    });
    let mut ids = BTreeSet::new();
    while let Some(event) = events.recv().await {
        match event {
            room::Event::Match(it) => drop(ids.insert(it.id)),
            room::Event::Checkpoint { .. } => break,
        }
    }
    assert_eq!(ids.len(), 20);
    drop(events);
    assert!(matches!(going_on.await.unwrap(), End::Gone));
    drop(watcher);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_kept_by_id() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "薄板焊接变形", ""), achievement("a-1")]).await;
    let mut client = client(&service).await;
    let Some(Wanted::Subscription(subscription)) = for_demand("demands/d-1").wanted else { panic!() };
    for id in ["s-2", "s-1", "s-2"] {
        let save = pb::SaveSubscriptionRequest { id: id.into(), subscription: Some(subscription.clone()) };
        let saved = client.save_subscription(save).await.unwrap().into_inner().subscription.unwrap();
        assert_eq!(saved.id, id);
    }
    let first = pb::ListSubscriptionsRequest { page_size: 1, ..Default::default() };
    let page = client.list_subscriptions(first.clone()).await.unwrap().into_inner();
    let second = pb::ListSubscriptionsRequest { page_token: page.next_page_token, ..first };
    let rest = client.list_subscriptions(second).await.unwrap().into_inner();
    assert_eq!((rest.subscriptions[0].id.as_str(), rest.next_page_token.as_str()), ("s-2", ""));
    let request = pb::ListSubscriptionsRequest::default();
    let list = client.list_subscriptions(request).await.unwrap().into_inner().subscriptions;
    assert_eq!(list.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["s-1", "s-2"]);
    assert_eq!(list[0].subscription.as_ref().unwrap().subject, subscription.subject);
    let by_id = |id: &str| pb::WatchRequest {
        wanted: Some(Wanted::SubscriptionId(id.into())),
        include_existing: true,
        ..Default::default()
    };
    let (found, _) = take(&mut watch_for(&service, by_id("s-1")).await, 1).await;
    assert_eq!(targets(&found), BTreeSet::from(["a-1"]));
    let delete = |id: &str| pb::DeleteSubscriptionRequest { id: id.into() };
    client.delete_subscription(delete("s-1")).await.unwrap();
    for status in
        [client.delete_subscription(delete("s-1")).await.unwrap_err(), client.watch(by_id("s-1")).await.unwrap_err()]
    {
        assert_eq!((refusal(&status).0, refusal(&status).1.as_str()), (Code::NotFound, "SUBSCRIPTION_NOT_FOUND"));
    }
    drop(client);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_every_field() {
    let service = Service::start().await;
    let base = || for_demand("demands/d-1");
    let subject = |subject: Subject| with(base(), |it| it.subject = Some(subject));
    let far = Some(prost_types::Duration { seconds: 301, nanos: 0 });
    let time = Some(pb::TimeRange { start_time: Some(prost_types::Timestamp::default()), end_time: None });
    let filter = pb::Filter { update_time: time, ..Default::default() };
    let rows = [
        (pb::WatchRequest::default(), vec!["wanted"]),
        (with(base(), |it| *it = pb::Subscription::default()), vec!["subscription.subject", "subscription.target"]),
        (subject(Subject::Record("x".into())), vec!["subscription.record"]),
        (subject(Subject::Text(pb::TextQuery::default())), vec!["subscription.text"]),
        (subject(Subject::Owned(pb::OwnedRecords::default())), vec!["subscription.owned.owner"]),
        (with(base(), |it| it.filter = Some(filter)), vec!["subscription.filter.update_time"]),
        (
            with(base(), |it| {
                it.target = pb::RecordKind::Expert as i32;
                it.min_grade = pb::Grade::Fair as i32;
                it.min_score = 2.0;
            }),
            vec!["subscription.min_score", "subscription.min_grade"],
        ),
        (pb::WatchRequest { heartbeat: far, resume_token: "AAAA".into(), ..base() }, vec!["heartbeat", "resume_token"]),
        (
            pb::WatchRequest { wanted: Some(Wanted::SubscriptionId("a/b".into())), ..Default::default() },
            vec!["subscription_id"],
        ),
    ];
    let mut client = client(&service).await;
    for (request, want) in rows {
        let (code, _, fields) = refusal(&client.watch(request).await.unwrap_err());
        assert_eq!((code, fields.iter().map(String::as_str).collect::<Vec<_>>()), (Code::InvalidArgument, want));
    }
    let bad = pb::SaveSubscriptionRequest { id: String::new(), subscription: None };
    assert_eq!(refusal(&client.save_subscription(bad).await.unwrap_err()).2, ["id", "subscription"]);
    drop(client);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_watches() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "激光焊接薄板", ""), achievement("a-1")]).await;
    let watch = async |arguments: &[&str]| {
        let arguments = [&["watch"], arguments, &["--to", "achievements", "--server", &service.url]].concat();
        call(&arguments).await
    };
    let (code, said) = watch(&["demands/d-1", "--existing", "--count", "1"]).await;
    check((code, said.clone()), 0, &["achievements/a-1", "激光焊接薄板", "--token "]);
    let token = said.split_whitespace().last().unwrap().to_string();
    service.store(vec![achievement("a-2")]).await;
    let (code, said) = watch(&["demands/d-1", "--token", &token, "--count", "1", "--jsonl"]).await;
    check((code, said.clone()), 0, &["\"target\":\"achievements/a-2\""]);
    assert!(!said.contains("achievements/a-1"), "{said}");
    check(watch(&["x", "--count", "1"]).await, 1, &["subscription.record"]);
    service.stop().await;
}
