use std::collections::BTreeSet;

use jiff::civil::{date, time};

use super::*;
use crate::{
    events::model::{
        Change, Event, EventState, Meeting, Pair, Plan, Rules, Shortlisted, Slot, Unplaced, UnplacedCause, plan::Why,
    },
    tests::{Twins, record, versions},
};
use duijie_core::domain::{Kind, RecordName};
use duijie_store::{DocumentWrite, Expect};

const SUBJECTS: [&str; 4] = ["铝合金薄板激光焊接", "动力电池健康状态估计", "玉米籽粒低破碎收获", "高盐废水蒸发结晶"];

/// Two slots, two tables; one counterpart for each.
fn event() -> Event {
    let slot = |hour| Slot { date: date(2026, 12, 1), start: time(hour, 0, 0, 0), end: time(hour, 30, 0, 0) };
    Event {
        id: "fair".into(),
        title: "对接会".into(),
        place: String::new(),
        slots: vec![slot(9), slot(10)],
        tables: 2,
        spare_percent: 0,
        rules: Rules { per_demand: 1, per_achievement: 1, ..Rules::default() },
        state: EventState::Draft,
        inputs: 0,
        layout: 0,
        create_time: Timestamp::UNIX_EPOCH,
        update_time: Timestamp::UNIX_EPOCH,
    }
}

/// The service with an event and its participants.
async fn filled() -> Events {
    let twins = Twins::new();
    let records = SUBJECTS.iter().enumerate().flat_map(|(number, subject)| {
        let demand = record(Kind::Demand, &format!("d-{number}"), &format!("求{subject}的办法"), "");
        [demand, record(Kind::Achievement, &format!("a-{number}"), &format!("{subject}技术"), "")]
    });
    twins.store(records).await;
    let events = Events::new(twins.index.clone(), twins.matcher.clone(), &versions());
    events.create(event(), "").await.unwrap();
    for kind in [Kind::Demand, Kind::Achievement] {
        let added = events.add("fair", Who::Found { kind, filter: Box::default(), limit: 100 }, "").await.unwrap();
        assert_eq!(added.added, 4);
    }
    events
}

#[tokio::test]
async fn a_plan_that_takes_too_long_leaves_nothing() {
    let events = filled().await;
    let before = events.get("fair").await.unwrap();
    let hasty = events.clone().with_deadline(Duration::ZERO);
    assert!(matches!(hasty.shortlist("fair", "", 0).await, Err(Error::DeadlineExceeded)));
    assert_eq!(events.get("fair").await.unwrap(), before);
    // the event is free again
    let (listed, _) = events.shortlist("fair", "", 0).await.unwrap();
    assert!(matches!(hasty.schedule("fair", "", 0).await, Err(Error::DeadlineExceeded)));
    assert_eq!(events.get("fair").await.unwrap(), listed);
    // a caller's earlier deadline counts
    let too_late = duijie_store::deadline::within(Some(Duration::ZERO), events.schedule("fair", "", 0)).await;
    assert!(matches!(too_late, Err(Error::DeadlineExceeded)));
    assert_eq!(events.get("fair").await.unwrap(), listed);
    events.schedule("fair", "", 0).await.unwrap();
}

#[tokio::test]
async fn who_comes_while_another_works_on_the_event_is_told() {
    let mut events = filled().await;
    events.tries = 2;
    let other = events.store.index().claim("event/fair").await.unwrap().unwrap();
    assert!(matches!(events.shortlist("fair", "", 0).await, Err(Error::Busy { retry_ms: RETRY_MS })));
    assert!(matches!(events.schedule("fair", "", 0).await, Err(Error::Busy { retry_ms: RETRY_MS })));
    other.release().await;
    events.shortlist("fair", "", 0).await.unwrap();
}

#[tokio::test]
async fn an_event_goes_from_its_creation_to_its_schedule() {
    let events = filled().await;
    assert!(events.schedule("fair", "", 0).await.is_err(), "there is no shortlist yet");
    let (_, plan) = events.shortlist("fair", "", 0).await.unwrap();
    let pairs: BTreeSet<(&str, &str)> =
        plan.shortlist.iter().map(|it| (it.pair.demand.id.as_str(), it.pair.counterpart.id.as_str())).collect();
    assert_eq!(pairs, BTreeSet::from([("d-0", "a-0"), ("d-1", "a-1"), ("d-2", "a-2"), ("d-3", "a-3")]));
    let (stored, plan) = events.schedule("fair", "", 0).await.unwrap();
    // four meetings take all places: two slots at two tables
    let places: BTreeSet<(usize, u32)> = plan.meetings.iter().map(|it| (it.slot, it.table)).collect();
    assert_eq!(places, BTreeSet::from([(0, 0), (0, 1), (1, 0), (1, 1)]));
    assert!(plan.unplaced.is_empty() && !stored.is_shortlist_outdated());
    assert_eq!(events.plan("fair").await.unwrap().1, plan);
}

