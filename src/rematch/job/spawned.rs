//! A task that is aborted when its waiter goes away.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// A task that is aborted when dropped.
pub(super) struct Spawned<T>(JoinHandle<Result<T>>);

// === impl Spawned ===

impl<T: Send + 'static> Spawned<T> {
    /// Starts the task.
    pub fn new(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Spawned<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| match joined {
            Ok(result) => result,
            Err(error) => Err(Error::Internal(error.to_string())),
        })
    }
}
