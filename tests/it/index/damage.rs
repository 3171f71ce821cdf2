//! Damaged rows: flipped bits in the engine's files. Each record is read as it was written, or told as damaged, or the
//! start is refused; a damaged one can be overwritten and deleted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    CollectionKind, DocumentQuery, DocumentWrite, Documents, EdgeIndex, EdgeOptions, Expect, FieldSelection, Index,
    IndexError, PageRequest, PartlyOpened, Point, PointId, Records, Written, transfer, verify::verify,
};

use super::{
    contract::scaled,
    sample::{self, DIMENSIONS, Dice},
};

const RECORDS: usize = 60;
const KEYS: u64 = 20;
/// Flips, each in a store of its own, unless `make chaos` asks for more.
const ROUNDS: u64 = 9;
/// Greatest difference of an embedding's number that does not show.
const TOLERANCE: f32 = 3e-5;

/// Options of a store that does nothing by itself.
fn quiet(folder: &Path) -> EdgeOptions {
    let mut options = sample::options(folder);
    options.tuning.graph_from_kib = 1;
    options.tuning.optimize_after_rest = Duration::from_secs(3_600);
    options
}

/// A stopped store with records in segments with and without a graph, and documents.
async fn store(folder: &Path) -> Vec<Point> {
    let index = EdgeIndex::open(quiet(folder)).unwrap();
    let dice = &mut Dice::new(11);
    let mut points = sample::points(Kind::Demand, RECORDS, dice);
    index.upsert(Kind::Demand, points[..RECORDS - 5].to_vec()).await.unwrap();
    index.optimize().unwrap();
    // some leave old copies behind
    for point in &mut points[..5] {
        point.record.revision = 2;
        point.record.body = "第二稿".repeat(30);
    }
    index.upsert(Kind::Demand, points[..5].to_vec()).await.unwrap();
    index.upsert(Kind::Demand, points[RECORDS - 5..].to_vec()).await.unwrap();
    let writes = (0..KEYS).map(|key| DocumentWrite::new("jobs", key, text(key), Expect::Any));
    index.write_documents(writes.collect()).await.unwrap();
    index.close();
    points
}

fn text(key: u64) -> String {
    format!("{{\"任务\":{key}}}").repeat(10)
}

/// A copy of a store, with holes where it has them.
fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    let copy = Command::new("cp").args(["-a", "--sparse=auto"]).arg(from.join(".")).arg(to.path()).status();
    assert!(copy.unwrap().success());
    to
}

