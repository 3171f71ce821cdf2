//! Pages of an event's lists: participants, edits, shortlists, meetings, changes, outcomes, statistics.

use std::collections::BTreeMap;

use prost::Message;

use super::{
    convert::{
        event::{edit_out, event_name_in, event_out, participant_out, record_name_in},
        outcome::{counts_out, group_out, outcome_out},
        plan::{change_out, meetings_out, shortlist_out, unplaced_out},
    },
    page::{Paging, Position, Room, Sizes, bad_token, fit},
};
use crate::{
    error::{Error, Result},
    events::{
        model::{Change, Grouping, LeftOut, Pair, Shortlisted, participant::by_record},
        service::{Events, ListRange, MAX_OUTCOME_PAGE, OutcomeQuery},
    },
    signing::SigningKey,
};
use duijie_core::domain::{Code, RecordName};
use duijie_proto as pb;

/// Pages of events, participants and shortlists.
const SIZES: Sizes = Sizes { default: 50, max: 200 };
/// Pages of edits, meetings and changes.
const LONG_SIZES: Sizes = Sizes { default: 200, max: 1_000 };
/// Pages of outcomes.
const OUTCOME_SIZES: Sizes = Sizes { default: 200, max: MAX_OUTCOME_PAGE };
/// Pages of groups.
const GROUP_SIZES: Sizes = Sizes { default: 1_000, max: 1_000 };
/// The changes in an answer that is no list.
pub const FIRST_CHANGES: ListRange = ListRange { start: 0, limit: 1_000 };

/// Position in a list of a plan: the plan's number and the number of entries before.
struct Place {
    plan: u64,
    at: u64,
}

/// Position in the statistics: the last group before.
struct GroupPlace {
    by: u8,
    key: String,
}

/// Returns a page of events.
pub async fn events(
    events: &Events,
    mut request: pb::ListEventsRequest,
    key: SigningKey,
) -> Result<pb::ListEventsResponse> {
    let paging = Paging::of(&mut request, SIZES, key)?;
    let page = events.list(paging.start()?, paging.size).await?;
    let (events, next) = fit(page.events.iter().map(|it| (Events::place(it), event_out(it))), page.next);
    Ok(pb::ListEventsResponse { events, next_page_token: paging.token(next) })
}

/// Returns a page of participants.
pub async fn participants(
    events: &Events,
    mut request: pb::ListParticipantsRequest,
    key: SigningKey,
) -> Result<pb::ListParticipantsResponse> {
    let paging = Paging::of(&mut request, SIZES, key)?;
    let after = paging.start::<RecordName>()?;
    let all = events.participants(&event_name_in(&request.name, "name")?).await?;
    let start = after.map_or(0, |after| all.partition_point(|it| it.record <= after));
    let next = last_of(&all, start, paging.size).map(|it| it.record.clone());
    let page = all.into_iter().skip(start).take(paging.size);
    let (participants, next) = fit(page.map(|it| (it.record.clone(), participant_out(it))), next);
    Ok(pb::ListParticipantsResponse { participants, next_page_token: paging.token(next) })
}

/// Returns a page of staff decisions.
pub async fn edits(
    events: &Events,
    mut request: pb::ListEditsRequest,
    key: SigningKey,
) -> Result<pb::ListEditsResponse> {
    let paging = Paging::of(&mut request, LONG_SIZES, key)?;
    let after = paging.start::<Pair>()?;
    let all: Vec<_> = events.edits(&event_name_in(&request.name, "name")?).await?.0.into_iter().collect();
    let start = after.map_or(0, |after| all.partition_point(|(pair, _)| *pair <= after));
    let next = last_of(&all, start, paging.size).map(|(pair, _)| pair.clone());
    let page = all.into_iter().skip(start).take(paging.size);
    let (edits, next) = fit(page.map(|(pair, decision)| (pair.clone(), edit_out(pair, decision))), next);
    Ok(pb::ListEditsResponse { edits, next_page_token: paging.token(next) })
}

