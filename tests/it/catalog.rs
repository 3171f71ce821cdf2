//! Storing, reading, listing, counting, deleting.

use duijie_core::domain::{
    Detail, Kind,
    codes::{Stage, Status},
    record::{Achievement, Demand, Owner},
};
use duijie_proto as pb;
use duijie_proto::UpsertOutcome;
use futures::stream;
use tonic::Code;

use crate::harness::{Service, common, record, record_with, refusal};

fn outcomes(results: &[pb::UpsertResult]) -> Vec<(UpsertOutcome, i64)> {
    results.iter().map(|result| (result.outcome(), result.revision)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn storing_is_idempotent_and_embeds_only_what_changed() {
    let service = Service::start().await;
    let demand = |title: &str, body: &str| record(Kind::Demand, "d-1", title, body);
    let embedded = || service.parts.ingest.embedded();
    let before = embedded();
    assert_eq!(outcomes(&service.store(vec![demand("激光焊接", "铝合金")]).await), [(UpsertOutcome::Created, 1)]);
    assert_eq!(embedded() - before, 1);
    assert_eq!(outcomes(&service.store(vec![demand("激光焊接", "铝合金")]).await), [(UpsertOutcome::Unchanged, 1)]);
    let moved = record_with(Kind::Demand, "d-1", "激光焊接", |record| {
        record.body = "铝合金".into();
        record.region = "130100".into();
    });
    assert_eq!(outcomes(&service.store(vec![moved]).await), [(UpsertOutcome::Updated, 2)]);
    assert_eq!(embedded() - before, 1, "the text has not changed");
    assert_eq!(outcomes(&service.store(vec![demand("激光焊接", "镁合金")]).await), [(UpsertOutcome::Updated, 3)]);
    assert_eq!(embedded() - before, 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_revision_wins_and_a_lower_one_is_refused() {
    let service = Service::start().await;
    let demand = |title: &str, revision| record_with(Kind::Demand, "d-1", title, |record| record.revision = revision);
    assert_eq!(outcomes(&service.store(vec![demand("甲方案", 5)]).await), [(UpsertOutcome::Created, 5)]);
    let lower = service.store(vec![demand("乙方案", 4)]).await;
    assert_eq!(outcomes(&lower), [(UpsertOutcome::Refused, 5)]);
    assert_eq!(lower[0].violations[0].reason, "REVISION_STALE");
    let equal = service.store(vec![demand("乙方案", 5)]).await;
    assert_eq!(equal[0].violations[0].reason, "REVISION_CONFLICT");
    // two writes of one record in a batch apply in order
    let both = service.store(vec![demand("乙方案", 6), demand("丙方案", 7)]).await;
    assert_eq!(outcomes(&both), [(UpsertOutcome::Updated, 6), (UpsertOutcome::Updated, 7)]);
    let request = pb::GetRecordRequest { name: "demands/d-1".into() };
    let got = service.catalog().await.get_record(request).await.unwrap().into_inner().record.unwrap();
    assert_eq!(common(&got).title, "丙方案");
    assert!(common(&got).create_time.unwrap().seconds <= common(&got).update_time.unwrap().seconds);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_store_one_record_at_once_lose_no_update() {
    let service = Service::start().await;
    let store = |number: usize| {
        let record = record(Kind::Expert, "e-1", "张工", &format!("方向 {number}"));
        let service = &service;
        async move { service.store(vec![record]).await.remove(0) }
    };
    let results = futures::future::join_all((0..8).map(store)).await;
    let stored: Vec<i64> = results
        .iter()
        .filter(|result| matches!(result.outcome(), UpsertOutcome::Created | UpsertOutcome::Updated))
        .map(|result| result.revision)
        .collect();
    let mut unique = stored.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), stored.len(), "no revision was given twice: {stored:?}");
    let request = pb::GetRecordRequest { name: "experts/e-1".into() };
    let got = service.catalog().await.get_record(request).await.unwrap().into_inner().record.unwrap();
    assert_eq!(Some(&common(&got).revision), stored.iter().max());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_a_summary() {
    let service = Service::start().await;
    let good = |id: &str| record(Kind::Achievement, id, "高熵合金涂层", "耐磨");
    let parts = vec![
        pb::ImportRecordsRequest { records: vec![good("a-1"), good("a-2")] },
        pb::ImportRecordsRequest { records: vec![good("a-1"), record(Kind::Achievement, "坏 编号", "题", "")] },
    ];
    let summary = service.catalog().await.import_records(stream::iter(parts)).await.unwrap().into_inner();
    let counts = (summary.total_count, summary.created_count, summary.unchanged_count, summary.refused_count);
    assert_eq!(counts, (4, 2, 1, 1));
    assert_eq!(summary.embedded_text_count, 2);
    let sample = &summary.error_samples[0];
    assert_eq!((sample.index, sample.result.as_ref().unwrap().violations[0].field.as_str()), (3, "common.id"));
    service.stop().await;
}

fn catalogue() -> Vec<pb::Record> {
    let achievement = |id: &str, change: &dyn Fn(&mut duijie_core::domain::Record, &mut Achievement)| {
        record_with(Kind::Achievement, id, "某项技术", |record| {
            let mut detail = Achievement::default();
            change(record, &mut detail);
            record.detail = Detail::Achievement(detail);
        })
    };
    vec![
        achievement("a-1", &|record, detail| {
            record.region = "130102".into();
            record.industry = "C3851".into();
            record.field = "403".into();
            detail.trl = Some(3);
            detail.price_yuan = Some(500_000);
        }),
        achievement("a-2", &|record, detail| {
            record.region = "130200".into();
            record.industry = "C2614".into();
            record.owner = Some(Owner { name: "甲所".into(), credit_code: String::new(), owner_type: None });
            detail.trl = Some(8);
            detail.stage = Some(Stage::Mature);
        }),
        achievement("a-3", &|record, detail| {
            record.region = "110108".into();
            record.status = Status::Withdrawn;
            record.source = "beijing".into();
            record.publish_time = Some(jiff::Timestamp::from_second(1_700_000_000).unwrap());
            detail.price_yuan = Some(2_000_000);
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_of_a_filter_filters() {
    let service = Service::start().await;
    service.store(catalogue()).await;
    let mut client = service.catalog().await;
    let all = pb::Filter::default;
    let range = |min, max| Some(pb::IntRange { min, max });
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let rows = [
        (all(), 3),
        (pb::Filter { regions: vec!["13".into()], ..all() }, 2),
        (pb::Filter { regions: vec!["1301".into(), "110000".into()], ..all() }, 2),
        (pb::Filter { regions: vec!["130102".into()], ..all() }, 1),
        (pb::Filter { industries: vec!["C".into()], ..all() }, 2),
        (pb::Filter { industries: vec!["C38".into()], ..all() }, 1),
        (pb::Filter { fields: vec!["40".into()], ..all() }, 1),
        (pb::Filter { stages: vec![pb::Stage::Mature as i32], ..all() }, 1),
        (pb::Filter { trl: range(Some(2), Some(8)), ..all() }, 2),
        (pb::Filter { trl: range(Some(4), None), ..all() }, 1),
        (pb::Filter { amount_yuan: range(Some(500_000), Some(999_999)), ..all() }, 1),
        (pb::Filter { statuses: vec![pb::Status::Active as i32], ..all() }, 2),
        (pb::Filter { owners: vec!["甲所".into()], ..all() }, 1),
        (pb::Filter { excluded_owners: vec!["甲所".into()], ..all() }, 2),
        (pb::Filter { source_systems: vec!["beijing".into()], ..all() }, 1),
        (
            pb::Filter {
                publish_time: Some(pb::TimeRange { start_time: time(1_700_000_000), end_time: time(1_700_000_001) }),
                ..all()
            },
            1,
        ),
        (
            pb::Filter {
                publish_time: Some(pb::TimeRange { start_time: None, end_time: time(1_700_000_000) }),
                ..all()
            },
            0,
        ),
        (
            pb::Filter {
                update_time: Some(pb::TimeRange { start_time: time(1_700_000_000), end_time: None }),
                ..all()
            },
            3,
        ),
    ];
    for (filter, want) in rows {
        let kind = pb::RecordKind::Achievement as i32;
        let request = pb::CountRecordsRequest { kind, filter: Some(filter.clone()) };
        let count = client.count_records(request).await.unwrap().into_inner().record_count;
        assert_eq!(count, want, "{filter:?}");
        let request = pb::ListRecordsRequest { kind, filter: Some(filter.clone()), ..Default::default() };
        let listed = client.list_records(request).await.unwrap().into_inner().records;
        assert_eq!(listed.len(), usize::try_from(want).unwrap(), "{filter:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_record_once() {
    let service = Service::start().await;
    let records = (0..25).map(|n| record(Kind::Demand, &format!("d-{n}"), "同一个题目", "")).collect();
    service.store(records).await;
    let mut client = service.catalog().await;
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let kind = pb::RecordKind::Demand as i32;
        let request =
            pb::ListRecordsRequest { kind, page_size: 7, page_token: page_token.clone(), ..Default::default() };
        let page = client.list_records(request).await.unwrap().into_inner();
        assert!(page.records.len() <= 7);
        seen.extend(page.records.iter().map(|record| common(record).name.clone()));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 25);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_gone() {
    let service = Service::start().await;
    service.store(vec![record(Kind::Demand, "d-1", "题目", "")]).await;
    let mut client = service.catalog().await;
    let request = pb::DeleteRecordRequest { name: "demands/d-1".into() };
    client.delete_record(request.clone()).await.unwrap();
    let again = client.delete_record(request).await.unwrap_err();
    assert_eq!(refusal(&again).0, Code::NotFound);
    let gone = client.get_record(pb::GetRecordRequest { name: "demands/d-1".into() }).await.unwrap_err();
    assert_eq!(refusal(&gone), (Code::NotFound, "RECORD_NOT_FOUND".into(), vec![]));
    // a record stored again after its deletion counts as new
    let results = service.store(vec![record(Kind::Demand, "d-1", "题目", "")]).await;
    assert_eq!(outcomes(&results), [(UpsertOutcome::Created, 1)]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_comes_back_as_it_went_in() {
    let service = Service::start().await;
    let sent = record_with(Kind::Demand, "D.1_x-2", "ＡＢＣ 全形與繁體", |record| {
        record.source = "tang-shan".into();
        record.body = "第一行\n第二行\t完".into();
        record.keywords = vec!["高熵合金".into()];
        record.detail = Detail::Demand(Demand { budget_yuan: Some(0), ..Demand::default() });
    });
    service.store(vec![sent.clone()]).await;
    let request = pb::GetRecordRequest { name: "demands/tang-shan/D.1_x-2".into() };
    let mut got = service.catalog().await.get_record(request).await.unwrap().into_inner().record.unwrap();
    let Some(pb::record::Kind::Demand(demand)) = got.kind.as_mut() else { panic!("not a demand") };
    let it = demand.common.as_mut().unwrap();
    assert_eq!((it.create_time.take(), it.revision), (it.update_time.take(), 1));
    it.revision = 0;
    assert_eq!(got, sent);
    service.stop().await;
}
