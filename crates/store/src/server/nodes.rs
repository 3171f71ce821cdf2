//! The nodes of a server or cluster: whose turn it is, and which of them do not answer.
//!
//! A node counts as away after a request or a probe that it did not answer. Callers ask it only if every node is away.
//! `watch` probes all nodes of a cluster once a second; an answer ends the absence, though not before a rest, which
//! doubles with each failure in a row: a node that answers probes and nothing else must not cost callers a timeout each
//! second.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::transport::Channel;

/// How long a node is left alone after its first failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// Longest rest.
const MAX_REST: Duration = Duration::from_secs(16);

/// All nodes, at least one.
pub(super) struct Nodes {
    nodes: Vec<Node>,
    turn: AtomicUsize,
}

/// One node.
pub(super) struct Node {
    /// Its address.
    pub(super) url: String,
    /// Its connection.
    pub(super) channel: Channel,
    absence: Mutex<Absence>,
}

/// What is known of a node that failed.
#[derive(Debug, Default)]
struct Absence {
    away: bool,
    /// Failures since the last answered request.
    failures: u32,
    rests_until: Option<Instant>,
}

// === impl Nodes ===

impl Nodes {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self { nodes, turn: AtomicUsize::new(0) }
    }

    /// The next node in turn; one that is away only if all are.
    pub(super) fn next(&self) -> Option<&Node> {
        let turn = self.turn.fetch_add(1, Relaxed) % self.nodes.len().max(1);
        let (before, after) = self.nodes.split_at_checked(turn)?;
        let mut in_turn = after.iter().chain(before);
        in_turn.clone().find(|node| !node.is_away()).or_else(|| in_turn.next())
    }

    /// All nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Whether there are several.
    pub(super) fn are_several(&self) -> bool {
        1 < self.nodes.len()
    }

    /// Whether every node is away.
    pub(super) fn are_all_away(&self) -> bool {
        self.nodes.iter().all(Node::is_away)
    }

    /// Addresses of the nodes that are away, for messages; `None` where there is but one node.
    pub(super) fn away(&self) -> Option<String> {
        let away: Vec<&str> = self.nodes.iter().filter(|node| node.is_away()).map(|node| node.url.as_str()).collect();
        (self.are_several() && !away.is_empty()).then(|| away.join("、"))
    }
}

// === impl Node ===

impl Node {
    pub(super) fn new(url: String, channel: Channel) -> Self {
        Self { url, channel, absence: Mutex::default() }
    }

    /// Whether the node did not answer last.
    pub(super) fn is_away(&self) -> bool {
        self.absence.lock().away
    }

    /// Notes an answer to a request, whatever it says.
    pub(super) fn answered(&self) {
        let was_away = std::mem::take(&mut *self.absence.lock()).away;
        if was_away {
            tracing::info!(node = self.url, "a node of Qdrant answers again");
        }
    }

    /// Notes an answer to a probe.
    pub(super) fn answered_probe(&self, now: Instant) {
        let mut absence = self.absence.lock();
        let rests = absence.rests_until.is_some_and(|until| now < until);
        if absence.away && !rests {
            absence.away = false;
            tracing::info!(node = self.url, "a node of Qdrant answers again");
        }
    }

    /// Notes that the node did not answer.
    pub(super) fn failed(&self, reason: &str, now: Instant) {
        let mut absence = self.absence.lock();
        // many calls that fail at once are one failure
        if !absence.away {
            absence.failures = absence.failures.saturating_add(1);
            absence.away = true;
            tracing::warn!(node = self.url, reason, "a node of Qdrant does not answer");
        }
        let rest = FIRST_REST.saturating_mul(1 << absence.failures.saturating_sub(1).min(10)).min(MAX_REST);
        absence.rests_until = now.checked_add(rest);
    }

    /// Notes that the node did not answer a probe; a failed probe does not prolong its rest.
    pub(super) fn failed_probe(&self, reason: &str, now: Instant) {
        if !self.is_away() {
            self.failed(reason, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(urls: &[&str]) -> Nodes {
        let node = |url: &&str| {
            let channel = tonic::transport::Endpoint::from_shared((*url).to_string()).unwrap().connect_lazy();
            Node::new((*url).to_string(), channel)
        };
        Nodes::new(urls.iter().map(node).collect())
    }

    fn turns(nodes: &Nodes, count: usize) -> Vec<&str> {
        let mut turns: Vec<&str> = (0..count).map(|_| nodes.next().unwrap().url.as_str()).collect();
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    #[tokio::test]
    async fn a_node_that_is_away_is_asked_only_if_all_are_and_comes_back_by_a_probe() {
        let (one, two) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
        let nodes = nodes(&[one, two]);
        let first = nodes.iter().next().unwrap();
        let now = Instant::now();
        assert_eq!(turns(&nodes, 4), [one, two]);
        first.failed("test", now);
        assert_eq!((turns(&nodes, 4), nodes.away().as_deref()), (vec![two], Some(one)));
        first.answered_probe(now);
        assert_eq!(turns(&nodes, 4), [two], "it rests first");
        let now = now + FIRST_REST;
        first.answered_probe(now);
        assert_eq!((turns(&nodes, 4), nodes.away()), (vec![one, two], None));
        // the second failure without an answered request in between: twice the rest
        first.failed("test", now);
        first.answered_probe(now + FIRST_REST);
        assert_eq!(turns(&nodes, 4), [two]);
        nodes.iter().for_each(|node| node.failed("test", now));
        assert_eq!(turns(&nodes, 4), [one, two], "all are away, so all are asked");
        assert!(nodes.are_all_away());
        nodes.iter().for_each(Node::answered);
        assert!(!nodes.are_all_away() && nodes.away().is_none());
    }
}
