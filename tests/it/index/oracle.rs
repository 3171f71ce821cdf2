//! Searches and filters against plain Rust.

use std::collections::{BTreeSet, HashMap};

use super::{
    contract::scaled,
    engines::on_every_engine,
    sample::{self, DIMENSIONS, Dice},
};
use duijie_core::{
    domain::{Detail, Filter, Kind, Range, Record, gb},
    text::SparseVector,
};
use duijie_store::{FieldSelection, Hit, Index, MemoryIndex, PageRequest, Point, PointId, Records, Retrieval, Search};

/// What a filter means, said without an engine.
pub fn matches(filter: &Filter, record: &Record) -> bool {
    let one_of = |list: &[String], value: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|code| value(code));
    let within = |range: Option<Range>, value: Option<i64>| {
        range.is_none_or(|range| {
            value.is_some_and(|v| range.min.is_none_or(|min| min <= v) && range.max.is_none_or(|max| v <= max))
        })
    };
    let owned = |owner: &str| record.owner.as_ref().is_some_and(|own| own.name == owner || own.credit_code == owner);
    let (stage, trl, deadline) = match &record.detail {
        Detail::Achievement(achievement) => (achievement.stage, achievement.trl, None),
        Detail::Demand(demand) => (None, None, demand.deadline),
        Detail::Expert(_) => (None, None, None),
    };
    let seconds = |time: Option<jiff::Timestamp>| time.map(|time| time.as_second());
    one_of(&filter.regions, &|code| record.region.starts_with(gb::region_prefix(code)))
        && one_of(&filter.industries, &|code| record.industry.starts_with(code))
        && one_of(&filter.fields, &|code| record.field.starts_with(code))
        && (filter.policy_fields.is_empty() || record.policy_field.is_some_and(|p| filter.policy_fields.contains(&p)))
        && (filter.stages.is_empty() || stage.is_some_and(|stage| filter.stages.contains(&stage)))
        && (filter.statuses.is_empty() || filter.statuses.contains(&record.status))
        && one_of(&filter.owners, &owned)
        && !filter.excluded_owners.iter().any(|owner| owned(owner))
        && one_of(&filter.sources, &|source| record.source == source)
        && within(filter.trl, trl.map(i64::from))
        && within(filter.amount_yuan, record.amount_yuan())
        && within(filter.publish_time, seconds(record.publish_time))
        && within(filter.update_time, seconds(record.update_time))
        && within(filter.deadline, seconds(deadline))
        && (filter.achievements.is_empty() || record.achievements().any(|name| filter.achievements.contains(&name)))
}

fn dot(one: &SparseVector, other: &SparseVector, weight: impl Fn(u32) -> f64) -> f64 {
    let other: HashMap<u32, f32> = other.indices.iter().copied().zip(other.values.iter().copied()).collect();
    let shared = one.indices.iter().zip(&one.values).filter_map(|(term, value)| Some((*term, value, other.get(term)?)));
    shared.map(|(term, one, other)| weight(term) * f64::from(*one) * f64::from(*other)).sum()
}

/// Compares a list with all scores: the same scores in the same order, each belonging to its point.
fn assert_list(found: &[Hit], mut want: Vec<(PointId, f64)>, depth: usize, what: &str) {
    want.sort_by(|one, other| other.1.total_cmp(&one.1));
    let scores: HashMap<PointId, f64> = want.iter().copied().collect();
    assert_eq!(found.len(), want.len().min(depth), "{what}");
    for (place, (hit, (_, score))) in found.iter().zip(&want).enumerate() {
        let close = |one: f64, other: f64| (one - other).abs() <= 1e-5 * other.abs().max(1.0);
        assert!(close(f64::from(hit.score), *score), "{what}, place {place}: {} for {score}", hit.score);
        assert!(scores.get(&hit.id).is_some_and(|own| close(f64::from(hit.score), *own)), "{what}, place {place}");
    }
    assert_eq!(found.iter().map(|hit| hit.id).collect::<BTreeSet<_>>().len(), found.len(), "{what}: twice");
}

