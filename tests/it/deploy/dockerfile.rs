//! `Dockerfile` and `.dockerignore`, line by line.

use std::{fs, path::Path, process::Command};

use duijie::config::Config;

use super::{expect, image_problem, read, service_port, variable_problems};

/// Folder of the project in the image.
const HOME: &str = "/opt/duijie";

/// One instruction with its arguments; continued lines are joined.
struct Instruction {
    stage: usize,
    name: String,
    arguments: String,
}

/// One `COPY`.
struct Copy {
    stage: usize,
    from: Option<String>,
    sources: Vec<String>,
    target: String,
}

/// Variables that the last stage sets.
pub fn variables(dockerfile: &str) -> Vec<(String, String)> {
    let instructions = instructions(dockerfile);
    let last = instructions.iter().map(|instruction| instruction.stage).max().unwrap_or(0);
    let settings = instructions.iter().filter(|it| it.stage == last && it.name == "ENV");
    let pairs = settings.flat_map(|it| it.arguments.split_whitespace()).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let mut stage = 0;
    let instructions = text.lines().filter_map(|line| line.trim().split_once(' ')).map(|(name, arguments)| {
        stage += usize::from(name == "FROM");
        Instruction { stage, name: name.to_string(), arguments: arguments.trim().to_string() }
    });
    instructions.collect()
}

fn copies(instructions: &[Instruction]) -> Vec<Copy> {
    let copies = instructions.iter().filter(|it| it.name == "COPY" || it.name == "ADD").map(|it| {
        let (flags, mut paths): (Vec<&str>, Vec<&str>) =
            it.arguments.split_whitespace().partition(|part| part.starts_with("--"));
        let target = paths.pop().unwrap_or_default().to_string();
        let from = flags.iter().find_map(|flag| flag.strip_prefix("--from=")).map(str::to_string);
        Copy { stage: it.stage, from, sources: paths.into_iter().map(str::to_string).collect(), target }
    });
    copies.collect()
}

/// All problems of the two files.
fn problems(dockerfile: &str, ignore: &str) -> Vec<String> {
    let all = instructions(dockerfile);
    let copies = copies(&all);
    let mut found = stages(&all);
    found.extend(copies.iter().flat_map(|copy| copy_problems(copy, ignore)));
    let built: Vec<&str> =
        copies.iter().filter(|it| it.stage == 1).flat_map(|it| &it.sources).map(|it| it.as_str()).collect();
    let missing = needed().into_iter().filter(|path| !built.iter().any(|source| Path::new(path).starts_with(source)));
    found.extend(missing.map(|path| format!("{path} is needed to build and not copied")));
    let variables = variables(dockerfile);
    found.extend(variable_problems(&variables));
    if found.is_empty() {
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with("DUIJIE_"));
        found.extend(run_time(&Config::read("", ours).unwrap(), &all, &copies));
    }
    found
}

/// Problems of the base images.
fn stages(all: &[Instruction]) -> Vec<String> {
    let images: Vec<&str> = all
        .iter()
        .filter(|it| it.name == "FROM")
        .map(|it| it.arguments.split_whitespace().next().unwrap_or_default())
        .collect();
    let mut found: Vec<String> = images.iter().filter_map(|image| image_problem(image)).collect();
    let rust = format!("rust:{}.", env!("CARGO_PKG_RUST_VERSION"));
    if images.len() != 2 || !images[0].starts_with(&rust) {
        found.push(format!("{images:?}: want a stage with {rust}x and one to run in"));
    }
    found
}

/// Problem of one `COPY`: its source is missing, or excluded by `.dockerignore`.
fn copy_problems(copy: &Copy, ignore: &str) -> Vec<String> {
    if let Some(from) = &copy.from {
        return if from == "build" && copy.stage == 2 { Vec::new() } else { vec![format!("no stage {from}")] };
    }
    let allowed: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut found = Vec::new();
    for source in &copy.sources {
        if !Path::new(env!("CARGO_MANIFEST_DIR")).join(source).exists() {
            found.push(format!("COPY of {source}, which is not there"));
        }
        if !allowed.iter().any(|allowed| Path::new(source).starts_with(allowed)) {
            found.push(format!("COPY of {source}, which .dockerignore keeps out"));
        }
    }
    found
}

/// Files that compiling reads: sources, embedded files, and the targets in Cargo.toml.
fn needed() -> Vec<String> {
    let mut needed: Vec<String> = [
        "Cargo.toml",
        "Cargo.lock",
        "crates/proto/build.rs",
        "proto/duijie/v1/record.proto",
        "src/main.rs",
        "scripts/runtime.sh",
    ]
    .map(str::to_string)
    .to_vec();
    let manifest = read("Cargo.toml");
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    needed.extend(paths.map(str::to_string));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("crates")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("include_str!(\"").skip(1) {
                let included = path.parent().unwrap().join(part.split('"').next().unwrap());
                let included = included.canonicalize().unwrap();
                needed.push(included.strip_prefix(root.canonicalize().unwrap()).unwrap().display().to_string());
            }
        }
    }
    assert!(needed.iter().any(|path| path == "crates/core/data/stopwords.txt"), "nothing embedded was found");
    needed
}

