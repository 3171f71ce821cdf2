//! Jobs as documents. Each change is conditional on what its writer saw, so that runner and callers do not overwrite each
//! other.

use jiff::Timestamp;

use super::model::{Job, JobId, JobPage, JobRequest};
use crate::error::{Error, Result};
use duijie_core::domain::{Problem, Violation};
use duijie_store::{
    Document, DocumentQuery, DocumentWrite, DocumentWritten, Expect, Index, Key, PointId,
    documents::{MAX_DOCUMENT_PAGE, document_id},
};

/// Folder of the jobs.
const FOLDER: &str = "rematch/jobs";
/// Folder of the requests by the names that their callers gave them.
const REQUESTS: &str = "rematch/requests";
/// Tag of jobs that have not ended.
const OPEN: &str = "open";
/// Bits of an id that tell jobs of one millisecond apart.
const RANDOM_BITS: u32 = 12;
/// Tries at a document that others change as well.
const ATTEMPTS: usize = 20;

/// A job as it was read.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Job.
    pub job: Job,
    /// Version of its document.
    version: u64,
}

/// Stores a new job, or finds the one that this request made before.
pub(super) async fn create(index: &dyn Index, request: JobRequest) -> Result<Job> {
    let id = match claimed_id(index, &request).await? {
        Some(id) => id,
        None => new_id(),
    };
    let job = Job::new(id, request, Timestamp::now());
    match put(index, &job, Expect::Absent).await? {
        Some(_) => Ok(job),
        // of the same request, or, once in a very long time, of the same millisecond and number
        None => Ok(read(index, id).await?.job),
    }
}

/// The id that belongs to the caller's name of the request.
async fn claimed_id(index: &dyn Index, request: &JobRequest) -> Result<Option<JobId>> {
    let name = &request.request_id;
    if name.is_empty() {
        return Ok(None);
    }
    let claim = (new_id(), request);
    let text = serde_json::to_string(&claim).map_err(internal)?;
    let write = DocumentWrite::new(REQUESTS, name.as_str(), text, Expect::Absent);
    if let [DocumentWritten::Stored { .. }] = index.write_documents(vec![write]).await?.as_slice() {
        return Ok(Some(claim.0));
    }
    let found = index.read_documents(REQUESTS, &[name.as_str().into()]).await?.into_iter().next().flatten();
    let Some(found) = found else { return Ok(None) };
    let (id, before): (JobId, JobRequest) = serde_json::from_str(&found.text).map_err(internal)?;
    if before == *request { Ok(Some(id)) } else { Err(Violation::new("request_id", Problem::Repeated).into()) }
}

/// A job with the version of its document.
pub(super) async fn read(index: &dyn Index, id: JobId) -> Result<Stored> {
    let found = index.read_documents(FOLDER, &[key(id)]).await?.into_iter().next().flatten();
    stored(found.ok_or_else(|| Error::NoSuchJob(id.to_string()))?)
}

/// Writes a job over what was read; `false` where somebody else has written since.
pub(super) async fn write(index: &dyn Index, stored: &mut Stored) -> Result<bool> {
    stored.job.update_time = Timestamp::now();
    let written = put(index, &stored.job, Expect::Version(stored.version)).await?;
    stored.version = written.unwrap_or(stored.version);
    Ok(written.is_some())
}

/// Changes a job as it is by now; `change` says whether there is anything to write.
pub(super) async fn change(index: &dyn Index, id: JobId, change: impl Fn(&mut Job) -> bool) -> Result<Job> {
    for _ in 0..ATTEMPTS {
        let mut stored = read(index, id).await?;
        if !change(&mut stored.job) || write(index, &mut stored).await? {
            return Ok(stored.job);
        }
    }
    Err(Error::Busy { retry_ms: 100 })
}

/// Jobs older than one, the latest first.
pub(super) async fn list(index: &dyn Index, after: Option<JobId>, limit: usize) -> Result<JobPage> {
    let after = after.map(place);
    let limit = limit.clamp(1, MAX_DOCUMENT_PAGE);
    let page = index.list_documents(DocumentQuery::folder(FOLDER), after, limit).await?;
    let more = page.next.is_some();
    let jobs = page.documents.into_iter().map(|document| Ok(stored(document)?.job)).collect::<Result<Vec<Job>>>()?;
    let next = jobs.last().map(|job| job.id).filter(|_| more);
    Ok(JobPage { jobs, next })
}

/// Jobs that have not ended, the oldest first; a page of them.
pub(super) async fn open(index: &dyn Index) -> Result<Vec<Job>> {
    let query = DocumentQuery::folder(FOLDER).tagged(OPEN);
    let documents = duijie_store::documents::all_documents(index, query).await?;
    let mut jobs = documents.into_iter().map(|document| Ok(stored(document)?.job)).collect::<Result<Vec<Job>>>()?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}

/// Removes a job, and its caller's name for it.
pub(super) async fn remove(index: &dyn Index, job: &Job) -> Result<()> {
    if !job.request.request_id.is_empty() {
        index.remove_documents(REQUESTS, &[job.request.request_id.as_str().into()]).await?;
    }
    Ok(index.remove_documents(FOLDER, &[key(job.id)]).await?)
}

/// Writes a job where its document is as expected; its version then.
async fn put(index: &dyn Index, job: &Job, expect: Expect) -> Result<Option<u64>> {
    let text = serde_json::to_string(job).map_err(internal)?;
    let write = DocumentWrite { key: key(job.id), ..DocumentWrite::new(FOLDER, "", text, expect) };
    let write = if job.state.ended() { write } else { write.tagged(OPEN) };
    match index.write_documents(vec![write]).await?.as_slice() {
        [DocumentWritten::Stored { version }] => Ok(Some(*version)),
        _ => Ok(None),
    }
}

fn stored(document: Document) -> Result<Stored> {
    let job = serde_json::from_str(&document.text).map_err(internal)?;
    Ok(Stored { job, version: document.version })
}

/// The latest first.
fn key(id: JobId) -> Key {
    Key::Number(u64::MAX - id.number())
}

fn place(id: JobId) -> PointId {
    document_id(FOLDER, &key(id))
}

fn new_id() -> JobId {
    let millisecond = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    JobId::new(millisecond << RANDOM_BITS | fastrand::u64(0..1 << RANDOM_BITS))
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}
