//! A floor under the quality of the order, on the samples and, where it lies beside the project, on the judged set.

use std::{path::Path, process::Command};

/// Runs `duijie eval` and reads nDCG@10 and recall@20.
fn eval(folder: &Path, names: [&str; 3]) -> (f64, f64) {
    let [achievements, demands, judgements] = names.map(|name| folder.join(name));
    let run = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_duijie"))
        .arg("eval")
        .args([Path::new("--achievements"), &achievements, Path::new("--demands"), &demands])
        .args([Path::new("--judgements"), &judgements, Path::new("--run"), run.path()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("DUIJIE_LOG_FILTER", "error")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    println!("{}\n{text}", folder.display());
    let measure = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let scores = std::fs::read_to_string(run.path()).unwrap();
    let demands: std::collections::HashSet<_> = scores.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(scores.lines().count() % demands.len(), 0, "every demand has a score for every achievement");
    (measure("nDCG@10"), measure("recall@20"))
}

#[test]
fn the_samples_are_ordered_well() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let (ndcg, recall) = eval(&samples, ["achievements.csv", "demands.csv", "judgements.tsv"]);
    assert!(0.85 <= ndcg && 0.85 <= recall, "nDCG@10 {ndcg}, recall@20 {recall}");
}

#[test]
fn the_judged_set_is_ordered_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/eval/tech-match");
    if !folder.exists() {
        println!("NOT MEASURED: {} is not there", folder.display());
        return;
    }
    let (ndcg, recall) = eval(&folder, ["achievements.jsonl", "demands.jsonl", "judgements.tsv"]);
    assert!(0.74 <= ndcg && 0.47 <= recall, "nDCG@10 {ndcg}, recall@20 {recall}");
}
