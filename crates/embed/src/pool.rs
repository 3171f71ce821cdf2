//! [`Embedder`]: the interface of this module to the rest of the service.

use super::{
    BatchLimits, Embed, EmbedError, EmbeddingTexts, MeanVector, MeanVectorSource, Model, ModelIdentity, ModelOptions,
    Priority, Role, Runtime, Session, Stats,
    queue::{Queue, TextToEmbed},
    splitter::{MAX_TEXT_CHARS, Splitter},
    vector::{WeightedVector, checked_unit, weighted_unit},
    worker::{self, Encode},
};
use std::{
    mem,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use duijie_cpu::Lane;
use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError, watch};

/// Weight of the head in a record's vector; the whole text has the rest. nDCG@10 and recall@20 with BM25, on the judged
/// set, then on the samples (whose achievements have bodies): 0.3 gives .756 .537, .923 1.0; 0.4 gives .759 .539, .911
/// 1.0; 0.5 gives .756 .527, .891 .992; 0.7 gives .759 .530, .838 .969.
pub const HEAD_SHARE: f32 = 0.4;
/// Texts up to this many bytes are cut on the caller's thread, in about 1 ms. Longer ones take up to 50 ms and go to a
/// blocking thread.
const INLINE_BYTES: usize = 2048;
/// Most sessions; each takes 75 to 90 MB with e5-small-zh.
const MAX_SESSIONS: usize = 256;
/// Most texts per lane.
const MAX_QUEUE_TEXTS: usize = 100_000;

/// Texts → unit vectors. Clones share one embedder; dropping the last clone ends the threads.
#[derive(Clone)]
pub struct Embedder {
    inner: Arc<Inner>,
    identity: Arc<ModelIdentity>,
    mean_vectors: MeanVectors,
}

/// Mean vectors: in use, and shipped with the model.
#[derive(Clone, Default)]
struct MeanVectors {
    used: Option<Arc<MeanVector>>,
    /// Shipped with the model.
    of_model: Option<Arc<MeanVector>>,
}

struct Inner {
    queue: Arc<Queue>,
    splitter: Arc<Splitter>,
    /// Identity without a mean vector.
    identity: ModelIdentity,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Limits of the queue and of batches.
pub(super) struct Limits {
    pub queue_texts: usize,
    pub batch: BatchLimits,
}

/// One call; if its future is dropped early, its waiting texts are dropped too.
struct Call<'a> {
    queue: &'a Queue,
    number: u64,
    done: bool,
}

// === impl Embedder ===

impl Embedder {
    /// Opens the model in every session, with its mean vector, and starts the threads. Blocks: about 0.3 s with
    /// e5-small-zh, plus the download for a model from the hub.
    ///
    /// # Errors
    /// Errors of [`Model::open`], [`Model::mean_vector`] and [`Session::open`]; [`EmbedError::MeanVector`] if the mean
    /// vector does not fit the vectors.
    pub fn build(runtime: &Runtime, options: &ModelOptions) -> Result<Self, EmbedError> {
        let model = Model::open(runtime, &options.source)?;
        let (mean_vector, of_model) =
            (model.mean_vector(&options.mean_vector)?, model.mean_vector(&MeanVectorSource::Model)?);
        let sessions = open_sessions(&model, options.session_count().clamp(1, MAX_SESSIONS))?;
        let no_session = || EmbedError::Session { name: model.name().to_string(), detail: "no session".to_string() };
        let first = sessions.first().ok_or_else(no_session)?;
        let identity = model.identity(first.dimensions(), first.max_tokens());
        let splitter = Splitter::new(first.tokenizer(), model.recipe(), identity.max_tokens)?;
        let batch = if model.recipe().one_at_a_time { BatchLimits::ONE } else { BatchLimits::default() };
        let queue_texts = options.queue_texts.clamp(1, MAX_QUEUE_TEXTS);
        if let Some(detail) = mean_vector.as_ref().and_then(|mean_vector| misfit(mean_vector, identity.dimensions)) {
            let path = match &options.mean_vector {
                MeanVectorSource::File(path) => path.clone(),
                MeanVectorSource::Model | MeanVectorSource::None => PathBuf::from(model.name()),
            };
            return Err(EmbedError::MeanVector { path, detail });
        }
        let embedder = Self::start(sessions, splitter, identity, &Limits { queue_texts, batch })?;
        let of_model = of_model.map(Arc::new);
        Ok(Self { mean_vectors: MeanVectors { of_model, used: None }, ..embedder }.with_mean_vector(mean_vector))
    }

