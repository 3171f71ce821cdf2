//! Checks of the source tree: file sizes, dependencies, comments, names. Part of `make check`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest file; longer ones must be split.
const MAX_LINES: usize = 500;

/// What each room of the service may use of the service. What the crates may use of each other is in their manifests.
const SERVICE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("tests", &[]),
    ("config", &["identity"]),
    ("foreground", &[]),
    ("heart", &[]),
    ("identity", &["error"]),
    ("metrics", &[]),
    ("signing", &["error"]),
    ("telemetry", &["config"]),
    ("matching", &["error"]),
    ("ingest", &["error", "identity"]),
    ("maintenance", &["error", "maintenance"]),
    ("events::model", &[]),
    ("events::export", &["events::model"]),
    ("events::service", &["events::model", "matching", "error"]),
    ("rematch::diff", &[]),
    ("rematch::schedule", &[]),
    ("rematch::export", &["rematch::diff"]),
    ("rematch::job", &["matching", "foreground", "heart", "error"]),
    ("rematch::reader", &["rematch::job", "rematch::diff", "rematch::export", "error"]),
    ("rematch::scheduler", &["rematch::job", "rematch::schedule", "heart", "error"]),
    ("watch", &["matching", "error"]),
    (
        "app",
        &[
            "config",
            "error",
            "events",
            "foreground",
            "heart",
            "identity",
            "ingest",
            "matching",
            "metrics",
            "rematch",
            "signing",
            "watch",
        ],
    ),
    (
        "api",
        &[
            "app",
            "error",
            "events",
            "foreground",
            "identity",
            "ingest",
            "maintenance",
            "matching",
            "metrics",
            "rematch",
            "signing",
            "watch",
        ],
    ),
    ("serve", &["api", "app"]),
    ("fuzzing", &["api", "signing", "watch"]),
    (
        "cli",
        &[
            "api",
            "app",
            "config",
            "events",
            "identity",
            "ingest",
            "maintenance",
            "matching",
            "metrics",
            "rematch",
            "serve",
            "telemetry",
        ],
    ),
];

/// The same within the crates of several rooms.
const CORE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("text", &["domain"]),
    ("rank", &["domain"]),
    ("eval", &["rank", "domain"]),
    ("duplicates", &["text", "domain"]),
    ("fuzzing", &["text"]),
];
const INSIGHT: &[(&str, &[&str])] = &[
    ("indicators", &[]),
    ("diagnosis", &[]),
    ("policy", &[]),
    ("evidence", &["diagnosis", "indicators", "policy"]),
    ("fuzzing", &["indicators", "policy"]),
];
const SOLVER: &[(&str, &[&str])] = &[("allocation", &[]), ("scheduling", &[])];

/// Rooms that hold nothing but rooms, and what starts the program.
const ENTRANCES: [&str; 2] = ["lib", "main"];

/// Crates that are pure: what they may not even name.
const PURE: [&str; 3] = ["crates/core", "crates/insight", "crates/solver"];

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
    ["src", "crates", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs")).collect()
}

#[test]
fn tidy_files_are_small_and_say_what_they_are() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= MAX_LINES, "{} is too long: split it", path.display());
        let test_module = path.ends_with("tests.rs");
        assert!(test_module || text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

/// Otherwise a failing case is kept where the next run does not look for it.
#[test]
fn tidy_random_tests_say_where_their_cases_are_kept() {
    let random = format!("\n{}! {{\n", "proptest");
    for (path, text) in files("tests", ".rs") {
        let (tests, kept) = (text.matches(&random).count(), text.matches("seeds::config(").count());
        assert!(tests <= kept, "{}: use seeds::config", path.display());
    }
    assert!(!root().join("tests/proptest-regressions").exists(), "cases belong below proptest-regressions/it");
}

/// Paths of a use tree: `a::{b, c::d}` → `a::b`, `a::c::d`.
fn paths(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else { return vec![tree.to_string()] };
    let (before, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let (mut depth, mut part, mut found) = (0, String::new(), Vec::new());
    for c in inner.chars().chain([',']) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            let part = std::mem::take(&mut part);
            if !part.trim().is_empty() {
                found.extend(paths(&part).into_iter().map(|path| format!("{before}{path}")));
            }
        } else {
            part.push(c);
        }
    }
    found
}

