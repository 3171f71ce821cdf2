//! The thread of a session: takes batches from the queue until the queue is closed.

use super::{
    EmbedError,
    queue::{Queue, WindowPart},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Interface of a session for its worker.
pub trait Encode: Send + 'static {
    /// Embeds texts in one batch.
    ///
    /// # Errors
    /// Any failure; the texts of the batch then get no vector.
    fn encode(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// Returns whether a harmless text can be embedded.
    fn probe(&mut self) -> bool;
}

/// Tells the queue that the worker has ended, also after a panic.
struct Gone<'a>(&'a Queue);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.worker_gone();
    }
}

/// Works until the queue is closed.
pub fn run(mut encoder: impl Encode, queue: &Queue) {
    let _gone = Gone(queue);
    while let Some(parts) = queue.take() {
        let wanted: Vec<WindowPart> = parts.into_iter().filter(WindowPart::is_wanted).collect();
        if !wanted.is_empty() {
            work(&mut encoder, queue, wanted);
        }
    }
}

/// Embeds a batch. After a failure its windows are retried one by one, so that one text cannot fail the others.
fn work(encoder: &mut impl Encode, queue: &Queue, parts: Vec<WindowPart>) {
    queue.count_batch(&parts);
    match (encode(encoder, &parts), parts.len()) {
        (Ok(vectors), _) => {
            queue.set_health(true);
            parts.into_iter().zip(vectors).for_each(|(part, vector)| part.finish(Ok(vector)));
        }
        (Err(_), 2..) => parts.into_iter().for_each(|part| work(encoder, queue, vec![part])),
        (Err(error), _) => {
            // a text that the model rejects does not make the service unhealthy
            let works = catch_unwind(AssertUnwindSafe(|| encoder.probe())).unwrap_or(false);
            queue.set_health(works);
            tracing::warn!(%error, works, "embedding a text failed");
            parts.into_iter().for_each(|part| part.finish(Err(error.clone())));
        }
    }
}

/// Calls the encoder; a panic becomes an error. A call leaves only scratch memory in a session, so the session stays
/// usable; the probe tests whether it works.
fn encode(encoder: &mut impl Encode, parts: &[WindowPart]) -> Result<Vec<Vec<f32>>, EmbedError> {
    let inputs: Vec<String> = parts.iter().map(WindowPart::input).collect();
    let texts: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let failed = |detail: &str| EmbedError::Failed { detail: detail.to_string() };
    let result = catch_unwind(AssertUnwindSafe(|| encoder.encode(&texts)));
    let vectors = result.map_err(|_| failed("panic in the model"))??;
    if vectors.len() == parts.len() { Ok(vectors) } else { Err(failed("another number of vectors than of texts")) }
}
