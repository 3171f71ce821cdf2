//! Checks a problem and builds the optimisation: pairs excluded by rules, capacity taken by pins.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    core::{Core, Free, Limit, STEPS},
    types::{
        Attribute, Constraint, Fault, Faults, Group, MAX_CHOSEN, MAX_PAIRS, MAX_PARTICIPANTS, MAX_QUOTAS, MILLION,
        PairIndex, Participant, Problem, Quota, Side,
    },
};

/// How far a limit or maximum is used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) used: i64,
    capacity: i64,
}

/// The optimisation of some of the candidates.
pub(super) struct PreparedCore {
    pub(super) core: Core,
    /// Index of each pair in [`Prepared::entries`].
    pub(super) places: Vec<usize>,
}

/// A candidate and the rules that concern it.
#[derive(Debug, Clone)]
pub(super) struct CheckedCandidate {
    pub(super) pair: PairIndex,
    /// In millionths.
    pub(super) value: i64,
    /// Rules that exclude it.
    pub(super) excluded: Vec<Constraint>,
    pub(super) is_pinned: bool,
}

/// A checked problem.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) problem: &'a Problem,
    /// Sorted by pair.
    pub(super) entries: Vec<CheckedCandidate>,
    /// Sorted by group.
    pub(super) quotas: Vec<Quota>,
}

// === impl Prepared ===