/// Files below a folder, in a fixed order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut rest = vec![folder.to_path_buf()];
    while let Some(folder) = rest.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { rest.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// What a file is for, whatever its segment: its path below the segment's folder.
fn role(path: &Path, segments: &Path) -> String {
    path.strip_prefix(segments).unwrap().components().skip(1).map(|it| it.as_os_str().to_string_lossy()).collect()
}

/// Flips a bit of a byte that is not zero: most of the mapped files was never written.
fn flip(path: &Path, dice: &mut Dice) -> Option<u64> {
    let bytes = fs::read(path).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
    let place = *used.get(dice.below(used.len().max(1)))?;
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_at(&[bytes[place] ^ 1 << dice.below(8)], place as u64).unwrap();
    Some(place as u64)
}

fn is_same(found: &Point, want: &Point) -> bool {
    let want = scaled(want.clone());
    let near = found.dense.iter().zip(&want.dense).all(|(one, other)| (one - other).abs() < TOLERANCE);
    let bare = |point: &Point| Point { dense: Vec::new(), ..point.clone() };
    near && found.dense.len() == want.dense.len() && bare(found) == bare(&want)
}

/// What became of a store with a flipped bit.
#[derive(Debug, Default)]
struct Seen {
    refused: usize,
    damaged: usize,
    failed: usize,
    same: usize,
}

/// Reads all records in every way; returns the names of the damaged ones, `None` if the engine fails aloud.
async fn read(index: &EdgeIndex, points: &[Point], what: &str) -> Option<BTreeSet<PointId>> {
    let wanted: BTreeMap<PointId, &Point> = points.iter().map(|point| (point.id(), point)).collect();
    let mut damaged = BTreeSet::new();
    for point in points {
        match index.get(&[point.record.name()], FieldSelection::Everything).await {
            Ok(found) => {
                let found = found[0].as_ref().unwrap_or_else(|| panic!("{what}: {} is gone", point.record.name()));
                assert!(is_same(found, point), "{what}: {found:?}\n{point:?}");
            }
            Err(IndexError::RecordDamaged { name, .. }) => {
                assert_eq!(name, point.record.name().to_string(), "{what}");
                damaged.insert(point.id());
            }
            Err(IndexError::Engine { .. }) => return None,
            Err(error) => panic!("{what}: {error}"),
        }
    }
    let request = |after| PageRequest { after, limit: 7, with: FieldSelection::Everything };
    let (mut after, mut listed, mut left_out) = (None, BTreeSet::new(), 0);
    loop {
        let Ok(page) = index.scroll(Kind::Demand, &Filter::default(), request(after)).await else { return None };
        for found in &page.points {
            assert!(is_same(found, wanted[&found.id()]), "{what}: {found:?}");
            assert!(listed.insert(found.id()), "{what}: twice");
        }
        left_out += page.damaged.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed.len() + left_out, points.len(), "{what}");
    assert!(damaged.iter().all(|id| !listed.contains(id)), "{what}");
    Some(damaged)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_never_a_wrong_answer_in_silence() {
    let original = tempfile::tempdir().unwrap();
    let points = store(original.path()).await;
    let dice = &mut Dice::new(5);
    let mut seen = Seen::default();
    let mut roles = BTreeSet::new();
    let rounds = usize::try_from(crate::bad_day::rounds(ROUNDS)).unwrap();
    for round in 0..rounds {
        let folder = copied(original.path());
        let segments = folder.path().join("demands/engine/segments");
        // each sort of file in turn
        let all = files(&segments);
        let mut of_role: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
        all.iter().for_each(|path| of_role.entry(role(path, &segments)).or_default().push(path));
        let sorts: Vec<&String> = of_role.keys().filter(|role| matters(role)).collect();
        let role = sorts[round % sorts.len()];
        let path = dice.pick(&of_role[role]);
        let Some(place) = flip(path, dice) else { continue };
        roles.insert(role.clone());
        let what = format!("round {round}: {role} at {place}");
        let index = match EdgeIndex::open(quiet(folder.path())) {
            Ok(index) => index,
            Err(error) => {
                assert!(error.to_string().contains("需求"), "{what}: {error}");
                seen.refused += 1;
                continue;
            }
        };
        match read(&index, &points, &what).await {
            None => seen.failed += 1,
            Some(damaged) if damaged.is_empty() => seen.same += 1,
            Some(damaged) => {
                seen.damaged += 1;
                mend(&index, &points, &damaged, &what).await;
            }
        }
        index.close();
    }
    println!("{seen:?} of {rounds} in {roles:?}");
    assert!(0 < seen.refused && 0 < seen.damaged, "{seen:?}");
}

/// Files whose damage decides what is read. Left out are those that only find rows or room, and the versions of points,
/// which no checksum covers.
fn matters(role: &str) -> bool {
    let all = [
        "payload_storagepage_0.dat",
        "payload_storagetracker.dat",
        "id_tracker.mappings",
        "id_tracker.deleted",
        "vectorschunk_0.mmap",
        "sparsestorepage_0.dat",
        "sparsestoretracker.dat",
        "densedeletedstatus.dat",
    ];
    all.iter().any(|end| role.ends_with(end))
}

/// Overwrites and deletes damaged records: they are as new, and gone.
async fn mend(index: &EdgeIndex, points: &[Point], damaged: &BTreeSet<PointId>, what: &str) {
    let report = verify(index, CollectionKind::Records(Kind::Demand), DIMENSIONS, |_, _| ()).await.unwrap();
    assert!(!report.is_whole() && damaged.len() <= usize::try_from(report.damaged).unwrap(), "{what}: {report:?}");
    let mut broken = points.iter().filter(|point| damaged.contains(&point.id()));
    let (first, rest): (Option<&Point>, Vec<&Point>) = (broken.next(), broken.collect());
    if let Some(point) = first {
        // with the same revision: what is stored does not count
        let written = index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
        assert_eq!(written, [Written::Updated], "{what}");
        let found = index.get(&[point.record.name()], FieldSelection::Everything).await.unwrap();
        assert!(is_same(found[0].as_ref().unwrap(), point), "{what}");
    }
    for point in rest {
        assert!(index.delete(&point.record.name()).await.unwrap(), "{what}");
        assert_eq!(index.get(&[point.record.name()], FieldSelection::Payload).await.unwrap(), [None], "{what}");
    }
}

/// Runs `duijie verify`; returns the exit code, standard output and standard error.
async fn verified(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    command.arg("verify").arg(folder).args(more).current_dir(folder);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

/// Changes the sign of a number of one record's embedding, in the engine's files.
async fn tamper(folder: &Path, points: &[Point]) {
    let segments = folder.join("demands/engine/segments");
    // uncompressed in the files: the numbers of an embedding
    let wanted = scaled(points[10].clone()).dense[3].to_le_bytes();
    let near = |bytes: &[u8]| {
        let value = f32::from_le_bytes(*bytes.first_chunk().unwrap());
        (value - f32::from_le_bytes(wanted)).abs() < 1e-6
    };
    let mut changed = 0;
    for path in files(&segments).iter().filter(|path| role(path, &segments).contains("vector_storage")) {
        let bytes = fs::read(path).unwrap();
        let places = (0..bytes.len().saturating_sub(3)).step_by(4).filter(|place| near(&bytes[*place..]));
        for place in places {
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.write_at(&(-f32::from_le_bytes(wanted)).to_le_bytes(), place as u64).unwrap();
            changed += 1;
        }
    }
    assert!(0 < changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let points = store(folder.path()).await;
    let (code, out, err) = verified(folder.path(), &[]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains(&format!("需求库：完好 {RECORDS} 条，损坏 0 条")) && out.contains("没有发现损坏"), "{out}");
    tamper(folder.path(), &points).await;
    let name = points[10].record.name().to_string();
    let (code, out, err) = verified(folder.path(), &[]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("损坏 1 条") && out.contains(&format!("{name}：向量与校验和不符")), "{out}");
    assert!(err.contains("存储有损坏") && err.contains("重新导入"), "{err}");
    let (code, out, _) = verified(folder.path(), &["--json"]).await;
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(1), 5), "{out}");
    assert_eq!(lines[1]["damaged"], 1);
    assert_eq!(lines[2]["name"], name);

    // a snapshot and a copy leave it out, and say so
    let index = EdgeIndex::open(quiet(folder.path())).unwrap();
    let created = transfer::create(&index, index.shape().clone(), Vec::new(), |_| ()).await.unwrap();
    let left_out = &created.summary.left_out;
    assert_eq!((left_out.count, &left_out.listed[0].name), (1, &name));
    assert_eq!(created.summary.points(), RECORDS as u64 - 1);
    let other = tempfile::tempdir().unwrap();
    let target = EdgeIndex::open(quiet(other.path())).unwrap();
    let copied = transfer::copy(&index, &target, |_| ()).await.unwrap();
    assert_eq!(copied.left_out.count, 1);
    assert_eq!(index.status().kinds[1].damaged, 1);
    // written anew it is whole
    assert_eq!(index.upsert(Kind::Demand, vec![points[10].clone()]).await.unwrap(), [Written::Updated]);
    assert_eq!(index.status().kinds[1].damaged, 0);
    let copied = transfer::copy(&index, &target, |_| ()).await.unwrap();
    assert_eq!((copied.left_out.count, copied.written), (0, 1));
    target.close();
    index.close();
    assert_eq!(verified(folder.path(), &[]).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_ids_refuse_the_start_until_they_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).await;
    let census = folder.path().join("demands/census");
    let counted = fs::read_to_string(&census).unwrap();
    fs::write(&census, counted.replace(&format!("\"count\":{RECORDS}"), &format!("\"count\":{}", RECORDS + 1)))
        .unwrap();
    let refused = EdgeIndex::open(quiet(folder.path())).err().expect("it was opened");
    assert!(matches!(refused, IndexError::CountedOtherwise { before: 61, now: 60, .. }), "{refused}");
    let said = refused.to_string();
    assert!(said.contains("需求") && said.contains("duijie verify --accept"), "{said}");
    let PartlyOpened { index, failed } = EdgeIndex::open_partly(quiet(folder.path())).unwrap();
    assert!(failed.is_empty() && index.census_differences().len() == 1);
    index.close();
    for _ in 0..2 {
        let (code, out, _) = verified(folder.path(), &[]).await;
        assert_eq!(code, Some(1), "{out}");
        assert!(out.contains("当时 61 条，现在 60 条"), "{out}");
    }
    let (_, out, _) = verified(folder.path(), &["--accept"]).await;
    assert!(out.contains("已接受"), "{out}");
    EdgeIndex::open(quiet(folder.path())).unwrap().close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_cannot_be_opened_is_told_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).await;
    fs::remove_dir_all(folder.path().join("demands/engine/segments")).unwrap();
    let (code, out, err) = verified(folder.path(), &[]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("需求库无法读取") && out.contains(&format!("文档库：完好 {KEYS} 条")), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_document_is_told() {
    let original = tempfile::tempdir().unwrap();
    store(original.path()).await;
    let dice = &mut Dice::new(3);
    let (mut told, mut refused) = (0, 0);
    for round in 0..12 {
        let folder = copied(original.path());
        let segments = folder.path().join("documents/engine/segments");
        let all = files(&segments);
        let payloads: Vec<&PathBuf> = all.iter().filter(|path| matters(&role(path, &segments))).collect();
        let path = dice.pick(&payloads);
        let what = format!("round {round}: {} at {:?}", role(path, &segments), flip(path, dice));
        let Ok(index) = EdgeIndex::open(quiet(folder.path())) else {
            refused += 1;
            continue;
        };
        let mut lost = 0;
        for key in 0..KEYS {
            match index.read_documents("jobs", &[key.into()]).await {
                Ok(found) => assert_eq!(found[0].as_ref().map(|it| it.text.as_str()), Some(&*text(key)), "{what}"),
                Err(IndexError::DocumentDamaged { .. }) => lost += 1,
                Err(error) => panic!("{what}: {error}"),
            }
        }
        let page = index.list_documents(DocumentQuery::default(), None, 100).await.unwrap();
        assert_eq!((page.documents.len(), page.damaged.len()), (KEYS as usize - lost, lost), "{what}");
        told += lost;
        index.close();
    }
    assert!(0 < told + refused, "{told} {refused}");
}
