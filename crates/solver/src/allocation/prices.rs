//! Prices for crossing quotas: the Lagrangian bound, minimised by cutting planes in a box around the best prices.
//!
//! A price on every pair that a crossing quota counts replaces the quota; the remaining problem is a flow. For any
//! prices, the flow's worth plus the priced capacity of the quotas bounds every plan. This bound is a convex function
//! of the prices, the maximum of one plane per flow. The next prices are the minimum of the known planes (a small
//! linear programme, solved by `microlp`), limited to a box around the best prices. Prices are whole steps and flows
//! are exact: rounding in the programme can cost rounds but never invalidates the bound.

use microlp::{ComparisonOp, OptimizationDirection, Problem};

use super::{
    core::{Core, STEPS},
    incumbent::Incumbent,
    nest::Nest,
    network::{CellRange, Flow, Network},
    types::MILLION,
    work::Work,
};

/// A subset of all plans: those with the pair count of each cell within its range.
pub(super) struct PlanSubset<'a> {
    pub(super) core: &'a Core,
    pub(super) nest: &'a Nest,
    pub(super) ranges: &'a [CellRange],
}

/// A crossing quota's maximum or minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuotaEnd {
    /// Index in [`Core::limits`].
    pub(super) limit: usize,
    pub(super) is_max: bool,
}

/// Bound from one flow: a plane over the prices.
#[derive(Debug, Clone)]
struct Plane {
    worth: i64,
    /// Slack of each crossing maximum, or surplus over each crossing minimum.
    slack: Vec<i64>,
    cells: Vec<i64>,
}

/// Bound at some prices, and the plane of its flow.
struct Look {
    bound: i64,
    plane: Plane,
}

/// Prices for the next round.
struct NextPrices {
    prices: Vec<i64>,
    /// Expected improvement over the best bound.
    promised: i64,
}

/// Best prices so far, their bound, and the maximum change of each price in the next round.
struct Best {
    prices: Vec<i64>,
    bound: i64,
    radius: i64,
}

/// Known planes of the bound as a function of the prices.
struct Model<'a> {
    planes: &'a [Plane],
    best: &'a Best,
    /// Maximum sensible prices.
    ceilings: &'a [i64],
}

/// Best prices found.
pub(super) struct Priced {
    /// Upper bound on the worth of the part's plans, in steps.
    pub(super) bound: i64,
    /// Bound proved by the network's prices; equal to `bound` unless work ran out.
    pub(super) network_bound: i64,
    /// Prices in steps, one for each maximum and each minimum.
    pub(super) prices: Vec<i64>,
    /// Network at these prices.
    pub(super) network: Network,
    /// Whether its flow is optimal at these prices.
    pub(super) is_solved: bool,
    /// Flow at these prices.
    pub(super) flow: Flow,
    /// Smallest and largest pair count of each cell among flows near the best prices.
    pub(super) spread: Vec<CellRange>,
}

/// Divisor: a round that improves the bound by less than 1/10 of the expected improvement does not move the box.
const WORTH_MOVING: i64 = 10;

// === impl PlanSubset ===

