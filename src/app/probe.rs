//! Asks what calls need, by the ways that calls go: a read of the engine, work in the lanes, a thread that may block. What
//! does not answer in time shows in health until it answers.
//!
//! Each of them is asked again only after it has answered: questions that hang must not take the places of calls. The
//! lane `Long` is left out, since its work takes minutes.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Parts,
    health::{Component, Trouble},
};
use crate::error::{Error, Result};
use duijie_core::domain::{Kind, RecordName, name::LOCAL_SOURCE};
use duijie_cpu::{Call, Lane};
use duijie_store::{FieldSelection, Index, Key, deadline};

/// Time from an answer to the next question.
const EVERY: Duration = Duration::from_secs(1);
/// Time for an answer.
const WITHIN: Duration = Duration::from_secs(1);
/// Where nothing is stored.
const NOWHERE: &str = "probe";
/// The caller in whose name is asked: none of the others, so that it waits for one turn of each of them at most.
const PROBE: u128 = u128::MAX;

/// What has not answered; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Probes(Arc<Mutex<BTreeSet<Component>>>);

/// How often is asked, and how long is waited. One late answer is a busy moment of the machine, and clients that follow
/// health would leave for it: a trouble is a second late one in a row, or one that is later still.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every: Duration,
    within: Duration,
    was_late: bool,
}

// === impl Probes ===

impl Probes {
    /// What does not answer now.
    pub fn troubles(&self) -> Vec<Trouble> {
        let say = |component: &Component| {
            Trouble::new(*component, format!("没有及时应答（{} 秒内，连续两次）", WITHIN.as_secs()))
        };
        self.0.lock().iter().map(say).collect()
    }

    /// Asks until dropped.
    pub(super) async fn run(self, parts: &Parts) {
        let pace = Pace::new(EVERY, WITHIN);
        tokio::join!(
            self.watch(Component::Engine, pace, || engine(&*parts.index)),
            self.watch(Component::Processors, pace, lanes),
            self.watch(Component::Threads, pace, threads),
        );
    }

    /// Asks one component again and again.
    async fn watch<F: Future<Output = Result<()>>>(&self, component: Component, mut pace: Pace, ask: impl Fn() -> F) {
        loop {
            let asked = Instant::now();
            let answer = deadline::within(Some(pace.patience()), Call::of(PROBE).run(ask()));
            tokio::pin!(answer);
            let answered = match timeout(pace.patience(), &mut answer).await {
                Ok(answered) => answered,
                Err(_) => {
                    self.note(component, false);
                    answer.await
                }
            };
            let is_well = pace.is_well_after(asked.elapsed());
            self.note(component, answered.is_ok() && is_well);
            sleep(pace.every).await;
        }
    }

    fn note(&self, component: Component, has_answered: bool) {
        let mut silent = self.0.lock();
        match has_answered {
            true => silent.remove(&component),
            false => silent.insert(component),
        };
    }
}

// === impl Pace ===

impl Pace {
    const fn new(every: Duration, within: Duration) -> Self {
        Self { every, within, was_late: false }
    }

    /// How long to wait for the next answer before it counts as a trouble.
    fn patience(&self) -> Duration {
        if self.was_late { self.within } else { 2 * self.within }
    }

    /// Whether all is well after an answer that took so long.
    fn is_well_after(&mut self, took: Duration) -> bool {
        let is_late = self.within < took;
        !(std::mem::replace(&mut self.was_late, is_late) && is_late)
    }
}

/// Reads one record of each kind, and a document, that are not there.
async fn engine(index: &dyn Index) -> Result<()> {
    let name = |kind| RecordName { kind, source: LOCAL_SOURCE.to_string(), id: NOWHERE.to_string() };
    index.get(&Kind::ALL.map(name), FieldSelection::Payload).await?;
    index.read_documents(NOWHERE, &[Key::from(NOWHERE)]).await?;
    Ok(())
}

async fn lanes() -> Result<()> {
    for lane in [Lane::Interactive, Lane::Bulk] {
        duijie_cpu::run(lane, || ()).await?;
    }
    Ok(())
}

async fn threads() -> Result<()> {
    tokio::task::spawn_blocking(|| ()).await.map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinHandle;

    use super::*;
    use crate::tests::Counting;
    use duijie_store::MemoryIndex;

    const PACE: Pace = Pace::new(Duration::from_millis(1), Duration::from_millis(20));

    async fn until(what: impl Fn() -> bool) {
        let started = Instant::now();
        while !what() {
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn watching<F: Future<Output = Result<()>> + Send>(
        probes: &Probes,
        component: Component,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> JoinHandle<()> {
        let probes = probes.clone();
        tokio::spawn(async move { probes.watch(component, PACE, ask).await })
    }

    #[tokio::test]
    async fn an_engine_that_stalls_shows_until_it_answers() {
        let (probes, index) = (Probes::default(), Counting::new(MemoryIndex::new(4)));
        let asked = index.clone();
        let watching = watching(&probes, Component::Engine, move || {
            let index = asked.clone();
            async move { engine(&index).await }
        });
        index.stall(true);
        until(|| !probes.troubles().is_empty()).await;
        let said = probes.troubles().iter().map(Trouble::to_string).collect::<String>();
        assert_eq!(said, "存储引擎没有及时应答（1 秒内，连续两次）");
        // however long it stalls, one question waits
        index.take();
        sleep(10 * PACE.within).await;
        assert_eq!(index.take().records, 0);
        index.stall(false);
        until(|| probes.troubles().is_empty()).await;
        watching.abort();
    }

    #[tokio::test]
    async fn a_pool_without_a_free_thread_shows_until_it_has_one() {
        let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(1).enable_all().build().unwrap();
        let probes = Probes::default();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let _held = runtime.spawn_blocking(move || ended.recv());
        let asking = probes.clone();
        runtime.spawn(async move { asking.watch(Component::Threads, PACE, threads).await });
        until(|| probes.troubles().iter().any(|trouble| trouble.component == Component::Threads)).await;
        drop(end);
        until(|| probes.troubles().is_empty()).await;
        runtime.shutdown_background();
    }

    #[test]
    fn a_single_late_answer_is_no_trouble_and_two_in_a_row_are() {
        let (mut pace, late, quick) = (Pace::new(EVERY, WITHIN), WITHIN * 3 / 2, WITHIN / 10);
        assert_eq!(pace.patience(), 2 * WITHIN);
        let mut check = |took: Duration, want: bool, patience: Duration| {
            assert_eq!(pace.is_well_after(took), want);
            assert_eq!(pace.patience(), patience);
        };
        check(late, true, WITHIN);
        check(quick, true, 2 * WITHIN);
        check(late, true, WITHIN);
        check(late, false, WITHIN);
        check(late, false, WITHIN);
        check(quick, true, 2 * WITHIN);
    }

    #[tokio::test]
    async fn an_answer_that_is_an_error_shows() {
        let probes = Probes::default();
        let watching = watching(&probes, Component::Engine, || async { Err(Error::DeadlineExceeded) });
        until(|| !probes.troubles().is_empty()).await;
        watching.abort();
        assert!(lanes().await.is_ok());
    }
}
