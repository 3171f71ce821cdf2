//! Copies and snapshots between stores of random points.

use std::{fs, path::Path, sync::Arc, time::Duration};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    CollectionKind, EdgeIndex, EdgeOptions, FieldSelection, Index, IndexError, Leases, MAINTENANCE, PageRequest, Point,
    Records,
    transfer::{
        Created, Digests, Restored, Snapshot, TransferError, TransferProgress, TransferStep, check_shapes, copy, count,
        create, digests,
    },
};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::{runtime::Handle, sync::Notify, task::block_in_place};

use crate::{
    index::sample::{self, Dice},
    seeds::{self, seeds},
};

/// A temporary store.
/// Tombstones in a filled store: 10 records of each kind were deleted.
const TOMBSTONES: u64 = 30;

struct Store {
    index: EdgeIndex,
    folder: TempDir,
}

impl Store {
    fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        Self { index: sample::open(folder.path()), folder }
    }

    /// `points` of each kind, in segments with and without graphs, some of them deleted, and the same number of
    /// documents.
    async fn filled(points: usize, seed: u64) -> Self {
        let (store, dice) = (Self::empty(), &mut Dice::new(seed));
        for kind in Kind::ALL {
            let mut all = sample::points(kind, points + 10, dice);
            let gone: Vec<_> = all.iter().take(10).map(|point| point.record.name()).collect();
            let later = all.split_off(all.len() / 2);
            store.index.upsert(kind, all).await.unwrap();
            store.index.optimize().unwrap();
            store.index.upsert(kind, later).await.unwrap();
            for name in gone {
                store.index.delete(&name).await.unwrap();
            }
        }
        sample::write_documents(&store.index, points).await;
        store
    }

    async fn digests(&self) -> Digests {
        digests(&self.index).await.unwrap()
    }

    /// Adds one point.
    async fn add(&self, id: &str) -> Point {
        let dice = &mut Dice::new(99);
        let point = sample::point(sample::record(Kind::Demand, id, dice), dice);
        self.index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
        point
    }
}

fn quiet(_: TransferProgress) {}

/// Runs async work inside a callback.
fn wait<T>(work: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(work))
}

