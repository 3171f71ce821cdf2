//! `EventService`: check → convert → call → convert.

use tonic::{Request, Response, Status};

use super::{
    convert::{
        event::{edits_in, event_in, event_name_in, event_out, participants_in, record_name_in},
        event_mask, filter_in, kind_in,
        outcome::{outcome_out, outcomes_in},
        plan::plan_out,
    },
    event_file, event_lists as lists,
    stream::Answers,
};
use crate::{
    app::Parts,
    error::Error,
    events::{
        model::{
            EventState,
            setup::{MAX_PARTICIPANTS, MAX_SLOTS},
        },
        service::{Events, OnTheDay, StoredEvent, Who},
    },
    signing::Signing,
};
use duijie_core::domain::{Code, Problem, Violation, Violations};
use duijie_proto as pb;
use duijie_proto::event_service_server::EventService;

/// The service.
#[derive(Clone)]
pub struct EventRpcs {
    events: Events,
    signing: Signing,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl EventService for EventRpcs {
    async fn create_event(&self, request: Request<pb::CreateEventRequest>) -> Answer<pb::CreateEventResponse> {
        let request = request.into_inner();
        let event = event_in(request.event_id, request.event).map_err(Error::from)?;
        let stored = self.events.create(event, &request.request_id).await.map_err(lists::below_event)?;
        Ok(Response::new(pb::CreateEventResponse { event: Some(event_out(&stored)) }))
    }

    async fn get_event(&self, request: Request<pb::GetEventRequest>) -> Answer<pb::GetEventResponse> {
        let stored = self.events.get(&id(&request.into_inner().name)?).await?;
        Ok(Response::new(pb::GetEventResponse { event: Some(event_out(&stored)) }))
    }

    async fn list_events(&self, request: Request<pb::ListEventsRequest>) -> Answer<pb::ListEventsResponse> {
        Ok(Response::new(lists::events(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn update_event(&self, request: Request<pb::UpdateEventRequest>) -> Answer<pb::UpdateEventResponse> {
        let pb::UpdateEventRequest { event, update_mask } = request.into_inner();
        let sent = event.ok_or_else(|| missing("event"))?;
        let id = event_name_in(&sent.name, "event.name").map_err(Error::from)?;
        let fields = event_mask::mask_in(update_mask, &sent).map_err(Error::from)?;
        let change = |stored: &StoredEvent| {
            let mut event = event_out(stored);
            event_mask::copy(&fields, &sent, &mut event);
            Ok(event_in(stored.event.id.clone(), Some(event))?)
        };
        let stored = self.events.update(&id, &sent.etag, change).await.map_err(lists::below_event)?;
        Ok(Response::new(pb::UpdateEventResponse { event: Some(event_out(&stored)) }))
    }

    async fn delete_event(&self, request: Request<pb::DeleteEventRequest>) -> Answer<pb::DeleteEventResponse> {
        let request = request.into_inner();
        self.events.delete(&id(&request.name)?, &request.etag, request.force).await?;
        Ok(Response::new(pb::DeleteEventResponse {}))
    }

    async fn add_participants(
        &self,
        request: Request<pb::AddParticipantsRequest>,
    ) -> Answer<pb::AddParticipantsResponse> {
        let request = request.into_inner();
        let (id, etag) = (id(&request.name)?, request.etag.clone());
        let added = self.events.add(&id, who(request)?, &etag).await?;
        Ok(Response::new(pb::AddParticipantsResponse {
            event: Some(event_out(&added.event)),
            added_count: super::convert::event::count(added.added),
            updated_count: super::convert::event::count(added.updated),
            unchanged_count: super::convert::event::count(added.unchanged),
        }))
    }

    async fn remove_participants(
        &self,
        request: Request<pb::RemoveParticipantsRequest>,
    ) -> Answer<pb::RemoveParticipantsResponse> {
        let request = request.into_inner();
        let mut bad = Violations::default();
        let names = request.records.iter().enumerate().filter_map(|(index, name)| {
            record_name_in(name, &format!("records[{index}]")).map_err(|violation| bad.note(violation)).ok()
        });
        let names: Vec<_> = names.collect();
        let names = bad.passed(names).map_err(Error::from)?;
        let stored = self.events.remove(&id(&request.name)?, &names, &request.etag).await?;
        Ok(Response::new(pb::RemoveParticipantsResponse { event: Some(event_out(&stored)) }))
    }

    async fn cancel_participant(
        &self,
        request: Request<pb::CancelParticipantRequest>,
    ) -> Answer<pb::CancelParticipantResponse> {
        let request = request.into_inner();
        let record = record_name_in(&request.record, "record").map_err(Error::from)?;
        let closed = closed(request.closed_slot_count)?;
        let how = OnTheDay { refill: request.refill, closed, etag: request.etag };
        let replanned = self.events.cancel(&id(&request.name)?, &record, how).await?;
        let (changes, change_count) = lists::first_changes(&replanned.changes);
        let event = Some(event_out(&replanned.event));
        Ok(Response::new(pb::CancelParticipantResponse { event, changes, change_count }))
    }

    async fn list_participants(
        &self,
        request: Request<pb::ListParticipantsRequest>,
    ) -> Answer<pb::ListParticipantsResponse> {
        Ok(Response::new(lists::participants(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn edit_event(&self, request: Request<pb::EditEventRequest>) -> Answer<pb::EditEventResponse> {
        let request = request.into_inner();
        let edits = edits_in(request.edits).map_err(Error::from)?;
        let stored = self.events.edit(&id(&request.name)?, &edits, &request.etag).await?;
        Ok(Response::new(pb::EditEventResponse { event: Some(event_out(&stored)) }))
    }

    async fn list_edits(&self, request: Request<pb::ListEditsRequest>) -> Answer<pb::ListEditsResponse> {
        Ok(Response::new(lists::edits(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn make_shortlist(&self, request: Request<pb::MakeShortlistRequest>) -> Answer<pb::MakeShortlistResponse> {
        let request = request.into_inner();
        let closed = closed(request.closed_slot_count)?;
        let (stored, plan) = self.events.shortlist(&id(&request.name)?, &request.etag, closed).await?;
        let (changes, change_count) = lists::first_changes(&plan.changes);
        let (event, plan) = (Some(event_out(&stored)), Some(plan_out(&stored, &plan)));
        Ok(Response::new(pb::MakeShortlistResponse { event, plan, changes, change_count }))
    }

    async fn make_schedule(&self, request: Request<pb::MakeScheduleRequest>) -> Answer<pb::MakeScheduleResponse> {
        let request = request.into_inner();
        let closed = closed(request.closed_slot_count)?;
        let (stored, plan) = self.events.schedule(&id(&request.name)?, &request.etag, closed).await?;
        let (changes, change_count) = lists::first_changes(&plan.changes);
        let (event, plan) = (Some(event_out(&stored)), Some(plan_out(&stored, &plan)));
        Ok(Response::new(pb::MakeScheduleResponse { event, plan, changes, change_count }))
    }

    async fn get_plan(&self, request: Request<pb::GetPlanRequest>) -> Answer<pb::GetPlanResponse> {
        let summary = self.events.summary(&id(&request.into_inner().name)?, lists::FIRST_CHANGES).await?;
        let (changes, _) = lists::first_changes(&summary.changes);
        let change_count = i32::try_from(summary.change_count).unwrap_or(i32::MAX);
        let (event, plan) = (Some(event_out(&summary.event)), Some(plan_out(&summary.event, &summary.plan)));
        Ok(Response::new(pb::GetPlanResponse { event, plan, changes, change_count }))
    }

    async fn list_shortlists(&self, request: Request<pb::ListShortlistsRequest>) -> Answer<pb::ListShortlistsResponse> {
        Ok(Response::new(lists::shortlists(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn list_meetings(&self, request: Request<pb::ListMeetingsRequest>) -> Answer<pb::ListMeetingsResponse> {
        Ok(Response::new(lists::meetings(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn list_meeting_changes(
        &self,
        request: Request<pb::ListMeetingChangesRequest>,
    ) -> Answer<pb::ListMeetingChangesResponse> {
        Ok(Response::new(lists::changes(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    async fn set_event_state(&self, request: Request<pb::SetEventStateRequest>) -> Answer<pb::SetEventStateResponse> {
        let request = request.into_inner();
        let unknown = || Error::from(Violation::new("state", Problem::UnknownCode { table: EventState::NAME }));
        let state = match request.state {
            0 => return Err(missing("state").into()),
            state => EventState::from_number(state).ok_or_else(unknown)?,
        };
        let stored = self.events.set_state(&id(&request.name)?, state, &request.etag).await?;
        Ok(Response::new(pb::SetEventStateResponse { event: Some(event_out(&stored)) }))
    }

    async fn record_outcomes(&self, request: Request<pb::RecordOutcomesRequest>) -> Answer<pb::RecordOutcomesResponse> {
        let request = request.into_inner();
        let changes = outcomes_in(request.outcomes).map_err(Error::from)?;
        let outcomes = self.events.record(&id(&request.name)?, &changes).await?;
        Ok(Response::new(pb::RecordOutcomesResponse { outcomes: outcomes.into_iter().map(outcome_out).collect() }))
    }

    async fn list_outcomes(&self, request: Request<pb::ListOutcomesRequest>) -> Answer<pb::ListOutcomesResponse> {
        Ok(Response::new(lists::outcomes(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }

    type ExportEventStream = Answers<pb::ExportEventResponse>;

    async fn export_event(&self, request: Request<pb::ExportEventRequest>) -> Answer<Self::ExportEventStream> {
        Ok(Response::new(event_file::export(&self.events, request.into_inner()).await?))
    }

    async fn get_event_statistics(
        &self,
        request: Request<pb::GetEventStatisticsRequest>,
    ) -> Answer<pb::GetEventStatisticsResponse> {
        Ok(Response::new(lists::statistics(&self.events, request.into_inner(), self.signing.key().await?).await?))
    }
}

// === impl EventRpcs ===

impl EventRpcs {
    /// Creates the service from its parts.
    pub fn new(parts: &Parts) -> Self {
        Self { events: parts.events.clone(), signing: parts.signing.clone() }
    }
}

fn id(name: &str) -> Result<String, Error> {
    Ok(event_name_in(name, "name")?)
}

fn missing(field: &str) -> Error {
    Violation::new(field, Problem::Required).into()
}

fn closed(count: i32) -> Result<usize, Error> {
    let found = usize::try_from(count).ok().filter(|count| *count <= MAX_SLOTS);
    let max = i64::try_from(MAX_SLOTS).unwrap_or(i64::MAX);
    found.ok_or_else(|| Violation::new("closed_slot_count", Problem::OutOfRange { min: 0, max }).into())
}

/// Reads the participants to add: by name or by filter, not both.
fn who(request: pb::AddParticipantsRequest) -> Result<Who, Error> {
    if !request.participants.is_empty() {
        if request.kind != 0 {
            return Err(Violation::new("kind", Problem::Contradiction).into());
        }
        return Ok(Who::Given(participants_in(request.participants)?));
    }
    if request.kind == 0 {
        return Err(missing("participants"));
    }
    let kind = kind_in(request.kind, "kind")?;
    let filter = Box::new(filter_in(request.filter, kind)?);
    let mut found = Violations::default();
    let limit = super::convert::event::number(request.limit, "limit", &mut found);
    if !found.is_empty() {
        return Err(found.into());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Who::Found { kind, filter, limit: if limit == 0 { MAX_PARTICIPANTS } else { limit } })
}
