//! Pages of an event's lists: participants, shortlists, meetings, outcomes.

use std::collections::BTreeMap;

use prost::Message;

use super::{
    catalog::{bad_token, page_size},
    convert::{
        event::{event_name_in, participant_out, record_name_in},
        outcome::outcome_out,
        plan::{meetings_out, shortlist_out, unplaced_out},
    },
    page_token,
};
use crate::{
    error::{Error, Result},
    events::{
        model::{EventError, LeftOut, Meeting, Shortlisted, participant::by_record},
        service::{Events, MAX_OUTCOME_PAGE, OutcomeQuery, Report},
    },
};
use duijie_core::domain::RecordName;
use duijie_proto as pb;
use duijie_store::PointId;

/// Default page size of participants and shortlists.
const DEFAULT_PAGE: usize = 50;
/// Default page size of meetings and outcomes.
const DEFAULT_LONG_PAGE: usize = 200;
/// Maximum meetings per page.
const MAX_MEETINGS: usize = 1_000;
/// Maximum pairs without a meeting on the first page.
const MAX_UNPLACED: usize = 1_000;

/// Position in a list of a plan: the plan's number and the index.
struct Place {
    plan: u64,
    at: u64,
}

/// Returns a page of participants.
pub async fn participants(
    events: &Events,
    request: pb::ListParticipantsRequest,
) -> Result<pb::ListParticipantsResponse> {
    let query = pb::ListParticipantsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let query = query.encode_to_vec();
    let limit = page_size(request.page_size, DEFAULT_PAGE)?;
    let after = page_token::read(&request.page_token, &query)?;
    let after = after.map(|bytes| String::from_utf8(bytes).ok().and_then(|name| name.parse::<RecordName>().ok()));
    let after = after.map(|name| name.ok_or_else(bad_token)).transpose()?;
    let all = events.participants(&event_name_in(&request.name, "name")?).await?;
    let start = after.map_or(0, |after| all.partition_point(|it| it.record <= after));
    let more = start + limit < all.len();
    let page: Vec<_> = all.into_iter().skip(start).take(limit).collect();
    let last = page.last().filter(|_| more).map(|it| it.record.to_string());
    Ok(pb::ListParticipantsResponse {
        participants: page.into_iter().map(participant_out).collect(),
        next_page_token: last.map(|last| page_token::write(last.as_bytes(), &query)).unwrap_or_default(),
    })
}

/// Returns a page of shortlists.
pub async fn shortlists(events: &Events, request: pb::ListShortlistsRequest) -> Result<pb::ListShortlistsResponse> {
    let query = pb::ListShortlistsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let query = query.encode_to_vec();
    let limit = page_size(request.page_size, DEFAULT_PAGE)?;
    let demand = record_in(&request.demand, "demand")?;
    let report = planned(events, &request.name).await?;
    let start = Place::read(&request.page_token, &query, &report)?;
    let mut lists: BTreeMap<&RecordName, (Vec<&Shortlisted>, Vec<&LeftOut>)> = BTreeMap::new();
    let wanted = |record: &RecordName| demand.as_ref().is_none_or(|demand| demand == record);
    for it in report.plan.shortlist.iter().filter(|it| wanted(&it.pair.demand)) {
        lists.entry(&it.pair.demand).or_default().0.push(it);
    }
    for it in report.plan.left_out.iter().filter(|it| wanted(&it.pair.demand)) {
        lists.entry(&it.pair.demand).or_default().1.push(it);
    }
    let titles = by_record(&report.participants);
    let page = lists.iter().skip(start).take(limit);
    Ok(pb::ListShortlistsResponse {
        shortlists: page.map(|(demand, (chosen, left))| shortlist_out(demand, chosen, left, &titles)).collect(),
        next_page_token: Place::next(start + limit, lists.len(), &report, &query),
    })
}

