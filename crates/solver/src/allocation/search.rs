//! The search: one flow if everything nests; otherwise prices, a nearby plan, settled pairs, and branching.

use super::{
    core::{Core, PairFate},
    incumbent::Incumbent,
    nest::{Cell, Nest},
    network::{CellRange, Network},
    prices::{PlanSubset, Priced, QuotaEnd, quota_ends},
    types::Proof,
    work::Work,
};

/// Result of the search.
pub(super) struct SearchResult {
    pub(super) chosen: Vec<bool>,
    /// In steps, minus penalties for missed minimums.
    pub(super) worth: i64,
    /// Upper bound on the worth of every plan, in steps.
    pub(super) bound: i64,
    pub(super) proof: Proof,
    /// Prices of the whole: the dual solution.
    pub(super) dual: Dual,
}

/// The network at the best prices.
pub(super) struct Dual {
    pub(super) network: Network,
    pub(super) nest: Nest,
    /// Bound at these prices.
    pub(super) bound: i64,
    /// Prices of crossing quotas.
    pub(super) crossing: Vec<QuotaPrice>,
}

/// Price of one end of a quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuotaPrice {
    pub(super) end: QuotaEnd,
    /// In steps.
    pub(super) price: i64,
}

/// Bounds of the worth of the best plan, in steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorthBounds {
    pub(super) lower: i64,
    pub(super) upper: i64,
}

/// Upper bound on the worth of every plan, with its proof.
struct ProvedBound {
    bound: i64,
    proof: Proof,
}

/// Maximum branches when only a cost is needed.
const BRANCHES_WITHOUT: u32 = 0;

struct Open {
    ranges: Vec<CellRange>,
    prices: Vec<i64>,
    bound: i64,
}

// === impl Core ===

impl Core {
    /// Searches for the best plan.
    pub(super) fn search(&self, branches: u32, work: &mut Work<'_>) -> SearchResult {
        let nest = Nest::new(self);
        if nest.crossing.is_empty() {
            return self.flow(nest, work);
        }
        let mut incumbent = Incumbent::new(self);
        let ranges = whole(&nest);
        let part = PlanSubset { core: self, nest: &nest, ranges: &ranges };
        let priced = part.price(&[], &mut incumbent, work);
        part.repair(&priced.flow.cells, &mut incumbent, work);
        let ProvedBound { bound, proof } = self.finish(&priced, &mut incumbent, branches, work);
        let ends = quota_ends(self, &nest).into_iter();
        let crossing = ends.zip(&priced.prices).map(|(end, price)| QuotaPrice { end, price: *price });
        let dual = Dual { crossing: crossing.collect(), bound: priced.network_bound, network: priced.network, nest };
        SearchResult { chosen: incumbent.chosen, worth: incumbent.worth, bound, proof, dual }
    }

    /// Bounds of the worth without one end of a quota, continuing the search.
    pub(super) fn search_without(
        &self,
        end: QuotaEnd,
        dual: &Dual,
        chosen: &[bool],
        work: &mut Work<'_>,
    ) -> WorthBounds {
        let QuotaEnd { limit, is_max } = end;
        let mut core = self.clone();
        let mut nest = dual.nest.clone();
        let mut network = dual.network.clone();
        let min = core.limits[limit].min;
        let mut prices = Vec::new();
        if is_max {
            core.limits[limit].max = self.pairs.len() as i64;
            network.drop_max(limit, self.pairs.len() as i64);
        } else {
            core.limits[limit].min = 0;
            network.drop_min(limit, min);
        }
        // an unlimited crossing maximum has slack that would distort the scale: drop the quota if nothing is left of it
        let is_idle = is_max && min == 0 || !is_max && self.limits[limit].max >= self.pairs.len() as i64;
        nest.crossing.retain(|crossing| *crossing != limit || !is_idle);
        for other in quota_ends(&core, &nest) {
            let known = dual.crossing.iter().find(|known| known.end == other && other != end);
            prices.push(known.map_or(0, |known| known.price));
        }
        let mut incumbent = Incumbent::of(&core, chosen);
        let ranges = whole(&nest);
        let part = PlanSubset { core: &core, nest: &nest, ranges: &ranges };
        let priced = part.price_from(network, &prices, &mut incumbent, work);
        let ProvedBound { bound, .. } = core.finish(&priced, &mut incumbent, BRANCHES_WITHOUT, work);
        WorthBounds { lower: incumbent.worth, upper: bound }
    }

    /// After the prices of the whole: settles pairs and searches the rest. Returns the remaining bound.
    fn finish(&self, priced: &Priced, incumbent: &mut Incumbent, branches: u32, work: &mut Work<'_>) -> ProvedBound {
        let mut bound = priced.bound;
        let mut proof = Proof::Prices;
        if !incumbent.beats(self, bound) {
            proof = Proof::Branches;
            let mut left = branches;
            // settling narrows the incumbent's scope, so later bounds are compared with its worth
            let mut inner = incumbent.clone();
            bound = bound.min(self.settle(priced, &mut inner, &mut left, work));
            incumbent.worth = inner.worth;
            incumbent.chosen = inner.chosen;
        }
        let bound = self.possible(bound).max(incumbent.worth);
        ProvedBound { bound, proof: if bound > incumbent.worth { Proof::Open } else { proof } }
    }

