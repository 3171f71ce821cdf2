//! Shortlists: converts an event to an allocation problem and the solution to shortlists. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::scores::{Candidate, Candidates};
use crate::events::model::{
    Certificate, Cost, Edits, Event, EventError, Group, LeftOut, LeftOutReason, Pair, Participant, Proof, QuotaRef,
    RuleRef, Shortfall, Shortlisted, Side, Why, shared::Organisations,
};
use duijie_core::domain::{RecordName, hit::Level};
use duijie_solver::allocation::{
    self, Attribute, Chosen, Constraint, Effort, Fault, Faults, LeftOutCause, MILLION, Problem, Relaxed, allocate,
};

/// Maximum rule costs in a plan, highest first.
const MAX_COSTS: usize = 200;

/// Inputs of the shortlists.
pub(super) struct Wanted<'a> {
    pub event: &'a Event,
    /// Active participants, ordered by record.
    pub participants: &'a [Participant],
    pub candidates: &'a Candidates,
    pub edits: &'a Edits,
    /// Published pairs that stay.
    pub held: &'a BTreeSet<Pair>,
    /// Pairs that met before, each with the event's id.
    pub met: &'a BTreeMap<Pair, String>,
}

/// Shortlist part of a plan.
#[derive(Debug, Default)]
pub(super) struct Shortlists {
    pub shortlist: Vec<Shortlisted>,
    pub left_out: Vec<LeftOut>,
    pub proof: Proof,
    pub costs: Vec<Cost>,
    pub shortfalls: Vec<Shortfall>,
}

/// Mapping between records of an event and numbers in the optimisation.
struct Table<'a> {
    wanted: &'a Wanted<'a>,
    demands: Vec<&'a Participant>,
    counterparts: Vec<&'a Participant>,
    names: Organisations<'a>,
    /// Their keys, in order.
    organisations: Vec<&'a str>,
    by_pair: BTreeMap<&'a Pair, &'a Candidate>,
}

/// Makes the shortlists. `None` if stopped.
///
/// # Errors
/// [`EventError::Contradictions`], [`EventError::TooLarge`].
pub(super) fn shortlists(wanted: &Wanted<'_>, stop: &dyn Fn() -> bool) -> Result<Option<Shortlists>, EventError> {
    let table = Table::new(wanted);
    let problem = table.problem();
    let plan = allocate(&problem, &Effort::default(), stop).map_err(|faults| table.faults(&faults))?;
    if stop() {
        return Ok(None);
    }
    let by = |pair: &allocation::PairIndex| table.pair(*pair);
    let shortlist = plan.chosen.iter().map(|chosen| table.shortlisted(chosen));
    let low = table.below_score().filter(|it| it.rank != 0 && it.rank <= table.limit(&it.pair.demand));
    let low = low.map(|it| left_out(it, vec![LeftOutReason::BelowScore], None));
    let others = plan.left_out.iter().filter_map(|it| {
        let reasons = it.reasons.iter().map(|reason| table.reason(&by(&it.pair), reason)).collect();
        Some(left_out(table.by_pair.get(&by(&it.pair))?, reasons, it.loss.map(value)))
    });
    let shortfalls = plan.shortfalls.iter().map(|it| Shortfall {
        quota: table.rule(Constraint::Min(it.group)),
        min_pairs: it.min,
        reached: it.reached,
    });
    Ok(Some(Shortlists {
        shortlist: shortlist.collect(),
        left_out: others.chain(low).collect(),
        proof: Proof {
            value: value(plan.value),
            bound: value(plan.bound),
            is_optimal: plan.proof != allocation::Proof::Open,
            certificate: certificate(plan.proof),
            candidates: problem.pairs.len() as u64,
            per_demand: u32::try_from(wanted.candidates.per_demand).unwrap_or(u32::MAX),
        },
        costs: table.costs(&plan.costs),
        shortfalls: shortfalls.collect(),
    }))
}

fn left_out(candidate: &Candidate, reasons: Vec<LeftOutReason>, loss: Option<f64>) -> LeftOut {
    let Candidate { pair, score, level, rank } = candidate;
    LeftOut { pair: pair.clone(), score: *score, level: *level, rank: *rank, reasons, loss }
}

fn certificate(proof: allocation::Proof) -> Certificate {
    match proof {
        allocation::Proof::FlowDual => Certificate::FlowDual,
        allocation::Proof::Prices => Certificate::Prices,
        allocation::Proof::Branches => Certificate::Branches,
        allocation::Proof::Open => Certificate::Open,
    }
}

