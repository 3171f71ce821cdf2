//! Costs and reasons are correct: each is compared with the best subset of a changed problem, or counted again.

use proptest::prelude::*;

use super::{
    brute::{best, broken, count, is_excluded, key, missed},
    optimum::{pairs, plan},
    problems::{LARGER, SMALL, Size, problem},
};
use crate::allocation::{
    Allocation, Constraint, Cost, Group, LeftOut, LeftOutCause, MAX_HOLDERS, PairIndex, Problem, Proof, Relaxed, Side,
};

/// The problem with one constraint relaxed.
fn relax(problem: &Problem, cost: &Cost) -> Problem {
    let mut other = problem.clone();
    let all = cost.relaxed == Relaxed::Removed;
    let rules = &mut other.rules;
    match cost.constraint {
        Constraint::DemandLimit(demand) => other.demands[demand as usize].limit += 1,
        Constraint::CounterpartLimit(counterpart) => other.counterparts[counterpart as usize].limit += 1,
        Constraint::Max(group) => {
            let quotas = other.quotas.iter_mut().filter(|quota| quota.group == group);
            quotas.for_each(|quota| quota.max = quota.max.map(|max| max + 1).filter(|_| !all));
        }
        Constraint::Min(group) => {
            let quotas = other.quotas.iter_mut().filter(|quota| quota.group == group);
            quotas.for_each(|quota| quota.min = if all { 0 } else { quota.min - 1 });
        }
        Constraint::MinLevel => rules.min_level = None,
        Constraint::SameOrganisation => rules.same_organisation_apart = false,
        Constraint::OrganisationsApart => rules.organisations_apart.clear(),
        Constraint::Met => rules.met.clear(),
        Constraint::Forbidden => rules.forbidden.clear(),
        Constraint::Pinned => rules.pinned.clear(),
    }
    other
}

/// Maximum pairs of a group, whatever the others have.
fn reach(problem: &Problem, group: Group) -> u32 {
    let (participants, ends): (_, fn(&PairIndex) -> u32) = match group.side {
        Side::Demands => (&problem.demands, |pair| pair.demand),
        Side::Counterparts => (&problem.counterparts, |pair| pair.counterpart),
    };
    let allowed: Vec<PairIndex> = (0..problem.pairs.len())
        .filter(|index| !is_excluded(problem, *index))
        .map(|index| PairIndex { demand: problem.pairs[index].demand, counterpart: problem.pairs[index].counterpart })
        .collect();
    let members = (0u32..).zip(participants).filter(|(_, it)| key(it, group.attribute) == Some(group.key));
    members.map(|(member, it)| it.limit.min(allowed.iter().filter(|pair| ends(pair) == member).count() as u32)).sum()
}

/// The problem with minimums lowered to the reachable number.
fn within_reach(problem: &Problem) -> Problem {
    let mut other = problem.clone();
    other.quotas.iter_mut().for_each(|quota| quota.min = quota.min.min(reach(problem, quota.group)));
    other
}

fn check_cost(problem: &Problem, plan: &Allocation, cost: &Cost) -> Result<(), TestCaseError> {
    let problem = if cost.relaxed == Relaxed::ByOne { &within_reach(problem) } else { problem };
    let relaxed = best(&relax(problem, cost)).expect("a relaxed problem has plans");
    prop_assert!(cost.min_gain >= 0 && cost.min_gain <= cost.max_gain && cost.max_gain > 0, "{:?}", cost);
    if relaxed.missed == missed(problem, &pairs(plan)) {
        let grows = relaxed.value - plan.value;
        prop_assert!((cost.min_gain..=cost.max_gain).contains(&grows), "{:?} but it grows by {}", cost, grows);
    }
    Ok(())
}

