//! Remaining steps, and whether the caller still waits.

use super::Work;

/// Steps between two calls of `stop`.
const ASK_EVERY: u64 = 1024;

pub(super) struct Budget<'a> {
    work: &'a Work<'a>,
    used: u64,
    since: u64,
    limit: u64,
    is_cut: bool,
    is_stopped: bool,
}

impl<'a> Budget<'a> {
    pub fn new(work: &'a Work<'a>) -> Self {
        Self { work, used: 0, since: 0, limit: work.steps, is_cut: false, is_stopped: (work.stop)() }
    }

    /// Limits further use to a share of the remaining steps: `part` of `whole`.
    pub fn share(&mut self, part: u64, whole: u64) {
        self.since = self.used;
        self.limit = self.used + (self.work.steps.saturating_sub(self.used) / whole).saturating_mul(part);
    }

    /// Takes one step; returns false if none is left.
    pub fn step(&mut self) -> bool {
        if self.limit <= self.used {
            self.is_cut = true;
        }
        if self.is_stopped || self.limit <= self.used {
            return false;
        }
        self.charge();
        !self.is_stopped
    }

    /// Counts a step without checking the limit.
    pub fn charge(&mut self) {
        self.used += 1;
        if self.used.is_multiple_of(ASK_EVERY) {
            self.is_stopped |= (self.work.stop)();
        }
    }

    /// Used part of the share, in units of 1/`whole`.
    pub fn part_used(&self, whole: u64) -> u64 {
        (self.used - self.since).saturating_mul(whole) / self.limit.saturating_sub(self.since).max(1)
    }

    pub fn is_over(&self) -> bool {
        self.is_stopped || self.limit <= self.used
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub fn used(&self) -> u64 {
        self.used
    }
}
