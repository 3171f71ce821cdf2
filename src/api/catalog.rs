//! `CatalogService`: check → convert → call → convert.

use std::{sync::Arc, time::Instant};

use futures::StreamExt;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::{
    convert::{filter_in, kind_in, record_in, record_out},
    duplicates, page_token,
    stream::Answers,
};
use crate::{
    app::Parts,
    error::Error,
    ingest::{MAX_BATCH, Stored, UpsertOutcome},
};
use duijie_core::domain::{Problem, RecordName, Violation};
use duijie_proto as pb;
use duijie_proto::catalog_service_server::CatalogService;
use duijie_store::{FieldSelection, PageRequest, PointId};

/// Default page size.
const DEFAULT_PAGE: usize = 50;
/// Maximum page size.
const MAX_PAGE: usize = 200;
/// Maximum refused records listed in a summary.
const MAX_SAMPLES: usize = 100;
/// Batches of a stream in progress at the same time: one is embedded while the next is tokenised and compared.
const PARTS_IN_FLIGHT: usize = 3;

/// The service. Its clones share one permit for the search for duplicates.
#[derive(Clone)]
pub struct Catalog {
    parts: Parts,
    duplicates_turn: Arc<Semaphore>,
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn batch_upsert_records(
        &self,
        request: Request<pb::BatchUpsertRecordsRequest>,
    ) -> Result<Response<pb::BatchUpsertRecordsResponse>, Status> {
        let stored = self.upsert(request.into_inner().records).await?;
        Ok(Response::new(pb::BatchUpsertRecordsResponse { results: stored.into_iter().map(stored_out).collect() }))
    }

    async fn import_records(
        &self,
        request: Request<Streaming<pb::ImportRecordsRequest>>,
    ) -> Result<Response<pb::ImportRecordsResponse>, Status> {
        let started = Instant::now();
        let embedded = self.parts.ingest.embedded();
        let parts = request.into_inner().map(|part| async { self.upsert(part?.records).await.map_err(Status::from) });
        let mut parts = parts.buffered(PARTS_IN_FLIGHT);
        let mut summary = pb::ImportRecordsResponse::default();
        while let Some(stored) = parts.next().await {
            add(&mut summary, stored?);
        }
        summary.embedded_text_count = int64(self.parts.ingest.embedded() - embedded);
        summary.duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok(Response::new(summary))
    }

    async fn get_record(
        &self,
        request: Request<pb::GetRecordRequest>,
    ) -> Result<Response<pb::GetRecordResponse>, Status> {
        let name: RecordName = request.into_inner().name.parse().map_err(Error::from)?;
        let found =
            self.parts.index.get(std::slice::from_ref(&name), FieldSelection::Payload).await.map_err(Error::from)?;
        let point = found.into_iter().next().flatten().ok_or(Error::NotFound(name))?;
        Ok(Response::new(pb::GetRecordResponse { record: Some(record_out(point.record)) }))
    }

    async fn list_records(
        &self,
        request: Request<pb::ListRecordsRequest>,
    ) -> Result<Response<pb::ListRecordsResponse>, Status> {
        let request = request.into_inner();
        let query = pb::ListRecordsRequest { page_token: String::new(), page_size: 0, ..request.clone() };
        let query = query.encode_to_vec();
        let kind = kind_in(request.kind, "kind").map_err(Error::from)?;
        let filter = filter_in(request.filter, kind).map_err(Error::from)?;
        let limit = page_size(request.page_size, DEFAULT_PAGE)?;
        let after = match page_token::read(&request.page_token, &query).map_err(Error::from)? {
            Some(position) => Some(point_id(&position).ok_or_else(bad_token)?),
            None => None,
        };
        let page = self
            .parts
            .index
            .scroll(kind, &filter, PageRequest { after, limit, with: FieldSelection::Payload })
            .await
            .map_err(Error::from)?;
        Ok(Response::new(pb::ListRecordsResponse {
            records: page.points.into_iter().map(|point| record_out(point.record)).collect(),
            next_page_token: page.next.map(|id| page_token::write(id.uuid().as_bytes(), &query)).unwrap_or_default(),
        }))
    }