/// A gain from relaxing a limit by one must not be omitted.
fn check_nothing_unsaid(problem: &Problem, plan: &Allocation) -> Result<(), TestCaseError> {
    let is_priced = match plan.proof {
        Proof::FlowDual => true,
        // if quotas cross, the price of a limit may come from a missed minimum
        Proof::Prices => plan.shortfalls.is_empty(),
        Proof::Branches | Proof::Open => false,
    };
    if !is_priced {
        return Ok(());
    }
    let problem = &within_reach(problem);
    let demands = (0..problem.demands.len() as u32).map(Constraint::DemandLimit);
    let counterparts = (0..problem.counterparts.len() as u32).map(Constraint::CounterpartLimit);
    let maximums = problem.quotas.iter().filter(|quota| quota.max.is_some());
    let maximums = maximums.map(|quota| Constraint::Max(quota.group));
    for constraint in demands.chain(counterparts).chain(maximums) {
        let cost = Cost { constraint, relaxed: Relaxed::ByOne, min_gain: 0, max_gain: 0 };
        let relaxed = best(&relax(problem, &cost)).expect("a relaxed problem has plans");
        let is_told = plan.costs.iter().any(|told| told.constraint == constraint && told.relaxed == Relaxed::ByOne);
        let grows = relaxed.value - plan.value;
        let is_same = relaxed.missed == missed(problem, &pairs(plan));
        prop_assert!(is_told || grows == 0 || !is_same, "{:?} brings {}", constraint, grows);
    }
    Ok(())
}

fn used(problem: &Problem, constraint: Constraint, chosen: &[PairIndex]) -> (i64, i64) {
    let of_quota = |group: Group| problem.quotas.iter().find(|quota| quota.group == group).expect("a quota");
    match constraint {
        Constraint::DemandLimit(demand) => (
            chosen.iter().filter(|pair| pair.demand == demand).count() as i64,
            i64::from(problem.demands[demand as usize].limit),
        ),
        Constraint::CounterpartLimit(counterpart) => (
            chosen.iter().filter(|pair| pair.counterpart == counterpart).count() as i64,
            i64::from(problem.counterparts[counterpart as usize].limit),
        ),
        Constraint::Max(group) => (count(problem, group, chosen), i64::from(of_quota(group).max.expect("a maximum"))),
        Constraint::Min(group) => (count(problem, group, chosen), i64::from(of_quota(group).min)),
        other => panic!("{other:?} has no count"),
    }
}

fn counts(problem: &Problem, constraint: Constraint, pair: PairIndex) -> bool {
    match constraint {
        Constraint::DemandLimit(demand) => pair.demand == demand,
        Constraint::CounterpartLimit(counterpart) => pair.counterpart == counterpart,
        Constraint::Max(group) | Constraint::Min(group) => count(problem, group, &[pair]) == 1,
        _ => false,
    }
}

fn value(problem: &Problem, pair: PairIndex) -> i64 {
    let is_it = |candidate: &&crate::allocation::Candidate| {
        (candidate.demand, candidate.counterpart) == (pair.demand, pair.counterpart)
    };
    let candidate = problem.pairs.iter().find(is_it).expect("a candidate");
    (candidate.value * 1e6).round() as i64
}

fn check_reasons(problem: &Problem, plan: &Allocation, left_out: &LeftOut) -> Result<(), TestCaseError> {
    let chosen = pairs(plan);
    let mine: Vec<PairIndex> = chosen.iter().filter(|pair| pair.demand == left_out.pair.demand).copied().collect();
    prop_assert!(!left_out.reasons.is_empty());
    for reason in &left_out.reasons {
        match reason {
            LeftOutCause::Excluded(_) => {
                let is_it = |candidate: &crate::allocation::Candidate| {
                    (candidate.demand, candidate.counterpart) == (left_out.pair.demand, left_out.pair.counterpart)
                };
                let index = problem.pairs.iter().position(is_it).expect("a candidate");
                prop_assert!(is_excluded(problem, index));
            }
            LeftOutCause::LowerValue => {
                prop_assert!(mine.iter().all(|pair| value(problem, *pair) >= left_out.value));
                prop_assert_eq!(mine.len(), problem.demands[left_out.pair.demand as usize].limit as usize);
            }
            LeftOutCause::Full { constraint, held_by } => {
                let (count, max) = used(problem, *constraint, &chosen);
                prop_assert_eq!(count, max);
                prop_assert!(counts(problem, *constraint, left_out.pair));
                prop_assert_eq!(held_by.len(), (count as usize).min(MAX_HOLDERS));
                prop_assert!(held_by.iter().all(|pair| chosen.contains(pair) && counts(problem, *constraint, *pair)));
            }
            LeftOutCause::Kept { instead, constraint } => {
                prop_assert!(mine.contains(instead) && value(problem, *instead) < left_out.value);
                if *constraint == Constraint::Pinned {
                    prop_assert!(problem.rules.pinned.contains(instead));
                } else {
                    let (count, min) = used(problem, *constraint, &chosen);
                    prop_assert!(count <= min && counts(problem, *constraint, *instead));
                    prop_assert!(!counts(problem, *constraint, left_out.pair));
                }
            }
            LeftOutCause::NoValue => prop_assert_eq!(left_out.value, 0),
            LeftOutCause::NotSearched => prop_assert_eq!(plan.proof, Proof::Open),
        }
    }
    check_all_are_named(problem, &chosen, &mine, left_out)
}

