//! The same people twice: a company with two demands, and how many people it says it sends.

use duijie_core::domain::{Kind, record::Owner};
use duijie_proto as pb;

use super::setting::*;
use crate::{
    command_line::{call, check},
    harness::{Service, record_with},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_company_sits_at_one_table_at_a_time() {
    let service = Service::start().await;
    let owned = |kind: Kind, id: &str, title: &str, name: &str, code: &str| {
        record_with(kind, id, title, |it| {
            it.owner = Some(Owner { name: name.into(), credit_code: code.into(), owner_type: None });
        })
    };
    // the company is written with its credit code once, and without it once
    let records = vec![
        owned(Kind::Demand, "d-1", "轧机轴承座漏油", "甲乙轧钢有限公司", "91440300708461136T"),
        owned(Kind::Demand, "d-2", "加热炉钢坯氧化烧损", "甲乙轧钢有限公司", ""),
        owned(Kind::Achievement, "a-1", "轧机轴承座组合密封", "丙学院", ""),
        owned(Kind::Achievement, "a-2", "低氧化烧损加热工艺", "丁研究院", ""),
    ];
    service.store(records).await;
    let mut client = service.events().await;
    let one_slot = pb::Event { slots: vec![slot("2026-12-01", "09:00", "09:25")], ..event() };
    create(&mut client, "one", one_slot).await;
    fill(&mut client, "one").await;
    let pin = |n: u32| pb::EventEdit {
        demand: format!("demands/d-{n}"),
        counterpart: format!("achievements/a-{n}"),
        action: pb::EditAction::Pin as i32,
        ..Default::default()
    };
    let edits = vec![pin(1), pin(2)];
    client.edit_event(pb::EditEventRequest { name: name("one"), edits, ..Default::default() }).await.unwrap();
    shortlist(&mut client, "one").await;
    let plan = schedule(&mut client, "one").await.plan.unwrap();
    assert_eq!(plan.outline.unwrap().meeting_count, 1);
    let shared = &plan.shared_people[0];
    assert_eq!((shared.who.as_str(), shared.participant_count), ("甲乙轧钢有限公司", 2));
    assert_eq!(shared.records, ["demands/d-1", "demands/d-2"]);
    let show = ["--server", &service.url, "event", "show", "one"];
    check(call(&show).await, 0, &["注意：甲乙轧钢有限公司 有 2 项参会", "--people"]);
    let out = service.folder.join("one.json");
    let export =
        ["--server", &service.url, "event", "export", "one", "--format", "json", "--out", out.to_str().unwrap()];
    check(call(&export).await, 0, &["已写入"]);
    let exported: serde_json::Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(exported["shared_people"][0]["who"], "甲乙轧钢有限公司");
    // it sends two people
    let two = ["--server", &service.url, "event", "fill", "one", "demands/d-1", "--people", "2"];
    check(call(&two).await, 0, &["改动 1"]);
    let plan = schedule(&mut client, "one").await.plan.unwrap();
    assert_eq!((plan.outline.unwrap().meeting_count, plan.shared_people.as_slice()), (2, &[][..]));
    // it sends one again, and one of its demands is cancelled: nobody is told any more
    let one = ["--server", &service.url, "event", "fill", "one", "demands/d-1", "--people", "1"];
    check(call(&one).await, 0, &["改动 1"]);
    assert_eq!(schedule(&mut client, "one").await.plan.unwrap().shared_people.len(), 1);
    let cancel = pb::CancelParticipantRequest { name: name("one"), record: "demands/d-2".into(), ..Default::default() };
    client.cancel_participant(cancel).await.unwrap();
    let plan = client.get_plan(pb::GetPlanRequest { name: name("one") }).await.unwrap().into_inner().plan.unwrap();
    assert_eq!(plan.shared_people, []);
    drop(client);
    service.stop().await;
}
