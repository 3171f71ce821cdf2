//! Edge cases.

use super::optimum::{pairs, plan};
use crate::allocation::{
    Attribute, Candidate, Constraint, Effort, Fault, Group, LeftOutCause, MAX_PAIRS, MAX_PARTICIPANTS, PairIndex,
    Participant, Problem, Proof, Quota, Rules, Shortfall, Side, allocate,
};

fn pair(demand: u32, counterpart: u32) -> PairIndex {
    PairIndex { demand, counterpart }
}

fn candidate(demand: u32, counterpart: u32, value: f64) -> Candidate {
    Candidate { demand, counterpart, value, level: Some(3) }
}

fn participant(limit: u32, organisation: u32, city: u32, field: u32) -> Participant {
    Participant { limit, organisation: Some(organisation), city: Some(city), field: Some(field) }
}

fn city(side: Side, key: u32) -> Group {
    Group { side, attribute: Attribute::City, key }
}

/// Two demands with capacity 2, three counterparts with capacity 1; organisations 0 and 1 ask, 1, 2 and 3 answer.
fn small() -> Problem {
    Problem {
        demands: vec![participant(2, 0, 0, 0), participant(2, 1, 1, 0)],
        counterparts: vec![participant(1, 1, 0, 0), participant(1, 2, 0, 1), participant(1, 3, 1, 1)],
        pairs: vec![
            candidate(0, 0, 0.9),
            candidate(0, 1, 0.8),
            candidate(0, 2, 0.3),
            candidate(1, 0, 0.95),
            candidate(1, 1, 0.5),
            candidate(1, 2, 0.4),
        ],
        ..Problem::default()
    }
}

fn check(problem: &Problem, want: &[(u32, u32)]) {
    let plan = plan(problem).expect("a plan");
    let want: Vec<PairIndex> = want.iter().map(|(demand, counterpart)| pair(*demand, *counterpart)).collect();
    assert_eq!(pairs(&plan), want);
    assert_ne!(plan.proof, Proof::Open);
}

fn check_faults(problem: &Problem, want: &[Fault]) {
    let faults = allocate(problem, &Effort::default(), &|| false).expect_err("faults");
    assert_eq!(faults.0, want);
}

fn with(change: impl FnOnce(&mut Problem)) -> Problem {
    let mut problem = small();
    change(&mut problem);
    problem
}

#[test]
fn plans_of_small_problems() {
    check(&Problem::default(), &[]);
    check(&with(|problem| problem.pairs.clear()), &[]);
    check(&with(|problem| problem.demands.iter_mut().for_each(|demand| demand.limit = 0)), &[]);
    // not greedy: demand 1 loses nothing, demand 0 takes the rest
    check(&small(), &[(0, 1), (1, 0), (1, 2)]);
    check(&with(|problem| problem.rules.same_organisation_apart = true), &[(0, 0), (0, 1), (1, 2)]);
    check(&with(|problem| problem.rules.organisations_apart = vec![(2, 0)]), &[(0, 0), (1, 1), (1, 2)]);
    check(&with(|problem| problem.rules.met = vec![pair(0, 1), pair(1, 0)]), &[(0, 0), (1, 1), (1, 2)]);
    check(&with(|problem| problem.rules.pinned = vec![pair(0, 2)]), &[(0, 1), (0, 2), (1, 0)]);
    check(&with(|problem| problem.rules.min_level = Some(4)), &[]);
    let all = |problem: &mut Problem| {
        problem.rules.forbidden =
            problem.pairs.iter().map(|candidate| pair(candidate.demand, candidate.counterpart)).collect();
    };
    check(&with(all), &[]);
    let one_in_city = |problem: &mut Problem| {
        problem.quotas = vec![Quota { group: city(Side::Counterparts, 0), min: 0, max: Some(1) }];
    };
    check(&with(one_in_city), &[(1, 0), (1, 2)]);
}

#[test]
fn a_candidate_without_level_is_below_no_least_level() {
    let problem = with(|problem| {
        problem.rules.min_level = Some(4);
        problem.pairs[0].level = None;
    });
    check(&problem, &[(0, 0)]);
}

