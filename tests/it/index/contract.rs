//! The contract of `Index`, tested through the trait.

use duijie_core::{
    domain::{Filter, Kind, RecordName, codes::Status},
    text::SparseVector,
};
use duijie_store::{
    FieldSelection, Hit, Index, IndexError, IndexStatus, MAINTENANCE, MAX_DEPTH, PageRequest, Point, PointId,
    PointPage, Search, VectorSelection, Vectors, Written,
};
use futures::future::join_all;

use super::{
    engines::{on_every_engine, status_with},
    sample::{self, DIMENSIONS},
};

/// The point as returned: its embedding scaled to length 1.
pub fn scaled(mut point: Point) -> Point {
    let length = point.dense.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    point.dense.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    point
}

/// Compares points; embeddings may differ by rounding.
pub fn assert_same(found: Option<&Point>, want: &Point) {
    let (found, want) = (found.unwrap_or_else(|| panic!("{} is gone", want.record.name())), scaled(want.clone()));
    assert_eq!(found.dense.len(), want.dense.len());
    assert!(found.dense.iter().zip(&want.dense).all(|(a, b)| (a - b).abs() < 1e-6), "{}", want.record.name());
    assert_eq!(Point { dense: vec![], ..found.clone() }, Point { dense: vec![], ..want });
}

fn revised(point: &Point, revision: u64) -> Point {
    let mut point = point.clone();
    point.record.revision = revision;
    point.record.body = format!("修订 {revision}");
    point
}

fn page_of(after: Option<PointId>, limit: usize) -> PageRequest {
    PageRequest { after, limit, with: FieldSelection::Payload }
}

