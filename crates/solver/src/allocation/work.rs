//! Work is counted in pivots, and the caller may stop it: then what was found so far is the answer.

/// What is left to be done.
pub(super) struct Work<'a> {
    left: u64,
    done: u64,
    is_stopped: bool,
    stop: &'a dyn Fn() -> bool,
}

/// Pivots between two looks at the caller's wish to stop: under a millisecond.
const LOOK_EVERY: u64 = 512;

// === impl Work ===

impl<'a> Work<'a> {
    /// So many pivots, unless `stop` says to stop.
    pub(super) fn new(pivots: u64, stop: &'a dyn Fn() -> bool) -> Self {
        Self { left: pivots, done: 0, is_stopped: stop(), stop }
    }

    /// Counts a pivot; says whether it may be done.
    pub(super) fn pivot(&mut self) -> bool {
        self.spend(1)
    }

    /// Counts several at once, for work that is done between pivots.
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

    /// Whether nothing more may be done.
    pub(super) fn is_over(&self) -> bool {
        self.is_stopped || self.left == 0
    }

    /// Pivots done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }
}