/// Returns a page of shortlists.
pub async fn shortlists(
    events: &Events,
    mut request: pb::ListShortlistsRequest,
    key: SigningKey,
) -> Result<pb::ListShortlistsResponse> {
    let paging = Paging::of(&mut request, SIZES, key)?;
    let demand = record_in(&request.demand, "demand")?;
    let planned = events.planned(&event_name_in(&request.name, "name")?).await?;
    let (plan, range) = (planned.number(), Place::range(&paging, planned.number())?);
    let page = events.shortlist_page(&planned, demand.as_ref(), range).await?;
    let mut lists: BTreeMap<&RecordName, (Vec<&Shortlisted>, Vec<&LeftOut>)> = BTreeMap::new();
    page.report.plan.shortlist.iter().for_each(|it| lists.entry(&it.pair.demand).or_default().0.push(it));
    page.report.plan.left_out.iter().for_each(|it| lists.entry(&it.pair.demand).or_default().1.push(it));
    let titles = by_record(&page.report.participants);
    let rows = (range.start + 1..).zip(lists).map(|(behind, (demand, (chosen, left)))| {
        (Place::new(plan, behind), shortlist_out(demand, &chosen, &left, &titles))
    });
    let (shortlists, next) = fit(rows, page.next.map(|next| Place::new(plan, next)));
    Ok(pb::ListShortlistsResponse { shortlists, next_page_token: paging.token(next) })
}

/// Returns a page of meetings; pairs without a meeting come before them.
pub async fn meetings(
    events: &Events,
    mut request: pb::ListMeetingsRequest,
    key: SigningKey,
) -> Result<pb::ListMeetingsResponse> {
    let paging = Paging::of(&mut request, LONG_SIZES, key)?;
    let record = record_in(&request.record, "record")?;
    let planned = events.planned(&event_name_in(&request.name, "name")?).await?;
    let (plan, range) = (planned.number(), Place::range(&paging, planned.number())?);
    let page = events.meeting_page(&planned, record.as_ref(), range).await?;
    let places = (range.start + 1..).map(|behind| Place::new(plan, behind));
    let mut room = Room::default();
    let unplaced: Vec<_> = page.report.plan.unplaced.iter().map(unplaced_out).collect();
    let behind = range.start + unplaced.len();
    let (unplaced, cut) = room.fit(places.zip(unplaced), None, Message::encoded_len);
    if cut.is_some() {
        return Ok(pb::ListMeetingsResponse { unplaced, next_page_token: paging.token(cut), ..Default::default() });
    }
    let places = (behind + 1..).map(|behind| Place::new(plan, behind));
    let rows = places.zip(meetings_out(&page.report));
    let next = page.next.map(|next| Place::new(plan, next));
    let (meetings, next) = room.fit_after(Some(Place::new(plan, behind)), rows, next, Message::encoded_len);
    Ok(pb::ListMeetingsResponse { meetings, unplaced, next_page_token: paging.token(next) })
}

/// Returns a page of the changes since the plan before.
pub async fn changes(
    events: &Events,
    mut request: pb::ListMeetingChangesRequest,
    key: SigningKey,
) -> Result<pb::ListMeetingChangesResponse> {
    let paging = Paging::of(&mut request, LONG_SIZES, key)?;
    let planned = events.planned(&event_name_in(&request.name, "name")?).await?;
    let (plan, range) = (planned.number(), Place::range(&paging, planned.number())?);
    let (changes, next) = events.change_page(&planned, range).await?;
    let places = (range.start + 1..).map(|behind| Place::new(plan, behind));
    let (changes, next) = fit(places.zip(changes.iter().map(change_out)), next.map(|next| Place::new(plan, next)));
    Ok(pb::ListMeetingChangesResponse { changes, next_page_token: paging.token(next) })
}

/// Returns the first changes, for an answer that is no list, and the number of all.
pub fn first_changes(changes: &[Change]) -> (Vec<pb::MeetingChange>, i32) {
    let first = changes.iter().take(FIRST_CHANGES.limit).map(change_out).collect();
    (first, i32::try_from(changes.len()).unwrap_or(i32::MAX))
}

/// Returns a page of outcomes.
pub async fn outcomes(
    events: &Events,
    mut request: pb::ListOutcomesRequest,
    key: SigningKey,
) -> Result<pb::ListOutcomesResponse> {
    let paging = Paging::of(&mut request, OUTCOME_SIZES, key)?;
    let event = optional_event(&request.name)?;
    let page = events.outcomes(OutcomeQuery { event, after: paging.start()?, limit: paging.size }).await?;
    let rows = page.outcomes.into_iter().map(|it| (Events::outcome_place(&it), outcome_out(it)));
    let (outcomes, next) = fit(rows, page.next);
    Ok(pb::ListOutcomesResponse { outcomes, next_page_token: paging.token(next) })
}

