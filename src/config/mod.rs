//! Configuration: defaults, then a TOML file, then environment variables, all checked at once.
//!
//! [`keys::KEYS`] is the only list of keys. The key `server.listen` is `listen` in the section `[server]` of the file,
//! and `DUIJIE_SERVER_LISTEN` in the environment. Nothing else in the crate reads the environment.

mod access;
mod client;
mod keys;
mod reader;

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

pub use access::Access;
pub use client::{ApiKey, Client, Secret};
use jiff::{civil::Time, tz::TimeZone};
use keys::SECRETS;
pub use keys::{KEYS, Key, RENAMED};
use reader::Reader;

use duijie_store::{Qdrant, QdrantLayout, Quantization, WriteOrdering};

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The gRPC server.
    pub server: Server,
    /// The embedded store.
    pub store: Store,
    /// The Qdrant server; `None` means the embedded store.
    pub qdrant: Option<Qdrant>,
    /// Settings for any Qdrant server, in use or not.
    qdrant_settings: Qdrant,
    /// The embedding model.
    pub model: Model,
    /// Turning text into terms.
    pub text: Text,
    /// Ranking.
    pub matching: Matching,
    /// Scheduled re-matching jobs.
    pub rematch: RematchSchedule,
    /// Subsidy rules.
    pub policy: PolicyRules,
    /// Address of the Prometheus endpoint; `None` means off.
    pub metrics_listen: Option<SocketAddr>,
    /// Who may call.
    pub access: Access,
    /// The command line as a client.
    pub client: Client,
    /// Matchmaking events.
    pub events: Events,
    /// Logging.
    pub log: Log,
    /// Advice on a configuration that works but should be changed, one Chinese sentence each.
    pub warnings: Vec<String>,
}

/// The gRPC server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Most concurrent calls; more are refused with RESOURCE_EXHAUSTED.
    pub max_calls: usize,
    /// Streams that run at the same time, beside the calls; more are refused with RESOURCE_EXHAUSTED.
    pub max_streams: usize,
    /// Largest accepted message.
    pub max_message_bytes: usize,
    /// Deadline of a call that sets none.
    pub default_deadline: Duration,
    /// Time for calls in flight to finish when the server stops.
    pub drain: Duration,
    /// Time for which calls that run may wait on average for a processor, the engine or the model.
    pub target_wait: Duration,
    /// Time that a call may wait before it runs.
    pub burst_wait: Duration,
    /// Percentage of all places of one sort that one caller may hold when they are scarce.
    pub caller_share: usize,
    /// Bytes that all calls in flight may hold.
    pub max_inflight_bytes: usize,
    /// Time in which a request has to come whole.
    pub request_timeout: Duration,
    /// The same for each message of a stream.
    pub message_timeout: Duration,
    /// Connections at a time; more are closed at once.
    pub max_connections: usize,
    /// Calls at a time of one connection.
    pub max_connection_calls: u32,
    /// Time for the first bytes of a connection.
    pub handshake_timeout: Duration,
    /// Time after which a connection without calls is closed.
    pub idle_timeout: Duration,
    /// Age at which a connection takes no new calls; zero for any age.
    pub max_connection_age: Duration,
    /// Time after that age for calls to end.
    pub max_connection_grace: Duration,
}

/// Matchmaking events.
#[derive(Debug, Clone)]
pub struct Events {
    /// Deadline of making shortlists or a schedule.
    pub planning_deadline: Duration,
}

/// The embedded store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Folder of the store; created if missing.
    pub folder: PathBuf,
    /// Number of points waiting to be indexed that starts an optimisation.
    pub optimize_points: u64,
    /// Free bytes of the disk below which writes are refused.
    pub disk_reserve_bytes: u64,
}

/// The embedding model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Folder of the model, or its hub name if no such folder exists.
    pub source: String,
    /// Mean vector: a file, or `none`; `None` means the model's own.
    pub mean_vector: Option<String>,
    /// Folder for models from the hub.
    pub cache: PathBuf,
    /// Path of ONNX Runtime.
    pub runtime: PathBuf,
    /// Number of sessions, one thread each.
    pub sessions: usize,
    /// Most texts that may wait.
    pub queue_texts: usize,
}

/// Turning text into terms.
#[derive(Debug, Clone)]
pub struct Text {
    /// Extra dictionary in jieba's format.
    pub dictionary: Option<PathBuf>,
}

/// Ranking.
#[derive(Debug, Clone)]
pub struct Matching {
    /// Number of candidates from each source.
    pub candidates: usize,
    /// Weight of the vectors against BM25, 0 to 1.
    pub dense_weight: f64,
    /// BM25 saturation: the BM25 score that maps to 0.5.
    pub bm25_saturation: f64,
    /// Number of first-pass records used for pseudo-relevance feedback; 0 means one pass only.
    pub feedback: usize,
    /// File with the calibration of the levels; `None` means the shipped one.
    pub calibration: Option<PathBuf>,
}

