//! `duijie health`: checks whether a service can answer calls. For containers and watchdogs, which read the exit code.

use anyhow::bail;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    Done,
    client::{Server, explain},
};
use crate::app::Component;

/// Checks once. Fails if no service listens, if it does not answer in time, or if it reports that it is not serving:
/// something of it has a problem, which is named, or it is stopping.
pub async fn run(server: &Server) -> anyhow::Result<Done> {
    let mut health = server.health().await?;
    // no name means the whole service
    let request = HealthCheckRequest { service: String::new() };
    let answer = health.check(request).await.map_err(|status| explain(&status))?;
    if answer.into_inner().status() != ServingStatus::Serving {
        let troubles = troubles(&mut health).await;
        if troubles.is_empty() {
            bail!("服务 {server} 尚不能应答（正在启动或停止），请查看它的日志");
        }
        bail!("服务 {server} 尚不能应答，有问题的是：{}；请查看它的日志", troubles.join("、"));
    }
    println!("服务 {server} 正常");
    Ok(Done::All)
}

/// What does not work, by name. A service of another version may know other names.
async fn troubles(health: &mut HealthClient<Channel>) -> Vec<&'static str> {
    let mut troubles = Vec::new();
    for component in Component::ALL {
        let request = HealthCheckRequest { service: component.name().to_string() };
        let answer = health.check(request).await;
        if answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::NotServing) {
            troubles.push(component.chinese());
        }
    }
    troubles
}
