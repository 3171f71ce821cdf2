//! The search: one flow where everything nests; otherwise prices, a plan near them, what they settle, and branches.

use super::{
    core::{Core, Fate},
    incumbent::Incumbent,
    nest::Nest,
    network::{Network, Range},
    prices::{Part, Priced, price_names},
    types::Proof,
    work::Work,
};

/// What the search found.
pub(super) struct Found {
    pub(super) chosen: Vec<bool>,
    /// In steps, missed minimums subtracted.
    pub(super) worth: i64,
    /// No plan is worth more, in steps.
    pub(super) bound: i64,
    pub(super) proof: Proof,
    /// Prices of the whole: the dual solution.
    pub(super) dual: Dual,
}

/// The network at the best prices.
pub(super) struct Dual {
    pub(super) network: Network,
    /// The bound at these prices.
    pub(super) bound: i64,
    /// Prices of crossing quotas: place in [`Core::limits`], whether of the maximum, the price in steps.
    pub(super) crossing: Vec<(usize, bool, i64)>,
}

struct Open {
    ranges: Vec<Range>,
    prices: Vec<i64>,
    bound: i64,
}

// === impl Core ===

impl Core {
    /// Looks for the best plan.
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
        let root = priced.bound;
        let mut bound = root;
        let mut proof = Proof::Prices;
        if !incumbent.beats(self, bound) {
            proof = Proof::Branches;
            let mut left = branches;
            bound = bound.min(self.settle(&priced, &mut incumbent, (&mut left, work)));
        }
        if self.possible(bound) <= incumbent.worth {
            bound = incumbent.worth;
        } else {
            proof = Proof::Open;
        }
        let names = price_names(self, &nest);
        let crossing = names.iter().zip(&priced.prices).map(|((limit, is_most), price)| (*limit, *is_most, *price));
        let dual = Dual { crossing: crossing.collect(), bound: priced.network_bound, network: priced.network };
        let bound = self.possible(bound);
        Found { chosen: incumbent.chosen, worth: incumbent.worth, bound, proof, dual }
    }

    fn flow(&self, nest: Nest, work: &mut Work<'_>) -> Found {
        let mut network = Network::new(self, &nest, &[]);
        network.solve(work);
        let flow = network.flow(self);
        let bound = self.possible(network.bound());
        let proof = if bound == flow.worth { Proof::FlowDual } else { Proof::Open };
        let dual = Dual { bound: network.bound(), network, crossing: Vec::new() };
        Found { chosen: flow.chosen, worth: flow.worth, bound, proof, dual }
    }

    /// Settles what the prices decide and searches the rest; the bound is one of the whole.
    fn settle(&self, priced: &Priced, incumbent: &mut Incumbent, left: (&mut u32, &mut Work<'_>)) -> i64 {
        let gap = incumbent.gap(priced.network_bound);
        let fates: Vec<Fate> = (0..self.pairs.len())
            .map(|pair| {
                let gain = priced.network.simplex.reduced_gain(pair);
                // a plan that differs here is worth no more than the incumbent
                match gain.abs() >= gap {
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

    /// Searches what is left after settling; the bound is one of the whole.
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

    /// Branch and bound on the numbers of pairs of cells, depth first.
    fn branch(
        &self,
        nest: &Nest,
        root: Priced,
        incumbent: &mut Incumbent,
        (left, work): (&mut u32, &mut Work<'_>),
    ) -> i64 {
        let mut open = divide(nest, &whole(nest), &root);
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

/// Two parts that together are this one, the more likely one last; none where every cell's number is settled, because
/// then the flow is the best plan of the part.
fn divide(nest: &Nest, ranges: &[Range], priced: &Priced) -> Vec<Open> {
    let ends: Vec<Range> =
        ranges.iter().zip(&nest.cells).map(|((least, most), cell)| (*least, (*most).min(cell.reach))).collect();
    // how far the flows disagree on a cell, within its range
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
