//! Life cycle of events: create, read, change, publish, delete.

use super::{
    Events, now, store,
    stored::{ParticipantCounts, Request, StoredEvent},
};
use crate::{
    error::{Error, Result},
    events::model::{Edits, Event, EventError, EventState, edit::Decision},
};
use duijie_core::domain::{Code, Problem, Violation, check::check_text};
use duijie_store::PointId;

/// Maximum characters of an idempotency key.
pub const MAX_REQUEST_ID_CHARS: usize = 64;
/// Characters of generated ids.
const MADE_ID_CHARS: usize = 16;

/// A page of events in a stable order.
#[derive(Debug, Clone)]
pub struct Page {
    /// Events.
    pub events: Vec<StoredEvent>,
    /// Position after which the next page starts.
    pub next: Option<PointId>,
}

// === impl Events ===

impl Events {
    /// Creates an event, once per `request_id`. An event without an id gets one derived from `request_id`, or a random
    /// one.
    ///
    /// # Errors
    /// All violations; [`EventError::Exists`], [`EventError::RequestReused`].
    pub async fn create(&self, mut event: Event, request_id: &str) -> Result<StoredEvent> {
        check_text(request_id, 0, MAX_REQUEST_ID_CHARS, false).map_err(|it| Violation::new("request_id", it))?;
        if event.id.is_empty() {
            event.id = made_id(request_id);
        }
        let time = now();
        let fresh =
            Event { state: EventState::Draft, inputs: 0, layout: 0, create_time: time, update_time: time, ..event };
        let event = fresh.checked()?;
        let request = (!request_id.is_empty()).then(|| Request { id: request_id.to_string(), hash: content(&event) });
        let counts = ParticipantCounts::default();
        let stored = StoredEvent { event, request: request.clone(), counts, plan: None, version: 0 };
        let id = stored.event.id.clone();
        match (self.store.write_event(stored).await, request) {
            (Err(Error::Refused(refusal)), Some(request)) if refusal == EventError::Exists(id.clone()).into() => {
                let there = self.store.event(&id).await?;
                match there.request.as_ref().filter(|known| known.id == request.id) {
                    Some(known) if known.hash == request.hash => Ok(there),
                    Some(_) => Err(EventError::RequestReused.into()),
                    None => Err(EventError::Exists(id).into()),
                }
            }
            (written, _) => written,
        }
    }

    /// Returns an event.
    ///
    /// # Errors
    /// [`EventError::NotFound`].
    pub async fn get(&self, id: &str) -> Result<StoredEvent> {
        self.store.event(id).await
    }

