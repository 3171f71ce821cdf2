//! Home tables for hosts, so that hosts stay and guests walk: hosts share a table if their meetings fit into its slots
//! one after the other.
//!
//! Each table then has at most as many meetings as slots. A plan without table changes is an edge colouring of a
//! bipartite graph of tables and guests; without availability limits one always exists.

use super::problem::ScheduleProblem;

/// Load of one meeting, scaled so that fractions are integers.
const MEETING: u64 = 1 << 20;

/// Data of a host.
#[derive(Debug, Clone, Default)]
struct Host {
    pairs: Vec<usize>,
    /// Load per slot: each meeting spread evenly over its possible slots.
    load: Vec<u64>,
}

/// Assigns the host's home table to every pair without a table of its own.
pub(super) fn give(problem: &mut ScheduleProblem) {
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
    // Spread loosely first; if tables are scarce, pack as tightly as possible.
    let spread = pack(&hosts, problem, |load| load);
    let tables = if spread.overload == 0 { spread.tables } else { pack(&hosts, problem, |load| MEETING - load).tables };
    for (host, table) in hosts.iter().zip(tables) {
        for pair in &host.pairs {
            problem.pairs[*pair].home = problem.pool[table];
        }
    }
}

/// A pool table for each host.
struct Packing {
    tables: Vec<usize>,
    overload: u64,
}

/// Assigns each host a table with enough room, the first by `rank` of its load in the fullest slot; if none has room,
/// the least loaded.
fn pack(hosts: &[&Host], problem: &ScheduleProblem, rank: impl Fn(u64) -> u64) -> Packing {
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
