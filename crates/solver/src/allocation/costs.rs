//! Costs of constraints: by one unit from the dual solution (exact if all quotas nest), whole rules by solving again.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use super::{
    core::STEPS,
    plan::Solved,
    prepare::Prepared,
    prices::QuotaEnd,
    search::QuotaPrice,
    simplex::Simplex,
    types::{Attribute, Constraint, Cost, Effort, Group, Proof, Quota, Relaxed, Side},
    work::Work,
};

/// A binding limit, maximum or minimum, as an arc of the network.
struct Binding {
    constraint: Constraint,
    /// `None` if the quota crosses others.
    arc: Option<usize>,
    /// Price in steps.
    price: i64,
}

/// Node from which the loss of paths is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Anchor {
    node: u32,
    /// Whether the paths start here; otherwise they end here.
    is_start: bool,
}

/// Ends of a path.
struct Way {
    start: u32,
    end: u32,
}

/// Residual arcs of a flow, by node.
struct Residual<'a> {
    simplex: &'a Simplex,
    near: Vec<Vec<u32>>,
}

/// All costs, by constraint.
pub(super) fn costs(prepared: &Prepared<'_>, solved: &Solved, effort: &Effort, work: &mut Work<'_>) -> Vec<Cost> {
    if effort.cost_pivots == 0 {
        return Vec::new();
    }
    let mut costs = by_one(prepared, solved, work);
    for constraint in excluding(prepared) {
        if work.is_over() {
            break;
        }
        let relaxed = Solved::new(prepared, Some(constraint), effort.branches, work);
        if relaxed.missed() == solved.missed() {
            let min_gain = (relaxed.value - solved.bound).max(0);
            let max_gain = relaxed.bound - solved.value;
            costs.push(Cost { constraint, relaxed: Relaxed::Removed, min_gain, max_gain });
        }
    }
    costs.extend(quotas_removed(prepared, solved, &costs, work));
    costs.retain(|cost| cost.max_gain > 0);
    costs.sort_by_key(|cost| (cost.constraint, cost.relaxed));
    costs
}

/// Rules that exclude pairs, and pins.
fn excluding(prepared: &Prepared<'_>) -> BTreeSet<Constraint> {
    let mut found: BTreeSet<Constraint> =
        prepared.entries.iter().flat_map(|entry| entry.excluded.iter().copied()).collect();
    if prepared.entries.iter().any(|entry| entry.is_pinned) {
        found.insert(Constraint::Pinned);
    }
    found
}

/// Costs of removing city and field quotas that are used up or just reached, each searched from the current plan.
///
/// If the prices prove the plan, a quota without a price costs nothing, since the same proof holds without it. If
/// minimums are missed, values are not comparable and the result is empty.
fn quotas_removed(prepared: &Prepared<'_>, solved: &Solved, by_one: &[Cost], work: &mut Work<'_>) -> Vec<Cost> {
    if solved.missed() > 0 {
        return Vec::new();
    }
    let is_proved = solved.possible(solved.dual.bound) == solved.worth;
    let chosen: Vec<bool> = solved.places.iter().map(|place| solved.chosen[*place]).collect();
    let price =
        |constraint: &Constraint| by_one.iter().find(|cost| cost.constraint == *constraint).map(|cost| cost.max_gain);
    let ends = solved.core.limits.iter().enumerate().flat_map(|(place, limit)| {
        let is_of_organisation = limit.name.attribute == Attribute::Organisation;
        let ends = [
            (Constraint::Max(limit.name), (QuotaEnd { limit: place, is_max: true })),
            (Constraint::Min(limit.name), (QuotaEnd { limit: place, is_max: false })),
        ];
        ends.into_iter().filter(move |_| !is_of_organisation)
    });
    let may_cost =
        |constraint: &Constraint| price(constraint).is_some() || !is_proved && binds(prepared, solved, *constraint);
    let mut ends: Vec<_> = ends.filter(|(constraint, _)| may_cost(constraint)).collect();
    ends.sort_by_key(|(constraint, _)| (Reverse(price(constraint)), *constraint));
    let mut costs = Vec::new();
    for (constraint, end) in ends {
        if work.is_over() {
            break;
        }
        let worth = solved.core.search_without(end, &solved.dual, &chosen, work);
        let gap = (solved.bound - solved.value) * STEPS;
        costs.push(Cost {
            constraint,
            relaxed: Relaxed::Removed,
            min_gain: (worth.lower - solved.worth - gap).max(0) / STEPS,
            max_gain: (worth.upper - solved.worth) / STEPS,
        });
    }
    costs
}

