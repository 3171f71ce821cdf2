//! Selection and order of waiting windows for batches. Pure: no threads, clock or model.

use super::Priority;
use std::collections::VecDeque;

/// Consecutive interactive batches while bulk windows wait; then one bulk batch follows. Waiting bulk work gets at
/// least a fifth of the batches; interactive work waits for at most one bulk batch in five.
const INTERACTIVE_RUN: usize = 4;
/// Waiting windows examined per batch. Limits the work under the lock; lengths repeat so often that more would find
/// little.
const LOOK_AHEAD: usize = 64;

/// A waiting window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Id, unique among waiting windows.
    pub id: u64,
    /// Call that it belongs to.
    pub call: u64,
    /// Tokens, including prefix and special tokens.
    pub tokens: usize,
    /// Lane.
    pub priority: Priority,
}

/// Limits of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most tokens per batch, as the model sees them: longest window × windows, as shorter ones are padded. A longer
    /// window goes alone.
    pub budget_tokens: usize,
    /// Most windows per batch.
    pub max_windows: usize,
}

/// The waiting windows, in two lanes.
#[derive(Debug)]
pub struct Batcher {
    limits: BatchLimits,
    interactive: Lane,
    bulk: Lane,
    /// Consecutive interactive batches since the last bulk batch; counted only while bulk windows wait.
    interactive_run: usize,
}

/// The waiting windows of a lane, by calls. The calls take turns, batch by batch: a short call does not wait for a long
/// one to end.
#[derive(Debug, Default)]
struct Lane {
    /// The call whose turn it is comes first; none is empty.
    calls: VecDeque<Waiting>,
    len: usize,
}

/// The waiting windows of a call.
#[derive(Debug)]
struct Waiting {
    call: u64,
    tickets: VecDeque<Ticket>,
}

// === impl BatchLimits ===

impl BatchLimits {
    /// One window at a time, for models whose vectors depend on the batch.
    pub const ONE: Self = Self { budget_tokens: 1, max_windows: 1 };
}

impl Default for BatchLimits {
    /// Small, as batches gain almost nothing on a CPU. Measured with e5-small-zh on one core (Xeon with AVX-512, shared
    /// with others) for batches of 1, 2, 4, 8, 16: titles of 17 tokens 118, 123, 120, 125, 115 a second (best of 6
    /// rounds); texts of 64 tokens 28, 29, 29, 30, 34 ms each (best of 2); texts of 256 tokens 120, 128, 128, 132, 153
    /// ms each (one round), and the process was 140 MB larger afterwards. So three titles go together, which saves some
    /// calls, and a search does not wait long for a running batch.
    fn default() -> Self {
        Self { budget_tokens: 64, max_windows: 4 }
    }
}

// === impl Batcher ===

impl Batcher {
    /// An empty batcher.
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, interactive: Lane::default(), bulk: Lane::default(), interactive_run: 0 }
    }

    /// Number of waiting windows.
    pub fn len(&self) -> usize {
        self.interactive.len + self.bulk.len
    }

    /// Puts a window at the end of its call's windows.
    pub fn push(&mut self, ticket: Ticket) {
        match ticket.priority {
            Priority::Interactive => self.interactive.push(ticket),
            Priority::Bulk => self.bulk.push(ticket),
        }
    }

    /// Takes the oldest window of the call whose turn it is, in the lane whose turn it is, plus windows of that lane of
    /// similar length, those of the call first. Empty if nothing waits.
    pub fn take_batch(&mut self) -> Vec<Ticket> {
        let bulk_turn = self.interactive.len == 0 || self.interactive_run >= INTERACTIVE_RUN;
        if bulk_turn && self.bulk.len != 0 {
            self.interactive_run = 0;
            return self.bulk.take_alike(self.limits);
        }
        self.interactive_run = if self.bulk.len == 0 { 0 } else { self.interactive_run + 1 };
        self.interactive.take_alike(self.limits)
    }

    /// Removes every window for which `cancelled` returns true, and returns their ids.
    pub fn drop_cancelled(&mut self, mut cancelled: impl FnMut(u64) -> bool) -> Vec<u64> {
        let mut dropped = Vec::new();
        for lane in [&mut self.interactive, &mut self.bulk] {
            lane.retain(|ticket| {
                let gone = cancelled(ticket.id);
                if gone {
                    dropped.push(ticket.id);
                }
                !gone
            });
        }
        dropped
    }
}

