//! Reasons why good pairs are not in the plan: excluding rules, or obstacles to adding them or swapping them in.

use super::{
    core::STEPS,
    plan::Solved,
    prepare::{CheckedCandidate, Prepared},
    types::{Constraint, LeftOut, LeftOutCause, MAX_HOLDERS, PairIndex, Proof},
};

/// Finds reasons for one plan.
pub(super) struct Reasons<'a> {
    prepared: &'a Prepared<'a>,
    solved: &'a Solved,
    /// CheckedCandidate indices of each demand's and each counterpart's chosen pairs.
    chosen: [Vec<Vec<usize>>; 2],
}

// === impl Reasons ===

impl<'a> Reasons<'a> {
    /// Prepares the reasons for a plan.
    pub(super) fn new(prepared: &'a Prepared<'a>, solved: &'a Solved) -> Self {
        let mut chosen =
            [vec![Vec::new(); prepared.problem.demands.len()], vec![Vec::new(); prepared.problem.counterparts.len()]];
        for (place, entry) in prepared.entries.iter().enumerate() {
            if solved.chosen[place] {
                chosen[0][entry.pair.demand as usize].push(place);
                chosen[1][entry.pair.counterpart as usize].push(place);
            }
        }
        Self { prepared, solved, chosen }
    }

    /// Pairs left out among each demand's best candidates, as many as its limit; none once stopped.
    pub(super) fn left_out(&self, stop: &dyn Fn() -> bool) -> Vec<LeftOut> {
        let entries = &self.prepared.entries;
        let mut found = Vec::new();
        let mut start = 0;
        for (demand, participant) in self.prepared.problem.demands.iter().enumerate() {
            if stop() {
                return Vec::new();
            }
            let end = start + entries[start..].partition_point(|entry| entry.pair.demand as usize <= demand);
            let mut order: Vec<usize> = (start..end).collect();
            order.sort_by_key(|place| (-entries[*place].value, *place));
            for (rank, place) in order.into_iter().take(participant.limit as usize).enumerate() {
                if !self.solved.chosen[place] {
                    found.push(self.of(place, rank as u32 + 1));
                }
            }
            start = end;
        }
        found
    }

    fn of(&self, place: usize, rank: u32) -> LeftOut {
        let entry = &self.prepared.entries[place];
        let (pair, value) = (entry.pair, entry.value);
        if !entry.excluded.is_empty() {
            let reasons = entry.excluded.iter().map(|constraint| LeftOutCause::Excluded(*constraint)).collect();
            return LeftOut { pair, value, rank, reasons, loss: None };
        }
        let mut reasons = self.against(entry);
        reasons.sort_unstable();
        reasons.dedup();
        if reasons.is_empty() {
            reasons.push(if self.solved.proof == Proof::Open {
                LeftOutCause::NotSearched
            } else {
                LeftOutCause::NoValue
            });
        }
        LeftOut { pair, value, rank, reasons, loss: Some(self.loss(place)) }
    }

    fn against(&self, entry: &CheckedCandidate) -> Vec<LeftOutCause> {
        let demand = &self.chosen[0][entry.pair.demand as usize];
        let limit = self.prepared.problem.demands[entry.pair.demand as usize].limit as usize;
        if demand.len() < limit {
            return self.full(entry.pair, None);
        }
        let weaker: Vec<&CheckedCandidate> = demand
            .iter()
            .map(|place| &self.prepared.entries[*place])
            .filter(|other| other.value < entry.value)
            .collect();
        if weaker.is_empty() {
            return vec![LeftOutCause::LowerValue];
        }
        let mut reasons = Vec::new();
        for other in weaker {
            let mut blockers = self.full(entry.pair, Some(other.pair));
            blockers.extend(self.kept(other, entry.pair));
            if blockers.is_empty() {
                // an improving swap exists only in a plan whose search was not finished
                return Vec::new();
            }
            reasons.extend(blockers);
        }
        reasons
    }

    /// Limits and maximums that count this pair, are used up, and are not freed by removing `instead`.
    fn full(&self, pair: PairIndex, instead: Option<PairIndex>) -> Vec<LeftOutCause> {
        let freed = instead.map(|instead| self.prepared.upper_limits(instead)).unwrap_or_default();
        let limits = self.prepared.upper_limits(pair).into_iter().filter(|constraint| !freed.contains(constraint));
        limits
            .filter(|constraint| self.prepared.use_of(*constraint, &self.solved.counts).is_full())
            .map(|constraint| LeftOutCause::Full { constraint, held_by: self.holders(constraint) })
            .collect()
    }

    fn kept(&self, other: &CheckedCandidate, by: PairIndex) -> Vec<LeftOutCause> {
        let instead = other.pair;
        let reason = |constraint: Constraint| LeftOutCause::Kept { instead, constraint };
        if other.is_pinned {
            return vec![reason(Constraint::Pinned)];
        }
        let counted: Vec<_> = self.prepared.quotas_of(by).collect();
        let quotas = self.prepared.quotas_of(instead).filter(|quota| quota.min > 0 && !counted.contains(quota));
        quotas
            .filter(|quota| {
                let usage = self.prepared.use_of(Constraint::Min(quota.group), &self.solved.counts);
                usage.used <= i64::from(quota.min)
            })
            .map(|quota| reason(Constraint::Min(quota.group)))
            .collect()
    }

    fn holders(&self, constraint: Constraint) -> Vec<PairIndex> {
        let of = |side: usize, members: &[u32]| -> Vec<usize> {
            members.iter().flat_map(|member| &self.chosen[side][*member as usize]).copied().collect()
        };
        let mut places = match constraint {
            Constraint::DemandLimit(demand) => of(0, &[demand]),
            Constraint::CounterpartLimit(counterpart) => of(1, &[counterpart]),
            Constraint::Max(group) => of(group.side.place(), &self.prepared.members(group)),
            _ => Vec::new(),
        };
        places.sort_by_key(|place| (self.prepared.entries[*place].value, *place));
        places.truncate(MAX_HOLDERS);
        places.into_iter().map(|place| self.prepared.entries[place].pair).collect()
    }

    /// Minimum drop of the total if this pair is forced in.
    fn loss(&self, place: usize) -> i64 {
        let Ok(pair) = self.solved.places.binary_search(&place) else { return 0 };
        let gain = self.solved.dual.network.simplex.reduced_gain(pair).min(0);
        let max = self.solved.possible(self.solved.dual.bound.saturating_add(gain));
        ((self.solved.worth - max) / STEPS).clamp(0, self.solved.core.penalty / STEPS)
    }
}
