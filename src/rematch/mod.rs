//! Batch re-matching: jobs that match many demands again and keep what they found, so that it can be said what became
//! new.
//!
//! - [`model`]: what a job is and what it finds
//! - `scoring`, `statistics`: scores that depend on the two records alone; `decision`: whether a change matters; `block`,
//!   `bytes`: how results are stored; all pure

mod block;
mod bytes;
mod decision;
pub mod model;
mod scoring;
mod statistics;

use std::{future::Future, sync::Arc, time::Duration};

pub use model::{
    Counts, DemandResult, ErrorSample, Inputs, Job, JobId, JobPage, JobRequest, Method, Pair, ResultPage, Selection,
    State, TargetInputs, TargetList,
};

use crate::{
    domain::RecordName,
    error::{Error, Result},
    index::{Index, StoreVersions},
    matcher::Settings,
};

/// The jobs of a store; clones share them.
#[derive(Clone)]
pub struct Rematch {
    index: Arc<dyn Index>,
    settings: Settings,
    versions: Arc<StoreVersions>,
}

// === impl Rematch ===

impl Rematch {
    /// The jobs of this store, matched in this way.
    pub fn new(index: Arc<dyn Index>, settings: Settings, versions: Arc<StoreVersions>) -> Self {
        Self { index, settings, versions }
    }

    /// Asks for a job; some instance runs it soon. A request whose `request_id` was seen before gives that job as it is
    /// now.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all violations; [`Error::NoSuchJob`] for a base that is not there; [`Error::Unavailable`].
    pub async fn start(&self, request: JobRequest) -> Result<Job> {
        let _ = (&self.index, &self.settings, &self.versions, request);
        Err(Error::Unavailable(String::new()))
    }

    /// A job.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::Unavailable`].
    pub async fn get(&self, id: JobId) -> Result<Job> {
        Err(Error::NoSuchJob(id.to_string()))
    }

    /// At most `limit` (1 to 1,000) jobs older than `after`, the latest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list(&self, after: Option<JobId>, limit: usize) -> Result<JobPage> {
        let _ = (after, limit);
        Ok(JobPage::default())
    }

    /// Asks a job to stop, which takes less than a second; what is done is kept. A job that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::Unavailable`].
    pub async fn cancel(&self, id: JobId) -> Result<Job> {
        Err(Error::NoSuchJob(id.to_string()))
    }

    /// Waits until a job has ended, at most `patience`; gives it as it is then.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::Unavailable`].
    pub async fn wait(&self, id: JobId, patience: Duration) -> Result<Job> {
        let _ = patience;
        Err(Error::NoSuchJob(id.to_string()))
    }

    /// At most `limit` (1 to 1,000) results of a job that come after a demand's in the order of ids, of what is written
    /// by now.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::Unavailable`].
    pub async fn results(&self, id: JobId, after: Option<&RecordName>, limit: usize) -> Result<ResultPage> {
        let _ = (id, after, limit);
        Ok(ResultPage::default())
    }

    /// Runs jobs, those of other instances that died as well, until `stop` resolves; a job that runs then is left for
    /// the next instance.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        stop.await;
    }
}
