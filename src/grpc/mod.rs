//! The gRPC border: services, health, reflection, limits. Only this module, `pb` and the command line's client know
//! tonic and prost; no matching logic lives here.

mod catalog;
pub mod convert;
mod duplicates;
mod event_file;
mod event_lists;
mod events;
mod export;
mod gate;
mod maintenance;
mod matching;
mod page_token;
mod rematch;
pub mod status;
mod watching;

use std::{future::Future, time::Duration};

use tokio::{net::TcpListener, sync::watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{codec::CompressionEncoding, server::NamedService, transport::Server};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    app::Parts,
    pb::{
        self, catalog_service_server::CatalogServiceServer, event_service_server::EventServiceServer,
        maintenance_service_server::MaintenanceServiceServer, match_service_server::MatchServiceServer,
        rematch_service_server::RematchServiceServer, watch_service_server::WatchServiceServer,
    },
};
use catalog::Catalog;
use events::EventRpcs;
use gate::GateLayer;
use maintenance::Maintenance;
use matching::Matching;
use rematch::Rematches;
use watching::Watching;

/// How often health is looked at.
const HEALTH_PERIOD: Duration = Duration::from_millis(500);
/// Streams of one connection.
const MAX_STREAMS: u32 = 256;

/// Limits of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls at a time.
    pub max_calls: usize,
    /// Largest message taken in, in bytes.
    pub max_message_bytes: usize,
    /// Deadline of callers that set none.
    pub default_deadline: Duration,
    /// Time that calls in flight have to finish after `stop`.
    pub drain: Duration,
}

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("gRPC 服务中断：{0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of the services cannot be read: a mistake of the build.
    #[error("无法提供反射服务：{0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves on `listener` until `stop` resolves, then lets calls in flight finish within the drain time.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    parts: Parts,
    limits: Limits,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    set_health(&reporter, ServingStatus::NotServing).await;
    let (stopping, stopped) = watch::channel(false);
    let health_watch = tokio::spawn(watch_health(parts.clone(), reporter, stopped.clone()));
    let catalog = CatalogServiceServer::new(Catalog::new(parts.clone()))
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip);
    let maintenance = MaintenanceServiceServer::new(Maintenance::new(parts.clone()))
        .max_decoding_message_size(limits.max_message_bytes);
    let events = EventServiceServer::new(EventRpcs::new(&parts))
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip);
    let rematches = RematchServiceServer::new(Rematches(parts.clone()))
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip);
    let watching = WatchServiceServer::new(Watching::new(parts.clone(), stopped.clone()))
        .max_decoding_message_size(limits.max_message_bytes);
    let (rematch, calls) = (parts.rematch.clone(), parts.rematch.calls().clone());
    let jobs_stop = wait(stopped.clone());
    let jobs = tokio::spawn(async move { rematch.run(jobs_stop).await });
    let (scheduler, schedule_stop) = (parts.scheduler.clone(), wait(stopped.clone()));
    let schedule = tokio::spawn(async move { scheduler.run(schedule_stop).await });
    let matching = MatchServiceServer::new(Matching(parts))
        .max_decoding_message_size(limits.max_message_bytes)
        .max_encoding_message_size(limits.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip);
    let serving = Server::builder()
        .layer(GateLayer::new(limits.max_calls, limits.default_deadline, calls))
        .max_concurrent_streams(MAX_STREAMS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .tcp_nodelay(true)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(catalog)
        .add_service(matching)
        .add_service(maintenance)
        .add_service(rematches)
        .add_service(watching)
        .add_service(events)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), wait(stopped));
    let stop = async move {
        stop.await;
        let _ = stopping.send(true);
        // tonic waits for open connections without a limit
        tokio::time::sleep(limits.drain).await;
    };
    let result = tokio::select! {
        result = serving => result.map_err(ServeError::from),
        () = stop => Ok(()),
    };
    health_watch.abort();
    let _ = health_watch.await;
    // where the transport failed, nobody has told it to stop
    if result.is_err() {
        jobs.abort();
        schedule.abort();
    }
    let _ = tokio::join!(jobs, schedule);
    result
}

/// What reflection shows: our services and health.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Health of each service and of the whole, looked at again and again; nobody serves once `stopped` is set.
async fn watch_health(parts: Parts, reporter: HealthReporter, mut stopped: watch::Receiver<bool>) {
    let mut said = ServingStatus::NotServing;
    while !*stopped.borrow() {
        let now = if parts.healthy() { ServingStatus::Serving } else { ServingStatus::NotServing };
        if now != said {
            set_health(&reporter, now).await;
            tracing::info!(serving = now == ServingStatus::Serving, "health changed");
            said = now;
        }
        parts.note_metrics();
        let _ = tokio::time::timeout(HEALTH_PERIOD, stopped.changed()).await;
    }
    set_health(&reporter, ServingStatus::NotServing).await;
}

async fn set_health(reporter: &HealthReporter, status: ServingStatus) {
    let services = [
        "",
        <CatalogServiceServer<Catalog> as NamedService>::NAME,
        <MatchServiceServer<Matching> as NamedService>::NAME,
        <MaintenanceServiceServer<Maintenance> as NamedService>::NAME,
        <RematchServiceServer<Rematches> as NamedService>::NAME,
        <WatchServiceServer<Watching> as NamedService>::NAME,
        <EventServiceServer<EventRpcs> as NamedService>::NAME,
    ];
    for service in services {
        reporter.set_service_status(service, status).await;
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
