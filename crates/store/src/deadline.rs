//! What is left of the caller's deadline, for whoever waits for something on the caller's behalf.
//!
//! The gate says it once for the whole call; what runs in the same task can ask for it, however deep.

use std::{
    future::Future,
    time::{Duration, Instant},
};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `work` on behalf of a caller who waits this long; `None`: as long as it takes.
pub async fn within<F: Future>(time: Option<Duration>, work: F) -> F::Output {
    match time.and_then(|time| Instant::now().checked_add(time)) {
        Some(deadline) => DEADLINE.scope(deadline, work).await,
        None => work.await,
    }
}

/// Time that the caller still waits; zero when the deadline has passed, `None` where there is none.
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
