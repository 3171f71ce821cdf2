//! The essential promises of an index, in milliseconds. The whole contract runs in `tests/it/index`, on every engine.

use super::*;
use crate::{
    DocumentQuery, DocumentWrite, DocumentWritten, Documents, Expect, IndexError, MAINTENANCE, documents::document_id,
    tombstones,
};
use duijie_core::{
    domain::{Detail, Record, codes::Status},
    text::{LexicalQuery, SparseVector},
};

fn point(id: &str, revision: u64, dense: [f32; 2], terms: &[(u32, f32)]) -> Point {
    let mut record = Record::new("local", id, format!("题目{id}"), Detail::empty(Kind::Achievement));
    record.revision = revision;
    let (indices, values) = terms.iter().copied().unzip();
    Point {
        record,
        dense: dense.to_vec(),
        sparse: SparseVector { indices, values },
        query: LexicalQuery { terms: vec![("词".into(), 1.0)] },
    }
}

async fn upsert(index: &MemoryIndex, points: &[Point]) -> Vec<Written> {
    index.upsert(Kind::Achievement, points.to_vec()).await.unwrap()
}

#[tokio::test]
async fn the_highest_revision_is_kept_and_vectors_come_back_of_unit_length() {
    let index = MemoryIndex::new(2);
    let newer = point("a", 3, [3.0, 4.0], &[(9, 1.0), (2, 0.5)]);
    let points = [point("a", 1, [1.0, 0.0], &[]), newer.clone(), point("a", 3, [1.0, 1.0], &[])];
    let written = upsert(&index, &points).await;
    assert_eq!(written, [Written::Created, Written::Updated, Written::Stale { stored: 3 }]);
    let want = Point {
        dense: vec![0.6, 0.8],
        sparse: SparseVector { indices: vec![2, 9], values: vec![0.5, 1.0] },
        ..newer.clone()
    };
    let name = newer.record.name();
    assert_eq!(index.get(&[name], FieldSelection::Everything).await.unwrap(), [Some(want)]);
    let bad = [point("b", 1, [0.0, 1.0], &[]), point("c", 1, [f32::NAN, 1.0], &[])];
    let said = index.upsert(Kind::Achievement, bad.to_vec()).await.unwrap_err();
    assert!(matches!(said, IndexError::BadPoint { .. }), "{said}");
    assert_eq!(index.status().kinds[0].points, 1);
}

#[tokio::test]
async fn cosines_and_idf_are_those_of_the_engines() {
    let index = MemoryIndex::new(2);
    let points = [
        point("a", 1, [2.0, 0.0], &[(1, 2.0), (2, 1.0)]),
        point("b", 1, [0.0, 1.0], &[(1, 1.0)]),
        point("c", 1, [3.0, 4.0], &[(3, 1.0)]),
        // without terms: no document for the idf
        point("d", 1, [-1.0, 0.0], &[]),
    ];
    upsert(&index, &points).await;
    let terms = SparseVector { indices: vec![2, 1], values: vec![1.0, 0.5] };
    let search = Search { dense: Some(vec![1.0, 0.0]), sparse: Some(terms), depth: 3, ..Search::default() };
    let found = index.search(Kind::Achievement, search.clone()).await.unwrap();
    let [a, b, c, d] = [0, 1, 2, 3].map(|place: usize| points[place].id());
    let near = |found: &[Hit], want: &[(PointId, f64)]| {
        assert_eq!(found.iter().map(|hit| hit.id).collect::<Vec<_>>(), want.iter().map(|it| it.0).collect::<Vec<_>>());
        assert!(
            found.iter().zip(want).all(|(hit, (_, score))| (f64::from(hit.score) - score).abs() < 1e-6),
            "{found:?}"
        );
    };
    near(&found.dense, &[(a, 1.0), (c, 0.6), (b, 0.0)]);
    // 3 documents; term 1 in two of them, term 2 in one
    let idf = |frequency: f64| (1.0 + (3.0 - frequency + 0.5) / (frequency + 0.5)).ln();
    near(&found.sparse, &[(a, idf(2.0) * 0.5 * 2.0 + idf(1.0)), (b, idf(2.0) * 0.5)]);
    let narrow = Search { exclude: vec![a], within: Some(vec![a, b, d]), ..search };
    let found = index.search(Kind::Achievement, narrow).await.unwrap();
    near(&found.dense, &[(b, 0.0), (d, -1.0)]);
    near(&index.cosines(Kind::Achievement, &[0.0, 2.0], &[c, b]).await.unwrap(), &[(b, 1.0), (c, 0.8)]);
    assert!(matches!(index.cosines(Kind::Achievement, &[0.0], &[c]).await, Err(IndexError::BadSearch { .. })));
}

