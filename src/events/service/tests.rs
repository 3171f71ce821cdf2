use std::collections::BTreeSet;

use jiff::civil::{date, time};

use super::*;
use crate::{
    events::model::{Event, EventState, Rules, Slot},
    tests::{Twins, record, versions},
};
use duijie_core::domain::Kind;

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
