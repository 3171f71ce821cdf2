//! The network of an optimisation: hub → quotas of demands → demands → counterparts → quotas of counterparts → hub.
//!
//! Every chosen pair is a unit of flow around the circle. A minimum is an extra arc parallel to the quota's own; its
//! flow earns the penalty. So a flow always exists, and the best one misses the minimums as little as possible.
//! Crossing quotas are not in the network: their prices are on the cell arcs.

use super::{
    core::Core,
    nest::{Home, Nest},
    simplex::{Arc, Simplex},
    work::Work,
};

/// Number of pairs that a cell may have, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellRange {
    pub(super) min: i64,
    pub(super) max: i64,
}

/// The network with its flow.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) simplex: Simplex,
    /// Arcs of each nested quota: the part that earns the penalty, the rest, and the arc opened when the maximum is
    /// dropped.
    pub(super) quota_arcs: Vec<(usize, [usize; 3])>,
    cell_arcs: Vec<[usize; 2]>,
    /// First arc of the demands, and of the counterparts.
    pub(super) first: [usize; 2],
    pairs: usize,
    /// Total penalties earned by all minimums.
    earned: i64,
    penalty: i64,
    cell_minimums: Vec<i64>,
}

/// A flow as a choice of pairs.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) chosen: Vec<bool>,
    /// Number of pairs of each cell.
    pub(super) cells: Vec<i64>,
    /// Gains of the pairs minus penalties for missed minimums in the network, in steps.
    pub(super) worth: i64,
}

struct Builder<'a> {
    core: &'a Core,
    arcs: Vec<Arc>,
    nodes: usize,
    limit_nodes: Vec<u32>,
    cell_nodes: Vec<u32>,
    earned: i64,
}

// === impl Network ===

impl Network {
    /// Builds the network with a pair range for each cell.
    pub(super) fn new(core: &Core, nest: &Nest, ranges: &[CellRange]) -> Self {
        let mut builder = Builder::new(core, nest);
        for pair in &core.pairs {
            let (from, to) = (1 + pair.ends[0], 1 + core.caps[0].len() as u32 + pair.ends[1]);
            builder.arcs.push(Arc { from, to, capacity: 1, gain: pair.gain });
        }
        let first = [0, 1].map(|side| {
            let start = builder.arcs.len();
            for (member, cap) in core.caps[side].iter().enumerate() {
                let node = builder.member(side, member);
                let home = builder.node(nest.homes[side][member]);
                builder.arc(side, home, node, (*cap).max(0));
            }
            start
        });
        let quota_arcs = nest
            .nested
            .iter()
            .map(|(index, home)| {
                let limit = &core.limits[*index];
                let home = builder.node(*home);
                let node = builder.limit_nodes[*index];
                let [wanted, rest] =
                    builder.ranged(limit.side, home, node, CellRange { min: limit.min, max: limit.max });
                (*index, [wanted, rest, builder.arc(limit.side, home, node, 0)])
            })
            .collect();
        let cell_arcs = nest
            .cells
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                let home = builder.node(cell.home);
                let CellRange { min, max } = ranges[index];
                let range = CellRange { min, max: max.min(cell.reach) };
                builder.ranged(cell.side, home, builder.cell_nodes[index], range)
            })
            .collect();
        Self {
            quota_arcs,
            cell_arcs,
            first,
            pairs: core.pairs.len(),
            earned: builder.earned,
            penalty: core.penalty,
            cell_minimums: ranges.iter().map(|range| range.min).collect(),
            simplex: Simplex::new(builder.nodes, builder.arcs),
        }
    }

    /// Sets the price per pair of each cell.
    pub(super) fn set_prices(&mut self, prices: &[i64]) {
        for (arcs, price) in self.cell_arcs.iter().zip(prices) {
            self.simplex.set_gain(arcs[0], self.penalty - price);
            self.simplex.set_gain(arcs[1], -price);
        }
        self.simplex.reprice();
    }

    /// Removes a nested quota's maximum; the flow is unchanged.
    pub(super) fn drop_max(&mut self, limit: usize, reach: i64) {
        if let Some((_, arcs)) = self.quota_arcs.iter().find(|(index, _)| *index == limit) {
            self.simplex.open(arcs[2], reach);
        }
    }

    /// Removes a nested quota's minimum; the flow is unchanged.
    pub(super) fn drop_min(&mut self, limit: usize, min: i64) {
        if let Some((_, arcs)) = self.quota_arcs.iter().find(|(index, _)| *index == limit) {
            self.simplex.set_gain(arcs[0], 0);
            self.simplex.reprice();
            self.earned -= self.penalty * min;
        }
    }

    /// Searches for the best flow; returns whether the search finished.
    pub(super) fn solve(&mut self, work: &mut Work<'_>) -> bool {
        self.simplex.solve(work)
    }

    /// Upper bound on the worth of every flow, minus prices.
    pub(super) fn bound(&self) -> i64 {
        self.simplex.bound() - self.earned
    }

    /// Gain from one more unit of capacity in each cell.
    pub(super) fn cell_worth(&self) -> Vec<i64> {
        self.cell_arcs.iter().map(|arcs| self.simplex.reduced_gain(arcs[1])).collect()
    }

    /// The flow as a choice of pairs.
    pub(super) fn flow(&self, core: &Core) -> Flow {
        let chosen: Vec<bool> = (0..self.pairs).map(|pair| self.simplex.flow(pair) > 0).collect();
        let count = |arcs: &[usize]| arcs.iter().map(|arc| self.simplex.flow(*arc)).sum::<i64>();
        let cells: Vec<i64> = self.cell_arcs.iter().map(|arcs| count(arcs)).collect();
        let mut worth: i64 =
            core.pairs.iter().zip(&chosen).map(|(pair, is_in)| if *is_in { pair.gain } else { 0 }).sum();
        for (index, arcs) in &self.quota_arcs {
            worth -= self.penalty * (core.limits[*index].min - count(arcs)).max(0);
        }
        for (min, count) in self.cell_minimums.iter().zip(&cells) {
            worth -= self.penalty * (min - count).max(0);
        }
        Flow { chosen, cells, worth }
    }
}