// === impl Lane ===

impl Lane {
    fn push(&mut self, ticket: Ticket) {
        self.len += 1;
        // a call that pushes has mostly pushed before
        match self.calls.iter_mut().rev().find(|waiting| waiting.call == ticket.call) {
            Some(waiting) => waiting.tickets.push_back(ticket),
            None => self.calls.push_back(Waiting { call: ticket.call, tickets: VecDeque::from([ticket]) }),
        }
    }

    /// Takes the first window of the first call and, from the windows soon after it, those of similar length within the
    /// limits. The call goes to the end.
    fn take_alike(&mut self, limits: BatchLimits) -> Vec<Ticket> {
        let Some(first) = self.calls.front_mut().and_then(|waiting| waiting.tickets.pop_front()) else {
            return Vec::new();
        };
        let mut batch = vec![first];
        let mut longest = first.tokens;
        let mut looked_at = 0;
        'calls: for waiting in &mut self.calls {
            let mut at = 0;
            while let Some(ticket) = waiting.tickets.get(at).copied() {
                if LOOK_AHEAD <= looked_at || limits.max_windows <= batch.len() {
                    break 'calls;
                }
                looked_at += 1;
                let new_longest = longest.max(ticket.tokens);
                let fits = new_longest.saturating_mul(batch.len() + 1) <= limits.budget_tokens;
                if fits && alike(first.tokens, ticket.tokens) {
                    longest = new_longest;
                    batch.push(ticket);
                    waiting.tickets.remove(at);
                } else {
                    at += 1;
                }
            }
        }
        self.len -= batch.len();
        if !self.calls.is_empty() {
            self.calls.rotate_left(1);
        }
        self.calls.retain(|waiting| !waiting.tickets.is_empty());
        batch
    }

    fn retain(&mut self, mut keeps: impl FnMut(&Ticket) -> bool) {
        for waiting in &mut self.calls {
            waiting.tickets.retain(|ticket| keeps(ticket));
        }
        self.calls.retain(|waiting| !waiting.tickets.is_empty());
        self.len = self.calls.iter().map(|waiting| waiting.tickets.len()).sum();
    }
}

/// Returns whether at most a quarter of the longer one would be padding.
fn alike(a: usize, b: usize) -> bool {
    a.abs_diff(b).saturating_mul(4) <= a.max(b)
}

#[cfg(test)]
mod tests {
    use super::{Priority::*, *};
    use proptest::prelude::*;

    const LIMITS: BatchLimits = BatchLimits { budget_tokens: 100, max_windows: 4 };

    fn batcher(waiting: &[(u64, usize, Priority)], limits: BatchLimits) -> Batcher {
        let mut batcher = Batcher::new(limits);
        waiting.iter().for_each(|&(id, tokens, priority)| batcher.push(Ticket { id, call: 0, tokens, priority }));
        batcher
    }

    fn drain(batcher: &mut Batcher) -> Vec<Vec<u64>> {
        let batches = std::iter::from_fn(|| Some(batcher.take_batch()).filter(|batch| !batch.is_empty()));
        batches.map(|batch| batch.iter().map(|ticket| ticket.id).collect()).collect()
    }

    #[test]
    fn like_lengths_go_together_within_the_budget() {
        let check = |tokens: &[usize], want: &[&[u64]]| {
            let waiting: Vec<_> = (0..).zip(tokens).map(|(id, tokens)| (id, *tokens, Bulk)).collect();
            assert_eq!(drain(&mut batcher(&waiting, LIMITS)), want, "{tokens:?}");
        };
        check(&[], &[]);
        check(&[20, 20, 20], &[&[0, 1, 2]]);
        check(&[20; 6], &[&[0, 1, 2, 3], &[4, 5]]);
        check(&[40, 40, 40], &[&[0, 1], &[2]]);
        check(&[500, 10, 10], &[&[0], &[1, 2]]);
        check(&[20, 5, 20, 5], &[&[0, 2], &[1, 3]]);
        check(&[40, 52, 50], &[&[0, 2], &[1]]);
        check(&[1, 0, 0], &[&[0], &[1, 2]]);
        let alone: Vec<_> = (0..3).map(|id| (id, 1, Bulk)).collect();
        assert_eq!(drain(&mut batcher(&alone, BatchLimits::ONE)), [[0], [1], [2]]);
    }

