//! An incremental job says what a full one says, pair for pair and score for score, whatever was edited between.

use duijie::rematch::job::{JobRequest, Method, Selection};
use duijie_core::domain::{Filter, Kind, RecordName, codes::Status, hit::Level};
use duijie_store::{FieldSelection, Index, PageRequest, Point, Records};
use proptest::prelude::*;

use super::{Store, bare, changed, point, results, settings, store, with_status};
use crate::index::sample::Dice;

/// Demands, achievements and experts at the beginning.
const COUNTS: [(Kind, usize); 3] = [(Kind::Demand, 60), (Kind::Achievement, 90), (Kind::Expert, 50)];
/// Edits between two jobs.
const EDITS: usize = 5;

async fn all(index: &dyn Index, kind: Kind) -> Vec<Point> {
    let page = PageRequest { after: None, limit: 1_000, with: FieldSelection::Everything };
    index.scroll(kind, &Filter::default(), page).await.unwrap().points
}

/// Edits one record.
async fn edit(index: &dyn Index, number: usize, dice: &mut Dice) {
    let kind = dice.pick(&[Kind::Demand, Kind::Demand, Kind::Achievement, Kind::Achievement, Kind::Expert]);
    let any = dice.pick(&all(index, kind).await);
    let edited = match dice.below(5) {
        0 => {
            assert!(index.delete(&any.record.name()).await.unwrap());
            return;
        }
        1 => changed(&point(kind, &format!("new-{number}"), dice).record, dice),
        2 => with_status(any, Status::Closed),
        3 => with_status(any, Status::Active),
        _ => changed(&any.record, dice),
    };
    index.upsert(kind, vec![edited]).await.unwrap();
}

async fn check(seed: u64, candidates: usize, feedback: usize, wish: &JobRequest) {
    let mut dice = Dice::new(seed);
    let it = Store::open(rematch_settings(candidates, feedback));
    for (kind, count) in COUNTS {
        store(&*it.index, kind, count, &mut dice).await;
    }
    let mut base = it.run(wish.clone()).await;
    assert!(!results(&it.rematch, base.id, 50).await.is_empty());
    let mut number = 0;
    for round in 0..4 {
        for _ in 0..EDITS {
            number += 1;
            edit(&*it.index, number, &mut dice).await;
        }
        let incremental = it.run(JobRequest { base: Some(base.id), ..wish.clone() }).await;
        // the edits of the first two rounds always fit into a block; later ones may be too many for one
        let as_asked = match &incremental.method {
            Some(Method::Full { because }) => 2 <= round && because.contains("重新分块"),
            method => method.is_some(),
        };
        assert!(as_asked, "{incremental:?}");
        let full = it.run(wish.clone()).await;
        let (inputs, other) = (incremental.inputs.clone().unwrap(), full.inputs.clone().unwrap());
        assert!(inputs.targets.iter().zip(&other.targets).all(|(one, other)| one.statistics == other.statistics));
        let got = results(&it.rematch, incremental.id, 7).await;
        let want = results(&it.rematch, full.id, 50).await;
        assert_eq!(bare(got.clone()), want, "round {round}");
        assert_eq!(incremental.counts.carried as usize, got.iter().filter(|result| result.carried).count());
        let (one, other) = (incremental.counts, full.counts);
        assert_eq!((one.demands, one.done, one.pairs), (other.demands, other.done, other.pairs), "round {round}");
        base = incremental;
    }
    it.close().await;
}

