//! `RematchService`: check → convert → call → convert. Files are made in [`export`](super::export).

use std::time::Duration;

use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::{
    caller::{Shares, caller},
    convert::rematch::{
        change_out, format_in, job_in, job_out, job_request_in, made, result_out, run_out, span_in, totals_out,
    },
    export,
    page::{Paging, Sizes, fit},
    stream::{Answers, Outgoing, stream},
};
use crate::{
    app::Parts,
    error::Error,
    rematch::{
        export::Content,
        job::{Job, JobId},
        reader::Reader,
        scheduler::MAX_RUNS,
    },
};
use duijie_core::domain::{RecordName, Violation, Violations};
use duijie_cpu::carried;
use duijie_proto as pb;
use duijie_proto::{diff_rematches_response::Event, rematch_service_server::RematchService};
use duijie_store::deadline;

/// Pages of jobs and results.
const SIZES: Sizes = Sizes { default: 50, max: 200 };
/// Pages of runs.
const RUN_SIZES: Sizes = Sizes { default: 20, max: MAX_RUNS };
/// Maximum wait in seconds.
const MAX_WAIT: u64 = 600;
/// Part of the caller's deadline reserved for sending the answer.
const ANSWER_TIME: Duration = Duration::from_millis(100);
/// Results read at a time for a stream.
const STREAM_PAGE: usize = 100;
/// Messages queued for sending; bounds memory.
const WAITING: usize = 4;

/// Files that are sent at a time.
const MAX_FILES: usize = 32;
/// When a caller that finds all places for files taken shall come back, in milliseconds.
const FILE_RETRY_MS: u64 = 5_000;

/// The service.
#[derive(Clone)]
pub struct Rematches {
    parts: Parts,
    /// Files that are being sent: each has a thread of its own for as long as its caller takes.
    files: Shares,
}

#[tonic::async_trait]
impl RematchService for Rematches {
    async fn start_rematch(
        &self,
        request: Request<pb::StartRematchRequest>,
    ) -> Result<Response<pb::StartRematchResponse>, Status> {
        let caller = caller(request.extensions()).to_string();
        let request = job_request_in(request.into_inner()).map_err(Error::from)?;
        let job = self.parts.rematch.start_for(&caller, request).await?;
        Ok(Response::new(pb::StartRematchResponse { rematch: Some(job_out(job)) }))
    }

    async fn get_rematch(
        &self,
        request: Request<pb::GetRematchRequest>,
    ) -> Result<Response<pb::GetRematchResponse>, Status> {
        let job = self.job(&request.into_inner().name, "name").await?;
        Ok(Response::new(pb::GetRematchResponse { rematch: Some(job_out(job)) }))
    }

    async fn list_rematches(
        &self,
        request: Request<pb::ListRematchesRequest>,
    ) -> Result<Response<pb::ListRematchesResponse>, Status> {
        let paging = Paging::of(&mut request.into_inner(), SIZES, self.parts.signing.key().await?)?;
        let page = self.parts.rematch.list(paging.start()?, paging.size).await?;
        let (rematches, next) = fit(page.jobs.into_iter().map(|job| (job.id, job_out(job))), page.next);
        Ok(Response::new(pb::ListRematchesResponse { rematches, next_page_token: paging.token(next) }))
    }

    async fn cancel_rematch(
        &self,
        request: Request<pb::CancelRematchRequest>,
    ) -> Result<Response<pb::CancelRematchResponse>, Status> {
        let id = job_in(&request.into_inner().name, "name").map_err(Error::from)?;
        let job = self.parts.rematch.cancel(id).await?;
        Ok(Response::new(pb::CancelRematchResponse { rematch: Some(job_out(job)) }))
    }

    async fn wait_rematch(
        &self,
        request: Request<pb::WaitRematchRequest>,
    ) -> Result<Response<pb::WaitRematchResponse>, Status> {
        let request = request.into_inner();
        let id = job_in(&request.name, "name");
        let timeout = span_in(request.timeout, "timeout", 0..=MAX_WAIT);
        let (id, timeout) = both(id, timeout)?;
        let longest = timeout.unwrap_or(Duration::from_secs(MAX_WAIT));
        let patience = deadline::left().map_or(longest, |left| longest.min(left.saturating_sub(ANSWER_TIME)));
        let job = self.parts.rematch.wait(id, patience).await?;
        Ok(Response::new(pb::WaitRematchResponse { rematch: Some(job_out(job)) }))
    }

    async fn list_rematch_results(
        &self,
        request: Request<pb::ListRematchResultsRequest>,
    ) -> Result<Response<pb::ListRematchResultsResponse>, Status> {
        let mut request = request.into_inner();
        let paging = Paging::of(&mut request, SIZES, self.parts.signing.key().await?);
        let id = job_in(&request.name, "name").map_err(Error::from)?;
        let paging = paging?;
        let page = self.parts.rematch.results(id, paging.start()?.as_ref(), paging.size).await?;
        let rows = page.results.into_iter().map(|result| (result.demand.clone(), result_out(result)));
        let (results, next) = fit(rows, page.next);
        Ok(Response::new(pb::ListRematchResultsResponse { results, next_page_token: paging.token(next) }))
    }

    type StreamRematchResultsStream = Answers<pb::StreamRematchResultsResponse>;

