//! How long to wait between two tries at the server.
//!
//! The loops in `wire` and `write` are not those of the crate `backon`, which the service uses for its own retries. Each
//! of theirs tries depends on more than the last error: another node is asked at once, and a try that would end behind
//! the caller's deadline is not made; a write sends only the items that were not applied. Only the waits are the same.

use std::time::Duration;

/// Longest wait before the second try; doubled for each further one.
const FIRST: Duration = Duration::from_millis(50);
/// Longest wait between two tries.
const MAX: Duration = Duration::from_secs(1);

/// Wait after a number of tries that failed: full jitter below a bound that doubles.
pub(super) fn after(tried: u32) -> Duration {
    jitter(FIRST.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(MAX))
}

/// Full jitter: anything from nothing to a bound, so that many callers do not come back together.
pub(super) fn jitter(bound: Duration) -> Duration {
    bound.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        for (tried, bound_ms) in [(1, 50), (2, 100), (3, 200), (9, 1000), (1000, 1000)] {
            let waits: Vec<Duration> = (0..200).map(|_| after(tried)).collect();
            assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(bound_ms)));
            assert!(waits.iter().any(|wait| Duration::from_millis(bound_ms / 2) < *wait), "no jitter at {tried}");
        }
    }
}
