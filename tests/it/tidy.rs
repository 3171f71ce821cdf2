//! Checks of the source tree: file sizes, dependencies, comments, names. Part of `make check`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest file; longer ones must be split.
const MAX_LINES: usize = 500;

/// What each module may use of the crate. `grpc → matcher, ingest → embed, index, rank → text → domain`.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("text", &["text", "domain"]),
    ("rank", &["rank", "domain"]),
    ("indicators", &["indicators"]),
    ("allocation", &["allocation"]),
    ("policy", &["policy", "domain"]),
    ("diagnosis", &["diagnosis", "domain"]),
    ("evidence", &["evidence", "text", "indicators", "policy", "diagnosis", "domain"]),
    ("duplicates", &["duplicates", "text", "domain"]),
    ("duplicate_search", &["duplicates", "index", "domain", "error"]),
    ("allocation", &["allocation"]),
    ("scheduling", &["scheduling"]),
    ("event", &["event", "domain"]),
    ("events", &["events", "event", "allocation", "scheduling", "matcher", "index", "domain", "error"]),
    ("event_export", &["event_export", "event", "domain"]),
    ("files", &["files", "domain"]),
    ("embed", &["embed", "text", "domain"]),
    ("index", &["index", "text", "domain", "config", "deadline"]),
    ("eval", &["eval", "rank", "domain"]),
    ("ingest", &["ingest", "embed", "index", "text", "domain", "error"]),
    ("transfer", &["transfer", "index", "text", "domain", "error"]),
    ("config", &["config"]),
    ("calls", &[]),
    ("rematch", &["rematch", "matcher", "calls", "index", "rank", "text", "domain", "error"]),
    ("rematch_difference", &["rematch_difference", "domain"]),
    ("rematch_export", &["rematch_export", "rematch_difference", "files", "domain"]),
    ("rematch_reader", &["rematch", "rematch_difference", "rematch_export", "index", "domain", "error"]),
    ("rematch_schedule", &[]),
    ("rematch_scheduler", &["rematch", "rematch_schedule", "index", "domain", "error"]),
    ("watch", &["watch", "matcher", "index", "domain", "error"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} below {folder}");
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs")).collect()
}

#[test]
fn tidy_files_are_small_and_say_what_they_are() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= MAX_LINES, "{} is too long: split it", path.display());
        let test_module = path.ends_with("tests.rs");
        assert!(test_module || text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

#[test]
fn tidy_dependencies_point_one_way() {
    for (path, text) in files("src", ".rs") {
        let inner = path.strip_prefix(root().join("src")).unwrap();
        let module = inner.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_string();
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == module) else { continue };
        let text = text.split("#[cfg(test)]").next().unwrap();
        for part in text.split("crate::").skip(1) {
            let used: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let grouped = part.starts_with('{');
            assert!(grouped || allowed.contains(&used.as_str()), "{} uses {used}", path.display());
        }
        for group in text.split("use crate::{").skip(1) {
            let group = group.split("};").next().unwrap();
            for line in group.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     ")) {
                let used: String = line.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(used.is_empty() || allowed.contains(&used.as_str()), "{} uses {used}", path.display());
            }
        }
    }
}

#[test]
fn tidy_every_element_of_the_protos_has_a_comment() {
    for (path, text) in files("proto", ".proto") {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim();
            let starts = ["message ", "enum ", "service ", "rpc ", "oneof "].iter().any(|word| code.starts_with(word));
            let field = code.ends_with(';') && code.contains(" = ") && !code.starts_with("option");
            if !(starts || field && !code.starts_with("syntax")) {
                continue;
            }
            let before = lines[..index].last().map_or("", |line| line.trim());
            assert!(before.starts_with("//"), "{}:{}: {code} has no comment", path.display(), index + 1);
        }
    }
}

#[test]
fn tidy_one_place_each() {
    let only = [
        ("metrics::counter!", "metrics.rs"),
        ("Status::with_error_details", "grpc/status.rs"),
        ("env::var", "cli/mod.rs"),
    ];
    for (path, text) in files("src", ".rs") {
        let text = text.split("#[cfg(test)]").next().unwrap();
        if path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs") {
            continue;
        }
        for (what, place) in only {
            assert!(!text.contains(what) || path.ends_with(place), "{what} in {}", path.display());
        }
    }
}

#[test]
fn tidy_no_host_of_a_registry_is_named() {
    let hosts = ["pypi.", "pythonhosted", "huggingface.co", "hf-mirror", "crates.", "docker.io/"].map(|host| {
        // concatenated, so that this file does not contain the name
        if host == "crates." {
            "crates.io".to_string()
        } else if host == "pypi." {
            "pypi.org".to_string()
        } else {
            host.to_string()
        }
    });
    let texts = ["Makefile", "README.md", "README.en.md", "ARCHITECTURE.md", "scripts/runtime.sh", ".ci/run"];
    for name in texts {
        let text = fs::read_to_string(root().join(name)).unwrap();
        for host in &hosts {
            assert!(!text.contains(host.as_str()), "{name} names {host}");
        }
    }
}

#[test]
fn tidy_documents_name_what_exists() {
    for name in ["README.md", "README.en.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        for part in text.split('`').skip(1).step_by(2) {
            let path = part.trim_end_matches('/');
            let like_a_path =
                ["src/", "proto/", "samples/", "models/", "scripts/", "tests/", "benches/", "data/dictionary"]
                    .iter()
                    .any(|start| part.starts_with(start));
            let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            assert!(!(like_a_path && plain) || root().join(path).exists(), "{name} names {part}, which is not there");
        }
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for key in duijie::config::KEYS {
        assert!(readme.contains(key.name), "README.md does not name the key {}", key.name);
    }
}
