//! A nearly full disk: writes stop in time, reads go on, and a start for reading needs no room.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{EdgeIndex, EdgeOptions, FieldSelection, FreeSpace, Index, IndexError, Point, Records, Written};

use super::{
    journal::{copy, killed},
    sample::{self, Dice},
};

const MIB: u64 = 1 << 20;
const PLENTY: u64 = 10_000 * MIB;

/// A disk of which the test says how much is free.
#[derive(Clone)]
struct Disk(Arc<AtomicU64>);

impl Disk {
    fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    fn set(&self, bytes: u64) {
        self.0.store(bytes, SeqCst);
    }

    fn options(&self, folder: &Path) -> EdgeOptions {
        let mut options = sample::options(folder);
        let free = Arc::clone(&self.0);
        options.tuning.free_space = FreeSpace(Arc::new(move |_| Ok(free.load(SeqCst))));
        options.tuning.disk_reserve_bytes = 100 * MIB;
        options.tuning.checkpoint_after_rest = Duration::from_millis(50);
        options
    }
}

/// Options on a disk where nothing is free but what the start frees itself.
fn on_a_full_disk(disk: &Disk, folder: &Path) -> EdgeOptions {
    let ballast = folder.join("ballast");
    let freed = fs::metadata(&ballast).unwrap().len();
    let mut options = disk.options(folder);
    options.tuning.disk_reserve_bytes = 2 * freed;
    options.tuning.free_space = FreeSpace(Arc::new(move |_| Ok(if ballast.exists() { 0 } else { freed })));
    options
}

async fn there(index: &EdgeIndex, points: &[Point]) {
    let names: Vec<_> = points.iter().map(|point| point.record.name()).collect();
    let found = index.get(&names, FieldSelection::Payload).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), points.len() as u64);
}

fn full<T: std::fmt::Debug>(result: Result<T, IndexError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, IndexError::DiskFull { .. }), "{error}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_reserve_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(PLENTY);
    let index = EdgeIndex::open(disk.options(folder.path())).unwrap();
    let mut points = sample::points(Kind::Demand, 40, &mut Dice::new(3));
    let more = points.split_off(30);
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    disk.set(99 * MIB);
    let said = full(index.upsert(Kind::Demand, more.clone()).await);
    for part in ["只剩 99 MB", "需要 100 MB", "已停止写入，查询照常", "store.disk_reserve_mb"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    full(index.delete(&points[0].record.name()).await);
    there(&index, &points).await;
    full(index.optimize());
    assert!(!index.status().healthy());
    // what changes nothing needs no room
    let written = index.upsert(Kind::Demand, points[..1].to_vec()).await.unwrap();
    assert!(matches!(written[..], [Written::Stale { .. }]));
    // the room is noticed without a write
    disk.set(101 * MIB);
    for _ in 0..600 {
        if index.status().healthy() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(index.status().healthy());
    index.upsert(Kind::Demand, more.clone()).await.unwrap();
    index.optimize().unwrap();
    points.extend(more);
    there(&index, &points).await;
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_full_disk_serves_reads() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(PLENTY);
    let index = EdgeIndex::open(disk.options(folder.path())).unwrap();
    let points = sample::points(Kind::Demand, 30, &mut Dice::new(5));
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    index.close();
    let index = EdgeIndex::open(on_a_full_disk(&disk, folder.path())).unwrap();
    there(&index, &points).await;
    full(index.upsert(Kind::Demand, sample::points(Kind::Demand, 31, &mut Dice::new(6))).await);
    there(&index, &points).await;
    // subscriptions go on, too
    index.clock().settled(&index).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_full_disk_replays_what_a_kill_left() {
    let (killed, points) = killed().await;
    let journal = killed.path().join("demands/journal");
    let disk = Disk::new(PLENTY);
    assert!(0 < fs::metadata(&journal).unwrap().len());
    let index = EdgeIndex::open(on_a_full_disk(&disk, killed.path())).unwrap();
    there(&index, &points).await;
    full(index.upsert(Kind::Demand, sample::points(Kind::Demand, 31, &mut Dice::new(6))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_replayed_only_where_there_is_room() {
    let (killed, points) = killed().await;
    let journal = killed.path().join("demands/journal");
    let bytes = fs::read(&journal).unwrap();
    let disk = Disk::new(10 * MIB);
    let said = full(EdgeIndex::open(disk.options(killed.path())).map(EdgeIndex::close));
    assert!(said.contains("不能启动") && said.contains("只剩 10 MB"), "{said}");
    assert_eq!(fs::read(&journal).unwrap(), bytes, "the journal is kept");
    disk.set(PLENTY);
    let index = EdgeIndex::open(disk.options(killed.path())).unwrap();
    there(&index, &points).await;
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_a_full_disk_leaves_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(PLENTY);
    let mut options = disk.options(folder.path());
    options.tuning.checkpoint_after_rest = Duration::from_secs(3_600);
    let index = EdgeIndex::open(options).unwrap();
    let points = sample::points(Kind::Demand, 30, &mut Dice::new(9));
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    disk.set(0);
    index.close();
    let journal = folder.path().join("demands/journal");
    assert!(0 < fs::metadata(&journal).unwrap().len());
    // this process still holds the engine's files of the folder
    let moved = tempfile::tempdir().unwrap();
    copy(folder.path(), moved.path());
    disk.set(PLENTY);
    let index = EdgeIndex::open(disk.options(moved.path())).unwrap();
    there(&index, &points).await;
    index.close();
}
