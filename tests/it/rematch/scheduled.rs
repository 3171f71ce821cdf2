//! A nightly job is started once, by one of several instances; if that instance dies, another starts it.

use std::{sync::Arc, time::Duration};

use duijie::{
    foreground::Foreground,
    rematch::{
        job::{JobRequest, Rematch, State},
        schedule::Schedule,
        scheduler::{Run, RunTrigger, ScheduledJobs, Scheduler},
    },
};
use duijie_store::Index;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{PATIENCE, Worker, settings, store, versions};
use crate::index::{
    engines::{connect, open, options},
    sample::Dice,
    server::start,
};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The parts of an instance that matter here.
struct Instance {
    rematch: Rematch,
    scheduler: Scheduler,
    worker: Worker,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Instance {
    fn new(index: Arc<dyn Index>, night: Timestamp) -> Self {
        let nightly = Some(night.to_zoned(TimeZone::UTC).time());
        let schedule = Schedule { nightly, time_zone: TimeZone::UTC, after_changes: None };
        let plan = ScheduledJobs { schedule, request: JobRequest { limit: 3, ..JobRequest::default() } };
        let rematch = Rematch::new(index.clone(), settings(), Arc::new(versions()), Foreground::default());
        let scheduler = Scheduler::new(index, rematch.clone(), plan).looking_every(LOOK_EVERY);
        let (stop, stopped) = oneshot::channel::<()>();
        let looking = scheduler.clone();
        let running = tokio::spawn(async move { looking.run(async { drop(stopped.await) }).await });
        Self { worker: Worker::start(&rematch), rematch, scheduler, stop, running }
    }

    /// Waits for the first run that has ended.
    async fn ended(&self) -> Run {
        let ended = async {
            loop {
                match self.scheduler.runs(None, 10).await.unwrap().runs.pop() {
                    Some((_, run)) if run.state.ended() => return run,
                    _ => tokio::time::sleep(LOOK_EVERY).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("a run that has ended")
    }

    async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap();
        self.worker.stop().await;
    }
}

async fn fill(index: &dyn Index) {
    let mut dice = Dice::new(5);
    for kind in [duijie_core::domain::Kind::Demand, duijie_core::domain::Kind::Achievement] {
        store(index, kind, 30, &mut dice).await;
    }
}

fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_instances_starts_the_job_of_a_night() {
    let (_folder, server) = start();
    let index: Arc<dyn Index> = Arc::new(connect(&server).await);
    fill(&*index).await;
    let night = seconds_from_now(2);
    let both = [Instance::new(index, night), Instance::new(Arc::new(connect(&server).await), night)];
    let run = both[0].ended().await;
    assert_eq!((run.trigger, run.state, run.failure.as_ref()), (RunTrigger::Nightly, State::Done, None));
    assert!(night <= run.start_time && 0 < run.pairs, "{run:?}");
    // time in which the other instance could repeat the job
    tokio::time::sleep(10 * LOOK_EVERY).await;
    for instance in &both {
        let runs = instance.scheduler.runs(None, 10).await.unwrap().runs;
        assert_eq!(runs.into_iter().map(|(_, run)| run).collect::<Vec<_>>(), std::slice::from_ref(&run));
        let jobs = instance.rematch.list(None, 10).await.unwrap().jobs;
        assert_eq!(jobs.iter().map(|job| Some(job.id)).collect::<Vec<_>>(), [run.job]);
    }
    for instance in both {
        instance.stop().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_is_not_missed_where_the_instance_on_duty_has_died() {
    let (_folder, server) = start();
    let index: Arc<dyn Index> = Arc::new(connect(&server).await);
    fill(&*index).await;
    // the heir starts before the job is due
    let night = seconds_from_now(5);
    // a separate instance that dies, with all its tasks, once it has the duty
    let dying = tokio::runtime::Runtime::new().unwrap();
    let options = options(&server.url(), "test");
    let first = dying.spawn(async move {
        let index = open(&options);
        index.ready(PATIENCE).await.unwrap();
        let index: Arc<dyn Index> = Arc::new(index);
        (Instance::new(index.clone(), night), index)
    });
    let _first = first.await.unwrap();
    let taken = async {
        while index.claim("rematch-schedule").await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, taken).await.unwrap();
    dying.shutdown_background();
    let heir = Instance::new(index, night);
    let run = heir.ended().await;
    assert_eq!((run.trigger, run.state), (RunTrigger::Nightly, State::Done), "{run:?}");
    assert_eq!(heir.scheduler.runs(None, 10).await.unwrap().runs.len(), 1);
    heir.stop().await;
    server.stop().await;
}
