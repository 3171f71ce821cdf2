//! Opening stores, refusing them, and repairing after a kill.

use std::{fs, path::Path};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    CollectionKind, EdgeIndex, FieldSelection, Index, IndexError, Point, Records, Retrieval, Search, Written,
};

use super::{
    contract::assert_same,
    sample::{self, Dice},
};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            drop(fs::copy(entry.path(), target))
        }
    }
}

async fn stored(index: &dyn Index, points: &[Point]) {
    let names: Vec<_> = points.iter().map(|point| point.record.name()).collect();
    let found = index.get(&names, FieldSelection::Everything).await.unwrap();
    for (found, want) in found.iter().zip(points) {
        assert_same(found.as_ref(), want);
    }
    assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), points.len() as u64);
}

fn refused(folder: &Path) -> IndexError {
    EdgeIndex::open(sample::options(folder)).err().expect("it was opened")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let dice = &mut Dice::new(3);
    let mut points = sample::points(Kind::Demand, 1_200, dice);
    let index = sample::open(folder.path());
    index.upsert(Kind::Demand, points[..800].to_vec()).await.unwrap();
    index.optimize().unwrap();
    index.upsert(Kind::Demand, points[800..].to_vec()).await.unwrap();
    let gone = points.remove(0);
    index.delete(&gone.record.name()).await.unwrap();
    let said = refused(folder.path());
    assert!(
        matches!(&said, IndexError::InUse { holder, .. } if holder.contains(&std::process::id().to_string())),
        "{said}"
    );
    index.close();
    let index = sample::open(folder.path());
    stored(&index, &points).await;
    let status = index.status().kinds.remove(1);
    assert_eq!((status.points, status.problem), (1_199, None));
    index.close();
    let mut other = sample::options(folder.path());
    other.versions.model = "other".into();
    let said = EdgeIndex::open(other.clone()).err().expect("it was opened");
    assert!(said.to_string().contains("duijie reindex"), "{said}");
    (other.any_version, other.dimensions) = (true, 3);
    let index = EdgeIndex::open(other).unwrap();
    stored(&index, &points).await;
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn points_in_two_segments_are_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let dice = &mut Dice::new(5);
    let points = sample::points(Kind::Demand, 1_500, dice);
    let index = sample::open(folder.path());
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    index.optimize().unwrap();
    index.close();
    let segments = folder.path().join("demands/engine/segments");
    let entries: Vec<_> = fs::read_dir(&segments).unwrap().map(|entry| entry.unwrap().path()).collect();
    for (number, entry) in entries.iter().enumerate() {
        copy(entry, &segments.join(uuid::Uuid::from_u128(number as u128).to_string()));
    }
    fs::create_dir_all(folder.path().join("demands/engine/temp_segments/half")).unwrap();
    fs::write(folder.path().join("demands/optimizing"), "").unwrap();
    let index = sample::open(folder.path());
    stored(&index, &points).await;
    assert_eq!(index.status().kinds[1].points, 1_500);
    index.close();
    assert!(!folder.path().join("demands/optimizing").exists());
    stored(&sample::open(folder.path()), &points).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engines_log_does_not_grow_and_writes_go_on_after_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = sample::options(folder.path());
    // each checkpoint reloads the shard
    options.tuning.checkpoint_after_bytes = 1;
    options.tuning.max_engine_log_bytes = 1;
    let index = EdgeIndex::open(options).unwrap();
    let dice = &mut Dice::new(23);
    let mut points = sample::points(Kind::Demand, 100, dice);
    for revision in 1..=8 {
        points.iter_mut().for_each(|point| {
            point.record.revision = revision;
            point.dense = sample::dense(dice, sample::DIMENSIONS);
        });
        let written = index.upsert(Kind::Demand, points.clone()).await.unwrap();
        assert_eq!(written, [if revision == 1 { Written::Created } else { Written::Updated }; 100]);
        stored(&index, &points).await;
        if revision == 4 {
            index.optimize().unwrap();
        }
    }
    assert!(index.status().healthy());
    index.close();
    let log = fs::read_dir(folder.path().join("demands/engine/wal")).unwrap();
    let bytes: u64 = log.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 65 << 20, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_go_on_while_graphs_are_built() {
    let folder = tempfile::tempdir().unwrap();
    let index = std::sync::Arc::new(sample::open(folder.path()));
    let dice = &mut Dice::new(29);
    let mut points = sample::points(Kind::Demand, 4_000, dice);
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    let optimizing = {
        let index = index.clone();
        tokio::task::spawn_blocking(move || index.optimize().unwrap())
    };
    let mut revision = 1;
    while !optimizing.is_finished() {
        revision += 1;
        points[0].record.revision = revision;
        assert_eq!(index.upsert(Kind::Demand, vec![points[0].clone()]).await.unwrap(), [Written::Updated]);
        let search = Search { dense: Some(points[0].dense.clone()), depth: 5, ..Search::default() };
        let found = index.search(Kind::Demand, search).await.unwrap();
        assert_eq!(found.dense[0].id, points[0].id());
        // stops deleting here, as on a fast disk the loop could delete all points
        if points.len() < 2_000 {
            continue;
        }
        let gone = points.pop().unwrap();
        assert!(index.delete(&gone.record.name()).await.unwrap());
    }
    optimizing.await.unwrap();
    stored(index.as_ref(), &points).await;
    assert!(0 < index.status().kinds[1].indexed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_cut_off_is_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    sample::open(folder.path()).close();
    let file = folder.path().join("store.json");
    let incomplete = fs::read_to_string(&file).unwrap().replace("true", "false");
    fs::write(&file, incomplete).unwrap();
    fs::remove_dir_all(folder.path().join("demands/engine/segments")).unwrap();
    fs::remove_dir_all(folder.path().join("experts")).unwrap();
    let index = sample::open(folder.path());
    let points = sample::points(Kind::Demand, 10, &mut Dice::new(1));
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    stored(&index, &points).await;
    index.close();
    assert!(fs::read_to_string(&file).unwrap().contains("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_optimisation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = sample::open(folder.path());
    let dice = &mut Dice::new(31);
    let mut points = sample::points(Kind::Demand, 1_000, dice);
    index.upsert(Kind::Demand, points[..900].to_vec()).await.unwrap();
    // a file in place of the engine's folder
    fs::write(folder.path().join("demands/engine/temp_segments"), "").unwrap();
    let said = index.optimize().unwrap_err();
    assert!(matches!(said, IndexError::Engine { collection: CollectionKind::Records(Kind::Demand), .. }), "{said}");
    index.upsert(Kind::Demand, points[900..].to_vec()).await.unwrap();
    let gone = points.remove(0);
    assert!(index.delete(&gone.record.name()).await.unwrap());
    stored(&index, &points).await;
    assert!(index.status().healthy());
    // the reload has removed the file
    index.optimize().unwrap();
    stored(&index, &points).await;
    index.close();
    stored(&sample::open(folder.path()), &points).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let index = sample::open(folder.path());
    index.upsert(Kind::Demand, sample::points(Kind::Demand, 50, &mut Dice::new(1))).await.unwrap();
    index.close();
    let engine = folder.path().join("demands/engine");
    let check = |damage: &dyn Fn(&Path)| {
        let copied = tempfile::tempdir().unwrap();
        copy(folder.path(), copied.path());
        damage(&copied.path().join("demands/engine"));
        let said = refused(copied.path());
        assert!(
            matches!(said, IndexError::Damaged { collection: CollectionKind::Records(Kind::Demand), .. }),
            "{said}"
        );
    };
    let segment = fs::read_dir(engine.join("segments")).unwrap().next().unwrap().unwrap().file_name();
    let inside = |engine: &Path, file: &str| engine.join("segments").join(&segment).join(file);
    check(&|engine| fs::remove_dir_all(engine.join("segments")).unwrap());
    check(&|engine| fs::remove_dir_all(engine).unwrap());
    check(&|engine| fs::write(inside(engine, "segment.json"), "{").unwrap());
    // a panic in the engine
    check(&|engine| {
        let payloads = inside(engine, "payload_storage");
        for entry in fs::read_dir(payloads).unwrap() {
            fs::write(entry.unwrap().path(), "x").unwrap();
        }
    });
}
