//! Health of each service and of the server. All are SERVING while the engine answers, and none once the service stops.
//! Each node of a Qdrant cluster has a name of its own ([`node_name`]): the service serves while one of them is away.

use std::time::Duration;

use tokio::sync::watch;
use tonic_health::{ServingStatus, server::HealthReporter};

use super::routes::NAMES;
use crate::app::Parts;

/// Interval of the health check.
const HEALTH_PERIOD: Duration = Duration::from_millis(500);

/// Checks health repeatedly; sets every service to NOT_SERVING once `stopped` is set.
pub(super) async fn watch_health(parts: Parts, reporter: HealthReporter, mut stopped: watch::Receiver<bool>) {
    let (mut said, mut nodes_said) = (ServingStatus::NotServing, Vec::new());
    while !*stopped.borrow() {
        let now = if parts.healthy() { ServingStatus::Serving } else { ServingStatus::NotServing };
        if now != said {
            set_health(&reporter, now).await;
            tracing::info!(serving = now == ServingStatus::Serving, "health changed");
            said = now;
        }
        let nodes = parts.index.status().nodes;
        if nodes != nodes_said {
            for node in &nodes {
                let now = if node.answers { ServingStatus::Serving } else { ServingStatus::NotServing };
                reporter.set_service_status(node_name(&node.url), now).await;
            }
            nodes_said = nodes;
        }
        parts.note_metrics();
        let _ = tokio::time::timeout(HEALTH_PERIOD, stopped.changed()).await;
    }
    set_health(&reporter, ServingStatus::NotServing).await;
}

/// Name under which the health of a node of a Qdrant cluster is told.
pub(crate) fn node_name(url: &str) -> String {
    format!("qdrant/{url}")
}

/// Sets the same status for the server and each service.
pub(super) async fn set_health(reporter: &HealthReporter, status: ServingStatus) {
    for service in [""].iter().chain(&NAMES) {
        reporter.set_service_status(*service, status).await;
    }
}
