//! Copies and snapshots between the embedded engine and a server.

use std::fs;

use duijie_core::domain::Kind;
use duijie_store::{
    EdgeIndex, Records,
    transfer::{Created, Snapshot, TransferProgress, copy, create, digests},
};
use tempfile::TempDir;

use crate::{
    index::{
        engines::{connect, open, options, shape},
        sample::{self, Dice},
        server::{claim_and_die, start},
    },
    qdrant_server::Fault,
};

const POINTS: usize = 300;

fn quiet(_: TransferProgress) {}

async fn filled() -> (TempDir, EdgeIndex) {
    let folder = TempDir::new().unwrap();
    let index = sample::open(folder.path());
    for kind in Kind::ALL {
        index.upsert(kind, sample::points(kind, POINTS, &mut Dice::new(3))).await.unwrap();
    }
    sample::write_documents(&index, POINTS).await;
    (folder, index)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_to_a_server_and_back_bit_for_bit() {
    let (_source_folder, source) = filled().await;
    let (_data, server) = start();
    let index = connect(&server).await;
    // with lost answers and repeated writes on the way
    server.inject("Upsert", Fault::UnavailableAfter, 2);
    server.inject("Upsert", Fault::Repeat, 2);
    server.inject("Scroll", Fault::DropConnection, 1);
    let done = copy(&source, &index, quiet).await.unwrap();
    assert_eq!((done.written, &done.digests), (4 * POINTS as u64, &digests(&source).await.unwrap()));
    let again = copy(&source, &index, quiet).await.unwrap();
    assert_eq!((again.written, &again.digests), (0, &done.digests));
    let back = TempDir::new().unwrap();
    let back = sample::open(back.path());
    let returned = copy(&index, &back, quiet).await.unwrap();
    assert_eq!(returned.digests, done.digests);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_one_engine_is_restored_into_the_other() {
    let (folder, source) = filled().await;
    let path = folder.path().join("snapshot.duijie");
    let file = fs::File::create(&path).unwrap();
    let Created { summary, .. } = create(&source, source.shape().clone(), file, quiet).await.unwrap();
    let (_data, server) = start();
    let index = connect(&server).await;
    let snapshot = Snapshot::open(&path).unwrap();
    snapshot.restore(&index, quiet).await.unwrap();
    assert_eq!(digests(&index).await.unwrap(), digests(&source).await.unwrap());
    let other = folder.path().join("other.duijie");
    let Created { summary: of_server, .. } =
        create(&index, shape(), fs::File::create(&other).unwrap(), quiet).await.unwrap();
    assert_eq!(of_server, summary);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_for_nobody_who_maintains_and_ends_with_its_lease() {
    let (_source_folder, source) = filled().await;
    let (_data, server) = start();
    let index = connect(&server).await;
    claim_and_die(&server, duijie_store::MAINTENANCE);
    // the holder may be alive, so the store is not touched
    assert!(copy(&source, &index, quiet).await.is_err());
    server.stop().await;

    let (_data, server) = start();
    let index = open(&options(&server.url(), "test"));
    index.ready(crate::index::engines::PATIENCE).await.unwrap();
    server.inject("Upsert", Fault::Slow(std::time::Duration::from_millis(1)), 1);
    let copying = async {
        // the store goes down during writing
        let server = server;
        while server.calls("Upsert") < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        server.stop().await;
    };
    let (copied, ()) = tokio::join!(copy(&source, &index, quiet), copying);
    assert!(copied.is_err(), "nothing is said to be copied that is not");
}
