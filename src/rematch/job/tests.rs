use fastrand::Rng;

use super::*;
use crate::{
    error::Error,
    tests::{Wall, settings, versions},
};
use duijie_core::{
    domain::{Detail, Filter, Kind, Record},
    text::LexicalQuery,
};
use duijie_store::{FieldSelection, MemoryIndex, PageRequest, Point};

const DIMENSIONS: usize = 8;
const SUBJECTS: u64 = 6;

/// A point whose vector and words lie around one of a few subjects, stored an hour ago.
fn point(kind: Kind, id: &str, rng: &mut Rng) -> Point {
    let subject = rng.u64(0..SUBJECTS);
    let mut centre = Rng::with_seed(subject);
    let dense = (0..DIMENSIONS).map(|_| centre.f32() - 0.5 + 0.3 * (rng.f32() - 0.5)).collect();
    let words = 0..rng.usize(3..7);
    let mut terms: Vec<(String, f32)> =
        words.map(|word| (format!("词{}", subject * 5 + word as u64 * rng.u64(1..3)), 0.3 + rng.f32())).collect();
    terms.sort_by(|one, other| one.0.cmp(&other.0));
    terms.dedup_by(|one, other| one.0 == other.0);
    let query = LexicalQuery { terms };
    let update_time = Some(Timestamp::now() - jiff::SignedDuration::from_hours(1));
    let record = Record { revision: 1, update_time, ..Record::new("local", id, "题目", Detail::empty(kind)) };
    Point { record, dense, sparse: query.sparse(), query }
}

/// Runs a job to its end.
async fn run(rematch: &Rematch, request: JobRequest) -> Job {
    let (_stopping, stop) = watch::channel(false);
    let job = rematch.start(request).await.unwrap();
    assert!(rematch.look(&stop).await.unwrap());
    let job = rematch.get(job.id).await.unwrap();
    assert_eq!(job.state, State::Done, "{job:?}");
    job
}

/// All results, without what only says where they come from.
async fn results(rematch: &Rematch, job: &Job) -> Vec<DemandResult> {
    let page = rematch.results(job.id, None, 1_000).await.unwrap();
    assert!(page.next.is_none() && !page.results.is_empty());
    page.results.into_iter().map(|result| DemandResult { carried: false, ..result }).collect()
}

/// The jobs of a store with demands and achievements.
async fn filled(index: &Arc<dyn Index>, rng: &mut Rng) -> Rematch {
    for (kind, count) in [(Kind::Demand, 40), (Kind::Achievement, 60)] {
        let points = (0..count).map(|number| point(kind, &format!("r-{number}"), rng)).collect();
        index.upsert(kind, points).await.unwrap();
    }
    Rematch::new(index.clone(), settings(), Arc::new(versions()), Foreground::default())
}

/// Changes, adds or deletes one record.
async fn edit(index: &dyn Index, id: &str, rng: &mut Rng) {
    let kind = if rng.bool() { Kind::Demand } else { Kind::Achievement };
    let page = PageRequest { after: None, limit: 1_000, with: FieldSelection::Payload };
    let all = index.scroll(kind, &Filter::default(), page).await.unwrap().points;
    let any = &all[rng.usize(0..all.len())].record;
    let mut edited = match rng.u8(0..3) {
        0 => return assert!(index.delete(&any.name()).await.unwrap()),
        1 => point(kind, id, rng),
        _ => point(kind, &any.id, rng),
    };
    edited.record.revision = any.revision + 1;
    edited.record.update_time = Some(index.clock().now(index).await.unwrap());
    index.upsert(kind, vec![edited]).await.unwrap();
}

