//! The optimisation by index: free pairs, limits and quotas after the pins, scaled values.

use super::types::Group;

/// Steps per millionth, so that rounded prices lose less than a millionth of the bound.
pub(super) const STEPS: i64 = 1 << 8;

/// A pair that may be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Free {
    /// Demand and counterpart.
    pub(super) ends: [u32; 2],
    /// Value in steps.
    pub(super) value: i64,
    /// Value plus a tie-breaker, in steps. It is so small that the best plan by gain is also best by value. Without it,
    /// many near-equal prices would have to be searched.
    pub(super) gain: i64,
}

/// A quota.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) name: Group,
    /// 0 demands, 1 counterparts.
    pub(super) side: usize,
    /// Participants that occur in a pair.
    pub(super) members: Vec<u32>,
    pub(super) min: i64,
    pub(super) max: i64,
}

/// The optimisation.
#[derive(Debug, Clone)]
pub(super) struct Core {
    /// Maximum pairs of each demand and each counterpart.
    pub(super) caps: [Vec<i64>; 2],
    pub(super) pairs: Vec<Free>,
    /// Only quotas that can bind.
    pub(super) limits: Vec<Limit>,
    /// Every total value is a multiple of this, in steps.
    pub(super) unit: i64,
    /// Cost of one missing pair of a minimum: more than the value of all pairs.
    pub(super) penalty: i64,
}

/// Decision on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PairFate {
    /// Undecided.
    Open,
    /// Chosen.
    In,
    /// Not chosen.
    Out,
}

// === impl Core ===

impl Core {
    /// Builds the optimisation and drops quotas that cannot bind.
    pub(super) fn new(caps: [Vec<i64>; 2], pairs: Vec<Free>, limits: Vec<Limit>) -> Self {
        let unit = pairs.iter().fold(0, |unit, pair| common(unit, pair.value));
        let largest = pairs.iter().map(|pair| pair.value).max().unwrap_or(0);
        let total = |side: usize| caps[side].iter().sum::<i64>();
        let max_pairs = total(0).min(total(1)).min(pairs.len() as i64);
        // twice, plus a margin, so that values and penalties stay distinct even if a limit is relaxed
        let penalty = largest.max(STEPS) * 2 * (max_pairs + 2);
        let unit = common(unit, penalty);
        let room = unit / (max_pairs + 2);
        let mut pairs = pairs;
        for pair in pairs.iter_mut().filter(|_| room > 0) {
            pair.gain = pair.value + (scatter(pair.ends) % room as u64) as i64;
        }
        let mut core = Self { caps, pairs, limits, unit, penalty };
        core.forgive();
        core.drop_idle();
        core
    }

    /// Lowers minimums to the reachable number. Only before the search: later shortfalls must stay comparable.
    fn forgive(&mut self) {
        let potentials = [self.potentials(0), self.potentials(1)];
        for limit in &mut self.limits {
            let reach: i64 = limit.members.iter().map(|member| potentials[limit.side][*member as usize]).sum();
            limit.min = limit.min.min(reach);
        }
    }

    /// Maximum pairs that each participant of a side can be in.
    pub(super) fn potentials(&self, side: usize) -> Vec<i64> {
        let mut degrees = vec![0; self.caps[side].len()];
        for pair in &self.pairs {
            degrees[pair.ends[side] as usize] += 1;
        }
        degrees.iter().zip(&self.caps[side]).map(|(degree, cap): (&i64, &i64)| *degree.min(cap)).collect()
    }

    /// Whether each participant of a side occurs in a pair.
    fn is_asked(&self, side: usize) -> Vec<bool> {
        let mut asked = vec![false; self.caps[side].len()];
        self.pairs.iter().for_each(|pair| asked[pair.ends[side] as usize] = true);
        asked
    }

    /// Drops quotas that could not bind even if one limit were one higher, so that the prices of limits are correct.
    fn drop_idle(&mut self) {
        let potentials = [self.potentials(0), self.potentials(1)];
        let asked = [self.is_asked(0), self.is_asked(1)];
        for limit in &mut self.limits {
            limit.members.retain(|member| asked[limit.side][*member as usize]);
        }
        self.limits.retain_mut(|limit| {
            let reach: i64 = limit.members.iter().map(|member| potentials[limit.side][*member as usize]).sum();
            limit.max = limit.max.min(reach + 1);
            limit.min > 0 || limit.max <= reach
        });
    }

    /// Value of a choice in steps, minus penalties for missed minimums; `None` if it breaks a limit.
    pub(super) fn worth(&self, chosen: &[bool]) -> Option<i64> {
        let mut counts = [vec![0; self.caps[0].len()], vec![0; self.caps[1].len()]];
        let mut total = 0;
        for (pair, _) in self.pairs.iter().zip(chosen).filter(|(_, is_in)| **is_in) {
            total += pair.value;
            counts[0][pair.ends[0] as usize] += 1;
            counts[1][pair.ends[1] as usize] += 1;
        }
        let within = |side: usize| counts[side].iter().zip(&self.caps[side]).all(|(count, cap)| count <= cap);
        if !within(0) || !within(1) {
            return None;
        }
        for limit in &self.limits {
            let count: i64 = limit.members.iter().map(|member| counts[limit.side][*member as usize]).sum();
            if count > limit.max {
                return None;
            }
            total -= self.penalty * (limit.min - count).max(0);
        }
        Some(total)
    }

    /// The optimisation over undecided pairs, after fixing the chosen ones.
    pub(super) fn rest(&self, fates: &[PairFate]) -> Self {
        let mut caps = self.caps.clone();
        let mut taken = [vec![0; caps[0].len()], vec![0; caps[1].len()]];
        let mut pairs = Vec::new();
        for (pair, fate) in self.pairs.iter().zip(fates) {
            match fate {
                PairFate::Open => pairs.push(*pair),
                PairFate::In => (0..2).for_each(|side| taken[side][pair.ends[side] as usize] += 1),
                PairFate::Out => {}
            }
        }
        let mut limits = self.limits.clone();
        for limit in &mut limits {
            let count: i64 = limit.members.iter().map(|member| taken[limit.side][*member as usize]).sum();
            limit.min = (limit.min - count).max(0);
            limit.max -= count;
        }
        for (caps, taken) in caps.iter_mut().zip(&taken) {
            caps.iter_mut().zip(taken).for_each(|(cap, taken)| *cap -= taken);
        }
        let mut core = Self { caps, pairs, limits, unit: self.unit, penalty: self.penalty };
        core.drop_idle();
        core
    }

    /// Largest total value possible under a bound on gains, in steps.
    pub(super) fn possible(&self, bound: i64) -> i64 {
        bound.div_euclid(self.unit) * self.unit
    }
}

/// Pseudo-random but constant number for a pair (the finaliser of splitmix64).
fn scatter(ends: [u32; 2]) -> u64 {
    let mut number = (u64::from(ends[0]) << 32 | u64::from(ends[1])).wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

fn common(one: i64, other: i64) -> i64 {
    let (mut one, mut other) = (one, other);
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
