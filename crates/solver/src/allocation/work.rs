//! Counts work in pivots. The caller may stop it; the best result so far is then the answer.

/// Remaining work.
pub(super) struct Work<'a> {
    left: u64,
    done: u64,
    is_stopped: bool,
    stop: &'a dyn Fn() -> bool,
}

/// Pivots between two checks of `stop`: under a millisecond.
const LOOK_EVERY: u64 = 512;

// === impl Work ===

impl<'a> Work<'a> {
    /// Allows a number of pivots, unless `stop` returns true.
    pub(super) fn new(pivots: u64, stop: &'a dyn Fn() -> bool) -> Self {
        Self { left: pivots, done: 0, is_stopped: stop(), stop }
    }

    /// Counts a pivot; returns whether it is allowed.
    pub(super) fn pivot(&mut self) -> bool {
        self.spend(1)
    }

    /// Counts several pivots at once, for work between pivots.
    pub(super) fn spend(&mut self, pivots: u64) -> bool {
        if self.is_over() {
            return false;
        }
        let looks = self.done / LOOK_EVERY;
        self.done += pivots;
        self.left = self.left.saturating_sub(pivots);
        if self.done / LOOK_EVERY != looks && (self.stop)() {
            self.is_stopped = true;
        }
        !self.is_stopped
    }

    /// Returns whether no more work is allowed.
    pub(super) fn is_over(&self) -> bool {
        self.is_stopped || self.left == 0
    }

    /// Pivots done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }
}
