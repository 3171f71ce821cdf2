//! The order in which those that wait get their turn. Pure: no clock, no tasks.

use std::collections::VecDeque;

use crate::call::Turn;

/// Those that wait, by callers and their calls. Callers take turns, and so do the calls of a caller: a short call does
/// not wait for a long one to end, nor a caller with one call for another with many.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// The caller whose turn it is comes first; none is empty.
    callers: VecDeque<OfCaller<T>>,
    len: usize,
}

#[derive(Debug)]
struct OfCaller<T> {
    caller: u128,
    /// The call whose turn it is comes first; none is empty.
    calls: VecDeque<OfCall<T>>,
}

#[derive(Debug)]
struct OfCall<T> {
    call: u64,
    waiting: VecDeque<(u64, T)>,
}

// === impl Line ===

impl<T> Line<T> {
    pub(crate) fn new() -> Self {
        Self { callers: VecDeque::new(), len: 0 }
    }

    /// Number of those that wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Number of callers among them.
    pub(crate) fn callers(&self) -> usize {
        self.callers.len()
    }

    /// Number of those of a caller.
    pub(crate) fn len_of(&self, caller: u128) -> usize {
        let of_caller = self.callers.iter().find(|it| it.caller == caller);
        of_caller.map_or(0, |it| it.calls.iter().map(|call| call.waiting.len()).sum())
    }

    /// Puts somebody at the end of its call. `id` is unique.
    pub(crate) fn push(&mut self, turn: Turn, id: u64, waiter: T) {
        self.len += 1;
        let Turn { caller, call } = turn;
        let of_caller = match self.callers.iter_mut().position(|it| it.caller == caller) {
            Some(at) => self.callers.get_mut(at),
            None => {
                self.callers.push_back(OfCaller { caller, calls: VecDeque::new() });
                self.callers.back_mut()
            }
        };
        let Some(OfCaller { calls, .. }) = of_caller else { return };
        match calls.iter_mut().find(|it| it.call == call) {
            Some(of_call) => of_call.waiting.push_back((id, waiter)),
            None => calls.push_back(OfCall { call, waiting: VecDeque::from([(id, waiter)]) }),
        }
    }

    /// Takes the next one. Its caller, and its call among the caller's, go to the end.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let mut of_caller = self.callers.pop_front()?;
        let mut of_call = of_caller.calls.pop_front()?;
        let next = of_call.waiting.pop_front();
        if !of_call.waiting.is_empty() {
            of_caller.calls.push_back(of_call);
        }
        if !of_caller.calls.is_empty() {
            self.callers.push_back(of_caller);
        }
        self.len -= usize::from(next.is_some());
        next.map(|(_, waiter)| waiter)
    }

    /// Takes out somebody who waits no longer.
    pub(crate) fn remove(&mut self, turn: Turn, id: u64) {
        let Some(of_caller) = self.callers.iter_mut().find(|it| it.caller == turn.caller) else { return };
        let Some(of_call) = of_caller.calls.iter_mut().find(|it| it.call == turn.call) else { return };
        let before = of_call.waiting.len();
        of_call.waiting.retain(|(other, _)| *other != id);
        self.len -= before - of_call.waiting.len();
        of_caller.calls.retain(|it| !it.waiting.is_empty());
        self.callers.retain(|it| !it.calls.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who waits, as caller and call.
    fn line(waiting: &[(u128, u64)]) -> Line<(u128, u64)> {
        let mut line = Line::new();
        for (id, (caller, call)) in (0..).zip(waiting) {
            line.push(Turn { caller: *caller, call: *call }, id, (*caller, *call));
        }
        line
    }

    fn drained(mut line: Line<(u128, u64)>) -> Vec<(u128, u64)> {
        let all: Vec<_> = std::iter::from_fn(|| line.pop()).collect();
        assert_eq!((line.len(), line.callers()), (0, 0));
        all
    }

    #[test]
    fn callers_take_turns_and_so_do_their_calls() {
        let check = |waiting: &[(u128, u64)], want: &[(u128, u64)]| assert_eq!(drained(line(waiting)), want);
        check(&[], &[]);
        // pieces of one call in their order, others between them
        check(&[(1, 1), (1, 1), (1, 1), (2, 9)], &[(1, 1), (2, 9), (1, 1), (1, 1)]);
        // a caller with many calls does not come more often than one with a single call
        check(&[(1, 1), (1, 2), (1, 3), (2, 9), (2, 9)], &[(1, 1), (2, 9), (1, 2), (2, 9), (1, 3)]);
        // calls of one caller, as behind a gateway
        check(&[(1, 1), (1, 1), (1, 1), (1, 2)], &[(1, 1), (1, 2), (1, 1), (1, 1)]);
    }

    #[test]
    fn who_has_gone_gets_no_turn() {
        let mut line = line(&[(1, 1), (1, 2), (2, 3), (2, 3)]);
        line.remove(Turn { caller: 1, call: 1 }, 0);
        line.remove(Turn { caller: 2, call: 3 }, 2);
        // somebody who is not there
        line.remove(Turn { caller: 2, call: 3 }, 2);
        line.remove(Turn { caller: 3, call: 3 }, 3);
        assert_eq!((line.len(), line.callers(), line.len_of(1), line.len_of(2), line.len_of(3)), (2, 2, 1, 1, 0));
        assert_eq!(drained(line), [(1, 2), (2, 3)]);
    }
}
