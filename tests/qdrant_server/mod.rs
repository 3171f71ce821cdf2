//! A test server with Qdrant's gRPC API on top of Qdrant Edge, to test the wire path without a Qdrant server. For the
//! calls listed in [`answer`], it answers like a Qdrant 1.18 with one node and one shard, and it can inject faults
//! ([`Fault`]).
//!
//! - [`faults`]: faults to inject, and calls received
//! - [`store`]: collections and points in a folder
//! - [`convert`], [`config`]: conversion between the messages and the engine's types
#![allow(dead_code, unused_imports, reason = "tests and benches each use a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(deprecated, reason = "a server of 1.18 has the older fields")]

mod config;
mod convert;
mod faults;
mod store;

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream as Socket},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

pub use convert::from_json as value;
pub use faults::Fault;
use faults::Traffic;
use futures::stream;
use http::{Request, Response};
use prost::Message;
use qdrant_client::qdrant::HealthCheckRequest;
use store::{Store, held};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tonic::{Status, body::Body, codec::CompressionEncoding::Gzip, server::Grpc, service::Routes, transport::Server};
use tonic_prost::ProstCodec;
use tower::{ServiceExt, layer::layer_fn, service_fn};

/// A running server. Dropping it also stops it, without waiting for open connections.
pub struct QdrantServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// State shared by all connections.
struct Shared {
    store: Store,
    traffic: Traffic,
    api_key: Mutex<Option<String>>,
    sockets: Mutex<Vec<Socket>>,
}

// === impl QdrantServer ===

