//! Writers and readers that note what was acknowledged, and the checks that it is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_store::{FieldSelection, PageRequest, Point, Records, Retrieval, Search, ServerIndex, Written};
use tokio::{task::JoinHandle, time::sleep};

use crate::sample::{self, DIMENSIONS, Dice};

/// Points of one write: with 6 shards, practically every write touches each of them.
const BATCH: usize = 30;
/// Records that all writers change.
const SHARED: usize = 3;
/// Most writes of one writer, so that a load always ends.
const MOST: usize = 20_000;
const PAUSE: Duration = Duration::from_millis(20);

/// What was acknowledged, and how long calls took, from the last [`Ledger::mark`] on.
#[derive(Default)]
pub struct Ledger {
    /// Names of records that are stored.
    stored: Mutex<Vec<RecordName>>,
    /// Marks stored in shared records.
    marks: Mutex<BTreeSet<String>>,
    stop: AtomicBool,
    number: AtomicU64,
    since: Mutex<Option<Since>>,
}

/// Figures from a moment on.
#[derive(Clone)]
pub struct Since {
    began: Instant,
    /// For each writer: when its first whole write that began after the moment was acknowledged.
    pub first: BTreeMap<usize, Duration>,
    /// Writes that were refused.
    pub refused: u64,
    /// The sentences of what was refused.
    pub sentences: BTreeSet<String>,
    /// The longest write.
    pub write: Duration,
    /// The longest read.
    pub read: Duration,
    /// Reads that failed.
    pub failed: u64,
}

/// A running load.
pub struct Load {
    ledger: Arc<Ledger>,
    tasks: Vec<JoinHandle<()>>,
    writers: usize,
}

// === impl Ledger ===

impl Ledger {
    /// Forgets the figures so far.
    pub fn mark(&self) {
        let since = Since {
            began: Instant::now(),
            first: BTreeMap::new(),
            refused: 0,
            sentences: BTreeSet::new(),
            write: Duration::ZERO,
            read: Duration::ZERO,
            failed: 0,
        };
        *self.since.lock().unwrap() = Some(since);
    }

    /// The figures since the last mark.
    pub fn since(&self) -> Since {
        self.since.lock().unwrap().clone().expect("marked")
    }

    /// Acknowledged records and marks.
    pub fn counts(&self) -> (usize, usize) {
        (self.stored.lock().unwrap().len(), self.marks.lock().unwrap().len())
    }

    fn note(&self, note: impl FnOnce(&mut Since)) {
        if let Some(since) = &mut *self.since.lock().unwrap() {
            note(since);
        }
    }

    fn refused(&self, error: &dyn std::fmt::Display) {
        self.note(|since| {
            since.refused += 1;
            if since.sentences.len() < 20 {
                since.sentences.insert(error.to_string());
            }
        });
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Relaxed)
    }

    /// Names of acknowledged records that this index does not have, and acknowledged marks that are missing or double.
    pub async fn lost(&self, index: &ServerIndex) -> Vec<String> {
        let mut lost = Vec::new();
        let stored = self.stored.lock().unwrap().clone();
        for names in stored.chunks(500) {
            let found = get(index, names).await;
            lost.extend(names.iter().zip(found).filter(|(_, found)| found.is_none()).map(|(name, _)| name.to_string()));
        }
        let acknowledged = self.marks.lock().unwrap().clone();
        let found = get(index, &shared_names()).await;
        let bodies: Vec<String> = found.into_iter().flatten().map(|point| point.record.body).collect();
        let all: Vec<&str> = bodies.iter().flat_map(|body| body.split(';')).filter(|mark| !mark.is_empty()).collect();
        let once: BTreeSet<&str> = all.iter().copied().collect();
        lost.extend(acknowledged.iter().filter(|mark| !once.contains(mark.as_str())).cloned());
        if once.len() != all.len() {
            lost.push("a mark is there twice".to_string());
        }
        lost
    }
}

// === impl Load ===

impl Load {
    /// Starts two writers of new records, a writer of shared ones, and a reader for each index.
    pub async fn start(indexes: &[Arc<ServerIndex>], ledger: &Arc<Ledger>) -> Self {
        ledger.stop.store(false, Relaxed);
        ledger.mark();
        let mut tasks = Vec::new();
        let writers = indexes.len() * 2;
        for writer in 0..writers {
            tasks.push(tokio::spawn(write(writer, Arc::clone(&indexes[writer % indexes.len()]), Arc::clone(ledger))));
        }
        for index in indexes {
            tasks.push(tokio::spawn(change(Arc::clone(index), Arc::clone(ledger))));
            tasks.push(tokio::spawn(read(Arc::clone(index), Arc::clone(ledger))));
        }
        Self { ledger: Arc::clone(ledger), tasks, writers }
    }

