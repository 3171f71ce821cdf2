use proptest::prelude::*;

use super::*;
use duijie_core::domain::{Kind, RecordName};

fn name(text: &str) -> RecordName {
    text.parse().unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

fn place(rank: u32, score: f64, level: Option<Level>) -> Ranking {
    Ranking { rank, score, level, revision: 1 }
}

fn result(pairs: &[(&str, f64, Option<Level>)]) -> DemandResult {
    let pair = |(rank, (target, score, level)): (u32, &(&str, f64, Option<Level>))| RankedTarget {
        target: name(target),
        place: place(rank, *score, *level),
    };
    DemandResult { demand: name("demands/d-1"), revision: 1, pairs: (1..).zip(pairs).map(pair).collect() }
}

fn inputs(start: i64) -> Inputs {
    Inputs {
        start: time(start),
        end: time(start + 10),
        text: "text-1".into(),
        model: "model-1".into(),
        calibration: "levels-1".into(),
        settings: "candidates=200".into(),
        selection: "all".into(),
        targets: vec![(Kind::Achievement, "1".into())],
        limits: "20".into(),
        has_min_level: false,
        complete: true,
    }
}

#[test]
fn two_results_are_gone_through_side_by_side() {
    let check = |before: &[u8], after: &[u8], want: &[(Step, u8)]| {
        let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
        let mut taken = Vec::new();
        while let Some(step) = step(before.peek(), after.peek()) {
            let one = if step == Step::After { None } else { before.next() };
            let other = if step == Step::Before { None } else { after.next() };
            taken.push((step, *one.or(other).unwrap()));
        }
        assert_eq!(taken, want);
    };
    check(&[], &[], &[]);
    check(&[1], &[], &[(Step::Before, 1)]);
    check(&[], &[1], &[(Step::After, 1)]);
    check(&[1, 2, 4], &[2, 3], &[(Step::Before, 1), (Step::Both, 2), (Step::After, 3), (Step::Before, 4)]);
}

#[test]
fn pairs_that_differ() {
    let (weak, fair) = (Some(Level::Weak), Some(Level::Fair));
    let before = result(&[
        ("achievements/lost", 0.9, fair),
        ("achievements/same", 0.8, fair),
        ("achievements/moved", 0.7, fair),
        ("achievements/up", 0.6, weak),
        ("achievements/down", 0.5, fair),
        ("experts/e", 0.4, None),
        ("experts/gone", 0.3, None),
    ]);
    let after = result(&[
        ("achievements/new", 0.9, fair),
        ("achievements/same", 0.801, fair),
        ("achievements/moved", 0.75, fair),
        ("achievements/up", 0.6, fair),
        ("achievements/down", 0.5, weak),
        ("experts/e", 0.4, None),
    ]);
    let mut totals = Totals::default();
    let found = changes(Some(&before), Some(&after), &mut totals);
    let said: Vec<_> = found.iter().map(|change| (change.target.id.as_str(), change.change)).collect();
    let want = [
        ("new", Change::New),
        ("up", Change::Up),
        ("down", Change::Down),
        ("lost", Change::Lost),
        ("gone", Change::Lost),
    ];
    assert_eq!(said, want);
    assert_eq!((totals.same, totals.moved, totals.demands_in_both), (3, 1, 1));
    assert_eq!((found[0].before, found[0].after.map(|place| place.rank)), (None, Some(1)));
    // a demand in only one result
    let found = changes(None, Some(&after), &mut totals);
    assert!(found.len() == 6 && found.iter().all(|change| change.change == Change::New));
    let found = changes(Some(&before), None, &mut totals);
    assert!(found.len() == 7 && found.iter().all(|change| change.change == Change::Lost));
    assert_eq!((totals.demands_before, totals.demands_after), (1, 1));
}

/// A changed pair with its surroundings.
struct Case {
    change: PairChange,
    before: Inputs,
    after: Inputs,
    demand: Option<State>,
    target: Option<State>,
}

fn old_state() -> Option<State> {
    Some(State { revision: 1, active: true, create_time: Some(time(1)), update_time: Some(time(1)) })
}

fn case(change: Change) -> Case {
    let has = |there: bool| there.then(|| place(1, 0.5, Some(Level::Fair)));
    let change = PairChange {
        demand: name("demands/d-1"),
        target: name("achievements/a-1"),
        change,
        before: has(change != Change::New),
        after: has(change != Change::Lost),
        demand_before: Some(1),
        demand_after: Some(1),
    };
    Case { change, before: inputs(100), after: inputs(200), demand: old_state(), target: old_state() }
}

#[track_caller]
fn check(change: Change, set: impl FnOnce(&mut Case), want: &[ChangeReason]) {
    let mut case = case(change);
    set(&mut case);
    let Case { change, before, after, demand, target } = case;
    assert_eq!(explain(&change, &before, &after, demand.as_ref(), target.as_ref()), want);
}

fn state(revision: u64, made: i64, changed: i64, active: bool) -> Option<State> {
    Some(State { revision, active, create_time: Some(time(made)), update_time: Some(time(changed)) })
}

#[test]
fn reasons_in_the_records() {
    use Change::{Down, Lost, New, Up};
    check(New, |_| (), &[ChangeReason::Others]);
    check(Lost, |_| (), &[ChangeReason::Others]);
    check(Up, |_| (), &[ChangeReason::Others]);
    // the target
    check(New, |it| it.target = state(1, 150, 150, true), &[ChangeReason::TargetNew]);
    check(New, |it| it.target = state(1, 1, 150, true), &[ChangeReason::TargetChanged]);
    check(New, |it| it.target = state(1, 1, 99, true), &[ChangeReason::Others]);
    check(New, |it| it.target = state(2, 1, 300, true), &[ChangeReason::Unknown]);
    check(New, |it| it.target = None, &[ChangeReason::Unknown]);
    check(Lost, |it| it.target = None, &[ChangeReason::TargetGone]);
    check(Lost, |it| it.target = state(2, 1, 150, false), &[ChangeReason::TargetGone]);
    check(Lost, |it| it.target = state(2, 1, 150, true), &[ChangeReason::TargetChanged]);
    check(Lost, |it| it.target = state(2, 1, 300, true), &[ChangeReason::Unknown]);
    check(Down, |it| it.change.after.as_mut().unwrap().revision = 2, &[ChangeReason::TargetChanged]);
    // the demand
    check(Up, |it| it.change.demand_after = Some(2), &[ChangeReason::DemandChanged]);
    let both = |it: &mut Case| {
        it.change.demand_after = Some(2);
        it.target = state(1, 150, 150, true);
    };
    check(New, both, &[ChangeReason::DemandChanged, ChangeReason::TargetNew]);
    let fresh = |it: &mut Case| {
        it.change.demand_before = None;
        it.demand = state(1, 150, 150, true);
        it.target = state(1, 150, 150, true);
    };
    check(New, fresh, &[ChangeReason::DemandNew]);
    let closed = |it: &mut Case| {
        it.change.demand_after = None;
        it.demand = state(2, 1, 150, false);
    };
    check(Lost, closed, &[ChangeReason::DemandGone]);
    check(Lost, |it| (it.change.demand_after, it.demand) = (None, None), &[ChangeReason::DemandGone]);
    check(Lost, |it| it.change.demand_after = None, &[ChangeReason::Unknown]);
}

#[test]
fn reasons_in_the_jobs() {
    use Change::{Lost, New, Up};
    check(New, |it| it.after.text = "text-2".into(), &[ChangeReason::Dictionary]);
    check(Lost, |it| it.after.model = "model-2".into(), &[ChangeReason::Model]);
    check(Up, |it| it.after.calibration = "levels-2".into(), &[ChangeReason::Calibration]);
    // without a minimum level the calibration does not decide which targets are listed
    check(New, |it| it.after.calibration = "levels-2".into(), &[ChangeReason::Others]);
    let min = |it: &mut Case| {
        it.after.calibration = "levels-2".into();
        it.before.has_min_level = true;
    };
    check(New, min, &[ChangeReason::Calibration]);
    check(Up, |it| it.after.settings = "candidates=100".into(), &[ChangeReason::Settings]);
    check(Up, |it| it.after.targets[0].1 = "2".into(), &[ChangeReason::Statistics]);
    check(New, |it| it.after.limits = "50".into(), &[ChangeReason::Limits]);
    check(Up, |it| it.after.limits = "50".into(), &[ChangeReason::Others]);
    check(New, |it| it.before.targets = vec![(Kind::Expert, String::new())], &[ChangeReason::Selection]);
    let narrower = |it: &mut Case| {
        it.change.demand_after = None;
        it.after.selection = "region 13".into();
    };
    check(Lost, narrower, &[ChangeReason::Selection]);
    check(Lost, |it| (it.change.demand_after, it.after.complete) = (None, false), &[ChangeReason::Incomplete]);
    check(New, |it| (it.change.demand_before, it.before.complete) = (None, false), &[ChangeReason::Incomplete]);
    let all = |it: &mut Case| {
        it.after = Inputs { text: "t".into(), model: "m".into(), ..inputs(200) };
        it.after.targets[0].1 = "s".into();
    };
    check(New, all, &[ChangeReason::Dictionary, ChangeReason::Model, ChangeReason::Statistics]);
}

#[test]
fn every_reason_is_counted_in_its_place() {
    let mut totals = Totals::default();
    totals.count(Change::Down, &ChangeReason::ALL);
    totals.count(Change::New, &[ChangeReason::TargetNew]);
    assert_eq!(totals.changes, [1, 0, 0, 1]);
    assert_eq!(totals.reasons.iter().sum::<u64>(), ChangeReason::ALL.len() as u64 + 1);
    assert_eq!(totals.reasons[3], 2);
    assert!(ChangeReason::ALL.is_sorted() && Change::ALL.is_sorted());
}

/// A result over a few targets, each at most once.
fn results() -> impl Strategy<Value = DemandResult> {
    let rows = proptest::sample::subsequence((0..8).collect::<Vec<u8>>(), 0..8);
    (rows, proptest::collection::vec((0.0..1.0f64, 0usize..4), 8)).prop_map(|(targets, values)| {
        let levels = [Level::Unrelated, Level::Weak, Level::Fair, Level::Strong];
        let targets: Vec<String> = targets.iter().map(|target| format!("achievements/a-{target}")).collect();
        let rows: Vec<_> = targets
            .iter()
            .zip(values)
            .map(|(target, (score, level))| (target.as_str(), score, Some(levels[level])))
            .collect();
        result(&rows)
    })
}

proptest! {
    #[test]
    fn nothing_is_left_out_and_nothing_told_twice(before in results(), after in results()) {
        let mut totals = Totals::default();
        let found = changes(Some(&before), Some(&after), &mut totals);
        let count = |change: Change| found.iter().filter(|it| it.change == change).count();
        // every pair of either side is either the same, changed, new or lost
        let both = totals.same as usize + count(Change::Up) + count(Change::Down);
        prop_assert_eq!(both + count(Change::New), after.pairs.len());
        prop_assert_eq!(both + count(Change::Lost), before.pairs.len());
        let mut targets: Vec<_> = found.iter().map(|it| it.target.clone()).collect();
        targets.sort();
        targets.dedup();
        prop_assert_eq!(targets.len(), found.len());
        // in reverse, new becomes lost, and up becomes down
        let back = changes(Some(&after), Some(&before), &mut Totals::default());
        let count_back = |change: Change| back.iter().filter(|it| it.change == change).count();
        prop_assert_eq!((count(Change::New), count(Change::Up)), (count_back(Change::Lost), count_back(Change::Down)));
        prop_assert!(changes(Some(&after), Some(&after), &mut Totals::default()).is_empty());
    }
}
