//! Random problems: small ones for brute force, larger ones for properties.

use proptest::{collection::vec, option, prelude::*};

use crate::allocation::{Attribute, Candidate, Group, PairIndex, Participant, Problem, Quota, Rules, Side};

/// Size of a problem.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub demands: usize,
    pub counterparts: usize,
    pub pairs: usize,
    pub limit: u32,
    /// Number of organisations, cities and fields.
    pub keys: u32,
    pub quotas: usize,
    /// Largest maximum of a quota.
    pub max: u32,
    /// Number of different values; few values make ties.
    pub values: u32,
}

pub const SMALL: Size =
    Size { demands: 4, counterparts: 4, pairs: 11, limit: 3, keys: 3, quotas: 6, max: 4, values: 12 };
pub const LARGER: Size =
    Size { demands: 20, counterparts: 40, pairs: 300, limit: 4, keys: 5, quotas: 12, max: 20, values: 100_000 };

fn participant(size: Size) -> impl Strategy<Value = Participant> {
    let key = || option::weighted(0.9, 0..size.keys);
    (0..=size.limit, key(), key(), key()).prop_map(|(limit, organisation, city, field)| Participant {
        limit,
        organisation,
        city,
        field,
    })
}

fn pairs(size: Size) -> impl Strategy<Value = Vec<Candidate>> {
    let ends = (0..size.demands as u32, 0..size.counterparts as u32);
    let candidate = (ends, 0..=size.values, option::weighted(0.8, 1u8..=4));
    vec(candidate, 0..=size.pairs).prop_map(move |mut found| {
        found.sort_by_key(|(ends, ..)| *ends);
        found.dedup_by_key(|(ends, ..)| *ends);
        let candidate = |((demand, counterpart), value, level): ((u32, u32), u32, Option<u8>)| Candidate {
            demand,
            counterpart,
            value: f64::from(value) / f64::from(size.values),
            level,
        };
        found.into_iter().map(candidate).collect()
    })
}

fn group(size: Size) -> impl Strategy<Value = Group> {
    let side = prop_oneof![Just(Side::Demands), Just(Side::Counterparts)];
    let attribute = prop_oneof![Just(Attribute::Organisation), Just(Attribute::City), Just(Attribute::Field)];
    (side, attribute, 0..size.keys).prop_map(|(side, attribute, key)| Group { side, attribute, key })
}

fn quotas(size: Size) -> impl Strategy<Value = Vec<Quota>> {
    let quota = (group(size), option::weighted(0.8, 0..=size.max), prop_oneof![3 => Just(0), 1 => 0..=size.max]);
    vec(quota, 0..=size.quotas).prop_map(|mut found| {
        found.sort_by_key(|(group, ..)| *group);
        found.dedup_by_key(|(group, ..)| *group);
        let quota = |(group, max, min): (Group, Option<u32>, u32)| Quota {
            group,
            max,
            min: max.map_or(min, |max| min.min(max)),
        };
        found.into_iter().map(quota).collect()
    })
}

fn rules(size: Size) -> impl Strategy<Value = Rules> {
    let listed = move |max: usize| {
        let pair = (0..size.demands as u32, 0..size.counterparts as u32);
        vec(pair.prop_map(|(demand, counterpart)| PairIndex { demand, counterpart }), 0..=max)
    };
    let apart = vec((0..size.keys, 0..size.keys), 0..=1);
    (option::weighted(0.3, 1u8..=3), any::<bool>(), apart, listed(2), listed(2), listed(2)).prop_map(
        |(min_level, same_organisation_apart, organisations_apart, met, forbidden, pinned)| Rules {
            min_level,
            same_organisation_apart,
            organisations_apart,
            met,
            forbidden,
            pinned,
        },
    )
}

/// A random problem. Its pins are among its candidates, but may contradict its rules.
pub fn problem(size: Size) -> impl Strategy<Value = Problem> {
    let lists = (vec(participant(size), size.demands), vec(participant(size), size.counterparts));
    (lists, pairs(size), quotas(size), rules(size)).prop_map(|((demands, counterparts), pairs, quotas, mut rules)| {
        let is_there =
            |pin: &PairIndex| pairs.iter().any(|pair| (pair.demand, pair.counterpart) == (pin.demand, pin.counterpart));
        rules.pinned.retain(is_there);
        Problem { demands, counterparts, pairs, quotas, rules }
    })
}
