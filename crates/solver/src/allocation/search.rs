//! The search: one flow if everything nests; otherwise prices, a nearby plan, settled pairs, and branching.

use super::{
    core::{Core, Fate},
    incumbent::Incumbent,
    nest::Nest,
    network::{Network, Range},
    prices::{Part, Priced, price_names},
    types::Proof,
    work::Work,
};

/// Result of the search.
pub(super) struct Found {
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
    /// Prices of crossing quotas: index in [`Core::limits`], whether of the maximum, price in steps.
    pub(super) crossing: Vec<(usize, bool, i64)>,
}

/// Maximum branches when only a cost is needed.
const BRANCHES_WITHOUT: u32 = 0;

struct Open {
    ranges: Vec<Range>,
    prices: Vec<i64>,
    bound: i64,
}

// === impl Core ===

impl Core {
    /// Searches for the best plan.
    pub(super) fn search(&self, branches: u32, work: &mut Work<'_>) -> Found {
        let nest = Nest::new(self);
        if nest.crossing.is_empty() {
            return self.flow(nest, work);
        }
        let mut incumbent = Incumbent::new(self);
        let ranges = whole(&nest);
        let part = Part { core: self, nest: &nest, ranges: &ranges };
        let priced = part.price(&[], &mut incumbent, work);
        part.repair(&priced.flow.cells, &mut incumbent, work);
        let (bound, proof) = self.finish(&priced, &mut incumbent, branches, work);
        let names = price_names(self, &nest);
        let crossing = names.iter().zip(&priced.prices).map(|((limit, is_most), price)| (*limit, *is_most, *price));
        let dual = Dual { crossing: crossing.collect(), bound: priced.network_bound, network: priced.network, nest };
        Found { chosen: incumbent.chosen, worth: incumbent.worth, bound, proof, dual }
    }

    /// Lower and upper bound of the worth without one end of a quota, continuing the search with it. The quota is given
    /// by its index and whether its maximum is removed.
    pub(super) fn search_without(
        &self,
        (limit, is_most): (usize, bool),
        dual: &Dual,
        chosen: &[bool],
        work: &mut Work<'_>,
    ) -> (i64, i64) {
        let mut core = self.clone();
        let mut nest = dual.nest.clone();
        let mut network = dual.network.clone();
        let least = core.limits[limit].least;
        let mut prices = Vec::new();
        if is_most {
            core.limits[limit].most = self.pairs.len() as i64;
            network.drop_most(limit, self.pairs.len() as i64);
        } else {
            core.limits[limit].least = 0;
            network.drop_least(limit, least);
        }
        // an unlimited crossing maximum has slack that would distort the scale: drop the quota if nothing is left of it
        let is_idle = is_most && least == 0 || !is_most && self.limits[limit].most >= self.pairs.len() as i64;
        nest.crossing.retain(|crossing| *crossing != limit || !is_idle);
        for name in price_names(&core, &nest) {
            let known = dual.crossing.iter().find(|(limit, is_most, _)| (*limit, *is_most) == name);
            prices.push(known.filter(|_| name != (limit, is_most)).map_or(0, |(_, _, price)| *price));
        }
        let mut incumbent = Incumbent::of(&core, chosen);
        let ranges = whole(&nest);
        let part = Part { core: &core, nest: &nest, ranges: &ranges };
        let priced = part.price_from(network, &prices, &mut incumbent, work);
        let (bound, _) = core.finish(&priced, &mut incumbent, BRANCHES_WITHOUT, work);
        (incumbent.worth, bound)
    }

    /// After the prices of the whole: settles pairs and searches the rest. Returns the remaining bound and its proof.
    fn finish(&self, priced: &Priced, incumbent: &mut Incumbent, branches: u32, work: &mut Work<'_>) -> (i64, Proof) {
        let mut bound = priced.bound;
        let mut proof = Proof::Prices;
        if !incumbent.beats(self, bound) {
            proof = Proof::Branches;
            let mut left = branches;
            // settling narrows the incumbent's scope, so later bounds are compared with its worth
            let mut inner = incumbent.clone();
            bound = bound.min(self.settle(priced, &mut inner, (&mut left, work)));
            incumbent.worth = inner.worth;
            incumbent.chosen = inner.chosen;
        }
        let bound = self.possible(bound).max(incumbent.worth);
        if bound > incumbent.worth { (bound, Proof::Open) } else { (bound, proof) }
    }

