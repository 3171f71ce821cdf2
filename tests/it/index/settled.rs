//! Counts and pages while records are replaced and deleted and graphs are built: they say what was there, each record once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    DocumentQuery, DocumentWrite, Documents, EdgeIndex, Expect, FieldSelection, Index, Leases, MAINTENANCE,
    PageRequest, Point, Records, VectorSelection,
};
use futures::FutureExt;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::sample::{self, Dice};

const KIND: Kind = Kind::Demand;
/// Points that stay, replaced or not.
const STAY: usize = 1_500;
/// Points that come and go.
const PASS: usize = 500;
/// Points of a page.
const PAGE: usize = 500;

/// A store whose graphs are built again and again until it is dropped.
struct Busy {
    index: Arc<EdgeIndex>,
    stay: Vec<Point>,
    pass: Vec<Point>,
    done: Arc<AtomicBool>,
    _folder: TempDir,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.done.store(true, Relaxed);
    }
}

impl Busy {
    async fn open(seed: u64) -> (Self, JoinHandle<()>) {
        let folder = TempDir::new().unwrap();
        let (index, dice) = (Arc::new(sample::open(folder.path())), &mut Dice::new(seed));
        let mut stay = sample::points(KIND, STAY + PASS, dice);
        stay.iter_mut().for_each(|point| point.record.source = "stay".to_string());
        let mut pass = stay.split_off(STAY);
        pass.iter_mut().for_each(|point| point.record.source = "pass".to_string());
        index.upsert(KIND, stay.clone()).await.unwrap();
        index.upsert(KIND, pass.clone()).await.unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let (building, until) = (Arc::clone(&index), Arc::clone(&done));
        let builder = tokio::task::spawn_blocking(move || {
            while !until.load(Relaxed) {
                building.optimize().unwrap();
            }
        });
        (Self { index, stay, pass, done, _folder: folder }, builder)
    }

    /// Ids by pages.
    async fn all(&self) -> Vec<u128> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { after, limit: PAGE, with: FieldSelection::Payload };
            let page = self.index.scroll(KIND, &Filter::default(), page).await.unwrap();
            ids.extend(page.points.iter().map(|point| point.id().uuid().as_u128()));
            let Some(next) = page.next else { return ids };
            after = Some(next);
        }
    }

    /// Ids by pages of vectors.
    async fn scanned(&self) -> Vec<u128> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.index.scan(KIND, after, PAGE, VectorSelection::Dense).await.unwrap();
            ids.extend(page.rows.iter().map(|(id, _)| id.uuid().as_u128()));
            let Some(next) = page.next else { return ids };
            after = Some(next);
        }
    }

    async fn count(&self, sources: &[&str]) -> usize {
        let sources = sources.iter().map(ToString::to_string).collect();
        self.index.count(KIND, &Filter { sources, ..Filter::default() }).await.unwrap() as usize
    }
}

fn ids(points: &[Point]) -> BTreeSet<u128> {
    points.iter().map(|point| point.id().uuid().as_u128()).collect()
}

/// Replaces all that stay and deletes and stores the others, until `done`. Gives them back.
async fn write(index: Arc<EdgeIndex>, mut stay: Vec<Point>, pass: Vec<Point>, done: Arc<AtomicBool>) -> Vec<Point> {
    let (mut revision, names) = (1, pass.iter().map(|point| point.record.name()).collect::<Vec<_>>());
    while !done.load(Relaxed) {
        revision += 1;
        stay.iter_mut().for_each(|point| point.record.revision = revision);
        for (part, names) in stay.chunks(STAY / 10).zip(names.chunks(PASS / 10)) {
            let deleted = futures::future::join_all(names.iter().map(|name| index.delete(name)));
            let (written, deleted) = tokio::join!(index.upsert(KIND, part.to_vec()), deleted);
            written.unwrap();
            assert!(deleted.into_iter().all(Result::unwrap));
        }
        index.upsert(KIND, pass.clone()).await.unwrap();
    }
    stay
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_record_is_counted_and_listed_once_while_others_are_written() {
    let (busy, builder) = Busy::open(41).await;
    let writer = {
        let (stay, pass) = (busy.stay.clone(), busy.pass.clone());
        tokio::spawn(write(Arc::clone(&busy.index), stay, pass, Arc::clone(&busy.done)))
    };
    let stay = ids(&busy.stay);
    for round in 0..30 {
        assert_eq!(busy.count(&["stay"]).await, STAY, "round {round}");
        let all = busy.count(&[]).await;
        assert!((STAY..=STAY + PASS).contains(&all), "round {round}: {all}");
        for listed in [busy.all().await, busy.scanned().await] {
            assert!(listed.is_sorted_by(|one, next| one < next), "round {round}: one came twice");
            let listed = listed.into_iter().collect();
            assert_eq!(stay.difference(&listed).count(), 0, "round {round}: some that stay are missing");
        }
    }
    busy.done.store(true, Relaxed);
    let stay = writer.await.unwrap();
    builder.await.unwrap();
    let status = busy.index.status().kinds.remove(1);
    assert_eq!((busy.count(&[]).await, status.points), (STAY + PASS, (STAY + PASS) as u64));
    let found = busy.index.fetch(KIND, &[stay[0].id()], FieldSelection::Payload).await.unwrap().remove(0).unwrap();
    assert_eq!(found.record.revision, stay[0].record.revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_is_seen_by_every_read_after_it() {
    let (busy, builder) = Busy::open(43).await;
    let index = &busy.index;
    for (round, point) in busy.pass.iter().take(30).enumerate() {
        let name = point.record.name();
        assert!(index.delete(&name).await.unwrap());
        assert_eq!(busy.count(&[]).await, STAY + PASS - 1, "round {round}");
        assert_eq!(index.get(&[name], FieldSelection::Payload).await.unwrap(), [None], "round {round}");
        let listed = busy.all().await;
        assert!(listed.len() == STAY + PASS - 1 && !listed.contains(&point.id().uuid().as_u128()), "round {round}");
        let mut newer = point.clone();
        newer.record.revision += 1;
        index.upsert(KIND, vec![newer]).await.unwrap();
        assert_eq!(busy.count(&["pass"]).await, PASS, "round {round}");
        assert_eq!(busy.scanned().await.len(), STAY + PASS, "round {round}");
        let found = index.fetch(KIND, &[point.id()], FieldSelection::Payload).await.unwrap().remove(0).unwrap();
        assert_eq!(found.record.revision, point.record.revision + 1, "round {round}");
        // some that have a graph move, so that graphs are built anew
        let mut moved = busy.stay[30 * round..30 * (round + 1)].to_vec();
        moved.iter_mut().for_each(|point| point.record.revision += 1);
        index.upsert(KIND, moved).await.unwrap();
    }
    busy.done.store(true, Relaxed);
    builder.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_begins_after_the_writes_that_nobody_waits_for_any_more() {
    let folder = TempDir::new().unwrap();
    let index = sample::open(folder.path());
    // documents: nothing comes before their place in the queue
    let write = |number: u64| DocumentWrite::new("left", number, "text".repeat(100), Expect::Absent);
    for round in 1..=10 {
        // it is queued, and its caller leaves
        let writes = (200 * (round - 1)..200 * round).map(write).collect();
        drop(index.write_documents(writes).now_or_never());
        let lease = index.claim(MAINTENANCE).await.unwrap().unwrap();
        assert_eq!(index.count_documents(DocumentQuery::folder("left")).await.unwrap(), 200 * round);
        lease.release().await;
    }
}