    /// Time from the last mark until every writer had a write acknowledged that began after it; `None` after `patience`.
    pub async fn all_written(&self, patience: Duration) -> Option<Duration> {
        let end = Instant::now() + patience;
        loop {
            let since = self.ledger.since();
            if since.first.len() == self.writers {
                return since.first.values().max().copied();
            }
            if end <= Instant::now() {
                return None;
            }
            sleep(PAUSE).await;
        }
    }

    /// Ends it and waits for the calls in flight.
    pub async fn stop(self) {
        self.ledger.stop.store(true, Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// Stores the shared records.
pub async fn prepare(index: &ServerIndex) {
    let mut dice = Dice::new(3);
    let points = shared_names().into_iter().map(|name| {
        let mut point = sample::point(sample::record(Kind::Demand, &name.id, &mut dice), &mut dice);
        point.record.source.clone_from(&name.source);
        point.record.body = String::new();
        point
    });
    index.upsert(Kind::Demand, points.collect()).await.unwrap();
}

/// Everything that an index has of a kind, in the order of ids; `Debug` text, as it is compared only.
pub async fn everything(index: &ServerIndex, kind: Kind) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let request = PageRequest { after, limit: 500, with: FieldSelection::Everything };
        let page = index.scroll(kind, &Filter::default(), request).await.unwrap();
        all.extend(page.points.into_iter().map(|point| (point.record.name().to_string(), format!("{point:?}"))));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn write(writer: usize, index: Arc<ServerIndex>, ledger: Arc<Ledger>) {
    let mut dice = Dice::new(writer as u64);
    for _ in 0..MOST {
        if !ledger.goes_on() {
            return;
        }
        let number = ledger.number.fetch_add(1, Relaxed);
        let id = |place| format!("n{writer}-{number}-{place}");
        let points: Vec<Point> = (0..BATCH)
            .map(|place| sample::point(sample::record(Kind::Demand, &id(place), &mut dice), &mut dice))
            .collect();
        // sent until it is acknowledged: a refused write may be stored all the same
        while ledger.goes_on() {
            let began = Instant::now();
            match index.upsert(Kind::Demand, points.clone()).await {
                Ok(written) => {
                    assert!(written.iter().all(|it| matches!(it, Written::Created | Written::Stale { stored: 1 })));
                    ledger.stored.lock().unwrap().extend(points.iter().map(|point| point.record.name()));
                    ledger.note(|since| {
                        since.write = since.write.max(began.elapsed());
                        if since.began <= began {
                            let took = since.began.elapsed();
                            since.first.entry(writer).or_insert(took);
                        }
                    });
                    break;
                }
                Err(error) => ledger.refused(&error),
            }
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
}

/// Adds marks to the shared records; each is added by whoever sees the newest version.
async fn change(index: Arc<ServerIndex>, ledger: Arc<Ledger>) {
    let names = shared_names();
    let mut dice = Dice::new(11);
    for turn in 0..MOST {
        let name = &names[turn % SHARED];
        let mark = format!("m{}", ledger.number.fetch_add(1, Relaxed));
        loop {
            if !ledger.goes_on() {
                return;
            }
            sleep(PAUSE).await;
            let seen = index.get(std::slice::from_ref(name), FieldSelection::Everything).await;
            let Ok(Some(mut point)) = seen.map(|mut seen| seen.remove(0)) else { continue };
            if point.record.body.split(';').any(|it| it == mark) {
                // stored, although the call was refused
                ledger.marks.lock().unwrap().insert(mark);
                break;
            }
            point.record.revision += 1;
            point.record.body = format!("{}{mark};", point.record.body);
            match index.upsert(Kind::Demand, vec![point]).await.as_deref() {
                Ok([Written::Updated]) => {
                    ledger.marks.lock().unwrap().insert(mark);
                    break;
                }
                Ok(_) => {}
                Err(error) => ledger.refused(error),
            }
        }
        sleep(PAUSE * (1 + dice.below(4) as u32)).await;
    }
}

async fn read(index: Arc<ServerIndex>, ledger: Arc<Ledger>) {
    let mut dice = Dice::new(5);
    let names = shared_names();
    while ledger.goes_on() {
        let search = Search { dense: Some(sample::dense(&mut dice, DIMENSIONS)), depth: 10, ..Search::default() };
        let began = Instant::now();
        let (got, found) = tokio::join!(index.get(&names, FieldSelection::Payload), index.search(Kind::Demand, search));
        let took = began.elapsed();
        ledger.note(|since| {
            since.read = since.read.max(took);
            since.failed += u64::from(got.is_err() || found.is_err());
        });
        sleep(PAUSE).await;
    }
}

fn shared_names() -> Vec<RecordName> {
    let name = |number| format!("demands/shared/s-{number}").parse().unwrap();
    (0..SHARED).map(name).collect()
}

async fn get(index: &ServerIndex, names: &[RecordName]) -> Vec<Option<Point>> {
    index.get(names, FieldSelection::Payload).await.unwrap()
}