    async fn stream_rematch_results(
        &self,
        request: Request<pb::StreamRematchResultsRequest>,
    ) -> Result<Response<Self::StreamRematchResultsStream>, Status> {
        let request = request.into_inner();
        let after = match request.after_demand.as_str() {
            "" => Ok(None),
            name => name.parse().map(Some),
        };
        let after = after.map_err(|violation: Violation| Violation::new("after_demand", violation.problem));
        let (id, after) = both(job_in(&request.name, "name"), after)?;
        // a job that is not there is told before the stream begins
        self.parts.rematch.get(id).await?;
        let (outgoing, answers) = stream(WAITING);
        tokio::spawn(carried(send_results(self.parts.clone(), id, after, outgoing)));
        Ok(Response::new(answers))
    }

    type ExportRematchStream = Answers<pb::ExportRematchResponse>;

    async fn export_rematch(
        &self,
        request: Request<pb::ExportRematchRequest>,
    ) -> Result<Response<Self::ExportRematchStream>, Status> {
        let caller = caller(request.extensions());
        let request = request.into_inner();
        let mut found = Violations::default();
        let mut note = |violation| found.note(violation);
        let id = job_in(&request.name, "name").map_err(&mut note).ok();
        let format = format_in(request.format).map_err(&mut note).ok();
        let earlier = match request.compared_with.as_str() {
            "" => None,
            name => job_in(name, "compared_with").map_err(&mut note).ok(),
        };
        let (Some(id), Some(format), true) = (id, format, found.is_empty()) else {
            return Err(Error::Invalid(found).into());
        };
        let job = self.parts.rematch.get(id).await?;
        let before = match earlier {
            Some(earlier) => Some(self.parts.rematch.get(earlier).await?),
            None => None,
        };
        let content = if before.is_some() { Content::Changes } else { Content::Results };
        let file = export::File { format, content, made: made(&job) };
        let place = self.files.take(caller, 1).ok_or(Error::Busy { retry_ms: FILE_RETRY_MS })?;
        Ok(Response::new(export::send(self.reader(), before, job, file, place)))
    }

    type DiffRematchesStream = Answers<pb::DiffRematchesResponse>;

    async fn diff_rematches(
        &self,
        request: Request<pb::DiffRematchesRequest>,
    ) -> Result<Response<Self::DiffRematchesStream>, Status> {
        let request = request.into_inner();
        let (before, after) = both(job_in(&request.before, "before"), job_in(&request.after, "after"))?;
        let (before, after) = (self.parts.rematch.get(before).await?, self.parts.rematch.get(after).await?);
        let (outgoing, answers) = stream(WAITING);
        tokio::spawn(carried(send_changes(self.reader(), before, after, outgoing)));
        Ok(Response::new(answers))
    }

    async fn list_rematch_runs(
        &self,
        request: Request<pb::ListRematchRunsRequest>,
    ) -> Result<Response<pb::ListRematchRunsResponse>, Status> {
        let paging = Paging::of(&mut request.into_inner(), RUN_SIZES, self.parts.signing.key().await?)?;
        let page = self.parts.scheduler.runs(paging.start()?, paging.size).await?;
        let (runs, next) = fit(page.runs.into_iter().map(|(id, run)| (id, run_out(run))), page.next);
        Ok(Response::new(pb::ListRematchRunsResponse { runs, next_page_token: paging.token(next) }))
    }
}

// === impl Rematches ===

impl Rematches {
    /// A service over these parts. One caller may hold `share` percent of the places for files when they are scarce.
    pub fn new(parts: Parts, share: usize) -> Self {
        Self { parts, files: Shares::new(MAX_FILES, share) }
    }

    async fn job(&self, name: &str, field: &str) -> Result<Job, Error> {
        self.parts.rematch.get(job_in(name, field)?).await
    }

    fn reader(&self) -> Reader {
        Reader::new(self.parts.index.clone(), self.parts.rematch.clone())
    }
}

async fn send_results(
    parts: Parts,
    id: JobId,
    mut after: Option<RecordName>,
    outgoing: Outgoing<pb::StreamRematchResultsResponse>,
) {
    loop {
        let page = match parts.rematch.results(id, after.as_ref(), STREAM_PAGE).await {
            Ok(page) => page,
            Err(error) => return outgoing.fail(error).await,
        };
        for result in page.results {
            let message = pb::StreamRematchResultsResponse { result: Some(result_out(result)) };
            if outgoing.send(message).await.is_err() {
                return;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return outgoing.finish(),
        }
    }
}

async fn send_changes(reader: Reader, before: Job, after: Job, outgoing: Outgoing<pb::DiffRematchesResponse>) {
    let (batches, mut rows) = mpsc::channel(1);
    let reading = async {
        let batches = batches;
        reader.changes(&before, &after, &batches).await
    };
    let sending = async {
        while let Some(batch) = rows.recv().await {
            for row in batch {
                let message = pb::DiffRematchesResponse { event: Some(Event::Change(change_out(row))) };
                if outgoing.send(message).await.is_err() {
                    return rows.close();
                }
            }
        }
    };
    let (totals, ()) = tokio::join!(reading, sending);
    match totals {
        Ok(totals) => {
            let last = pb::DiffRematchesResponse { event: Some(Event::Totals(totals_out(&totals))) };
            if outgoing.send(last).await.is_ok() {
                outgoing.finish();
            }
        }
        Err(error) => outgoing.fail(error).await,
    }
}

/// Returns both values, or the violations of both.
fn both<A, B>(one: Result<A, Violation>, other: Result<B, Violation>) -> Result<(A, B), Error> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(Error::Invalid(one.err().into_iter().chain(other.err()).collect())),
    }
}
