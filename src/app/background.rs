//! Work that runs beside the calls: re-matching jobs, and the scheduler that starts them.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use futures::FutureExt;
use tokio::{sync::watch, task::JoinSet};

use super::Parts;

/// Whether all background tasks are running; clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct BackgroundHealth {
    failed: Arc<AtomicBool>,
}

/// The background tasks of a service. Dropping it ends them at their next await point.
#[derive(Debug)]
pub struct Background {
    tasks: JoinSet<()>,
}

// === impl BackgroundHealth ===

impl BackgroundHealth {
    /// False once a task has panicked, or has ended without being told to stop. It stays false until a restart.
    pub fn healthy(&self) -> bool {
        !self.failed.load(SeqCst)
    }

    /// Runs a task until it ends; records a failure if it ended before `stopped` was set.
    async fn watch(self, name: &'static str, stopped: watch::Receiver<bool>, task: impl Future<Output = ()>) {
        let ended = AssertUnwindSafe(task).catch_unwind().await;
        if ended.is_err() || !*stopped.borrow() {
            tracing::error!(task = name, panicked = ended.is_err(), "a background task ended before it was stopped");
            self.failed.store(true, SeqCst);
        }
    }
}

// === impl Background ===

impl Background {
    /// Starts the background tasks of these parts; they end soon after `stopped` is set.
    pub fn start(parts: &Parts, stopped: &watch::Receiver<bool>) -> Self {
        let mut tasks = JoinSet::new();
        let (rematch, stop) = (parts.rematch.clone(), wait(stopped.clone()));
        let jobs = async move { rematch.run(stop).await };
        tasks.spawn(parts.background.clone().watch("rematch", stopped.clone(), jobs));
        let (scheduler, stop) = (parts.scheduler.clone(), wait(stopped.clone()));
        let schedule = async move { scheduler.run(stop).await };
        tasks.spawn(parts.background.clone().watch("schedule", stopped.clone(), schedule));
        Self { tasks }
    }

    /// Waits until all tasks have ended.
    pub async fn join(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(stop_first: bool, task: impl Future<Output = ()>) -> bool {
        let (stopping, stopped) = watch::channel(stop_first);
        let health = BackgroundHealth::default();
        assert!(health.healthy());
        health.clone().watch("test", stopped, task).await;
        drop(stopping);
        health.healthy()
    }

    #[tokio::test]
    async fn a_task_that_panics_or_ends_by_itself_shows_in_health() {
        assert!(!after(false, async { panic!("a mistake") }).await);
        assert!(!after(true, async { panic!("a mistake") }).await);
        assert!(!after(false, async {}).await);
        assert!(after(true, async {}).await);
    }
}
