use super::*;
use crate::tests::{Twins, record};
use duijie_core::domain::codes::Status;

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
