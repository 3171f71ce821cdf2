//! Health of the server, of each service and of each component. The server and the services are SERVING while all
//! components work, and none once the service stops.
//! Each node of a Qdrant cluster has a name of its own ([`node_name`]): the service serves while one of them is away.

use std::time::Duration;

use tokio::sync::watch;
use tonic_health::{ServingStatus, server::HealthReporter};

use super::routes::NAMES;
use crate::app::{Component, Parts, Trouble};

/// Interval of the health check.
const HEALTH_PERIOD: Duration = Duration::from_millis(500);

/// Checks health repeatedly; sets every service to NOT_SERVING once `stopped` is set.
pub(super) async fn watch_health(parts: Parts, reporter: HealthReporter, mut stopped: watch::Receiver<bool>) {
    let (mut said, mut nodes_said) = (None, Vec::new());
    while !*stopped.borrow() {
        let troubles = parts.troubles();
        let components: Vec<Component> = troubles.iter().map(|trouble| trouble.component).collect();
        // how long something lasts changes with each look, what it is does not
        if said.as_ref() != Some(&components) {
            set_components(&reporter, &components).await;
            set_health(&reporter, status(components.is_empty())).await;
            let reasons: Vec<String> = troubles.iter().map(Trouble::to_string).collect();
            tracing::info!(serving = components.is_empty(), troubles = reasons.join("；"), "health changed");
            said = Some(components);
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

async fn set_components(reporter: &HealthReporter, in_trouble: &[Component]) {
    for component in Component::ALL {
        reporter.set_service_status(component.name(), status(!in_trouble.contains(&component))).await;
    }
}

fn status(works: bool) -> ServingStatus {
    if works { ServingStatus::Serving } else { ServingStatus::NotServing }
}