impl PlanSubset<'_> {
    /// Searches for prices with a small bound, starting from `start`; offers every flow on the way to the incumbent.
    pub(super) fn price(&self, start: &[i64], incumbent: &mut Incumbent, work: &mut Work<'_>) -> Priced {
        let network = Network::new(self.core, self.nest, self.ranges);
        self.price_from(network, start, incumbent, work)
    }

    /// Same as [`Self::price`], from a network that already has a flow.
    pub(super) fn price_from(
        &self,
        network: Network,
        start: &[i64],
        incumbent: &mut Incumbent,
        work: &mut Work<'_>,
    ) -> Priced {
        let ends = quota_ends(self.core, self.nest);
        let mut network = network;
        let prices = if start.len() == ends.len() { start.to_vec() } else { vec![0; ends.len()] };
        let Look { bound, plane } = self.look(&ends, &prices, &mut network, incumbent, work);
        let mut best = Best { prices, bound, radius: STEPS * MILLION / 16 };
        let mut planes = vec![plane];
        // a minimum's price never exceeds the penalty for missing it
        let ceiling = |end: &QuotaEnd| if end.is_max { i64::MAX / 1024 } else { self.core.penalty };
        let ceilings: Vec<i64> = ends.iter().map(ceiling).collect();
        let mut last = best.prices.clone();
        for _ in 0..60 + 12 * ends.len() {
            if work.is_over() || incumbent.beats(self.core, best.bound) {
                break;
            }
            let model = Model { planes: &planes, best: &best, ceilings: &ceilings };
            let Some(NextPrices { prices: next, promised }) = model.minimum() else { break };
            if promised < STEPS / 8 || next == best.prices {
                break;
            }
            let Look { bound: found, plane } = self.look(&ends, &next, &mut network, incumbent, work);
            planes.push(plane);
            last.clone_from(&next);
            best.take(next, found, promised, self.core.penalty);
            thin(&mut planes, &best.prices);
        }
        let mut network_bound = best.bound;
        if last != best.prices {
            let Look { bound: found, plane } = self.look(&ends, &best.prices, &mut network, incumbent, work);
            planes.push(plane);
            network_bound = found;
        }
        let bound = best.bound.min(network_bound);
        let flow = network.flow(self.core);
        let spread = self.spread(&planes, &best.prices, &flow);
        let is_solved = network.solve(work);
        Priced { bound, network_bound, prices: best.prices, network, is_solved, flow, spread }
    }

    /// Solves the flow at these prices.
    fn look(
        &self,
        ends: &[QuotaEnd],
        prices: &[i64],
        network: &mut Network,
        incumbent: &mut Incumbent,
        work: &mut Work<'_>,
    ) -> Look {
        let mut cells = vec![0; self.nest.cells.len()];
        let mut of_limits = vec![0; self.core.limits.len()];
        let mut given = 0;
        for (end, price) in ends.iter().zip(prices) {
            let limit = &self.core.limits[end.limit];
            let (sign, at) = if end.is_max { (1, limit.max) } else { (-1, limit.min) };
            of_limits[end.limit] += sign * price;
            given += sign * price * at;
        }
        for (price, cell) in cells.iter_mut().zip(&self.nest.cells) {
            *price = cell.limits.iter().map(|limit| of_limits[*limit]).sum();
        }
        network.set_prices(&cells);
        network.solve(work);
        let flow = network.flow(self.core);
        incumbent.offer(self.core, &flow.chosen);
        let bound = network.bound().saturating_add(given);
        let slack = ends.iter().map(|end| slack(self.core, self.nest, *end, &flow.cells)).collect();
        Look { bound, plane: Plane { worth: flow.worth, slack, cells: flow.cells } }
    }

    fn spread(&self, planes: &[Plane], prices: &[i64], flow: &Flow) -> Vec<CellRange> {
        let best = planes.iter().map(|plane| plane.at(prices)).max().unwrap_or(0);
        let fits = |plane: &&Plane| {
            plane.cells.iter().zip(self.ranges).all(|(count, range)| (range.min..=range.max).contains(count))
        };
        let mut near: Vec<&Plane> = planes.iter().filter(fits).collect();
        near.sort_by_key(|plane| best - plane.at(prices));
        near.truncate(prices.len() + 1);
        let at = |cell: usize| {
            let counts = near.iter().map(|plane| plane.cells[cell]).chain([flow.cells[cell]]);
            let none = CellRange { min: i64::MAX, max: i64::MIN };
            counts.fold(none, |range, count| CellRange { min: range.min.min(count), max: range.max.max(count) })
        };
        (0..self.nest.cells.len()).map(at).collect()
    }
}

// === impl Plane ===

impl Plane {
    fn at(&self, prices: &[i64]) -> i64 {
        let priced: i128 =
            self.slack.iter().zip(prices).map(|(slack, price)| i128::from(*slack) * i128::from(*price)).sum();
        (i128::from(self.worth) + priced).clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
    }
}