/// Scheduled re-matching jobs.
#[derive(Debug, Clone)]
pub struct RematchSchedule {
    /// Time of the nightly job; `None` means no nightly job.
    pub nightly: Option<Time>,
    /// Time zone of `nightly`.
    pub time_zone: TimeZone,
    /// Number of changed records that starts a job; `None` means never.
    pub after_changes: Option<u64>,
    /// Kinds of targets.
    pub targets: RematchTargets,
    /// Region of the demands; `None` means all.
    pub region: Option<String>,
    /// Targets of each kind kept per demand, 1 to 100.
    pub limit: usize,
    /// Jobs that may be queued or running.
    pub max_open_jobs: usize,
    /// The same of one caller.
    pub max_open_jobs_per_caller: usize,
}

/// Kinds of targets of scheduled jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RematchTargets {
    /// Achievements.
    Achievements,
    /// Experts.
    Experts,
    /// Achievements and experts.
    Both,
}

/// Subsidy rules.
#[derive(Debug, Clone)]
pub struct PolicyRules {
    /// Folder of the rule files; `None` means no notes.
    pub folder: Option<PathBuf>,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct Log {
    /// Filter in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// JSON lines instead of text.
    pub json: bool,
}

/// All mistakes of a configuration, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

// === impl Config ===

impl Config {
    /// Reads a TOML text (empty for defaults only) and variables named `DUIJIE_…`.
    ///
    /// # Errors
    /// Every mistake at once: unknown keys, values that do not parse, values out of range.
    ///
    /// ```
    /// use duijie::config::Config;
    /// let mistakes = Config::read("[server]\nlisten = \"nowhere\"\nprot = 1", []).unwrap_err();
    /// assert_eq!(mistakes.0.len(), 2);
    /// ```
    pub fn read(toml: &str, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(toml, env);
        let qdrant_settings = qdrant(&mut reader);
        let server = server(&mut reader);
        let mut config = Self {
            access: Access::read(&mut reader, &server),
            client: Client::read(&mut reader),
            server,
            store: Store {
                folder: reader.path("store.folder"),
                optimize_points: reader.number("store.optimize_points"),
                disk_reserve_bytes: reader.number::<u64>("store.disk_reserve_mb") << 20,
            },
            qdrant: (!qdrant_settings.urls.is_empty()).then(|| qdrant_settings.clone()),
            qdrant_settings,
            model: Model {
                source: reader.text("model.source"),
                mean_vector: reader.optional("model.mean_vector"),
                cache: reader.path("model.cache"),
                runtime: reader.path("model.runtime"),
                sessions: sessions(reader.number("model.sessions")),
                queue_texts: reader.number("model.queue_texts"),
            },
            text: Text { dictionary: reader.optional("text.dictionary").map(PathBuf::from) },
            matching: Matching {
                candidates: reader.number("match.candidates"),
                dense_weight: reader.number("match.dense_weight"),
                bm25_saturation: reader.number("match.bm25_saturation"),
                feedback: reader.number("match.feedback"),
                calibration: reader.optional("match.calibration").map(PathBuf::from),
            },
            rematch: rematch(&mut reader),
            policy: PolicyRules { folder: reader.optional("policy.folder").map(PathBuf::from) },
            metrics_listen: reader.optional_address("metrics.listen"),
            events: Events { planning_deadline: Duration::from_millis(reader.number("events.planning_deadline_ms")) },
            log: Log { filter: reader.text("log.filter"), json: reader.flag("log.json") },
            warnings: Vec::new(),
        };
        config.warnings = reader.finish()?;
        Ok(config)
    }

    /// Settings for a server at other addresses, everything else as configured.
    pub(crate) fn qdrant_at(&self, urls: &[String]) -> Qdrant {
        Qdrant { urls: urls.to_vec(), ..self.qdrant_settings.clone() }
    }