#[tokio::test]
async fn pages_follow_the_ids_and_the_filter() {
    let index = MemoryIndex::new(2);
    let mut points: Vec<Point> = (0..10).map(|number| point(&number.to_string(), 1, [1.0, 0.0], &[])).collect();
    points.iter_mut().step_by(2).for_each(|point| point.record.status = Status::Closed);
    upsert(&index, &points).await;
    let filter = Filter { statuses: vec![Status::Closed], ..Filter::default() };
    let mut want: Vec<PointId> = points.iter().step_by(2).map(Point::id).collect();
    want.sort_unstable();
    let page = |after| PageRequest { after, limit: 3, with: FieldSelection::Payload };
    let first = index.scroll(Kind::Achievement, &filter, page(None)).await.unwrap();
    let second = index.scroll(Kind::Achievement, &filter, page(first.next)).await.unwrap();
    assert_eq!((first.next, second.next), (Some(want[2]), None));
    assert!(first.points.iter().chain(&second.points).map(Point::id).eq(want));
    assert_eq!(index.count(Kind::Achievement, &filter).await.unwrap(), 5);
    let scan = index.scan(Kind::Achievement, None, 10, VectorSelection::Dense).await.unwrap();
    assert_eq!((scan.rows.len(), scan.next), (10, None));
}

#[tokio::test]
async fn a_deletion_leaves_a_tombstone() {
    let index = MemoryIndex::new(2);
    let point = point("a", 1, [1.0, 0.0], &[]);
    upsert(&index, std::slice::from_ref(&point)).await;
    let name = point.record.name();
    assert!(index.delete(&name).await.unwrap());
    assert!(!index.delete(&name).await.unwrap());
    let gone = tombstones::since(&index, Kind::Achievement, jiff::Timestamp::UNIX_EPOCH, 10).await.unwrap();
    assert_eq!(gone, Some(vec![name]));
    // its terms still count
    upsert(&index, &[point_with("b", &[(1, 1.0)])]).await;
    let terms = SparseVector { indices: vec![1], values: vec![1.0] };
    let search = Search { sparse: Some(terms), depth: 1, ..Search::default() };
    let score = async || index.search(Kind::Achievement, search.clone()).await.unwrap().sparse[0].score;
    assert!((f64::from(score().await) - (1.0f64 + 0.5 / 1.5).ln()).abs() < 1e-6);
    upsert(&index, &[point_with("c", &[(2, 1.0)])]).await;
    assert!(index.delete(&point_with("c", &[]).record.name()).await.unwrap());
    assert!((f64::from(score().await) - (1.0f64 + 1.5 / 1.5).ln()).abs() < 1e-6);
}

fn point_with(id: &str, terms: &[(u32, f32)]) -> Point {
    point(id, 1, [1.0, 0.0], terms)
}

#[tokio::test]
async fn time_passes() {
    let index = MemoryIndex::new(2);
    let now = jiff::Timestamp::now();
    let mut point = point_with("a", &[]);
    point.record.update_time = Some(now);
    let gone = point_with("b", &[]);
    upsert(&index, &[point.clone(), gone.clone()]).await;
    index.delete(&gone.record.name()).await.unwrap();
    index.write_documents(vec![DocumentWrite::new("jobs", 1, "new".into(), Expect::Any)]).await.unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    index.age(hour, |document| document.text = "old".into());
    let found = index.get(&[point.record.name()], FieldSelection::Payload).await.unwrap().remove(0).unwrap();
    assert_eq!(found.record.update_time, Some(now - hour));
    let since = async |time| tombstones::since(&index, Kind::Achievement, time, 10).await.unwrap().unwrap().len();
    assert_eq!((since(now - hour).await, since(now).await), (1, 0));
    let document = index.read_documents("jobs", &[1.into()]).await.unwrap().remove(0).unwrap();
    assert_eq!((document.text.as_str(), document.version), ("old", 1));
}