#[tokio::test]
async fn an_incremental_job_says_what_a_full_one_says() {
    for seed in 0..4 {
        let mut rng = Rng::with_seed(seed);
        let index: Arc<dyn Index> = Arc::new(MemoryIndex::new(DIMENSIONS));
        let rematch = filled(&index, &mut rng).await;
        let wish = JobRequest { limit: 5, ..JobRequest::default() };
        let base = run(&rematch, wish.clone()).await;
        for number in 0..4 {
            edit(&*index, &format!("new-{number}"), &mut rng).await;
        }
        let incremental = run(&rematch, JobRequest { base: Some(base.id), ..wish.clone() }).await;
        assert!(matches!(incremental.method, Some(Method::Incremental { .. })), "{incremental:?}");
        assert!(0 < incremental.counts.carried, "{incremental:?}");
        let full = run(&rematch, wish).await;
        assert_eq!(results(&rematch, &incremental).await, results(&rematch, &full).await, "seed {seed}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_hides_no_change() {
    for seed in 0..4 {
        let (mut rng, wall) = (Rng::with_seed(seed), Wall::default());
        let index: Arc<dyn Index> = Arc::new(MemoryIndex::new(DIMENSIONS).with_clock(wall.clock()));
        let rematch = filled(&index, &mut rng).await;
        let wish = JobRequest { limit: 5, ..JobRequest::default() };
        let base = run(&rematch, wish.clone()).await;
        wall.set(-3 * 3_600);
        for number in 0..4 {
            edit(&*index, &format!("new-{number}"), &mut rng).await;
        }
        let incremental = run(&rematch, JobRequest { base: Some(base.id), ..wish.clone() }).await;
        assert!(matches!(incremental.method, Some(Method::Incremental { .. })), "{incremental:?}");
        let full = run(&rematch, wish).await;
        assert_eq!(results(&rematch, &incremental).await, results(&rematch, &full).await, "seed {seed}");
    }
}

#[tokio::test]
async fn open_jobs_are_bounded_for_each_caller_and_in_all() {
    let index: Arc<dyn Index> = Arc::new(MemoryIndex::new(DIMENSIONS));
    let rematch = Rematch::new(index.clone(), settings(), Arc::new(versions()), Foreground::default());
    let rematch = rematch.with_bounds(JobBounds { all: 5, of_caller: 3 });
    let wish = JobRequest::default;
    let refused = |started: Result<Job>| match started {
        Err(Error::Refused(refusal)) => refusal.metadata.iter().find(|it| it.0 == "whose").unwrap().1.clone(),
        other => panic!("{other:?}"),
    };
    let keyed = JobRequest { request_id: "r-1".into(), ..wish() };
    let first = rematch.start_for("one", keyed.clone()).await.unwrap();
    // jobs of one millisecond come in any order
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    // at once, as a caller would
    let started = futures::future::join_all((0..10).map(|_| rematch.start_for("one", wish()))).await;
    assert_eq!(started.iter().filter(|started| started.is_ok()).count(), 2);
    assert_eq!(refused(rematch.start_for("one", wish()).await), "caller");
    // a request that has its job is answered with it
    assert_eq!(rematch.start_for("one", keyed.clone()).await.unwrap().id, first.id);
    for _ in 0..2 {
        rematch.start_for("other", wish()).await.unwrap();
    }
    assert_eq!(refused(rematch.start_for("third", wish()).await), "all");
    let late = JobRequest { request_id: "r-2".into(), ..wish() };
    assert_eq!(refused(rematch.start_for("third", late.clone()).await), "all");
    // the service's own jobs are started all the same
    rematch.start(wish()).await.unwrap();
    assert_eq!(jobs::open(&*index).await.unwrap().len(), 6);
    // a job that has ended makes room, and the oldest is the next to run
    let (_stopping, stop) = watch::channel(false);
    assert!(rematch.look(&stop).await.unwrap());
    assert!(rematch.get(first.id).await.unwrap().state.ended());
    rematch.cancel(started.into_iter().find_map(|started| started.ok()).unwrap().id).await.unwrap();
    rematch.start_for("third", late).await.unwrap();
    assert_eq!(refused(rematch.start_for("one", wish()).await), "all");
}
