//! Jobs as documents. Each write is conditional on the version its writer read, so runner and callers do not overwrite
//! each other.

use jiff::Timestamp;

use super::model::{Job, JobBounds, JobId, JobPage, JobRequest};
use crate::error::{Error, Refusal, RefusalKind, Result};
use duijie_core::domain::{Problem, Violation};
use duijie_store::{
    Document, DocumentQuery, DocumentWrite, DocumentWritten, Expect, Index, Key, PointId,
    documents::{MAX_DOCUMENT_PAGE, document_id},
    pages::Pages,
};

/// Folder of the jobs.
const FOLDER: &str = "rematch/jobs";
/// Folder of the requests, by their idempotency keys.
const REQUESTS: &str = "rematch/requests";
/// Tag of jobs that have not ended.
const OPEN: &str = "open";
/// Open jobs read at a time.
const OPEN_PAGE: usize = 20;
/// Bits of an id that distinguish jobs of the same millisecond.
const RANDOM_BITS: u32 = 12;
/// Attempts at a document that others also change.
const ATTEMPTS: usize = 20;

/// A job with its document's version.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Job.
    pub job: Job,
    /// Version of its document.
    version: u64,
}

/// Who starts a job, and how many jobs may be open then. The service itself has no bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Starter<'a> {
    /// The caller.
    pub caller: &'a str,
    /// Bounds.
    pub bounds: JobBounds,
}

/// Stores a new job, or returns the job that this request created before.
pub(super) async fn create(index: &dyn Index, request: JobRequest, starter: Option<Starter<'_>>) -> Result<Job> {
    let id = match claimed_id(index, &request).await? {
        Some(id) => match read(index, id).await {
            Err(Error::NoSuchJob(_)) => id,
            found => return Ok(found?.job),
        },
        None => new_id(index.clock().now(index).await?),
    };
    let mut job = Job::new(id, request, Timestamp::now());
    if let Some(Starter { caller, bounds }) = starter {
        job.caller = caller.to_string();
        check_open(index, OPEN.to_string(), bounds.all, "all").await?;
        check_open(index, of_caller(caller), bounds.of_caller, "caller").await?;
    }
    match put(index, &job, Expect::Absent).await? {
        Some(_) => Ok(job),
        // from the same request or, very rarely, from a job with the same millisecond and random bits
        None => Ok(read(index, id).await?.job),
    }
}

/// Refuses a job if as many are open as may be, among those with a tag.
async fn check_open(index: &dyn Index, tag: String, max: usize, whose: &'static str) -> Result<()> {
    let open = index.count_documents(DocumentQuery::folder(FOLDER).tagged(tag)).await?;
    if open < max as u64 {
        return Ok(());
    }
    let (english, chinese) = match whose {
        "all" => ("jobs are queued or running", "已有"),
        _ => ("of your jobs are queued or running", "您已有"),
    };
    Err(Error::Refused(Refusal {
        kind: RefusalKind::TooLarge,
        reason: "TOO_MANY_JOBS",
        english: format!("{open} {english}, at most {max} may be: wait for one to end, or cancel one"),
        chinese: format!("{chinese} {open} 个重新匹配任务在排队或运行（上限 {max} 个），请等待其完成或取消后再试"),
        metadata: vec![("open", open.to_string()), ("max", max.to_string()), ("whose", whose.to_string())],
    }))
}

/// Tag of a caller's open jobs.
fn of_caller(caller: &str) -> String {
    format!("{OPEN}-{caller}")
}

