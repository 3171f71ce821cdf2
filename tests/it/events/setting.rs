//! Fixtures of the event tests: records, an event, calls.

use duijie_core::domain::{Kind, record::Owner};
use duijie_proto as pb;
use duijie_proto::event_service_client::EventServiceClient;
use tonic::transport::Channel;

use crate::harness::{Service, record_with};

pub type Client = EventServiceClient<Channel>;

/// Subjects of the records, a few words each.
const SUBJECTS: [&str; 8] = [
    "铝合金薄板激光焊接气孔与变形控制",
    "动力电池健康状态在线估计",
    "玉米籽粒低破碎收获",
    "高盐废水蒸发结晶零排放",
    "高强钢板翻边破损抑制",
    "压力传感器温漂补偿与标定",
    "中药材饮片近红外快速检测",
    "风电叶片缺陷无人机巡检",
];

/// Cities of the records.
const CITIES: [&str; 3] = ["130100", "130200", "130600"];

/// Demands `d-0` and so on, achievements `a-0`, experts `e-0`; every third record has the same organisation.
pub fn records(demands: usize, achievements: usize, experts: usize) -> Vec<pb::Record> {
    let of = |kind: Kind, letter: &str, count: usize| -> Vec<pb::Record> {
        let record = |n: usize| {
            let subject = SUBJECTS[n % SUBJECTS.len()];
            let title = match kind {
                Kind::Demand => format!("求{subject}的办法（{n}）"),
                Kind::Achievement => format!("{subject}技术（{n}）"),
                Kind::Expert => format!("专家{n}"),
            };
            record_with(kind, &format!("{letter}-{n}"), &title, |it| {
                it.body = format!("围绕{subject}开展工作，已在第 {n} 个项目中使用。");
                it.region = CITIES[n % CITIES.len()].into();
                it.field = if n.is_multiple_of(2) { "40".into() } else { "80".into() };
                let owner = format!("{}单位{}", if letter == "d" { "需求" } else { "供给" }, n % 4);
                it.owner = Some(Owner { name: owner, credit_code: String::new(), owner_type: None });
            })
        };
        (0..count).map(record).collect()
    };
    let mut all = of(Kind::Demand, "d", demands);
    all.extend(of(Kind::Achievement, "a", achievements));
    all.extend(of(Kind::Expert, "e", experts));
    all
}

/// A service with these records.
pub async fn service() -> Service {
    let service = Service::start().await;
    service.store(records(8, 12, 4)).await;
    service
}

/// Replaces the fields that are set.
pub fn update(event: pb::Event) -> pb::UpdateEventRequest {
    pb::UpdateEventRequest { event: Some(event), update_mask: None }
}

pub fn slot(day: &str, start: &str, end: &str) -> pb::Slot {
    pb::Slot { date: day.into(), start_time: start.into(), end_time: end.into() }
}

/// An event of two days, eight slots and four tables, with two counterparts per demand.
pub fn event() -> pb::Event {
    let slots = ["2026-12-01", "2026-12-02"].into_iter().flat_map(|day| {
        let times = [("09:00", "09:25"), ("09:30", "09:55"), ("10:00", "10:25"), ("10:30", "10:55")];
        times.map(|(start, end)| slot(day, start, end))
    });
    pb::Event {
        title: "京津冀技术需求对接会".into(),
        place: "石家庄".into(),
        slots: slots.collect(),
        table_count: 4,
        rules: Some(pb::EventRules {
            max_per_demand: 2,
            max_per_achievement: 2,
            max_per_expert: 2,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn name(id: &str) -> String {
    format!("events/{id}")
}

pub async fn create(client: &mut Client, id: &str, event: pb::Event) -> pb::Event {
    let request = pb::CreateEventRequest { event_id: id.into(), event: Some(event), request_id: String::new() };
    client.create_event(request).await.unwrap().into_inner().event.unwrap()
}

/// Adds all records of all kinds to the event.
pub async fn fill(client: &mut Client, id: &str) -> pb::Event {
    let mut event = None;
    for kind in [pb::RecordKind::Demand, pb::RecordKind::Achievement, pb::RecordKind::Expert] {
        let request = pb::AddParticipantsRequest { name: name(id), kind: kind as i32, ..Default::default() };
        event = client.add_participants(request).await.unwrap().into_inner().event;
    }
    event.unwrap()
}

pub async fn shortlist(client: &mut Client, id: &str) -> pb::MakeShortlistResponse {
    let request = pb::MakeShortlistRequest { name: name(id), ..Default::default() };
    client.make_shortlist(request).await.unwrap().into_inner()
}

pub async fn schedule(client: &mut Client, id: &str) -> pb::MakeScheduleResponse {
    let request = pb::MakeScheduleRequest { name: name(id), ..Default::default() };
    client.make_schedule(request).await.unwrap().into_inner()
}

pub async fn publish(client: &mut Client, id: &str) -> pb::Event {
    let mut event = None;
    for state in [pb::EventState::Review, pb::EventState::Published] {
        let request = pb::SetEventStateRequest { name: name(id), state: state as i32, etag: String::new() };
        event = client.set_event_state(request).await.unwrap().into_inner().event;
    }
    event.unwrap()
}

/// Creates an event with participants, shortlists and a schedule, and publishes it.
pub async fn published(client: &mut Client, id: &str) -> pb::Event {
    create(client, id, event()).await;
    fill(client, id).await;
    shortlist(client, id).await;
    schedule(client, id).await;
    publish(client, id).await
}

pub async fn shortlists(client: &mut Client, id: &str) -> Vec<pb::DemandShortlist> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListShortlistsRequest { name: name(id), page_size: 3, page_token, ..Default::default() };
        let page = client.list_shortlists(request).await.unwrap().into_inner();
        all.extend(page.shortlists);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

pub async fn meetings(client: &mut Client, id: &str) -> Vec<pb::Meeting> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListMeetingsRequest { name: name(id), page_size: 5, page_token, ..Default::default() };
        let page = client.list_meetings(request).await.unwrap().into_inner();
        all.extend(page.meetings);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// Demand, counterpart, slot and table of each meeting.
pub fn places(meetings: &[pb::Meeting]) -> Vec<(String, String, i32, i32)> {
    meetings.iter().map(|it| (it.demand.clone(), it.counterpart.clone(), it.slot, it.table)).collect()
}

pub fn edit(action: pb::EditAction, demand: &str, counterpart: &str) -> pb::EventEdit {
    let (demand, counterpart) = (demand.to_string(), counterpart.to_string());
    pb::EventEdit { demand, counterpart, action: action as i32, slot: 0, table: 0 }
}

pub async fn apply(client: &mut Client, id: &str, edits: Vec<pb::EventEdit>) -> pb::Event {
    let request = pb::EditEventRequest { name: name(id), etag: String::new(), edits };
    client.edit_event(request).await.unwrap().into_inner().event.unwrap()
}