/// Returns a page of the counts by group.
pub async fn statistics(
    events: &Events,
    mut request: pb::GetEventStatisticsRequest,
    key: SigningKey,
) -> Result<pb::GetEventStatisticsResponse> {
    let paging = Paging::of(&mut request, GROUP_SIZES, key)?;
    let after = paging.start::<GroupPlace>()?;
    let statistics = events.statistics(optional_event(&request.name)?.as_deref()).await?;
    let is_behind =
        |by: Grouping, key: &str| after.as_ref().is_none_or(|it| (it.by, it.key.as_str()) < (order(by), key));
    let groups =
        statistics.groups.iter().flat_map(|(by, groups)| groups.iter().map(move |(key, counts)| (*by, key, counts)));
    let mut groups = groups.filter(|(by, key, _)| is_behind(*by, key));
    let place = |by: Grouping, key: &str| GroupPlace { by: order(by), key: key.to_string() };
    let page: Vec<_> = groups.by_ref().take(paging.size).collect();
    let next = groups.next().and(page.last()).map(|(by, key, _)| place(*by, key));
    let rows = page.into_iter().map(|(by, key, counts)| (place(by, key), group_out(by, key, counts)));
    let (groups, next) = fit(rows, next);
    let (total, next_page_token) = (Some(counts_out(&statistics.total)), paging.token(next));
    Ok(pb::GetEventStatisticsResponse { total, groups, next_page_token })
}

/// Returns the id of the event that a request names; `None` for all events.
fn optional_event(name: &str) -> Result<Option<String>> {
    if name.is_empty() { Ok(None) } else { Ok(Some(event_name_in(name, "name")?)) }
}

fn record_in(name: &str, field: &str) -> Result<Option<RecordName>> {
    if name.is_empty() { Ok(None) } else { Ok(Some(record_name_in(name, field)?)) }
}

/// The last entry of a page that others follow.
fn last_of<T>(all: &[T], start: usize, size: usize) -> Option<&T> {
    let end = start.saturating_add(size);
    all.get(end).and(all.get(end.wrapping_sub(1)))
}

/// Order of the groupings in the statistics.
fn order(by: Grouping) -> u8 {
    u8::try_from(by.number()).unwrap_or(u8::MAX)
}

// === impl Place ===

impl Place {
    fn new(plan: u64, at: usize) -> Self {
        Self { plan, at: at as u64 }
    }

    /// The part of a plan's list that a caller asked for. A token of an earlier plan is refused: its other pages are of
    /// that plan.
    fn range(paging: &Paging, plan: u64) -> Result<ListRange> {
        let start = match paging.start::<Self>()? {
            Some(place) if place.plan == plan => usize::try_from(place.at).map_err(|_| bad_token())?,
            Some(_) => return Err(bad_token()),
            None => 0,
        };
        Ok(ListRange { start, limit: paging.size })
    }
}

impl Position for Place {
    fn bytes(&self) -> Vec<u8> {
        [self.plan.to_be_bytes(), self.at.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (plan, at) = bytes.split_at_checked(8)?;
        let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
        Some(Self { plan: number(plan)?, at: number(at)? })
    }
}

// === impl GroupPlace ===

impl Position for GroupPlace {
    fn bytes(&self) -> Vec<u8> {
        [&[self.by], self.key.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (by, key) = bytes.split_first()?;
        Some(Self { by: *by, key: String::from_utf8(key.to_vec()).ok()? })
    }
}

/// Moves the field paths of an event's violations below `event`.
pub fn below_event(error: Error) -> Error {
    let Error::Invalid(mut violations) = error else { return error };
    let outside = ["event", "event_id", "request_id", "name"];
    violations.rename(|field| {
        let first = field.split(['.', '[']).next().unwrap_or_default();
        if outside.contains(&first) { field.to_string() } else { format!("event.{field}") }
    });
    Error::Invalid(violations)
}