/// Without the named reasons, the pair could be added or swapped in; a swap that is not named breaks nothing.
fn check_all_are_named(
    problem: &Problem,
    chosen: &[PairIndex],
    mine: &[PairIndex],
    left_out: &LeftOut,
) -> Result<(), TestCaseError> {
    if left_out.reasons.iter().any(|reason| matches!(reason, LeftOutCause::Excluded(_) | LeftOutCause::NoValue)) {
        return Ok(());
    }
    let mut other = problem.clone();
    for reason in &left_out.reasons {
        match reason {
            LeftOutCause::Full { constraint, .. } => {
                let cost = Cost { constraint: *constraint, relaxed: Relaxed::ByOne, min_gain: 0, max_gain: 0 };
                other = relax(&other, &cost);
            }
            LeftOutCause::Kept { instead, .. } => other.rules.pinned.retain(|pin| pin != instead),
            _ => {}
        }
    }
    let mut with = chosen.to_vec();
    with.push(left_out.pair);
    if mine.len() as u32 >= problem.demands[left_out.pair.demand as usize].limit {
        let weaker = mine.iter().filter(|pair| value(problem, **pair) < left_out.value);
        let Some(weakest) = weaker.min_by_key(|pair| value(problem, **pair)) else { return Ok(()) };
        with.retain(|pair| pair != weakest);
    }
    prop_assert_eq!(broken(&other, &with), None, "{:?}", left_out);
    Ok(())
}

fn check_left_out(problem: &Problem, plan: &Allocation) -> Result<(), TestCaseError> {
    for left_out in &plan.left_out {
        check_reasons(problem, plan, left_out)?;
    }
    // no pair among the best of a demand is left out without a reason
    let chosen = pairs(plan);
    for (demand, participant) in problem.demands.iter().enumerate() {
        let mut mine: Vec<PairIndex> = problem
            .pairs
            .iter()
            .filter(|candidate| candidate.demand as usize == demand)
            .map(|candidate| PairIndex { demand: candidate.demand, counterpart: candidate.counterpart })
            .collect();
        mine.sort_by_key(|pair| (-value(problem, *pair), *pair));
        for (rank, pair) in mine.iter().take(participant.limit as usize).enumerate() {
            let told = plan.left_out.iter().find(|left_out| left_out.pair == *pair);
            prop_assert_eq!(told.is_none(), chosen.contains(pair));
            prop_assert!(told.is_none_or(|left_out| left_out.rank as usize == rank + 1));
        }
    }
    Ok(())
}

/// Best value with a pair forced in.
fn forced(problem: &Problem, pair: PairIndex) -> Option<i64> {
    let mut other = problem.clone();
    other.rules.pinned.push(pair);
    best(&other).filter(|found| found.missed == best(problem).map_or(0, |best| best.missed)).map(|found| found.value)
}

const TINY: Size = Size { demands: 3, counterparts: 4, pairs: 9, limit: 3, keys: 2, quotas: 5, max: 3, values: 50 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn costs_are_true(problem in problem(SMALL)) {
        if let Some(plan) = plan(&problem) {
            for cost in &plan.costs {
                check_cost(&problem, &plan, cost)?;
            }
        }
    }

    #[test]
    fn no_cost_is_left_unsaid(problem in problem(TINY)) {
        if let Some(plan) = plan(&problem) {
            check_nothing_unsaid(&problem, &plan)?;
        }
    }

    #[test]
    fn reasons_are_true(problem in problem(SMALL)) {
        if let Some(plan) = plan(&problem) {
            check_left_out(&problem, &plan)?;
        }
    }

    #[test]
    fn losses_are_true(problem in problem(TINY)) {
        if let Some(plan) = plan(&problem) {
            for left_out in &plan.left_out {
                let with = left_out.loss.and_then(|loss| Some((loss, forced(&problem, left_out.pair)?)));
                if let Some((loss, with)) = with {
                    prop_assert!(plan.value - with >= loss, "{:?} loses {}", left_out, plan.value - with);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn reasons_of_larger_plans_are_true(problem in problem(LARGER)) {
        if let Some(plan) = plan(&problem) {
            check_left_out(&problem, &plan)?;
        }
    }
}