fn rematch_settings(candidates: usize, feedback: usize) -> duijie::matching::Settings {
    duijie::matching::Settings { candidates, feedback, ..settings() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 4, ..ProptestConfig::default() })]

    #[test]
    fn an_incremental_job_says_what_a_full_one_says(
        seed in any::<u64>(),
        candidates in prop::sample::select(vec![8, 20, 200]),
        feedback in prop::sample::select(vec![0, 3, 10]),
        limit in prop::sample::select(vec![1, 5, 20]),
        experts: bool,
        strict: bool,
    ) {
        let targets = if experts { vec![Kind::Achievement, Kind::Expert] } else { vec![Kind::Achievement] };
        let min_level = strict.then_some(Level::Fair);
        let min_score = if strict { 0.4 } else { 0.0 };
        let wish = JobRequest { targets, limit, min_level, min_score, ..JobRequest::default() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(check(seed, candidates, feedback, &wish));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_matter_is_taken_from_the_base() {
    let it = Store::open(settings());
    let mut dice = Dice::new(3);
    for (kind, count) in COUNTS {
        store(&*it.index, kind, count, &mut dice).await;
    }
    let wish = JobRequest { limit: 3, ..JobRequest::default() };
    let base = it.run(wish.clone()).await;
    let since = JobRequest { base: Some(base.id), ..wish };
    let same = it.run(since.clone()).await;
    assert_eq!((same.counts.carried, same.counts.done), (60, 60));
    let any = all(&*it.index, Kind::Achievement).await.remove(0);
    it.index.upsert(Kind::Achievement, vec![changed(&any.record, &mut dice)]).await.unwrap();
    let one = it.run(since).await;
    assert_eq!(one.method, Some(Method::Incremental { changed_demands: 0, changed_targets: 1 }));
    assert!((30..60).contains(&one.counts.carried), "{one:?}");
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_come_and_go() {
    let it = Store::open(settings());
    let mut dice = Dice::new(4);
    for (kind, count) in COUNTS {
        store(&*it.index, kind, count, &mut dice).await;
    }
    let names: Vec<RecordName> =
        ["r-1", "r-2", "later", "never"].iter().map(|id| format!("demands/{id}").parse().unwrap()).collect();
    let wish = JobRequest { selection: Selection::Names(names), ..JobRequest::default() };
    let base = it.run(wish.clone()).await;
    assert_eq!((base.counts.demands, base.counts.failed, base.errors.len()), (4, 2, 2));
    let later = changed(&point(Kind::Demand, "later", &mut dice).record, &mut dice);
    it.index.upsert(Kind::Demand, vec![later]).await.unwrap();
    assert!(it.index.delete(&"demands/r-1".parse().unwrap()).await.unwrap());
    let mut base = base.id;
    for _ in 0..2 {
        let since = it.run(JobRequest { base: Some(base), ..wish.clone() }).await;
        let full = it.run(wish.clone()).await;
        assert!(matches!(since.method, Some(Method::Incremental { .. })), "{since:?}");
        assert_eq!((since.counts.demands, since.counts.failed), (4, 2));
        assert_eq!((full.counts.demands, full.counts.failed), (4, 2));
        let (got, want) = (results(&it.rematch, since.id, 2).await, results(&it.rematch, full.id, 2).await);
        assert_eq!(bare(got), want);
        assert_eq!(want.len(), 2);
        base = since.id;
    }
    it.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_base_does_not_fit_everything_is_matched_and_that_is_said() {
    let mut it = Store::open(settings());
    let mut dice = Dice::new(5);
    for (kind, count) in COUNTS {
        store(&*it.index, kind, count, &mut dice).await;
    }
    let wish = JobRequest::default();
    let base = it.run(wish.clone()).await;
    let check = async |it: &Store, request: JobRequest, want: &str| {
        let job = it.run(JobRequest { base: Some(base.id), ..request }).await;
        let Some(Method::Full { because }) = &job.method else { panic!("{job:?}") };
        assert!(because.contains(want), "{because}");
        assert_eq!(job.counts.carried, 0);
    };
    check(&it, JobRequest { limit: 7, ..wish.clone() }, "条件不同").await;
    it = it.with(rematch_settings(50, 5)).await;
    check(&it, wish.clone(), "参数").await;
    it = it.with(settings()).await;
    let many = all(&*it.index, Kind::Achievement).await;
    let many = many.iter().chain(&many).map(|point| changed(&point.record, &mut dice));
    let many: Vec<Point> = many
        .enumerate()
        .map(|(number, mut point)| {
            point.record.id = format!("many-{number}");
            point
        })
        .collect();
    it.index.upsert(Kind::Achievement, many).await.unwrap();
    check(&it, wish, "词频统计").await;
    it.close().await;
}