#[test]
fn faults_are_named_all_of_them() {
    let excluded = |rules: Rules, constraint: Constraint| {
        let problem = with(|problem| problem.rules = Rules { pinned: vec![pair(1, 0)], ..rules });
        check_faults(&problem, &[Fault::PinAgainst { pin: pair(1, 0), constraint }]);
    };
    excluded(Rules { forbidden: vec![pair(1, 0)], ..Rules::default() }, Constraint::Forbidden);
    excluded(Rules { met: vec![pair(1, 0)], ..Rules::default() }, Constraint::Met);
    excluded(Rules { min_level: Some(4), ..Rules::default() }, Constraint::MinLevel);
    excluded(Rules { same_organisation_apart: true, ..Rules::default() }, Constraint::SameOrganisation);
    excluded(Rules { organisations_apart: vec![(1, 1)], ..Rules::default() }, Constraint::OrganisationsApart);
    // two pins for one place: each is reported with the limit
    let limit = Constraint::CounterpartLimit(0);
    check_faults(
        &with(|problem| problem.rules.pinned = vec![pair(1, 0), pair(0, 0)]),
        &[
            Fault::PinAgainst { pin: pair(0, 0), constraint: limit },
            Fault::PinAgainst { pin: pair(1, 0), constraint: limit },
        ],
    );
    let group = city(Side::Demands, 1);
    check_faults(
        &with(|problem| {
            problem.rules.pinned = vec![pair(1, 0)];
            problem.quotas = vec![Quota { group, min: 0, max: Some(0) }];
        }),
        &[Fault::PinAgainst { pin: pair(1, 0), constraint: Constraint::Max(group) }],
    );
    check_faults(
        &with(|problem| {
            problem.pairs[1].value = f64::NAN;
            problem.pairs[2].level = Some(5);
            problem.pairs[4] = candidate(7, 0, 0.5);
            problem.pairs.push(candidate(0, 0, 0.9));
            problem.rules.min_level = Some(0);
            problem.rules.pinned = vec![pair(1, 1)];
            let quota = Quota { group, min: 3, max: Some(2) };
            problem.quotas = vec![quota, quota];
        }),
        &[
            Fault::UnknownParticipant(pair(7, 0)),
            Fault::PairTwice(pair(0, 0)),
            Fault::OutOfRange(pair(0, 1)),
            Fault::OutOfRange(pair(0, 2)),
            Fault::MinLevelOutOfRange(0),
            Fault::QuotaTwice(group),
            Fault::MinAboveMax(group),
            Fault::PinWithoutCandidate(pair(1, 1)),
        ],
    );
}

#[test]
fn what_is_too_large_is_refused_at_once() {
    check_faults(
        &with(|problem| problem.counterparts = vec![participant(1, 0, 0, 0); MAX_PARTICIPANTS + 1]),
        &[Fault::TooLarge],
    );
    check_faults(&with(|problem| problem.pairs = vec![candidate(0, 0, 0.5); MAX_PAIRS + 1]), &[Fault::TooLarge]);
    check_faults(&with(|problem| problem.rules.met = vec![pair(0, 0); MAX_PAIRS + 1]), &[Fault::TooLarge]);
    let max = with(|problem| problem.counterparts = vec![participant(1, 0, 0, 0); MAX_PARTICIPANTS]);
    assert!(plan(&max).is_some());
}

#[test]
fn minimums_that_cannot_be_met_are_named() {
    let group = city(Side::Counterparts, 1);
    let problem = with(|problem| problem.quotas = vec![Quota { group, min: 3, max: None }]);
    let plan = plan(&problem).expect("a plan");
    assert_eq!(plan.shortfalls, [Shortfall { group, min: 3, reached: 1 }]);
    assert_eq!(pairs(&plan), [pair(0, 1), pair(1, 0), pair(1, 2)]);
    assert_eq!(plan.bound, plan.value);
}

#[test]
fn reasons_of_a_small_plan() {
    let plan = plan(&small()).expect("a plan");
    let left_out: Vec<(PairIndex, Vec<LeftOutCause>)> =
        plan.left_out.iter().map(|left_out| (left_out.pair, left_out.reasons.clone())).collect();
    let full = |counterpart: u32, by: PairIndex| LeftOutCause::Full {
        constraint: Constraint::CounterpartLimit(counterpart),
        held_by: vec![by],
    };
    assert_eq!(left_out, [(pair(0, 0), vec![full(0, pair(1, 0))]), (pair(1, 1), vec![full(1, pair(0, 1))])]);
    // adding 0-0 removes 1-0; the loss is between nothing and the difference
    assert!(plan.left_out[0].loss.is_some_and(|loss| (0..=50_000).contains(&loss)));
}