impl<'a> Prepared<'a> {
    /// Checks the problem.
    ///
    /// # Errors
    /// All faults.
    pub(super) fn new(problem: &'a Problem) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        if is_too_large(problem) {
            return Err(Faults(vec![Fault::TooLarge]));
        }
        check_pairs(problem, &mut faults);
        let mut quotas = problem.quotas.clone();
        quotas.sort_unstable();
        check_quotas(&quotas, &mut faults);
        if !faults.is_empty() {
            return Err(sorted(faults));
        }
        let entries = entries(problem);
        let prepared = Self { problem, entries, quotas };
        prepared.check_pins(&mut faults);
        if faults.is_empty() { Ok(prepared) } else { Err(sorted(faults)) }
    }

    /// Builds the optimisation, optionally without one constraint.
    pub(super) fn core(&self, without: Option<Constraint>) -> PreparedCore {
        let taken = self.counts(self.entries.iter().filter(|entry| is_taken(entry, without)).map(|entry| entry.pair));
        let limits_of = |list: &[Participant], taken: &[i64]| -> Vec<i64> {
            list.iter().zip(taken).map(|(participant, taken)| i64::from(participant.limit) - taken).collect()
        };
        let caps = [limits_of(&self.problem.demands, &taken[0]), limits_of(&self.problem.counterparts, &taken[1])];
        let mut pairs = Vec::new();
        let mut places = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let is_free = entry.excluded.iter().all(|constraint| Some(*constraint) == without);
            if is_free && !is_taken(entry, without) {
                let value = entry.value * STEPS;
                pairs.push(Free { ends: [entry.pair.demand, entry.pair.counterpart], value, gain: value });
                places.push(place);
            }
        }
        let limits = self.quotas.iter().map(|quota| self.limit(quota, &taken, without)).collect();
        PreparedCore { core: Core::new(caps, pairs, limits), places }
    }

    fn limit(&self, quota: &Quota, taken: &[Vec<i64>; 2], without: Option<Constraint>) -> Limit {
        let members = self.members(quota.group);
        let side = quota.group.side.place();
        let count: i64 = members.iter().map(|member| taken[side][*member as usize]).sum();
        let is_without = |constraint: Constraint| without == Some(constraint);
        let max = quota.max.filter(|_| !is_without(Constraint::Max(quota.group)));
        let min = if is_without(Constraint::Min(quota.group)) { 0 } else { i64::from(quota.min) };
        Limit {
            name: quota.group,
            side,
            members,
            min: (min - count).max(0),
            max: max.map_or(i64::MAX / 4, |max| i64::from(max) - count),
        }
    }

    /// The participants of a group.
    pub(super) fn members(&self, group: Group) -> Vec<u32> {
        let list = self.participants(group.side);
        (0..list.len() as u32).filter(|member| list[*member as usize].key(group.attribute) == Some(group.key)).collect()
    }

    /// The participants of a side.
    pub(super) fn participants(&self, side: Side) -> &[Participant] {
        match side {
            Side::Demands => &self.problem.demands,
            Side::Counterparts => &self.problem.counterparts,
        }
    }

    /// Number of these pairs for each demand and each counterpart.
    pub(super) fn counts(&self, pairs: impl Iterator<Item = PairIndex>) -> [Vec<i64>; 2] {
        let mut counts = [vec![0; self.problem.demands.len()], vec![0; self.problem.counterparts.len()]];
        for pair in pairs {
            counts[0][pair.demand as usize] += 1;
            counts[1][pair.counterpart as usize] += 1;
        }
        counts
    }

    fn check_pins(&self, faults: &mut Vec<Fault>) {
        let pinned: Vec<&CheckedCandidate> = self.entries.iter().filter(|entry| entry.is_pinned).collect();
        for entry in &pinned {
            faults.extend(
                entry.excluded.iter().map(|constraint| Fault::PinAgainst { pin: entry.pair, constraint: *constraint }),
            );
        }
        let counts = self.counts(pinned.iter().map(|entry| entry.pair));
        for entry in &pinned {
            let pin = entry.pair;
            for constraint in self.upper_limits(pin) {
                if self.use_of(constraint, &counts).is_exceeded() {
                    faults.push(Fault::PinAgainst { pin, constraint });
                }
            }
        }
    }

    /// Limits and maximums that count a pair.
    pub(super) fn upper_limits(&self, pair: PairIndex) -> Vec<Constraint> {
        let mut found = vec![Constraint::DemandLimit(pair.demand), Constraint::CounterpartLimit(pair.counterpart)];
        let quotas = self.quotas_of(pair).filter(|quota| quota.max.is_some());
        found.extend(quotas.map(|quota| Constraint::Max(quota.group)));
        found
    }

    /// Quotas that count a pair.
    pub(super) fn quotas_of(&self, pair: PairIndex) -> impl Iterator<Item = Quota> {
        let ends = [(Side::Demands, pair.demand), (Side::Counterparts, pair.counterpart)];
        let groups = ends.into_iter().flat_map(|(side, member)| {
            let participant = &self.participants(side)[member as usize];
            Attribute::ALL
                .into_iter()
                .filter_map(move |attribute| participant.key(attribute).map(|key| Group { side, attribute, key }))
        });
        groups.filter_map(|group| {
            let place = self.quotas.binary_search_by_key(&group, |quota| quota.group).ok()?;
            self.quotas.get(place).copied()
        })
    }

    /// How far a limit or maximum is used up.
    pub(super) fn use_of(&self, constraint: Constraint, counts: &[Vec<i64>; 2]) -> Usage {
        let (used, capacity) = match constraint {
            Constraint::DemandLimit(demand) => {
                (counts[0][demand as usize], i64::from(self.problem.demands[demand as usize].limit))
            }
            Constraint::CounterpartLimit(counterpart) => {
                let limit = self.problem.counterparts[counterpart as usize].limit;
                (counts[1][counterpart as usize], i64::from(limit))
            }
            Constraint::Max(group) | Constraint::Min(group) => {
                let side = group.side.place();
                let count = self.members(group).iter().map(|member| counts[side][*member as usize]).sum();
                let quota = self.quotas.iter().find(|quota| quota.group == group);
                (count, quota.and_then(|quota| quota.max).map_or(i64::MAX, i64::from))
            }
            _ => (0, i64::MAX),
        };
        Usage { used, capacity }
    }
}

// === impl Usage ===

impl Usage {
    fn is_exceeded(self) -> bool {
        self.used > self.capacity
    }

    /// Returns whether nothing more fits.
    pub(super) fn is_full(self) -> bool {
        self.used >= self.capacity
    }
}

// === impl Participant ===

impl Participant {
    /// Value of an attribute.
    pub(super) fn key(&self, attribute: Attribute) -> Option<u32> {
        match attribute {
            Attribute::Organisation => self.organisation,
            Attribute::City => self.city,
            Attribute::Field => self.field,
        }
    }
}

// === impl Side ===

impl Side {
    /// 0 for demands, 1 for counterparts.
    pub(super) fn place(self) -> usize {
        match self {
            Self::Demands => 0,
            Self::Counterparts => 1,
        }
    }
}

// === impl Attribute ===

impl Attribute {
    pub(super) const ALL: [Self; 3] = [Self::Organisation, Self::City, Self::Field];
}

fn is_taken(entry: &CheckedCandidate, without: Option<Constraint>) -> bool {
    entry.is_pinned && without != Some(Constraint::Pinned)
}

