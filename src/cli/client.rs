//! The command line as a gRPC client.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, anyhow};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::config::Config;
use duijie_proto::{
    access_service_client::AccessServiceClient, catalog_service_client::CatalogServiceClient,
    event_service_client::EventServiceClient, maintenance_service_client::MaintenanceServiceClient,
    match_service_client::MatchServiceClient, rematch_service_client::RematchServiceClient,
    watch_service_client::WatchServiceClient,
};

/// Time limit for connecting.
const CONNECT: Duration = Duration::from_secs(5);
/// Deadline of a call that needs little work.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Deadline of a health check: the service answers it without any work.
const HEALTH_DEADLINE: Duration = Duration::from_secs(5);

/// Address of a service.
#[derive(Debug, Clone)]
pub struct Server {
    url: String,
    /// Whether the user gave the address.
    named: bool,
}

// === impl Server ===

impl Server {
    /// The given address, or the configured listening address.
    pub fn new(url: Option<String>, config: &Config) -> Self {
        let named = url.is_some();
        let url = url.unwrap_or_else(|| {
            let mut address = config.server.listen;
            if address.ip().is_unspecified() {
                // a service that listens on all addresses is reached on this machine
                address.set_ip(match address {
                    SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                    SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                });
            }
            format!("http://{address}")
        });
        Self { url: if url.contains("://") { url } else { format!("http://{url}") }, named }
    }

    /// Connects a catalogue client.
    pub async fn catalog(&self) -> anyhow::Result<CatalogServiceClient<Channel>> {
        Ok(CatalogServiceClient::new(self.connect(None).await?))
    }

    /// Connects a matching client.
    pub async fn matching(&self) -> anyhow::Result<MatchServiceClient<Channel>> {
        Ok(MatchServiceClient::new(self.connect(Some(DEADLINE)).await?))
    }

    /// Connects a client for events. Plans of large events take longer than other calls, so it sets no deadline.
    pub async fn events(&self) -> anyhow::Result<EventServiceClient<Channel>> {
        Ok(EventServiceClient::new(self.connect(None).await?))
    }

    /// Connects a maintenance client; `None` if the configured service is not running. A service named by the user must
    /// be running, so that no other store is used by mistake.
    pub async fn maintenance(&self) -> anyhow::Result<Option<MaintenanceServiceClient<Channel>>> {
        match self.connect(None).await {
            Ok(channel) => Ok(Some(MaintenanceServiceClient::new(channel))),
            Err(error) if self.named => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Connects a client for API keys; `None` if the configured service is not running.
    pub async fn access(&self) -> anyhow::Result<Option<AccessServiceClient<Channel>>> {
        match self.access_of_running().await {
            Ok(client) => Ok(Some(client)),
            Err(error) if self.named => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Connects a client for API keys of a service that runs.
    pub async fn access_of_running(&self) -> anyhow::Result<AccessServiceClient<Channel>> {
        Ok(AccessServiceClient::new(self.connect(Some(DEADLINE)).await?))
    }

    /// Connects a client for re-matching jobs.
    pub async fn rematch(&self) -> anyhow::Result<RematchServiceClient<Channel>> {
        Ok(RematchServiceClient::new(self.connect(None).await?))
    }

    /// Connects a client for streams of new matches.
    pub async fn watch(&self) -> anyhow::Result<WatchServiceClient<Channel>> {
        Ok(WatchServiceClient::new(self.connect(None).await?))
    }

    /// Connects a health client.
    pub async fn health(&self) -> anyhow::Result<HealthClient<Channel>> {
        Ok(HealthClient::new(self.connect(Some(HEALTH_DEADLINE)).await?))
    }

    async fn connect(&self, deadline: Option<Duration>) -> anyhow::Result<Channel> {
        let endpoint = Endpoint::from_shared(self.url.clone())
            .with_context(|| format!("服务地址 {} 无效，应形如 http://127.0.0.1:50051", self.url))?;
        let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
        let endpoint = match deadline {
            Some(deadline) => endpoint.timeout(deadline),
            None => endpoint,
        };
        let connected = endpoint.connect().await;
        connected.map_err(|_| anyhow!("连接不上服务 {}，请先执行 make serve（或 duijie serve）启动服务", self.url))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// A status as a Chinese error with every violation.
pub fn explain(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let localized = details.localized_message().map(|message| message.message.clone());
    let sentence = localized.unwrap_or_else(|| match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled => "与服务的连接中断，请确认服务仍在运行后重试".to_string(),
        Code::DeadlineExceeded => "超过调用时限，请稍后重试".to_string(),
        _ => status.message().to_string(),
    });
    anyhow!(sentence)
}
