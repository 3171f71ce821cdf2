//! A home table for each host, so that hosts stay and guests walk: hosts share a table where their meetings fit into its
//! slots one after the other.
//!
//! Each table then has no more meetings than slots, and a plan in which nobody's table changes is an edge colouring of a
//! bipartite graph, tables on one side and guests on the other: without limits of availability one always exists.

use super::problem::Problem;

/// One meeting's load, so that parts of it are whole numbers.
const MEETING: u64 = 1 << 20;

/// What is known of a host.
#[derive(Debug, Clone, Default)]
struct Host {
    pairs: Vec<usize>,
    /// Load in each slot: meetings spread evenly over the slots that each can have.
    load: Vec<u64>,
}

/// Gives every pair without a table of its own its host's home table.
pub(super) fn give(problem: &mut Problem) {
    if problem.pool.is_empty() {
        return;
    }
    let mut hosts = vec![Host::default(); problem.units.len()];
    for (pair, meet) in problem.pairs.iter().enumerate().filter(|(_, meet)| !meet.is_fixed && !meet.open.is_empty()) {
        let host = &mut hosts[meet.units[0]];
        host.pairs.push(pair);
        host.load.resize(problem.days.len(), 0);
        let part = MEETING / meet.open.len() as u64;
        meet.open.iter().for_each(|slot| host.load[slot] += part);
    }
    let mut order: Vec<usize> = (0..hosts.len()).filter(|unit| !hosts[*unit].pairs.is_empty()).collect();
    order.sort_by_key(|unit| (std::cmp::Reverse(hosts[*unit].pairs.len()), *unit));
    let hosts: Vec<&Host> = order.iter().map(|unit| &hosts[*unit]).collect();
    // Room to breathe first; where tables are scarce, packed as closely as can be.
    let spread = pack(&hosts, problem, |load| load);
    let tables = if spread.overload == 0 { spread.tables } else { pack(&hosts, problem, |load| MEETING - load).tables };
    for (host, table) in hosts.iter().zip(tables) {
        for pair in &host.pairs {
            problem.pairs[*pair].home = problem.pool[table];
        }
    }
}

/// A table of the pool for each host.
struct Packing {
    tables: Vec<usize>,
    overload: u64,
}

/// Gives each host the table that comes first by `rank` of its load in the fullest slot, of those that hold the host; else
/// the least loaded.
fn pack(hosts: &[&Host], problem: &Problem, rank: impl Fn(u64) -> u64) -> Packing {
    let mut loads = vec![vec![0u64; problem.days.len()]; problem.pool.len()];
    let mut packing = Packing { tables: Vec::with_capacity(hosts.len()), overload: 0 };
    for host in hosts {
        let after = |table: &Vec<u64>| table.iter().zip(&host.load).map(|(a, b)| a + b).max().unwrap_or(0);
        let ranked = loads.iter().map(after).enumerate().map(|(table, load)| match load {
            0..=MEETING => (0, rank(load), table, 0),
            _ => (1, load, table, load - MEETING),
        });
        let Some((_, _, table, overload)) = ranked.min() else { break };
        packing.overload += overload;
        loads[table].iter_mut().zip(&host.load).for_each(|(sum, load)| *sum += load);
        packing.tables.push(table);
    }
    packing
}
