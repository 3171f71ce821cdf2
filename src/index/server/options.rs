//! When what is done.

use std::time::Duration;

use crate::index::lease::{LEASE_PERIOD, RENEW_EVERY};

/// When what is done; tests are faster.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time between two looks at the engine.
    pub look_every: Duration,
    /// Time without a look that showed all well after which requests stop: who maintains the store waits this long
    /// before counting on it.
    pub stale_after: Duration,
    /// Time after which a duty that its holder has not renewed is free.
    pub lease_period: Duration,
    /// Time between renewals.
    pub renew_every: Duration,
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            stale_after: Duration::from_secs(5),
            lease_period: LEASE_PERIOD,
            renew_every: RENEW_EVERY,
        }
    }
}
