//! A network simplex for circulations: maximises the gain through arcs with capacities, starting from zero flow.
//!
//! The tree is kept strongly feasible (Cunningham 1976), so the simplex never cycles. The entering arc is the best of a
//! block (as in LEMON's NetworkSimplex). Gains may change between calls of [`Simplex::solve`], which then continues
//! from the current tree. For any potentials, the sum over arcs of `capacity · max(0, reduced gain)` bounds every
//! circulation's gain. So [`Simplex::bound`] always holds, and equals [`Simplex::gain`] when no arc can enter.

use super::work::Work;

/// An arc of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    /// Start node.
    pub(super) from: u32,
    /// End node.
    pub(super) to: u32,
    /// Maximum flow, 0 or more.
    pub(super) capacity: i64,
    /// Gain per unit of flow.
    pub(super) gain: i64,
}

/// A network with a spanning tree and a flow.
#[derive(Debug, Clone)]
pub(super) struct Simplex {
    /// The caller's arcs, then one from each node to the root; the latter never carry flow.
    arcs: Vec<Arc>,
    flow: Vec<i64>,
    /// 0 in the tree, 1 at zero flow, -1 at capacity.
    state: Vec<i8>,
    nodes: Vec<Node>,
    real: usize,
    next: usize,
    block: usize,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// Arc between the node and its parent.
    arc: u32,
    /// Whether the arc leads from the node to its parent.
    is_up: bool,
    depth: u32,
    child: u32,
    left: u32,
    right: u32,
    potential: i64,
}

/// The leaving arc, given by the node below it, and the flow change around the cycle.
struct Leaving {
    delta: i64,
    below: Option<u32>,
    on_first: bool,
    join: u32,
}

const NONE: u32 = u32::MAX;
const UNLIMITED: i64 = i64::MAX / 4;

// === impl Simplex ===

impl Simplex {
    /// A network of `nodes` nodes with zero flow.
    pub(super) fn new(nodes: usize, arcs: Vec<Arc>) -> Self {
        let real = arcs.len();
        let mut arcs = arcs;
        let root = nodes as u32;
        arcs.extend((0..root).map(|node| Arc { from: node, to: root, capacity: UNLIMITED, gain: 0 }));
        let mut tree: Vec<Node> = (0..root)
            .map(|node| Node {
                parent: root,
                arc: real as u32 + node,
                is_up: true,
                depth: 1,
                child: NONE,
                left: if node == 0 { NONE } else { node - 1 },
                right: if node + 1 == root { NONE } else { node + 1 },
                potential: 0,
            })
            .collect();
        let child = if nodes == 0 { NONE } else { 0 };
        let (parent, arc) = (NONE, NONE);
        tree.push(Node { parent, arc, is_up: false, depth: 0, child, left: NONE, right: NONE, potential: 0 });
        let mut state = vec![1; real];
        state.resize(arcs.len(), 0);
        let block = ((real as f64).sqrt() as usize).max(16);
        Self { flow: vec![0; arcs.len()], arcs, state, nodes: tree, real, next: 0, block }
    }

    /// Pivots until no arc can enter, or the work is used up or stopped; returns whether it finished.
    pub(super) fn solve(&mut self, work: &mut Work<'_>) -> bool {
        while let Some(arc) = self.entering() {
            if !work.pivot() {
                return false;
            }
            self.pivot(arc);
        }
        true
    }

    /// Changes the gain of an arc; call [`Self::reprice`] before the next solve.
    pub(super) fn set_gain(&mut self, arc: usize, gain: i64) {
        self.arcs[arc].gain = gain;
    }

    /// Opens an arc that had no capacity.
    pub(super) fn open(&mut self, arc: usize, capacity: i64) {
        if self.arcs[arc].capacity == 0 {
            self.arcs[arc].capacity = capacity;
            // a closed arc may be marked as full
            if self.state[arc] < 0 {
                self.state[arc] = 1;
            }
        }
    }

    /// Recomputes the potentials from the gains.
    pub(super) fn reprice(&mut self) {
        let root = self.nodes.len() as u32 - 1;
        let mut at = self.nodes[root as usize].child;
        while at != NONE {
            self.settle(at);
            at = self.after(at, root);
        }
    }

    /// Flow through an arc.
    pub(super) fn flow(&self, arc: usize) -> i64 {
        self.flow[arc]
    }

    /// Gain from one more unit through an arc, at the prices of its ends.
    pub(super) fn reduced_gain(&self, arc: usize) -> i64 {
        let Arc { from, to, gain, .. } = self.arcs[arc];
        gain - self.nodes[from as usize].potential + self.nodes[to as usize].potential
    }

    /// Upper bound on the gain of every circulation.
    pub(super) fn bound(&self) -> i64 {
        let parts = (0..self.real).map(|arc| (self.arcs[arc].capacity, self.reduced_gain(arc).max(0)));
        let sum: i128 = parts.map(|(capacity, gain)| i128::from(capacity) * i128::from(gain)).sum();
        sum.min(i128::from(UNLIMITED)) as i64
    }

    /// The caller's arcs.
    pub(super) fn arcs(&self) -> &[Arc] {
        &self.arcs[..self.real]
    }

    /// Best arc of the first block with an entering arc, continuing from the end of the last search.
    fn entering(&mut self) -> Option<usize> {
        let mut best = (0, None);
        let mut left = self.block;
        for step in 0..self.real {
            let arc = if self.next + step < self.real { self.next + step } else { self.next + step - self.real };
            let worth = i64::from(self.state[arc]) * self.reduced_gain(arc);
            if worth > best.0 {
                best = (worth, Some(arc));
            }
            left -= 1;
            if left == 0 {
                if best.1.is_some() {
                    self.next = arc + 1;
                    return best.1;
                }
                left = self.block;
            }
        }
        best.1
    }