/// What a text uses of its own crate: the first two parts of each path that starts with `crate::`.
fn used(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        let tree = match part.starts_with('{') {
            true => part.split(';').next().unwrap(),
            false => {
                let end = part.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(part.len());
                match part[end..].starts_with('{') {
                    true => part.split(';').next().unwrap(),
                    false => &part[..end],
                }
            }
        };
        found.extend(paths(tree));
    }
    found
}

/// The room of a layer table that a path belongs to: the longest name that the path starts with.
fn room<'a>(path: &str, layers: &'a [(&'a str, &'a [&'a str])]) -> Option<&'a (&'a str, &'a [&'a str])> {
    let inside = |name: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    layers.iter().filter(|(name, _)| inside(name)).max_by_key(|(name, _)| name.len())
}

/// Whether a room may use a path: it is the room's own, or lies in a room that is named, or in one that holds such a room.
fn may_use((own, allowed): (&str, &[&str]), path: &str) -> bool {
    let inside = |name: &&str| path == *name || path.strip_prefix(*name).is_some_and(|rest| rest.starts_with("::"));
    inside(&own) || allowed.iter().any(inside)
}

#[test]
fn tidy_use_trees_are_read_whole() {
    let text = "use crate::{a::{b, c::{self, D}}, e};\nuse crate::f::{G, h};\nlet x = crate::i::j(1);\n// crate::not";
    assert_eq!(used(text), ["a::b", "a::c::self", "a::c::D", "e", "f::G", "f::h", "i::j"]);
    assert!(may_use(("a", &["b::c"]), "b::c::D") && may_use(("a", &[]), "a::x"));
    assert!(!may_use(("a", &["b::c"]), "b::d") && !may_use(("a", &["b"]), "bc::d"));
}

#[test]
fn tidy_dependencies_point_one_way() {
    let crates =
        [("src", SERVICE), ("crates/core/src", CORE), ("crates/insight/src", INSIGHT), ("crates/solver/src", SOLVER)];
    for (folder, layers) in crates {
        for (path, text) in files(folder, ".rs") {
            let inner = path.strip_prefix(root().join(folder)).unwrap().with_extension("");
            let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).filter(|part| part != "mod").collect();
            let module = parts.join("::");
            let Some((name, allowed)) = room(&module, layers) else {
                let holds = layers.iter().any(|(name, _)| name.starts_with(&format!("{module}::")));
                assert!(holds || ENTRANCES.contains(&module.as_str()), "{} is in no layer", path.display());
                continue;
            };
            if parts.iter().any(|part| part == "tests") {
                continue;
            }
            for used in used(text.split("#[cfg(test)]").next().unwrap()) {
                assert!(may_use((name, allowed), &used), "{} uses {used}", path.display());
            }
        }
    }
}

#[test]
fn tidy_pure_crates_do_nothing_but_compute() {
    for folder in PURE {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for name in ["tokio", "tonic", "prost", "qdrant", "ort", "fastembed", "futures"] {
            assert!(!dependencies.lines().any(|line| line.starts_with(name)), "{folder} depends on {name}");
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
        ("Status::with_error_details", "api/status.rs"),
        ("env::var", "cli/mod.rs"),
    ];
    for (path, text) in files("src", ".rs").into_iter().chain(files("crates", ".rs")) {
        let text = text.split("#[cfg(test)]").next().unwrap();
        if path.ends_with("build.rs")
            || path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
        {
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
                ["src/", "crates/", "docs/", "proto/", "samples/", "models/", "scripts/", "tests/", "benches/"]
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
