//! An engine that accepts the first blocks of a job and stalls at the next, so that the job stays running during a test
//! on any machine.

use std::{future::pending, sync::Arc, time::Duration};

use duijie_store::{DocumentWrite, DocumentWritten, Index, Key, Result};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Mutex;

use crate::index::wrapped::{Wrapped, Wrapper};

/// Time from one write to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Engine wrapper: writes of a job's blocks run one by one, and stall from some block on. Everything else is unchanged.
pub struct Stalling {
    index: Arc<dyn Index>,
    /// Number of the block at which it stalls.
    at: u64,
    turn: Mutex<()>,
}

// === impl Stalling ===

impl Stalling {
    /// Takes so many blocks of each job.
    pub fn new(index: Arc<dyn Index>, blocks: u64) -> Wrapped<Self> {
        Wrapped(Self { index, at: blocks, turn: Mutex::new(()) })
    }

    async fn wait(&self, write: &DocumentWrite) {
        if let Key::Number(number) = write.key
            && write.folder.starts_with("rematch/results/")
        {
            if self.at <= number {
                pending::<()>().await;
            }
            let _turn = self.turn.lock().await;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Wrapper for Stalling {
    fn index(&self) -> &dyn Index {
        &*self.index
    }

    fn write_documents(&self, writes: Vec<DocumentWrite>) -> BoxFuture<'_, Result<Vec<DocumentWritten>>> {
        async move {
            for write in &writes {
                self.wait(write).await;
            }
            self.index.write_documents(writes).await
        }
        .boxed()
    }
}