/// Returns a page of meetings.
pub async fn meetings(events: &Events, request: pb::ListMeetingsRequest) -> Result<pb::ListMeetingsResponse> {
    let query = pb::ListMeetingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let query = query.encode_to_vec();
    let limit = long_page(request.page_size, MAX_MEETINGS)?;
    let record = record_in(&request.record, "record")?;
    let report = planned(events, &request.name).await?;
    let start = Place::read(&request.page_token, &query, &report)?;
    let wanted = |pair: &crate::events::model::Pair| record.as_ref().is_none_or(|record| pair.has(record));
    let meetings: Vec<&Meeting> = report.plan.meetings.iter().filter(|it| wanted(&it.pair)).collect();
    let page: Vec<&Meeting> = meetings.iter().skip(start).take(limit).copied().collect();
    let unplaced = report.plan.unplaced.iter().filter(|it| start == 0 && wanted(&it.pair)).take(MAX_UNPLACED);
    Ok(pb::ListMeetingsResponse {
        meetings: meetings_out(&report, &page),
        unplaced: unplaced.map(unplaced_out).collect(),
        next_page_token: Place::next(start + limit, meetings.len(), &report, &query),
    })
}

/// Returns a page of outcomes.
pub async fn outcomes(events: &Events, request: pb::ListOutcomesRequest) -> Result<pb::ListOutcomesResponse> {
    let query = pb::ListOutcomesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let query = query.encode_to_vec();
    let limit = long_page(request.page_size, MAX_OUTCOME_PAGE)?;
    let after = match page_token::read(&request.page_token, &query)? {
        Some(position) => Some(super::catalog::point_id(&position).ok_or_else(bad_token)?),
        None => None,
    };
    let event = optional_event(&request.name)?;
    let page = events.outcomes(OutcomeQuery { event, after, limit }).await?;
    Ok(pb::ListOutcomesResponse {
        outcomes: page.outcomes.into_iter().map(outcome_out).collect(),
        next_page_token: page.next.map(|id| next(id, &query)).unwrap_or_default(),
    })
}

/// Returns the id of the event that a request names; `None` for all events.
pub fn optional_event(name: &str) -> Result<Option<String>> {
    if name.is_empty() { Ok(None) } else { Ok(Some(event_name_in(name, "name")?)) }
}

/// Returns the page token for the entries after a document.
pub fn next(id: PointId, query: &[u8]) -> String {
    page_token::write(id.uuid().as_bytes(), query)
}

async fn planned(events: &Events, name: &str) -> Result<Report> {
    let report = events.report(&event_name_in(name, "name")?).await?;
    if report.event.plan.is_some() { Ok(report) } else { Err(EventError::NoShortlist.into()) }
}

fn record_in(name: &str, field: &str) -> Result<Option<RecordName>> {
    if name.is_empty() { Ok(None) } else { Ok(Some(record_name_in(name, field)?)) }
}

/// Like [`page_size`], with a larger default and the given maximum.
fn long_page(asked: i32, most: usize) -> Result<usize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_LONG_PAGE),
        Ok(size) => Ok(size.min(most)),
        Err(_) => page_size(asked, DEFAULT_LONG_PAGE),
    }
}

// === impl Place ===

impl Place {
    /// Returns the index of the first entry of the page.
    fn read(token: &str, query: &[u8], report: &Report) -> Result<usize> {
        let Some(bytes) = page_token::read(token, query)? else { return Ok(0) };
        let (plan, at) = bytes.split_at_checked(8).ok_or_else(bad_token)?;
        let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
        let place = Self { plan: number(plan).ok_or_else(bad_token)?, at: number(at).ok_or_else(bad_token)? };
        // the earlier pages belong to an outdated plan
        if place.plan != report.plan.number {
            return Err(bad_token());
        }
        usize::try_from(place.at).map_err(|_| bad_token())
    }

    /// Returns the token of the next page; empty on the last page.
    fn next(at: usize, len: usize, report: &Report, query: &[u8]) -> String {
        if len <= at {
            return String::new();
        }
        let place = Self { plan: report.plan.number, at: at as u64 };
        let bytes = [place.plan.to_be_bytes(), place.at.to_be_bytes()].concat();
        page_token::write(&bytes, query)
    }
}

/// Moves the field paths of an event's violations below `event`.
pub fn below_event(error: Error) -> Error {
    let Error::Invalid(mut violations) = error else { return error };
    let outside = ["event", "event_id", "request_id", "name"];
    for violation in &mut violations {
        let first = violation.field.split(['.', '[']).next().unwrap_or_default();
        if !outside.contains(&first) {
            violation.field.insert_str(0, "event.");
        }
    }
    Error::Invalid(violations)
}