fn is_used_up(quota: &Quota, count: i64) -> bool {
    quota.max.is_some_and(|max| count >= i64::from(max))
}

fn by_one(prepared: &Prepared<'_>, solved: &Solved, work: &mut Work<'_>) -> Vec<Cost> {
    let network = &solved.dual.network;
    let residual = (solved.proof == Proof::FlowDual).then(|| Residual::new(&network.simplex));
    let mut bindings = bindings(prepared, solved);
    bindings.sort_by_key(|binding| (binding.anchor(&network.simplex), binding.constraint));
    // one search covers all bindings of one hub or quota
    let mut known: Option<(Anchor, Vec<i64>)> = None;
    let mut costs = Vec::new();
    for binding in bindings {
        let exact = residual.as_ref().and_then(|residual| {
            let anchor = binding.anchor(&network.simplex)?;
            let arcs = network.simplex.arcs().len() as u64;
            if known.as_ref().is_none_or(|(of, _)| *of != anchor) && work.spend(arcs / 32) {
                known = Some((anchor, residual.distances(anchor)));
            }
            let (_, distances) = known.as_ref().filter(|(of, _)| *of == anchor)?;
            let far = distances.get(binding.far(&network.simplex) as usize)?;
            Some((binding.price - far).max(0))
        });
        let grows = |price: i64| solved.possible(solved.dual.bound.saturating_add(price)) - solved.worth;
        let (min, max) = exact.map_or((0, grows(binding.price)), |gain| (grows(gain), grows(gain)));
        // the unit helps a minimum, or may do so if quotas cross; values are then not comparable
        if solved.missed() > 0 && max >= solved.core.penalty / 2 {
            continue;
        }
        let (min_gain, max_gain) = (min / STEPS, max.min(solved.core.penalty) / STEPS);
        costs.push(Cost { constraint: binding.constraint, relaxed: Relaxed::ByOne, min_gain, max_gain });
    }
    costs
}

/// Limits and quotas that are used up or just reached, and have a price.
fn bindings(prepared: &Prepared<'_>, solved: &Solved) -> Vec<Binding> {
    let network = &solved.dual.network;
    let mut found = Vec::new();
    for side in [Side::Demands, Side::Counterparts] {
        for (member, participant) in prepared.participants(side).iter().enumerate() {
            let arc = network.first[side.place()] + member;
            if solved.counts[side.place()][member] >= i64::from(participant.limit) {
                let constraint = match side {
                    Side::Demands => Constraint::DemandLimit(member as u32),
                    Side::Counterparts => Constraint::CounterpartLimit(member as u32),
                };
                found.push(Binding { constraint, arc: Some(arc), price: network.simplex.reduced_gain(arc) });
            }
        }
    }
    for (limit, arcs) in &network.quota_arcs {
        let price = network.simplex.reduced_gain(arcs[1]);
        let group = solved.core.limits[*limit].name;
        found.push(Binding { constraint: Constraint::Max(group), arc: Some(arcs[1]), price });
        found.push(Binding { constraint: Constraint::Min(group), arc: Some(arcs[1]), price: -price });
    }
    for QuotaPrice { end, price } in &solved.dual.crossing {
        let group = solved.core.limits[end.limit].name;
        let constraint = if end.is_max { Constraint::Max(group) } else { Constraint::Min(group) };
        found.push(Binding { constraint, arc: None, price: *price });
    }
    found.retain(|binding| binding.price > 0 && binds(prepared, solved, binding.constraint));
    found
}