    /// Every key with its effective value, in the order of [`KEYS`].
    ///
    /// # Errors
    /// As [`Config::read`].
    pub(crate) fn effective(
        toml: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<BTreeMap<&'static str, String>, ConfigError> {
        let mut reader = Reader::new(toml, env);
        let values = KEYS.iter().map(|key| (key.name, shown(key, reader.text(key.name)))).collect();
        reader.finish().map(|_| values)
    }
}

/// The gRPC server.
fn server(reader: &mut Reader) -> Server {
    let mut time = |key| Duration::from_millis(reader.number(key));
    let (default_deadline, drain) = (time("server.default_deadline_ms"), time("server.drain_ms"));
    let (request_timeout, message_timeout) = (time("server.request_timeout_ms"), time("server.message_timeout_ms"));
    let (handshake_timeout, idle_timeout) = (time("server.handshake_timeout_ms"), time("server.idle_timeout_ms"));
    let (target_wait, burst_wait) = (time("server.target_wait_ms"), time("server.burst_wait_ms"));
    let max_connection_age = time("server.max_connection_age_ms");
    let max_connection_grace = time("server.max_connection_grace_ms");
    Server {
        listen: reader.address("server.listen"),
        max_calls: reader.number("server.max_calls"),
        max_streams: reader.number("server.max_streams"),
        max_message_bytes: reader.number("server.max_message_bytes"),
        default_deadline,
        drain,
        target_wait,
        burst_wait,
        caller_share: reader.number("server.caller_share"),
        max_inflight_bytes: reader.number("server.max_inflight_bytes"),
        request_timeout,
        message_timeout,
        max_connections: reader.number("server.max_connections"),
        max_connection_calls: reader.number("server.max_connection_calls"),
        handshake_timeout,
        idle_timeout,
        max_connection_age,
        max_connection_grace,
    }
}

/// Scheduled re-matching jobs.
fn rematch(reader: &mut Reader) -> RematchSchedule {
    let after_changes: u64 = reader.number("rematch.after_changes");
    RematchSchedule {
        nightly: reader.time_of_day("rematch.nightly"),
        time_zone: reader.time_zone("rematch.time_zone"),
        after_changes: Some(after_changes).filter(|changes| 0 < *changes),
        targets: reader.choice(
            "rematch.targets",
            &[
                ("achievements", RematchTargets::Achievements),
                ("experts", RematchTargets::Experts),
                ("both", RematchTargets::Both),
            ],
        ),
        region: reader.optional("rematch.region"),
        limit: reader.number("rematch.limit"),
        max_open_jobs: reader.number("rematch.max_open_jobs"),
        max_open_jobs_per_caller: reader.number("rematch.max_open_jobs_per_caller"),
    }
}

/// Settings for a Qdrant server; checked even if none is in use.
fn qdrant(reader: &mut Reader) -> Qdrant {
    let urls = reader.urls("qdrant.url");
    let layout = QdrantLayout {
        shard_number: reader.number("qdrant.shard_number"),
        replication_factor: reader.number("qdrant.replication_factor"),
        write_consistency_factor: reader.number("qdrant.write_consistency_factor"),
        write_ordering: reader
            .choice("qdrant.write_ordering", &[("strong", WriteOrdering::Strong), ("medium", WriteOrdering::Medium)]),
        vectors_on_disk: reader.flag("qdrant.vectors_on_disk"),
        payload_on_disk: reader.flag("qdrant.payload_on_disk"),
        quantization: reader.choice(
            "qdrant.quantization",
            &[("none", Quantization::None), ("int8", Quantization::Int8), ("binary", Quantization::Binary)],
        ),
        oversampling: reader.number("qdrant.oversampling"),
    };
    if layout.replication_factor < layout.write_consistency_factor {
        reader.mistake("qdrant.write_consistency_factor 大于 qdrant.replication_factor，没有这么多副本可确认".into());
    }
    let copies = layout.replication_factor;
    if 1 < copies && copies == layout.write_consistency_factor {
        reader.advise(format!(
            "qdrant.write_consistency_factor 与副本数同为 {copies}，任何一个节点失联时都不能写入，建议改为 {}",
            copies - 1
        ));
    }
    if 1 < copies && layout.write_ordering == WriteOrdering::Strong {
        reader.advise("qdrant.write_ordering 为 strong，主副本所在的节点失联时不能写入，建议改为 medium".into());
    }
    Qdrant {
        api_key: reader.optional("qdrant.api_key"),
        ca_file: reader.optional("qdrant.ca_file").map(PathBuf::from),
        prefix: reader.name("qdrant.prefix"),
        connect_timeout: Duration::from_millis(reader.number("qdrant.connect_timeout_ms")),
        timeout: Duration::from_millis(reader.number("qdrant.timeout_ms")),
        attempts: reader.number("qdrant.attempts"),
        layout,
        urls,
    }
}

/// One session per core by default: two threads inside one session were slower when measured.
fn sessions(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        configured => configured,
    }
}

/// A value for display; secrets are hidden.
fn shown(key: &Key, value: String) -> String {
    if SECRETS.contains(&key.name) && !value.is_empty() { "（已设置）".to_string() } else { value }
}