    async fn count_records(
        &self,
        request: Request<pb::CountRecordsRequest>,
    ) -> Result<Response<pb::CountRecordsResponse>, Status> {
        let request = request.into_inner();
        let kind = kind_in(request.kind, "kind").map_err(Error::from)?;
        let filter = filter_in(request.filter, kind).map_err(Error::from)?;
        let count = self.parts.index.count(kind, &filter).await.map_err(Error::from)?;
        Ok(Response::new(pb::CountRecordsResponse { record_count: int64(count) }))
    }

    async fn delete_record(
        &self,
        request: Request<pb::DeleteRecordRequest>,
    ) -> Result<Response<pb::DeleteRecordResponse>, Status> {
        let name: RecordName = request.into_inner().name.parse().map_err(Error::from)?;
        match self.parts.index.delete(&name).await.map_err(Error::from)? {
            true => Ok(Response::new(pb::DeleteRecordResponse {})),
            false => Err(Error::NotFound(name).into()),
        }
    }

    type FindDuplicatesStream = Answers<pb::FindDuplicatesResponse>;

    async fn find_duplicates(
        &self,
        request: Request<pb::FindDuplicatesRequest>,
    ) -> Result<Response<Self::FindDuplicatesStream>, Status> {
        let request = request.into_inner();
        let kind = kind_in(request.kind, "kind").map_err(Error::from)?;
        let filter = filter_in(request.filter, kind).map_err(Error::from)?;
        let index = Arc::clone(&self.parts.index);
        Ok(Response::new(duplicates::find(index, kind, filter, &self.duplicates_turn)?))
    }
}

// === impl Catalog ===

impl Catalog {
    /// Creates the service from its parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, duplicates_turn: Arc::new(Semaphore::new(1)) }
    }

    async fn upsert(&self, records: Vec<pb::Record>) -> Result<Vec<Stored>, Error> {
        let problem = match records.len() {
            0 => Some(Problem::Required),
            len if MAX_BATCH < len => Some(Problem::TooMany { max: MAX_BATCH }),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Violation::new("records", problem).into());
        }
        self.parts.ingest.upsert(records.into_iter().map(record_in).collect()).await
    }
}

/// Returns the page size: 0 means the default, a value above the maximum is reduced to it, a negative one is refused.
pub(super) fn page_size(asked: i32, default: usize) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(MAX_PAGE)),
        Err(_) => {
            let max = i64::try_from(MAX_PAGE).unwrap_or(i64::MAX);
            Err(Violation::new("page_size", Problem::OutOfRange { min: 0, max }).into())
        }
    }
}

/// Error for a token with a valid checksum but an invalid position, made by another version.
pub(super) fn bad_token() -> Error {
    Violation::new("page_token", Problem::PageToken).into()
}

/// Returns the id of the last point of the previous page; `None` for a token of another version.
pub(super) fn point_id(position: &[u8]) -> Option<PointId> {
    uuid::Uuid::from_slice(position).ok().map(PointId::from)
}

fn add(summary: &mut pb::ImportRecordsResponse, stored: Vec<Stored>) {
    for stored in stored {
        let index = summary.total_count;
        summary.total_count += 1;
        match stored.outcome {
            UpsertOutcome::Created => summary.created_count += 1,
            UpsertOutcome::Updated => summary.updated_count += 1,
            UpsertOutcome::Unchanged => summary.unchanged_count += 1,
            UpsertOutcome::Refused(_) => {
                summary.refused_count += 1;
                if summary.error_samples.len() < MAX_SAMPLES {
                    summary.error_samples.push(pb::ImportError { index, result: Some(stored_out(stored)) });
                }
            }
        }
    }
}

fn stored_out(stored: Stored) -> pb::UpsertResult {
    let (outcome, violations) = match stored.outcome {
        UpsertOutcome::Created => (pb::UpsertOutcome::Created, Vec::new()),
        UpsertOutcome::Updated => (pb::UpsertOutcome::Updated, Vec::new()),
        UpsertOutcome::Unchanged => (pb::UpsertOutcome::Unchanged, Vec::new()),
        UpsertOutcome::Refused(violations) => (pb::UpsertOutcome::Refused, violations),
    };
    let violation = |violation: Violation| pb::FieldViolation {
        description: violation.problem.to_string(),
        reason: violation.problem.reason().to_string(),
        localized_description: violation.problem.chinese(),
        field: violation.field,
    };
    pb::UpsertResult {
        name: stored.name.map(|name| name.to_string()).unwrap_or_default(),
        outcome: outcome as i32,
        violations: violations.into_iter().map(violation).collect(),
        revision: int64(stored.revision),
    }
}

fn int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