fn binds(prepared: &Prepared<'_>, solved: &Solved, constraint: Constraint) -> bool {
    let of = |group: &Group| {
        let place = prepared.quotas.binary_search_by_key(group, |quota| quota.group).ok()?;
        prepared.quotas.get(place).zip(solved.quota_counts.get(place))
    };
    match &constraint {
        Constraint::Max(group) => of(group).is_some_and(|(quota, count)| is_used_up(quota, *count)),
        Constraint::Min(group) => {
            of(group).is_some_and(|(quota, count)| quota.min > 0 && *count == i64::from(quota.min))
        }
        _ => true,
    }
}

// === impl Binding ===

impl Binding {
    /// Start node and direction of the search for a return path around the arc; shared by all arcs below that node.
    ///
    /// For a maximum, the extra unit uses the arc and returns from its end to its start. For a minimum, the unit is
    /// removed from the arc and rerouted from its start to its end.
    fn anchor(&self, simplex: &Simplex) -> Option<Anchor> {
        let node = self.shared(simplex)?;
        Some(Anchor { node, is_start: node == self.way(simplex)?.start })
    }

    /// The other end of the path.
    fn far(&self, simplex: &Simplex) -> u32 {
        let shared = self.shared(simplex).unwrap_or(0);
        self.way(simplex).map_or(0, |way| if way.start == shared { way.end } else { way.start })
    }

    /// The path to search.
    fn way(&self, simplex: &Simplex) -> Option<Way> {
        let arc = simplex.arcs().get(self.arc?)?;
        let (start, end) =
            if matches!(self.constraint, Constraint::Min(_)) { (arc.from, arc.to) } else { (arc.to, arc.from) };
        Some(Way { start, end })
    }

    /// Start of a demand's arc, end of a counterpart's arc.
    fn shared(&self, simplex: &Simplex) -> Option<u32> {
        let arc = simplex.arcs().get(self.arc?)?;
        let is_of_demands = match self.constraint {
            Constraint::DemandLimit(_) => true,
            Constraint::Max(group) | Constraint::Min(group) => group.side == Side::Demands,
            _ => false,
        };
        Some(if is_of_demands { arc.from } else { arc.to })
    }
}

// === impl Residual ===

impl<'a> Residual<'a> {
    fn new(simplex: &'a Simplex) -> Self {
        let nodes = simplex.arcs().iter().map(|arc| arc.from.max(arc.to) as usize + 1).max().unwrap_or(1);
        let mut near = vec![Vec::new(); nodes];
        for (index, arc) in simplex.arcs().iter().enumerate() {
            near[arc.from as usize].push(index as u32);
            near[arc.to as usize].push(index as u32);
        }
        Self { simplex, near }
    }

    /// Least loss of a path from this node to each other node (or in reverse), at the current prices.
    fn distances(&self, anchor: Anchor) -> Vec<i64> {
        let mut distances = vec![i64::MAX / 4; self.near.len()];
        let mut queue = BinaryHeap::from([Reverse((0, anchor.node))]);
        if let Some(distance) = distances.get_mut(anchor.node as usize) {
            *distance = 0;
        }
        while let Some(Reverse((distance, node))) = queue.pop() {
            if distance > distances[node as usize] {
                continue;
            }
            for index in &self.near[node as usize] {
                let arc = self.simplex.arcs()[*index as usize];
                let other = if arc.from == node { arc.to } else { arc.from };
                let along = (arc.from == node) == anchor.is_start;
                let (flow, gain) = (self.simplex.flow(*index as usize), self.simplex.reduced_gain(*index as usize));
                let (room, loss) = if along { (arc.capacity - flow, -gain) } else { (flow, gain) };
                let reached = distance + loss.max(0);
                if room > 0 && reached < distances[other as usize] {
                    distances[other as usize] = reached;
                    queue.push(Reverse((reached, other)));
                }
            }
        }
        distances
    }
}