/// Returns the id claimed for the request's idempotency key.
async fn claimed_id(index: &dyn Index, request: &JobRequest) -> Result<Option<JobId>> {
    let name = &request.request_id;
    if name.is_empty() {
        return Ok(None);
    }
    let claim = (new_id(index.clock().now(index).await?), request);
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

/// Reads a job and its document's version.
pub(super) async fn read(index: &dyn Index, id: JobId) -> Result<Stored> {
    let found = index.read_documents(FOLDER, &[key(id)]).await?.into_iter().next().flatten();
    stored(found.ok_or_else(|| Error::NoSuchJob(id.to_string()))?)
}

/// Overwrites a job that was read; returns `false` if another write came first.
pub(super) async fn write(index: &dyn Index, stored: &mut Stored) -> Result<bool> {
    stored.job.update_time = Timestamp::now();
    let written = put(index, &stored.job, Expect::Version(stored.version)).await?;
    stored.version = written.unwrap_or(stored.version);
    Ok(written.is_some())
}

/// Changes the current job; `change` returns whether there is anything to write.
pub(super) async fn change(index: &dyn Index, id: JobId, change: impl Fn(&mut Job) -> bool) -> Result<Job> {
    for _ in 0..ATTEMPTS {
        let mut stored = read(index, id).await?;
        if !change(&mut stored.job) || write(index, &mut stored).await? {
            return Ok(stored.job);
        }
    }
    Err(Error::Busy { retry_ms: 100 })
}

/// Jobs older than `after`, the latest first.
pub(super) async fn list(index: &dyn Index, after: Option<JobId>, limit: usize) -> Result<JobPage> {
    let after = after.map(place);
    let limit = limit.clamp(1, MAX_DOCUMENT_PAGE);
    let page = index.list_documents(DocumentQuery::folder(FOLDER), after, limit).await?;
    let more = page.next.is_some();
    let jobs = page.documents.into_iter().map(|document| Ok(stored(document)?.job)).collect::<Result<Vec<Job>>>()?;
    let next = jobs.last().map(|job| job.id).filter(|_| more);
    Ok(JobPage { jobs, next })
}

/// All jobs that have not ended, the oldest first. None of them is kept or decoded.
pub(super) async fn open(index: &dyn Index) -> Result<Vec<JobId>> {
    let mut found = Vec::new();
    let query = DocumentQuery::folder(FOLDER).tagged(OPEN);
    let mut pages = Pages::new(|after| index.list_documents(query.clone(), after, OPEN_PAGE));
    while let Some(page) = pages.next_page().await? {
        found.extend(page.documents.iter().filter_map(|document| id_of(&document.key)));
    }
    found.sort();
    Ok(found)
}

/// Deletes a job and its idempotency key.
pub(super) async fn remove(index: &dyn Index, job: &Job) -> Result<()> {
    if !job.request.request_id.is_empty() {
        index.remove_documents(REQUESTS, &[job.request.request_id.as_str().into()]).await?;
    }
    Ok(index.remove_documents(FOLDER, &[key(job.id)]).await?)
}

/// Writes a job if its document is as expected; returns the new version.
async fn put(index: &dyn Index, job: &Job, expect: Expect) -> Result<Option<u64>> {
    let text = serde_json::to_string(job).map_err(internal)?;
    let write = DocumentWrite { key: key(job.id), ..DocumentWrite::new(FOLDER, "", text, expect) };
    let write = match job.state.ended() {
        true => write,
        false if job.caller.is_empty() => write.tagged(OPEN),
        false => write.tagged(OPEN).tagged(of_caller(&job.caller)),
    };
    match index.write_documents(vec![write]).await?.as_slice() {
        [DocumentWritten::Stored { version }] => Ok(Some(*version)),
        _ => Ok(None),
    }
}

fn stored(document: Document) -> Result<Stored> {
    let job = serde_json::from_str(&document.text).map_err(internal)?;
    Ok(Stored { job, version: document.version })
}

/// Key that sorts the latest job first.
fn key(id: JobId) -> Key {
    Key::Number(u64::MAX - id.number())
}

fn id_of(key: &Key) -> Option<JobId> {
    match key {
        Key::Number(number) => Some(JobId::new(u64::MAX - number)),
        Key::Name(_) => None,
    }
}

fn place(id: JobId) -> PointId {
    document_id(FOLDER, &key(id))
}

fn new_id(now: Timestamp) -> JobId {
    let millisecond = u64::try_from(now.as_millisecond()).unwrap_or(0);
    JobId::new(millisecond << RANDOM_BITS | fastrand::u64(0..1 << RANDOM_BITS))
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}
