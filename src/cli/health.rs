//! `duijie health`: checks whether a service can answer calls. For containers and watchdogs, which read the exit code.

use anyhow::bail;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use super::{
    Done,
    client::{Server, explain},
};

/// Checks once. Fails if no service listens, if it does not answer in time, or if it reports that it is not serving:
/// its model or its store has a problem, or it is stopping.
pub async fn run(server: &Server) -> anyhow::Result<Done> {
    // no name means the whole service
    let request = HealthCheckRequest { service: String::new() };
    let answer = server.health().await?.check(request).await.map_err(|status| explain(&status))?;
    if answer.into_inner().status() != ServingStatus::Serving {
        bail!("服务 {server} 尚不能应答（模型或存储有问题，或正在停止），请查看它的日志");
    }
    println!("服务 {server} 正常");
    Ok(Done::All)
}
