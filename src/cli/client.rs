//! The command line as a gRPC client. The API key goes with every call from here.

use std::{
    fmt, fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use http::Uri;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::config::{ApiKey, Client, Config};
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

/// Address of a service, and how to reach it.
#[derive(Debug, Clone)]
pub struct Server {
    url: String,
    /// Whether the user gave the address.
    named: bool,
    client: Client,
}

/// A connection on which every call carries the API key.
pub type Connection = InterceptedService<Channel, Key>;

/// Puts the API key into calls, if there is one.
#[derive(Debug, Clone)]
pub struct Key(Option<MetadataValue<Ascii>>);

/// Why there is no connection.
enum Unreachable {
    /// Nobody answers.
    Silent(anyhow::Error),
    /// The configuration does not allow to ask.
    Refused(anyhow::Error),
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
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        Self { url, named, client: config.client.clone() }
    }

    /// Connects a catalogue client.
    pub async fn catalog(&self) -> anyhow::Result<CatalogServiceClient<Connection>> {
        Ok(CatalogServiceClient::new(self.connect(None).await?))
    }

    /// Connects a matching client.
    pub async fn matching(&self) -> anyhow::Result<MatchServiceClient<Connection>> {
        Ok(MatchServiceClient::new(self.connect(Some(DEADLINE)).await?))
    }

    /// Connects a client for events. Plans of large events take longer than other calls, so it sets no deadline.
    pub async fn events(&self) -> anyhow::Result<EventServiceClient<Connection>> {
        Ok(EventServiceClient::new(self.connect(None).await?))
    }

    /// Connects a maintenance client; `None` if the configured service is not running. A service named by the user must
    /// be running, so that no other store is used by mistake.
    pub async fn maintenance(&self) -> anyhow::Result<Option<MaintenanceServiceClient<Connection>>> {
        Ok(self.connect_if_running(None).await?.map(MaintenanceServiceClient::new))
    }

    /// Connects a client for API keys; `None` if the configured service is not running.
    pub async fn access(&self) -> anyhow::Result<Option<AccessServiceClient<Connection>>> {
        Ok(self.connect_if_running(Some(DEADLINE)).await?.map(AccessServiceClient::new))
    }

    /// Connects a client for API keys of a service that runs.
    pub async fn access_of_running(&self) -> anyhow::Result<AccessServiceClient<Connection>> {
        Ok(AccessServiceClient::new(self.connect(Some(DEADLINE)).await?))
    }

    /// Connects a client for re-matching jobs.
    pub async fn rematch(&self) -> anyhow::Result<RematchServiceClient<Connection>> {
        Ok(RematchServiceClient::new(self.connect(None).await?))
    }

    /// Connects a client for streams of new matches.
    pub async fn watch(&self) -> anyhow::Result<WatchServiceClient<Connection>> {
        Ok(WatchServiceClient::new(self.connect(None).await?))
    }

    /// Connects a health client.
    pub async fn health(&self) -> anyhow::Result<HealthClient<Connection>> {
        Ok(HealthClient::new(self.connect(Some(HEALTH_DEADLINE)).await?))
    }

    async fn connect(&self, deadline: Option<Duration>) -> anyhow::Result<Connection> {
        self.reach(deadline).await.map_err(|why| match why {
            Unreachable::Silent(error) | Unreachable::Refused(error) => error,
        })
    }

    /// A connection; `None` if nobody answers at the configured address.
    async fn connect_if_running(&self, deadline: Option<Duration>) -> anyhow::Result<Option<Connection>> {
        match self.reach(deadline).await {
            Ok(connection) => Ok(Some(connection)),
            Err(Unreachable::Silent(_)) if !self.named => Ok(None),
            Err(Unreachable::Silent(error) | Unreachable::Refused(error)) => Err(error),
        }
    }

    async fn reach(&self, deadline: Option<Duration>) -> Result<Connection, Unreachable> {
        let key = Key(self.key().map_err(Unreachable::Refused)?);
        let endpoint = Endpoint::from_shared(self.url.clone())
            .with_context(|| format!("服务地址 {} 无效，应形如 http://127.0.0.1:50051", self.url))
            .map_err(Unreachable::Refused)?;
        let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
        let endpoint = match deadline {
            Some(deadline) => endpoint.timeout(deadline),
            None => endpoint,
        };
        let silent = || anyhow!("连接不上服务 {}，请先执行 make serve（或 duijie serve）启动服务", self.url);
        let channel = endpoint.connect().await.map_err(|_| Unreachable::Silent(silent()))?;
        Ok(InterceptedService::new(channel, key))
    }

    /// The API key as it is sent.
    ///
    /// # Errors
    /// A sentence if it cannot be read, or if others could read it on its way.
    fn key(&self) -> anyhow::Result<Option<MetadataValue<Ascii>>> {
        let (text, from) = match &self.client.api_key {
            None => return Ok(None),
            Some(ApiKey::Given(secret)) => (secret.reveal().to_string(), "client.api_key".to_string()),
            Some(ApiKey::File(path)) => {
                let from = format!("client.api_key_file 所指的文件 {}", path.display());
                (fs::read_to_string(path).with_context(|| format!("无法读取 {from}，请检查路径和权限"))?, from)
            }
        };
        if !self.is_here() && !self.client.insecure {
            bail!(
                "没有连接：密钥会以明文经过网络，到达 {}；请在该机器上执行，确知网络可信时设 client.insecure = true",
                self.url
            );
        }
        let text = text.trim();
        let sendable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let value = sendable.then(|| format!("Bearer {text}").parse::<MetadataValue<Ascii>>().ok()).flatten();
        let Some(mut value) = value else {
            bail!("{from} 中没有密钥（一行可见的 ASCII 字符），请检查")
        };
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Whether the service is on this machine.
    fn is_here(&self) -> bool {
        let url: Option<Uri> = self.url.parse().ok();
        let host = url.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
        let here = host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        here || host.eq_ignore_ascii_case("localhost")
    }
}

// === impl Key ===

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("authorization", key.clone());
        }
        Ok(request)
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
