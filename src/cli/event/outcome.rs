//! `duijie event outcome`, `duijie event statistics`.

use anyhow::bail;

use super::{
    args::{Outcome, Statistics},
    name,
};
use crate::{
    cli::{
        Done,
        client::{Server, explain},
        out,
        table::rows,
    },
    events::model::{Attendance, ContractKind, Grouping, Rejection},
};
use duijie_core::domain::Code;
use duijie_proto as pb;

/// Progress values with their accepted words.
const PROGRESS: [(pb::OutcomeProgress, [&str; 3]); 4] = [
    (pb::OutcomeProgress::Intent, ["意向", "达成意向", "intent"]),
    (pb::OutcomeProgress::Negotiating, ["洽谈", "洽谈中", "negotiating"]),
    (pb::OutcomeProgress::Signed, ["签约", "已签约", "signed"]),
    (pb::OutcomeProgress::Rejected, ["未成", "拒绝", "rejected"]),
];

/// Records an outcome, or prints all outcomes.
pub async fn run(server: &Server, it: Outcome) -> anyhow::Result<Done> {
    let (Some(demand), Some(counterpart)) = (it.demand.clone(), it.counterpart.clone()) else {
        return list(server, &it.id).await;
    };
    let (demand_consents, counterpart_consents) = match it.consent.as_deref() {
        None => (None, None),
        Some("需求方" | "demand") => (Some(true), None),
        Some("供给方" | "counterpart") => (None, Some(true)),
        Some("双方" | "both") => (Some(true), Some(true)),
        Some(other) => bail!("不认识“{other}”，应为需求方、供给方或双方"),
    };
    let outcome = pb::MeetingOutcome {
        demand,
        counterpart,
        attendance: number::<Attendance>(it.attendance.as_deref())?,
        replaced_by: it.replaced_by,
        progress: progress(it.progress.as_deref())?,
        contract_kind: number::<ContractKind>(it.contract.as_deref())?,
        amount_yuan: it.yuan,
        rejection_reason: number::<Rejection>(it.reason.as_deref())?,
        note: it.note,
        demand_consents,
        counterpart_consents,
        ..Default::default()
    };
    let request = pb::RecordOutcomesRequest { name: name(&it.id), outcomes: vec![outcome] };
    let answer = server.events().await?.record_outcomes(request).await.map_err(|status| explain(&status))?;
    print_outcomes(&answer.into_inner().outcomes)
}

fn number<C: Code>(name: Option<&str>) -> anyhow::Result<i32> {
    let Some(name) = name else { return Ok(0) };
    match C::from_name(name) {
        Some(code) => Ok(code.number()),
        None => {
            let known: Vec<_> = C::TABLE.iter().map(|(code, _)| code.label()).collect();
            bail!("{}没有“{name}”，应为：{}", C::NAME, known.join("、"))
        }
    }
}

fn progress(name: Option<&str>) -> anyhow::Result<i32> {
    let Some(name) = name else { return Ok(0) };
    match PROGRESS.iter().find(|(_, names)| names.contains(&name)) {
        Some((progress, _)) => Ok(*progress as i32),
        None => bail!("没有进展“{name}”，应为意向、洽谈、签约或未成"),
    }
}

async fn list(server: &Server, id: &str) -> anyhow::Result<Done> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    let mut client = server.events().await?;
    loop {
        let request = pb::ListOutcomesRequest { name: name(id), page_size: 500, page_token };
        let page = client.list_outcomes(request).await.map_err(|status| explain(&status))?.into_inner();
        all.extend(page.outcomes);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    print_outcomes(&all)
}

fn print_outcomes(all: &[pb::MeetingOutcome]) -> anyhow::Result<Done> {
    if !out::as_json(all)? {
        print!("{}", outcomes(all));
    }
    Ok(Done::All)
}

fn outcomes(outcomes: &[pb::MeetingOutcome]) -> String {
    let row = |it: &pb::MeetingOutcome| {
        let label = PROGRESS.iter().find(|(progress, _)| *progress as i32 == it.progress);
        let more = match (ContractKind::from_number(it.contract_kind), Rejection::from_number(it.rejection_reason)) {
            (Some(kind), _) => format!("{} {} 元", kind.label(), it.amount_yuan.unwrap_or_default()),
            (None, Some(reason)) => reason.label().to_string(),
            (None, None) => String::new(),
        };
        let consent = match (it.demand_consents(), it.counterpart_consents()) {
            (true, true) => "双方",
            (true, false) => "需求方",
            (false, true) => "供给方",
            (false, false) => "",
        };
        vec![
            it.date.clone(),
            it.demand.clone(),
            it.counterpart.clone(),
            Attendance::from_number(it.attendance).map(Code::label).unwrap_or_default().to_string(),
            label.map(|(_, names)| names[1]).unwrap_or_default().to_string(),
            more,
            consent.to_string(),
            it.note.clone(),
        ]
    };
    let headings = ["日期", "需求", "对接对象", "到会", "进展", "合同或原因", "同意公开联系方式", "备注"];
    rows(&headings, outcomes.iter().map(row))
}

/// Prints counts per event, city, field and quarter.
pub async fn statistics(server: &Server, it: Statistics) -> anyhow::Result<Done> {
    let (mut client, mut groups) = (server.events().await?, Vec::new());
    let mut request =
        pb::GetEventStatisticsRequest { name: it.id.as_deref().map(name).unwrap_or_default(), ..Default::default() };
    let total = loop {
        let answer =
            client.get_event_statistics(request.clone()).await.map_err(|status| explain(&status))?.into_inner();
        groups.extend(answer.groups);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break answer.total.unwrap_or_default();
        }
    };
    if out::is_json() {
        let answer = pb::GetEventStatisticsResponse { total: Some(total), groups, ..Default::default() };
        out::as_json([&answer])?;
        return Ok(Done::All);
    }
    let mut all = vec![counts("合计", "", &total)];
    all.extend(groups.iter().map(|it| {
        let by = Grouping::from_number(it.grouping).map(Code::label).unwrap_or_default();
        counts(by, &it.label, &it.counts.clone().unwrap_or_default())
    }));
    let headings = ["统计", "", "场次", "已洽谈", "空场", "替换", "意向", "洽谈中", "签约", "签约金额（元）", "未成"];
    print!("{}", rows(&headings, all));
    for it in &total.rejections {
        println!("未成原因：{} {}", Rejection::from_number(it.reason).map(Code::label).unwrap_or_default(), it.count);
    }
    Ok(Done::All)
}

fn counts(by: &str, label: &str, it: &pb::OutcomeCounts) -> Vec<String> {
    let numbers = [
        it.meeting_count,
        it.held_count,
        it.empty_count,
        it.replaced_count,
        it.intent_count,
        it.negotiating_count,
        it.signed_count,
        it.signed_yuan,
        it.rejected_count,
    ];
    [by.to_string(), label.to_string()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
}
