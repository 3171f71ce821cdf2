//! Routes of all services, with their limits.

use tokio::sync::watch;
use tonic::{codec::CompressionEncoding, server::NamedService, service::Routes};
use tonic_health::pb::health_server::{Health, HealthServer};

use super::{
    Limits, access::AccessRpcs, catalog::Catalog, events::EventRpcs, maintenance::Maintenance, matching::Matching,
    page::MAX_ANSWER_BYTES, rematch::Rematches, watching::Watching,
};
use crate::app::Parts;
use duijie_proto as pb;
use duijie_proto::{
    access_service_server::AccessServiceServer, catalog_service_server::CatalogServiceServer,
    event_service_server::EventServiceServer, maintenance_service_server::MaintenanceServiceServer,
    match_service_server::MatchServiceServer, rematch_service_server::RematchServiceServer,
    watch_service_server::WatchServiceServer,
};

/// Names of our services in the health service.
pub(super) const NAMES: [&str; 7] = [
    <AccessServiceServer<AccessRpcs> as NamedService>::NAME,
    <CatalogServiceServer<Catalog> as NamedService>::NAME,
    <MatchServiceServer<Matching> as NamedService>::NAME,
    <MaintenanceServiceServer<Maintenance> as NamedService>::NAME,
    <RematchServiceServer<Rematches> as NamedService>::NAME,
    <WatchServiceServer<Watching> as NamedService>::NAME,
    <EventServiceServer<EventRpcs> as NamedService>::NAME,
];

/// Takes requests in gzip and zstd, and answers in zstd to clients that say they read it. Not in gzip: every usual client
/// says so unasked, and packing costs more than a fast network saves. A macro, since the generated servers share no trait.
macro_rules! compressed {
    ($service:expr) => {
        $service
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Zstd)
    };
}

/// Limits the message size of a service in both directions. Answers are bounded where they are made; the
/// limit here turns a mistake into a status that names it.
macro_rules! limited {
    ($service:expr, $bytes:expr) => {
        compressed!($service).max_decoding_message_size($bytes).max_encoding_message_size(MAX_ANSWER_BYTES)
    };
}

/// Returns the routes of our services, health and reflection. Watch streams end once `stopped` is set.
pub(super) fn all(
    parts: &Parts,
    limits: &Limits,
    stopped: &watch::Receiver<bool>,
    health: HealthServer<impl Health>,
) -> Result<Routes, tonic_reflection::server::Error> {
    let (max_bytes, share) = (limits.max_message_bytes, limits.caller_share);
    let maintenance = MaintenanceServiceServer::new(Maintenance::new(parts.clone()));
    let watching = WatchServiceServer::new(Watching::new(parts.clone(), share, stopped.clone()));
    Ok(Routes::new(compressed!(reflection().build_v1()?))
        .add_service(compressed!(reflection().build_v1alpha()?))
        .add_service(compressed!(health))
        .add_service(limited!(AccessServiceServer::new(AccessRpcs(parts.clone())), max_bytes))
        .add_service(limited!(CatalogServiceServer::new(Catalog::new(parts.clone())), max_bytes))
        .add_service(limited!(MatchServiceServer::new(Matching(parts.clone())), max_bytes))
        .add_service(limited!(maintenance, max_bytes))
        .add_service(limited!(RematchServiceServer::new(Rematches::new(parts.clone(), share)), max_bytes))
        .add_service(limited!(watching, max_bytes))
        .add_service(limited!(EventServiceServer::new(EventRpcs::new(parts)), max_bytes)))
}

/// Returns the reflection service for our services and health.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
