//! Container files: each file is checked against the project, and each check is tested on a file that it must refuse.
//! No container engine is needed, and none has run these files: see README.
//!
//! - [`compose`] reads `docker-compose.yml`
//! - [`dockerfile`] reads `Dockerfile` and `.dockerignore`

mod compose;
mod dockerfile;

use std::{fs, path::Path};

use duijie::config::Config;

/// Default port of the service.
fn service_port() -> u16 {
    Config::read("", []).unwrap().server.listen.port()
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Problem of an image name: a registry host, no tag, or a moving tag.
fn image_problem(image: &str) -> Option<String> {
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, ""));
    let host = name.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
    let numbers = tag.trim_start_matches('v').split(['.', '-']).filter(|part| part.parse::<u32>().is_ok()).count();
    match (host, numbers) {
        (true, _) => Some(format!("image {image} names a host")),
        (false, 0 | 1) => Some(format!("image {image} is not pinned")),
        (false, _) => None,
    }
}

/// Problems of the `DUIJIE_` variables, as reported by the configuration; ignores all other variables.
fn variable_problems(variables: &[(String, String)]) -> Vec<String> {
    let ours = variables.iter().filter(|(name, _)| name.starts_with("DUIJIE_")).cloned();
    Config::read("", ours).err().map(|mistakes| mistakes.0).unwrap_or_default()
}

/// Names in a text with the service's variable prefix that are not among its keys: the service refuses to start with
/// such a variable.
fn no_keys(text: &str) -> Vec<String> {
    let variable = |key: &str| format!("DUIJIE_{}", key.replace('.', "_").to_ascii_uppercase());
    let keys: Vec<String> = duijie::config::KEYS.iter().map(|key| variable(key.name)).collect();
    let rests = text.split("DUIJIE_").skip(1);
    let names = rests.map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>());
    let unknown = names.map(|name| format!("DUIJIE_{name}")).filter(|name| !keys.contains(name));
    unknown.map(|name| format!("{name} is no key")).collect()
}

/// Fails unless some problem contains `want`.
#[track_caller]
fn expect(problems: &[String], want: &str) {
    assert!(problems.iter().any(|problem| problem.contains(want)), "{want} in {problems:?}");
}

#[test]
fn images_are_pinned_and_without_host() {
    for good in ["qdrant/qdrant:v1.18.3", "debian:12.11-slim", "rust:1.95.0-bookworm", "duijie:0.1.0"] {
        assert_eq!(image_problem(good), None);
    }
    let bad = ["qdrant/qdrant", "qdrant/qdrant:latest", "debian:12-slim", "a.example/b:1.2.3", "localhost/b:1.2.3"];
    for bad in bad {
        assert!(image_problem(bad).is_some(), "{bad}");
    }
}

#[test]
fn ci_sets_no_variable_that_the_command_line_refuses() {
    assert_eq!(no_keys(&read(".ci/run")), [""; 0]);
    expect(&no_keys("export DUIJIE_REQUIRE_BROWSER=1 DUIJIE_STORE_FOLDER=/x"), "DUIJIE_REQUIRE_BROWSER is no key");
}