// === impl ConfigError ===

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "配置有 {} 处错误：", self.0.len())?;
        for mistake in &self.0 {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_renamed_are_read_with_a_warning() {
        let env = [("DUIJIE_MATCH_BM25_HALF".to_string(), "30".to_string())];
        let config = Config::read("[model]\ncentre = \"a.json\"", env).unwrap();
        assert_eq!((config.model.mean_vector.as_deref(), config.matching.bm25_saturation), (Some("a.json"), 30.0));
        assert_eq!(config.warnings.len(), 2);
        assert!(config.warnings[0].contains("model.centre") && config.warnings[0].contains("model.mean_vector"));
        assert!(config.warnings[1].contains("DUIJIE_MATCH_BM25_SATURATION"));
        for (old, new) in RENAMED {
            assert!(KEYS.iter().all(|key| key.name != *old) && KEYS.iter().any(|key| key.name == *new));
        }
    }

    #[test]
    fn defaults_stand() {
        let config = Config::read("", []).unwrap();
        assert_eq!(config.server.listen, SocketAddr::from(([127, 0, 0, 1], 50051)));
        assert_eq!(config.metrics_listen, None);
        assert!(0 < config.model.sessions);
        for key in KEYS {
            assert!(!key.what.is_empty(), "{}", key.name);
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let env = [("DUIJIE_SERVER_LISTEN".to_string(), "127.0.0.1:2".to_string())];
        let config = Config::read("[server]\nlisten = \"127.0.0.1:1\"\nmax_calls = 7", env).unwrap();
        assert_eq!((config.server.listen.port(), config.server.max_calls), (2, 7));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let toml = "[server]\nlisten = \"x\"\nmax_calls = 0\nprot = 1\n[modle]\nsource = \"a\"\n[match]\ndense_weight = nan\n[log]\njson = 3";
        let env = [
            ("DUIJIE_NOTHING".to_string(), "1".to_string()),
            ("DUIJIE_STORE_OPTIMIZE_POINTS".to_string(), "many".to_string()),
            ("HOME".to_string(), "/".to_string()),
        ];
        let mistakes = Config::read(toml, env).unwrap_err().0.join("\n");
        for part in [
            "server.listen",
            "server.max_calls",
            "server.prot",
            "modle.source",
            "match.dense_weight",
            "log.json",
            "DUIJIE_NOTHING",
            "store.optimize_points",
        ] {
            assert!(mistakes.contains(part), "{part} in {mistakes}");
        }
        assert_eq!(mistakes.lines().count(), 8, "{mistakes}");
        assert_eq!(Config::read("[server", []).unwrap_err().0.len(), 1);
    }

    #[test]
    fn jobs_start_by_themselves_where_it_is_said() {
        let rematch = |toml: &str| Config::read(toml, []).map(|config| config.rematch);
        let never = rematch("").unwrap();
        assert_eq!((never.nightly, never.after_changes, never.limit), (None, None, 20));
        let toml = "[rematch]\nnightly = \"02:30\"\nafter_changes = 500\ntargets = \"both\"\nregion = \"13\"";
        let both = rematch(toml).unwrap();
        assert_eq!((both.nightly, both.after_changes), (Some(Time::constant(2, 30, 0, 0)), Some(500)));
        assert_eq!((both.targets, both.region.as_deref()), (RematchTargets::Both, Some("13")));
        let toml = "[rematch]\nnightly = \"25:00\"\ntime_zone = \"Nowhere\"\ntargets = \"all\"\nlimit = 0\nafter_changes = -1\nregion = \"x\"";
        assert_eq!(rematch(toml).unwrap_err().0.len(), 5);
    }

    #[test]
    fn a_server_of_qdrant_is_one_line() {
        assert!(Config::read("", []).unwrap().qdrant.is_none());
        let toml = "[qdrant]\nurl = \"http://a:6334, https://b:6334/\"\napi_key = \"secret\"\nquantization = \"int8\"";
        let qdrant = Config::read(toml, []).unwrap().qdrant.unwrap();
        assert_eq!(qdrant.urls, ["http://a:6334", "https://b:6334"]);
        assert_eq!((qdrant.attempts, qdrant.layout.quantization), (3, Quantization::Int8));
        assert!(!format!("{qdrant:?}").contains("secret"));
        assert_eq!(Config::effective(toml, []).unwrap()["qdrant.api_key"], "（已设置）");
        let two = "[qdrant]\nurl = \"http://a:6334\"\nreplication_factor = 2\n";
        for (more, count) in [("", 0), ("write_consistency_factor = 2", 1), ("write_ordering = \"strong\"", 1)] {
            assert_eq!(Config::read(&format!("{two}{more}"), []).unwrap().warnings.len(), count, "{more}");
        }
        let toml = "[qdrant]\nurl = \"b:6334\"\nprefix = \"a/b\"\nquantization = \"int4\"\nwrite_ordering = \"\"\nwrite_consistency_factor = 2";
        let mistakes = Config::read(toml, []).unwrap_err().0;
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }
}
