//! `duijie event shortlist`, `schedule`, `publish`, `cancel`.

use super::{
    answered,
    args::{Cancel, Make},
    name, show,
};
use crate::cli::{
    Done,
    client::{Server, explain},
    out,
    progress::spinner,
};
use duijie_proto as pb;

/// Makes the shortlists and prints their quality.
pub async fn shortlist(server: &Server, it: Make) -> anyhow::Result<Done> {
    let request = pb::MakeShortlistRequest { name: name(&it.id), etag: String::new(), closed_slot_count: it.over };
    let working = spinner("正在匹配并优化对接名单");
    let answer = server.events().await?.make_shortlist(request).await;
    working.finish_and_clear();
    let answer = answer.map_err(|status| explain(&status))?.into_inner();
    let (event, plan) = (answered(answer.event)?, answer.plan.unwrap_or_default());
    if !out::as_json([&plan])? {
        print!("{}", show::plan(&plan));
    }
    if event.state() == pb::EventState::Published {
        print!("{}", show::changes(&event, &answer.changes, answer.change_count));
    }
    Ok(Done::All)
}

/// Makes the schedule and prints the pairs without a meeting.
pub async fn schedule(server: &Server, it: Make) -> anyhow::Result<Done> {
    let request = pb::MakeScheduleRequest { name: name(&it.id), etag: String::new(), closed_slot_count: it.over };
    let working = spinner("正在排期");
    let mut client = server.events().await?;
    let answer = client.make_schedule(request).await;
    working.finish_and_clear();
    let answer = answer.map_err(|status| explain(&status))?.into_inner();
    let (event, plan) = (answered(answer.event)?, answer.plan.unwrap_or_default());
    if !out::as_json([&plan])? {
        print!("{}", show::schedule(&plan));
    }
    if event.state() == pb::EventState::Published {
        print!("{}", show::changes(&event, &answer.changes, answer.change_count));
    }
    let request = pb::ListMeetingsRequest { name: name(&it.id), ..Default::default() };
    let page = client.list_meetings(request).await.map_err(|status| explain(&status))?.into_inner();
    let count = plan.outline.unwrap_or_default().unplaced_count;
    print!("{}", show::unplaced(&page.unplaced, usize::try_from(count).unwrap_or(0)));
    Ok(Done::All)
}

/// Publishes an event, through review.
pub async fn publish(server: &Server, id: &str) -> anyhow::Result<Done> {
    let mut client = server.events().await?;
    let get = pb::GetEventRequest { name: name(id) };
    let event = client.get_event(get).await.map_err(|status| explain(&status))?.into_inner().event;
    let mut event = answered(event)?;
    for state in [pb::EventState::Review, pb::EventState::Published] {
        if state as i32 <= event.state {
            continue;
        }
        let request = pb::SetEventStateRequest { name: name(id), etag: event.etag, state: state as i32 };
        let answer = client.set_event_state(request).await.map_err(|status| explain(&status))?;
        event = answered(answer.into_inner().event)?;
    }
    show::event(&event, show::outline)
}

/// Removes a participant and prints the changes.
pub async fn cancel(server: &Server, it: Cancel) -> anyhow::Result<Done> {
    let request = pb::CancelParticipantRequest {
        name: name(&it.id),
        etag: String::new(),
        record: it.record,
        refill: it.refill,
        closed_slot_count: it.over,
    };
    let answer = server.events().await?.cancel_participant(request).await.map_err(|status| explain(&status))?;
    let answer = answer.into_inner();
    if !out::as_json(&answer.changes)? {
        print!("{}", show::changes(&answered(answer.event)?, &answer.changes, answer.change_count));
    }
    Ok(Done::All)
}