    fn pivot(&mut self, entering: usize) {
        let Arc { from, to, .. } = self.arcs[entering];
        let (first, second) = if self.state[entering] > 0 { (from, to) } else { (to, from) };
        let leaving = self.leaving(entering, first, second);
        self.push(entering, &leaving);
        match leaving.below {
            None => self.state[entering] = -self.state[entering],
            Some(below) => {
                let out = self.nodes[below as usize].arc as usize;
                self.state[entering] = 0;
                self.state[out] = if self.flow[out] == 0 { 1 } else { -1 };
                let (inner, outer) = if leaving.on_first { (first, second) } else { (second, first) };
                self.hang(inner, outer, entering as u32, below);
            }
        }
    }

    /// First arc of the cycle to reach its limit; among ties, the one that keeps the tree strongly feasible.
    fn leaving(&self, entering: usize, first: u32, second: u32) -> Leaving {
        let join = self.join(first, second);
        let mut leaving = Leaving { delta: self.arcs[entering].capacity, below: None, on_first: false, join };
        let mut at = first;
        while at != join {
            let room = self.room(at, false);
            if room < leaving.delta {
                leaving = Leaving { delta: room, below: Some(at), on_first: true, join };
            }
            at = self.nodes[at as usize].parent;
        }
        at = second;
        while at != join {
            let room = self.room(at, true);
            if room <= leaving.delta {
                leaving = Leaving { delta: room, below: Some(at), on_first: false, join };
            }
            at = self.nodes[at as usize].parent;
        }
        leaving
    }

    fn join(&self, mut one: u32, mut other: u32) -> u32 {
        while one != other {
            let (a, b) = (&self.nodes[one as usize], &self.nodes[other as usize]);
            match a.depth.cmp(&b.depth) {
                std::cmp::Ordering::Greater => one = a.parent,
                std::cmp::Ordering::Less => other = b.parent,
                std::cmp::Ordering::Equal => (one, other) = (a.parent, b.parent),
            }
        }
        one
    }

    /// Remaining capacity between a node and its parent, towards the parent or from it.
    fn room(&self, node: u32, upwards: bool) -> i64 {
        let node = &self.nodes[node as usize];
        let arc = node.arc as usize;
        if node.is_up == upwards { self.arcs[arc].capacity - self.flow[arc] } else { self.flow[arc] }
    }

    fn push(&mut self, entering: usize, leaving: &Leaving) {
        if leaving.delta == 0 {
            return;
        }
        let along = i64::from(self.state[entering]) * leaving.delta;
        self.flow[entering] += along;
        let Arc { from, to, .. } = self.arcs[entering];
        for (start, sign) in [(from, -along), (to, along)] {
            let mut at = start;
            while at != leaving.join {
                let node = &self.nodes[at as usize];
                self.flow[node.arc as usize] += if node.is_up { sign } else { -sign };
                at = node.parent;
            }
        }
    }

    /// Detaches the subtree of `below` and reattaches it, re-rooted at `inner`, below `outer` by `arc`.
    fn hang(&mut self, inner: u32, outer: u32, arc: u32, below: u32) {
        let (mut node, mut parent, mut by) = (inner, outer, arc);
        loop {
            let (old_parent, old_arc) = (self.nodes[node as usize].parent, self.nodes[node as usize].arc);
            self.unlink(node);
            self.link(node, parent, by);
            if node == below {
                break;
            }
            (parent, node, by) = (node, old_parent, old_arc);
        }
        let mut at = inner;
        while at != NONE {
            self.settle(at);
            at = self.after(at, inner);
        }
    }

    fn unlink(&mut self, node: u32) {
        let Node { parent, left, right, .. } = self.nodes[node as usize];
        match left {
            NONE => self.nodes[parent as usize].child = right,
            left => self.nodes[left as usize].right = right,
        }
        if right != NONE {
            self.nodes[right as usize].left = left;
        }
    }

    fn link(&mut self, node: u32, parent: u32, arc: u32) {
        let right = self.nodes[parent as usize].child;
        if right != NONE {
            self.nodes[right as usize].left = node;
        }
        self.nodes[parent as usize].child = node;
        let is_up = self.arcs[arc as usize].from == node;
        let entry = &mut self.nodes[node as usize];
        (entry.parent, entry.arc, entry.is_up, entry.left, entry.right) = (parent, arc, is_up, NONE, right);
    }

    /// Computes a node's depth and potential from its parent.
    fn settle(&mut self, node: u32) {
        let Node { parent, arc, is_up, .. } = self.nodes[node as usize];
        let (depth, potential) = (self.nodes[parent as usize].depth, self.nodes[parent as usize].potential);
        let gain = self.arcs[arc as usize].gain;
        let entry = &mut self.nodes[node as usize];
        entry.depth = depth + 1;
        entry.potential = if is_up { potential + gain } else { potential - gain };
    }

    /// Next node in the subtree of `top`, parents first.
    fn after(&self, node: u32, top: u32) -> u32 {
        let mut at = node;
        if self.nodes[at as usize].child != NONE {
            return self.nodes[at as usize].child;
        }
        while at != top {
            if self.nodes[at as usize].right != NONE {
                return self.nodes[at as usize].right;
            }
            at = self.nodes[at as usize].parent;
        }
        NONE
    }
}
