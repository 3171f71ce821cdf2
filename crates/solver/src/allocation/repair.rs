//! Builds a plan from a flow that breaks crossing quotas: pair counts for the cells that keep the quotas, then the best
//! flow.

use super::{
    core::Core,
    incumbent::Incumbent,
    nest::Nest,
    network::{CellRange, Network},
    prices::PlanSubset,
    work::Work,
};

/// Rounds of moving capacity between cells.
const ROUNDS: usize = 12;

// === impl PlanSubset ===

impl PlanSubset<'_> {
    /// Offers plans near this flow to the incumbent.
    pub(super) fn repair(&self, cells: &[i64], incumbent: &mut Incumbent, work: &mut Work<'_>) {
        let mut max = cells.to_vec();
        cut(self.core, self.nest, &mut max);
        let reach: Vec<i64> =
            self.nest.cells.iter().zip(self.ranges).map(|(cell, range)| cell.reach.min(range.max)).collect();
        let mut wishes: Vec<i64> = vec![0; max.len()];
        for _ in 0..ROUNDS {
            if work.is_over() {
                return;
            }
            widen(self.core, self.nest, &reach, &wishes, &mut max);
            let min = minimums(self.core, self.nest, &max);
            let ranges: Vec<CellRange> =
                min.iter().zip(&max).map(|(min, max)| CellRange { min: *min, max: *max }).collect();
            let mut network = Network::new(self.core, self.nest, &ranges);
            network.solve(work);
            let flow = network.flow(self.core);
            if !incumbent.offer(self.core, &flow.chosen) && wishes.iter().any(|wish| *wish > 0) {
                return;
            }
            wishes = network.cell_worth();
            let freed = max.iter().zip(&flow.cells).any(|(max, count)| count < max);
            max.clone_from(&flow.cells);
            if !exchange(self.core, self.nest, &reach, &wishes, &mut max) && !freed {
                return;
            }
        }
    }
}

fn counts(core: &Core, nest: &Nest, cells: &[i64]) -> Vec<i64> {
    let mut counts = vec![0; core.limits.len()];
    for (cell, count) in nest.cells.iter().zip(cells) {
        cell.limits.iter().for_each(|limit| counts[*limit] += count);
    }
    counts
}

/// Removes pairs from the fullest cells until no crossing maximum is broken.
fn cut(core: &Core, nest: &Nest, max: &mut [i64]) {
    let mut counts = counts(core, nest, max);
    for limit in nest.crossing.iter().copied() {
        while counts[limit] > core.limits[limit].max {
            let inside = (0..max.len()).filter(|cell| nest.cells[*cell].limits.contains(&limit));
            let Some(fullest) = inside.max_by_key(|cell| (max[*cell], usize::MAX - cell)) else { break };
            if max[fullest] <= 0 {
                break;
            }
            max[fullest] -= 1;
            nest.cells[fullest].limits.iter().for_each(|limit| counts[*limit] -= 1);
        }
    }
}

/// Distributes the remaining crossing maximums to the cells one by one, highest wish first.
fn widen(core: &Core, nest: &Nest, reach: &[i64], wishes: &[i64], max: &mut [i64]) {
    let mut counts = counts(core, nest, max);
    let mut order: Vec<usize> = (0..max.len()).collect();
    order.sort_by_key(|cell| (-wishes[*cell], *cell));
    loop {
        let mut any = false;
        for cell in order.iter().copied() {
            let limits = &nest.cells[cell].limits;
            if max[cell] < reach[cell] && limits.iter().all(|limit| counts[*limit] < core.limits[*limit].max) {
                max[cell] += 1;
                limits.iter().for_each(|limit| counts[*limit] += 1);
                any = true;
            }
        }
        if !any {
            return;
        }
    }
}

/// Moves one pair of capacity from the cells with the lowest wishes to the one with the highest; returns whether it
/// did.
fn exchange(core: &Core, nest: &Nest, reach: &[i64], wishes: &[i64], max: &mut [i64]) -> bool {
    let mut counts = counts(core, nest, max);
    let mut order: Vec<usize> = (0..max.len()).filter(|cell| wishes[*cell] > 0 && max[*cell] < reach[*cell]).collect();
    order.sort_by_key(|cell| (-wishes[*cell], *cell));
    for taker in order {
        let mut givers = Vec::new();
        let mut cost = 0;
        for limit in nest.cells[taker].limits.iter().copied() {
            let already = givers.iter().any(|giver: &usize| nest.cells[*giver].limits.contains(&limit));
            if already || counts[limit] < core.limits[limit].max {
                continue;
            }
            let may = |cell: &usize| *cell != taker && max[*cell] > 0 && nest.cells[*cell].limits.contains(&limit);
            let Some(giver) = (0..max.len()).filter(may).min_by_key(|cell| (wishes[*cell], *cell)) else { break };
            cost += wishes[giver].max(0);
            givers.push(giver);
        }
        if givers.is_empty() || cost >= wishes[taker] {
            continue;
        }
        for (cell, by) in givers.iter().map(|giver| (*giver, -1)).chain([(taker, 1)]) {
            max[cell] += by;
            nest.cells[cell].limits.iter().for_each(|limit| counts[*limit] += by);
        }
        if nest.crossing.iter().all(|limit| counts[*limit] <= core.limits[*limit].max) {
            return true;
        }
        for (cell, by) in givers.iter().map(|giver| (*giver, 1)).chain([(taker, -1)]) {
            max[cell] += by;
            nest.cells[cell].limits.iter().for_each(|limit| counts[*limit] += by);
        }
    }
    false
}

/// Minimum pairs for each cell to meet crossing minimums, as far as there is capacity.
fn minimums(core: &Core, nest: &Nest, max: &[i64]) -> Vec<i64> {
    let mut min = vec![0; max.len()];
    for limit in nest.crossing.iter().copied() {
        let inside: Vec<usize> = (0..max.len()).filter(|cell| nest.cells[*cell].limits.contains(&limit)).collect();
        let mut missing = core.limits[limit].min - inside.iter().map(|cell| min[*cell]).sum::<i64>();
        for cell in inside {
            let more = missing.min(max[cell] - min[cell]).max(0);
            min[cell] += more;
            missing -= more;
        }
    }
    min
}
