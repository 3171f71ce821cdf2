//! Starting jobs, waiting for them, cancelling them, reading their results.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use duijie::{
    error::Error,
    rematch::job::{JobId, JobRequest, Method, Selection, State},
};
use duijie_core::domain::Kind;
use duijie_store::PointId;

use super::{PATIENCE, Store, results, settings, stalling::Stalling, store};
use crate::index::sample::Dice;

async fn filled(demands: usize) -> Store {
    let it = Store::open(settings());
    fill(&it, demands).await;
    it
}

async fn fill(it: &Store, demands: usize) {
    let mut dice = Dice::new(9);
    store(&*it.index, Kind::Demand, demands, &mut dice).await;
    store(&*it.index, Kind::Achievement, 90, &mut dice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_what_it_was_made_of() {
    let it = filled(70).await;
    let job = it.run(JobRequest::default()).await;
    let inputs = job.inputs.clone().unwrap();
    assert_eq!((inputs.demands, inputs.targets[0].records), (70, 90));
    assert!(inputs.targets[0].statistics.starts_with("terms-90-"));
    assert_eq!(job.method, Some(Method::Full { because: None }));
    assert_eq!((job.counts.demands, job.counts.done, job.counts.carried, job.counts.failed), (70, 70, 0, 0));
    assert!(job.start_time <= job.end_time && job.create_time <= job.start_time.unwrap());
    let all = results(&it.rematch, job.id, 1_000).await;
    assert_eq!(all.len(), 70);
    assert_eq!(job.counts.pairs as usize, all.iter().map(|result| result.lists[0].pairs.len()).sum::<usize>());
    for list in all.iter().map(|result| &result.lists[0]) {
        assert_eq!(list.pairs.len(), 20);
        assert!(list.pairs.is_sorted_by(|one, next| next.score <= one.score));
        assert!(list.pairs.iter().all(|pair| pair.level.is_some() && pair.revision == 1));
    }
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_give_the_same_results() {
    let it = filled(70).await;
    let job = it.run(JobRequest::default()).await;
    let all = results(&it.rematch, job.id, 1_000).await;
    assert!(all.is_sorted_by_key(|result| PointId::of(&result.demand)));
    for page in [1, 3, 32, 69, 70] {
        assert_eq!(results(&it.rematch, job.id, page).await, all, "{page}");
    }
    // a demand without result is a valid page position
    let after = "demands/nobody".parse().unwrap();
    let rest = it.rematch.results(job.id, Some(&after), 1_000).await.unwrap().results;
    let want: Vec<_> = all.into_iter().filter(|result| PointId::of(&after) < PointId::of(&result.demand)).collect();
    assert_eq!(rest, want);
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_start_gives_the_same_job() {
    let it = filled(5).await;
    let named = JobRequest { request_id: "nightly-1".into(), ..JobRequest::default() };
    let (one, other) = tokio::join!(it.rematch.start(named.clone()), it.rematch.start(named.clone()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.id, other.id);
    it.rematch.wait(one.id, PATIENCE).await.unwrap();
    let again = it.rematch.start(named.clone()).await.unwrap();
    assert_eq!((again.id, again.state), (one.id, State::Done));
    let Err(Error::Invalid(violations)) = it.rematch.start(JobRequest { limit: 3, ..named }).await else {
        panic!("another request under the same name")
    };
    assert_eq!(violations[0].field, "request_id");
    let unnamed = it.rematch.start(JobRequest::default()).await.unwrap();
    assert_ne!(unnamed.id, it.rematch.start(JobRequest::default()).await.unwrap().id);
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_wrong() {
    let it = filled(1).await;
    let nobody = JobId::new(7);
    assert!(matches!(it.rematch.get(nobody).await, Err(Error::NoSuchJob(_))));
    assert!(matches!(it.rematch.cancel(nobody).await, Err(Error::NoSuchJob(_))));
    assert!(matches!(it.rematch.wait(nobody, PATIENCE).await, Err(Error::NoSuchJob(_))));
    assert!(matches!(it.rematch.results(nobody, None, 10).await, Err(Error::NoSuchJob(_))));
    let based = JobRequest { base: Some(nobody), ..JobRequest::default() };
    assert!(matches!(it.rematch.start(based).await, Err(Error::NoSuchJob(_))));
    let wrong = JobRequest { limit: 0, selection: Selection::Names(Vec::new()), ..JobRequest::default() };
    let Err(Error::Invalid(violations)) = it.rematch.start(wrong).await else { panic!("a wrong request") };
    assert_eq!(violations.len(), 2);
    assert_eq!(it.rematch.list(None, 10).await.unwrap().jobs, []);
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_the_latest_first() {
    let it = filled(2).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, it.run(JobRequest::default()).await.id);
    }
    assert!(ids.is_sorted_by(|one, next| next < one));
    let page = it.rematch.list(None, 3).await.unwrap();
    assert_eq!(page.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[..3]);
    let rest = it.rematch.list(page.next, 3).await.unwrap();
    assert_eq!(rest.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[3..]);
    assert_eq!(rest.next, None);
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_stops_within_a_second_and_keeps_what_is_done() {
    // the engine stalls midway, so the job does not finish
    let it = Store::through(settings(), |index| Arc::new(Stalling::new(index, 5)));
    fill(&it, 500).await;
    let job = it.rematch.start(JobRequest::default()).await.unwrap();
    let under_way = async {
        while it.rematch.get(job.id).await.unwrap().counts.done == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, under_way).await.unwrap();
    let asked = Instant::now();
    it.rematch.cancel(job.id).await.unwrap();
    let job = it.rematch.wait(job.id, PATIENCE).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(job.state, State::Cancelled);
    assert!(0 < job.counts.done && job.counts.done <= 5 * 32, "{job:?}");
    let kept = results(&it.rematch, job.id, 1_000).await;
    assert_eq!(kept.len() as u64, job.counts.done);
    // cancelling again is harmless
    assert_eq!(it.rematch.cancel(job.id).await.unwrap().state, State::Cancelled);
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_nothing_is_done_at_once() {
    let it = Store::open(settings());
    let job = it.run(JobRequest { targets: vec![Kind::Achievement, Kind::Expert], ..JobRequest::default() }).await;
    assert_eq!((job.counts.demands, job.counts.pairs), (0, 0));
    assert!(results(&it.rematch, job.id, 10).await.is_empty());
    store(&*it.index, Kind::Demand, 3, &mut Dice::new(2)).await;
    let alone = it.run(JobRequest::default()).await;
    assert_eq!((alone.counts.demands, alone.counts.pairs), (3, 0));
    it.close().await;
}
