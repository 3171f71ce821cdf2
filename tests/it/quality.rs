//! Lower bounds for the quality of ranking and levels, on the samples and, if present beside the project, on the judged
//! set.

use std::{path::Path, process::Command};

/// Output of `duijie eval`.
struct Quality {
    ndcg: f64,
    recall: f64,
    /// 1 / (1 + MAE) of the levels.
    levels: f64,
    /// Features of the pairs.
    features: tempfile::NamedTempFile,
}

/// Runs `duijie eval` and reads its output.
fn eval(folder: &Path, names: [&str; 3]) -> Quality {
    let [achievements, demands, judgements] = names.map(|name| folder.join(name));
    let (run, features) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_duijie"))
        .arg("eval")
        .args([Path::new("--achievements"), &achievements, Path::new("--demands"), &demands])
        .args([Path::new("--judgements"), &judgements, Path::new("--run"), run.path()])
        .args([Path::new("--features"), features.path()])
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
    Quality { ndcg: measure("nDCG@10"), recall: measure("recall@20"), levels: measure("1/(1+MAE)"), features }
}

#[test]
fn the_samples_are_ordered_well() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let measured = eval(&samples, ["achievements.csv", "demands.csv", "judgements.tsv"]);
    let Quality { ndcg, recall, levels, .. } = measured;
    assert!(0.90 <= ndcg && 0.97 <= recall && 0.63 <= levels, "nDCG@10 {ndcg}, recall@20 {recall}, levels {levels}");
    // levels can be fitted from the features
    let out = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_duijie"))
        .args([Path::new("calibrate"), Path::new("--features"), measured.features.path()])
        .args([Path::new("--out"), out.path(), Path::new("--name"), Path::new("samples")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = duijie_core::rank::Calibration::read(&std::fs::read_to_string(out.path()).unwrap()).unwrap();
    assert!(0.70 <= made.expected.score, "{:?}", made.expected);
}

#[test]
fn the_judged_set_is_ordered_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/eval/tech-match");
    if !folder.exists() {
        println!("NOT MEASURED: {} is not there", folder.display());
        return;
    }
    let Quality { ndcg, recall, levels, .. } = eval(&folder, ["achievements.jsonl", "demands.jsonl", "judgements.tsv"]);
    assert!(0.76 <= ndcg && 0.53 <= recall && 0.70 <= levels, "nDCG@10 {ndcg}, recall@20 {recall}, levels {levels}");
}
