//! How many calls may run at a time: more while they hardly wait for a processor, the engine or the model, fewer while they
//! wait. Pure: the time is passed in.
//!
//! After the credits of Breakwater (Cho et al., "Overload Control for µs-scale RPCs with Breakwater", OSDI 2020): the
//! limit grows by a step while the waiting stays below its target, and shrinks by how far it is above. What is measured is
//! waiting, not time: expensive and cheap calls differ in time a thousandfold, and both wait in the same lines. The crates
//! for such limits (tower-acc, tower-resilience-adaptive) look at the time of whole calls.

use std::time::{Duration, Instant};

/// Time between two changes.
pub const INTERVAL: Duration = Duration::from_millis(100);
/// Time without the end of any call after which the calls wait for something else than a place; others may run beside
/// them.
const STUCK: Duration = Duration::from_secs(1);
/// Growth in one interval.
const GROWTH: f64 = 0.1;
/// What is taken away for waiting of twice the target.
const REDUCTION: f64 = 0.2;
/// What is left at least of the limit in one interval.
const REST: f64 = 0.5;

/// The limit.
#[derive(Debug)]
pub struct Limit {
    range: LimitRange,
    target: Duration,
    calls: f64,
    since: Instant,
    ended: u32,
    waited: Duration,
    was_full: bool,
}

/// What a limit may be.
#[derive(Debug, Clone, Copy)]
pub struct LimitRange {
    /// Lowest number of calls.
    pub min: usize,
    /// Number of calls at the start.
    pub start: usize,
    /// Highest number of calls.
    pub max: usize,
}

// === impl Limit ===

impl Limit {
    /// A limit that lets calls wait for `target` on average.
    pub fn new(range: LimitRange, target: Duration, now: Instant) -> Self {
        let max = range.max.max(1);
        let range = LimitRange { min: range.min.clamp(1, max), start: range.start.clamp(1, max), max };
        let calls = number(range.start);
        Self { range, target, calls, since: now, ended: 0, waited: Duration::ZERO, was_full: false }
    }

    /// Calls that may run now.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the lowest and the highest")]
    pub fn calls(&self) -> usize {
        self.calls as usize
    }

    /// A call found all places taken.
    pub fn was_full(&mut self, now: Instant) {
        self.was_full = true;
        self.look(now);
    }

    /// A call has ended that waited for so long while it ran.
    pub fn ended(&mut self, waited: Duration, now: Instant) {
        self.ended += 1;
        self.waited += waited;
        self.look(now);
    }

    fn look(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        if passed < INTERVAL || (self.ended == 0 && passed < STUCK) {
            return;
        }
        let mean = self.waited.checked_div(self.ended).unwrap_or_default();
        if self.target < mean {
            let above = mean.as_secs_f64() / self.target.as_secs_f64().max(1e-6) - 1.0;
            self.calls = (self.calls * (1.0 - REDUCTION * above).max(REST)).max(number(self.range.min));
        } else if self.was_full {
            self.calls = (self.calls + (self.calls * GROWTH).max(1.0)).min(number(self.range.max));
        }
        (self.since, self.ended, self.waited, self.was_full) = (now, 0, Duration::ZERO, false);
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers of calls stay far below 2^52")]
fn number(calls: usize) -> f64 {
    calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(50);
    const RANGE: LimitRange = LimitRange { min: 4, start: 16, max: 256 };

    /// A limit in made-up time.
    struct Watched {
        limit: Limit,
        now: Instant,
    }

    impl Watched {
        fn new() -> Self {
            let now = Instant::now();
            Self { limit: Limit::new(RANGE, TARGET, now), now }
        }

        /// So many intervals in which all places were taken, and calls ended that had waited for `waited`.
        fn pass(&mut self, intervals: u32, waited: Duration) -> usize {
            for _ in 0..intervals {
                self.limit.was_full(self.now);
                self.now += INTERVAL;
                self.limit.ended(waited, self.now);
            }
            self.limit.calls()
        }
    }

    #[test]
    fn it_grows_while_calls_hardly_wait_and_places_are_scarce() {
        let mut it = Watched::new();
        assert_eq!(it.pass(1, Duration::ZERO), 17);
        assert_eq!(it.pass(100, Duration::from_millis(49)), RANGE.max);
        // where places are left there is no reason to
        let mut it = Watched::new();
        for _ in 0..100 {
            it.now += INTERVAL;
            it.limit.ended(Duration::ZERO, it.now);
        }
        assert_eq!(it.limit.calls(), RANGE.start);
    }

    #[test]
    fn it_shrinks_by_how_long_calls_wait() {
        let mut it = Watched::new();
        assert_eq!(it.pass(1, 2 * TARGET), 12);
        let mut it = Watched::new();
        // never by more than half at once, so that one slow moment does not close the door
        assert_eq!(it.pass(1, 100 * TARGET), 8);
        assert_eq!(it.pass(100, 100 * TARGET), RANGE.min);
        // and comes back when the load has gone
        assert!(RANGE.start <= it.pass(20, Duration::ZERO));
    }

    #[test]
    fn it_settles_where_calls_wait_for_the_target() {
        // ten calls run without waiting; each one more adds 10 ms to the waiting of all
        let mut it = Watched::new();
        for _ in 0..300 {
            let waiting = u32::try_from(it.limit.calls().saturating_sub(10)).unwrap();
            it.pass(1, waiting * Duration::from_millis(10));
        }
        assert!((12..=18).contains(&it.limit.calls()), "{}", it.limit.calls());
    }

    #[test]
    fn one_look_for_each_interval_however_many_calls_end() {
        let mut it = Watched::new();
        for _ in 0..1_000 {
            it.limit.was_full(it.now);
            it.limit.ended(10 * TARGET, it.now);
        }
        assert_eq!(it.limit.calls(), RANGE.start);
        assert_eq!(it.pass(1, 10 * TARGET), RANGE.start / 2);
    }

    #[test]
    fn calls_that_wait_for_something_else_do_not_keep_others_out() {
        let mut it = Watched::new();
        for _ in 0..30 {
            it.now += INTERVAL;
            it.limit.was_full(it.now);
        }
        // three times a tenth
        assert_eq!(it.limit.calls(), 21);
    }

    #[test]
    fn a_few_calls_are_a_range_too() {
        let now = Instant::now();
        let limit = |max| Limit::new(LimitRange { max, ..RANGE }, Duration::ZERO, now).calls();
        assert_eq!((limit(0), limit(1), limit(2), limit(100)), (1, 1, 2, 16));
    }
}
