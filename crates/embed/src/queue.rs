//! What callers and workers share: the texts that wait, how far each has come, and the counters.

use super::{
    EmbedError, Priority,
    batch::{BatchLimits, Batcher, Ticket},
    vector::weighted_unit,
    window::Window,
};
use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

/// What becomes of a text.
pub type Outcome = Result<Vec<f32>, EmbedError>;

/// Counters since the start, and what waits now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Texts that got their vector.
    pub texts_embedded: u64,
    /// Texts that were accepted and got none: the caller had gone, the model failed, the service stopped.
    pub texts_dropped: u64,
    /// Windows that went through the model.
    pub windows_embedded: u64,
    /// Tokens that went through the model, prefixes and special tokens with them, padding not.
    pub tokens_embedded: u64,
    /// Calls of the model.
    pub batches: u64,
    /// Texts that wait or are being worked on, now.
    pub texts_queued: usize,
    /// Windows that wait, now.
    pub windows_queued: usize,
}

/// The counters of [`Stats`].
#[derive(Debug, Default)]
pub struct Counters {
    texts_embedded: AtomicU64,
    texts_dropped: AtomicU64,
    windows_embedded: AtomicU64,
    tokens_embedded: AtomicU64,
    batches: AtomicU64,
}

/// A text on its way to its vector.
pub struct Job {
    /// What is asked for.
    pub text: TextToEmbed,
    progress: Mutex<Progress>,
    counters: Arc<Counters>,
}

/// A text, cut and ready.
pub struct TextToEmbed {
    /// Call it belongs to.
    pub call: u64,
    /// The text.
    pub text: String,
    /// Goes before each window.
    pub prefix: Arc<str>,
    /// Tokens that prefix and special tokens add to each window.
    pub added_tokens: usize,
    /// The windows; at least one.
    pub windows: Vec<Window>,
    /// Lane.
    pub priority: Priority,
}

/// Vectors of the windows so far.
struct Progress {
    vectors: Vec<Option<Vec<f32>>>,
    /// The caller, and the text's room in its lane; `None` when it is answered.
    caller: Option<(oneshot::Sender<Outcome>, OwnedSemaphorePermit)>,
}

/// One window of a job.
pub struct Part {
    job: Arc<Job>,
    index: usize,
}

/// The one thing that callers and workers share.
pub struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    counters: Arc<Counters>,
    health: watch::Sender<bool>,
    workers: AtomicUsize,
    next_call: AtomicU64,
    interactive: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
    queue_texts: usize,
}

struct State {
    batcher: Batcher,
    parts: HashMap<u64, Part>,
    next_part: u64,
    closed: bool,
}

// === impl Part ===

impl Part {
    /// What the model gets: prefix and window.
    pub fn input(&self) -> String {
        let text = &self.job.text;
        let window = text.windows.get(self.index).and_then(|window| text.text.get(window.range.clone()));
        format!("{}{}", text.prefix, window.unwrap_or_default())
    }

    /// Tokens that the model sees.
    pub fn tokens(&self) -> usize {
        let window = self.job.text.windows.get(self.index);
        self.job.text.added_tokens + window.map_or(0, |window| window.tokens)
    }

    /// Whether somebody still waits for this text.
    pub fn is_wanted(&self) -> bool {
        self.job.progress().caller.as_ref().is_some_and(|(reply, _)| !reply.is_closed())
    }

    /// Hands in the vector of this window, or what went wrong. The last window, or the first error, answers the caller.
    pub fn finish(self, outcome: Outcome) {
        let mut progress = self.job.progress();
        let vector = match outcome {
            Ok(vector) => vector,
            Err(error) => return progress.answer(Err(error), &self.job.counters),
        };
        if let Some(place) = progress.vectors.get_mut(self.index) {
            *place = Some(vector);
        }
        if progress.vectors.iter().any(Option::is_none) {
            return;
        }
        let vectors = mem::take(&mut progress.vectors);
        // a window is at most some thousand tokens: exact in f32
        let weights = self.job.text.windows.iter().map(|window| window.tokens as f32);
        let vectors: Vec<_> = vectors.into_iter().flatten().zip(weights).collect();
        progress.answer(weighted_unit(&vectors), &self.job.counters);
    }
}

// === impl Job ===

impl Job {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.progress().caller.is_some() {
            self.counters.texts_dropped.fetch_add(1, Relaxed);
        }
    }
}

// === impl Progress ===

impl Progress {
    /// Answers the caller, once. Room and counters come first: who has its answer sees them as they are after it.
    fn answer(&mut self, outcome: Outcome, counters: &Counters) {
        let Some((reply, permit)) = self.caller.take() else { return };
        drop(permit);
        let counter = if outcome.is_ok() { &counters.texts_embedded } else { &counters.texts_dropped };
        counter.fetch_add(1, Relaxed);
        // a caller that has gone wants no answer
        reply.send(outcome).ok();
    }
}

// === impl Queue ===