// === impl Builder ===

impl<'a> Builder<'a> {
    fn new(core: &'a Core, nest: &'a Nest) -> Self {
        let members = 1 + core.caps[0].len() + core.caps[1].len();
        let limit_nodes: Vec<u32> = (0..core.limits.len()).map(|limit| (members + limit) as u32).collect();
        let cells = members + core.limits.len();
        let cell_nodes: Vec<u32> = (0..nest.cells.len()).map(|cell| (cells + cell) as u32).collect();
        let nodes = cells + cell_nodes.len();
        Self { core, arcs: Vec::new(), nodes, limit_nodes, cell_nodes, earned: 0 }
    }

    fn member(&self, side: usize, member: usize) -> u32 {
        (1 + side * self.core.caps[0].len() + member) as u32
    }

    fn node(&self, home: Home) -> u32 {
        match home {
            Home::Top => 0,
            Home::Limit(limit) => self.limit_nodes[limit],
            Home::Cell(cell) => self.cell_nodes[cell],
        }
    }

    /// Adds an arc between a node and its parent: away from the hub for demands, towards it for counterparts.
    fn arc(&mut self, side: usize, home: u32, node: u32, capacity: i64) -> usize {
        let (from, to) = if side == 0 { (home, node) } else { (node, home) };
        self.arcs.push(Arc { from, to, capacity, gain: 0 });
        self.arcs.len() - 1
    }

    fn ranged(&mut self, side: usize, home: u32, node: u32, range: CellRange) -> [usize; 2] {
        let wanted = self.arc(side, home, node, range.min.min(range.max).max(0));
        self.arcs[wanted].gain = self.core.penalty;
        self.earned += self.core.penalty * range.min;
        [wanted, self.arc(side, home, node, (range.max - range.min).max(0))]
    }
}
