//! An event from its creation to its publication.

use std::collections::{BTreeMap, BTreeSet};

use duijie_proto as pb;
use duijie_proto::{EditAction, ShortlistReason};
use tonic::Code;

use super::setting::*;
use crate::harness::{by_name, names, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn from_creation_to_publication() {
    let service = service().await;
    let client = &mut service.events().await;
    let created = create(client, "hebei", event()).await;
    assert_eq!((created.name.as_str(), created.state(), created.plan), ("events/hebei", pb::EventState::Draft, None));
    let filled = fill(client, "hebei").await;
    let counts = filled.participant_counts.unwrap();
    assert_eq!((counts.demand_count, counts.achievement_count, counts.expert_count), (8, 12, 4));
    let made = shortlist(client, "hebei").await;
    let plan = made.plan.unwrap();
    let outline = plan.outline.unwrap();
    assert!(plan.optimal && plan.value <= plan.bound + 1e-9 && 0.0 < plan.value, "{plan:?}");
    assert!(plan.certificate != 0 && !plan.localized_description.is_empty() && plan.versions.is_some());
    assert_eq!((outline.number, outline.scheduled, outline.shortlist_outdated), (1, false, false));
    let lists = shortlists(client, "hebei").await;
    check_shortlists(&lists);
    let sum: f64 = lists.iter().flat_map(|it| &it.chosen).map(|it| it.score).sum();
    assert!((sum - plan.value).abs() < 1e-3, "{sum} {}", plan.value);
    let made = schedule(client, "hebei").await;
    let outline = made.plan.unwrap().outline.unwrap();
    assert_eq!((outline.number, outline.scheduled, outline.unplaced_count), (2, true, 0));
    assert_eq!(made.changes.len(), usize::try_from(outline.meeting_count).unwrap());
    let meetings = meetings(client, "hebei").await;
    assert_eq!(meetings.len(), usize::try_from(outline.pair_count).unwrap());
    check_meetings(&meetings);
    let event = publish(client, "hebei").await;
    assert_eq!(event.state(), pb::EventState::Published);
    let events = client.list_events(pb::ListEventsRequest::default()).await.unwrap().into_inner().events;
    assert_eq!(events, [event]);
    service.stop().await;
}

/// No participant exceeds its quota, and each left-out candidate has a reason.
fn check_shortlists(lists: &[pb::DemandShortlist]) {
    assert_eq!(lists.len(), 8);
    assert!(lists.is_sorted_by(|one, next| one.demand < next.demand));
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for list in lists {
        assert!(list.chosen.len() <= 2 && !list.title.is_empty(), "{list:?}");
        for it in &list.chosen {
            *taken.entry(&it.counterpart).or_default() += 1;
            assert!(0.0 < it.score && 0 < it.rank && !it.title.is_empty(), "{it:?}");
            assert_eq!(it.grade == 0, it.counterpart.starts_with("experts/"), "{it:?}");
        }
        for it in &list.left_out {
            assert!(!it.reasons.is_empty() && it.reasons.iter().all(|it| !it.localized_description.is_empty()));
            assert!(list.chosen.iter().all(|chosen| chosen.counterpart != it.counterpart));
        }
    }
    assert!(taken.values().all(|count| *count <= 2), "{taken:?}");
}

/// No participant has two meetings in a slot, and no table is used twice.
fn check_meetings(meetings: &[pb::Meeting]) {
    let mut seen = BTreeSet::new();
    for it in meetings {
        assert!((1..=8).contains(&it.slot) && (1..=4).contains(&it.table), "{it:?}");
        assert!(seen.insert((it.slot, it.table.to_string())), "{it:?}");
        assert!(seen.insert((it.slot, it.demand.clone())), "{it:?}");
        assert!(seen.insert((it.slot, it.counterpart.clone())), "{it:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_and_levels_are_those_of_a_match() {
    let service = service().await;
    let client = &mut service.events().await;
    create(client, "e", event()).await;
    fill(client, "e").await;
    shortlist(client, "e").await;
    let lists = shortlists(client, "e").await;
    let mut compared = 0;
    for list in &lists {
        for kind in [pb::RecordKind::Achievement, pb::RecordKind::Expert] {
            let want = pb::EvidenceOptions { levels: true, ..Default::default() };
            let request = pb::MatchRequest { evidence: Some(want), page_size: 50, ..by_name(&list.demand, kind) };
            let matches = service.matching().await.r#match(request).await.unwrap().into_inner().matches;
            let ranks = names(&matches);
            for chosen in list.chosen.iter().filter(|it| ranks.contains(&it.counterpart)) {
                let found = &matches[ranks.iter().position(|name| *name == chosen.counterpart).unwrap()];
                assert!((found.score - chosen.score).abs() < 1e-6, "{} {chosen:?}", found.score);
                assert_eq!(found.level.as_ref().map_or(0, |level| level.grade), chosen.grade, "{chosen:?}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, lists.iter().map(|list| list.chosen.len()).sum::<usize>());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_calls_change_nothing() {
    let service = service().await;
    let client = &mut service.events().await;
    let request = |title: &str| pb::CreateEventRequest {
        event_id: String::new(),
        event: Some(pb::Event { title: title.into(), ..event() }),
        request_id: "0a1b".into(),
    };
    let first = client.create_event(request("甲")).await.unwrap().into_inner().event.unwrap();
    let again = client.create_event(request("甲")).await.unwrap().into_inner().event.unwrap();
    assert_eq!(first, again);
    let (code, reason, _) = refusal(&client.create_event(request("乙")).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    create(client, "e", event()).await;
    let taken = pb::CreateEventRequest { event_id: "e".into(), event: Some(event()), request_id: String::new() };
    let (code, reason, _) = refusal(&client.create_event(taken).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::AlreadyExists, "EVENT_EXISTS"));
    let filled = fill(client, "e").await;
    assert_eq!(fill(client, "e").await, filled);
    assert_eq!(client.update_event(update(filled.clone())).await.unwrap().into_inner().event.unwrap(), filled);
    let pin = vec![edit(EditAction::Pin, "demands/d-0", "achievements/a-1")];
    let edited = apply(client, "e", pin.clone()).await;
    assert_ne!(edited.etag, filled.etag);
    assert_eq!(apply(client, "e", pin).await, edited);
    // the same input gives the same plan
    let first = (shortlist(client, "e").await.plan.unwrap(), shortlists(client, "e").await);
    let placed = (schedule(client, "e").await, meetings(client, "e").await);
    let again = (shortlist(client, "e").await.plan.unwrap(), shortlists(client, "e").await);
    let placed_again = (schedule(client, "e").await, meetings(client, "e").await);
    let bare = |plan: &pb::EventPlan| pb::EventPlan { outline: None, ..plan.clone() };
    assert_eq!((bare(&first.0), first.1), (bare(&again.0), again.1));
    assert_eq!(placed.1, placed_again.1);
    assert_eq!(bare(&placed.0.plan.unwrap()), bare(&placed_again.0.plan.unwrap()));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_is_refused_everywhere() {
    let service = service().await;
    let client = &mut service.events().await;
    let stale = create(client, "e", event()).await.etag;
    let event = fill(client, "e").await;
    assert_ne!(event.etag, stale);
    let (name, etag) = (name("e"), stale.clone());
    let changed = pb::Event { title: "新".into(), etag: etag.clone(), ..event.clone() };
    let edits = vec![edit(EditAction::Pin, "demands/d-0", "achievements/a-0")];
    let record = "demands/d-0".to_string();
    let kind = pb::RecordKind::Demand as i32;
    let said = [
        client.update_event(update(changed)).await.err(),
        client.edit_event(pb::EditEventRequest { name: name.clone(), etag: etag.clone(), edits }).await.err(),
        client
            .add_participants(pb::AddParticipantsRequest {
                name: name.clone(),
                etag: etag.clone(),
                kind,
                ..Default::default()
            })
            .await
            .err(),
        client
            .remove_participants(pb::RemoveParticipantsRequest {
                name: name.clone(),
                etag: etag.clone(),
                records: vec![record.clone()],
            })
            .await
            .err(),
        client
            .cancel_participant(pb::CancelParticipantRequest {
                name: name.clone(),
                etag: etag.clone(),
                record,
                ..Default::default()
            })
            .await
            .err(),
        client
            .make_shortlist(pb::MakeShortlistRequest { name: name.clone(), etag: etag.clone(), ..Default::default() })
            .await
            .err(),
        client
            .make_schedule(pb::MakeScheduleRequest { name: name.clone(), etag: etag.clone(), ..Default::default() })
            .await
            .err(),
        client
            .set_event_state(pb::SetEventStateRequest { name: name.clone(), etag: etag.clone(), state: 2 })
            .await
            .err(),
        client.delete_event(pb::DeleteEventRequest { name: name.clone(), etag, force: false }).await.err(),
    ];
    for status in said {
        let (code, reason, _) = refusal(&status.unwrap());
        assert_eq!((code, reason.as_str()), (Code::Aborted, "ETAG_STALE"));
    }
    let now = client.get_event(pb::GetEventRequest { name: name.clone() }).await.unwrap().into_inner().event.unwrap();
    assert_eq!(now, event);
    client.delete_event(pb::DeleteEventRequest { name: name.clone(), etag: now.etag, force: false }).await.unwrap();
    let (code, reason, _) = refusal(&client.get_event(pb::GetEventRequest { name }).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::NotFound, "EVENT_NOT_FOUND"));
    // a new event with the same id inherits nothing
    create(client, "e", super::setting::event()).await;
    let request = pb::ListParticipantsRequest { name: super::setting::name("e"), ..Default::default() };
    assert_eq!(client.list_participants(request).await.unwrap().into_inner().participants, []);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_are_kept_through_every_regeneration() {
    let service = service().await;
    let client = &mut service.events().await;
    create(client, "e", event()).await;
    fill(client, "e").await;
    shortlist(client, "e").await;
    let lists = shortlists(client, "e").await;
    let (demand, best) = (lists[0].demand.clone(), lists[0].chosen[0].counterpart.clone());
    let pinned = "achievements/a-11";
    let mut lock = edit(EditAction::Lock, "demands/d-3", "experts/e-2");
    (lock.slot, lock.table) = (7, 4);
    let edits = vec![edit(EditAction::Forbid, &demand, &best), edit(EditAction::Pin, &demand, pinned), lock.clone()];
    let event = apply(client, "e", edits.clone()).await;
    assert!(event.plan.unwrap().shortlist_outdated);
    let kept = client
        .list_edits(pb::ListEditsRequest { name: name("e"), ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .edits;
    assert_eq!(kept.len(), 3);
    let request = pb::MakeScheduleRequest { name: name("e"), ..Default::default() };
    let (code, reason, _) = refusal(&client.make_schedule(request).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "SHORTLIST_OUTDATED"));
    for _ in 0..2 {
        shortlist(client, "e").await;
        schedule(client, "e").await;
        let list = shortlists(client, "e").await.remove(0);
        let reason_of = |name: &str| list.chosen.iter().find(|it| it.counterpart == name).map(|it| it.reason());
        assert_eq!((reason_of(&best), reason_of(pinned)), (None, Some(ShortlistReason::Pinned)));
        let left = list.left_out.iter().find(|it| it.counterpart == best).unwrap();
        assert_eq!(left.reasons[0].kind(), pb::LeftOutReasonKind::Forbidden);
        let meetings = meetings(client, "e").await;
        let locked: Vec<_> = meetings.iter().filter(|it| it.locked).collect();
        assert_eq!(locked.len(), 1);
        assert_eq!((locked[0].slot, locked[0].table, locked[0].counterpart.as_str()), (7, 4, "experts/e-2"));
    }
    // the locked slot no longer exists: the lock becomes a pin, and the schedule must be made again
    let event = client.get_event(pb::GetEventRequest { name: name("e") }).await.unwrap().into_inner().event.unwrap();
    let fewer = pb::Event { slots: event.slots[1..].to_vec(), ..event };
    let event = client.update_event(update(fewer)).await.unwrap().into_inner().event.unwrap();
    assert!(!event.plan.unwrap().scheduled);
    let kept = client
        .list_edits(pb::ListEditsRequest { name: name("e"), ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .edits;
    assert_eq!(kept.iter().filter(|it| it.action() == EditAction::Pin).count(), 2);
    // a rule that contradicts a pin
    let apart = pb::AvoidedPair { left: "需求单位0".into(), right: "供给单位3".into() };
    let event = client.get_event(pb::GetEventRequest { name: name("e") }).await.unwrap().into_inner().event.unwrap();
    let rules = pb::EventRules { avoided_pairs: vec![apart], ..event.rules.clone().unwrap() };
    let event = pb::Event { rules: Some(rules), ..event };
    client.update_event(update(event)).await.unwrap();
    let request = pb::MakeShortlistRequest { name: name("e"), ..Default::default() };
    let said = client.make_shortlist(request).await.unwrap_err();
    let (code, reason, _) = refusal(&said);
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "CONTRADICTIONS"));
    service.stop().await;
}
