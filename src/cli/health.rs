//! `duijie health`: checks whether a service can answer calls. For containers and watchdogs, which read the exit code.

use anyhow::bail;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use super::{
    Done,
    client::{Server, explain},
};
use crate::api::node_name;

/// Checks once. Fails if no service listens, if it does not answer in time, or if it reports that it is not serving:
/// its model or its store has a problem, or it is stopping. Names the configured `nodes` of a Qdrant cluster that are
/// away; while another one answers, the service serves.
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
        let why = if away.is_empty() { "模型或存储有问题，或正在停止" } else { &away };
        bail!("服务 {server} 尚不能应答（{why}），请查看它的日志");
    }
    match away.as_str() {
        "" => println!("服务 {server} 正常"),
        away => println!("服务 {server} 正常（{away}，由其余节点应答）"),
    }
    Ok(Done::All)
}
