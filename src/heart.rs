//! Signs of life of background tasks: a task that gives none for too long is stuck.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// The heart of a task; clones are the same heart. A task that has nothing to do never
/// begins to beat, and is not stuck.
#[derive(Debug, Clone, Default)]
pub struct Heart(Arc<Mutex<Option<Instant>>>);

// === impl Heart ===

impl Heart {
    /// The task is alive. It says so again within its time, or is taken for stuck.
    pub fn beat(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    /// Time since the last beat; zero before the first one.
    pub fn still_for(&self, now: Instant) -> Duration {
        self.0.lock().map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heart_is_still_since_its_last_beat() {
        let heart = Heart::default();
        let later = |seconds| Instant::now() + Duration::from_secs(seconds);
        assert_eq!(heart.still_for(later(100)), Duration::ZERO);
        heart.clone().beat();
        assert!((9..=10).contains(&heart.still_for(later(10)).as_secs()));
    }
}
