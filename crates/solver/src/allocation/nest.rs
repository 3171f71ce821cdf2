//! Which quotas nest, so that a flow can keep them, and which cross others, so that prices have to.
//!
//! On each side the quotas of one attribute are disjoint. Two of different attributes nest where one holds the other, or
//! they share nobody. The order of attributes that leaves the fewest crossing quotas is taken. Participants that the same
//! crossing quotas count, below the same nested one, are a cell: how many pairs each cell has decides whether the crossing
//! quotas are kept, and once those numbers are fixed, everything nests.

use std::collections::BTreeMap;

use super::{
    core::{Core, Limit},
    types::Attribute,
};

/// Where a participant, cell or quota hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// Below nothing.
    Top,
    /// Below a nested quota, by its place in [`Core::limits`].
    Limit(usize),
    /// In a cell.
    Cell(usize),
}

/// Participants of one side that all crossing quotas count alike.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) side: usize,
    pub(super) home: Home,
    /// Crossing quotas that count it, by their places in [`Core::limits`].
    pub(super) limits: Vec<usize>,
    /// The most pairs that it can have.
    pub(super) reach: i64,
}

/// How the quotas of an optimisation lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Nest {
    /// Nested quotas, holders before what they hold, each with its home.
    pub(super) nested: Vec<(usize, Home)>,
    /// Crossing quotas.
    pub(super) crossing: Vec<usize>,
    pub(super) cells: Vec<Cell>,
    /// Where each demand and each counterpart hangs.
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
    /// How the quotas of this optimisation lie.
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
            let (nested, crossing) = divide(core, side, order);
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
            // one more, so that the price of a member's limit is not hidden behind it
            let reach = 1 + members.iter().map(|member| potentials[*member]).sum::<i64>();
            members.iter().for_each(|member| homes[*member] = Home::Cell(self.cells.len()));
            self.cells.push(Cell { side, home, limits, reach });
        }
    }
}

/// The quotas of a side that nest when attributes are taken in this order, and the others.
fn divide(core: &Core, side: usize, order: [Attribute; 3]) -> (Vec<usize>, Vec<usize>) {
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
    (nested, crossing)
}