impl QdrantServer {
    /// Serves the collections in `folder` on a free port. Needs a tokio runtime.
    pub fn start(folder: &Path) -> Self {
        Self::start_at(folder, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// As `start`, at a given address: to replace a stopped server.
    pub fn start_at(folder: &Path, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared {
            store: Store::open(folder),
            traffic: Traffic::default(),
            api_key: Mutex::default(),
            sockets: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Arc::clone(&shared), stopped));
        Self { address, shared, stop: Some(stop), task: Some(task) }
    }

    /// From now on refuses calls without this key.
    pub fn with_api_key(self, key: &str) -> Self {
        *held(self.shared.api_key.lock()) = Some(key.to_string());
        self
    }

    /// Listening address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listening address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Injects a fault into the next `times` calls of a method: "Upsert", "Points/Get" if two services have a method of
    /// that name, or "*" for all. Faults of one method occur in the order of injection.
    pub fn inject(&self, method: &str, fault: Fault, times: usize) {
        self.shared.traffic.inject(method, fault, times);
    }

    /// Removes all faults that have not occurred yet.
    pub fn heal(&self) {
        self.shared.traffic.heal();
    }

    /// Cuts all connections now.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Number of calls of a method, whatever their outcome.
    pub fn calls(&self, method: &str) -> usize {
        self.shared.traffic.calls(method)
    }

    /// `grpc-timeout` of the last call of a method.
    pub fn last_timeout(&self, method: &str) -> Option<Duration> {
        self.shared.traffic.last_timeout(method)
    }

    /// Builds the graphs of all collections; writes wait meanwhile. Blocks.
    pub fn optimize(&self) {
        self.shared.store.optimize();
    }

    /// Cuts the connections, flushes everything to disk and closes the folder.
    pub async fn stop(mut self) {
        self.close();
        if let Some(mut task) = self.task.take() {
            // cuts again each round, as a connection may have been accepted meanwhile
            while tokio::time::timeout(Duration::from_millis(10), &mut task).await.is_err() {
                self.shared.cut();
            }
        }
    }

    fn close(&mut self) {
        drop(self.stop.take());
        self.shared.cut();
        self.shared.store.close();
    }
}

impl Drop for QdrantServer {
    fn drop(&mut self) {
        self.close();
    }
}

// === impl Shared ===

impl Shared {
    fn cut(&self) {
        for socket in held(self.sockets.lock()).drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn keep(&self, tcp: TcpStream) -> io::Result<TcpStream> {
        tcp.set_nodelay(true)?;
        let socket = tcp.into_std()?;
        held(self.sockets.lock()).push(socket.try_clone()?);
        TcpStream::from_std(socket)
    }

    fn authorize(&self, request: &Request<Body>) -> Result<(), Status> {
        let wanted = held(self.api_key.lock());
        match (wanted.as_ref(), request.headers().get("api-key")) {
            (None, _) => Ok(()),
            (Some(wanted), Some(given)) if given == wanted.as_str() => Ok(()),
            (Some(_), Some(_)) => Err(Status::unauthenticated("Invalid API key or JWT")),
            (Some(_), None) => Err(Status::unauthenticated("Must provide an API key or an Authorization bearer token")),
        }
    }

    /// Runs a call, with its fault if any. The work continues even if the caller is gone.
    async fn run<Q, A>(self: Arc<Self>, method: String, question: Q, work: Work<Q, A>) -> Result<A, Status>
    where
        Q: Clone + Send + 'static,
        A: Send + 'static,
    {
        let fault = self.traffic.next_fault(&method);
        match fault {
            Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
            Some(Fault::Unavailable) => return Err(Status::unavailable("injected")),
            Some(Fault::Error(code)) => return Err(Status::new(code, "injected")),
            Some(Fault::DropConnection) => {
                self.cut();
                return Err(Status::unavailable("nobody hears this"));
            }
            _ => {}
        }
        let shared = Arc::clone(&self);
        let work = move || {
            if matches!(fault, Some(Fault::Repeat)) {
                let _ = work(&shared.store, question.clone());
            }
            work(&shared.store, question)
        };
        let answer = tokio::task::spawn_blocking(work).await;
        match fault {
            Some(Fault::Late(wait)) => tokio::time::sleep(wait).await,
            Some(Fault::UnavailableAfter) => return Err(Status::unavailable("injected")),
            Some(Fault::DropConnectionAfter) => self.cut(),
            _ => {}
        }
        answer.unwrap_or_else(|panic| Err(Status::internal(format!("Service internal error: {panic}"))))
    }
}

/// Implementation of a method; it blocks.
type Work<Q, A> = fn(&Store, Q) -> Result<A, Status>;

async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let accepting = Arc::clone(&shared);
    let incoming = stream::unfold(listener, move |listener| {
        let shared = Arc::clone(&accepting);
        async move {
            let tcp = listener.accept().await.and_then(|(tcp, _)| shared.keep(tcp));
            Some((tcp, listener))
        }
    });
    // a layer in front of empty routes: methods that the layer does not handle are UNIMPLEMENTED
    let front = layer_fn(move |routes: Routes| {
        let shared = Arc::clone(&shared);
        service_fn(move |request| answer(Arc::clone(&shared), routes.clone(), request))
    });
    let server = Server::builder().layer(front).add_routes(Routes::default());
    let stopped = async move { drop(stopped.await) };
    server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
}

async fn answer(
    shared: Arc<Shared>,
    routes: Routes,
    request: Request<Body>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let method = request.uri().path().trim_start_matches("/qdrant.").to_string();
    shared.traffic.note(&method, request.headers());
    if method == "Qdrant/HealthCheck" {
        return Ok(unary(shared, method, request, |_, _: HealthCheckRequest| Ok(store::health())).await);
    }
    if let Err(status) = shared.authorize(&request) {
        return Ok(status.into_http());
    }
    Ok(match method.as_str() {
        "Collections/Get" => unary(shared, method, request, Store::info).await,
        "Collections/List" => unary(shared, method, request, Store::list).await,
        "Collections/Create" => unary(shared, method, request, Store::create).await,
        "Collections/Delete" => unary(shared, method, request, Store::remove).await,
        "Collections/CollectionExists" => unary(shared, method, request, Store::exists).await,
        "Points/Upsert" => unary(shared, method, request, Store::upsert).await,
        "Points/Delete" => unary(shared, method, request, Store::delete).await,
        "Points/Get" => unary(shared, method, request, Store::get).await,
        "Points/Scroll" => unary(shared, method, request, Store::scroll).await,
        "Points/Count" => unary(shared, method, request, Store::count).await,
        "Points/Query" => unary(shared, method, request, Store::query).await,
        "Points/QueryBatch" => unary(shared, method, request, Store::query_batch).await,
        "Points/CreateFieldIndex" => unary(shared, method, request, Store::create_field_index).await,
        _ => routes.oneshot(request).await?,
    })
}

async fn unary<Q, A>(shared: Arc<Shared>, method: String, request: Request<Body>, work: Work<Q, A>) -> Response<Body>
where
    Q: Message + Default + Clone + 'static,
    A: Message + 'static,
{
    let service = service_fn(move |request: tonic::Request<Q>| {
        let run = Arc::clone(&shared).run(method.clone(), request.into_inner(), work);
        async move { run.await.map(tonic::Response::new) }
    });
    let grpc = Grpc::new(ProstCodec::<A, Q>::default()).accept_compressed(Gzip).send_compressed(Gzip);
    grpc.max_decoding_message_size(usize::MAX).unary(service, request).await
}
