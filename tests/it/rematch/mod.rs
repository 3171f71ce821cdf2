//! Re-matching jobs on the real engine.
//!
//! - `incremental`: what an incremental job says is what a full one says, whatever was edited; `edits`: made at random
//! - `jobs`: asking, waiting, stopping, reading page by page
//! - `scheduled`: the job of a night, once, with two instances
//! - `survives`: kill -9, and two instances on one server
//! - `stalling`: an engine that keeps a job running

mod edits;
mod incremental;
mod jobs;
mod scheduled;
mod stalling;
mod survives;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use duijie::{
    foreground::Foreground,
    matching::Settings,
    rematch::job::{DemandResult, Job, JobId, JobRequest, Rematch, State},
};
use duijie_core::{
    domain::{Detail, Kind, Record, RecordName, codes::Status},
    rank::{Calibration, Fusion},
    text::LexicalQuery,
};
use duijie_store::{Document, Index, MemoryIndex, Point, StoreVersions};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::index::sample::{self, DIMENSIONS, Dice};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Different words of the made texts.
const WORDS: usize = 60;
/// Folders of statistics of terms: their texts say when they were taken.
const STATISTICS: &str = "rematch/statistics";
/// Subjects around which the generated vectors lie.
const SUBJECTS: u64 = 6;

/// A store with a worker for its jobs.
pub struct Store {
    pub index: Arc<dyn Index>,
    pub rematch: Rematch,
    worker: Worker,
    folder: Option<TempDir>,
}

/// A worker that runs jobs.
pub struct Worker {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Store {
    pub fn open(settings: Settings) -> Self {
        Self::through(settings, |index| index)
    }

    /// A store whose jobs use a wrapped engine.
    pub fn through(settings: Settings, engine: impl FnOnce(Arc<dyn Index>) -> Arc<dyn Index>) -> Self {
        let folder = TempDir::new().unwrap();
        let index: Arc<dyn Index> = Arc::new(sample::open(folder.path()));
        let rematch = Rematch::new(engine(index.clone()), settings, Arc::new(versions()), Foreground::default());
        Self { worker: Worker::start(&rematch), index, rematch, folder: Some(folder) }
    }

    /// A store on an engine in memory.
    pub fn in_memory(settings: Settings, memory: Arc<MemoryIndex>) -> Self {
        let rematch = Rematch::new(memory.clone(), settings, Arc::new(versions()), Foreground::default());
        Self { worker: Worker::start(&rematch), index: memory, rematch, folder: None }
    }

    /// The same store with other settings.
    pub async fn with(self, settings: Settings) -> Self {
        self.worker.stop().await;
        let Self { index, folder, .. } = self;
        let rematch = Rematch::new(index.clone(), settings, Arc::new(versions()), Foreground::default());
        Self { worker: Worker::start(&rematch), index, rematch, folder }
    }

    /// Runs a job to its end.
    pub async fn run(&self, request: JobRequest) -> Job {
        let (mut job, start) = (self.rematch.start(request).await.unwrap(), Instant::now());
        while !job.state.ended() && start.elapsed() < PATIENCE {
            // not `wait`, which looks ten times a second: most of these jobs take a few milliseconds
            tokio::time::sleep(LOOK_EVERY).await;
            job = self.rematch.get(job.id).await.unwrap();
        }
        assert_eq!(job.state, State::Done, "{job:?}");
        job
    }

    pub async fn close(self) {
        self.worker.stop().await;
        drop((self.index, self.rematch));
        drop(self.folder);
    }
}

impl Worker {
    pub fn start(rematch: &Rematch) -> Self {
        let (stop, stopped) = oneshot::channel();
        let rematch = rematch.clone();
        let running = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            rematch.run(stopped).await;
        });
        Self { stop, running }
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap();
    }
}

pub fn settings() -> Settings {
    Settings {
        candidates: 40,
        fusion: Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 },
        feedback: 5,
        calibration: Arc::new(Calibration::shipped().unwrap()),
    }
}

pub fn memory() -> Arc<MemoryIndex> {
    Arc::new(MemoryIndex::new(DIMENSIONS))
}

/// Time passes: what was stored, deleted and counted until now was so much earlier. Jobs keep their times, so that only
/// what comes from now on is later than the last one.
pub fn age(memory: &MemoryIndex, by: SignedDuration) {
    memory.age(by, |document: &mut Document| {
        if document.folder.starts_with(STATISTICS)
            && let Ok(mut about) = serde_json::from_str::<serde_json::Value>(&document.text)
            && let Some(time) = about["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok())
        {
            about["time"] = time.checked_sub(by).unwrap().to_string().into();
            document.text = about.to_string();
        }
    });
}

pub fn versions() -> StoreVersions {
    sample::options(std::path::Path::new("")).versions
}

/// A point with vector and words around one of a few subjects, stored an hour ago.
pub fn point(kind: Kind, id: &str, dice: &mut Dice) -> Point {
    let subject = dice.next() % SUBJECTS;
    let mut mean_vector = Dice::new(subject + 1);
    let dense = (0..DIMENSIONS).map(|_| mean_vector.float() + 0.6 * dice.float()).collect();
    let word = |dice: &mut Dice| (subject as usize * 5 + dice.below(WORDS / 3)) % WORDS;
    let mut terms: Vec<(String, f32)> = Vec::new();
    for _ in 0..6 {
        let term = format!("词{}", word(dice));
        if terms.iter().all(|(other, _)| *other != term) {
            terms.push((term, 0.3 + 2.0 * dice.float().abs()));
        }
    }
    let query = LexicalQuery { terms };
    let update_time = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).ok();
    let record =
        Record { revision: 1, update_time, ..Record::new("local", id, format!("题目{id}"), Detail::empty(kind)) };
    Point { record, dense, sparse: query.sparse(), query }
}

/// The same record with other content, stored now.
pub fn changed(before: &Record, dice: &mut Dice) -> Point {
    let mut point = point(before.kind(), &before.id, dice);
    point.record.revision = before.revision + 1;
    point.record.update_time = Some(Timestamp::now());
    point
}

/// The same point with another status.
pub fn with_status(mut point: Point, status: Status) -> Point {
    point.record.status = status;
    point.record.revision += 1;
    point.record.update_time = Some(Timestamp::now());
    point
}

pub async fn store(index: &dyn Index, kind: Kind, count: usize, dice: &mut Dice) {
    let points = (0..count).map(|number| point(kind, &format!("r-{number}"), dice)).collect();
    index.upsert(kind, points).await.unwrap();
}

/// All results of a job, read in pages of this size.
pub async fn results(rematch: &Rematch, id: JobId, page: usize) -> Vec<DemandResult> {
    let (mut all, mut after): (Vec<DemandResult>, Option<RecordName>) = (Vec::new(), None);
    loop {
        let read = rematch.results(id, after.as_ref(), page).await.unwrap();
        assert!(read.results.len() <= page);
        all.extend(read.results);
        match read.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// The results without their origin (`carried`).
pub fn bare(results: Vec<DemandResult>) -> Vec<DemandResult> {
    results.into_iter().map(|result| DemandResult { carried: false, ..result }).collect()
}