    #[test]
    fn interactive_goes_first_and_bulk_is_not_starved() {
        let mut waiting = vec![(100, 90, Bulk), (101, 90, Bulk)];
        waiting.extend((0..7).map(|id| (id, 90, Interactive)));
        let want = [[0], [1], [2], [3], [100], [4], [5], [6], [101]];
        assert_eq!(drain(&mut batcher(&waiting, LIMITS)), want);
    }

    #[test]
    fn a_run_of_interactive_batches_counts_only_while_bulk_waits() {
        let waiting: Vec<_> = (0..6).map(|id| (id, 90, Interactive)).collect();
        let mut batcher = batcher(&waiting, LIMITS);
        for _ in 0..5 {
            batcher.take_batch();
        }
        batcher.push(Ticket { id: 100, call: 0, tokens: 90, priority: Bulk });
        assert_eq!(drain(&mut batcher), [[5], [100]]);
    }

    #[test]
    fn lanes_do_not_mix() {
        let mut batcher = batcher(&[(0, 20, Interactive), (1, 20, Bulk), (2, 20, Interactive)], LIMITS);
        assert_eq!(drain(&mut batcher), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn calls_take_turns() {
        let mut batcher = Batcher::new(LIMITS);
        let mut push = |id, call| batcher.push(Ticket { id, call, tokens: 90, priority: Bulk });
        (0..60).for_each(|id| push(id, 1));
        // calls that come later, with one and with two windows
        [(100, 2), (200, 3), (201, 3)].into_iter().for_each(|(id, call)| push(id, call));
        let order = drain(&mut batcher).concat();
        assert_eq!(order.iter().take(7).copied().collect::<Vec<_>>(), [0, 100, 200, 1, 201, 2, 3]);
        assert_eq!((order.len(), batcher.len()), (63, 0));
        // short windows of several calls still share a batch
        let mut batcher = Batcher::new(LIMITS);
        (0..3).for_each(|id| batcher.push(Ticket { id, call: id, tokens: 20, priority: Bulk }));
        assert_eq!(drain(&mut batcher), [[0, 1, 2]]);
    }

    #[test]
    fn cancelled_windows_are_dropped_from_both_lanes() {
        let mut batcher = batcher(&[(0, 20, Interactive), (1, 20, Bulk), (2, 20, Interactive), (3, 20, Bulk)], LIMITS);
        assert_eq!(batcher.drop_cancelled(|id| id < 2), [0, 1]);
        assert_eq!(batcher.len(), 2);
        assert_eq!(drain(&mut batcher), [[2], [3]]);
        assert_eq!(batcher.len(), 0);
    }

    proptest! {
        #[test]
        fn each_window_comes_out_once_or_is_dropped(
            windows in prop::collection::vec((0_usize..300, any::<bool>(), any::<bool>()), 0..200),
            budget_tokens in 0_usize..400,
            max_windows in 1_usize..9,
        ) {
            let limits = BatchLimits { budget_tokens, max_windows };
            let mut batcher = Batcher::new(limits);
            let cancelled = |id: u64| windows[id as usize].2;
            let mut seen = vec![0; windows.len()];
            for (id, &(tokens, interactive, _)) in (0..).zip(&windows) {
                let priority = if interactive { Interactive } else { Bulk };
                batcher.push(Ticket { id, call: id % 7, tokens, priority });
            }
            batcher.drop_cancelled(cancelled).iter().for_each(|id| seen[*id as usize] += 1);
            while 0 < batcher.len() {
                let batch = batcher.take_batch();
                let longest = batch.iter().map(|ticket| ticket.tokens).max().unwrap();
                prop_assert!(batch.len() == 1 || longest * batch.len() <= budget_tokens);
                prop_assert!(batch.len() <= max_windows);
                prop_assert!(batch.iter().all(|ticket| ticket.priority == batch[0].priority && !cancelled(ticket.id)));
                batch.iter().for_each(|ticket| seen[ticket.id as usize] += 1);
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
        }

        #[test]
        fn the_oldest_bulk_window_waits_for_few_batches(interactive in 5_usize..60) {
            let mut waiting = vec![(1000, 90, Bulk)];
            waiting.extend((0..interactive as u64).map(|id| (id, 90, Interactive)));
            let batches = drain(&mut batcher(&waiting, LIMITS));
            prop_assert_eq!(batches.iter().position(|batch| batch.contains(&1000)), Some(INTERACTIVE_RUN));
        }
    }
}
