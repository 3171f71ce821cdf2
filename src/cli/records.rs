//! `duijie get`, `list`, `count`, `delete`.

use anyhow::anyhow;

use super::{
    Done,
    args::{Count, List},
    client::{Server, explain},
    filter::{filter, kind},
    out, table,
};
use crate::api::convert::record_in;
use duijie_core::domain::{Code, Detail, Record, gb};
use duijie_proto as pb;

/// Prints one record.
pub async fn get(server: &Server, name: &str) -> anyhow::Result<Done> {
    let request = pb::GetRecordRequest { name: name.to_string() };
    let answer = server.catalog().await?.get_record(request).await.map_err(|status| explain(&status))?.into_inner();
    if out::as_json(&answer.record)? {
        return Ok(Done::All);
    }
    let record =
        answer.record.and_then(|record| record_in(record).ok()).ok_or_else(|| anyhow!("服务的回答无法读取"))?;
    print!("{}", table::pairs(&rows(&record)));
    Ok(Done::All)
}

/// Prints a page of records.
pub async fn list(server: &Server, args: List) -> anyhow::Result<Done> {
    let request = pb::ListRecordsRequest {
        kind: kind(&args.kind)?,
        filter: Some(filter(args.filter)?),
        page_size: args.limit,
        page_token: args.page_token,
        view: pb::RecordView::Basic as i32,
    };
    let answer = server.catalog().await?.list_records(request).await.map_err(|status| explain(&status))?.into_inner();
    if out::as_json(&answer.records)? {
        if !answer.next_page_token.is_empty() {
            println!("下一页请加参数 --page-token {}", answer.next_page_token);
        }
        return Ok(Done::All);
    }
    let records: Vec<Record> = answer.records.into_iter().filter_map(|record| record_in(record).ok()).collect();
    print!("{}", table::records(&records));
    match answer.next_page_token.as_str() {
        "" => println!("共 {} 条，到此为止", records.len()),
        token => println!("共 {} 条，下一页请加参数 --page-token {token}", records.len()),
    }
    Ok(Done::All)
}

/// Prints the number of records.
pub async fn count(server: &Server, args: Count) -> anyhow::Result<Done> {
    let request = pb::CountRecordsRequest { kind: kind(&args.kind)?, filter: Some(filter(args.filter)?) };
    let answer = server.catalog().await?.count_records(request).await.map_err(|status| explain(&status))?.into_inner();
    if !out::as_json([&answer])? {
        println!("{}", answer.record_count);
    }
    Ok(Done::All)
}

/// Deletes one record.
pub async fn delete(server: &Server, name: &str) -> anyhow::Result<Done> {
    let request = pb::DeleteRecordRequest { name: name.to_string() };
    server.catalog().await?.delete_record(request).await.map_err(|status| explain(&status))?;
    println!("已删除 {name}");
    Ok(Done::All)
}

fn rows(record: &Record) -> Vec<(&'static str, String)> {
    let labels = |codes: &[duijie_core::domain::codes::TransferMode]| {
        codes.iter().map(|code| code.label()).collect::<Vec<_>>().join("、")
    };
    let yuan = |amount: Option<i64>| amount.map_or_else(|| "面议".to_string(), |yuan| format!("{yuan} 元"));
    let mut rows = vec![
        ("记录名", record.name().to_string()),
        ("名称", record.title.clone()),
        ("正文", record.body.clone()),
        ("关键词", record.keywords.join("、")),
        ("行业", record.industry.clone()),
        ("领域", record.field.clone()),
        ("创新专项", record.policy_field.map(|field| field.label().to_string()).unwrap_or_default()),
        ("地区", format!("{} {}", record.region, gb::region_label(&record.region)).trim().to_string()),
        (
            "单位",
            record.owner.as_ref().map(|owner| format!("{} {}", owner.name, owner.credit_code)).unwrap_or_default(),
        ),
        ("状态", record.status.label().to_string()),
        ("共享类型", record.share_class.label().to_string()),
        ("发布时间", record.publish_time.map(|time| time.to_string()).unwrap_or_default()),
        ("修订号", record.revision.to_string()),
    ];
    match &record.detail {
        Detail::Achievement(it) => rows.extend([
            ("登记号", it.registration_number.clone()),
            ("所处阶段", it.stage.map(|stage| stage.label().to_string()).unwrap_or_default()),
            ("技术成熟度", it.trl.map(|trl| trl.to_string()).unwrap_or_default()),
            ("成果水平", it.level.map(|level| level.label().to_string()).unwrap_or_default()),
            ("转化方式", labels(&it.transfer_modes)),
            ("价格", yuan(it.price_yuan)),
        ]),
        Detail::Demand(it) => rows.extend([
            ("预算", yuan(it.budget_yuan)),
            ("截止时间", it.deadline.map(|time| time.to_string()).unwrap_or_default()),
            ("合作方式", labels(&it.cooperation_modes)),
        ]),
        Detail::Expert(it) => {
            rows.extend([("职称", it.professional_title.clone()), ("成果", it.achievement_ids.join("、"))]);
        }
    }
    rows
}
