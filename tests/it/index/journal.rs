//! Damaged and missing journals: the start is refused, and `duijie repair` saves what can be saved.

use std::{fs, path::Path, process::Command, time::Duration};

use duijie_core::domain::{Filter, Kind};
use duijie_store::{EdgeIndex, FieldSelection, IndexError, Point, Records};
use tempfile::TempDir;

use super::sample::{self, Dice};

const RECORDS: usize = 30;

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else if entry.file_name() == "ballast" {
            // its length is enough
            fs::File::create(target).unwrap().set_len(entry.metadata().unwrap().len()).unwrap();
        } else {
            drop(fs::copy(entry.path(), target))
        }
    }
}

/// A store as a kill leaves it: each record was acknowledged by itself and is in the journal. Returns its records too.
pub async fn killed() -> (TempDir, Vec<Point>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = sample::options(folder.path());
    options.tuning.checkpoint_after_rest = Duration::from_secs(3_600);
    options.tuning.optimize_after_rest = Duration::from_secs(3_600);
    let index = EdgeIndex::open(options).unwrap();
    let points = sample::points(Kind::Demand, RECORDS, &mut Dice::new(7));
    for point in &points {
        index.upsert(Kind::Demand, vec![point.clone()]).await.unwrap();
    }
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    index.close();
    (killed, points)
}

fn refused(folder: &Path) -> IndexError {
    EdgeIndex::open(sample::options(folder)).err().expect("it was opened")
}

/// Runs `duijie repair`; returns the exit code, standard output and standard error.
fn repair(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duijie"));
    let ran = command.arg("repair").arg(folder).args(more).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

async fn found(folder: &Path, points: &[Point]) -> Vec<String> {
    let index = sample::open(folder);
    let names: Vec<_> = points.iter().map(|point| point.record.name()).collect();
    let found = index.get(&names, FieldSelection::Payload).await.unwrap();
    let count = index.count(Kind::Demand, &Filter::default()).await.unwrap();
    index.close();
    let found: Vec<_> = found.into_iter().flatten().map(|point| point.record.name().to_string()).collect();
    assert_eq!(found.len() as u64, count);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_stops_the_start_and_what_can_be_saved_is_saved() {
    let (folder, points) = killed().await;
    let journal = folder.path().join("demands/journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&journal, &bytes).unwrap();

    let said = refused(folder.path());
    let IndexError::JournalDamaged { offset, .. } = &said else { panic!("{said}") };
    assert!((*offset as usize) <= middle && middle < *offset as usize + bytes.len() / RECORDS * 2, "{offset}");
    let said = said.to_string();
    for part in [journal.to_str().unwrap(), &offset.to_string(), "duijie repair", "需求"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let (code, stdout, stderr) = repair(folder.path(), &[]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    for part in ["有损坏", &format!("从第 {offset} 字节起"), "缺失 1 项写入", "可以挽救", "demands/"] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    assert!(stderr.contains("--apply"), "{stderr}");
    assert_eq!(fs::read(&journal).unwrap(), bytes, "nothing was changed");
    refused(folder.path());

    let (code, stdout, stderr) = repair(folder.path(), &["--apply"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let mut beside = fs::read_dir(journal.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let kept = beside.find(|path| path.to_string_lossy().contains("journal.damaged-")).unwrap();
    assert!(stdout.contains(kept.to_str().unwrap()), "{stdout}");
    assert_eq!(fs::read(kept).unwrap(), bytes);
    // all but the damaged one; the engine had that in its files, as this was no power failure
    let found = found(folder.path(), &points).await;
    assert!((RECORDS - 1..=RECORDS).contains(&found.len()), "{}", found.len());
    let (code, stdout, _) = repair(folder.path(), &[]);
    assert_eq!(code, Some(0), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_end_is_cut_as_ever() {
    let (folder, points) = killed().await;
    let journal = folder.path().join("demands/journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes.extend([0; 5_000]);
    fs::write(&journal, &bytes).unwrap();
    let (code, stdout, _) = repair(folder.path(), &[]);
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains(&format!("其中有 {RECORDS} 项写入；末尾有 5000 字节")), "{stdout}");
    assert_eq!(found(folder.path(), &points).await.len(), RECORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_a_journal_is_refused() {
    let (folder, points) = killed().await;
    let journal = folder.path().join("demands/journal");
    let aside = folder.path().join("aside");
    fs::rename(&journal, &aside).unwrap();
    let said = refused(folder.path());
    assert!(matches!(said, IndexError::JournalMissing { .. }), "{said}");
    let said = said.to_string();
    assert!(said.contains(journal.to_str().unwrap()) && said.contains("duijie repair"), "{said}");
    assert!(!journal.exists(), "none is made in its place");
    let (code, stdout, _) = repair(folder.path(), &[]);
    assert!(code == Some(1) && stdout.contains("不见了"), "{stdout}");
    // put back, nothing is lost
    fs::rename(&aside, &journal).unwrap();
    assert_eq!(found(folder.path(), &points).await.len(), RECORDS);
    fs::remove_file(&journal).unwrap();
    let (code, stdout, _) = repair(folder.path(), &["--apply"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_eq!(found(folder.path(), &points).await.len(), RECORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_store_that_nobody_uses_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = repair(folder.path(), &["--apply"]);
    assert!(code == Some(1) && stderr.contains("没有存储"), "{stderr}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let index = sample::open(folder.path());
    let (code, _, stderr) = repair(folder.path(), &[]);
    assert!(code == Some(1) && stderr.contains("正被另一个进程"), "{stderr}");
    index.close();
}