    /// Starts one thread per encoder.
    pub(super) fn start(
        encoders: Vec<impl Encode>,
        splitter: Splitter,
        identity: ModelIdentity,
        limits: &Limits,
    ) -> Result<Self, EmbedError> {
        let queue = Arc::new(Queue::new(limits.queue_texts, limits.batch, encoders.len()));
        let mut threads = Vec::new();
        for (number, encoder) in encoders.into_iter().enumerate() {
            let for_thread = Arc::clone(&queue);
            let builder = thread::Builder::new().name(format!("embed-{number}"));
            match builder.spawn(move || worker::run(encoder, &for_thread)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    queue.close();
                    return Err(EmbedError::Session { name: identity.name, detail: error.to_string() });
                }
            }
        }
        let shown = Arc::new(identity.clone());
        let inner = Inner { queue, splitter: Arc::new(splitter), identity, threads: Mutex::new(threads) };
        Ok(Self { inner: Arc::new(inner), identity: shown, mean_vectors: MeanVectors::default() })
    }

    /// The same embedder, sharing its threads, with another mean vector or none. A mean vector of another length
    /// counts as none.
    #[must_use]
    pub fn with_mean_vector(&self, mean_vector: Option<MeanVector>) -> Self {
        let plain = &self.inner.identity;
        let used = mean_vector.filter(|mean_vector| misfit(mean_vector, plain.dimensions).is_none()).map(Arc::new);
        let identity = used.as_ref().map_or_else(|| plain.clone(), |mean_vector| plain.centred(mean_vector));
        let mean_vectors = MeanVectors { used, of_model: self.mean_vectors.of_model.clone() };
        Self { inner: Arc::clone(&self.inner), identity: Arc::new(identity), mean_vectors }
    }

    /// Mean vector subtracted from vectors of records and queries.
    pub fn mean_vector(&self) -> Option<&MeanVector> {
        self.mean_vectors.used.as_deref()
    }

    /// The mean vector that belongs to this version: none, the model's own, or the one in use. The outer `None` means
    /// another mean vector or another model.
    pub fn mean_vector_of_version(&self, version: &str) -> Option<Option<MeanVector>> {
        let known = [None, self.mean_vectors.used.as_deref(), self.mean_vectors.of_model.as_deref()];
        known.into_iter().find_map(|mean_vector| {
            let named = self.with_mean_vector(mean_vector.cloned());
            (named.identity.version == version).then(|| mean_vector.cloned())
        })
    }

    /// Identity of the vectors.
    pub fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    /// Whether the model works, as a watched value; false after shutdown.
    pub fn healthy(&self) -> watch::Receiver<bool> {
        self.inner.queue.health()
    }

    /// Counters since the start, and current queue lengths.
    pub fn stats(&self) -> Stats {
        self.inner.queue.stats()
    }

    /// Embeds texts, in order. Dropping the future skips texts that still wait.
    ///
    /// An interactive call is refused if the queue has no room for its texts now, so it must not have more texts than
    /// the queue; a bulk call waits, text by text.
    ///
    /// # Errors
    /// [`EmbedError::Blank`], [`EmbedError::TooLong`], [`EmbedError::Busy`] (interactive only), [`EmbedError::Failed`],
    /// [`EmbedError::Stopped`].
    pub async fn embed(&self, texts: Vec<String>, role: Role, priority: Priority) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts.iter().enumerate().try_for_each(|(index, text)| check_text(index, text))?;
        let mut reserved = match priority {
            Priority::Interactive => Some(self.reserve(texts.len())?),
            Priority::Bulk => None,
        };
        let queue = &*self.inner.queue;
        let mut call = Call { queue, number: queue.new_call(), done: false };
        let mut replies = Vec::with_capacity(texts.len());
        for (index, text) in texts.into_iter().enumerate() {
            let permit = match reserved.as_mut().and_then(|reserved| reserved.split(1)) {
                Some(permit) => permit,
                None => queue.lane(priority).acquire_owned().await.map_err(|_| EmbedError::Stopped)?,
            };
            let text = self.cut(index, text, role, priority).await?;
            replies.push(queue.push(TextToEmbed { call: call.number, ..text }, permit)?);
        }
        let mut vectors = Vec::with_capacity(replies.len());
        for reply in replies {
            vectors.push(reply.await.map_err(|_| EmbedError::Stopped)??);
        }
        call.done = true;
        Ok(vectors)
    }

    /// Vectors of records, in order: 0.4 × head + 0.6 × whole text, scaled to unit length, or the head alone if there
    /// is no more; then minus the mean vector, if any. Mean-centering happens only here. [`EmbedError::Blank`] and
    /// [`EmbedError::TooLong`] index the texts, with head and whole text counted separately.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub async fn record_vectors(
        &self,
        records: &[EmbeddingTexts],
        priority: Priority,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let texts = records.iter().flat_map(|record| std::iter::once(&record.head).chain(&record.whole));
        let vectors = self.embed(texts.cloned().collect(), Role::Passage, priority).await?;
        let mut vectors = vectors.into_iter();
        let mut next = || vectors.next().ok_or(EmbedError::Stopped);
        let mix = |record: &EmbeddingTexts| {
            let head = next()?;
            let vector = match record.whole {
                Some(_) => weighted_unit(&[
                    WeightedVector { vector: head, weight: HEAD_SHARE },
                    WeightedVector { vector: next()?, weight: 1.0 - HEAD_SHARE },
                ])?,
                None => head,
            };
            match self.mean_vector() {
                Some(mean_vector) => checked_unit(mean_vector.apply(&vector)),
                None => Ok(vector),
            }
        };
        records.iter().map(mix).collect()
    }

    /// Ends the threads and waits for them, at most for the current batch of each. Current and later calls get
    /// [`EmbedError::Stopped`].
    pub async fn shutdown(&self) {
        self.inner.queue.close();
        let threads = mem::take(&mut *self.inner.threads.lock());
        let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        // fails only if the async runtime is shutting down
        tokio::task::spawn_blocking(join).await.ok();
    }

    /// The threads, for the test to join, and the queue, to check that it is dropped.
    #[cfg(test)]
    pub(super) fn parts_for_tests(&self) -> (Vec<JoinHandle<()>>, std::sync::Weak<Queue>) {
        let threads = mem::take(&mut *self.inner.threads.lock());
        (threads, Arc::downgrade(&self.inner.queue))
    }

    /// Reserves room for all texts of an interactive call, or none.
    fn reserve(&self, texts: usize) -> Result<OwnedSemaphorePermit, EmbedError> {
        let texts = u32::try_from(texts).map_err(|_| EmbedError::Busy)?;
        let lane = self.inner.queue.lane(Priority::Interactive);
        lane.try_acquire_many_owned(texts).map_err(|error| match error {
            TryAcquireError::NoPermits => EmbedError::Busy,
            TryAcquireError::Closed => EmbedError::Stopped,
        })
    }

    /// Cuts a text into windows; long texts outside the async threads.
    async fn cut(&self, index: usize, text: String, role: Role, priority: Priority) -> Result<TextToEmbed, EmbedError> {
        let splitter = &self.inner.splitter;
        let (text, windows) = if text.len() <= INLINE_BYTES {
            let windows = splitter.split(role, &text, index);
            (text, windows)
        } else {
            let splitter = Arc::clone(splitter);
            let split = move || {
                let windows = splitter.split(role, &text, index);
                (text, windows)
            };
            let lane = match priority {
                Priority::Interactive => Lane::Interactive,
                Priority::Bulk => Lane::Bulk,
            };
            duijie_cpu::run(lane, split).await?
        };
        let (prefix, added_tokens) = (splitter.prefix(role), splitter.added_tokens(role));
        Ok(TextToEmbed { call: 0, text, prefix, added_tokens, windows: windows?, priority })
    }
}