/// Converts millionths to a number.
#[allow(clippy::cast_precision_loss, reason = "sums of at most 100,000 scores stay far below 2^52 millionths")]
fn value(millionths: i64) -> f64 {
    millionths as f64 / MILLION as f64
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

// === impl Table ===

impl<'a> Table<'a> {
    fn new(wanted: &'a Wanted<'a>) -> Self {
        let (demands, counterparts) = wanted.participants.iter().partition(|it| it.asks());
        let names = Organisations::of(wanted.participants);
        let keys: BTreeSet<&str> = wanted.participants.iter().map(|it| names.key(it)).collect();
        let organisations = keys.into_iter().filter(|key| !key.is_empty()).collect();
        Self { wanted, demands, counterparts, names, organisations, by_pair: wanted.candidates.by_pair() }
    }

    fn problem(&self) -> Problem {
        let pins: Vec<&Pair> = self.by_pair.keys().copied().filter(|pair| self.is_pinned(pair)).collect();
        let candidates = self.wanted.candidates.all.iter();
        let pairs = candidates.filter(|it| self.is_good_enough(it)).filter_map(|it| {
            let pair = self.numbers(&it.pair)?;
            let level = it.level.map(Level::number);
            let value = it.score.clamp(0.0, 1.0);
            Some(allocation::Candidate { demand: pair.demand, counterpart: pair.counterpart, value, level })
        });
        let rules = &self.wanted.event.rules;
        let forbidden = self.wanted.edits.0.keys().filter(|pair| self.wanted.edits.is_forbidden(pair));
        let met = self.wanted.met.keys().filter(|_| !rules.met_before);
        Problem {
            demands: self.demands.iter().map(|it| self.participant(it, Side::Demand)).collect(),
            counterparts: self.counterparts.iter().map(|it| self.participant(it, Side::Counterpart)).collect(),
            pairs: pairs.collect(),
            quotas: self.quotas(),
            rules: allocation::Rules {
                min_level: (rules.min_level != Level::Unrelated).then(|| rules.min_level.number()),
                same_organisation_apart: !rules.same_organisation,
                organisations_apart: self.organisations_apart(),
                met: met.filter_map(|pair| self.numbers(pair)).collect(),
                forbidden: forbidden.filter_map(|pair| self.numbers(pair)).collect(),
                pinned: pins.into_iter().filter_map(|pair| self.numbers(pair)).collect(),
            },
        }
    }

    fn participant(&self, it: &Participant, side: Side) -> allocation::Participant {
        let quotas = &self.wanted.event.rules.quotas;
        let of_group = |group: Group| {
            let covers =
                |quota: &crate::events::model::Quota| (quota.side, quota.group) == (side, group) && quota.covers(it);
            quotas.iter().position(covers).map(index)
        };
        allocation::Participant {
            limit: it.cap_under(self.wanted.event),
            organisation: self.organisations.binary_search(&self.names.key(it)).ok().map(index),
            city: of_group(Group::City),
            field: of_group(Group::Field),
        }
    }

    /// Returns caps of organisations and quotas of cities and fields.
    fn quotas(&self) -> Vec<allocation::Quota> {
        let rules = &self.wanted.event.rules;
        let sides = [
            (allocation::Side::Demands, &self.demands, rules.per_demand_organisation),
            (allocation::Side::Counterparts, &self.counterparts, rules.per_counterpart_organisation),
        ];
        let caps = sides.into_iter().filter_map(|(side, participants, cap)| Some((side, participants, cap?)));
        let caps = caps.flat_map(|(side, participants, cap)| {
            let keys = participants.iter().filter_map(|it| self.organisations.binary_search(&self.names.key(it)).ok());
            let keys: BTreeSet<u32> = keys.map(index).collect();
            keys.into_iter().map(move |key| {
                let group = allocation::Group { side, attribute: Attribute::Organisation, key };
                allocation::Quota { group, min: 0, max: Some(cap) }
            })
        });
        let quotas = rules.quotas.iter().enumerate().map(|(place, quota)| {
            let side = match quota.side {
                Side::Demand => allocation::Side::Demands,
                Side::Counterpart => allocation::Side::Counterparts,
            };
            let attribute = match quota.group {
                Group::City => Attribute::City,
                Group::Field => Attribute::Field,
            };
            let group = allocation::Group { side, attribute, key: index(place) };
            allocation::Quota { group, min: quota.min_pairs, max: quota.max_pairs }
        });
        caps.chain(quotas).collect()
    }

    fn organisations_apart(&self) -> Vec<(u32, u32)> {
        let named = |name: &str| {
            let is = |it: &&Participant| self.names.key(it) == name || it.organisation_name() == name;
            let all = self.wanted.participants.iter().filter(is);
            let numbers = all.filter_map(|it| self.organisations.binary_search(&self.names.key(it)).ok());
            numbers.map(index).collect::<BTreeSet<u32>>()
        };
        let mut apart = BTreeSet::new();
        for avoided in &self.wanted.event.rules.avoided {
            let (left, right) = (named(&avoided.left), named(&avoided.right));
            apart.extend(left.iter().flat_map(|one| right.iter().map(|other| (*one.min(other), *one.max(other)))));
        }
        apart.into_iter().collect()
    }

    fn is_pinned(&self, pair: &Pair) -> bool {
        self.wanted.edits.is_pinned(pair) || self.wanted.held.contains(pair)
    }

    /// Returns whether a pair reaches the minimum score; pinned pairs need not.
    fn is_good_enough(&self, candidate: &Candidate) -> bool {
        self.wanted.event.rules.min_score <= candidate.score || self.is_pinned(&candidate.pair)
    }

    fn below_score(&self) -> impl Iterator<Item = &Candidate> {
        self.wanted.candidates.all.iter().filter(|it| !self.is_good_enough(it))
    }

    /// Returns the maximum pairs of a demand.
    fn limit(&self, demand: &RecordName) -> u32 {
        let found = self.demands.iter().find(|it| it.record == *demand);
        found.map_or(0, |it| it.cap_under(self.wanted.event))
    }

    fn numbers(&self, pair: &Pair) -> Option<allocation::PairIndex> {
        let place = |all: &[&Participant], record: &RecordName| {
            all.binary_search_by(|it| it.record.cmp(record)).ok().map(index)
        };
        let demand = place(&self.demands, &pair.demand)?;
        Some(allocation::PairIndex { demand, counterpart: place(&self.counterparts, &pair.counterpart)? })
    }

    fn name(all: &[&'a Participant], place: u32) -> Option<&'a RecordName> {
        all.get(usize::try_from(place).ok()?).map(|it| &it.record)
    }

    fn pair(&self, pair: allocation::PairIndex) -> Pair {
        let missing =
            || RecordName { kind: duijie_core::domain::Kind::Demand, source: String::new(), id: String::new() };
        let name = |all: &[&'a Participant], place| Self::name(all, place).cloned().unwrap_or_else(missing);
        Pair::new(name(&self.demands, pair.demand), name(&self.counterparts, pair.counterpart))
    }

    fn shortlisted(&self, chosen: &Chosen) -> Shortlisted {
        let pair = self.pair(chosen.pair);
        let why = match (self.wanted.edits.is_pinned(&pair), self.wanted.held.contains(&pair)) {
            (true, _) => Why::Pinned,
            (false, true) => Why::Kept,
            (false, false) => Why::Chosen,
        };
        let known = self.by_pair.get(&pair);
        let (score, level, rank) = known.map_or((0.0, None, 0), |it| (it.score, it.level, it.rank));
        Shortlisted { pair, score, level, rank, why }
    }

    fn reason(&self, pair: &Pair, reason: &LeftOutCause) -> LeftOutReason {
        match reason {
            LeftOutCause::Excluded(Constraint::MinLevel) => LeftOutReason::BelowLevel,
            LeftOutCause::Excluded(Constraint::SameOrganisation) => LeftOutReason::SameOrganisation,
            LeftOutCause::Excluded(Constraint::OrganisationsApart) => LeftOutReason::Avoided,
            LeftOutCause::Excluded(Constraint::Met) => {
                LeftOutReason::MetBefore { event: self.wanted.met.get(pair).cloned().unwrap_or_default() }
            }
            LeftOutCause::Excluded(Constraint::Forbidden) => LeftOutReason::Forbidden,
            LeftOutCause::Excluded(other) => LeftOutReason::Quota { quota: self.rule(*other) },
            LeftOutCause::LowerValue => LeftOutReason::DemandCap,
            LeftOutCause::Full { constraint, held_by } => match constraint {
                Constraint::DemandLimit(_) => LeftOutReason::DemandCap,
                Constraint::CounterpartLimit(_) => {
                    let taken_by = held_by.iter().map(|it| self.pair(*it).demand).collect();
                    LeftOutReason::CounterpartCap { taken_by }
                }
                Constraint::Max(group) if group.attribute == Attribute::Organisation => {
                    LeftOutReason::OrganisationCap { organisation: self.organisation(group.key) }
                }
                other => LeftOutReason::Quota { quota: self.rule(*other) },
            },
            LeftOutCause::Kept { instead, constraint } => {
                LeftOutReason::Kept { instead: self.pair(*instead), rule: self.rule(*constraint) }
            }
            LeftOutCause::NoValue => LeftOutReason::NoValue,
            LeftOutCause::NotSearched => LeftOutReason::NotSearched,
        }
    }

    fn costs(&self, costs: &[allocation::Cost]) -> Vec<Cost> {
        let mut costs: Vec<Cost> = costs
            .iter()
            .map(|it| Cost {
                rule: self.rule(it.constraint),
                is_whole: it.relaxed == Relaxed::Removed,
                min_gain: value(it.min_gain),
                max_gain: value(it.max_gain),
            })
            .collect();
        costs.sort_by(|one, other| {
            let by_cost = other.max_gain.total_cmp(&one.max_gain);
            by_cost.then_with(|| one.rule.chinese().cmp(&other.rule.chinese()))
        });
        costs.truncate(MAX_COSTS);
        costs
    }

    fn organisation(&self, key: u32) -> String {
        let key = usize::try_from(key).ok().and_then(|key| self.organisations.get(key)).copied().unwrap_or_default();
        let named = self.wanted.participants.iter().find(|it| self.names.key(it) == key);
        named.map(|it| it.organisation_name()).unwrap_or(key).to_string()
    }

    /// Returns the quota of a group of a city or a field.
    fn quota(&self, group: allocation::Group) -> Option<QuotaRef> {
        let place = usize::try_from(group.key).ok().filter(|_| group.attribute != Attribute::Organisation)?;
        self.wanted.event.rules.quotas.get(place).map(crate::events::model::Quota::name)
    }

    /// Returns the name of a constraint.
    fn rule(&self, constraint: Constraint) -> RuleRef {
        let limit = |all: &[&'a Participant], place: u32| {
            let found = usize::try_from(place).ok().and_then(|place| all.get(place));
            let rule = |it: &&Participant| RuleRef::ParticipantMaximum {
                record: it.record.clone(),
                max: it.cap_under(self.wanted.event),
            };
            found.map_or_else(|| RuleRef::Told(String::new()), rule)
        };
        let organisation = |group: allocation::Group| {
            let side = if group.side == allocation::Side::Demands { Side::Demand } else { Side::Counterpart };
            RuleRef::OrganisationMaximum { side, organisation: self.organisation(group.key) }
        };
        match constraint {
            Constraint::DemandLimit(place) => limit(&self.demands, place),
            Constraint::CounterpartLimit(place) => limit(&self.counterparts, place),
            Constraint::Max(group) => self.quota(group).map_or_else(|| organisation(group), RuleRef::QuotaMaximum),
            Constraint::Min(group) => self.quota(group).map_or_else(|| organisation(group), RuleRef::QuotaMinimum),
            Constraint::MinLevel => RuleRef::MinLevel,
            Constraint::SameOrganisation => RuleRef::SameOrganisation,
            Constraint::OrganisationsApart => RuleRef::AvoidedOrganisations,
            Constraint::Met => RuleRef::MetBefore,
            Constraint::Forbidden => RuleRef::Forbidden,
            Constraint::Pinned => RuleRef::Pinned,
        }
    }

    fn faults(&self, faults: &Faults) -> EventError {
        if faults.0.contains(&Fault::TooLarge) {
            return EventError::TooLarge("参会者、备选对或名额过多".into());
        }
        let sentence = |fault: &Fault| match fault {
            Fault::PinAgainst { pin, constraint } => {
                format!("{} 与“{}”矛盾", self.pair(*pin), self.rule(*constraint).chinese())
            }
            Fault::MinAboveMax(group) => format!("{}高于上限", self.rule(Constraint::Min(*group)).chinese()),
            other => other.to_string(),
        };
        EventError::Contradictions(faults.0.iter().map(sentence).collect())
    }
}

#[cfg(test)]
mod tests;
