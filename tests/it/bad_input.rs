//! Bad input over the wire: a code, a reason and every violated field.

use duijie_core::domain::{Detail, Kind, record::Demand};
use duijie_proto as pb;
use tonic::Code;

use crate::harness::{Service, by_name, by_text, record, record_with, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn records_that_break_rules_are_refused_one_by_one() {
    let service = Service::start().await;
    let demand = |change: &dyn Fn(&mut duijie_core::domain::Record)| {
        record_with(Kind::Demand, "d-1", "题目", |record| change(record))
    };
    let rows = [
        (demand(&|record| record.title.clear()), "common.title", "REQUIRED"),
        (demand(&|record| record.title = "长".repeat(201)), "common.title", "TOO_LONG"),
        (demand(&|record| record.title = "有\u{0}零".into()), "common.title", "CONTROL_CHARACTER"),
        (demand(&|record| record.body = "长".repeat(20_001)), "common.body", "TOO_LONG"),
        (demand(&|record| record.id = "编号".into()), "common.id", "ID_CHARACTERS"),
        (demand(&|record| record.id = "a/b".into()), "common.id", "ID_CHARACTERS"),
        (demand(&|record| record.industry = "Z1".into()), "common.industry", "UNKNOWN_CODE"),
        (demand(&|record| record.region = "000000".into()), "common.region", "UNKNOWN_CODE"),
        (demand(&|record| record.field = "99".into()), "common.field", "UNKNOWN_CODE"),
        (
            demand(&|record| {
                let credit_code = "914403001922038217".to_string();
                record.owner =
                    Some(duijie_core::domain::record::Owner { name: "甲".into(), credit_code, owner_type: None });
            }),
            "common.owner.credit_code",
            "CREDIT_CODE_CHECK",
        ),
        (
            demand(&|record| record.detail = Detail::Demand(Demand { budget_yuan: Some(-1), ..Demand::default() })),
            "budget_yuan",
            "OUT_OF_RANGE",
        ),
        (pb::Record { kind: None }, "kind", "REQUIRED"),
        (pb::Record { kind: Some(pb::record::Kind::Demand(pb::Demand::default())) }, "common", "REQUIRED"),
    ];
    let mut batch: Vec<pb::Record> = rows.iter().map(|(record, ..)| record.clone()).collect();
    batch.push(record(Kind::Demand, "good", "好的题目", ""));
    let results = service.store(batch).await;
    for (result, (_, field, reason)) in results.iter().zip(&rows) {
        assert_eq!(result.outcome(), pb::UpsertOutcome::Refused);
        let violation = &result.violations[0];
        assert_eq!((violation.field.as_str(), violation.reason.as_str()), (*field, *reason));
        assert!(!violation.localized_description.is_empty() && !violation.description.is_empty());
    }
    assert_eq!(results.last().unwrap().outcome(), pb::UpsertOutcome::Created, "a bad one stops no other");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_break_rules_name_every_field() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "题目", "")]).await;
    let mut client = service.matching().await;
    let target = pb::RecordKind::Achievement;
    let filter = |filter: pb::Filter| pb::MatchRequest { filter: Some(filter), ..by_name("demands/d-1", target) };
    let text = |text: pb::TextQuery| pb::MatchRequest {
        query: Some(pb::match_request::Query::Text(text)),
        target: target as i32,
        ..Default::default()
    };
    let range = Some(pb::IntRange { min: Some(2), max: Some(1) });
    let rows: Vec<(pb::MatchRequest, Vec<&str>)> = vec![
        (pb::MatchRequest::default(), vec!["query", "target"]),
        (by_name("", target), vec!["name"]),
        (by_name("projects/1", target), vec!["name"]),
        (pb::MatchRequest { target: 99, ..by_name("demands/d-1", target) }, vec!["target"]),
        (pb::MatchRequest { page_size: -1, ..by_name("demands/d-1", target) }, vec!["page_size"]),
        (pb::MatchRequest { page_token: "AAAA".into(), ..by_name("demands/d-1", target) }, vec!["page_token"]),
        (by_text("", target), vec!["text"]),
        (by_text(" \u{3000} ", target), vec!["text"]),
        (by_text(&"长".repeat(201), target), vec!["text.title"]),
        (
            text(pb::TextQuery { title: "题".into(), body: "\u{1}".into(), keywords: vec![String::new()] }),
            vec!["text.body", "text.keywords[0]"],
        ),
        (text(pb::TextQuery { body: "长".repeat(20_001), ..Default::default() }), vec!["text.body"]),
        (filter(pb::Filter { amount_yuan: range, ..Default::default() }), vec!["filter.amount_yuan"]),
        (
            filter(pb::Filter { trl: Some(pb::IntRange { min: Some(0), max: Some(99) }), ..Default::default() }),
            vec!["filter.trl"],
        ),
        (
            filter(pb::Filter { statuses: vec![77], regions: vec!["x".into()], ..Default::default() }),
            vec!["filter.statuses[0]", "filter.regions[0]"],
        ),
        (
            filter(pb::Filter {
                owners: vec!["甲".into()], excluded_owners: vec!["甲".into()], ..Default::default()
            }),
            vec!["filter.excluded_owners"],
        ),
        (
            filter(pb::Filter { deadline: Some(pb::TimeRange::default()), ..Default::default() }),
            vec!["filter.deadline", "filter.deadline"],
        ),
    ];
    for (request, want) in rows {
        let status = client.r#match(request).await.unwrap_err();
        let (code, reason, fields) = refusal(&status);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
        assert_eq!(fields, want);
    }
    let unknown = client.r#match(by_name("demands/none", target)).await.unwrap_err();
    assert_eq!(refusal(&unknown).0, Code::NotFound);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_query_is_refused() {
    let service = Service::start().await;
    service.store((0..5).map(|n| record(Kind::Demand, &format!("d-{n}"), "题目", "")).collect()).await;
    let mut client = service.catalog().await;
    let kind = pb::RecordKind::Demand as i32;
    let first = pb::ListRecordsRequest { kind, page_size: 2, ..Default::default() };
    let token = client.list_records(first.clone()).await.unwrap().into_inner().next_page_token;
    let other_filter = pb::ListRecordsRequest {
        page_token: token.clone(),
        filter: Some(pb::Filter { regions: vec!["13".into()], ..Default::default() }),
        ..first.clone()
    };
    let mut expanded = token.clone().into_bytes();
    expanded[6] = if expanded[6] == b'A' { b'B' } else { b'A' };
    let tampered = pb::ListRecordsRequest { page_token: String::from_utf8(expanded).unwrap(), ..first.clone() };
    for request in [other_filter, tampered] {
        let status = client.list_records(request).await.unwrap_err();
        assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec!["page_token".into()]));
    }
    // another page size is still the same query
    client.list_records(pb::ListRecordsRequest { page_token: token, page_size: 1, ..first }).await.unwrap();
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_a_size() {
    let service = Service::start().await;
    let mut client = service.catalog().await;
    let empty = client.batch_upsert_records(pb::BatchUpsertRecordsRequest::default()).await.unwrap_err();
    assert_eq!(refusal(&empty).2, ["records"]);
    let records = vec![record(Kind::Demand, "d-1", "题目", ""); 501];
    let large = client.batch_upsert_records(pb::BatchUpsertRecordsRequest { records }).await.unwrap_err();
    assert_eq!(refusal(&large), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec!["records".into()]));
    service.stop().await;
}
