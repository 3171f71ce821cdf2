//! A refused call names the violated fields and the reasons.

use duijie_proto as pb;
use duijie_proto::{EditAction, OutcomeProgress};
use tonic::{Code, Status};

use super::setting::*;
use crate::harness::refusal;

fn check<T: std::fmt::Debug>(answer: Result<T, Status>, want: &[&str]) {
    let (code, reason, fields) = refusal(&answer.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
    assert_eq!(fields, want);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_events() {
    let service = service().await;
    let client = &mut service.events().await;
    let mut refused = async |id: &str, change: &dyn Fn(&mut pb::Event), want: &[&str]| {
        let mut event = event();
        change(&mut event);
        let request = pb::CreateEventRequest { event_id: id.into(), event: Some(event), request_id: String::new() };
        check(client.create_event(request).await, want);
    };
    refused("编号", &|_| (), &["event_id"]).await;
    refused("e", &|it| it.title.clear(), &["event.title"]).await;
    refused("e", &|it| it.slots.clear(), &["event.slots"]).await;
    refused(
        "e",
        &|it| it.slots[1] = slot("2026-13-01", "9点", "25:00"),
        &["event.slots[1].date", "event.slots[1].start_time", "event.slots[1].end_time"],
    )
    .await;
    refused("e", &|it| it.slots[1].end_time = "09:30".into(), &["event.slots[1].end_time"]).await;
    refused("e", &|it| it.slots[1].start_time = "09:20".into(), &["event.slots[1]"]).await;
    refused("e", &|it| it.table_count = -1, &["event.table_count"]).await;
    refused("e", &|it| it.table_count = 0, &["event.table_count"]).await;
    refused("e", &|it| it.table_count = 1_001, &["event.table_count"]).await;
    refused("e", &|it| it.spare_percent = 51, &["event.spare_percent"]).await;
    let rules = |change: fn(&mut pb::EventRules)| move |it: &mut pb::Event| change(it.rules.as_mut().unwrap());
    refused("e", &rules(|it| it.max_per_demand = 201), &["event.rules.max_per_demand"]).await;
    refused("e", &rules(|it| it.min_score = 2.0), &["event.rules.min_score"]).await;
    refused("e", &rules(|it| it.min_grade = 9), &["event.rules.min_grade"]).await;
    refused(
        "e",
        &rules(|it| it.quotas = vec![pb::Quota::default()]),
        &["event.rules.quotas[0].side", "event.rules.quotas[0].group"],
    )
    .await;
    let overlapping = |it: &mut pb::EventRules| {
        let quota =
            |code: &str| pb::Quota { side: 1, group: 1, code: code.into(), min_pair_count: 0, max_pair_count: Some(3) };
        it.quotas = vec![quota("13"), quota("1301"), quota("99")];
    };
    refused("e", &rules(overlapping), &["event.rules.quotas[2].code", "event.rules.quotas[1]"]).await;
    check(client.create_event(pb::CreateEventRequest::default()).await, &["event"]);
    check(client.get_event(pb::GetEventRequest { name: "event/e".into() }).await, &["name"]);
    check(client.list_events(pb::ListEventsRequest { page_size: -1, ..Default::default() }).await, &["page_size"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_participants_edits_and_outcomes() {
    let service = service().await;
    let client = &mut service.events().await;
    create(client, "e", event()).await;
    let given = |participants: Vec<pb::Participant>| pb::AddParticipantsRequest {
        name: name("e"),
        participants,
        ..Default::default()
    };
    let of = |record: &str| pb::Participant { record: record.into(), ..Default::default() };
    check(client.add_participants(given(vec![])).await, &["participants"]);
    check(client.add_participants(given(vec![of("d-0")])).await, &["participants[0].record"]);
    check(client.add_participants(given(vec![of("demands/none")])).await, &["participants[0].record"]);
    check(client.add_participants(given(vec![of("demands/d-0"); 2])).await, &["participants[1].record"]);
    check(client.add_participants(given(vec![of("demands/d-0"); 501])).await, &["participants"]);
    let bad = pb::Participant { max_concurrent_meetings: 101, max_meetings: 300, table: 5, ..of("demands/d-0") };
    let want = ["participants[0].max_concurrent_meetings", "participants[0].max_meetings", "participants[0].table"];
    check(client.add_participants(given(vec![bad])).await, &want);
    let at = |record: &str| pb::Participant { table: 1, ..of(record) };
    let two = vec![at("demands/d-0"), at("demands/d-1")];
    check(client.add_participants(given(two)).await, &["participants[1].table"]);
    let both = pb::AddParticipantsRequest { kind: 1, ..given(vec![of("demands/d-0")]) };
    check(client.add_participants(both).await, &["kind"]);
    let many = pb::AddParticipantsRequest { name: name("e"), kind: 1, limit: 5_001, ..Default::default() };
    check(client.add_participants(many).await, &["limit"]);
    fill(client, "e").await;
    let edits = |edits: Vec<pb::EventEdit>| pb::EditEventRequest { name: name("e"), etag: String::new(), edits };
    check(client.edit_event(edits(vec![])).await, &["edits"]);
    let unknown = edit(EditAction::Pin, "demands/none", "achievements/a-0");
    let expanded = edit(EditAction::Pin, "achievements/a-0", "demands/d-0");
    let nothing = edit(EditAction::Unspecified, "demands/d-0", "achievements/a-0");
    let nowhere = edit(EditAction::Lock, "demands/d-0", "achievements/a-0");
    check(client.edit_event(edits(vec![unknown])).await, &["edits[0].demand"]);
    check(client.edit_event(edits(vec![expanded])).await, &["edits[0].demand", "edits[0].counterpart"]);
    check(client.edit_event(edits(vec![nothing])).await, &["edits[0].action"]);
    check(client.edit_event(edits(vec![nowhere])).await, &["edits[0].slot", "edits[0].table"]);
    shortlist(client, "e").await;
    schedule(client, "e").await;
    let chosen = shortlists(client, "e").await.remove(0);
    let outcome = pb::MeetingOutcome {
        demand: chosen.demand.clone(),
        counterpart: chosen.chosen[0].counterpart.clone(),
        ..Default::default()
    };
    let outcomes = |outcome: pb::MeetingOutcome| pb::RecordOutcomesRequest { name: name("e"), outcomes: vec![outcome] };
    let signed = pb::MeetingOutcome { attendance: 2, progress: OutcomeProgress::Signed as i32, ..outcome.clone() };
    check(client.record_outcomes(outcomes(signed)).await, &["outcomes[0].contract_kind", "outcomes[0].amount_yuan"]);
    let early = pb::MeetingOutcome { attendance: 1, progress: OutcomeProgress::Intent as i32, ..outcome.clone() };
    check(client.record_outcomes(outcomes(early)).await, &["outcomes[0].progress"]);
    let noted = pb::MeetingOutcome { note: "好".into(), ..outcome.clone() };
    check(client.record_outcomes(outcomes(noted)).await, &["outcomes[0].attendance"]);
    let replaced = pb::MeetingOutcome { attendance: 4, ..outcome.clone() };
    check(client.record_outcomes(outcomes(replaced)).await, &["outcomes[0].replaced_by"]);
    let never = pb::MeetingOutcome { counterpart: "achievements/none".into(), attendance: 2, ..outcome };
    let (code, reason, _) = refusal(&client.record_outcomes(outcomes(never)).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "NOT_PLANNED"));
    // a page token of an earlier plan
    let request = pb::ListShortlistsRequest { name: name("e"), page_size: 2, ..Default::default() };
    let token = client.list_shortlists(request.clone()).await.unwrap().into_inner().next_page_token;
    shortlist(client, "e").await;
    let late = pb::ListShortlistsRequest { page_token: token, ..request };
    check(client.list_shortlists(late).await, &["page_token"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_done_first() {
    let service = service().await;
    let client = &mut service.events().await;
    create(client, "e", event()).await;
    let check = |answer: Result<(), Status>, want: (Code, &str)| {
        let (code, reason, _) = refusal(&answer.unwrap_err());
        assert_eq!((code, reason.as_str()), want);
    };
    let state =
        |state: pb::EventState| pb::SetEventStateRequest { name: name("e"), state: state as i32, etag: String::new() };
    use Code::{FailedPrecondition as Failed, NotFound};
    let plan = pb::GetPlanRequest { name: name("e") };
    check(client.get_plan(plan).await.map(drop), (Failed, "NO_SHORTLIST"));
    let make = pb::MakeScheduleRequest { name: name("e"), ..Default::default() };
    check(client.make_schedule(make).await.map(drop), (Failed, "NO_SHORTLIST"));
    check(client.set_event_state(state(pb::EventState::Review)).await.map(drop), (Failed, "NO_SHORTLIST"));
    // no participants: an empty plan
    let made = shortlist(client, "e").await.plan.unwrap();
    assert_eq!((made.value, made.optimal), (0.0, true));
    check(client.set_event_state(state(pb::EventState::Review)).await.map(drop), (Failed, "SCHEDULE_OUTDATED"));
    schedule(client, "e").await;
    check(client.set_event_state(state(pb::EventState::Published)).await.map(drop), (Failed, "WRONG_STATE"));
    let cancel = pb::CancelParticipantRequest { name: name("e"), record: "demands/d-0".into(), ..Default::default() };
    check(client.cancel_participant(cancel).await.map(drop), (NotFound, "PARTICIPANT_NOT_FOUND"));
    let none = pb::MakeShortlistRequest { name: name("none"), ..Default::default() };
    check(client.make_shortlist(none).await.map(drop), (NotFound, "EVENT_NOT_FOUND"));
    service.stop().await;
}
