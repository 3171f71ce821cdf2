//! No answer exceeds what a client takes by default, 4 MiB: pages end early and go on exactly there. All clients here have
//! the default limit.

use duijie::identity::{KeySpec, Role, Scope};
use duijie_core::domain::{Kind, codes::Status};
use duijie_proto as pb;
use duijie_proto::{access_service_client::AccessServiceClient, watch_service_client::WatchServiceClient};
use futures::stream;
use prost::Message;
use tonic::Code;

use crate::{
    harness::{Service, by_name, common, names, record_with, refusal},
    index::sample::{self, Dice},
};

/// What a client takes by default.
const LIMIT: usize = 4 << 20;
/// Bytes before a message.
const FRAME: usize = 5;
/// Records with the longest bodies: 12 MB.
const RECORDS: usize = 200;

fn fits(answer: &impl Message) {
    assert!(answer.encoded_len() + FRAME < LIMIT, "{}", answer.encoded_len());
}

/// Demands `r-0` to `r-199` with bodies of 20,000 characters, stored without the model.
async fn long_demands(service: &Service) {
    let dice = &mut Dice::new(20);
    let dimensions = service.parts.embedder.identity().dimensions;
    let mut points = sample::points(Kind::Demand, RECORDS, dice);
    for (number, point) in points.iter_mut().enumerate() {
        point.dense = sample::dense(dice, dimensions);
        point.record.source = "local".to_string();
        point.record.status = Status::Active;
        let sentence = format!("第{number}段 转炉煤气回收系统泄漏监测与联锁改造。");
        point.record.body = sentence.chars().cycle().take(20_000).collect();
    }
    service.parts.index.upsert(Kind::Demand, points).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_long_records_end_early_and_go_on_there() {
    let service = Service::start().await;
    long_demands(&service).await;
    let kind = pb::RecordKind::Demand;
    let mut catalog = service.catalog().await;
    let list = pb::ListRecordsRequest { kind: kind as i32, page_size: 200, ..Default::default() };
    let basic = pb::ListRecordsRequest { view: pb::RecordView::Basic as i32, ..list.clone() };
    let basic = catalog.list_records(basic).await.unwrap().into_inner();
    assert_eq!((basic.records.len(), basic.next_page_token.as_str()), (RECORDS, ""));
    assert!(basic.records.iter().all(|record| common(record).body.is_empty() && !common(record).title.is_empty()));
    let (mut seen, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = pb::ListRecordsRequest { page_token, ..list.clone() };
        let page = catalog.list_records(request).await.unwrap().into_inner();
        fits(&page);
        assert!(page.records.iter().all(|record| common(record).body.chars().count() == 20_000));
        seen.extend(page.records.iter().map(|record| common(record).name.clone()));
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    let whole: Vec<_> = basic.records.iter().map(|record| common(record).name.clone()).collect();
    assert_eq!((seen, pages), (whole, 3));

    let mut matching = service.matching().await;
    let ask = pb::MatchRequest { page_size: 200, ..by_name("demands/r-0", kind) };
    let basic = pb::MatchRequest { view: pb::RecordView::Basic as i32, ..ask.clone() };
    let whole = matching.r#match(basic.clone()).await.unwrap().into_inner();
    assert!(100 < whole.matches.len() && whole.next_page_token.is_empty(), "{}", whole.matches.len());
    let (mut seen, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = pb::MatchRequest { page_token: page_token.clone(), ..ask.clone() };
        let page = matching.r#match(request).await.unwrap().into_inner();
        fits(&page);
        assert!(page.matches.iter().all(|found| !common(found.record.as_ref().unwrap()).body.is_empty()));
        if pages == 1 {
            // a token is good for both views
            let request = pb::MatchRequest { page_token, ..basic.clone() };
            let rest = matching.r#match(request).await.unwrap().into_inner().matches;
            assert_eq!(names(&rest), names(&whole.matches[seen.len()..]));
        }
        seen.extend(page.matches);
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    assert!(1 < pages);
    assert_eq!(names(&seen), names(&whole.matches));
    assert!(seen.iter().zip(1..).all(|(found, rank)| found.rank == rank));

    let similar = pb::SimilarRequest { name: "demands/r-0".into(), page_size: 200, ..Default::default() };
    let page = matching.similar(similar.clone()).await.unwrap().into_inner();
    fits(&page);
    let request = pb::SimilarRequest { page_token: page.next_page_token, ..similar.clone() };
    let next = matching.similar(request).await.unwrap().into_inner();
    assert_eq!(next.matches[0].rank, page.matches.last().unwrap().rank + 1);
    for bad in [pb::SimilarRequest { view: 9, ..similar }] {
        assert_eq!(
            refusal(&matching.similar(bad).await.unwrap_err()),
            (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec!["view".into()])
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_events_and_subscriptions_end_early_too() {
    const EVENTS: usize = 6;
    const SUBSCRIPTIONS: usize = 60;
    let service = Service::start().await;
    let mut events = service.events().await;
    let pair = |n: usize| {
        let name = |side: &str| format!("{side}{n:04}{}", "𠮷".repeat(95));
        pb::AvoidedPair { left: name("甲"), right: name("乙") }
    };
    let slots = vec![pb::Slot { date: "2026-12-01".into(), start_time: "09:00".into(), end_time: "09:25".into() }];
    let rules = pb::EventRules { avoided_pairs: (0..1_000).map(pair).collect(), ..Default::default() };
    let event =
        pb::Event { title: "对接会".into(), slots, table_count: 1, rules: Some(rules), ..Default::default() };
    for n in 0..EVENTS {
        let request =
            pb::CreateEventRequest { event_id: format!("e-{n}"), event: Some(event.clone()), ..Default::default() };
        fits(&events.create_event(request).await.unwrap().into_inner());
    }
    let (mut seen, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = pb::ListEventsRequest { page_size: 200, page_token };
        let page = events.list_events(request).await.unwrap().into_inner();
        fits(&page);
        seen.extend(page.events.into_iter().map(|event| event.name));
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    seen.sort();
    assert_eq!((seen, pages), ((0..EVENTS).map(|n| format!("events/e-{n}")).collect(), 2));

    let mut watching = WatchServiceClient::new(service.channel().await);
    let text = pb::TextQuery { title: "漏油".into(), body: "𠮷".repeat(20_000), ..Default::default() };
    let subscription = pb::Subscription {
        subject: Some(pb::subscription::Subject::Text(text)),
        target: pb::RecordKind::Achievement as i32,
        ..Default::default()
    };
    for n in 0..SUBSCRIPTIONS {
        let request = pb::SaveSubscriptionRequest { id: format!("s-{n:02}"), subscription: Some(subscription.clone()) };
        watching.save_subscription(request).await.unwrap();
    }
    let (mut seen, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = pb::ListSubscriptionsRequest { page_size: 200, page_token };
        let page = watching.list_subscriptions(request).await.unwrap().into_inner();
        fits(&page);
        seen.extend(page.subscriptions.into_iter().map(|saved| saved.id));
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((seen, pages), ((0..SUBSCRIPTIONS).map(|n| format!("s-{n:02}")).collect(), 2));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_list_few_violations_and_count_all() {
    let service = Service::start().await;
    let refused = |n: usize| {
        let mut record = record_with(Kind::Demand, &format!("d-{n}"), "题目", |it| {
            it.region = "999999".into();
            it.keywords = vec![String::new(); 10];
        });
        if let Some(pb::record::Kind::Demand(demand)) = &mut record.kind {
            demand.cooperation_modes = vec![77; 90];
        }
        record
    };
    let records: Vec<pb::Record> = (0..500).map(refused).collect();
    let request = pb::BatchUpsertRecordsRequest { records: records.clone() };
    let answer = service.catalog().await.batch_upsert_records(request).await.unwrap().into_inner();
    fits(&answer);
    assert_eq!(answer.results.len(), 500);
    for result in &answer.results {
        assert_eq!(result.outcome(), pb::UpsertOutcome::Refused);
        assert!(90 <= result.violation_count && result.violations.len() == 20, "{}", result.violation_count);
    }
    let parts = stream::iter([pb::ImportRecordsRequest { records }]);
    let summary = service.catalog().await.import_records(parts).await.unwrap().into_inner();
    fits(&summary);
    assert_eq!((summary.refused_count, summary.error_samples.len()), (500, 100));
    assert!(summary.duration.is_some());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_keys_ends_early_too() {
    const KEYS: usize = 205;
    let service = Service::start().await;
    for n in 0..KEYS {
        let organizations = (0..50).map(|place| format!("{place:02}{}", "𠮷".repeat(98))).collect();
        let sources = (0..50).map(|place| format!("{place:032}")).collect();
        let scope = Scope { sources, organizations };
        let spec = KeySpec { owner: format!("持有者{n}"), role: Role::Reader, scope, expires: None };
        service.parts.access.keys().create(spec, jiff::Timestamp::now()).await.unwrap();
    }
    let mut access = AccessServiceClient::new(service.channel().await);
    let (mut seen, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = pb::ListApiKeysRequest { page_size: 200, page_token };
        let page = access.list_api_keys(request).await.unwrap().into_inner();
        fits(&page);
        assert!(page.keys.len() < 200, "200 of them are larger than an answer");
        seen.extend(page.keys.into_iter().map(|key| key.id));
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    assert!(seen.is_sorted() && seen.len() == KEYS, "{}", seen.len());
    assert_eq!(pages, 2);
    drop(access);
    service.stop().await;
}
