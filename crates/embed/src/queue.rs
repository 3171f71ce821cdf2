//! State shared by callers and workers: waiting texts, their progress, and counters.

use super::{
    EmbedError, Priority,
    batch::{BatchLimits, Batcher, Ticket},
    vector::{WeightedVector, weighted_unit},
    window::Window,
};
use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use duijie_cpu::Call;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

/// Result for one text.
pub type VectorResult = Result<Vec<f32>, EmbedError>;

/// Counters since the start, and current queue lengths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Texts embedded.
    pub texts_embedded: u64,
    /// Accepted texts without a vector: the caller was gone, the model failed, or the service stopped.
    pub texts_dropped: u64,
    /// Windows embedded.
    pub windows_embedded: u64,
    /// Tokens embedded, including prefixes and special tokens, without padding.
    pub tokens_embedded: u64,
    /// Calls of the model.
    pub batches: u64,
    /// Texts waiting or in work now.
    pub texts_queued: usize,
    /// Windows waiting now.
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

/// A text with the progress of its windows.
pub struct EmbedJob {
    /// The text to embed.
    pub text: TextToEmbed,
    progress: Mutex<Progress>,
    counters: Arc<Counters>,
}

/// A text, cut into windows.
pub struct TextToEmbed {
    /// Call it belongs to.
    pub call: u64,
    /// The text.
    pub text: String,
    /// Prefix of each window.
    pub prefix: Arc<str>,
    /// Tokens that prefix and special tokens add to each window.
    pub added_tokens: usize,
    /// The windows; at least one.
    pub windows: Vec<Window>,
    /// Lane.
    pub priority: Priority,
}

/// Vectors of the windows finished so far.
struct Progress {
    /// The call that waits for the model, and since when; `None` once its first window is taken.
    waits: Option<(Call, Instant)>,
    vectors: Vec<Option<Vec<f32>>>,
    /// Reply channel, and the text's permit in its lane; `None` once answered.
    caller: Option<(oneshot::Sender<VectorResult>, OwnedSemaphorePermit)>,
}

/// One window of a job.
pub struct WindowPart {
    job: Arc<EmbedJob>,
    index: usize,
}

/// State shared by callers and workers.
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
    parts: HashMap<u64, WindowPart>,
    next_part: u64,
    closed: bool,
}

// === impl WindowPart ===

impl WindowPart {
    /// Input of the model: prefix and window.
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

    /// The text's call has waited until now.
    fn taken(&self) {
        if let Some((call, since)) = self.job.progress().waits.take() {
            call.add_wait(since.elapsed());
        }
    }

    /// Returns whether the caller still waits for this text.
    pub fn is_wanted(&self) -> bool {
        self.job.progress().caller.as_ref().is_some_and(|(reply, _)| !reply.is_closed())
    }

    /// Delivers the vector or error of this window. The last window, or the first error, answers the caller.
    pub fn finish(self, outcome: VectorResult) {
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
        // a window has at most some thousand tokens: exact in f32
        let weights = self.job.text.windows.iter().map(|window| window.tokens as f32);
        let vectors = vectors.into_iter().flatten().zip(weights);
        let vectors: Vec<_> = vectors.map(|(vector, weight)| WeightedVector { vector, weight }).collect();
        progress.answer(weighted_unit(&vectors), &self.job.counters);
    }
}

// === impl EmbedJob ===

impl EmbedJob {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock()
    }
}

impl Drop for EmbedJob {
    fn drop(&mut self) {
        if self.progress().caller.is_some() {
            self.counters.texts_dropped.fetch_add(1, Relaxed);
        }
    }
}

// === impl Progress ===

impl Progress {
    /// Answers the caller once. Releases the permit and counts first, so a caller with an answer sees both updated.
    fn answer(&mut self, outcome: VectorResult, counters: &Counters) {
        let Some((reply, permit)) = self.caller.take() else { return };
        drop(permit);
        let counter = if outcome.is_ok() { &counters.texts_embedded } else { &counters.texts_dropped };
        counter.fetch_add(1, Relaxed);
        // the caller may be gone
        reply.send(outcome).ok();
    }
}