/// Document counts, in total and per term, as the engine counts them.
struct Statistics {
    documents: f64,
    frequency: HashMap<u32, f64>,
}

impl Statistics {
    fn of(points: &[&Point]) -> Self {
        let mut frequency = HashMap::new();
        points
            .iter()
            .flat_map(|point| &point.sparse.indices)
            .for_each(|term| *frequency.entry(*term).or_default() += 1.0);
        Self { documents: points.len() as f64, frequency }
    }

    fn idf(&self, term: u32) -> f64 {
        let frequency = self.frequency.get(&term).copied().unwrap_or_default();
        ((self.documents - frequency + 0.5) / (frequency + 0.5)).ln_1p()
    }
}

async fn compare(index: &dyn Index, points: &[Point], statistics: &Statistics, exact_dense: bool, dice: &mut Dice) {
    for round in 0..60 {
        let filter = if round % 3 == 0 { Filter::default() } else { sample::filter(dice) };
        let depth = dice.pick(&[1, 10, 100, 3_000]);
        let query = sample::point(dice.pick(points).record, dice);
        let exclude: Vec<PointId> = (0..dice.below(3)).map(|_| dice.pick(points).id()).collect();
        let within = dice.maybe(|dice| (0..300).map(|_| dice.pick(points).id()).collect::<Vec<_>>());
        let search = Search {
            dense: Some(query.dense.clone()),
            sparse: Some(query.sparse.clone()),
            filter: filter.clone(),
            depth,
            exclude: exclude.clone(),
            within: within.clone(),
        };
        let found = index.search(Kind::Achievement, search).await.unwrap();
        let is_among = |id: PointId| within.as_ref().is_none_or(|within| within.contains(&id));
        let kept = points.iter().filter(|p| matches(&filter, &p.record) && !exclude.contains(&p.id()));
        let kept: Vec<&Point> = kept.filter(|p| is_among(p.id())).collect();
        let direction = scaled(query.clone()).dense;
        let cosine = |point: &Point| {
            let own = scaled(point.clone()).dense;
            own.iter().zip(&direction).map(|(a, b)| f64::from(a * b)).sum::<f64>()
        };
        if exact_dense {
            let want = kept.iter().map(|point| (point.id(), cosine(point))).collect();
            assert_list(&found.dense, want, depth, &format!("dense, {filter:?}"));
        }
        let score = |point: &&Point| dot(&query.sparse, &point.sparse, |term| statistics.idf(term));
        let want: Vec<_> =
            kept.iter().map(|point| (point.id(), score(point))).filter(|(_, score)| 0.0 < *score).collect();
        assert_list(&found.sparse, want, depth, &format!("sparse, {filter:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_find_what_going_through_all_finds() {
    let folder = tempfile::tempdir().unwrap();
    // no graphs: exact search
    let mut options = sample::options(folder.path());
    options.tuning.graph_from_kib = 1 << 20;
    let index = duijie_store::EdgeIndex::open(options).unwrap();
    let dice = &mut Dice::new(11);
    let mut points = sample::points(Kind::Achievement, 2_000, dice);
    index.upsert(Kind::Achievement, points.clone()).await.unwrap();
    let statistics = Statistics::of(&points.iter().collect::<Vec<_>>());
    compare(&index, &points, &statistics, true, dice).await;
    // an update in a writable segment replaces the point's counts
    for point in points.iter_mut().take(300) {
        *point = sample::point(Record { revision: 2, ..point.record.clone() }, dice);
    }
    index.upsert(Kind::Achievement, points[..300].to_vec()).await.unwrap();
    let statistics = Statistics::of(&points.iter().collect::<Vec<_>>());
    compare(&index, &points, &statistics, true, dice).await;
    // a deletion does not: the point counts until the optimiser purges it
    let gone = points.split_off(1_800);
    for point in &gone {
        assert!(index.delete(&point.record.name()).await.unwrap());
    }
    compare(&index, &points, &statistics, true, dice).await;
    index.close();
}

#[tokio::test]
async fn the_index_in_memory_finds_what_going_through_all_finds() {
    let index = MemoryIndex::new(DIMENSIONS);
    let dice = &mut Dice::new(17);
    let mut points = sample::points(Kind::Achievement, 300, dice);
    index.upsert(Kind::Achievement, points.clone()).await.unwrap();
    compare(&index, &points, &Statistics::of(&points.iter().collect::<Vec<_>>()), true, dice).await;
    for point in points.iter_mut().take(100) {
        *point = sample::point(Record { revision: 2, ..point.record.clone() }, dice);
    }
    index.upsert(Kind::Achievement, points[..100].to_vec()).await.unwrap();
    // as in an engine, a deleted point still counts
    let statistics = Statistics::of(&points.iter().collect::<Vec<_>>());
    for point in points.split_off(200) {
        assert!(index.delete(&point.record.name()).await.unwrap());
    }
    compare(&index, &points, &statistics, true, dice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_stay_the_same_over_several_segments() {
    let folder = tempfile::tempdir().unwrap();
    let index = sample::open(folder.path());
    let dice = &mut Dice::new(13);
    let points = sample::points(Kind::Achievement, 2_000, dice);
    index.upsert(Kind::Achievement, points[..1_500].to_vec()).await.unwrap();
    index.optimize().unwrap();
    let status = index.status().kinds.remove(0);
    assert_eq!((status.points, status.indexed), (1_500, 1_500));
    index.upsert(Kind::Achievement, points[1_500..].to_vec()).await.unwrap();
    assert!(2 <= index.status().kinds[0].segments);
    // N and df are summed over all segments before any is searched
    let statistics = Statistics::of(&points.iter().collect::<Vec<_>>());
    compare(&index, &points, &statistics, false, dice).await;
    // in a read-only segment, the old version of an updated point counts until it is purged
    let mut counted: Vec<&Point> = points.iter().collect();
    let newer: Vec<Point> =
        points[..100].iter().map(|point| sample::point(Record { revision: 2, ..point.record.clone() }, dice)).collect();
    index.upsert(Kind::Achievement, newer.clone()).await.unwrap();
    counted.extend(&newer);
    let current: Vec<Point> = newer.iter().chain(&points[100..]).cloned().collect();
    compare(&index, &current, &Statistics::of(&counted), false, dice).await;
    // recall of the graph search is nearly 1
    let (mut hit, mut all) = (0, 0);
    for _ in 0..50 {
        let query = sample::dense(dice, DIMENSIONS);
        let search = Search { dense: Some(query.clone()), depth: 20, ..Search::default() };
        let found = index.search(Kind::Achievement, search).await.unwrap().dense;
        let cosine = |point: &Point| {
            let own = scaled(point.clone()).dense;
            own.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>()
        };
        let mut want: Vec<&Point> = current.iter().collect();
        want.sort_by(|one, other| cosine(other).total_cmp(&cosine(one)));
        let want: BTreeSet<PointId> = want[..20].iter().map(|point| point.id()).collect();
        all += 20;
        hit += found.iter().filter(|hit| want.contains(&hit.id)).count();
    }
    assert!(all * 95 / 100 <= hit, "{hit} of {all}");
    index.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_keep_what_they_say() {
    on_every_engine(async |index, dice| {
        let stored = Kind::ALL.map(|kind| (kind, sample::points(kind, 400, dice)));
        for (kind, points) in &stored {
            index.upsert(*kind, points.clone()).await.unwrap();
        }
        for _ in 0..300 {
            let filter = sample::filter(dice);
            for (kind, points) in &stored {
                let want: BTreeSet<PointId> =
                    points.iter().filter(|point| matches(&filter, &point.record)).map(Point::id).collect();
                let whole = PageRequest { after: None, limit: 1_000, with: FieldSelection::Payload };
                let page = index.scroll(*kind, &filter, whole).await.unwrap();
                let found: BTreeSet<PointId> = page.points.iter().map(Point::id).collect();
                assert_eq!(found, want, "{filter:?}");
                assert_eq!(index.count(*kind, &filter).await.unwrap(), want.len() as u64);
            }
        }
    })
    .await;
}
