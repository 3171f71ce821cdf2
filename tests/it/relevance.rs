//! Expanded queries, levels, mean vectors: inputs of a score, and statements about it.

use std::{fs, path::Path};

use duijie::matching::{Avoidance, FreeText, MAX_MATCHES, Page, Query, Request};
use duijie_core::domain::{Filter, Kind, hit::Level};
use duijie_proto as pb;
use duijie_store::FieldSelection;
use tempfile::TempDir;

use crate::{
    command_line::{check, duijie},
    harness::{Service, config_with, record, record_with},
};

/// Subjects, each with enough achievements for its own pseudo-relevance feedback.
const SUBJECTS: [&str; 4] = ["铝合金激光焊接", "动力电池健康状态估计", "玉米籽粒低破碎收获", "高盐废水蒸发结晶"];

/// 48 achievements of four subjects, every third in region 13 (Hebei), and a demand.
fn records() -> Vec<pb::Record> {
    let achievement = |number: usize| {
        let title = format!("{}工艺与装备 {number} 型", SUBJECTS[number % 4]);
        record_with(Kind::Achievement, &format!("a{number}"), &title, |record| {
            record.body = format!("面向产业化的第 {number} 项成果，已在企业应用。");
            record.region = if number.is_multiple_of(3) { "130100" } else { "120100" }.into();
        })
    };
    let mut records: Vec<_> = (0..48).map(achievement).collect();
    records.push(record(Kind::Demand, "weld", "铝合金电池壳体焊接气孔多", "需要激光焊接工艺，减少气孔和变形"));
    records
}

async fn service(more: &str) -> (Service, TempDir) {
    let folder = TempDir::new().unwrap();
    let service = Service::start_configured(folder.path(), config_with(folder.path(), more), |_| ()).await;
    service.store(records()).await;
    (service, folder)
}

fn by_name(name: &str, target: Kind) -> Request {
    let query = Query::Stored(name.parse().unwrap());
    Request {
        query,
        target,
        filter: Filter::default(),
        offset: 0,
        limit: MAX_MATCHES,
        avoidance: Avoidance::default(),
        levels: true,
    }
}

fn by_text(title: &str) -> Request {
    let query = Query::Text(FreeText { title: title.into(), ..FreeText::default() });
    Request { query, ..by_name("demands/weld", Kind::Achievement) }
}

async fn find(service: &Service, request: Request) -> Page {
    service.parts.matcher.find(request).await.unwrap()
}

