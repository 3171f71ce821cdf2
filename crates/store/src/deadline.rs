//! Remaining time of the caller's deadline.
//!
//! The gRPC gate sets the deadline once per call; any code in the same task can read it, at any depth.

use std::{
    future::Future,
    time::{Duration, Instant},
};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `work` under a deadline of `time` from now; `None` means no deadline.
pub async fn within<F: Future>(time: Option<Duration>, work: F) -> F::Output {
    match time.and_then(|time| Instant::now().checked_add(time)) {
        Some(deadline) => DEADLINE.scope(deadline, work).await,
        None => work.await,
    }
}

/// Time left before the deadline; zero when it has passed, `None` without a deadline.
pub fn left() -> Option<Duration> {
    DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_left_is_known_as_deep_as_the_task_goes() {
        assert_eq!(left(), None);
        let deep = async || left();
        let left_of_minute = within(Some(Duration::from_secs(60)), deep()).await.unwrap();
        assert!(Duration::from_secs(59) < left_of_minute && left_of_minute <= Duration::from_secs(60));
        assert_eq!(within(Some(Duration::ZERO), async { left() }).await, Some(Duration::ZERO));
        assert_eq!(within(None, async { left() }).await, None);
        assert_eq!(within(Some(Duration::MAX), async { left() }).await, None);
    }
}