fn sorted(mut faults: Vec<Fault>) -> Faults {
    faults.sort_unstable();
    faults.dedup();
    Faults(faults)
}

fn is_too_large(problem: &Problem) -> bool {
    let total = |list: &[Participant]| list.iter().map(|participant| u64::from(participant.limit)).sum::<u64>();
    let chosen = total(&problem.demands).min(total(&problem.counterparts)).min(problem.pairs.len() as u64);
    let rules = &problem.rules;
    let listed = [&rules.met, &rules.forbidden, &rules.pinned].map(Vec::len);
    problem.demands.len().max(problem.counterparts.len()) > MAX_PARTICIPANTS
        || listed.into_iter().chain([problem.pairs.len(), rules.organisations_apart.len()]).any(|len| len > MAX_PAIRS)
        || problem.quotas.len() > MAX_QUOTAS
        || chosen > MAX_CHOSEN
}

fn check_pairs(problem: &Problem, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for candidate in &problem.pairs {
        let pair = PairIndex { demand: candidate.demand, counterpart: candidate.counterpart };
        if !seen.insert(pair) {
            faults.push(Fault::PairTwice(pair));
        }
        let level_is_known = candidate.level.is_none_or(|level| (1..=4).contains(&level));
        if !((0.0..=1.0).contains(&candidate.value) && level_is_known) {
            faults.push(Fault::OutOfRange(pair));
        }
    }
    let rules = &problem.rules;
    let named = seen.iter().chain(&rules.met).chain(&rules.forbidden).chain(&rules.pinned);
    faults.extend(named.filter(|pair| is_unknown(problem, **pair)).map(|pair| Fault::UnknownParticipant(*pair)));
    let without = rules.pinned.iter().filter(|pin| !seen.contains(pin) && !is_unknown(problem, **pin));
    faults.extend(without.map(|pin| Fault::PinWithoutCandidate(*pin)));
    if let Some(level) = rules.min_level.filter(|level| !(1..=4).contains(level)) {
        faults.push(Fault::MinLevelOutOfRange(level));
    }
}

fn is_unknown(problem: &Problem, pair: PairIndex) -> bool {
    pair.demand as usize >= problem.demands.len() || pair.counterpart as usize >= problem.counterparts.len()
}

fn check_quotas(quotas: &[Quota], faults: &mut Vec<Fault>) {
    for two in quotas.windows(2) {
        if two[0].group == two[1].group {
            faults.push(Fault::QuotaTwice(two[0].group));
        }
    }
    let above = quotas.iter().filter(|quota| quota.max.is_some_and(|max| quota.min > max));
    faults.extend(above.map(|quota| Fault::MinAboveMax(quota.group)));
}

fn entries(problem: &Problem) -> Vec<CheckedCandidate> {
    let rules = &problem.rules;
    let listed = |pairs: &[PairIndex]| pairs.iter().copied().collect::<BTreeSet<PairIndex>>();
    let lists =
        BTreeMap::from([(Constraint::Met, listed(&rules.met)), (Constraint::Forbidden, listed(&rules.forbidden))]);
    let pinned = listed(&rules.pinned);
    let apart: BTreeSet<(u32, u32)> =
        rules.organisations_apart.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]).collect();
    let entry = |candidate: &super::types::Candidate| {
        let pair = PairIndex { demand: candidate.demand, counterpart: candidate.counterpart };
        let organisations = problem.demands[pair.demand as usize]
            .organisation
            .zip(problem.counterparts[pair.counterpart as usize].organisation);
        let is_below = candidate.level.zip(rules.min_level).is_some_and(|(level, min)| level < min);
        let is_same = rules.same_organisation_apart && organisations.is_some_and(|(one, other)| one == other);
        let is_apart = organisations.is_some_and(|organisations| apart.contains(&organisations));
        let alone = [
            (Constraint::MinLevel, is_below),
            (Constraint::SameOrganisation, is_same),
            (Constraint::OrganisationsApart, is_apart),
        ];
        let mut excluded: Vec<Constraint> =
            alone.into_iter().filter(|(_, applies)| *applies).map(|(constraint, _)| constraint).collect();
        excluded.extend(lists.iter().filter(|(_, list)| list.contains(&pair)).map(|(constraint, _)| *constraint));
        let value = (candidate.value * MILLION as f64).round() as i64;
        CheckedCandidate { pair, value, excluded, is_pinned: pinned.contains(&pair) }
    };
    let mut entries: Vec<CheckedCandidate> = problem.pairs.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.pair);
    entries
}