/// Names and scores, in order.
fn scores(page: &Page) -> Vec<(String, f64)> {
    page.found.iter().map(|found| (found.record.name().to_string(), found.score)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_depends_on_neither_filter_nor_page() {
    let (service, _folder) = service("").await;
    let request = by_name("demands/weld", Kind::Achievement);
    let whole = find(&service, request.clone()).await;
    assert_eq!(whole.found.len(), 48);
    let filter = Filter { regions: vec!["13".into()], ..Filter::default() };
    let filtered = find(&service, Request { filter, ..request.clone() }).await;
    assert_eq!((filtered.found.len(), filtered.context), (16, whole.context));
    let all = scores(&whole);
    let left: Vec<_> =
        all.iter().filter(|(name, _)| scores(&filtered).iter().any(|(other, _)| other == name)).collect();
    for ((name, score), (other, want)) in scores(&filtered).iter().zip(left) {
        assert!(name == other && (score - want).abs() < 1e-6, "{name} {score}, {other} {want}");
    }
    let page = find(&service, Request { offset: 7, limit: 5, ..request }).await;
    assert_eq!(scores(&page), all[7..12]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_said_where_they_are_known() {
    let (service, _folder) = service("").await;
    let page = find(&service, by_name("demands/weld", Kind::Achievement)).await;
    assert!(!page.nothing_good_enough);
    let levels: Vec<_> = page.found.iter().map(|found| found.relevance.unwrap()).collect();
    for relevance in &levels {
        assert!((relevance.probabilities.unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-9, "{relevance:?}");
    }
    assert!(levels.windows(2).all(|pair| pair[1].level <= pair[0].level), "{levels:?}");
    assert!(Level::Unrelated < levels[0].level);
    let nothing = find(&service, by_text("明天上午会不会下雨")).await;
    assert!(nothing.nothing_good_enough && !nothing.found.is_empty(), "{:?}", nothing.context);
    let said = |found: &duijie_core::domain::hit::MatchHit| found.relevance.unwrap();
    assert!(nothing.found.iter().map(said).all(|it| it.level == Level::Unrelated && it.probabilities.is_none()));
    for request in [
        Request { levels: false, ..by_name("demands/weld", Kind::Achievement) },
        by_name("achievements/a0", Kind::Demand),
        by_name("achievements/a0", Kind::Achievement),
    ] {
        let page = find(&service, request.clone()).await;
        let silent = page.found.iter().all(|found| found.relevance.is_none());
        assert!(silent && !page.nothing_good_enough && !page.found.is_empty(), "{request:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_feedback_there_is_one_pass_and_no_level() {
    let (service, _folder) = service("[match]\nfeedback = 0").await;
    let page = find(&service, by_name("demands/weld", Kind::Achievement)).await;
    assert_eq!((page.context, page.found.len()), (None, 48));
    assert!(page.found.iter().all(|found| found.relevance.is_none()));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_centre_is_made_and_the_store_brought_to_it_without_the_model() {
    let (service, folder) = service("").await;
    let names = ["demands/weld".parse().unwrap(), "achievements/a7".parse().unwrap()];
    let before = service.parts.index.get(&names, FieldSelection::Everything).await.unwrap();
    let embedder = service.parts.embedder.clone();
    service.stop().await;
    let (store, mean_vector) = (folder.path().join("store"), folder.path().join("mean_vector.json"));
    let run = {
        let (store, mean_vector) = (store.clone(), mean_vector.clone());
        move || {
            let env = [("DUIJIE_STORE_FOLDER", &*store), ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"))];
            let own = [env[0], env[1], ("DUIJIE_MODEL_MEAN_VECTOR", &*mean_vector)];
            check(
                duijie(&["mean-vector", "--out", mean_vector.to_str().unwrap()], &env),
                0,
                &["model.mean_vector", "duijie reindex"],
            );
            check(duijie(&["serve"], &own), 1, &["duijie reindex"]);
            check(duijie(&["reindex"], &own), 0, &["49"]);
            // the same input gives the same mean vector
            let again = store.with_file_name("again.json");
            check(duijie(&["mean-vector", "--out", again.to_str().unwrap()], &own), 0, &["已写入"]);
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    let mean_vector = duijie_embed::MeanVector::read(&mean_vector).unwrap();
    let more = format!("mean_vector = {:?}", folder.path().join("mean_vector.json"));
    let config = config_with(folder.path(), &more);
    let parts = tokio::task::spawn_blocking(move || {
        duijie::app::Parts::build_with(&config, embedder.with_mean_vector(mean_vector)).unwrap()
    });
    let parts = parts.await.unwrap();
    let after = parts.index.get(&names, FieldSelection::Everything).await.unwrap();
    for (before, after) in before.into_iter().zip(after) {
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(after.record, before.record);
        let texts = [duijie_core::text::embedding_texts(&after.record)];
        let anew = parts.embedder.record_vectors(&texts, duijie_embed::Priority::Bulk).await.unwrap();
        assert!(anew[0].iter().zip(&after.dense).all(|(a, b)| (a - b).abs() < 1e-4), "as if embedded anew");
        assert!(before.dense.iter().zip(&after.dense).any(|(a, b)| 1e-3 < (a - b).abs()), "and not as it was");
    }
    tokio::task::spawn_blocking(move || drop(parts)).await.unwrap();
}

#[test]
fn wrong_files_are_refused_with_a_sentence() {
    let folder = TempDir::new().unwrap();
    let (store, wrong) = (folder.path().join("store"), folder.path().join("wrong"));
    fs::write(&wrong, "{}").unwrap();
    let out = folder.path().join("out.json");
    let refused = |name: &str, path: &Path, want: &str| {
        let address = ("DUIJIE_SERVER_LISTEN", Path::new("127.0.0.1:0"));
        check(duijie(&["serve"], &[("DUIJIE_STORE_FOLDER", &*store), address, (name, path)]), 1, &[want]);
    };
    refused("DUIJIE_MATCH_CALIBRATION", &wrong, "duijie calibrate");
    refused("DUIJIE_MATCH_CALIBRATION", Path::new("/nowhere"), "match.calibration");
    refused("DUIJIE_MODEL_MEAN_VECTOR", &wrong, "duijie mean-vector");
    refused("DUIJIE_MODEL_MEAN_VECTOR", Path::new("/nowhere"), "model.mean_vector");
    assert!(!store.exists(), "nothing is made before all is known to be right");
    let out = out.to_str().unwrap();
    let calibrate =
        |features: &Path| duijie(&["calibrate", "--features", features.to_str().unwrap(), "--out", out], &[]);
    check(calibrate(&wrong), 1, &["duijie eval --features"]);
    check(calibrate(Path::new("/nowhere")), 1, &["/nowhere"]);
}
