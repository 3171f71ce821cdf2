//! Prints an event and its plan.

use std::fmt::Write;

use super::{answered, args::Show, name};
use crate::{
    cli::{
        Done,
        client::{Server, explain},
        grade::grade_label,
        out,
        table::{pairs, rows},
    },
    events::model::{EventState, ParticipantState, plan::Why},
};
use duijie_core::domain::Code;
use duijie_proto as pb;

/// Most pairs without a meeting that are printed.
const SHOWN_UNPLACED: usize = 20;
/// Most organisations and people whose records share people that are printed.
const SHOWN_SHARED: usize = 10;
/// Most constraints with a cost that are printed.
const SHOWN_COSTS: usize = 5;

/// Prints all events.
pub async fn list(server: &Server) -> anyhow::Result<Done> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    let mut client = server.events().await?;
    loop {
        let request = pb::ListEventsRequest { page_size: 0, page_token };
        let page = client.list_events(request).await.map_err(|status| explain(&status))?.into_inner();
        all.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if out::as_json(&all)? {
        return Ok(Done::All);
    }
    let row = |it: &pb::Event| {
        let counts = it.participant_counts.unwrap_or_default();
        let plan = it.plan.unwrap_or_default();
        vec![
            it.name.trim_start_matches("events/").to_string(),
            it.title.clone(),
            it.slots.first().map(|slot| slot.date.clone()).unwrap_or_default(),
            state(it),
            format!("{}/{}/{}", counts.demand_count, counts.achievement_count, counts.expert_count),
            format!("{} / {}", plan.pair_count, plan.meeting_count),
        ]
    };
    let all: Vec<_> = all.iter().map(row).collect();
    print!("{}", rows(&["编号", "名称", "首日", "状态", "需求/成果/专家", "对接 / 场次"], all));
    Ok(Done::All)
}

/// Prints an event and the requested details; as JSON the details alone, so that all lines are of one sort.
pub async fn show(server: &Server, it: Show) -> anyhow::Result<Done> {
    let mut client = server.events().await?;
    let get = pb::GetEventRequest { name: name(&it.id) };
    let event = answered(client.get_event(get).await.map_err(|status| explain(&status))?.into_inner().event)?;
    if !out::is_json() {
        print!("{}{}", outline(&event), counts(&event));
    } else if !(it.participants || it.shortlists || it.meetings) {
        out::as_json([&event])?;
    }
    if event.plan.is_some() && !out::is_json() {
        let answer = client.get_plan(pb::GetPlanRequest { name: name(&it.id) }).await;
        let answer = answer.map_err(|status| explain(&status))?.into_inner();
        let made = answer.plan.unwrap_or_default();
        print!("{}{}", plan(&made), schedule(&made));
    }
    if it.participants {
        print_participants(server, &it.id).await?;
    }
    if it.shortlists {
        print_shortlists(server, &it.id).await?;
    }
    if it.meetings {
        print_meetings(server, &event).await?;
    }
    Ok(Done::All)
}

