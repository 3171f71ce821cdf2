//! Queue, threads and callers, with scripted encoders. The tokeniser is the real one.

use super::{
    super::{
        pool::Limits,
        splitter::{MAX_TEXT_CHARS, Splitter},
        worker::Encode,
        *,
    },
    tokenizer,
};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// Encoder that records its texts, waits at its gate if it has one, and fails at certain words.
struct Scripted {
    seen: Arc<Mutex<Vec<String>>>,
    started: mpsc::Sender<()>,
    gate: Option<mpsc::Receiver<()>>,
    broken: Arc<Mutex<bool>>,
}

/// The test's side of [`Scripted`].
struct Script {
    embedder: Embedder,
    seen: Arc<Mutex<Vec<String>>>,
    started: mpsc::Receiver<()>,
    open_gate: mpsc::Sender<()>,
    broken: Arc<Mutex<bool>>,
}

impl Encode for Scripted {
    fn encode(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.started.send(()).ok();
        if let Some(gate) = &self.gate {
            gate.recv().ok();
        }
        let broken = *self.broken.lock();
        assert!(!texts.iter().any(|text| text.contains("崩溃")), "as the test wants");
        if broken || texts.iter().any(|text| text.contains("错误")) {
            return Err(EmbedError::Failed { detail: "as the test wants".to_string() });
        }
        self.seen.lock().extend(texts.iter().map(ToString::to_string));
        Ok(texts.iter().map(|text| if text.contains('甲') { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect())
    }

    fn probe(&mut self) -> bool {
        !*self.broken.lock()
    }
}

impl Script {
    /// Starts one worker; with a gate it waits in each batch until the test opens the gate.
    fn new(gated: bool, queue_texts: usize) -> Self {
        let (started_sender, started) = mpsc::channel();
        let (open_gate, gate) = mpsc::channel();
        let (seen, broken) = (Arc::default(), Arc::default());
        let encoder = Scripted {
            seen: Arc::clone(&seen),
            started: started_sender,
            gate: gated.then_some(gate),
            broken: Arc::clone(&broken),
        };
        let recipe = Recipe { max_tokens: 64, ..Recipe::e5() };
        let splitter = Splitter::new(tokenizer(), &recipe, 64).unwrap();
        let identity = ModelIdentity {
            name: "scripted".to_string(),
            version: "scripted-0".to_string(),
            dimensions: 2,
            cosine_floor: 0.0,
            max_tokens: 64,
        };
        let limits = Limits { queue_texts, batch: BatchLimits { budget_tokens: 64, max_windows: 2 } };
        let embedder = Embedder::start(vec![encoder], splitter, identity, &limits).unwrap();
        Self { embedder, seen, started, open_gate, broken }
    }

    fn embed(&self, texts: &[&str], priority: Priority) -> Pin<Box<impl Future<Output = Embedded> + use<>>> {
        let (embedder, texts) = (self.embedder.clone(), texts.iter().map(ToString::to_string).collect());
        Box::pin(async move { embedder.embed(texts, Role::Query, priority).await })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }
}

type Embedded = Result<Vec<Vec<f32>>, EmbedError>;

/// Polls a call once: its texts are queued, and it waits for its vectors.
fn start(future: Pin<&mut impl Future<Output = Embedded>>) {
    let poll = future.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending));
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts() {
    let script = Script::new(false, 100);
    let texts: Vec<String> = (0..40).map(|n| if n % 3 == 0 { format!("甲{n}") } else { format!("乙{n}") }).collect();
    let vectors = script.embedder.embed(texts, Role::Query, Priority::Interactive).await.unwrap();
    let first: Vec<f32> = vectors.iter().map(|vector| vector[0]).collect();
    let want: Vec<f32> = (0..40).map(|n| if n % 3 == 0 { 1.0 } else { 0.0 }).collect();
    assert_eq!(first, want);
    assert!(script.seen().iter().all(|text| text.starts_with("query: ")));
    let stats = script.embedder.stats();
    assert_eq!((stats.texts_embedded, stats.windows_embedded, stats.texts_dropped), (40, 40, 0));
    assert_eq!(script.embedder.embed(vec![], Role::Query, Priority::Interactive).await, Ok(vec![]));
}

#[tokio::test]
async fn a_long_text_is_the_weighted_mean_of_its_windows() {
    let script = Script::new(false, 100);
    let text = format!("{}。{}。", "甲".repeat(50), "乙".repeat(50));
    let vectors = script.embedder.embed(vec![text], Role::Query, Priority::Bulk).await.unwrap();
    assert!(2 <= script.seen().len(), "{:?}", script.seen());
    assert!(vectors[0].iter().all(|value| 0.1 < *value && *value < 0.99), "{vectors:?}");
    assert_eq!(script.embedder.stats().texts_embedded, 1);
}

#[tokio::test]
async fn texts_that_cannot_be_embedded_are_refused_before_any_work() {
    let script = Script::new(false, 100);
    let blank = script.embed(&["甲", " \u{3000}\n"], Priority::Bulk).await;
    assert_eq!(blank, Err(EmbedError::Blank { index: 1 }));
    let max_chars = MAX_TEXT_CHARS;
    let long = script.embed(&[&"长".repeat(max_chars + 1)], Priority::Bulk).await;
    assert_eq!(long, Err(EmbedError::TooLong { index: 0, max_chars }));
    assert_eq!(script.seen(), [""; 0]);
}

#[tokio::test]
async fn a_caller_that_has_gone_costs_nothing() {
    let script = Script::new(true, 100);
    let mut first = script.embed(&["甲一"], Priority::Bulk);
    start(first.as_mut());
    script.started.recv().unwrap();
    let mut gone = script.embed(&["甲二", "甲三", "甲四"], Priority::Bulk);
    start(gone.as_mut());
    let mut last = script.embed(&["甲五"], Priority::Bulk);
    start(last.as_mut());
    assert_eq!(script.embedder.stats().texts_queued, 5);
    drop(gone);
    let stats = script.embedder.stats();
    assert_eq!((stats.texts_queued, stats.windows_queued, stats.texts_dropped), (2, 1, 3));
    script.open_gate.send(()).unwrap();
    script.open_gate.send(()).unwrap();
    first.await.unwrap();
    last.await.unwrap();
    assert_eq!(script.seen(), ["query: 甲一", "query: 甲五"]);
    assert_eq!(script.embedder.stats().texts_embedded, 2);
}

#[tokio::test]
async fn a_full_queue_refuses_people_and_lets_imports_wait() {
    let script = Script::new(true, 2);
    let mut first = script.embed(&["甲一", "甲二"], Priority::Interactive);
    start(first.as_mut());
    assert_eq!(script.embed(&["甲三"], Priority::Interactive).await, Err(EmbedError::Busy));
    // an import has its own lane, and more texts than fit
    let mut import = script.embed(&["乙一", "乙二", "乙三"], Priority::Bulk);
    start(import.as_mut());
    assert_eq!(script.embedder.stats().texts_queued, 4);
    for _ in 0..8 {
        script.open_gate.send(()).unwrap();
    }
    assert_eq!(first.await.map(|vectors| vectors.len()), Ok(2));
    assert_eq!(import.await.map(|vectors| vectors.len()), Ok(3));
    let too_many = script.embed(&["甲", "甲", "甲"], Priority::Interactive).await;
    assert_eq!(too_many, Err(EmbedError::Busy));
    assert_eq!(script.embedder.stats().texts_queued, 0);
}

#[tokio::test]
async fn one_bad_text_does_not_spoil_the_others() {
    for word in ["错误", "崩溃"] {
        let script = Script::new(false, 100);
        let health = script.embedder.healthy();
        let mut good = script.embed(&["甲一", "甲二"], Priority::Bulk);
        let mut bad = script.embed(&[word], Priority::Bulk);
        let (good, bad) = tokio::join!(&mut good, &mut bad);
        assert_eq!(good.map(|vectors| vectors.len()), Ok(2), "{word}");
        assert!(matches!(bad, Err(EmbedError::Failed { .. })), "{word}: {bad:?}");
        assert!(*health.borrow(), "{word}");
        assert_eq!(script.embedder.stats().texts_dropped, 1, "{word}");
    }
}

#[tokio::test]
async fn a_broken_session_is_unhealthy_until_it_works_again() {
    let script = Script::new(false, 100);
    let health = script.embedder.healthy();
    *script.broken.lock() = true;
    assert!(script.embed(&["甲"], Priority::Interactive).await.is_err());
    assert!(!*health.borrow());
    *script.broken.lock() = false;
    assert!(script.embed(&["甲"], Priority::Interactive).await.is_ok());
    assert!(*health.borrow());
}

#[tokio::test]
async fn shutdown_answers_everybody_and_ends_the_threads() {
    let script = Script::new(true, 1);
    let mut working = script.embed(&["甲一"], Priority::Bulk);
    start(working.as_mut());
    script.started.recv().unwrap();
    let mut waiting = script.embed(&["甲二"], Priority::Bulk);
    start(waiting.as_mut());
    let mut queued = script.embed(&["甲三"], Priority::Interactive);
    start(queued.as_mut());
    let Script { embedder, open_gate, .. } = script;
    let (waiting, queued, ()) = tokio::join!(waiting, queued, async {
        open_gate.send(()).unwrap();
        drop(open_gate);
        embedder.shutdown().await;
    });
    assert_eq!(waiting, Err(EmbedError::Stopped));
    // the worker may have taken it just before the shutdown, and then finds the gate gone
    assert!(matches!(queued, Err(EmbedError::Stopped) | Ok(_)), "{queued:?}");
    assert!(working.await.is_ok());
    let late = embedder.embed(vec!["甲".to_string()], Role::Query, Priority::Interactive).await;
    assert_eq!(late, Err(EmbedError::Stopped));
    assert!(!*embedder.healthy().borrow());
    embedder.shutdown().await;
}

#[tokio::test]
async fn the_last_embedder_takes_the_threads_with_it() {
    let script = Script::new(false, 10);
    script.embed(&["甲"], Priority::Bulk).await.unwrap();
    let (threads, queue) = script.embedder.parts_for_tests();
    let other = script.embedder.clone();
    drop(script);
    assert!(other.embed(vec!["甲".to_string()], Role::Query, Priority::Bulk).await.is_ok());
    drop(other);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(queue.strong_count(), 0);
    mem::drop(queue);
}