async fn snapshot_of(store: &Store, path: &Path) -> Snapshot {
    let sink = fs::File::create(path).unwrap();
    let Created { summary, .. } = create(&store.index, store.index.shape().clone(), sink, quiet).await.unwrap();
    let snapshot = Snapshot::open(path).unwrap();
    assert_eq!(*snapshot.summary(), summary);
    snapshot
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_copy_is_the_same_bit_for_bit() {
    let (source, copied, again) = (Store::filled(700, 1).await, Store::empty(), Store::empty());
    let done = copy(&source.index, &copied.index, quiet).await.unwrap();
    assert_eq!((done.written, &done.digests), (2_800 + TOMBSTONES, &source.digests().await));
    let done = copy(&copied.index, &again.index, quiet).await.unwrap();
    assert_eq!((done.written, &done.digests), (2_800 + TOMBSTONES, &source.digests().await));
    assert!(done.digests.iter().all(|(collection, digest)| {
        let tombstones = if *collection == CollectionKind::Documents { TOMBSTONES } else { 0 };
        digest.count == 700 + tombstones
    }));
    // already complete: nothing is written
    assert_eq!(copy(&source.index, &again.index, quiet).await.unwrap().written, 0);
    copied.index.optimize().unwrap();
    assert_eq!(copied.digests().await, done.digests, "graphs do not change what is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_of_any_size_stay_as_they_were_first_stored() {
    let dice = &mut Dice::new(7);
    for dimensions in [1, 2, 3, 31, 32, 384, 1_024] {
        let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let open = |folder: &Path| EdgeIndex::open(EdgeOptions { dimensions, ..sample::options(folder) }).unwrap();
        let (source, target) = (open(one.path()), open(two.path()));
        let mut points = sample::points(Kind::Expert, 400, dice);
        points.iter_mut().for_each(|point| point.dense = sample::dense(dice, dimensions));
        source.upsert(Kind::Expert, points).await.unwrap();
        copy(&source, &target, quiet).await.unwrap_or_else(|error| panic!("{dimensions}: {error}"));
    }
}

/// Waits until the maintenance duty is free: a lease is released shortly after the work was dropped.
async fn given_up(index: &dyn Index) {
    let free = async {
        loop {
            match index.claim(MAINTENANCE).await.unwrap() {
                Some(lease) => return lease.release().await,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), free).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_broken_off_goes_on() {
    let (source, target) = (Store::filled(600, 2).await, Store::empty());
    let begun = Notify::new();
    let first = copy(&source.index, &target.index, |at| {
        if at.step == TransferStep::Write && 512 <= at.done {
            begun.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = begun.notified() => {}
        _ = first => panic!("it was not broken off"),
    }
    let there = count(&target.index).await.unwrap();
    assert!((512..2_400 + TOMBSTONES).contains(&there), "{there}");
    given_up(&target.index).await;
    let rest = copy(&source.index, &target.index, quiet).await.unwrap();
    assert_eq!(rest.digests, source.digests().await);
    // one page may have been in flight at the interruption
    let all = 2_400 + TOMBSTONES;
    assert!(rest.written <= all - there && all - there - 256 <= rest.written, "{there}, {}", rest.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_source_has_not_is_neither_deleted_nor_mixed_with() {
    let (source, target) = (Store::filled(20, 3).await, Store::empty());
    target.add("only-here").await;
    let before = target.digests().await;
    let said = copy(&source.index, &target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::Foreign { extra: 1, newer: 0 }), "{said}");
    assert!(said.to_string().contains("1 条来源没有"), "{said}");
    assert_eq!(target.digests().await, before, "nothing was written");
    let mut point = source.add("only-here").await;
    point.record.revision = 7;
    target.index.upsert(Kind::Demand, vec![point]).await.unwrap();
    let said = copy(&source.index, &target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::Foreign { extra: 0, newer: 1 }), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn older_revisions_are_replaced_and_other_content_is_told() {
    let (source, target) = (Store::empty(), Store::empty());
    let mut point = source.add("a").await;
    target.index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
    (point.record.revision, point.record.body) = (2, "改".into());
    source.index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
    assert_eq!(copy(&source.index, &target.index, quiet).await.unwrap().written, 1);
    (point.record.revision, point.record.body) = (3, "一边".into());
    source.index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
    point.record.body = "另一边".into();
    target.index.upsert(Kind::Demand, vec![point]).await.unwrap();
    let said = copy(&source.index, &target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::Different), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_meanwhile_is_gone_through_again() {
    // number of changes, and whether the copy settles
    for (changes, settles) in [(1, true), (2, true), (3, false)] {
        let (source, target) = (Store::filled(50, 4).await, Store::empty());
        let mut round = 0;
        let copied = copy(&source.index, &target.index, |at| {
            if at.step == TransferStep::Verify && at.done == 0 && round < changes {
                round += 1;
                wait(source.add(&format!("new-{round}")));
            }
        });
        match copied.await {
            Ok(copied) => {
                assert!(settles);
                assert_eq!((copied.written, copied.digests), (200 + TOMBSTONES + round, source.digests().await));
            }
            Err(said) => assert!(!settles && matches!(said, TransferError::Unsettled { rounds: 3 }), "{said}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_deleted_meanwhile_is_told() {
    let (source, target) = (Store::filled(50, 5).await, Store::empty());
    let name = source.add("soon-gone").await.record.name();
    let said = copy(&source.index, &target.index, |at| {
        if at.step == TransferStep::Verify && at.done == 0 {
            wait(source.index.delete(&name)).unwrap();
        }
    });
    let said = said.await.unwrap_err();
    assert!(matches!(said, TransferError::Foreign { extra: 1, newer: 0 }), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_maintains_a_store() {
    let (source, target) = (Store::filled(5, 6).await, Store::empty());
    let lease = target.index.claim(MAINTENANCE).await.unwrap().unwrap();
    let said = copy(&source.index, &target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::Index(IndexError::Maintenance)), "{said}");
    lease.release().await;
    copy(&source.index, &target.index, quiet).await.unwrap();
    copy(&source.index, &target.index, quiet).await.expect("it was given up");
    let mut other = source.index.shape().clone();
    (other.dimensions, other.versions.model) = (3, "other".into());
    let said = check_shapes(source.index.shape(), &other).unwrap_err().to_string();
    assert!(said.contains("模型") && said.contains("维数：来源为 16，目标为 3"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_back_whole() {
    for points in [0, 1, 700] {
        let (source, target) = (Store::filled(points, 8).await, Store::empty());
        let snapshot = snapshot_of(&source, &source.folder.path().join("snapshot")).await;
        assert_eq!(snapshot.summary().digests, source.digests().await);
        assert_eq!(snapshot.header().store, *source.index.shape());
        assert_eq!(snapshot.header().counts[&CollectionKind::Records(Kind::Expert)], points as u64);
        let restored = snapshot.restore(&target.index, quiet).await.unwrap();
        assert_eq!(restored, Restored { written: 4 * points as u64 + TOMBSTONES });
        assert_eq!(target.digests().await, source.digests().await);
        assert_eq!(snapshot.restore(&target.index, quiet).await.unwrap().written, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_broken_off_goes_on_and_others_points_are_refused() {
    let (source, target) = (Store::filled(600, 9).await, Store::empty());
    let snapshot = snapshot_of(&source, &source.folder.path().join("snapshot")).await;
    let begun = Notify::new();
    let first = snapshot.restore(&target.index, |at| {
        if at.step == TransferStep::Write && 512 <= at.done {
            begun.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = begun.notified() => {}
        _ = first => panic!("it was not broken off"),
    }
    let part = count(&target.index).await.unwrap();
    assert!((512..2_400 + TOMBSTONES).contains(&part), "{part}");
    given_up(&target.index).await;
    let point = target.add("not-of-it").await;
    let said = snapshot.restore(&target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::NotEmpty { others: 1 }), "{said}");
    assert!(target.index.delete(&point.record.name()).await.unwrap());
    let rest = snapshot.restore(&target.index, quiet).await.unwrap();
    assert!(0 < rest.written && rest.written < 2_400 + TOMBSTONES, "{}", rest.written);
    assert_eq!(target.digests().await, source.digests().await);
    // a point with another revision is not part of the snapshot
    let mut changed = source.add("r-1").await;
    changed.record.revision = 9;
    target.index.upsert(Kind::Demand, vec![changed]).await.unwrap();
    let said = snapshot.restore(&target.index, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::NotEmpty { .. }), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_points_are_seen_while_the_snapshots_own_are_written() {
    let (source, target) = (Store::filled(600, 12).await, Store::empty());
    let snapshot = snapshot_of(&source, &source.folder.path().join("snapshot")).await;
    let page = PageRequest { after: None, limit: 600, with: FieldSelection::Everything };
    let own = source.index.scroll(Kind::Demand, &Filter::default(), page).await.unwrap().points;
    target.add("not-of-it").await;
    for part in own.chunks(200) {
        // between the count of the target and the look at what is in it
        let restored = snapshot.restore(&target.index, |at| {
            if at.step == TransferStep::Compare && at.done == 0 {
                wait(async { target.index.upsert(Kind::Demand, part.to_vec()).await.unwrap() });
            }
        });
        let said = restored.await.unwrap_err();
        assert!(matches!(said, TransferError::NotEmpty { others: 1 }), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_given_up_has_no_end() {
    let source = Store::filled(600, 10).await;
    let path = source.folder.path().join("snapshot");
    let begun = Arc::new(Notify::new());
    let sink = fs::File::create(&path).unwrap();
    let first = create(&source.index, source.index.shape().clone(), sink, |at| {
        if 512 <= at.done {
            begun.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = begun.notified() => {}
        _ = first => panic!("it was not given up"),
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let said = Snapshot::open(&path).unwrap_err().to_string();
    assert!(said.contains("snapshot"), "{said}");
    // a full disk
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let said = create(&source.index, source.index.shape().clone(), full, quiet).await.unwrap_err();
    assert!(matches!(said, TransferError::Sink(_)), "{said}");
}

/// Bytes of a small snapshot, made once.
fn small() -> &'static [u8] {
    static SMALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SMALL.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = Store::filled(12, 11).await;
            let path = store.folder.path().join("snapshot");
            snapshot_of(&store, &path).await;
            fs::read(path).unwrap()
        })
    })
}

fn refused(bytes: &[u8]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    fs::write(&path, bytes).unwrap();
    // a snapshot that cannot be opened cannot be restored
    let said = Snapshot::open(&path).expect_err("it was opened").to_string();
    assert!(said.contains('请') && !said.contains('\n'), "{said}");
}

proptest! {
    #![proptest_config(seeds::config(400, seeds!("transfer")))]

    #[test]
    fn any_flipped_byte_is_seen(place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = small().to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        refused(&bytes);
    }

    #[test]
    fn any_cut_is_seen(place in any::<prop::sample::Index>()) {
        let bytes = small();
        refused(&bytes[..place.index(bytes.len())]);
    }

    #[test]
    fn anything_that_follows_is_seen(more in prop::collection::vec(any::<u8>(), 1..100)) {
        refused(&[small(), &more].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_hold_for_filters_too() {
    let (source, target) = (Store::filled(100, 12).await, Store::empty());
    copy(&source.index, &target.index, quiet).await.unwrap();
    let dice = &mut Dice::new(13);
    for _ in 0..30 {
        let filter: Filter = sample::filter(dice);
        let there = source.index.count(Kind::Achievement, &filter).await.unwrap();
        assert_eq!(target.index.count(Kind::Achievement, &filter).await.unwrap(), there, "{filter:?}");
    }
}
