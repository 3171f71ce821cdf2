//! Solves a checked problem and builds the plan.

use super::{
    core::{Core, STEPS},
    costs::costs,
    prepare::{Prepared, PreparedCore},
    reasons::Reasons,
    search::Dual,
    types::{Allocation, Chosen, Constraint, Effort, Faults, Problem, Proof, Shortfall},
    work::Work,
};

/// A solved optimisation, in terms of the problem.
pub(super) struct Solved {
    pub(super) core: Core,
    /// Indices of the optimisation's pairs in the entries.
    pub(super) places: Vec<usize>,
    /// Whether each entry is in the plan.
    pub(super) chosen: Vec<bool>,
    /// Number of pairs of each participant.
    pub(super) counts: [Vec<i64>; 2],
    /// Number of pairs counted by each quota.
    pub(super) quota_counts: Vec<i64>,
    /// Value of the optimisation's own pairs in steps, minus penalties for missed minimums.
    pub(super) worth: i64,
    /// In millionths, pins included.
    pub(super) value: i64,
    pub(super) bound: i64,
    pub(super) proof: Proof,
    pub(super) dual: Dual,
    shortfalls: Vec<Shortfall>,
}

/// Returns the plan of the greatest total value.
///
/// `stop` is called now and then; once it returns true, the best plan so far is returned soon, with a valid bound, but
/// without costs and reasons.
///
/// # Errors
/// All faults of the problem, in order.
pub fn allocate(problem: &Problem, effort: &Effort, stop: &dyn Fn() -> bool) -> Result<Allocation, Faults> {
    let prepared = Prepared::new(problem)?;
    let mut work = Work::new(effort.pivots, stop);
    let solved = Solved::new(&prepared, None, effort.branches, &mut work);
    let mut more = Work::new(effort.cost_pivots, stop);
    let costs = costs(&prepared, &solved, effort, &mut more);
    let left_out = Reasons::new(&prepared, &solved).left_out(stop);
    let pivots = work.done() + more.done();
    Ok(solved.plan(&prepared, Allocation { costs, left_out, pivots, ..Allocation::default() }))
}

// === impl Solved ===

impl Solved {
    /// Solves the problem, optionally without one constraint.
    pub(super) fn new(
        prepared: &Prepared<'_>,
        without: Option<Constraint>,
        branches: u32,
        work: &mut Work<'_>,
    ) -> Self {
        let PreparedCore { core, places } = prepared.core(without);
        let found = core.search(branches, work);
        let mut chosen: Vec<bool> = prepared.entries.iter().map(|entry| entry.is_pinned).collect();
        if without == Some(Constraint::Pinned) {
            chosen.fill(false);
        }
        let taken: i64 =
            prepared.entries.iter().zip(&chosen).map(|(entry, is_in)| i64::from(*is_in) * entry.value).sum();
        for (place, is_in) in places.iter().zip(&found.chosen) {
            chosen[*place] = *is_in;
        }
        let entries = prepared.entries.iter().zip(&chosen).filter(|(_, is_in)| **is_in);
        let counts = prepared.counts(entries.clone().map(|(entry, _)| entry.pair));
        let quota_counts: Vec<i64> =
            prepared.quotas.iter().map(|quota| prepared.use_of(Constraint::Min(quota.group), &counts).used).collect();
        let own: i64 = core.pairs.iter().zip(&found.chosen).map(|(pair, is_in)| i64::from(*is_in) * pair.value).sum();
        // bound on plans with the same shortfall as this one
        let above = (found.bound - found.worth).min(core.penalty);
        let value = taken + own / STEPS;
        Self {
            bound: value + above.div_euclid(STEPS),
            shortfalls: shortfalls(prepared, &quota_counts, without),
            worth: found.worth,
            proof: found.proof,
            dual: found.dual,
            core,
            places,
            chosen,
            counts,
            quota_counts,
            value,
        }
    }

    /// Total number of pairs missing from all minimums.
    pub(super) fn missed(&self) -> u64 {
        self.shortfalls.iter().map(|shortfall| u64::from(shortfall.min - shortfall.reached)).sum()
    }

    /// Largest total value of the optimisation's own pairs possible under a bound, in steps.
    pub(super) fn possible(&self, bound: i64) -> i64 {
        self.core.possible(bound)
    }

    fn plan(self, prepared: &Prepared<'_>, rest: Allocation) -> Allocation {
        let entries = prepared.entries.iter().zip(&self.chosen).filter(|(_, is_in)| **is_in);
        let chosen =
            entries.map(|(entry, _)| Chosen { pair: entry.pair, value: entry.value, is_pinned: entry.is_pinned });
        Allocation {
            chosen: chosen.collect(),
            value: self.value,
            bound: self.bound,
            proof: self.proof,
            shortfalls: self.shortfalls,
            ..rest
        }
    }
}

fn shortfalls(prepared: &Prepared<'_>, counts: &[i64], without: Option<Constraint>) -> Vec<Shortfall> {
    let missed = |(quota, count): (&super::types::Quota, &i64)| {
        let is_asked = without != Some(Constraint::Min(quota.group));
        let reached = u32::try_from(*count).unwrap_or(u32::MAX);
        (is_asked && reached < quota.min).then_some(Shortfall { group: quota.group, min: quota.min, reached })
    };
    prepared.quotas.iter().zip(counts).filter_map(missed).collect()
}
