//! Changes on the day of the event: as few published meetings change as possible. Also, what survives a kill.

use std::collections::BTreeSet;

use duijie_proto as pb;
use tempfile::TempDir;
use tonic::Code;

use super::setting::*;
use crate::{
    bad_day::server::Server,
    harness::{record, refusal},
};

fn cancel(record: &str, refill: bool, closed_slot_count: i32) -> pb::CancelParticipantRequest {
    pb::CancelParticipantRequest {
        name: name("e"),
        record: record.into(),
        refill,
        closed_slot_count,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_touches_only_what_it_must() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let before = places(&meetings(client, "e").await);
    let gone = before.iter().find(|it| it.1.starts_with("achievements/")).unwrap().1.clone();
    let answer = client.cancel_participant(cancel(&gone, false, 0)).await.unwrap().into_inner();
    let after = places(&meetings(client, "e").await);
    let of_gone = |it: &&(String, String, i32, i32)| it.0 == gone || it.1 == gone;
    let kept: Vec<_> = before.iter().filter(|it| !of_gone(it)).cloned().collect();
    assert_eq!(after, kept);
    assert_eq!(answer.changes.len(), before.iter().filter(of_gone).count());
    assert!(answer.changes.iter().all(|it| it.after.is_none() && it.counterpart == gone), "{:?}", answer.changes);
    let event = answer.event.unwrap();
    assert_eq!((event.state(), event.participant_counts.unwrap().cancelled_count), (pb::EventState::Published, 1));
    assert!(!event.plan.unwrap().schedule_outdated);
    let again = client.cancel_participant(cancel(&gone, false, 0)).await.unwrap().into_inner();
    assert_eq!((again.changes.len(), again.event.unwrap().etag), (0, event.etag));
    // with replacements: only new meetings appear
    let demand = before[0].0.clone();
    let kept: BTreeSet<_> = after.iter().filter(|it| it.0 != demand).cloned().collect();
    let answer = client.cancel_participant(cancel(&demand, true, 0)).await.unwrap().into_inner();
    let refilled: BTreeSet<_> = places(&meetings(client, "e").await).into_iter().collect();
    assert!(kept.is_subset(&refilled), "{kept:?} {refilled:?}");
    let new = refilled.difference(&kept).count();
    let (added, removed): (Vec<_>, Vec<_>) = answer.changes.iter().partition(|it| it.before.is_none());
    assert_eq!((added.len(), removed.len()), (new, after.len() - kept.len()));
    assert!(removed.iter().all(|it| it.after.is_none() && it.demand == demand));
    assert!(refilled.iter().all(|it| it.0 != demand && it.1 != gone));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_place_stays() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let before = places(&meetings(client, "e").await);
    // finds a record with meetings in both halves
    let halves = |record: &str| {
        let own = before.iter().filter(|it| it.0 == record || it.1 == record);
        let (early, late): (Vec<_>, Vec<_>) = own.partition(|it| it.2 <= 4);
        (early.len(), late.len())
    };
    let both = before.iter().flat_map(|it| [&it.0, &it.1]).find(|record| halves(record).0 > 0 && halves(record).1 > 0);
    let (record, closed) = match both {
        Some(record) => (record.clone(), 4),
        // none has: closes the slot of the first meeting
        None => (before[0].0.clone(), before[0].2),
    };
    let answer = client.cancel_participant(cancel(&record, false, closed)).await.unwrap().into_inner();
    let after = places(&meetings(client, "e").await);
    let stays = |it: &&(String, String, i32, i32)| it.2 <= closed || (it.0 != record && it.1 != record);
    assert_eq!(after, before.iter().filter(stays).cloned().collect::<Vec<_>>());
    assert!(after.iter().any(|it| it.0 == record || it.1 == record));
    assert_eq!(answer.changes.len(), before.len() - after.len());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_participant_moves_nobody() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let before: BTreeSet<_> = places(&meetings(client, "e").await).into_iter().collect();
    let subject = "铝合金薄板激光焊接气孔与变形控制";
    service.store(vec![record(duijie_core::domain::Kind::Demand, "new", &format!("求{subject}的办法"), subject)]).await;
    let participants = vec![pb::Participant { record: "demands/new".into(), ..Default::default() }];
    let request = pb::AddParticipantsRequest { name: name("e"), participants, ..Default::default() };
    let added = client.add_participants(request).await.unwrap().into_inner();
    assert_eq!((added.added_count, added.event.unwrap().plan.unwrap().shortlist_outdated), (1, true));
    let made = shortlist(client, "e").await;
    let after: BTreeSet<_> = places(&meetings(client, "e").await).into_iter().collect();
    assert!(before.is_subset(&after));
    let new: Vec<_> = after.difference(&before).collect();
    assert!(!new.is_empty() && new.iter().any(|it| it.0 == "demands/new"), "{new:?}");
    assert_eq!(made.changes.len(), new.len());
    assert!(made.changes.iter().all(|it| it.before.is_none()));
    let reasons: BTreeSet<_> =
        shortlists(client, "e").await.iter().flat_map(|it| &it.chosen).map(|it| it.reason()).collect();
    assert!(reasons.contains(&pb::ShortlistReason::Kept) && reasons.contains(&pb::ShortlistReason::Chosen));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_not_changed_by_accident() {
    let service = service().await;
    let client = &mut service.events().await;
    let event = published(client, "e").await;
    let check = |result: Result<(), tonic::Status>| {
        let (code, reason, _) = refusal(&result.unwrap_err());
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    };
    let fewer = pb::Event { table_count: 3, ..event.clone() };
    check(client.update_event(update(fewer)).await.map(drop));
    let other = pb::Event { slots: event.slots[1..].to_vec(), ..event.clone() };
    check(client.update_event(update(other)).await.map(drop));
    let back = pb::SetEventStateRequest { name: name("e"), state: pb::EventState::Draft as i32, etag: String::new() };
    check(client.set_event_state(back).await.map(drop));
    let records = vec!["demands/d-0".to_string()];
    let remove = pb::RemoveParticipantsRequest { name: name("e"), etag: String::new(), records };
    check(client.remove_participants(remove).await.map(drop));
    let before = places(&meetings(client, "e").await);
    let mut more = event.clone();
    more.slots.push(slot("2026-12-02", "11:00", "11:25"));
    more.table_count = 5;
    client.update_event(update(more)).await.unwrap();
    schedule(client, "e").await;
    assert_eq!(places(&meetings(client, "e").await), before);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path());
    let mut catalog = pb::catalog_service_client::CatalogServiceClient::connect(server.url.clone()).await.unwrap();
    catalog.batch_upsert_records(pb::BatchUpsertRecordsRequest { records: records(8, 12, 4) }).await.unwrap();
    let mut client = Client::connect(server.url.clone()).await.unwrap();
    published(&mut client, "e").await;
    let gone = meetings(&mut client, "e").await[0].counterpart.clone();
    client.cancel_participant(cancel(&gone, true, 0)).await.unwrap();
    let outcome = meetings(&mut client, "e").await[0].clone();
    let outcome = pb::MeetingOutcome {
        demand: outcome.demand,
        counterpart: outcome.counterpart,
        attendance: pb::Attendance::Held as i32,
        ..Default::default()
    };
    let record = pb::RecordOutcomesRequest { name: name("e"), outcomes: vec![outcome] };
    client.record_outcomes(record).await.unwrap();
    let seen = seen(&mut client).await;
    server.kill();
    let server = Server::start(folder.path());
    let mut client = Client::connect(server.url.clone()).await.unwrap();
    assert_eq!(self::seen(&mut client).await, seen);
    server.kill();
}

/// Everything visible of the event.
async fn seen(
    client: &mut Client,
) -> (pb::GetPlanResponse, Vec<pb::Meeting>, Vec<pb::DemandShortlist>, Vec<pb::MeetingOutcome>) {
    let plan = client.get_plan(pb::GetPlanRequest { name: name("e") }).await.unwrap().into_inner();
    let request = pb::ListOutcomesRequest { name: name("e"), ..Default::default() };
    let outcomes = client.list_outcomes(request).await.unwrap().into_inner().outcomes;
    (plan, meetings(client, "e").await, shortlists(client, "e").await, outcomes)
}
