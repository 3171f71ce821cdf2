//! `duijie event create`, `fill`, `remove`, `edit`, `delete`.

use anyhow::{Context, bail};

use super::{
    answered,
    args::{Create, Delete, Edit, Fill, Records},
    name, rules, show,
};
use crate::cli::{
    Done,
    client::{Server, explain},
    filter::{filter, kind},
    out,
};
use duijie_proto as pb;

/// Creates an event; a repeated call finds the existing one.
pub async fn create(server: &Server, it: Create) -> anyhow::Result<Done> {
    let event = pb::Event {
        slots: rules::slots(&it)?,
        title: it.title,
        place: it.place,
        table_count: it.tables,
        spare_percent: it.spare,
        rules: Some(rules::rules(it.rules)?),
        ..Default::default()
    };
    // the same command always sends the same request id
    let request_id = format!("cli-{}", it.id).chars().take(64).collect();
    let request = pb::CreateEventRequest { event_id: it.id, event: Some(event), request_id };
    let answer = server.events().await?.create_event(request).await.map_err(|status| explain(&status))?;
    show::event(&answered(answer.into_inner().event)?, show::outline)
}

/// Adds participants.
pub async fn fill(server: &Server, it: Fill) -> anyhow::Result<Done> {
    let mut request = pb::AddParticipantsRequest { name: name(&it.id), limit: it.limit, ..Default::default() };
    match (&it.kind, it.records.is_empty()) {
        (Some(of_kind), true) => {
            request.kind = kind(of_kind)?;
            request.filter = Some(filter(it.filter)?);
        }
        (None, false) => request.participants = participants(it)?,
        _ => bail!("请写明记录名，或用 --kind 按条件选取"),
    }
    let answer =
        server.events().await?.add_participants(request).await.map_err(|status| explain(&status))?.into_inner();
    let pb::AddParticipantsResponse { event, added_count, updated_count, unchanged_count } = answer;
    println!("新加入 {added_count}，改动 {updated_count}，原已参加 {unchanged_count}");
    show::event(&answered(event)?, show::counts)
}

fn participants(it: Fill) -> anyhow::Result<Vec<pb::Participant>> {
    let windows: Vec<pb::Slot> = it.window.iter().map(|text| rules::window(text)).collect::<anyhow::Result<_>>()?;
    let contact = pb::Contact { person: it.person, phone: it.phone, email: it.email };
    let participant = |record: String| pb::Participant {
        record,
        contact: Some(contact.clone()),
        presenter: it.presenter.clone(),
        max_concurrent_meetings: it.people,
        availability_windows: windows.clone(),
        max_meetings: it.cap,
        table: it.table,
        ..Default::default()
    };
    Ok(it.records.into_iter().map(participant).collect())
}

/// Removes participants.
pub async fn remove(server: &Server, it: Records) -> anyhow::Result<Done> {
    let request = pb::RemoveParticipantsRequest { name: name(&it.id), etag: String::new(), records: it.records };
    let answer = server.events().await?.remove_participants(request).await.map_err(|status| explain(&status))?;
    show::event(&answered(answer.into_inner().event)?, show::counts)
}

/// Records decisions of the staff.
pub async fn edit(server: &Server, it: Edit) -> anyhow::Result<Done> {
    use pb::EditAction as A;
    let rows = [
        (A::Pin, &it.pin, 2),
        (A::Forbid, &it.forbid, 2),
        (A::Free, &it.free, 2),
        (A::Lock, &it.lock, 4),
        (A::Unlock, &it.unlock, 2),
    ];
    let mut edits = Vec::new();
    for (action, values, count) in rows {
        for value in values.chunks(count) {
            edits.push(decision(action, value)?);
        }
    }
    if edits.is_empty() {
        return list(server, &it.id).await;
    }
    let request = pb::EditEventRequest { name: name(&it.id), etag: String::new(), edits };
    let answer = server.events().await?.edit_event(request).await.map_err(|status| explain(&status))?;
    print!("{}", show::outline(&answered(answer.into_inner().event)?));
    list(server, &it.id).await
}

fn decision(action: pb::EditAction, values: &[String]) -> anyhow::Result<pb::EventEdit> {
    let text = |at: usize| values.get(at).cloned().unwrap_or_default();
    let number = |at: usize| match values.get(at) {
        Some(value) => value.parse::<i32>().with_context(|| format!("“{value}”不是时段或桌号")),
        None => Ok(0),
    };
    let (demand, counterpart) = (text(0), text(1));
    Ok(pb::EventEdit { demand, counterpart, action: action as i32, slot: number(2)?, table: number(3)? })
}

/// Prints all decisions in force.
async fn list(server: &Server, id: &str) -> anyhow::Result<Done> {
    let (mut client, mut edits) = (server.events().await?, Vec::new());
    let mut page_token = String::new();
    loop {
        let request = pb::ListEditsRequest { name: name(id), page_size: 1_000, page_token };
        let page = client.list_edits(request).await.map_err(|status| explain(&status))?.into_inner();
        edits.extend(page.edits);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if !out::as_json(&edits)? {
        print!("{}", show::edits(&edits));
    }
    Ok(Done::All)
}

/// Deletes an event.
pub async fn delete(server: &Server, it: Delete) -> anyhow::Result<Done> {
    let request = pb::DeleteEventRequest { name: name(&it.id), etag: String::new(), force: it.force };
    server.events().await?.delete_event(request).await.map_err(|status| explain(&status))?;
    println!("已删除活动 {}", it.id);
    Ok(Done::All)
}
