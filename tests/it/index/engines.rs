//! All engines: the one in memory; Qdrant Edge in this process; the server implementation over the wire, against the test
//! server; and a real Qdrant server if `QDRANT_URL` is set (`make test` reports when it is not).

use std::{path::Path, time::Duration};

use duijie::config::Config;
use duijie_core::domain::Kind;
use duijie_store::{Index, IndexStatus, MemoryIndex, Pace, Qdrant, ServerIndex, StoreShape};

use super::sample::{self, DIMENSIONS, Dice};
use crate::qdrant_server::QdrantServer;

/// Faster than in production, to save time, but slow enough for a busy machine.
pub const PACE: Pace = Pace {
    look_every: Duration::from_millis(50),
    stale_after: Duration::from_millis(3_000),
    lease_period: Duration::from_millis(2_000),
    renew_every: Duration::from_millis(300),
};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one test against a fresh store of each engine.
pub async fn on_every_engine(promise: impl AsyncFn(&dyn Index, &mut Dice)) {
    promise(&MemoryIndex::new(DIMENSIONS), &mut Dice::new(7)).await;

    let folder = tempfile::tempdir().unwrap();
    let index = sample::open(folder.path());
    promise(&index, &mut Dice::new(7)).await;
    index.close();

    let folder = tempfile::tempdir().unwrap();
    let server = QdrantServer::start(folder.path());
    let index = connect(&server).await;
    promise(&index, &mut Dice::new(7)).await;
    drop(index);
    server.stop().await;

    let Ok(url) = std::env::var("QDRANT_URL") else { return };
    let prefix = format!("duijie-test-{}", uuid::Uuid::new_v4());
    let options = options(&url, &prefix);
    let index = open(&options);
    index.ready(PATIENCE).await.unwrap();
    promise(&index, &mut Dice::new(7)).await;
    drop(index);
    remove(&url, &prefix).await;
}

/// Options of a server.
pub fn options(url: &str, prefix: &str) -> Qdrant {
    let toml = format!("[qdrant]\nurl = {url:?}\nprefix = {prefix:?}\ntimeout_ms = 2000\nconnect_timeout_ms = 500");
    Config::read(&toml, []).unwrap().qdrant.unwrap()
}

/// Opens an index on a server that may not answer yet.
pub fn open(options: &Qdrant) -> ServerIndex {
    ServerIndex::open_at(options, shape(), PACE).unwrap()
}

/// Shape of the test stores.
pub fn shape() -> StoreShape {
    StoreShape { versions: sample::options(Path::new("")).versions, dimensions: DIMENSIONS }
}

/// Opens an index on the test server and waits until it is ready.
pub async fn connect(server: &QdrantServer) -> ServerIndex {
    let index = open(&options(&server.url(), "test"));
    index.ready(PATIENCE).await.unwrap();
    index
}

/// Waits until the status is as wanted; a server's status is updated periodically.
pub async fn status_with(index: &dyn Index, wanted: impl Fn(&IndexStatus) -> bool) -> IndexStatus {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let status = index.status();
        if wanted(&status) {
            return status;
        }
        assert!(std::time::Instant::now() < end, "{status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn remove(url: &str, prefix: &str) {
    let client = qdrant_client::Qdrant::from_url(url).skip_compatibility_check().build().unwrap();
    let records = Kind::ALL.map(|kind| format!("{prefix}_{}_1", kind.collection()));
    for name in records.into_iter().chain(["state", "documents"].map(|what| format!("{prefix}_{what}"))) {
        client.delete_collection(name).await.unwrap();
    }
}