    fn flow(&self, nest: Nest, work: &mut Work<'_>) -> Found {
        let mut network = Network::new(self, &nest, &[]);
        network.solve(work);
        let flow = network.flow(self);
        let bound = self.possible(network.bound());
        // an unfinished flow may miss minimums but never breaks a limit
        let worth = self.worth(&flow.chosen).unwrap_or(i64::MIN / 4);
        let proof = if bound == worth { Proof::FlowDual } else { Proof::Open };
        let dual = Dual { bound: network.bound(), network, nest, crossing: Vec::new() };
        Found { chosen: flow.chosen, worth, bound, proof, dual }
    }

    /// Settles the pairs that the prices decide and searches the rest; returns a bound of the whole.
    fn settle(&self, priced: &Priced, incumbent: &mut Incumbent, left: (&mut u32, &mut Work<'_>)) -> i64 {
        let fates: Vec<Fate> = (0..self.pairs.len())
            .map(|pair| {
                let gain = priced.network.simplex.reduced_gain(pair);
                // a plan that decides this pair differently is not better than the incumbent
                match incumbent.beats(self, priced.network_bound.saturating_sub(gain.abs())) {
                    true if gain > 0 => Fate::In,
                    true if gain < 0 => Fate::Out,
                    _ => Fate::Open,
                }
            })
            .collect();
        let rest = self.rest(&fates);
        incumbent.settle(self, &fates);
        rest.kernel(self.pairs.len(), incumbent, left)
    }

    /// Searches the rest after settling; returns a bound of the whole.
    fn kernel(&self, before: usize, incumbent: &mut Incumbent, (left, work): (&mut u32, &mut Work<'_>)) -> i64 {
        let nest = Nest::new(self);
        let ranges = whole(&nest);
        let part = Part { core: self, nest: &nest, ranges: &ranges };
        let priced = part.price(&[], incumbent, work);
        part.repair(&priced.flow.cells, incumbent, work);
        if incumbent.beats(self, priced.bound) {
            return incumbent.worth;
        }
        if self.pairs.len() * 4 < before * 3 && !work.is_over() {
            let bound = incumbent.whole(priced.bound);
            return bound.min(self.settle(&priced, incumbent, (left, work)));
        }
        self.branch(&nest, priced, incumbent, (left, work))
    }

    /// Depth-first branch and bound on the pair counts of cells.
    fn branch(
        &self,
        nest: &Nest,
        root: Priced,
        incumbent: &mut Incumbent,
        (left, work): (&mut u32, &mut Work<'_>),
    ) -> i64 {
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
            let part = Part { core: self, nest, ranges: &next.ranges };
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

fn whole(nest: &Nest) -> Vec<Range> {
    nest.cells.iter().map(|cell| (0, cell.reach)).collect()
}

/// Splits a part in two, the more promising one last; empty if every cell's count is fixed, since the flow is then the
/// part's best plan.
fn divide(nest: &Nest, ranges: &[Range], priced: &Priced) -> Vec<Open> {
    let ends: Vec<Range> =
        ranges.iter().zip(&nest.cells).map(|((least, most), cell)| (*least, (*most).min(cell.reach))).collect();
    // disagreement of the flows on a cell, within its range
    let spread = |cell: &usize| {
        let ((least, most), spread) = (ends[*cell], priced.spread[*cell]);
        (spread.0.max(least), spread.1.min(most))
    };
    let open = (0..ranges.len()).filter(|cell| ends[*cell].0 < ends[*cell].1);
    let Some(cell) = open.max_by_key(|cell| (spread(cell).1 - spread(cell).0, usize::MAX - cell)) else {
        return Vec::new();
    };
    let (from, to) = spread(&cell);
    let middle = if from < to { (from + to).div_euclid(2) } else { priced.flow.cells[cell] };
    let below = middle.clamp(ends[cell].0, ends[cell].1 - 1);
    let part = |range: Range| {
        let mut ranges = ranges.to_vec();
        ranges[cell] = range;
        Open { ranges, prices: priced.prices.clone(), bound: priced.bound }
    };
    let (low, high) = (part((ends[cell].0, below)), part((below + 1, ends[cell].1)));
    if priced.flow.cells[cell] <= below { vec![high, low] } else { vec![low, high] }
}