    /// Returns a page of events.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn list(&self, after: Option<PointId>, limit: usize) -> Result<Page> {
        let page = self.store.events(after, limit).await?;
        Ok(Page { events: page.items, next: page.next })
    }

    /// Returns the position of an event in [`Events::list`].
    pub fn place(event: &StoredEvent) -> PointId {
        store::event_place(&event.event.id)
    }

    /// Changes title, place, slots, tables and rules: `change` makes the new event from the stored one, which no other
    /// caller changes meanwhile. State, counters and times of the new one are ignored. After publication, slots can
    /// only be added after the last one and tables can only be added. Before publication, other slots or fewer tables
    /// discard the schedule and turn locks into pins.
    ///
    /// # Errors
    /// All violations; [`EventError::Stale`], [`EventError::WrongState`].
    pub async fn update(
        &self,
        id: &str,
        etag: &str,
        change: impl FnOnce(&StoredEvent) -> Result<Event> + Send,
    ) -> Result<StoredEvent> {
        self.alone(id, self.updated(id, etag, change)).await
    }

    async fn updated(
        &self,
        id: &str,
        etag: &str,
        change: impl FnOnce(&StoredEvent) -> Result<Event> + Send,
    ) -> Result<StoredEvent> {
        let mut stored = self.seen(id, etag).await?;
        let old = stored.event.clone();
        let new = Event {
            state: old.state,
            inputs: old.inputs,
            layout: old.layout,
            create_time: old.create_time,
            update_time: old.update_time,
            ..change(&stored)?
        };
        let mut new = new.checked()?;
        if new == old {
            return Ok(stored);
        }
        let keeps_places = new.slots.starts_with(&old.slots) && old.tables <= new.tables;
        if old.state == EventState::Published && !keeps_places {
            return Err(wrong_state(&old, "改动已有的时段或减少桌数"));
        }
        new.inputs += u64::from(new.rules != old.rules);
        let is_laid_out = (&new.slots, new.tables, new.spare_percent) == (&old.slots, old.tables, old.spare_percent);
        new.layout += u64::from(!is_laid_out);
        stored.event = new;
        if !keeps_places {
            self.undo_schedule(&mut stored).await?;
        }
        self.keep(stored).await
    }

    /// Removes the meetings from the plan and turns locks into pins.
    async fn undo_schedule(&self, stored: &mut StoredEvent) -> Result<()> {
        let id = stored.event.id.clone();
        let mut edits = self.store.edits(&id).await?;
        let is_locked = |decision: &Decision| matches!(decision, Decision::Locked { .. });
        if edits.0.values().any(is_locked) {
            edits.0.values_mut().filter(|it| is_locked(it)).for_each(|it| *it = Decision::Pinned);
            self.store.write_edits(&id, &edits).await?;
        }
        if let Some(pointer) = stored.plan.clone() {
            let mut plan = self.store.plan(&pointer).await?;
            plan.number += 1;
            (plan.meetings, plan.unplaced, plan.changes) = Default::default();
            plan.schedule = None;
            plan.shared.clear();
            stored.plan = Some(self.store.write_plan(&id, &plan).await?);
        }
        stored.event.state = EventState::Draft;
        Ok(())
    }

    /// Moves an event to the next state, or from review back to draft. Review and publication need a current schedule.
    ///
    /// # Errors
    /// [`EventError::Stale`], [`EventError::WrongState`], [`EventError::NoShortlist`], [`EventError::ScheduleOutdated`].
    pub(crate) async fn set_state(&self, id: &str, state: EventState, etag: &str) -> Result<StoredEvent> {
        let change = async {
            let mut stored = self.seen(id, etag).await?;
            match (stored.event.state, state) {
                (now, wanted) if now == wanted => return Ok(stored),
                (EventState::Draft, EventState::Review) | (EventState::Review, EventState::Published) => {
                    let plan = stored.plan.as_ref().ok_or(EventError::NoShortlist)?;
                    if !plan.is_scheduled || stored.is_schedule_outdated() {
                        return Err(EventError::ScheduleOutdated.into());
                    }
                }
                (EventState::Review, EventState::Draft) => {}
                _ => return Err(wrong_state(&stored.event, what(state))),
            }
            stored.event.state = state;
            self.keep(stored).await
        };
        self.alone(id, change).await
    }

    /// Deletes an event with all its data; one with outcomes only if `force` is set.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::Stale`], [`EventError::HasOutcomes`].
    pub async fn delete(&self, id: &str, etag: &str, force: bool) -> Result<()> {
        let delete = async {
            self.seen(id, etag).await?;
            let outcomes = self.store.count_outcomes(id).await?;
            if 0 < outcomes && !force {
                return Err(EventError::HasOutcomes(outcomes).into());
            }
            self.store.remove_event(id).await
        };
        self.alone(id, delete).await
    }

    /// Returns the staff decisions.
    ///
    /// # Errors
    /// [`EventError::NotFound`].
    pub async fn edits(&self, id: &str) -> Result<Edits> {
        self.store.event(id).await?;
        self.store.edits(id).await
    }
}

/// Returns the error for an operation that is not permitted in the event's state.
pub(super) fn wrong_state(event: &Event, what: &'static str) -> Error {
    EventError::WrongState { state: event.state.label(), what }.into()
}

fn what(state: EventState) -> &'static str {
    match state {
        EventState::Draft => "退回筹备",
        EventState::Review => "提交审核",
        EventState::Published => "发布，须先提交审核",
    }
}

/// Returns an id derived from the idempotency key, so that a repeated request gets the same event; random for an empty
/// key.
fn made_id(request_id: &str) -> String {
    let text = if request_id.is_empty() { uuid::Uuid::new_v4().to_string() } else { request_id.to_string() };
    store::hash(&text).chars().take(MADE_ID_CHARS).collect()
}

/// Returns the hash of the request's content.
fn content(event: &Event) -> String {
    let bare =
        Event { create_time: jiff::Timestamp::UNIX_EPOCH, update_time: jiff::Timestamp::UNIX_EPOCH, ..event.clone() };
    store::hash(&serde_json::to_string(&bare).unwrap_or_default())
}

/// Checks that a list is neither empty nor too long.
pub(super) fn check_list(field: &str, len: usize, max: usize) -> Result<()> {
    match len {
        0 => Err(Violation::new(field, Problem::Required).into()),
        len if max < len => Err(Violation::new(field, Problem::TooMany { max }).into()),
        _ => Ok(()),
    }
}
