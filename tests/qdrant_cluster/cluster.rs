//! A cluster of three real Qdrant nodes as processes on 127.0.0.1, each with a folder of its own.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Nodes of a cluster.
pub const NODES: usize = 3;
/// Longest wait for a node or for the cluster.
pub const PATIENCE: Duration = Duration::from_secs(900);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Three nodes. Dropping it kills them.
pub struct Cluster {
    nodes: Vec<Node>,
}

struct Node {
    binary: PathBuf,
    folder: TempDir,
    http: u16,
    grpc: u16,
    p2p: u16,
    /// `--bootstrap` of all but the first.
    joins: Option<String>,
    process: Option<Child>,
}

/// A node as its cluster sees it.
pub struct Peer {
    pub id: u64,
    pub is_leader: bool,
}

// === impl Cluster ===

impl Cluster {
    /// Starts the nodes one after the other: two that join at once get into each other's way.
    pub async fn start(binary: &Path) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        for _ in 0..NODES {
            let [http, grpc, p2p] = free_ports();
            let joins = nodes.first().map(|first| format!("http://127.0.0.1:{}", first.p2p));
            let folder = tempfile::tempdir().unwrap();
            let binary = binary.to_path_buf();
            nodes.push(Node { binary, folder, http, grpc, p2p, joins, process: None });
            let last = nodes.last_mut().unwrap();
            last.start();
            last.wait_ready().await;
            let count = nodes.len();
            wait_until("the nodes know each other", async || {
                for node in &nodes {
                    let peers = node.get("/cluster").await?;
                    if peers["result"]["peers"].as_object()?.len() != count {
                        return None;
                    }
                }
                Some(())
            })
            .await;
        }
        Self { nodes }
    }

    /// gRPC addresses of all nodes.
    pub fn urls(&self) -> Vec<String> {
        (0..NODES).map(|place| self.url(place)).collect()
    }

    /// gRPC address of a node.
    pub fn url(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[place].grpc)
    }

    /// Id of a node, and whether it leads the consensus.
    pub async fn peer(&self, place: usize) -> Peer {
        let found = self.nodes[place].get("/cluster").await.unwrap();
        let id = found["result"]["peer_id"].as_u64().unwrap();
        Peer { id, is_leader: found["result"]["raft_info"]["leader"].as_u64() == Some(id) }
    }

    /// Kills a node with SIGKILL.
    pub fn kill(&mut self, place: usize) {
        self.nodes[place].kill();
    }

    /// Starts a killed node again in its folder.
    pub async fn revive(&mut self, place: usize) {
        self.nodes[place].start();
        self.nodes[place].wait_ready().await;
    }

    /// Waits until every node says that every copy of these collections is active.
    pub async fn wait_whole(&self, collections: &[String]) {
        wait_until("every copy is active", async || {
            for node in &self.nodes {
                for name in collections {
                    let found = node.get(&format!("/collections/{name}/cluster")).await?;
                    let shards = ["local_shards", "remote_shards"].map(|key| found["result"][key].as_array().cloned());
                    let shards: Vec<Value> = shards.into_iter().flatten().flatten().collect();
                    let moving = found["result"]["shard_transfers"].as_array().is_some_and(|all| !all.is_empty());
                    if shards.is_empty() || moving || shards.iter().any(|shard| shard["state"] != "Active") {
                        return None;
                    }
                }
            }
            Some(())
        })
        .await;
    }

    /// The last lines of each node's log.
    pub fn logs(&self) -> String {
        let tail = |node: &Node| {
            let log = fs::read_to_string(node.folder.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains(" INFO ")).collect();
            format!("--- {}\n{}", node.grpc, lines[lines.len().saturating_sub(30)..].join("\n"))
        };
        self.nodes.iter().map(tail).collect::<Vec<_>>().join("\n")
    }
}

// === impl Node ===

impl Node {
    fn start(&mut self) {
        let folder = self.folder.path();
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new(&self.binary);
        command.current_dir(folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command.args(["--uri", &format!("http://127.0.0.1:{}", self.p2p)]);
        command.args(self.joins.iter().flat_map(|first| ["--bootstrap", first]));
        let settings = [
            ("SERVICE__HOST", "127.0.0.1".to_string()),
            ("SERVICE__HTTP_PORT", self.http.to_string()),
            ("SERVICE__GRPC_PORT", self.grpc.to_string()),
            ("CLUSTER__ENABLED", "true".to_string()),
            ("CLUSTER__P2P__PORT", self.p2p.to_string()),
            ("STORAGE__STORAGE_PATH", folder.join("storage").display().to_string()),
            ("STORAGE__SNAPSHOTS_PATH", folder.join("snapshots").display().to_string()),
            ("TELEMETRY_DISABLED", "true".to_string()),
            ("LOG_LEVEL", "INFO".to_string()),
        ];
        command.envs(settings.map(|(key, value)| (format!("QDRANT__{key}"), value)));
        self.process = Some(command.spawn().expect("QDRANT_BIN can be started"));
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    async fn wait_ready(&self) {
        wait_until("a node is ready", async || self.get("/readyz").await.map(drop)).await;
    }

    /// GET of a path; `None` unless it is answered with 200.
    async fn get(&self, path: &str) -> Option<Value> {
        let asked = async {
            let mut socket = TcpStream::connect(("127.0.0.1", self.http)).await.ok()?;
            let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
            socket.write_all(request.as_bytes()).await.ok()?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.ok()?;
            let (head, body) = answer.split_once("\r\n\r\n")?;
            head.lines().next()?.contains(" 200 ").then(|| serde_json::from_str(body).unwrap_or(Value::Null))
        };
        timeout(Duration::from_secs(5), asked).await.ok().flatten()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until `done` gives something.
pub async fn wait_until(what: &str, done: impl AsyncFn() -> Option<()>) {
    let end = Instant::now() + PATIENCE;
    while done().await.is_none() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        sleep(LOOK_AGAIN).await;
    }
}

fn free_ports() -> [u16; 3] {
    // held until all three are known, so that they differ
    let listeners = [0; 3].map(|port| TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
