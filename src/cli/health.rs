//! `duijie health`: checks whether a service can answer calls. For containers and watchdogs, which read the exit code.

use anyhow::bail;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    Done,
    client::{Connection, Server, explain},
};
use crate::{api::node_name, app::Component};

/// Checks once. Fails if no service listens, if it does not answer in time, or if it reports that it is not serving:
/// something of it has a problem, which is named, or it is stopping. Names the configured `nodes` of a Qdrant cluster that
/// are away; while another one answers, the service serves.
pub async fn run(server: &Server, nodes: &[String]) -> anyhow::Result<Done> {
    let mut health = server.health().await?;
    let mut away = Vec::new();
    for node in nodes {
        let asked = health.check(HealthCheckRequest { service: node_name(node) }).await;
        // a service with other nodes, or with one only, does not know the name
        away.extend(
            asked.is_ok_and(|it| it.into_inner().status() == ServingStatus::NotServing).then_some(node.as_str()),
        );
    }
    let away = if away.is_empty() { String::new() } else { format!("Qdrant 节点 {} 没有应答", away.join("、")) };
    // no name means the whole service
    let request = HealthCheckRequest { service: String::new() };
    let answer = health.check(request).await.map_err(|status| explain(&status))?;
    if answer.into_inner().status() != ServingStatus::Serving {
        let mut troubles: Vec<&str> = troubles(&mut health).await;
        if !away.is_empty() {
            troubles.push(&away);
        }
        if troubles.is_empty() {
            bail!("服务 {server} 尚不能应答（正在启动或停止），请查看它的日志");
        }
        bail!("服务 {server} 尚不能应答，有问题的是：{}；请查看它的日志", troubles.join("、"));
    }
    match away.as_str() {
        "" => println!("服务 {server} 正常"),
        away => println!("服务 {server} 正常（{away}，由其余节点应答）"),
    }
    Ok(Done::All)
}

/// What does not work, by name. A service of another version may know other names.
async fn troubles(health: &mut HealthClient<Connection>) -> Vec<&'static str> {
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
