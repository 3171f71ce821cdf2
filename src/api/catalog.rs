//! `CatalogService`: check → convert → call → convert.

use std::{sync::Arc, time::Instant};

use futures::StreamExt;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::{
    caller::identity,
    convert::{duration_out, filter_in, kind_in, record_in, record_out, view_in},
    duplicates,
    intake::Held,
    page::{Paging, Room, Sizes, fit},
    stream::Answers,
};
use crate::{
    app::Parts,
    error::Error,
    identity::Scope,
    ingest::{MAX_BATCH, Stored, UpsertOutcome},
};
use duijie_core::domain::{Problem, RecordName, Violation, Violations};
use duijie_proto as pb;
use duijie_proto::catalog_service_server::CatalogService;
use duijie_store::{FieldSelection, PageRequest};

/// Pages of records.
const SIZES: Sizes = Sizes { default: 50, max: 200 };
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
        let caller = identity(request.extensions())?;
        let stored = self.upsert(request.into_inner().records, &caller.scope).await?;
        let mut room = Room::default();
        let results = stored.into_iter().map(|stored| stored_out(stored, &mut room)).collect();
        Ok(Response::new(pb::BatchUpsertRecordsResponse { results }))
    }

    async fn import_records(
        &self,
        request: Request<Streaming<pb::ImportRecordsRequest>>,
    ) -> Result<Response<pb::ImportRecordsResponse>, Status> {
        let started = Instant::now();
        let embedded = self.parts.ingest.embedded();
        let held = request.extensions().get::<Held>().cloned().unwrap_or_default();
        let caller = identity(request.extensions())?;
        let upsert = |part: Result<pb::ImportRecordsRequest, Status>| async {
            self.upsert(part?.records, &caller.scope).await.map_err(Status::from)
        };
        let parts = request.into_inner().map(upsert);
        let mut parts = parts.buffered(PARTS_IN_FLIGHT);
        let (mut summary, mut room) = (pb::ImportRecordsResponse::default(), Room::default());
        while let Some(stored) = parts.next().await {
            add(&mut summary, stored?, &mut room);
            held.release();
        }
        summary.embedded_text_count = int64(self.parts.ingest.embedded() - embedded);
        summary.duration = Some(duration_out(started.elapsed()));
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
        let mut request = request.into_inner();
        let view = view_in(&mut request.view);
        let paging = Paging::of(&mut request, SIZES, self.parts.signing.key().await?);
        let kind = kind_in(request.kind, "kind").map_err(Error::from)?;
        let filter = filter_in(request.filter, kind).map_err(Error::from)?;
        let (view, paging) = (view.map_err(Error::from)?, paging?);
        let with = FieldSelection::Payload;
        let asked = PageRequest { after: paging.start()?, limit: paging.size, with };
        let page = self.parts.index.scroll(kind, &filter, asked).await.map_err(Error::from)?;
        let rows = page.points.into_iter().map(|point| (point.id(), record_out(view.of(point.record))));
        let (records, next) = fit(rows, page.next);
        Ok(Response::new(pb::ListRecordsResponse { records, next_page_token: paging.token(next) }))
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
        let caller = identity(request.extensions())?;
        let name: RecordName = request.into_inner().name.parse().map_err(Error::from)?;
        self.check_own(&name, &caller.scope).await?;
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

    /// Checks that a record is in a scope. Whose a record out of its source systems is, a caller does not learn.
    ///
    /// # Errors
    /// PERMISSION_DENIED, or NOT_FOUND if there is no such record.
    async fn check_own(&self, name: &RecordName, scope: &Scope) -> Result<(), Error> {
        if !scope.has_source(&name.source) {
            return Err(scope.denial(name).into());
        }
        // only where the owner counts: a damaged record has none that could be read, and can be deleted all the same
        if scope.organizations.is_empty() {
            return Ok(());
        }
        let known = self.parts.index.get(std::slice::from_ref(name), FieldSelection::Payload).await?;
        let known = known.into_iter().next().flatten().ok_or_else(|| Error::NotFound(name.clone()))?;
        scope.refusal(&known.record).map_or(Ok(()), |_| Err(scope.denial(name).into()))
    }

    async fn upsert(&self, records: Vec<pb::Record>, scope: &Scope) -> Result<Vec<Stored>, Error> {
        let problem = match records.len() {
            0 => Some(Problem::Required),
            len if MAX_BATCH < len => Some(Problem::TooMany { max: MAX_BATCH }),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Violation::new("records", problem).into());
        }
        self.parts.ingest.upsert_within(records.into_iter().map(record_in).collect(), scope).await
    }
}

fn add(summary: &mut pb::ImportRecordsResponse, stored: Vec<Stored>, room: &mut Room) {
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
                    summary.error_samples.push(pb::ImportError { index, result: Some(stored_out(stored, room)) });
                }
            }
        }
    }
}

/// Writes a result, with as many violations as there is room for.
fn stored_out(stored: Stored, room: &mut Room) -> pb::UpsertResult {
    let (outcome, violations) = match stored.outcome {
        UpsertOutcome::Created => (pb::UpsertOutcome::Created, Violations::default()),
        UpsertOutcome::Updated => (pb::UpsertOutcome::Updated, Violations::default()),
        UpsertOutcome::Unchanged => (pb::UpsertOutcome::Unchanged, Violations::default()),
        UpsertOutcome::Refused(violations) => (pb::UpsertOutcome::Refused, violations),
    };
    let violation = |violation: &Violation| pb::FieldViolation {
        description: violation.problem.to_string(),
        reason: violation.problem.reason().to_string(),
        localized_description: violation.problem.chinese(),
        field: violation.field.clone(),
    };
    let violation_count = i32::try_from(violations.count()).unwrap_or(i32::MAX);
    let violations = violations.iter().map(violation);
    pb::UpsertResult {
        name: stored.name.map(|name| name.to_string()).unwrap_or_default(),
        outcome: outcome as i32,
        violations: violations.take_while(|violation| room.takes(violation.encoded_len())).collect(),
        revision: int64(stored.revision),
        violation_count,
    }
}

fn int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::violation::MAX_VIOLATIONS;

    #[test]
    fn results_list_violations_while_there_is_room() {
        let refused = || Stored {
            name: None,
            outcome: UpsertOutcome::Refused(
                vec![Violation::new("common.title", Problem::Required); 50].into_iter().collect(),
            ),
            revision: 0,
        };
        let mut room = Room::default();
        let result = stored_out(refused(), &mut room);
        assert_eq!((result.violations.len(), result.violation_count), (MAX_VIOLATIONS, 50));
        // beside much else nothing is left but for the first
        let much = pb::ListRecordsResponse { next_page_token: "x".repeat(4 << 20), ..Default::default() };
        let mut room = Room::beside(&much);
        let left = [stored_out(refused(), &mut room), stored_out(refused(), &mut room)];
        assert_eq!(left.map(|it| (it.violations.len(), it.violation_count)), [(1, 50), (0, 50)]);
    }
}
