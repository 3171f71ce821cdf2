//! Work that runs beside the calls: re-matching jobs, and the scheduler that starts them.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};

use super::{
    Parts,
    health::{Component, Trouble},
};
use crate::heart::Heart;

/// Beats that a task may miss.
const MISSED: u32 = 10;
/// Time in which the job runner beats at least once: it may have to wait for work of the lane `Long`.
const JOBS_BEAT: Duration = Duration::from_secs(120);
/// The same of the scheduler.
const SCHEDULE_BEAT: Duration = Duration::from_secs(30);

/// Whether all background tasks are running; clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct BackgroundHealth {
    failed: Arc<Mutex<Vec<Component>>>,
    hearts: Arc<Mutex<Vec<Watched>>>,
}

/// A task that has to beat its heart.
#[derive(Debug)]
struct Watched {
    component: Component,
    heart: Heart,
    limit: Duration,
}

/// The background tasks of a service. Dropping it ends them at their next await point.
#[derive(Debug)]
pub struct Background {
    tasks: JoinSet<()>,
}

// === impl BackgroundHealth ===

impl BackgroundHealth {
    /// The tasks that have panicked, or ended without being told to stop, which shows until a restart; and those that are
    /// stuck, until they go on.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.troubles_at(Instant::now())
    }

    fn troubles_at(&self, now: Instant) -> Vec<Trouble> {
        let ended = |component: &Component| Trouble::new(*component, "已意外中止，须重启服务");
        let mut troubles: Vec<Trouble> = self.failed.lock().iter().map(ended).collect();
        for Watched { component, heart, limit } in &*self.hearts.lock() {
            let still = heart.still_for(now);
            if *limit < still {
                troubles.push(Trouble::new(*component, format!("已有 {} 秒没有进展", still.as_secs())));
            }
        }
        troubles
    }

    /// From now on, `heart` has to beat within ten times `interval`, once it has begun to.
    fn listen(&self, component: Component, heart: Heart, interval: Duration) {
        self.hearts.lock().push(Watched { component, heart, limit: MISSED * interval });
    }

    /// Runs a task until it ends; records a failure if it ended before `stopped` was set.
    async fn watch(self, component: Component, stopped: watch::Receiver<bool>, task: impl Future<Output = ()>) {
        let ended = AssertUnwindSafe(task).catch_unwind().await;
        if ended.is_err() || !*stopped.borrow() {
            let (task, panicked) = (component.name(), ended.is_err());
            tracing::error!(task, panicked, "a background task ended before it was stopped");
            self.failed.lock().push(component);
        }
    }
}

// === impl Background ===

impl Background {
    /// Starts the background tasks of these parts; they end soon after `stopped` is set.
    pub fn start(parts: &Parts, stopped: &watch::Receiver<bool>) -> Self {
        let mut tasks = JoinSet::new();
        let health = &parts.background;
        let (rematch, stop) = (parts.rematch.clone(), wait(stopped.clone()));
        health.listen(Component::Jobs, rematch.heart(), JOBS_BEAT);
        let jobs = async move { rematch.run(stop).await };
        tasks.spawn(health.clone().watch(Component::Jobs, stopped.clone(), jobs));
        let (scheduler, stop) = (parts.scheduler.clone(), wait(stopped.clone()));
        health.listen(Component::Schedule, scheduler.heart(), SCHEDULE_BEAT);
        let schedule = async move { scheduler.run(stop).await };
        tasks.spawn(health.clone().watch(Component::Schedule, stopped.clone(), schedule));
        let (asked, stop) = (parts.clone(), wait(stopped.clone()));
        let probing = async move {
            tokio::select! {
                () = stop => {}
                () = asked.probes.clone().run(&asked) => {}
            }
        };
        tasks.spawn(health.clone().watch(Component::Probe, stopped.clone(), probing));
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
        assert_eq!(health.troubles(), []);
        health.clone().watch(Component::Jobs, stopped, task).await;
        drop(stopping);
        health.troubles().is_empty()
    }

    #[test]
    fn a_task_that_is_stuck_shows_by_name_until_it_goes_on() {
        let (health, heart) = (BackgroundHealth::default(), Heart::default());
        health.listen(Component::Schedule, heart.clone(), SCHEDULE_BEAT);
        let later = |beats| Instant::now() + beats * SCHEDULE_BEAT;
        // one that has nothing to do is not stuck
        assert_eq!(health.troubles_at(later(100)), []);
        heart.beat();
        assert_eq!(health.troubles_at(later(MISSED - 1)), []);
        let troubles = health.troubles_at(later(MISSED + 1));
        assert_eq!(troubles.len(), 1);
        let said = troubles[0].to_string();
        assert!(said.starts_with("自动匹配的后台任务已有 3") && said.ends_with("秒没有进展"), "{said}");
        heart.beat();
        assert_eq!(health.troubles_at(later(MISSED - 1)), []);
    }

    #[tokio::test]
    async fn a_task_that_panics_or_ends_by_itself_shows_in_health() {
        assert!(!after(false, async { panic!("a mistake") }).await);
        assert!(!after(true, async { panic!("a mistake") }).await);
        assert!(!after(false, async {}).await);
        assert!(after(true, async {}).await);
    }
}
