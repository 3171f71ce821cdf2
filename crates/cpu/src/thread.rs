//! Threads of their own, for work that waits for its caller.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::oneshot;

use crate::{CpuError, pool::caught};

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Counts a thread while it lives.
struct Alive;

/// Work on a thread of its own.
#[derive(Debug)]
pub struct Running<T>(oneshot::Receiver<Result<T, CpuError>>);

/// Starts work on a thread of its own. It may block; the caller bounds how many there are. The end of the process does
/// not wait for it.
///
/// # Errors
/// [`CpuError::Busy`] if the system has no thread left.
pub fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Running<T>, CpuError> {
    let (reply, answer) = oneshot::channel();
    let alive = Alive::new();
    let body = move || {
        let done = caught(work);
        drop(alive);
        // a caller that has gone takes no answer
        let _ = reply.send(done);
    };
    std::thread::Builder::new().name(name.to_string()).spawn(body).map_err(|_| CpuError::Busy)?;
    Ok(Running(answer))
}

/// Number of threads that [`thread`] has started and that have not ended.
pub fn threads() -> usize {
    THREADS.load(Relaxed)
}

// === impl Running ===

impl<T> Running<T> {
    /// Waits for the end of the work.
    ///
    /// # Errors
    /// [`CpuError::Panicked`].
    pub async fn join(self) -> Result<T, CpuError> {
        self.0.await.map_err(|_| CpuError::Closed)?
    }
}

// === impl Alive ===

impl Alive {
    fn new() -> Self {
        THREADS.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Relaxed);
    }
}