// === impl Queue ===

impl Queue {
    /// Empty queue for this many workers; each worker must call [`Queue::worker_gone`] at its end.
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

    /// A new call number.
    pub fn new_call(&self) -> u64 {
        self.next_call.fetch_add(1, Relaxed)
    }

    /// Permits of a lane. Each lane has its own, so an import cannot block searches.
    pub fn lane(&self, priority: Priority) -> Arc<Semaphore> {
        Arc::clone(match priority {
            Priority::Interactive => &self.interactive,
            Priority::Bulk => &self.bulk,
        })
    }

    /// Queues a text.
    ///
    /// # Errors
    /// [`EmbedError::Stopped`].
    pub fn push(
        &self,
        text: TextToEmbed,
        permit: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<VectorResult>, EmbedError> {
        let (reply, receiver) = oneshot::channel();
        // an import waits for its own texts, too: its waiting says nothing of the load
        let call = Call::current().filter(|_| text.priority == Priority::Interactive);
        let progress = Progress {
            waits: call.map(|call| (call, Instant::now())),
            vectors: vec![None; text.windows.len()],
            caller: Some((reply, permit)),
        };
        let progress = Mutex::new(progress);
        let job = Arc::new(EmbedJob { text, progress, counters: Arc::clone(&self.counters) });
        let mut state = self.lock();
        if state.closed {
            return Err(EmbedError::Stopped);
        }
        for index in 0..job.text.windows.len() {
            state.push(WindowPart { job: Arc::clone(&job), index });
        }
        drop(state);
        self.ready.notify_all();
        Ok(receiver)
    }

    /// Waits for windows and takes a batch; `None` when the queue is closed.
    pub fn take(&self) -> Option<Vec<WindowPart>> {
        let mut state = self.lock();
        while !state.closed {
            let batch = state.batcher.take_batch();
            if !batch.is_empty() {
                let parts: Vec<_> = batch.iter().filter_map(|ticket| state.parts.remove(&ticket.id)).collect();
                drop(state);
                parts.iter().for_each(WindowPart::taken);
                return Some(parts);
            }
            self.ready.wait(&mut state);
        }
        None
    }

    /// Drops all waiting windows of a call.
    pub fn forget(&self, call: u64) {
        let mut state = self.lock();
        let State { batcher, parts, .. } = &mut *state;
        let ids = batcher.drop_cancelled(|id| parts.get(&id).is_none_or(|part| part.job.text.call == call));
        let dropped: Vec<_> = ids.iter().filter_map(|id| parts.remove(id)).collect();
        drop(state);
        // outside the lock, because freeing permits wakes callers
        drop(dropped);
    }

    /// Closes the queue: callers get [`EmbedError::Stopped`], workers `None`.
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

    /// Counts a call of the model.
    pub fn count_batch(&self, parts: &[WindowPart]) {
        let tokens: usize = parts.iter().map(WindowPart::tokens).sum();
        self.counters.batches.fetch_add(1, Relaxed);
        self.counters.windows_embedded.fetch_add(parts.len() as u64, Relaxed);
        self.counters.tokens_embedded.fetch_add(tokens as u64, Relaxed);
    }

    /// Counters and queue lengths.
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

    /// Sets whether the model works; a closed queue stays unhealthy.
    pub fn set_health(&self, healthy: bool) {
        let healthy = healthy && !self.lock().closed;
        self.health.send_if_modified(|now| mem::replace(now, healthy) != healthy);
    }

    /// Health, as a watched value.
    pub fn health(&self) -> watch::Receiver<bool> {
        self.health.subscribe()
    }

    /// Called when a worker has ended. After the last one nobody could answer, so the queue closes.
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
    fn push(&mut self, part: WindowPart) {
        let (id, tokens) = (self.next_part, part.tokens());
        let (call, priority) = (part.job.text.call, part.job.text.priority);
        self.next_part += 1;
        self.parts.insert(id, part);
        self.batcher.push(Ticket { id, call, tokens, priority });
    }
}