impl Queue {
    /// Empty queue for this many workers, each of which must call [`Queue::worker_gone`] at its end.
    pub fn new(queue_texts: usize, limits: BatchLimits, workers: usize) -> Self {
        let state = State { batcher: Batcher::new(limits), parts: HashMap::new(), next_part: 0, closed: false };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
            counters: Arc::default(),
            health: watch::Sender::new(true),
            workers: AtomicUsize::new(workers),
            next_call: AtomicU64::new(0),
            interactive: Arc::new(Semaphore::new(queue_texts)),
            bulk: Arc::new(Semaphore::new(queue_texts)),
            queue_texts,
        }
    }

    /// Number for a call.
    pub fn new_call(&self) -> u64 {
        self.next_call.fetch_add(1, Relaxed)
    }

    /// Room of a lane. The lanes have room of their own, so that an import cannot lock out people who search.
    pub fn lane(&self, priority: Priority) -> Arc<Semaphore> {
        Arc::clone(match priority {
            Priority::Interactive => &self.interactive,
            Priority::Bulk => &self.bulk,
        })
    }

    /// Lets a text wait for a worker.
    ///
    /// # Errors
    /// [`EmbedError::Stopped`].
    pub fn push(
        &self,
        text: TextToEmbed,
        permit: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<Outcome>, EmbedError> {
        let (reply, receiver) = oneshot::channel();
        let progress = Mutex::new(Progress { vectors: vec![None; text.windows.len()], caller: Some((reply, permit)) });
        let job = Arc::new(Job { text, progress, counters: Arc::clone(&self.counters) });
        let mut state = self.lock();
        if state.closed {
            return Err(EmbedError::Stopped);
        }
        for index in 0..job.text.windows.len() {
            state.push(Part { job: Arc::clone(&job), index });
        }
        drop(state);
        self.ready.notify_all();
        Ok(receiver)
    }

    /// Waits for windows and takes a batch of them; `None` when the queue is closed.
    pub fn take(&self) -> Option<Vec<Part>> {
        let mut state = self.lock();
        while !state.closed {
            let batch = state.batcher.take_batch();
            if !batch.is_empty() {
                return Some(batch.iter().filter_map(|ticket| state.parts.remove(&ticket.id)).collect());
            }
            self.ready.wait(&mut state);
        }
        None
    }

    /// Drops what waits for a call.
    pub fn forget(&self, call: u64) {
        let mut state = self.lock();
        let State { batcher, parts, .. } = &mut *state;
        let ids = batcher.drop_cancelled(|id| parts.get(&id).is_none_or(|part| part.job.text.call == call));
        let dropped: Vec<_> = ids.iter().filter_map(|id| parts.remove(id)).collect();
        drop(state);
        // here, outside the lock: frees room and so wakes callers
        drop(dropped);
    }

    /// Ends the queue: callers get [`EmbedError::Stopped`], workers `None`.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.batcher.drop_cancelled(|_| true);
        let dropped = mem::take(&mut state.parts);
        drop(state);
        drop(dropped);
        self.interactive.close();
        self.bulk.close();
        self.set_health(false);
        self.ready.notify_all();
    }

    /// Notes a call of the model.
    pub fn count_batch(&self, parts: &[Part]) {
        let tokens: usize = parts.iter().map(Part::tokens).sum();
        self.counters.batches.fetch_add(1, Relaxed);
        self.counters.windows_embedded.fetch_add(parts.len() as u64, Relaxed);
        self.counters.tokens_embedded.fetch_add(tokens as u64, Relaxed);
    }

    /// Counters and what waits.
    pub fn stats(&self) -> Stats {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let used = |lane: &Semaphore| self.queue_texts.saturating_sub(lane.available_permits());
        Stats {
            texts_embedded: of(&self.counters.texts_embedded),
            texts_dropped: of(&self.counters.texts_dropped),
            windows_embedded: of(&self.counters.windows_embedded),
            tokens_embedded: of(&self.counters.tokens_embedded),
            batches: of(&self.counters.batches),
            texts_queued: used(&self.interactive) + used(&self.bulk),
            windows_queued: self.lock().batcher.len(),
        }
    }

    /// Says whether the model works; a closed queue stays unhealthy.
    pub fn set_health(&self, healthy: bool) {
        let healthy = healthy && !self.lock().closed;
        self.health.send_if_modified(|now| mem::replace(now, healthy) != healthy);
    }

    /// Health as it changes.
    pub fn health(&self) -> watch::Receiver<bool> {
        self.health.subscribe()
    }

    /// A worker has ended. After the last one nobody would answer, so the queue is closed.
    pub fn worker_gone(&self) {
        self.set_health(false);
        if self.workers.fetch_sub(1, Relaxed) <= 1 {
            self.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

// === impl State ===

impl State {
    fn push(&mut self, part: Part) {
        let (id, tokens, priority) = (self.next_part, part.tokens(), part.job.text.priority);
        self.next_part += 1;
        self.parts.insert(id, part);
        self.batcher.push(Ticket { id, tokens, priority });
    }
}