async fn print_participants(server: &Server, id: &str) -> anyhow::Result<()> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    let mut client = server.events().await?;
    loop {
        let request = pb::ListParticipantsRequest { name: name(id), page_size: 200, page_token };
        let page = client.list_participants(request).await.map_err(|status| explain(&status))?.into_inner();
        let json = out::as_json(&page.participants)?;
        all.extend(page.participants.into_iter().filter(|_| !json).map(|it| {
            let contact = it.contact.unwrap_or_default();
            let state = ParticipantState::from_number(it.state).map(Code::label).unwrap_or_default();
            let owner = it.organisation.map(|it| it.name).unwrap_or_default();
            vec![it.record, it.title, owner, format!("{} {}", contact.person, contact.phone), state.to_string()]
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if !out::is_json() {
        print!("{}", rows(&["记录名", "名称", "单位", "联系人", "状态"], all));
    }
    Ok(())
}

async fn print_shortlists(server: &Server, id: &str) -> anyhow::Result<()> {
    let mut page_token = String::new();
    let mut client = server.events().await?;
    loop {
        let request = pb::ListShortlistsRequest { name: name(id), page_size: 50, page_token, ..Default::default() };
        let page = client.list_shortlists(request).await.map_err(|status| explain(&status))?.into_inner();
        let json = out::as_json(&page.shortlists)?;
        for list in page.shortlists.iter().filter(|_| !json) {
            println!("\n■ {} {}", list.demand, list.title);
            print!("{}", shortlist(list));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}

/// Prints an event with what `text` says about it.
pub fn event(event: &pb::Event, text: impl Fn(&pb::Event) -> String) -> anyhow::Result<Done> {
    if !out::as_json([event])? {
        print!("{}", text(event));
    }
    Ok(Done::All)
}

/// A demand's shortlist, and the candidates not on it.
fn shortlist(list: &pb::DemandShortlist) -> String {
    let chosen = list.chosen.iter().map(|it| {
        let why = Why::from_number(it.reason).map(Code::label).unwrap_or_default();
        vec![
            it.rank.to_string(),
            format!("{:.3}", it.score),
            grade_label(it.grade).to_string(),
            it.title.clone(),
            it.counterpart.clone(),
            why.into(),
        ]
    });
    let left = list.left_out.iter().map(|it| {
        let why: Vec<_> = it.reasons.iter().map(|it| it.localized_description.as_str()).collect();
        let why = format!("未选：{}", why.join("；"));
        vec![
            it.rank.to_string(),
            format!("{:.3}", it.score),
            grade_label(it.grade).to_string(),
            it.title.clone(),
            it.counterpart.clone(),
            why,
        ]
    });
    rows(&["名次", "得分", "等级", "名称", "记录名", "说明"], chosen.chain(left))
}

async fn print_meetings(server: &Server, event: &pb::Event) -> anyhow::Result<()> {
    let (mut all, mut left, mut page_token) = (Vec::new(), Vec::new(), String::new());
    let mut client = server.events().await?;
    loop {
        let request =
            pb::ListMeetingsRequest { name: event.name.clone(), page_size: 1_000, page_token, ..Default::default() };
        let page = client.list_meetings(request).await.map_err(|status| explain(&status))?.into_inner();
        left.extend(page.unplaced);
        let json = out::as_json(&page.meetings)?;
        all.extend(page.meetings.into_iter().filter(|_| !json).map(|it| {
            let fixed = if it.locked { "固定" } else { "" };
            let demand = format!("{}\n{}", it.demand_title, it.demand);
            let counterpart = format!("{}\n{}", it.counterpart_title, it.counterpart);
            vec![slot(event, it.slot), it.table.to_string(), demand, counterpart, fixed.to_string()]
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    print!("{}", unplaced(&left, left.len()));
    if !out::is_json() {
        print!("{}", rows(&["时段", "桌号", "需求", "对接对象", ""], all));
    }
    Ok(())
}

/// Name, state and size of an event.
pub fn outline(event: &pb::Event) -> String {
    let plan = event.plan.unwrap_or_default();
    let outdated = match (plan.shortlist_outdated, plan.schedule_outdated) {
        (true, _) => "名单生成后有改动，请重新生成名单",
        (false, true) => "排期后有改动，请重新排期",
        _ => "",
    };
    let days: Vec<&str> = event.slots.iter().map(|it| it.date.as_str()).collect();
    let range = [days.first(), days.last().filter(|last| Some(*last) != days.first())];
    let range: Vec<&str> = range.into_iter().flatten().copied().collect();
    pairs(&[
        ("活动", format!("{} {}", event.name.trim_start_matches("events/"), event.title)),
        ("地点", event.place.clone()),
        ("时间", format!("{}，共 {} 个时段、{} 桌", range.join(" 至 "), event.slots.len(), event.table_count)),
        ("状态", state(event)),
        ("提示", outdated.to_string()),
    ])
}

fn state(event: &pb::Event) -> String {
    EventState::from_number(event.state).map(Code::label).unwrap_or_default().to_string()
}

/// Numbers of participants.
pub fn counts(event: &pb::Event) -> String {
    let it = event.participant_counts.unwrap_or_default();
    let (demands, achievements) = (it.demand_count, it.achievement_count);
    let mut text = format!("参会：需求 {demands} 项，成果 {achievements} 项，专家 {} 位", it.expert_count);
    if it.cancelled_count != 0 {
        // writing to a string cannot fail
        let _ = write!(text, "；已取消 {}", it.cancelled_count);
    }
    text + "\n"
}

/// Quality of the shortlists.
pub fn plan(plan: &pb::EventPlan) -> String {
    let outline = plan.outline.unwrap_or_default();
    let mut text = pairs(&[
        ("名单", format!("选出 {} 对，备选 {} 对，总得分 {:.3}", outline.pair_count, plan.candidate_count, plan.value)),
        ("上界", format!("{:.3}，{}", plan.bound, plan.localized_description)),
    ]);
    for it in &plan.shortfalls {
        let _ = writeln!(text, "名额不足：{}", it.localized_description);
    }
    if !plan.costs.is_empty() {
        text += "规则的代价（放宽后总得分至多增加）：\n";
        for it in plan.costs.iter().take(SHOWN_COSTS) {
            let how = if it.rule_removed { "取消" } else { "放宽一对" };
            let rule = it.rule.as_ref().map_or("", |rule| rule.localized_description.as_str());
            let _ = writeln!(text, "  {:.3}  {rule}（{how}）", it.max_gain);
        }
    }
    text
}

/// Quality of the schedule.
pub fn schedule(plan: &pb::EventPlan) -> String {
    let Some(figures) = plan.schedule else { return String::new() };
    let outline = plan.outline.unwrap_or_default();
    let placed = format!("安排 {} 场，未能安排 {} 对", outline.meeting_count, outline.unplaced_count);
    let figures = format!(
        "空等 {} 个时段，需求方换桌 {} 次，供给方换桌 {} 次，桌位使用 {:.0}%",
        figures.idle_slot_count,
        figures.demand_table_change_count,
        figures.counterpart_table_change_count,
        figures.table_utilization * 100.0
    );
    let mut text = pairs(&[("排期", placed), ("质量", figures)]);
    for it in plan.shared_people.iter().take(SHOWN_SHARED) {
        let _ = writeln!(text, "注意：{}", it.localized_description);
    }
    if SHOWN_SHARED < plan.shared_people.len() {
        let _ = writeln!(
            text,
            "注意：另有 {} 家单位或个人同样如此，全部见 duijie event export",
            plan.shared_people.len() - SHOWN_SHARED
        );
    }
    text
}

/// The first pairs without a meeting, of `count` in all.
pub fn unplaced(unplaced: &[pb::UnplacedPair], count: usize) -> String {
    let mut text = unplaced.iter().take(SHOWN_UNPLACED).fold(String::new(), |mut text, it| {
        let _ = writeln!(text, "未能安排：{} 与 {}，{}", it.demand, it.counterpart, it.localized_description);
        text
    });
    if SHOWN_UNPLACED < count {
        let _ = writeln!(text, "未能安排的只列出前 {SHOWN_UNPLACED} 对，全部见 duijie event export");
    }
    text
}

/// The changed meetings.
pub fn changes(event: &pb::Event, changes: &[pb::MeetingChange], count: i32) -> String {
    if changes.is_empty() {
        return "洽谈安排没有变化\n".to_string();
    }
    let place = |place: &pb::MeetingPlace| format!("{} 第 {} 桌", slot(event, place.slot), place.table);
    let row = |it: &pb::MeetingChange| {
        let what = match (&it.before, &it.after) {
            (Some(from), None) => format!("取消：{}", place(from)),
            (None, Some(to)) => format!("新增：{}", place(to)),
            (Some(from), Some(to)) => format!("改期：{} → {}", place(from), place(to)),
            (None, None) => String::new(),
        };
        vec![it.demand.clone(), it.counterpart.clone(), what]
    };
    let mut text = rows(&["需求", "对接对象", "变化"], changes.iter().map(row));
    if usize::try_from(count).is_ok_and(|count| changes.len() < count) {
        let _ = writeln!(text, "共 {count} 处变化，只列出前 {} 处，其余由 ListMeetingChanges 分页读取", changes.len());
    }
    text
}

/// The decisions of the staff.
pub fn edits(edits: &[pb::EventEdit]) -> String {
    let row = |it: &pb::EventEdit| {
        let what = match it.action() {
            pb::EditAction::Pin => "须对接".to_string(),
            pb::EditAction::Forbid => "不得对接".to_string(),
            pb::EditAction::Lock => format!("固定在第 {} 个时段、第 {} 桌", it.slot, it.table),
            _ => String::new(),
        };
        vec![it.demand.clone(), it.counterpart.clone(), what]
    };
    rows(&["需求", "对接对象", "人工指定"], edits.iter().map(row))
}

/// Day and time of a slot; slots count from 1.
fn slot(event: &pb::Event, slot: i32) -> String {
    let found = usize::try_from(slot - 1).ok().and_then(|place| event.slots.get(place));
    found.map(|it| format!("{} {}-{}", it.date, it.start_time, it.end_time)).unwrap_or_default()
}
