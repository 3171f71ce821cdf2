//! `duijie serve`.

use std::{sync::Arc, time::Duration};

use anyhow::{anyhow, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::Done;
use crate::{
    api::{ConnectionLimits, Limits, Waits},
    app::Parts,
    config::Config,
    metrics,
    serve::serve,
};
use duijie_store::Index;

/// Interval at which the store is checked for a refusal of this program.
const REFUSAL_PERIOD: Duration = Duration::from_millis(500);

/// Serves until SIGINT or SIGTERM, then drains.
pub async fn run(config: Config) -> anyhow::Result<Done> {
    let listener = listen(&config).await?;
    if let Some(address) = config.metrics_listen {
        metrics::serve(address).map_err(|sentence| anyhow!(sentence))?;
    }
    let parts = build(&config).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let index = Arc::clone(&parts.index);
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = refused(&*index) => {}
        }
        tracing::info!("stopping");
    };
    let address = listener.local_addr()?;
    println!("服务已启动，监听 {address}，按 Ctrl-C 停止");
    match parts.access.anonymous() {
        None => println!("调用须带密钥，用 duijie key create 新建（须先停止服务，或用管理员的密钥）"),
        Some(role) if !address.ip().is_loopback() => {
            println!("注意：其他机器不带密钥的调用按“{}”角色处理（access.anonymous）", role.chinese());
        }
        Some(_) => {}
    }
    let served = serve(parts.clone(), limits(&config), listener, stop).await;
    let refusal = parts.index.status().refusal;
    close(parts).await;
    served?;
    match refusal {
        Some(sentence) => bail!(sentence),
        None => Ok(Done::All),
    }
}

/// Resolves when the store refuses this program; with a server this may show only after the start.
async fn refused(index: &dyn Index) {
    while index.status().refusal.is_none() {
        tokio::time::sleep(REFUSAL_PERIOD).await;
    }
}

/// Binds the configured address.
pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let address = config.server.listen;
    TcpListener::bind(address)
        .await
        .map_err(|error| anyhow!("无法监听 {address}，请换一个 server.listen 或停止占用该端口的程序：{error}"))
}

/// Server limits from the configuration.
pub fn limits(config: &Config) -> Limits {
    let server = &config.server;
    Limits {
        max_calls: server.max_calls,
        max_streams: server.max_streams,
        max_message_bytes: server.max_message_bytes,
        default_deadline: server.default_deadline,
        drain: server.drain,
        caller_share: server.caller_share,
        max_inflight_bytes: server.max_inflight_bytes,
        request_timeout: server.request_timeout,
        message_timeout: server.message_timeout,
        waits: Waits { target: server.target_wait, burst: server.burst_wait },
        connections: ConnectionLimits {
            max: server.max_connections,
            max_calls: server.max_connection_calls,
            handshake: server.handshake_timeout,
            idle: server.idle_timeout,
            age: Some(server.max_connection_age).filter(|age| !age.is_zero()),
            grace: server.max_connection_grace,
        },
    }
}

/// Loads all parts off the async threads: model and store take a second.
pub async fn build(config: &Config) -> anyhow::Result<Parts> {
    let config = config.clone();
    Ok(tokio::task::spawn_blocking(move || Parts::build(&config)).await??)
}

/// Ends the threads of the parts and flushes the store.
pub async fn close(parts: Parts) {
    let _ = tokio::task::spawn_blocking(move || drop(parts)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_limits_are_those_of_the_configuration() {
        assert_eq!(limits(&Config::read("", []).unwrap()), Limits::default());
    }
}
