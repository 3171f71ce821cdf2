//! Splits quotas into nesting ones, which a flow can keep, and crossing ones, which need prices.
//!
//! On each side the quotas of one attribute are disjoint. Quotas of different attributes nest if one contains the other
//! or they share nobody. The attribute order with the fewest crossing quotas is used. A cell groups participants below
//! one nested quota that are counted by the same crossing quotas. The pair counts of the cells decide whether the
//! crossing quotas are kept; once these counts are fixed, everything nests.

use std::collections::BTreeMap;

use super::{
    core::{Core, Limit},
    types::Attribute,
};

/// Parent of a participant, cell or quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// No parent.
    Top,
    /// A nested quota, by index in [`Core::limits`].
    Limit(usize),
    /// A cell.
    Cell(usize),
}

/// Participants of one side that are counted by the same crossing quotas.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) side: usize,
    pub(super) home: Home,
    /// Crossing quotas that count the cell, by index in [`Core::limits`].
    pub(super) limits: Vec<usize>,
    /// Maximum pairs of the cell.
    pub(super) reach: i64,
}

/// Nesting structure of an optimisation's quotas.
#[derive(Debug, Clone, Default)]
pub(super) struct Nest {
    /// Nested quotas, parents first, each with its parent.
    pub(super) nested: Vec<(usize, Home)>,
    /// Crossing quotas.
    pub(super) crossing: Vec<usize>,
    pub(super) cells: Vec<Cell>,
    /// Parent of each demand and each counterpart.
    pub(super) homes: [Vec<Home>; 2],
}

const ORDERS: [[Attribute; 3]; 6] = {
    use Attribute::{City, Field, Organisation};
    [
        [Organisation, City, Field],
        [Organisation, Field, City],
        [City, Organisation, Field],
        [City, Field, Organisation],
        [Field, Organisation, City],
        [Field, City, Organisation],
    ]
};

// === impl Nest ===

impl Nest {
    /// Nesting structure of the quotas of this optimisation.
    pub(super) fn new(core: &Core) -> Self {
        let mut nest = Self::default();
        for side in 0..2 {
            nest.add_side(core, side);
        }
        nest
    }

    fn add_side(&mut self, core: &Core, side: usize) {
        let mut best: Option<(Vec<usize>, Vec<usize>)> = None;
        for order in ORDERS {
            let Divided { nested, crossing } = divide(core, side, order);
            if best.as_ref().is_none_or(|(_, fewest)| crossing.len() < fewest.len()) {
                best = Some((nested, crossing));
            }
        }
        let (mut nested, crossing) = best.unwrap_or_default();
        nested.sort_by_key(|limit| (usize::MAX - core.limits[*limit].members.len(), *limit));
        let mut homes = vec![Home::Top; core.caps[side].len()];
        for limit in nested {
            let members = &core.limits[limit].members;
            self.nested.push((limit, members.first().map_or(Home::Top, |member| homes[*member as usize])));
            members.iter().for_each(|member| homes[*member as usize] = Home::Limit(limit));
        }
        self.add_cells(core, side, &crossing, &mut homes);
        self.crossing.extend(crossing);
        self.homes[side] = homes;
    }

    fn add_cells(&mut self, core: &Core, side: usize, crossing: &[usize], homes: &mut [Home]) {
        let mut counted = vec![Vec::new(); homes.len()];
        for limit in crossing {
            core.limits[*limit].members.iter().for_each(|member| counted[*member as usize].push(*limit));
        }
        let potentials = core.potentials(side);
        let mut cells: BTreeMap<(Home, Vec<usize>), Vec<usize>> = BTreeMap::new();
        for (member, limits) in counted.into_iter().enumerate() {
            if !limits.is_empty() {
                cells.entry((homes[member], limits)).or_default().push(member);
            }
        }
        for ((home, limits), members) in cells {
            // one more, so that it does not hide the price of a member's limit
            let reach = 1 + members.iter().map(|member| potentials[*member]).sum::<i64>();
            members.iter().for_each(|member| homes[*member] = Home::Cell(self.cells.len()));
            self.cells.push(Cell { side, home, limits, reach });
        }
    }
}

/// Quotas of one side, by index.
struct Divided {
    nested: Vec<usize>,
    crossing: Vec<usize>,
}

/// Splits a side's quotas into nesting and crossing ones, for an attribute order.
fn divide(core: &Core, side: usize, order: [Attribute; 3]) -> Divided {
    let mut nested = Vec::new();
    let mut crossing = Vec::new();
    let mut accepted: Vec<Vec<usize>> = vec![Vec::new(); core.caps[side].len()];
    for attribute in order {
        let of_attribute = |limit: &&(usize, &Limit)| limit.1.side == side && limit.1.name.attribute == attribute;
        let limits: Vec<(usize, &Limit)> = core.limits.iter().enumerate().collect();
        for (index, limit) in limits.iter().filter(of_attribute) {
            let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
            for other in limit.members.iter().flat_map(|member| &accepted[*member as usize]) {
                *shared.entry(*other).or_default() += 1;
            }
            let nests = shared
                .iter()
                .all(|(other, count)| *count == limit.members.len() || *count == core.limits[*other].members.len());
            if nests {
                nested.push(*index);
                limit.members.iter().for_each(|member| accepted[*member as usize].push(*index));
            } else {
                crossing.push(*index);
            }
        }
    }
    crossing.sort_unstable();
    Divided { nested, crossing }
}
