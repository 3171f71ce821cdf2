//! Asks what calls need, by the ways that calls go: a read of the engine, work in the lanes, a thread that may block. What
//! does not answer in time shows in health until it answers.
//!
//! Each of them is asked again only after it has answered: questions that hang must not take the places of calls. The
//! lane `Long` is left out, since its work takes minutes.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;

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

/// How often is asked, and how long is waited.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every: Duration,
    within: Duration,
}

// === impl Probes ===

impl Probes {
    /// What does not answer now.
    pub fn troubles(&self) -> Vec<Trouble> {
        let say = |component: &Component| Trouble::new(*component, format!("在 {} 秒内没有应答", WITHIN.as_secs()));
        self.0.lock().iter().map(say).collect()
    }

    /// Asks until dropped.
    pub(super) async fn run(self, parts: &Parts) {
        let pace = Pace { every: EVERY, within: WITHIN };
        tokio::join!(
            self.watch(Component::Engine, pace, || engine(&*parts.index)),
            self.watch(Component::Processors, pace, lanes),
            self.watch(Component::Threads, pace, threads),
        );
    }

    /// Asks one component again and again.
    async fn watch<F: Future<Output = Result<()>>>(&self, component: Component, pace: Pace, ask: impl Fn() -> F) {
        loop {
            let answer = deadline::within(Some(pace.within), Call::of(PROBE).run(ask()));
            tokio::pin!(answer);
            let answered = match tokio::time::timeout(pace.within, &mut answer).await {
                Ok(answered) => answered,
                Err(_) => {
                    self.note(component, false);
                    answer.await
                }
            };
            self.note(component, answered.is_ok());
            tokio::time::sleep(pace.every).await;
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
    use std::time::Instant;

    use tokio::task::JoinHandle;

    use super::*;
    use crate::tests::Counting;
    use duijie_store::MemoryIndex;

    const PACE: Pace = Pace { every: Duration::from_millis(1), within: Duration::from_millis(20) };

    async fn until(what: impl Fn() -> bool) {
        let started = Instant::now();
        while !what() {
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            tokio::time::sleep(Duration::from_millis(1)).await;
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
        assert_eq!(said, "存储引擎在 1 秒内没有应答");
        // however long it stalls, one question waits
        index.take();
        tokio::time::sleep(10 * PACE.within).await;
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

    #[tokio::test]
    async fn an_answer_that_is_an_error_shows() {
        let probes = Probes::default();
        let watching = watching(&probes, Component::Engine, || async { Err(Error::DeadlineExceeded) });
        until(|| !probes.troubles().is_empty()).await;
        watching.abort();
        assert!(lanes().await.is_ok());
    }
}