/// Problems of the running image.
fn run_time(config: &Config, all: &[Instruction], copies: &[Copy]) -> Vec<String> {
    let last = |name: &'static str| {
        all.iter().filter(move |it| it.stage == 2 && it.name == name).map(|it| it.arguments.as_str())
    };
    let copied = |path: &Path| {
        let inner = path.strip_prefix(HOME).unwrap_or(path);
        copies.iter().any(|copy| copy.stage == 2 && inner.starts_with(&copy.target))
    };
    let mut found = Vec::new();
    let mut check = |good: bool, what: &str| {
        if !good {
            found.push(what.to_string());
        }
    };
    let user = last("USER").next_back().unwrap_or_default();
    let ids: Vec<u32> = user.split(':').filter_map(|id| id.parse().ok()).collect();
    check(ids.len() == 2 && !ids.contains(&0), "runs as root, or as a user whose number may change");
    let port = service_port();
    check(config.server.listen.port() == port && config.server.listen.ip().is_unspecified(), "listens elsewhere");
    check(last("EXPOSE").collect::<Vec<_>>() == [port.to_string()], "exposes another port");
    check(copied(Path::new(&config.model.source)), "the model is not in the image");
    check(copied(&config.model.runtime), "ONNX Runtime is not in the image");
    check(last("WORKDIR").next_back() == Some(HOME), "samples/ is not where `duijie demo` looks for it");
    let volume = last("VOLUME").next_back().unwrap_or("/nowhere");
    check(config.store.folder.starts_with(volume), "the store is gone with the container");
    check(config.model.cache.starts_with(volume), "models from the hub are gone with the container");
    check(
        last("RUN").any(|run| run.contains(&format!("-o {0} -g {0} {volume}", ids.first().unwrap_or(&0)))),
        "the user cannot write",
    );
    let health = last("HEALTHCHECK").next_back().and_then(|it| it.split_once("CMD ")).map(|(_, command)| command);
    for (what, command) in [("health check", health), ("command", last("CMD").next_back())] {
        let parts: Vec<String> = command.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let parts = parts.iter().map(String::as_str).filter(|part| *part != "duijie");
        let known = Command::new(env!("CARGO_BIN_EXE_duijie")).args(parts.chain(["--help"])).output().unwrap();
        check(command.is_some() && known.status.success(), &format!("no {what} that duijie knows"));
    }
    found
}

#[test]
fn deploy_dockerfile_fits_the_project() {
    assert_eq!(problems(&read("Dockerfile"), &read(".dockerignore")), Vec::<String>::new());
}

#[test]
fn deploy_dockerfile_checks_can_fail() {
    let (file, ignore) = (read("Dockerfile"), read(".dockerignore"));
    let check = |old: &str, new: &str, want: &str| {
        assert!(file.contains(old), "{old}");
        expect(&problems(&file.replacen(old, new, 1), &ignore), want);
    };
    check("rust:1.95.0-bookworm", "rust:1.90.0-bookworm", "want a stage with rust:1.95.");
    check("debian:12.11-slim", "debian:stable-slim", "not pinned");
    check("COPY samples samples", "COPY nowhere samples", "COPY of nowhere, which is not there");
    check("COPY samples samples", "COPY data samples", "COPY of data, which .dockerignore keeps out");
    check("COPY --from=build", "COPY --from=builder", "no stage builder");
    check("COPY crates crates\n", "", "crates/core/data/stopwords.txt is needed");
    check("COPY benches benches\n", "", "benches/bench/main.rs is needed");
    check("DUIJIE_STORE_FOLDER", "DUIJIE_STORE_PATH", "DUIJIE_STORE_PATH");
    check("DUIJIE_SERVER_LISTEN=0.0.0.0:50051", "DUIJIE_SERVER_LISTEN=50051", "server.listen");
    check("DUIJIE_SERVER_LISTEN=0.0.0.0:50051", "DUIJIE_SERVER_LISTEN=127.0.0.1:50051", "listens elsewhere");
    check("EXPOSE 50051", "EXPOSE 50052", "exposes another port");
    check("USER 10001:10001", "USER root", "runs as root");
    check("USER 10001:10001\n", "", "runs as root");
    check("/opt/duijie/models/", "/opt/models/", "the model is not in the image");
    check("runtime/libonnxruntime.so runtime/", "runtime/libonnxruntime.so other/", "ONNX Runtime is not in the image");
    check("/var/lib/duijie/store", "/srv/store", "the store is gone");
    check("-o 10001 -g 10001", "-o 10002 -g 10002", "the user cannot write");
    check("\"health\"]", "\"healthy\"]", "no health check");
    check("HEALTHCHECK ", "LABEL a=", "no health check");
    check("CMD [\"serve\"]", "CMD [\"server\"]", "no command");
    let kept_out = problems(&file, &ignore.replace("!models\n", ""));
    expect(&kept_out, "COPY of models, which .dockerignore keeps out");
}
