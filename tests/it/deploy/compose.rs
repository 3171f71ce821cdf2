//! `docker-compose.yml`, as Compose reads it: anchors merged, variables at their defaults.

use std::{collections::BTreeSet, time::Duration};

use duijie::config::Config;
use duijie_store::WriteOrdering;
use serde_yaml_ng::Value;

use super::{dockerfile, expect, image_problem, no_keys, read, service_port, variable_problems};

/// Profile of the cluster.
const CLUSTER: &str = "cluster";
/// Ports of Qdrant: HTTP and gRPC.
const QDRANT_PORTS: [u16; 2] = [6333, 6334];
/// Port for traffic between Qdrant nodes.
const NODE_PORT: &str = "6335";

/// One service.
struct Service<'a> {
    name: &'a str,
    value: &'a Value,
}

// === impl Service ===

impl<'a> Service<'a> {
    fn text(&self, path: &[&str]) -> Option<String> {
        let value = path.iter().try_fold(self.value, |value, key| value.get(key))?;
        value.as_str().map(str::to_string).or_else(|| Some(serde_yaml_ng::to_string(value).ok()?.trim().to_string()))
    }

    fn list(&self, key: &str) -> Vec<String> {
        let list = self.value.get(key).and_then(Value::as_sequence);
        list.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_string)).collect()
    }

    fn keys(&self, key: &str) -> Vec<String> {
        let map = self.value.get(key).and_then(Value::as_mapping);
        map.into_iter().flatten().filter_map(|(key, _)| key.as_str().map(str::to_string)).collect()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.keys("environment")
            .into_iter()
            .map(|key| (key.clone(), self.text(&["environment", &key]).unwrap()))
            .collect()
    }

    fn is_ours(&self) -> bool {
        self.text(&["image"]).is_some_and(|image| image.starts_with("duijie:"))
    }

    fn in_cluster(&self) -> bool {
        self.list("profiles").contains(&CLUSTER.to_string())
    }

    /// Configuration of the service: the image's variables, overridden by its own. `None` if invalid.
    fn config(&self) -> Option<Config> {
        let image = dockerfile::variables(&read("Dockerfile"));
        let ours = image.into_iter().chain(self.environment()).filter(|(name, _)| name.starts_with("DUIJIE_"));
        Config::read("", ours).ok()
    }
}

/// All problems of a file.
fn problems(text: &str) -> Vec<String> {
    let mut file: Value = serde_yaml_ng::from_str(&with_defaults(text)).unwrap();
    file.apply_merge().unwrap();
    let services = file.get("services").and_then(Value::as_mapping).unwrap();
    let services: Vec<Service> =
        services.iter().map(|(name, value)| Service { name: name.as_str().unwrap(), value }).collect();
    let mut found: Vec<String> = services.iter().flat_map(|service| one(service, &services)).collect();
    found.extend(volumes(&file, &services));
    found.extend(cluster(&services));
    let published: Vec<String> = services.iter().flat_map(|service| service.list("ports")).collect();
    let hosts: BTreeSet<&str> = published.iter().filter_map(|port| Some(port.rsplit_once(':')?.0)).collect();
    if hosts.len() < published.len() {
        found.push("a port of the machine is published twice".to_string());
    }
    // such a Compose variable, once exported, would also reach the command line, which refuses it
    found.extend(no_keys(text));
    found
}

/// Replaces `${NAME:-default}` by its default; variables without one stay and are reported.
fn with_defaults(text: &str) -> String {
    let mut parts = text.split("${");
    let mut all = parts.next().unwrap_or_default().to_string();
    for part in parts {
        match part.split_once('}') {
            Some((inner, rest)) if inner.contains(":-") => {
                all.push_str(inner.split_once(":-").unwrap().1);
                all.push_str(rest);
            }
            _ => all.push_str(&format!("${{{part}")),
        }
    }
    all
}

