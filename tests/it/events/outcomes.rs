//! Outcomes of meetings: recorded, counted, and used by the next event. Contacts.

use duijie_proto as pb;
use duijie_proto::{Attendance, OutcomeGrouping, OutcomeProgress};
use tonic::Code;

use super::setting::*;
use crate::harness::refusal;

fn outcome(meeting: &pb::Meeting, attendance: Attendance) -> pb::MeetingOutcome {
    pb::MeetingOutcome {
        demand: meeting.demand.clone(),
        counterpart: meeting.counterpart.clone(),
        attendance: attendance as i32,
        ..Default::default()
    }
}

async fn record(client: &mut Client, outcomes: Vec<pb::MeetingOutcome>) -> Vec<pb::MeetingOutcome> {
    let request = pb::RecordOutcomesRequest { name: name("e"), outcomes };
    client.record_outcomes(request).await.unwrap().into_inner().outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_recorded_counted_and_kept() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let all = meetings(client, "e").await;
    let signed = pb::MeetingOutcome {
        progress: OutcomeProgress::Signed as i32,
        contract_kind: pb::ContractKind::Development as i32,
        amount_yuan: Some(1_200_000),
        note: "委托开发，两年".into(),
        ..outcome(&all[0], Attendance::Held)
    };
    let rejected = pb::MeetingOutcome {
        progress: OutcomeProgress::Rejected as i32,
        rejection_reason: pb::RejectionReason::TooEarly as i32,
        ..outcome(&all[1], Attendance::Held)
    };
    let first = vec![outcome(&all[0], Attendance::Booked), rejected.clone(), outcome(&all[2], Attendance::Empty)];
    let recorded = record(client, first).await;
    assert!(recorded.iter().all(|it| it.score.is_some() && it.versions.is_some() && it.date.starts_with("2026-12-0")));
    let recorded = record(client, vec![signed.clone()]).await.remove(0);
    assert_eq!(recorded.history.len(), 1);
    assert_eq!(recorded.history[0].attendance(), Attendance::Booked);
    // recording the same outcome again changes nothing
    assert_eq!(record(client, vec![signed]).await, [recorded]);
    let request = pb::ListOutcomesRequest { name: name("e"), page_size: 2, ..Default::default() };
    let page = client.list_outcomes(request.clone()).await.unwrap().into_inner();
    let rest = pb::ListOutcomesRequest { page_token: page.next_page_token.clone(), ..request };
    let rest = client.list_outcomes(rest).await.unwrap().into_inner();
    assert_eq!((page.outcomes.len(), rest.outcomes.len(), rest.next_page_token.as_str()), (2, 1, ""));
    for event in ["", "events/e"] {
        let request = pb::GetEventStatisticsRequest { name: event.into(), ..Default::default() };
        let said = client.get_event_statistics(request).await.unwrap().into_inner();
        let total = said.total.unwrap();
        assert_eq!((total.meeting_count, total.held_count, total.empty_count), (3, 2, 1));
        assert_eq!((total.signed_count, total.signed_yuan, total.rejected_count), (1, 1_200_000, 1));
        assert_eq!(total.rejections[0].reason(), pb::RejectionReason::TooEarly);
        let of = |by: OutcomeGrouping| said.groups.iter().filter(move |it| it.grouping() == by);
        let sum = |by| of(by).map(|it| it.counts.as_ref().unwrap().meeting_count).sum::<i64>();
        use OutcomeGrouping::{City, Event, Field, Quarter};
        assert_eq!([Event, City, Field, Quarter].map(sum), [3, 3, 3, 3]);
        let quarter: Vec<_> = of(Quarter).map(|it| (it.key.as_str(), it.label.as_str())).collect();
        assert_eq!(quarter, [("2026Q4", "2026年第4季度")]);
        assert!(of(City).all(|it| it.label.starts_with("河北")));
        let (mut groups, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::GetEventStatisticsRequest { name: event.into(), page_size: 2, page_token };
            let page = client.get_event_statistics(request).await.unwrap().into_inner();
            assert!(page.groups.len() <= 2 && page.total.as_ref() == Some(&total));
            groups.extend(page.groups);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(groups, said.groups);
    }
    let delete = |force| pb::DeleteEventRequest { name: name("e"), etag: String::new(), force };
    let (code, reason, _) = refusal(&client.delete_event(delete(false)).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "HAS_OUTCOMES"));
    client.delete_event(delete(true)).await.unwrap();
    let request = pb::GetEventStatisticsRequest::default();
    assert_eq!(client.get_event_statistics(request).await.unwrap().into_inner().total.unwrap().meeting_count, 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_met_does_not_meet_again() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let met = meetings(client, "e").await[0].clone();
    let booked = meetings(client, "e").await[1].clone();
    record(client, vec![outcome(&met, Attendance::Held), outcome(&booked, Attendance::Booked)]).await;
    let chosen = async |client: &mut Client, id: &str, met: &pb::Meeting| {
        let lists = shortlists(client, id).await;
        let list = lists.into_iter().find(|it| it.demand == met.demand).unwrap();
        let left = list.left_out.iter().find(|it| it.counterpart == met.counterpart).cloned();
        (list.chosen.iter().any(|it| it.counterpart == met.counterpart), left)
    };
    for (id, allow_met_before) in [("next", false), ("again", true)] {
        let rules = pb::EventRules { allow_met_before, ..event().rules.unwrap() };
        create(client, id, pb::Event { rules: Some(rules), ..event() }).await;
        fill(client, id).await;
        shortlist(client, id).await;
        let (is_chosen, left) = chosen(client, id, &met).await;
        assert_eq!(is_chosen, allow_met_before);
        if !allow_met_before {
            let reason = left.unwrap().reasons.remove(0);
            assert_eq!(reason.kind(), pb::LeftOutReasonKind::MetBefore);
            assert!(reason.localized_description.contains("活动 e "), "{reason:?}");
        }
        // a meeting that was only booked does not exclude the pair
        let (_, left) = chosen(client, id, &booked).await;
        assert!(
            left.is_none_or(|it| it.reasons.iter().all(|reason| reason.kind() != pb::LeftOutReasonKind::MetBefore))
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_masked_until_both_agree() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let meeting = meetings(client, "e").await.remove(0);
    let contact =
        |person: &str| pb::Contact { person: person.into(), phone: "13812345678".into(), email: "zhang@x.cn".into() };
    let participants = [(&meeting.demand, "张三"), (&meeting.counterpart, "李四")].map(|(record, person)| {
        pb::Participant { record: record.clone(), contact: Some(contact(person)), ..Default::default() }
    });
    let request =
        pb::AddParticipantsRequest { name: name("e"), participants: participants.to_vec(), ..Default::default() };
    assert_eq!(client.add_participants(request).await.unwrap().into_inner().updated_count, 2);
    let masked = |person: &str| {
        let (phone, email) = ("138****5678".to_string(), "z***@x.cn".to_string());
        Some(pb::Contact { person: person.into(), phone, email })
    };
    let listed = pb::ListParticipantsRequest { name: name("e"), ..Default::default() };
    let listed = client.list_participants(listed).await.unwrap().into_inner().participants;
    assert!(listed.iter().any(|it| it.contact == masked("张**")));
    assert!(!format!("{listed:?}").contains("13812345678"));
    let check = async |client: &mut Client, consents: [Option<bool>; 2], shown: bool| {
        let [demand_consents, counterpart_consents] = consents;
        let consent =
            pb::MeetingOutcome { demand_consents, counterpart_consents, ..outcome(&meeting, Attendance::Unspecified) };
        record(client, vec![consent]).await;
        let all = meetings(client, "e").await;
        let found = all.iter().find(|it| (&it.demand, &it.counterpart) == (&meeting.demand, &meeting.counterpart));
        let found = found.unwrap();
        let want = if shown { Some(contact("张三")) } else { masked("张**") };
        assert_eq!((&found.demand_contact, found.contacts_shown), (&want, shown), "{consents:?}");
        // other pairs have not consented
        let others = all.iter().filter(|it| it.counterpart != meeting.counterpart && it.demand == meeting.demand);
        assert!(others.clone().all(|it| it.demand_contact == masked("张**")));
    };
    check(client, [None, None], false).await;
    check(client, [Some(true), None], false).await;
    check(client, [None, Some(true)], true).await;
    check(client, [Some(false), None], false).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_come_in_every_form_and_mask_contacts() {
    let service = service().await;
    let client = &mut service.events().await;
    published(client, "e").await;
    let meeting = meetings(client, "e").await.remove(0);
    let contact = pb::Contact { person: "张三丰".into(), phone: "13812345678".into(), email: String::new() };
    let participants =
        vec![pb::Participant { record: meeting.demand.clone(), contact: Some(contact), ..Default::default() }];
    client
        .add_participants(pb::AddParticipantsRequest { name: name("e"), participants, ..Default::default() })
        .await
        .unwrap();
    use pb::ExportFormat as F;
    for (format, ending) in
        [(F::Xlsx, "xlsx"), (F::Html, "html"), (F::Ics, "ics"), (F::IcsZip, "zip"), (F::Csv, "csv"), (F::Json, "json")]
    {
        let bytes = async |client: &mut Client| {
            let request = pb::ExportEventRequest { name: name("e"), format: format as i32, record: String::new() };
            let mut parts = client.export_event(request).await.unwrap().into_inner();
            let (mut bytes, mut complete) = (Vec::new(), false);
            while let Some(message) = parts.message().await.unwrap() {
                let part = message.part.unwrap();
                let name = if bytes.is_empty() { format!("e.{ending}") } else { String::new() };
                assert_eq!((part.file_name, complete), (name, false));
                bytes.extend(part.chunk);
                complete = part.complete;
            }
            assert!(complete);
            bytes
        };
        let file = bytes(client).await;
        assert!(!file.is_empty(), "{format:?}");
        assert_eq!(bytes(client).await, file, "{format:?}");
        let text = String::from_utf8_lossy(&file);
        assert!(!text.contains("13812345678") && !text.contains("张三丰"), "{format:?}");
    }
    let request = |format: F, record: &str| pb::ExportEventRequest {
        name: name("e"),
        format: format as i32,
        record: record.into(),
    };
    assert!(client.export_event(request(F::Ics, &meeting.demand)).await.is_ok());
    let said = client.export_event(request(F::Ics, "demands/none")).await.err().unwrap();
    assert_eq!(refusal(&said).1, "PARTICIPANT_NOT_FOUND");
    let said = client.export_event(request(F::Csv, &meeting.demand)).await.err().unwrap();
    assert_eq!(refusal(&said).2, ["record"]);
    create(client, "empty", event()).await;
    let said = client.export_event(pb::ExportEventRequest { name: name("empty"), ..request(F::Csv, "") }).await.err();
    assert_eq!(refusal(&said.unwrap()).1, "NO_SHORTLIST");
    // before the first schedule a workbook shows the shortlist, and a calendar would be empty
    shortlist(client, "empty").await;
    let of_empty = |format: F| pb::ExportEventRequest { name: name("empty"), ..request(format, "") };
    assert!(client.export_event(of_empty(F::Xlsx)).await.is_ok());
    for format in [F::Ics, F::IcsZip] {
        let said = client.export_event(of_empty(format)).await.err().unwrap();
        assert_eq!(refusal(&said).1, "SCHEDULE_OUTDATED");
    }
    service.stop().await;
}
