//! Brute force: all subsets of the candidates of a small problem.

use std::collections::BTreeSet;

use crate::allocation::{Attribute, Group, PairIndex, Participant, Problem, Side};

/// Shortfall and value of a plan for comparison: fewer missing pairs first, then the value in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    pub missed: i64,
    pub value: i64,
}

pub fn key(participant: &Participant, attribute: Attribute) -> Option<u32> {
    match attribute {
        Attribute::Organisation => participant.organisation,
        Attribute::City => participant.city,
        Attribute::Field => participant.field,
    }
}

/// Number of pairs that a group counts.
pub fn count(problem: &Problem, group: Group, chosen: &[PairIndex]) -> i64 {
    let is_counted = |pair: &&PairIndex| {
        let participant = match group.side {
            Side::Demands => &problem.demands[pair.demand as usize],
            Side::Counterparts => &problem.counterparts[pair.counterpart as usize],
        };
        key(participant, group.attribute) == Some(group.key)
    };
    chosen.iter().filter(is_counted).count() as i64
}

/// Returns whether a rule excludes the candidate.
pub fn is_excluded(problem: &Problem, candidate: usize) -> bool {
    let candidate = problem.pairs[candidate];
    let pair = PairIndex { demand: candidate.demand, counterpart: candidate.counterpart };
    let rules = &problem.rules;
    let organisations = problem.demands[pair.demand as usize]
        .organisation
        .zip(problem.counterparts[pair.counterpart as usize].organisation);
    let is_apart = organisations.is_some_and(|(one, other)| {
        rules.same_organisation_apart && one == other
            || rules.organisations_apart.contains(&(one, other))
            || rules.organisations_apart.contains(&(other, one))
    });
    let is_below = candidate.level.zip(rules.min_level).is_some_and(|(level, min)| level < min);
    is_apart || is_below || rules.met.contains(&pair) || rules.forbidden.contains(&pair)
}

/// Broken constraint of a choice; `None` if it keeps every hard constraint.
pub fn broken(problem: &Problem, chosen: &[PairIndex]) -> Option<String> {
    for (demand, participant) in problem.demands.iter().enumerate() {
        if chosen.iter().filter(|pair| pair.demand as usize == demand).count() > participant.limit as usize {
            return Some(format!("limit of demand {demand}"));
        }
    }
    for (counterpart, participant) in problem.counterparts.iter().enumerate() {
        if chosen.iter().filter(|pair| pair.counterpart as usize == counterpart).count() > participant.limit as usize {
            return Some(format!("limit of counterpart {counterpart}"));
        }
    }
    for quota in &problem.quotas {
        if quota.max.is_some_and(|max| count(problem, quota.group, chosen) > i64::from(max)) {
            return Some(format!("{quota:?}"));
        }
    }
    let set: BTreeSet<&PairIndex> = chosen.iter().collect();
    let pins = &problem.rules.pinned;
    if let Some(pin) = pins.iter().find(|pin| !set.contains(pin)) {
        return Some(format!("{pin:?} is pinned"));
    }
    problem.pairs.iter().enumerate().find_map(|(index, candidate)| {
        let pair = PairIndex { demand: candidate.demand, counterpart: candidate.counterpart };
        (set.contains(&pair) && is_excluded(problem, index)).then(|| format!("{pair:?} is excluded"))
    })
}

/// Number of pairs missing from the minimums.
pub fn missed(problem: &Problem, chosen: &[PairIndex]) -> i64 {
    let short = problem.quotas.iter().map(|quota| i64::from(quota.min) - count(problem, quota.group, chosen));
    short.map(|short| short.max(0)).sum()
}

/// Best of all subsets; `None` if no subset keeps the constraints.
pub fn best(problem: &Problem) -> Option<Best> {
    let mut best: Option<Best> = None;
    assert!(problem.pairs.len() <= 14, "too many subsets");
    for subset in 0u32..1 << problem.pairs.len() {
        let inside = problem.pairs.iter().enumerate().filter(|(index, _)| subset >> index & 1 == 1);
        let chosen: Vec<PairIndex> =
            inside.clone().map(|(_, pair)| PairIndex { demand: pair.demand, counterpart: pair.counterpart }).collect();
        if broken(problem, &chosen).is_some() {
            continue;
        }
        let value = inside.map(|(_, pair)| (pair.value * 1e6).round() as i64).sum();
        let found = Best { missed: missed(problem, &chosen), value };
        let is_better = best.is_none_or(|best| (found.missed, -found.value) < (best.missed, -best.value));
        if is_better {
            best = Some(found);
        }
    }
    best
}
