use super::*;
use crate::tests::{Reads, Twins, record};
use duijie_core::domain::{codes::Status, record::Owner};

#[tokio::test]
async fn only_a_changed_text_is_embedded_again() {
    let twins = Twins::new();
    let first = record(Kind::Demand, "d-1", "薄板焊接", "变形大");
    let name = first.name();
    let stored = async || {
        let found = twins.index.get(std::slice::from_ref(&name), FieldSelection::Everything).await.unwrap();
        found.into_iter().next().flatten().unwrap()
    };
    let check = async |record: &Record, outcome: UpsertOutcome, revision: u64, embedded: u64| {
        let want = Stored { name: Some(record.name()), outcome, revision };
        assert_eq!(twins.ingest.upsert(vec![Ok(record.clone())]).await.unwrap(), [want]);
        assert_eq!(twins.ingest.embedded(), embedded);
    };
    check(&first, UpsertOutcome::Created, 1, 1).await;
    let before = stored().await;
    check(&first, UpsertOutcome::Unchanged, 1, 1).await;
    let closed = Record { status: Status::Closed, ..first.clone() };
    check(&closed, UpsertOutcome::Updated, 2, 1).await;
    let after = stored().await;
    assert_eq!((after.record.status, &after.dense), (Status::Closed, &before.dense));
    let retold = Record { body: "气孔多".into(), ..closed };
    check(&retold, UpsertOutcome::Updated, 3, 2).await;
    assert_ne!(stored().await.dense, before.dense);
}

#[tokio::test]
async fn a_bad_record_does_not_keep_the_others_out() {
    let twins = Twins::new();
    let good = record(Kind::Achievement, "a-1", "激光焊接", "");
    let old = Record { revision: 1, ..record(Kind::Achievement, "a-1", "另一个题目", "") };
    let batch = vec![Ok(record(Kind::Achievement, "a-2", "", "")), Ok(good), Ok(old)];
    let outcomes: Vec<UpsertOutcome> =
        twins.ingest.upsert(batch).await.unwrap().into_iter().map(|stored| stored.outcome).collect();
    assert!(
        matches!(&outcomes[..], [UpsertOutcome::Refused(_), UpsertOutcome::Created, UpsertOutcome::Refused(_)]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn vectors_are_read_only_of_records_that_change_and_keep_their_texts() {
    let twins = Twins::new();
    let records = |change: fn(&mut Record)| {
        let records = (0..10).map(|number| record(Kind::Demand, &format!("d-{number}"), "薄板焊接", "变形大"));
        let mut records: Vec<_> = records.collect();
        change(&mut records[3]);
        records.into_iter().map(Ok).collect::<Vec<_>>()
    };
    let check = async |change: fn(&mut Record), want: Reads, outcome: UpsertOutcome| {
        twins.reads.take();
        let stored = twins.ingest.upsert(records(change)).await.unwrap();
        assert_eq!(twins.reads.take(), want);
        assert_eq!(stored[3].outcome, outcome);
        assert_eq!(stored.iter().filter(|it| it.outcome == outcome).count() == 10, outcome != UpsertOutcome::Updated);
    };
    let read = |whole| Reads { records: 10, whole, ..Reads::default() };
    check(|_| (), read(0), UpsertOutcome::Created).await;
    check(|_| (), read(0), UpsertOutcome::Unchanged).await;
    check(|record| record.status = Status::Closed, read(1), UpsertOutcome::Updated).await;
    check(|record| record.body = "气孔多".into(), read(0), UpsertOutcome::Updated).await;
    assert_eq!(twins.ingest.embedded(), 11);
}

#[tokio::test]
async fn a_higher_revision_of_an_equal_record_keeps_its_vector() {
    let twins = Twins::new();
    let first = Record { revision: 1, ..record(Kind::Demand, "d-1", "薄板焊接", "变形大") };
    let next = Record { revision: 2, ..first.clone() };
    for record in [first, next] {
        let stored = twins.ingest.upsert(vec![Ok(record.clone())]).await.unwrap();
        assert_eq!(stored[0].revision, record.revision, "{stored:?}");
    }
    let name = "demands/d-1".parse().unwrap();
    let found = twins.index.get(&[name], FieldSelection::Everything).await.unwrap();
    assert!(!found[0].as_ref().unwrap().dense.is_empty());
    assert_eq!(twins.ingest.embedded(), 1);
}

#[tokio::test]
async fn a_damaged_record_is_written_anew() {
    let twins = Twins::new();
    let first = record(Kind::Demand, "d-1", "薄板焊接", "变形大");
    twins.store([Record { revision: 7, ..first.clone() }]).await;
    twins.reads.damage(&first.name());
    let refused = twins.index.get(&[first.name()], FieldSelection::Payload).await.unwrap_err();
    assert!(matches!(Error::from(refused), Error::Refused(it) if it.reason == "RECORD_DAMAGED"));
    // the same record once more, as an import sends it
    let stored = twins.ingest.upsert(vec![Ok(first.clone())]).await.unwrap();
    assert_eq!((&stored[0].outcome, stored[0].revision), (&UpsertOutcome::Updated, 1));
    let found = twins.index.get(&[first.name()], FieldSelection::Everything).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().record.title, first.title);
}

#[tokio::test]
async fn a_caller_writes_within_its_scope_only() {
    let twins = Twins::new();
    let of = |source: &str, owner: &str| {
        let mut record = record(Kind::Demand, "d-1", "薄板焊接", "变形大");
        record.source = source.into();
        record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
        record
    };
    twins.store([of("tangshan", "甲公司"), of("baoding", "乙公司")]).await;
    let all = Scope::default();
    let own = Scope { sources: vec!["tangshan".into()], organizations: vec!["甲公司".into(), "丙公司".into()] };
    let check = async |scope: &Scope, record: Record, want: Option<&str>| {
        let stored = twins.ingest.upsert_within(vec![Ok(record)], scope).await.unwrap().remove(0);
        let refused = match &stored.outcome {
            UpsertOutcome::Refused(violations) => Some(violations[0].to_string()),
            _ => None,
        };
        assert_eq!(refused.as_deref(), want);
        // nothing is told of what others have
        assert!(refused.is_none() || stored.revision == 0);
    };
    let changed = |record: Record| Record { body: "气孔多".into(), ..record };
    check(&own, changed(of("tangshan", "甲公司")), None).await;
    check(&own, of("baoding", "甲公司"), Some("common.source_system: is not in the scope of this key")).await;
    check(&own, of("tangshan", "乙公司"), Some("common.owner: is not in the scope of this key")).await;
    check(&own, Record { owner: None, ..of("tangshan", "") }, Some("common.owner: is not in the scope of this key"))
        .await;
    // handed on within the scope, and out of it by somebody who may
    check(&own, of("tangshan", "丙公司"), None).await;
    check(&all, of("tangshan", "乙公司"), None).await;
    // what belongs to somebody else now is not taken back
    check(&own, of("tangshan", "甲公司"), Some("common.owner: is not in the scope of this key")).await;
}