// === impl Best ===

impl Best {
    /// Takes the bound at new prices, for which an improvement of `promised` was expected.
    fn take(&mut self, prices: Vec<i64>, bound: i64, promised: i64, widest: i64) {
        if bound < self.bound - promised / WORTH_MOVING {
            let is_at_edge = prices.iter().zip(&self.prices).any(|(new, old)| (new - old).abs() >= self.radius);
            self.radius = if is_at_edge { (self.radius * 3).min(widest) } else { self.radius };
        } else if bound > self.bound + promised {
            self.radius = (self.radius / 2).max(STEPS);
        }
        if bound < self.bound {
            (self.prices, self.bound) = (prices, bound);
        }
    }
}

// === impl Model ===

impl Model<'_> {
    /// Prices at the minimum of the planes in the box.
    fn minimum(&self) -> Option<NextPrices> {
        let scale = self.best.radius as f64;
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let range = |(price, ceiling): (&i64, &i64)| {
            ((-(*price as f64) / scale).max(-1.0), ((*ceiling - *price) as f64 / scale).clamp(0.0, 1.0))
        };
        let ranges = self.best.prices.iter().zip(self.ceilings).map(range);
        let steps: Vec<_> = ranges.map(|range| problem.add_var(0.0, range)).collect();
        let reach = |plane: &Plane| plane.slack.iter().map(|slack| slack.abs() as f64).sum::<f64>();
        let heights: Vec<f64> =
            self.planes.iter().map(|plane| (plane.at(&self.best.prices) - self.best.bound) as f64 / scale).collect();
        let parts = self.planes.iter().zip(&heights);
        let lowest = parts.clone().map(|(plane, height)| height - reach(plane)).fold(f64::MIN, f64::max);
        let height = problem.add_var(1.0, (lowest - 1.0, f64::INFINITY));
        // planes that are nowhere the highest in the box would only distort the scale
        for (plane, at) in parts.filter(|(plane, at)| **at + reach(plane) >= lowest) {
            let slacks = steps.iter().zip(&plane.slack);
            let mut terms: Vec<_> = slacks.map(|(step, slack)| (*step, -(*slack as f64))).collect();
            terms.push((height, 1.0));
            problem.add_constraint(&terms[..], ComparisonOp::Ge, *at);
        }
        let solution = problem.solve().ok()?.into_solution().ok()?;
        let prices = steps.iter().zip(&self.best.prices).zip(self.ceilings).map(|((step, price), ceiling)| {
            (price + (solution.var_value(*step) * scale).round() as i64).clamp(0, *ceiling)
        });
        let promised = (-solution.var_value(height) * scale) as i64;
        Some(NextPrices { prices: prices.collect(), promised })
    }
}

/// The maximums and minimums that [`Priced::prices`] belong to.
pub(super) fn quota_ends(core: &Core, nest: &Nest) -> Vec<QuotaEnd> {
    let mut ends = Vec::new();
    for limit in nest.crossing.iter().copied() {
        if core.limits[limit].min > 0 {
            ends.push(QuotaEnd { limit, is_max: false });
        }
        ends.push(QuotaEnd { limit, is_max: true });
    }
    ends
}

fn slack(core: &Core, nest: &Nest, end: QuotaEnd, cells: &[i64]) -> i64 {
    let limit = &core.limits[end.limit];
    let counted = nest.cells.iter().zip(cells).filter(|(cell, _)| cell.limits.contains(&end.limit));
    let count: i64 = counted.map(|(_, count)| count).sum();
    if end.is_max { limit.max - count } else { count - limit.min }
}

/// Keeps only the planes that are highest at the best prices.
fn thin(planes: &mut Vec<Plane>, prices: &[i64]) {
    let max = 4 * prices.len() + 40;
    if planes.len() > 2 * max {
        planes.sort_by_key(|plane| -plane.at(prices));
        planes.truncate(max);
    }
}