impl Embed for Embedder {
    fn record_vectors<'a>(
        &'a self,
        records: &'a [EmbeddingTexts],
        priority: Priority,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        // the method of the same name above
        Self::record_vectors(self, records, priority).boxed()
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        // the threads end after their batch; waiting here could block an async thread
        self.queue.close();
    }
}

// === impl Call ===

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.queue.forget(self.number);
        }
    }
}

/// Error if a mean vector does not fit vectors of this length.
fn misfit(mean_vector: &MeanVector, dimensions: usize) -> Option<String> {
    let found = mean_vector.dimensions();
    (found != dimensions).then(|| format!("中心为 {found} 维，模型为 {dimensions} 维"))
}

/// Opens sessions in parallel: each takes 0.2 s of one core.
fn open_sessions(model: &Model, count: usize) -> Result<Vec<Session>, EmbedError> {
    let crashed = || EmbedError::Session { name: model.name().to_string(), detail: "panic".to_string() };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(|| Session::open(model))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| crashed())?).collect()
    })
}

fn check_text(index: usize, text: &str) -> Result<(), EmbedError> {
    if text.trim().is_empty() {
        return Err(EmbedError::Blank { index });
    }
    // a character has at most 4 bytes, so short texts need no count
    let too_long = MAX_TEXT_CHARS < text.len() && MAX_TEXT_CHARS < text.chars().count();
    if too_long { Err(EmbedError::TooLong { index, max_chars: MAX_TEXT_CHARS }) } else { Ok(()) }
}