/// Problems of one service.
fn one(service: &Service, all: &[Service]) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |good: bool, what: &str| {
        if !good {
            found.push(format!("{}: {what}", service.name));
        }
    };
    check(service.list("profiles").iter().all(|profile| profile == CLUSTER), "unknown profile");
    let command = service.value.get("healthcheck").and_then(|check| check.get("test")).and_then(Value::as_sequence);
    check(command.is_some_and(|command| 1 < command.len()), "no health check");
    check(service.text(&["restart"]).is_some_and(|restart| restart == "unless-stopped"), "no restart policy");
    let limit = |what| service.text(&["deploy", "resources", "limits", what]).unwrap_or_default();
    check(limit("cpus").parse::<f64>().is_ok_and(|cpus| 0.0 < cpus), "no limit of CPUs");
    check(limit("memory").strip_suffix('g').is_some_and(|gib| gib.parse::<u32>().is_ok()), "no limit of memory");
    let grace = service.text(&["stop_grace_period"]).and_then(|text| text.strip_suffix('s')?.parse().ok());
    let ours = if service.is_ours() { service.config() } else { None };
    let drain = ours.map_or(Duration::ZERO, |config| config.server.drain);
    check(grace.is_some_and(|seconds| drain < Duration::from_secs(seconds)), "killed before it has drained");
    let ports = if service.is_ours() { vec![service_port()] } else { QDRANT_PORTS.to_vec() };
    for port in service.list("ports") {
        let inside = port.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once(':')?.1.parse().ok());
        check(inside.is_some_and(|inside| ports.contains(&inside)), &format!("port {port}"));
    }
    for name in service.keys("depends_on") {
        let other = all.iter().find(|other| other.name == name);
        check(other.is_some(), &format!("depends on {name}, which is not there"));
        check(other.is_none_or(|other| !other.in_cluster() || service.in_cluster()), "depends on another profile");
        let condition = service.text(&["depends_on", &name, "condition"]);
        check(
            condition.is_some_and(|condition| condition == "service_healthy"),
            "starts before what it needs is healthy",
        );
    }
    found.extend(image_problem(&service.text(&["image"]).unwrap_or_default()));
    if service.is_ours() {
        found.extend(instance(service, all));
    }
    found
}

/// Problems of an instance of the service.
fn instance(service: &Service, all: &[Service]) -> Vec<String> {
    let Some(config) = service.config() else { return variable_problems(&service.environment()) };
    let mut found = Vec::new();
    if service.text(&["image"]) != Some(format!("duijie:{}", env!("CARGO_PKG_VERSION"))) {
        found.push(format!("{}: another version than Cargo.toml", service.name));
    }
    if config.server.listen.port() != service_port() || !config.server.listen.ip().is_unspecified() {
        found.push(format!("{}: cannot be reached from outside of its container", service.name));
    }
    for url in config.qdrant.into_iter().flat_map(|qdrant| qdrant.urls) {
        let host = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix(":6334")).unwrap_or_default();
        let node = all.iter().any(|node| node.name == host && !node.is_ours());
        if !node || !service.keys("depends_on").contains(&host.to_string()) {
            found.push(format!("{}: {url} is no node that it waits for", service.name));
        }
    }
    let read_only = service.text(&["read_only"]).is_some_and(|value| value == "true");
    let stripped = service.list("cap_drop") == ["ALL"];
    if !read_only || !stripped {
        found.push(format!("{}: may do more than it needs", service.name));
    }
    found
}

/// Volumes used but not declared, or declared but not used.
fn volumes(file: &Value, services: &[Service]) -> Vec<String> {
    let declared = file.get("volumes").and_then(Value::as_mapping).into_iter().flatten();
    let declared: BTreeSet<String> = declared.filter_map(|(name, _)| name.as_str().map(str::to_string)).collect();
    let used = services.iter().flat_map(|service| service.list("volumes"));
    let used: Vec<String> = used.map(|volume| volume.split(':').next().unwrap_or_default().to_string()).collect();
    let unique: BTreeSet<String> = used.iter().cloned().collect();
    let mut found: Vec<String> = declared
        .symmetric_difference(&unique)
        .map(|name| format!("volume {name} is not used or not declared"))
        .collect();
    if unique.len() < used.len() {
        found.push("two services share a volume".to_string());
    }
    for service in services.iter().filter(|service| !service.is_ours()) {
        if !service.list("volumes").iter().any(|volume| volume.ends_with(":/qdrant/storage")) {
            found.push(format!("{}: its data are gone with the container", service.name));
        }
    }
    found
}

/// Problems of the cluster profile.
fn cluster(services: &[Service]) -> Vec<String> {
    let (ours, nodes): (Vec<&Service>, Vec<&Service>) =
        services.iter().filter(|service| service.in_cluster()).partition(|service| service.is_ours());
    let mut found = Vec::new();
    let mut check = |good: bool, what: String| {
        if !good {
            found.push(what);
        }
    };
    check((nodes.len(), ours.len()) == (3, 2), format!("{} nodes and {} instances", nodes.len(), ours.len()));
    let set =
        |node: &Service, name: &str, want: &str| node.environment().contains(&(name.to_string(), want.to_string()));
    let names: Vec<&str> = nodes.iter().map(|node| node.name).collect();
    let uri = |name: &str| format!("http://{name}:{NODE_PORT}");
    for (place, node) in nodes.iter().enumerate() {
        let enabled =
            set(node, "QDRANT__CLUSTER__ENABLED", "true") && set(node, "QDRANT__CLUSTER__P2P__PORT", NODE_PORT);
        check(enabled, format!("{}: is not in the cluster", node.name));
        let command = node.list("command");
        let after = |flag: &str| command.iter().skip_while(|part| *part != flag).nth(1).cloned();
        check(after("--uri") == Some(uri(node.name)), format!("{}: has the address of another", node.name));
        let bootstrap = (0 < place).then(|| uri(names[0]));
        check(after("--bootstrap") == bootstrap, format!("{}: does not join the first", node.name));
    }
    let same = ours.windows(2).all(|pair| pair[0].environment() == pair[1].environment());
    check(same, "the instances are configured differently".to_string());
    for service in &ours {
        let Some(config) = service.config() else { continue };
        let Some(qdrant) = config.qdrant else {
            check(false, format!("{}: has a store of its own", service.name));
            continue;
        };
        let layout = &qdrant.layout;
        check(qdrant.urls.len() == nodes.len(), format!("{}: does not know every node", service.name));
        let copies = layout.replication_factor as usize;
        check((2..=nodes.len()).contains(&copies), format!("{}: {copies} copies", service.name));
        let confirming = layout.write_consistency_factor as usize;
        let goes_on = confirming < copies && layout.write_ordering == WriteOrdering::Medium;
        check(goes_on, format!("{}: takes no writes while a node is away", service.name));
        let spread = (layout.shard_number as usize).is_multiple_of(nodes.len());
        check(spread, format!("{}: shards are not spread evenly", service.name));
    }
    found
}

