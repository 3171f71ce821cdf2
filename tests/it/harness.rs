//! A service on port 0 with its own store, and clients. The model is loaded once for all tests.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use duijie::{
    api::{Limits, Waits, record_out},
    app::{self, Parts},
    config::Config,
    serve::serve,
};
use duijie_core::domain::{Detail, Kind, Record, RecordName};
use duijie_proto as pb;
use duijie_proto::{
    catalog_service_client::CatalogServiceClient, event_service_client::EventServiceClient,
    match_service_client::MatchServiceClient,
};
use duijie_store::{FieldSelection, Index, Point, Result};
use futures::future::BoxFuture;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::index::wrapped::{Wrapped, Wrapper};

/// A running service.
pub struct Service {
    pub parts: Parts,
    pub url: String,
    pub folder: PathBuf,
    /// References to the index held by the parts.
    own_count: usize,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    _folder: Option<TempDir>,
}

impl Service {
    /// Starts with defaults in a temporary folder.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts with changed limits.
    pub async fn start_with(change: impl FnOnce(&mut Limits)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut service = Self::start_in(folder.path(), change).await;
        service._folder = Some(folder);
        service
    }

    /// Starts in a given folder.
    pub async fn start_in(folder: &Path, change: impl FnOnce(&mut Limits)) -> Self {
        Self::start_configured(folder, config(folder), change).await
    }

    /// Starts with a configuration.
    pub async fn start_configured(folder: &Path, config: Config, change: impl FnOnce(&mut Limits)) -> Self {
        let built = config.clone();
        let parts = tokio::task::spawn_blocking(move || {
            let shared = embedder(&built);
            Parts::build_with(&built, shared)
        });
        let parts = parts.await.unwrap().unwrap();
        Self::start_on(folder, parts, change).await
    }

    /// Starts on an engine whose reads by name are held while the result says so.
    pub async fn start_held(change: impl FnOnce(&mut Limits)) -> (Self, watch::Sender<bool>) {
        let folder = TempDir::new().unwrap();
        let configured = config(folder.path());
        let parts = tokio::task::spawn_blocking(move || {
            let shared = embedder(&configured);
            Parts::build_with(&configured, shared)
        });
        let mut parts = parts.await.unwrap().unwrap();
        let (holds, held) = watch::channel(false);
        parts.index = Arc::new(Wrapped(Holding { index: Arc::clone(&parts.index), held }));
        let mut service = Self::start_on(folder.path(), parts, change).await;
        service._folder = Some(folder);
        (service, holds)
    }

    async fn start_on(folder: &Path, parts: Parts, change: impl FnOnce(&mut Limits)) -> Self {
        let own_count = Arc::strong_count(&parts.index);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut limits = Limits {
            max_calls: 64,
            max_streams: 64,
            max_message_bytes: 32 << 20,
            default_deadline: Duration::from_secs(60),
            // all tests call from one address
            caller_share: 100,
            // tests call in bursts
            waits: Waits { burst: Duration::from_secs(60), ..Limits::default().waits },
            ..Limits::default()
        };
        change(&mut limits);
        let (stop, stopped) = oneshot::channel();
        let served = serve(parts.clone(), limits, listener, async move {
            let _ = stopped.await;
        });
        let serving = tokio::spawn(async move { served.await.unwrap() });
        let folder = folder.to_path_buf();
        Self { parts, url, folder, own_count, stop: Some(stop), serving, _folder: None }
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(self.url.clone()).unwrap().connect().await.unwrap()
    }