/// A plan of 400 demands with three counterparts each, in five slots.
fn large_plan() -> Plan {
    let name = |kind: &str, number: usize| format!("{kind}/r-{number:04}").parse().unwrap();
    let pair = |number: usize| Pair::new(name("demands", number / 3), name("achievements", number % 7));
    let mut plan = Plan { number: 1, ..Plan::default() };
    plan.shortlist = (0..1_200)
        .map(|it| Shortlisted { pair: pair(it), score: 0.5, level: None, rank: 1, why: Why::Chosen })
        .collect();
    plan.meetings = (0..1_200)
        .map(|it| Meeting { pair: pair(it), slot: it / 240, table: (it % 240) as u32, locked: false })
        .collect();
    plan.unplaced = (0..250).map(|it| Unplaced { pair: pair(2 * it), cause: UnplacedCause::NotRefilled }).collect();
    plan.changes = (0..150).map(|it| Change { pair: pair(9 * it), from: None, to: Some((0, 9)) }).collect();
    plan.sort();
    plan
}

/// Reads all pages of shortlists and meetings.
async fn pages(events: &Events, record: Option<&RecordName>) -> (Vec<Shortlisted>, Vec<Unplaced>, Vec<Meeting>) {
    let planned = events.planned("fair").await.unwrap();
    let (mut shortlist, mut unplaced, mut meetings) = (Vec::new(), Vec::new(), Vec::new());
    let mut start = Some(0);
    while let Some(from) = start {
        let page = events.shortlist_page(&planned, record, ListRange { start: from, limit: 30 }).await.unwrap();
        shortlist.extend(page.report.plan.shortlist);
        start = page.next;
    }
    start = Some(0);
    while let Some(from) = start {
        let page = events.meeting_page(&planned, record, ListRange { start: from, limit: 100 }).await.unwrap();
        let of_page = page.report.plan.unplaced.len() + page.report.plan.meetings.len();
        assert!(of_page == 100 || page.next.is_none() && of_page <= 100);
        unplaced.extend(page.report.plan.unplaced);
        meetings.extend(page.report.plan.meetings);
        start = page.next;
    }
    (shortlist, unplaced, meetings)
}

#[tokio::test]
async fn pages_read_their_pieces_and_plans_of_the_old_form_are_still_read() {
    let twins = Twins::new();
    let events = Events::new(twins.index.clone(), twins.matcher.clone(), &versions());
    let mut stored = events.create(event(), "").await.unwrap();
    let plan = large_plan();
    let pointer = events.store.write_plan("fair", &plan).await.unwrap();
    stored.plan = Some(pointer.clone());
    events.store.write_event(stored).await.unwrap();
    let demand: RecordName = "demands/r-0123".parse().unwrap();
    let of_one = |pair: &Pair| pair.demand == demand;
    let wanted = |all: bool| {
        let shortlist = plan.shortlist.iter().filter(|it| all || of_one(&it.pair)).cloned();
        let meetings = plan.meetings.iter().filter(|it| all || of_one(&it.pair)).cloned();
        let unplaced = plan.unplaced.iter().filter(|it| all || of_one(&it.pair)).cloned();
        (shortlist.collect::<Vec<_>>(), unplaced.collect::<Vec<_>>(), meetings.collect::<Vec<_>>())
    };
    let check = async || {
        assert_eq!(events.plan("fair").await.unwrap().1, plan);
        let summary = events.summary("fair", ListRange { start: 0, limit: 100 }).await.unwrap();
        assert_eq!((&summary.changes[..], summary.change_count), (&plan.changes[..100], 150));
        assert_eq!(summary.plan.meetings, []);
        let planned = events.planned("fair").await.unwrap();
        let rest = events.change_page(&planned, ListRange { start: 100, limit: 100 }).await.unwrap();
        assert_eq!(rest, (plan.changes[100..].to_vec(), None));
        assert_eq!(pages(&events, None).await, wanted(true));
        assert_eq!(pages(&events, Some(&demand)).await, wanted(false));
    };
    check().await;

    twins.reads.take();
    let planned = events.planned("fair").await.unwrap();
    // the event and the head
    assert_eq!(twins.reads.take().documents, 2);
    let page = events.shortlist_page(&planned, Some(&demand), ListRange { start: 0, limit: 30 }).await.unwrap();
    let pairs = page.report.plan.shortlist.len();
    // at most two pieces, and the participants
    assert!((1..=2).contains(&(twins.reads.take().documents - pairs - 1)) && 4 < pointer.parts, "{pointer:?}");
    events.meeting_page(&planned, None, ListRange { start: 600, limit: 10 }).await.unwrap();
    // participants of both sides and outcomes are at most three for each meeting
    assert!(twins.reads.take().documents <= 2 + 3 * 10);

    // as plans were stored before: one text in parts, and a pointer that says no form
    let text = serde_json::to_string(&plan).unwrap();
    let folder = "events/fair/plan/1-old";
    let (first, rest) = text.split_at(text.len() / 2);
    for (part, text) in [(0u64, first), (1, rest)] {
        let write = DocumentWrite::new(folder, part, text.to_string(), Expect::Any);
        twins.index.write_documents(vec![write]).await.unwrap();
    }
    let mut document = twins.index.read_documents("events", &["fair".into()]).await.unwrap().remove(0).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&document.text).unwrap();
    let pointer = json["plan"].as_object_mut().unwrap();
    assert!(pointer.remove("form").is_some());
    pointer.insert("folder".into(), folder.into());
    pointer.insert("parts".into(), 2.into());
    pointer.insert("hash".into(), store::hash(&text).into());
    document.text = json.to_string();
    twins.index.write_documents(vec![document.into()]).await.unwrap();
    check().await;
}