#[tokio::test]
async fn documents_count_their_writes_and_lie_in_order() {
    let index = MemoryIndex::new(2);
    let write = |key: u64, expect| DocumentWrite::new("jobs", key, key.to_string(), expect);
    let writes =
        vec![write(2, Expect::Absent), write(1, Expect::Any), write(2, Expect::Version(1)), write(2, Expect::Absent)];
    let stored = |version| DocumentWritten::Stored { version };
    let written = index.write_documents(writes).await.unwrap();
    assert_eq!(written, [stored(1), stored(1), stored(2), DocumentWritten::Conflict { stored: 2 }]);
    let page = index.list_documents(DocumentQuery::folder("jobs"), None, 1).await.unwrap();
    assert_eq!((page.documents[0].text.as_str(), page.next), ("1", Some(document_id("jobs", &1.into()))));
    let old = Document { version: 1, ..index.read_documents("jobs", &[2.into()]).await.unwrap().remove(0).unwrap() };
    let new = Document { version: 7, ..old.clone() };
    assert_eq!(index.restore_documents(vec![old, new]).await.unwrap(), 1);
    index.remove_documents("jobs", &[1.into()]).await.unwrap();
    assert_eq!(index.count_documents(DocumentQuery::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_duty_is_one_holders() {
    let index = MemoryIndex::new(2);
    let lease = index.claim(MAINTENANCE).await.unwrap().unwrap();
    assert!(index.claim(MAINTENANCE).await.unwrap().is_none());
    lease.release().await;
    assert!(index.claim(MAINTENANCE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_damaged_record_is_told_and_can_be_written_anew_and_deleted() {
    let index = MemoryIndex::new(2);
    let points = ["a", "b", "c"].map(|id| point(id, 5, [1.0, 0.0], &[(1, 1.0)]));
    upsert(&index, &points).await;
    let [name, other, _] = [0, 1, 2].map(|place: usize| points[place].record.name());
    index.damage(&name);
    let said = index.get(&[other.clone(), name.clone()], FieldSelection::Payload).await.unwrap_err();
    assert!(matches!(&said, IndexError::RecordDamaged { name, .. } if *name == points[0].record.name().to_string()));
    let ids = points.clone().map(|point| point.id());
    let found = index.fetch(Kind::Achievement, &ids, FieldSelection::Payload).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
    let whole = crate::records::whole(&index, &[other, name.clone()], FieldSelection::Payload).await.unwrap();
    assert_eq!(whole.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    let page = PageRequest { after: None, limit: 9, with: FieldSelection::Payload };
    let listed = index.scroll(Kind::Achievement, &Filter::default(), page).await.unwrap();
    assert_eq!((listed.points.len(), listed.damaged.len()), (2, 1));
    assert_eq!(listed.damaged[0].label(), name.to_string());
    assert_eq!(index.status().kinds[0].damaged, 1);
    // any revision overwrites it
    assert_eq!(upsert(&index, &[point("a", 1, [0.0, 1.0], &[])]).await, [Written::Updated]);
    assert_eq!(
        index.get(std::slice::from_ref(&name), FieldSelection::Payload).await.unwrap()[0]
            .as_ref()
            .unwrap()
            .record
            .revision,
        1
    );
    index.damage(&name);
    assert!(index.delete(&name).await.unwrap());
    assert_eq!(index.get(std::slice::from_ref(&name), FieldSelection::Payload).await.unwrap(), [None]);
    let tombstones = tombstones::since(&index, Kind::Achievement, jiff::Timestamp::UNIX_EPOCH, 9).await.unwrap();
    assert_eq!(tombstones, Some(vec![name]));
}