    pub async fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channel().await)
    }

    pub async fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel().await)
    }

    pub async fn matching(&self) -> MatchServiceClient<Channel> {
        MatchServiceClient::new(self.channel().await)
    }

    /// Stores records and returns the results.
    pub async fn store(&self, records: Vec<pb::Record>) -> Vec<pb::UpsertResult> {
        let request = pb::BatchUpsertRecordsRequest { records };
        self.catalog().await.batch_upsert_records(request).await.unwrap().into_inner().results
    }

    /// Requests a stop; calls in flight finish.
    pub fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops and waits until the service has ended.
    pub async fn stop(mut self) {
        self.ask_to_stop();
        (&mut self.serving).await.unwrap();
        // closing connections hold the parts for a moment, and the folder must outlive them
        for _ in 0..500 {
            if Arc::strong_count(&self.parts.index) <= self.own_count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let Self { parts, _folder, .. } = self;
        tokio::task::spawn_blocking(move || drop(parts)).await.unwrap();
        drop(_folder);
    }
}

/// Engine wrapper: reads of records by name are not answered while they are held.
struct Holding {
    index: Arc<dyn Index>,
    held: watch::Receiver<bool>,
}

impl Wrapper for Holding {
    fn index(&self) -> &dyn Index {
        &*self.index
    }

    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>> {
        let mut held = self.held.clone();
        let found = self.index.get(names, with);
        Box::pin(async move {
            let _ = held.wait_for(|held| !*held).await;
            found.await
        })
    }
}

/// Configuration with a store below `folder`.
pub fn config(folder: &Path) -> Config {
    config_with(folder, "")
}

/// The same with more sections.
pub fn config_with(folder: &Path, more: &str) -> Config {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let toml = format!(
        "[store]\nfolder = {:?}\n[model]\nsource = {:?}\nruntime = {:?}\n{more}",
        folder.join("store"),
        root.join("models/e5-small-zh"),
        root.join("runtime/libonnxruntime.so"),
    );
    Config::read(&toml, []).unwrap()
}

/// The model, loaded once.
fn embedder(config: &Config) -> duijie_embed::Embedder {
    static EMBEDDER: OnceLock<duijie_embed::Embedder> = OnceLock::new();
    EMBEDDER.get_or_init(|| app::embedder(config).unwrap()).clone()
}

/// A record on the wire.
pub fn record(kind: Kind, id: &str, title: &str, body: &str) -> pb::Record {
    record_with(kind, id, title, |record| record.body = body.to_string())
}

/// A record on the wire with changes.
pub fn record_with(kind: Kind, id: &str, title: &str, change: impl FnOnce(&mut Record)) -> pb::Record {
    let mut record = Record::new("", id, title, Detail::empty(kind));
    change(&mut record);
    record_out(record)
}

/// Common part of a record.
pub fn common(record: &pb::Record) -> &pb::Common {
    match record.kind.as_ref().unwrap() {
        pb::record::Kind::Achievement(it) => it.common.as_ref().unwrap(),
        pb::record::Kind::Demand(it) => it.common.as_ref().unwrap(),
        pb::record::Kind::Expert(it) => it.common.as_ref().unwrap(),
    }
}

/// Names of matches, best first.
pub fn names(matches: &[pb::Match]) -> Vec<String> {
    matches.iter().map(|found| common(found.record.as_ref().unwrap()).name.clone()).collect()
}

/// Code, reason and violated fields of a refused call.
pub fn refusal(status: &Status) -> (Code, String, Vec<String>) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "duijie");
    assert!(details.localized_message().is_some_and(|message| !message.message.is_empty()));
    let fields = details.bad_request().map(|bad| bad.field_violations.iter().map(|v| v.field.clone()).collect());
    (status.code(), info.reason.clone(), fields.unwrap_or_default())
}

/// Request for the matches of a stored record.
pub fn by_name(name: &str, target: pb::RecordKind) -> pb::MatchRequest {
    let query = Some(pb::match_request::Query::Name(name.to_string()));
    pb::MatchRequest { query, target: target as i32, ..Default::default() }
}

/// Request for the matches of a text.
pub fn by_text(title: &str, target: pb::RecordKind) -> pb::MatchRequest {
    let text = pb::TextQuery { title: title.to_string(), ..Default::default() };
    pb::MatchRequest { query: Some(pb::match_request::Query::Text(text)), target: target as i32, ..Default::default() }
}
