//! kill -9 while writing and optimising, repeatedly on the same store: afterwards every acknowledged write is complete,
//! and no point is there twice.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use duijie_core::{
    domain::{Detail, Filter, Kind, Record, RecordName},
    text::{LexicalQuery, SparseVector},
};
use duijie_store::{EdgeIndex, EdgeOptions, FieldSelection, Index, Point, Records};

use super::{
    contract::assert_same,
    sample::{self, DIMENSIONS, Dice},
};
use crate::bad_day::expected::Expected;

const FOLDER: &str = "DUIJIE_CRASH_FOLDER";
const SEED: &str = "DUIJIE_CRASH_SEED";
const RECORDS: usize = 3_000;
const ROUNDS: u64 = 24;
/// Rounds on any machine.
const MIN_ROUNDS: u64 = 4;
/// Time after which no further round starts, if there were so many and one of them met the optimiser.
const LIMIT: Duration = Duration::from_secs(15);

/// A point derived entirely from its number and revision, so that a torn write shows.
fn point(number: usize, revision: u64) -> Point {
    let dice = &mut Dice::new(number as u64 * 1_000_003 + revision);
    let mut record = Record::new("local", format!("r-{number}"), "断电", Detail::empty(Kind::Demand));
    record.revision = revision;
    record.body = format!("{number} 的修订 {revision}");
    Point {
        record,
        dense: sample::dense(dice, DIMENSIONS),
        sparse: SparseVector {
            indices: vec![number as u32, 1_000_000 + (revision % 50) as u32],
            values: vec![1.0, 2.0],
        },
        query: LexicalQuery { terms: vec![(format!("修订{revision}"), 1.0)] },
    }
}

fn name(number: usize) -> RecordName {
    format!("demands/r-{number}").parse().unwrap()
}

/// Options with a constantly running optimiser.
fn restless(folder: &Path, seed: u64) -> EdgeOptions {
    let mut options = sample::options(folder);
    options.tuning.graph_from_kib = 16;
    options.tuning.optimize_after_points = 1;
    options.tuning.checkpoint_after_bytes = 100_000;
    // in every other round each checkpoint reloads the shard
    options.tuning.max_engine_log_bytes = if seed.is_multiple_of(2) { 1 } else { 1 << 30 };
    options
}

/// Runs in the child until killed: prints each operation before and after it.
#[tokio::test(flavor = "multi_thread")]
async fn crash_child() {
    let (Ok(folder), Ok(seed)) = (env::var(FOLDER), env::var(SEED)) else { return };
    let seed: u64 = seed.parse().unwrap();
    let dice = &mut Dice::new(seed);
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").unwrap();
        out.flush().unwrap();
    };
    say("open".into());
    let index = std::sync::Arc::new(EdgeIndex::open(restless(Path::new(&folder), seed)).unwrap());
    let optimizer = index.clone();
    // the thread ends with the process
    tokio::task::spawn_blocking(move || while optimizer.optimize().is_ok() {});
    let mut revision = seed * 1_000_000;
    loop {
        revision += 1;
        if dice.below(3) == 0 {
            let number = dice.below(RECORDS);
            say(format!("try {number} 0"));
            index.delete(&name(number)).await.unwrap();
            say(format!("done {number} 0"));
            continue;
        }
        let numbers: Vec<usize> = (0..=dice.below(60)).map(|_| dice.below(RECORDS)).collect();
        numbers.iter().for_each(|number| say(format!("try {number} {revision}")));
        index.upsert(Kind::Demand, numbers.iter().map(|number| point(*number, revision)).collect()).await.unwrap();
        numbers.iter().for_each(|number| say(format!("done {number} {revision}")));
    }
}

/// Takes note of a line of the child.
fn hear(expected: &mut Expected, line: &str) {
    let mut words = line.split(' ');
    let (Some(word), Some(Ok(number)), Some(Ok(revision))) =
        (words.next(), words.next().map(str::parse), words.next().map(str::parse))
    else {
        return;
    };
    match word {
        "try" => expected.tried(number, revision),
        "done" => expected.acknowledged(number, revision),
        _ => {}
    }
}

/// Compares every record with what is allowed; returns how many were compared.
async fn check(index: &dyn Index, expected: &mut Expected) -> usize {
    let numbers = expected.keys();
    let names: Vec<RecordName> = numbers.iter().map(|number| name(*number)).collect();
    let found = index.get(&names, FieldSelection::Everything).await.unwrap();
    let mut stored = 0;
    for (number, found) in numbers.iter().zip(found) {
        let revision = found.as_ref().map_or(0, |found| found.record.revision);
        expected.found(*number, revision);
        if 0 < revision {
            assert_same(found.as_ref(), &point(*number, revision));
            stored += 1;
        }
    }
    assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), stored);
    assert_eq!(index.status().kinds[1].points, stored);
    numbers.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (started, mut expected, dice) = (Instant::now(), Expected::default(), &mut Dice::new(41));
    let (mut rounds, mut cut_off, mut checks) = (0, 0, 0);
    // the short form is one of time
    let (short, wanted) = (crate::bad_day::rounds(0) == 0, crate::bad_day::rounds(ROUNDS));
    let enough = |rounds: u64, cut_off: u64| MIN_ROUNDS <= rounds && 0 < cut_off && LIMIT <= started.elapsed();
    while rounds < wanted && !(short && enough(rounds, cut_off)) {
        rounds += 1;
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "index::crash::crash_child", "--nocapture"])
            .envs([(FOLDER, folder.path().as_os_str()), (SEED, rounds.to_string().as_ref())])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // kills after a number of lines, as a fixed time would not fit every machine; in every fourth round while
        // opening
        let (heard, wait) = if rounds % 4 == 0 { (1, dice.below(40)) } else { (500 + dice.below(6_000), 0) };
        for _ in 0..heard {
            hear(&mut expected, &lines.next().expect("the child ended").unwrap());
        }
        let until = Instant::now() + Duration::from_millis(wait as u64);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(|line| hear(&mut expected, &line.unwrap_or_default()));
        cut_off += u64::from(folder.path().join("demands/optimizing").exists());
        let index = EdgeIndex::open(restless(folder.path(), rounds)).unwrap();
        checks += check(&index, &mut expected).await;
        index.close();
    }
    println!("{rounds} kills, {cut_off} of them while the optimiser ran, {checks} records compared, none lost");
    assert!(0 < cut_off, "{rounds} kills, none while the optimiser ran");
}