async fn everything(index: &dyn Index, name: &RecordName) -> Option<Point> {
    index.get(std::slice::from_ref(name), FieldSelection::Everything).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_stored_read_and_deleted() {
    on_every_engine(async |index, dice| {
        let mut names = Vec::new();
        for kind in Kind::ALL {
            let points = sample::points(kind, 5, dice);
            let written = index.upsert(kind, points.clone()).await.unwrap();
            assert_eq!(written, [Written::Created; 5]);
            for point in &points {
                assert_same(everything(index, &point.record.name()).await.as_ref(), point);
            }
            let ids: Vec<PointId> = points.iter().rev().map(Point::id).collect();
            for (with, dense, sparse) in [
                (FieldSelection::Payload, 0, 0),
                (FieldSelection::Sparse, 0, 8),
                (FieldSelection::Everything, DIMENSIONS, 8),
            ] {
                let found = index.fetch(kind, &ids, with).await.unwrap();
                let found: Vec<Point> = found.into_iter().flatten().collect();
                assert!(found.iter().map(Point::id).eq(ids.iter().copied()));
                assert!(found.iter().all(|p| (p.dense.len(), p.sparse.indices.len()) == (dense, sparse)));
            }
            names.push(points[0].record.name());
        }
        // names of several kinds, one of them twice, one that does not exist
        let missing: RecordName = "demands/none".parse().unwrap();
        let asked = [names[2].clone(), missing.clone(), names[0].clone(), names[2].clone()];
        let found = index.get(&asked, FieldSelection::Payload).await.unwrap();
        let found: Vec<_> = found.iter().map(|point| point.as_ref().map(|point| point.record.name())).collect();
        assert_eq!(found, [Some(names[2].clone()), None, Some(names[0].clone()), Some(names[2].clone())]);
        assert!(index.delete(&names[0]).await.unwrap());
        assert!(!index.delete(&names[0]).await.unwrap());
        assert!(!index.delete(&missing).await.unwrap());
        assert_eq!(everything(index, &names[0]).await, None);
        assert_eq!(index.count(Kind::Achievement, &Filter::default()).await.unwrap(), 4);
        let points = |status: &IndexStatus| status.kinds.iter().map(|kind| kind.points).collect::<Vec<_>>();
        assert!(status_with(index, |status| points(status) == [4, 5, 5]).await.healthy());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_revision_wins() {
    on_every_engine(async |index, dice| {
        let point = sample::points(Kind::Demand, 1, dice).remove(0);
        let name = point.record.name();
        let upsert = |revisions: &[u64]| {
            index.upsert(Kind::Demand, revisions.iter().map(|revision| revised(&point, *revision)).collect())
        };
        let stale = |stored| Written::Stale { stored };
        assert_eq!(upsert(&[0]).await.unwrap(), [Written::Created]);
        assert_eq!(upsert(&[0]).await.unwrap(), [stale(0)]);
        assert_eq!(upsert(&[3, 2, 3, 4]).await.unwrap(), [Written::Updated, stale(3), stale(3), Written::Updated]);
        assert_same(everything(index, &name).await.as_ref(), &revised(&point, 4));
        assert_eq!(upsert(&[1 << 62]).await.unwrap(), [Written::Updated]);
        assert_eq!(upsert(&[(1 << 62) - 1]).await.unwrap(), [stale(1 << 62)]);
        assert!(index.delete(&name).await.unwrap());
        assert_eq!(upsert(&[1]).await.unwrap(), [Written::Created]);
        // independent concurrent callers
        let calls = (2..200_u64).rev().map(|revision| async move { (revision, upsert(&[revision]).await.unwrap()[0]) });
        for (revision, written) in join_all(calls).await {
            assert!(
                matches!(written, Written::Updated)
                    || matches!(written, Written::Stale { stored } if revision < stored)
            );
        }
        assert_same(everything(index, &name).await.as_ref(), &revised(&point, 199));
        assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_points_and_searches_are_refused() {
    on_every_engine(async |index, dice| {
        let good = sample::points(Kind::Expert, 2, dice);
        let check = async |change: fn(&mut Point)| {
            let mut points = good.clone();
            change(&mut points[1]);
            let said = index.upsert(Kind::Expert, points).await.unwrap_err();
            assert!(matches!(said, IndexError::BadPoint { .. }), "{said}");
        };
        check(|point| point.dense[3] = f32::NAN).await;
        check(|point| point.dense.clear()).await;
        check(|point| point.sparse.values[0] = f32::INFINITY).await;
        check(|point| point.record.detail = duijie_core::domain::Detail::empty(Kind::Demand)).await;
        assert_eq!(index.count(Kind::Expert, &Filter::default()).await.unwrap(), 0);
        let search = |depth, dense| Search { dense: Some(dense), depth, ..Search::default() };
        for bad in [
            search(0, vec![0.0; DIMENSIONS]),
            search(MAX_DEPTH + 1, vec![0.0; DIMENSIONS]),
            search(1, vec![f32::NAN; DIMENSIONS]),
            search(1, vec![0.0; 3]),
        ] {
            let said = index.search(Kind::Expert, bad).await.unwrap_err();
            assert!(matches!(said, IndexError::BadSearch { .. }), "{said}");
        }
        assert_eq!(index.upsert(Kind::Expert, vec![]).await.unwrap(), []);
        assert_eq!(index.get(&[], FieldSelection::Payload).await.unwrap(), []);
        assert!(index.search(Kind::Expert, search(10, vec![0.1; DIMENSIONS])).await.unwrap().dense.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_source_answers_for_itself() {
    on_every_engine(async |index, dice| {
        let points = sample::points(Kind::Achievement, 50, dice);
        index.upsert(Kind::Achievement, points.clone()).await.unwrap();
        let ask = async |search: Search| index.search(Kind::Achievement, search).await.unwrap();
        let query = &points[3];
        let both = Search {
            dense: Some(query.dense.clone()),
            sparse: Some(query.sparse.clone()),
            depth: 20,
            ..Search::default()
        };
        let found = ask(both.clone()).await;
        assert_eq!((found.dense.len(), found.dense[0].id), (20, query.id()));
        assert!((found.dense[0].score - 1.0).abs() < 1e-5);
        assert_eq!(found.sparse[0].id, query.id());
        assert!(found.sparse.iter().all(|hit| 0.0 < hit.score));
        let only = ask(Search { sparse: None, ..both.clone() }).await;
        assert_eq!((only.dense, only.sparse), (found.dense.clone(), vec![]));
        let only = ask(Search { dense: None, ..both.clone() }).await;
        assert_eq!((only.dense, only.sparse), (vec![], found.sparse.clone()));
        let without = ask(Search { exclude: vec![query.id()], ..both.clone() }).await;
        assert_eq!(without.dense[0], found.dense[1]);
        assert!(without.sparse.iter().all(|hit| hit.id != query.id()));
        // restricted by `within`: the same scores
        let within: Vec<PointId> = points.iter().step_by(7).map(Point::id).chain([query.id()]).collect();
        let few = ask(Search { within: Some(within.clone()), depth: 50, ..both.clone() }).await;
        let all = ask(Search { depth: 50, ..both.clone() }).await;
        let only = |hits: Vec<Hit>| hits.into_iter().filter(|hit| within.contains(&hit.id)).collect::<Vec<_>>();
        assert_eq!((few.dense, few.sparse), (only(all.dense), only(all.sparse)));
        let shallow = ask(Search { depth: 1, ..both.clone() }).await;
        assert_eq!((shallow.dense.len(), shallow.sparse.len()), (1, 1));
        // terms in any order; no terms; unknown terms; a zero vector
        let expanded = SparseVector {
            indices: query.sparse.indices.iter().rev().copied().collect(),
            values: query.sparse.values.iter().rev().copied().collect(),
        };
        assert_eq!(ask(Search { sparse: Some(expanded), ..both.clone() }).await, found);
        assert_eq!(ask(Search { sparse: Some(SparseVector::default()), ..both.clone() }).await.sparse, []);
        let unknown = SparseVector { indices: vec![5], values: vec![1.0] };
        assert_eq!(ask(Search { sparse: Some(unknown), ..both.clone() }).await.sparse, []);
        assert_eq!(ask(Search { dense: Some(vec![0.0; DIMENSIONS]), ..both }).await.dense.len(), 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scrolls_go_through_all_in_order() {
    on_every_engine(async |index, dice| {
        let mut points = sample::points(Kind::Demand, 25, dice);
        index.upsert(Kind::Demand, points.clone()).await.unwrap();
        points.sort_by_key(Point::id);
        let active = Filter { statuses: vec![Status::Active], ..Filter::default() };
        for (filter, limit) in [(Filter::default(), 10), (Filter::default(), 25), (active.clone(), 1), (active, 100)] {
            let kept = |point: &&Point| filter.statuses.is_empty() || filter.statuses.contains(&point.record.status);
            let want: Vec<PointId> = points.iter().filter(kept).map(Point::id).collect();
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = index.scroll(Kind::Demand, &filter, page_of(after, limit)).await.unwrap();
                assert!(page.points.len() <= limit);
                found.extend(page.points.iter().map(Point::id));
                after = page.next;
                if after.is_none() {
                    break;
                }
                assert_eq!(after, found.last().copied());
            }
            assert_eq!(found, want);
            assert_eq!(index.count(Kind::Demand, &filter).await.unwrap(), want.len() as u64);
        }
        let last = PointId::from(uuid::Uuid::max());
        assert_eq!(
            index.scroll(Kind::Demand, &Filter::default(), page_of(Some(last), 5)).await.unwrap(),
            PointPage::default()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_upserts_and_many_callers_at_once() {
    on_every_engine(async |index, dice| {
        let points = sample::points(Kind::Achievement, 2_500, dice);
        let (large, rest) = points.split_at(2_200);
        let small = rest.iter().map(|point| index.upsert(Kind::Achievement, vec![point.clone()]));
        let (large, small) = futures::join!(index.upsert(Kind::Achievement, large.to_vec()), join_all(small));
        assert_eq!(large.unwrap(), [Written::Created; 2_200]);
        assert!(small.into_iter().all(|written| written.unwrap() == [Written::Created]));
        assert_eq!(index.count(Kind::Achievement, &Filter::default()).await.unwrap(), 2_500);
        status_with(index, |status| status.kinds[0].points == 2_500).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duty_is_one_holders_until_it_gives_it_up() {
    on_every_engine(async |index, _| {
        let lease = index.claim("nightly").await.unwrap().unwrap();
        assert_eq!((lease.duty(), lease.held()), ("nightly", true));
        assert!(index.claim("nightly").await.unwrap().is_none());
        let other = index.claim(MAINTENANCE).await.unwrap().unwrap();
        // the holder can work meanwhile
        assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), 0);
        lease.release().await;
        assert!(other.held());
        let again = index.claim("nightly").await.unwrap().unwrap();
        assert!(again.held() && index.claim(MAINTENANCE).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_are_read_without_their_records() {
    on_every_engine(async |index, dice| {
        let kind = Kind::Achievement;
        let mut points = sample::points(kind, 7, dice);
        index.upsert(kind, points.clone()).await.unwrap();
        points.sort_by_key(Point::id);
        let wanted = |point: &Point, which: VectorSelection| {
            let Point { dense, mut sparse, .. } = scaled(point.clone());
            let mut terms: Vec<(u32, f32)> = sparse.indices.into_iter().zip(sparse.values).collect();
            terms.sort_by_key(|(term, _)| *term);
            (sparse.indices, sparse.values) = terms.into_iter().unzip();
            match which {
                VectorSelection::Dense => Vectors { dense, sparse: SparseVector::default() },
                VectorSelection::Sparse => Vectors { dense: Vec::new(), sparse },
                VectorSelection::Both => Vectors { dense, sparse },
            }
        };
        let same = |found: &Vectors, point: &Point, which: VectorSelection| {
            let want = wanted(point, which);
            assert_eq!((found.dense.len(), &found.sparse), (want.dense.len(), &want.sparse));
            assert!(found.dense.iter().zip(&want.dense).all(|(a, b)| (a - b).abs() < 1e-6));
        };
        for which in [VectorSelection::Dense, VectorSelection::Sparse, VectorSelection::Both] {
            let nobody = PointId::of(&"achievements/nobody".parse().unwrap());
            let ids: Vec<PointId> = points.iter().rev().map(Point::id).chain([nobody]).collect();
            let found = index.vectors(kind, &ids, which).await.unwrap();
            assert_eq!((found.len(), &found[7]), (8, &None));
            for (point, found) in points.iter().rev().zip(&found) {
                same(found.as_ref().unwrap(), point, which);
            }
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = index.scan(kind, after, 3, which).await.unwrap();
                assert!(page.rows.len() <= 3);
                seen.extend(page.rows);
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 7);
            for (point, (id, found)) in points.iter().zip(&seen) {
                assert_eq!(*id, point.id());
                same(found, point, which);
            }
        }
        assert_eq!(index.vectors(kind, &[], VectorSelection::Both).await.unwrap(), []);
        assert_eq!(index.scan(Kind::Expert, None, 3, VectorSelection::Both).await.unwrap().rows, []);
    })
    .await;
}