    fn flow(&self, nest: Nest, work: &mut Work<'_>) -> SearchResult {
        let mut network = Network::new(self, &nest, &[]);
        network.solve(work);
        let flow = network.flow(self);
        let bound = self.possible(network.bound());
        // an unfinished flow may miss minimums but never breaks a limit
        let worth = self.worth(&flow.chosen).unwrap_or(i64::MIN / 4);
        let proof = if bound == worth { Proof::FlowDual } else { Proof::Open };
        let dual = Dual { bound: network.bound(), network, nest, crossing: Vec::new() };
        SearchResult { chosen: flow.chosen, worth, bound, proof, dual }
    }

    /// Settles the pairs that the prices decide and searches the rest; returns a bound of the whole.
    fn settle(&self, priced: &Priced, incumbent: &mut Incumbent, left: &mut u32, work: &mut Work<'_>) -> i64 {
        let fates: Vec<PairFate> = (0..self.pairs.len())
            .map(|pair| {
                let gain = priced.network.simplex.reduced_gain(pair);
                // a plan that decides this pair differently is not better than the incumbent
                match incumbent.beats(self, priced.network_bound.saturating_sub(gain.abs())) {
                    true if gain > 0 => PairFate::In,
                    true if gain < 0 => PairFate::Out,
                    _ => PairFate::Open,
                }
            })
            .collect();
        let rest = self.rest(&fates);
        incumbent.settle(self, &fates);
        rest.kernel(self.pairs.len(), incumbent, left, work)
    }

    /// Searches the rest after settling; returns a bound of the whole.
    fn kernel(&self, before: usize, incumbent: &mut Incumbent, left: &mut u32, work: &mut Work<'_>) -> i64 {
        let nest = Nest::new(self);
        let ranges = whole(&nest);
        let part = PlanSubset { core: self, nest: &nest, ranges: &ranges };
        let priced = part.price(&[], incumbent, work);
        part.repair(&priced.flow.cells, incumbent, work);
        if incumbent.beats(self, priced.bound) {
            return incumbent.worth;
        }
        if self.pairs.len() * 4 < before * 3 && !work.is_over() {
            let bound = incumbent.whole(priced.bound);
            return bound.min(self.settle(&priced, incumbent, left, work));
        }
        self.branch(&nest, priced, incumbent, left, work)
    }

    /// Depth-first branch and bound on the pair counts of cells.
    fn branch(&self, nest: &Nest, root: Priced, incumbent: &mut Incumbent, left: &mut u32, work: &mut Work<'_>) -> i64 {
        let mut open = divide(nest, &whole(nest), &root);
        if open.is_empty() && !root.is_solved {
            return incumbent.whole(root.bound);
        }
        while let Some(next) = open.pop() {
            if incumbent.beats(self, next.bound) {
                continue;
            }
            if *left == 0 || work.is_over() {
                open.push(next);
                break;
            }
            *left -= 1;
            let part = PlanSubset { core: self, nest, ranges: &next.ranges };
            let mut priced = part.price(&next.prices, incumbent, work);
            priced.bound = priced.bound.min(next.bound);
            if incumbent.beats(self, priced.bound) {
                continue;
            }
            if left.is_multiple_of(16) {
                part.repair(&priced.flow.cells, incumbent, work);
            }
            let parts = divide(nest, &next.ranges, &priced);
            if parts.is_empty() && !priced.is_solved {
                open.push(next);
                break;
            }
            open.extend(parts);
        }
        let bounds = open.iter().map(|part| incumbent.whole(part.bound));
        bounds.fold(incumbent.worth, i64::max)
    }
}

fn whole(nest: &Nest) -> Vec<CellRange> {
    nest.cells.iter().map(|cell| CellRange { min: 0, max: cell.reach }).collect()
}

/// Splits a part in two, the more promising one last; empty if every cell's count is fixed, since the flow is then the
/// part's best plan.
fn divide(nest: &Nest, ranges: &[CellRange], priced: &Priced) -> Vec<Open> {
    let reachable = |(range, cell): (&CellRange, &Cell)| CellRange { max: range.max.min(cell.reach), ..*range };
    let ends: Vec<CellRange> = ranges.iter().zip(&nest.cells).map(reachable).collect();
    // disagreement of the flows on a cell, within its range
    let spread = |cell: &usize| {
        let (range, spread) = (ends[*cell], priced.spread[*cell]);
        CellRange { min: spread.min.max(range.min), max: spread.max.min(range.max) }
    };
    let open = (0..ranges.len()).filter(|cell| ends[*cell].min < ends[*cell].max);
    let Some(cell) = open.max_by_key(|cell| (spread(cell).max - spread(cell).min, usize::MAX - cell)) else {
        return Vec::new();
    };
    let CellRange { min: from, max: to } = spread(&cell);
    let middle = if from < to { (from + to).div_euclid(2) } else { priced.flow.cells[cell] };
    let below = middle.clamp(ends[cell].min, ends[cell].max - 1);
    let part = |range: CellRange| {
        let mut ranges = ranges.to_vec();
        ranges[cell] = range;
        Open { ranges, prices: priced.prices.clone(), bound: priced.bound }
    };
    let low = part(CellRange { max: below, ..ends[cell] });
    let high = part(CellRange { min: below + 1, ..ends[cell] });
    if priced.flow.cells[cell] <= below { vec![high, low] } else { vec![low, high] }
}
