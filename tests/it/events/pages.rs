//! Pages of an event's lists: each entry once, in order, whatever the size of a page.

use duijie_proto as pb;

use super::setting::{apply, create, edit, event, fill, name, publish, schedule, service, shortlist};

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_a_plan_hold_each_entry_once() {
    let service = service().await;
    let client = &mut service.events().await;
    // one table in two slots: most pairs find no place
    let small = event();
    let small = pb::Event { slots: small.slots[..2].to_vec(), table_count: 1, ..small };
    create(client, "e", small).await;
    fill(client, "e").await;
    let edits: Vec<_> =
        (8..12).map(|n| edit(pb::EditAction::Forbid, "demands/d-1", &format!("achievements/a-{n}"))).collect();
    apply(client, "e", edits).await;
    shortlist(client, "e").await;
    let made = schedule(client, "e").await;
    let outline = made.plan.unwrap().outline.unwrap();
    assert!(outline.meeting_count == 2 && 3 < outline.unplaced_count, "{outline:?}");
    assert_eq!((made.changes.len(), made.change_count), (2, 2));

    let ask = |page_size: i32, page_token: String| pb::ListMeetingsRequest {
        name: name("e"),
        page_size,
        page_token,
        ..Default::default()
    };
    let whole = client.list_meetings(ask(0, String::new())).await.unwrap().into_inner();
    assert_eq!((whole.meetings.len(), whole.next_page_token.as_str()), (2, ""));
    assert_eq!(i32::try_from(whole.unplaced.len()).unwrap(), outline.unplaced_count);
    for size in [1, 2, 3] {
        let (mut unplaced, mut meetings, mut page_token) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = client.list_meetings(ask(size, page_token)).await.unwrap().into_inner();
            assert!(page.unplaced.is_empty() || meetings.is_empty(), "pairs without a meeting come first");
            assert!(page.unplaced.len() + page.meetings.len() <= usize::try_from(size).unwrap());
            unplaced.extend(page.unplaced);
            meetings.extend(page.meetings);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!((unplaced, meetings), (whole.unplaced.clone(), whole.meetings.clone()), "{size}");
    }

    let plan = client.get_plan(pb::GetPlanRequest { name: name("e") }).await.unwrap().into_inner();
    assert_eq!((plan.changes.len(), plan.change_count), (2, 2));
    let ask = |page_token: String| pb::ListMeetingChangesRequest { name: name("e"), page_size: 1, page_token };
    let first = client.list_meeting_changes(ask(String::new())).await.unwrap().into_inner();
    let second = client.list_meeting_changes(ask(first.next_page_token.clone())).await.unwrap().into_inner();
    assert_eq!(([first.changes, second.changes].concat(), second.next_page_token.as_str()), (plan.changes, ""));

    let ask = |page_token: String| pb::ListEditsRequest { name: name("e"), page_size: 3, page_token };
    let page = client.list_edits(ask(String::new())).await.unwrap().into_inner();
    let rest = client.list_edits(ask(page.next_page_token.clone())).await.unwrap().into_inner();
    let found: Vec<_> = page.edits.iter().chain(&rest.edits).map(|it| it.counterpart.as_str()).collect();
    assert_eq!(found, ["achievements/a-10", "achievements/a-11", "achievements/a-8", "achievements/a-9"]);
    assert_eq!((page.edits.len(), rest.next_page_token.as_str()), (3, ""));

    // a new plan makes the tokens of the old one invalid
    publish(client, "e").await;
    shortlist(client, "e").await;
    let late = client.list_meeting_changes(ask_changes(first.next_page_token)).await;
    assert_eq!(crate::harness::refusal(&late.unwrap_err()).2, ["page_token"]);
    service.stop().await;
}

fn ask_changes(page_token: String) -> pb::ListMeetingChangesRequest {
    pb::ListMeetingChangesRequest { name: name("e"), page_size: 1, page_token }
}
