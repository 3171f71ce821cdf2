//! Several nodes, of which one does not answer. Clusters of real nodes: `tests/qdrant_cluster/`.

use std::{sync::Arc, time::Duration};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{Index, IndexError, IndexStatus, NodeStatus, Records, ServerIndex, Written};
use tokio::net::TcpListener;
use tonic::Code;

use super::{
    engines::{PATIENCE, connect, open, options, status_with},
    sample::{self, Dice},
    server::start,
};
use crate::qdrant_server::{Fault, QdrantServer};

/// A node that takes connections and then does what it is told with each.
struct Broken {
    url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Broken {
    /// Cuts every connection at once.
    async fn cutting() -> Self {
        Self::start(drop).await
    }

    /// Takes connections and never answers, as a machine that hangs.
    async fn hanging() -> Self {
        let kept = std::sync::Mutex::new(Vec::new());
        Self::start(move |socket| kept.lock().unwrap().push(socket)).await
    }

    async fn start(mut take: impl FnMut(tokio::net::TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                take(socket);
            }
        });
        Self { url, task }
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An index that knows a node which is not there, and then the server.
async fn with_another(url: &str, server: &QdrantServer) -> ServerIndex {
    // creates the store, so that the other node is asked by calls only
    connect(server).await;
    let index = open(&options(&format!("{url},{}", server.url()), "test"));
    index.ready(PATIENCE).await.unwrap();
    index
}

fn answers(status: &IndexStatus) -> Vec<bool> {
    status.nodes.iter().map(|node| node.answers).collect()
}

async fn count(index: &dyn Index) -> Result<u64, IndexError> {
    index.count(Kind::Demand, &Filter::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_is_named_and_comes_back() {
    let (_folder, server) = start();
    let (other_folder, other) = start();
    let (address, url) = (other.address(), other.url());
    other.stop().await;
    let index = with_another(&url, &server).await;
    // nobody calls: the probes find it
    let status = status_with(&index, |status| answers(status) == [false, true]).await;
    assert!(status.healthy(), "one of two answers");
    assert_eq!(status.nodes[0], NodeStatus { url: url.clone(), answers: false });
    let other = QdrantServer::start_at(other_folder.path(), address);
    status_with(&index, |status| answers(status) == [true, true]).await;
    other.stop().await;
    status_with(&index, |status| answers(status) == [false, true]).await;
    let left = server.url();
    server.stop().await;
    status_with(&index, |status| answers(status) == [false, false] && !status.healthy()).await;
    let said = count(&index).await.unwrap_err();
    assert!(matches!(&said, IndexError::NodesAway { nodes, .. } if nodes.contains(&url) && nodes.contains(&left)));
    // an engine with one address has no nodes to tell apart
    assert!(open(&options(&url, "test")).status().nodes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_to_a_node_that_goes_away_do_not_close_the_others() {
    let (_folder, server) = start();
    let broken = Broken::cutting().await;
    let index = Arc::new(with_another(&broken.url, &server).await);
    for _ in 0..20 {
        let calls: Vec<_> = (0..32)
            .map(|_| {
                let index = Arc::clone(&index);
                tokio::spawn(async move { count(&*index).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 0);
        }
        assert!(index.status().healthy(), "{:?}", index.status());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_is_left_alone_once_it_is_known() {
    let (_folder, server) = start();
    let broken = Broken::hanging().await;
    let index = with_another(&broken.url, &server).await;
    status_with(&index, |status| answers(status) == [false, true]).await;
    for _ in 0..50 {
        // a call that reached it would end here, as the time of a call is that of one try
        let call = duijie_store::deadline::within(Some(Duration::from_millis(1_900)), count(&index));
        assert_eq!(call.await.unwrap(), 0);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_tried_until_the_cluster_takes_it_and_a_read_is_not() {
    let (_folder, server) = start();
    let broken = Broken::cutting().await;
    let index = with_another(&broken.url, &server).await;
    status_with(&index, |status| answers(status) == [false, true]).await;
    let points = sample::points(Kind::Demand, 3, &mut Dice::new(1));
    // far more than the three tries of a read, and more than open the circuit
    server.inject("Upsert", Fault::Error(Code::Internal), 8);
    assert_eq!(index.upsert(Kind::Demand, points.clone()).await.unwrap(), [Written::Created; 3]);
    assert!(index.status().healthy());
    server.inject("Delete", Fault::Unavailable, 6);
    assert!(index.delete(&points[0].record.name()).await.unwrap());
    server.inject("Count", Fault::Error(Code::Internal), 3);
    let said = count(&index).await.unwrap_err();
    assert!(matches!(&said, IndexError::NodesAway { nodes, .. } if *nodes == broken.url), "{said}");
    server.heal();
    // a server without other nodes does not settle
    let alone = connect(&server).await;
    server.inject("Upsert", Fault::Error(Code::Internal), 3);
    let refused = alone.upsert(Kind::Demand, points).await.unwrap_err();
    assert!(matches!(refused, IndexError::Unreachable { .. }), "{refused}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_open_an_empty_store_at_once_are_ready_without_a_detour() {
    let (_folder, server) = start();
    // as a cluster, where each takes a round of consensus; all in a row would take longer than a check may
    server.inject("Collections/Create", Fault::Slow(Duration::from_millis(200)), usize::MAX);
    server.inject("CreateFieldIndex", Fault::Slow(Duration::from_millis(200)), usize::MAX);
    let indexes = [(); 2].map(|()| open(&options(&server.url(), "test")));
    let ready = async {
        for index in &indexes {
            index.ready(PATIENCE).await.unwrap();
        }
    };
    let watched = async {
        while indexes.iter().any(|index| !index.status().healthy()) {
            for status in indexes.iter().map(Index::status) {
                let said: Vec<String> = status.kinds.into_iter().filter_map(|kind| kind.problem).collect();
                assert!(said.iter().all(|said| said == "尚未连接"), "{said:?}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(ready, watched);
    assert_eq!(count(&indexes[0]).await.unwrap(), 0);
    server.stop().await;
}