#[test]
fn deploy_compose_fits_the_project() {
    assert_eq!(problems(&read("docker-compose.yml")), Vec::<String>::new());
}

#[test]
fn deploy_compose_checks_can_fail() {
    let file = read("docker-compose.yml");
    let check = |old: &str, new: &str, want: &str| {
        assert!(file.contains(old), "{old}");
        expect(&problems(&file.replacen(old, new, 1)), want);
    };
    check("qdrant/qdrant:v1.18.3", "qdrant/qdrant:latest", "not pinned");
    check("duijie:0.1.0\n", "duijie:0.0.9\n", "another version");
    check("127.0.0.1:50051:50051", "50051:50051", "port 50051:50051");
    check("127.0.0.1:50051:50051", "127.0.0.1:50051:8080", "port 127.0.0.1:50051:8080");
    check("127.0.0.1:50053:", "127.0.0.1:50052:", "published twice");
    check("DUIJIE_QDRANT_SHARD_NUMBER", "DUIJIE_QDRANT_SHARDS", "DUIJIE_QDRANT_SHARDS");
    check("SHARD_NUMBER: \"6\"", "SHARD_NUMBER: \"many\"", "qdrant.shard_number");
    check("SHARD_NUMBER: \"6\"", "SHARD_NUMBER: \"4\"", "not spread evenly");
    check("CONSISTENCY_FACTOR: \"2\"", "CONSISTENCY_FACTOR: \"4\"", "write_consistency_factor");
    check("CONSISTENCY_FACTOR: \"2\"", "CONSISTENCY_FACTOR: \"3\"", "no writes while a node is away");
    check("WRITE_ORDERING: medium", "WRITE_ORDERING: strong", "no writes while a node is away");
    check("REPLICATION_FACTOR: \"3\"", "REPLICATION_FACTOR: \"4\"", "4 copies");
    check("SERVICE_CPUS", "DUIJIE_CPUS", "DUIJIE_CPUS is no key");
    check("cpus: \"${SERVICE_CPUS:-2}\"", "cpus: \"${SERVICE_CPUS}\"", "no limit of CPUs");
    check("memory: \"${QDRANT_MEMORY:-4g}\"", "pids: 100", "no limit of memory");
    check("restart: unless-stopped", "init: true", "no restart policy");
    check("test: [\"CMD\", \"duijie\", \"health\"]", "disable: true", "no health check");
    check("stop_grace_period: 30s", "stop_grace_period: 5s", "killed before it has drained");
    check("  read_only: true\n", "", "more than it needs");
    check("  duijie-data:\n", "", "volume duijie-data");
    check("  qdrant-data:\n", "  qdrant-data:\n  other-data:\n", "volume other-data");
    check("qdrant-2-data:/qdrant", "qdrant-1-data:/qdrant", "share a volume");
    check(":/qdrant/storage", ":/data", "are gone with the container");
    check("      qdrant-2:\n", "      qdrant-9:\n", "qdrant-9, which is not there");
    check("condition: service_healthy", "condition: service_started", "before what it needs is healthy");
    check("http://qdrant:6334", "http://qdrant:6333", "no node that it waits for");
    check(",http://qdrant-3:6334", "", "does not know every node");
    check(
        "DUIJIE_QDRANT_URL: http://qdrant-1:6334,http://qdrant-2:6334,http://qdrant-3:6334",
        "DUIJIE_QDRANT_URL: ''",
        "store of its own",
    );
    check("QDRANT__CLUSTER__ENABLED: \"true\"", "QDRANT__CLUSTER__ENABLED: \"false\"", "is not in the cluster");
    check("\"--uri\", \"http://qdrant-3:6335\"", "\"--uri\", \"http://qdrant-2:6335\"", "the address of another");
    check("\"--bootstrap\", \"http://qdrant-1:6335\", ", "", "does not join the first");
    check("profiles: [cluster]", "profiles: [other]", "unknown profile");
    check("    profiles: [cluster]\n", "", "depends on another profile");
}
