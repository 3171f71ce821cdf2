//! Outcomes of meetings: recording, listing, counting.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Events, life::check_list, now, store, stored::StoredEvent};
use crate::{
    error::{Error, Result},
    events::model::{
        Attendance, Consent, EventError, Outcome, OutcomeProgress, Pair, Participant, Plan, Shortlisted, Statistics,
        participant::by_record,
    },
};
use duijie_core::domain::{RecordName, Violations};
use duijie_store::PointId;

/// Maximum outcomes per page.
pub const MAX_OUTCOME_PAGE: usize = 500;
/// Maximum outcomes per call.
const MAX_CALL: usize = 500;
/// Maximum attempts of a write that conflicts with others.
const TRIES: usize = 5;

/// Change of a pair's outcome. `None` keeps the recorded value.
#[derive(Debug, Clone)]
pub struct OutcomeChange {
    /// The pair.
    pub pair: Pair,
    /// Attendance with its related fields.
    pub result: Option<Recorded>,
    /// Whether the demand side consents to show its contact to the other side.
    pub demand_consents: Option<bool>,
    /// Whether the counterpart side consents likewise.
    pub counterpart_consents: Option<bool>,
}

/// Attendance, progress and note of a meeting.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Whether the meeting was held.
    pub attendance: Attendance,
    /// Record that replaced the counterpart.
    pub replaced_by: Option<RecordName>,
    /// Progress after the meeting.
    pub progress: Option<OutcomeProgress>,
    /// Note of the staff.
    pub note: String,
}

/// Selection of outcomes to list.
#[derive(Debug, Clone)]
pub struct OutcomeQuery {
    /// Id of the event; `None`: all events.
    pub event: Option<String>,
    /// Position after which the page starts.
    pub after: Option<PointId>,
    /// Maximum outcomes, 1 to [`MAX_OUTCOME_PAGE`].
    pub limit: usize,
}

/// A page of outcomes in a stable order.
#[derive(Debug, Clone)]
pub struct OutcomePage {
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Position after which the next page starts.
    pub next: Option<PointId>,
}

/// Plan and participants of an event, indexed by pair and record.
struct Known<'a> {
    stored: &'a StoredEvent,
    plan: &'a Plan,
    shortlist: BTreeMap<&'a Pair, &'a Shortlisted>,
    slots: BTreeMap<&'a Pair, usize>,
    participants: BTreeMap<&'a RecordName, &'a Participant>,
}

// === impl Events ===

impl Events {
    /// Records outcomes. All are checked before the first write; writes are independent. Idempotent.
    ///
    /// # Errors
    /// All violations, with paths below `outcomes`; [`EventError::NoMeeting`] for a pair that was never planned.
    pub async fn record(&self, id: &str, changes: &[OutcomeChange]) -> Result<Vec<Outcome>> {
        check_list("outcomes", changes.len(), MAX_CALL)?;
        let (stored, plan) = self.plan(id).await?;
        let participants = self.store.participants(id).await?;
        let known = Known {
            stored: &stored,
            plan: &plan,
            shortlist: plan.shortlist.iter().map(|it| (&it.pair, it)).collect(),
            slots: plan.meetings.iter().map(|it| (&it.pair, it.slot)).collect(),
            participants: by_record(&participants),
        };
        let (mut violations, mut found) = (Violations::default(), Vec::new());
        for (index, change) in changes.iter().enumerate() {
            let (before, version) = self.store.outcome(id, &change.pair).await?;
            let after = known.changed(before.clone(), change)?;
            if let Err(mut more) = after.check() {
                more.rename(|field| field.replacen("outcome", &format!("outcomes[{index}]"), 1));
                violations.join(more);
            }
            found.push((before, version, after));
        }
        if !violations.is_empty() {
            return Err(violations.into());
        }
        let mut recorded = Vec::with_capacity(changes.len());
        for (change, (before, version, after)) in changes.iter().zip(found) {
            recorded.push(self.write_outcome(&known, change, before, version, after).await?);
        }
        Ok(recorded)
    }

    /// Writes an outcome. After a conflicting write, applies the change to the newer outcome.
    async fn write_outcome(
        &self,
        known: &Known<'_>,
        change: &OutcomeChange,
        mut before: Option<Outcome>,
        mut version: u64,
        mut after: Outcome,
    ) -> Result<Outcome> {
        for _ in 0..TRIES {
            if let Some(before) = &before {
                let same = Outcome { update_time: before.update_time, ..after.clone() };
                if same == *before {
                    return Ok(same);
                }
            }
            if self.store.write_outcome(&after, version).await? {
                return Ok(after);
            }
            (before, version) = self.store.outcome(&after.event, &after.pair).await?;
            after = known.changed(before.clone(), change)?;
        }
        Err(Error::Busy { retry_ms: super::RETRY_MS })
    }

    /// Returns the outcome of a pair.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::NoOutcome`].
    pub async fn outcome(&self, id: &str, pair: &Pair) -> Result<Outcome> {
        self.store.event(id).await?;
        let (found, _) = self.store.outcome(id, pair).await?;
        found.ok_or_else(|| EventError::NoOutcome(Box::new(pair.clone())).into())
    }

    /// Returns a page of outcomes.
    ///
    /// # Errors
    /// [`EventError::NotFound`] if the event does not exist.
    pub async fn outcomes(&self, query: OutcomeQuery) -> Result<OutcomePage> {
        if let Some(id) = &query.event {
            self.store.event(id).await?;
        }
        let limit = query.limit.clamp(1, MAX_OUTCOME_PAGE);
        let page = self.store.outcomes(query.event.as_deref(), query.after, limit).await?;
        Ok(OutcomePage { outcomes: page.items, next: page.next })
    }

    /// Returns the position of an outcome in [`Events::outcomes`].
    pub(crate) fn outcome_place(outcome: &Outcome) -> PointId {
        store::outcome_place(outcome)
    }

    /// Returns all outcomes of an event, ordered by pair; at most as many as the plan has pairs.
    pub(super) async fn all_outcomes(&self, id: &str) -> Result<Vec<Outcome>> {
        let mut all = Vec::new();
        self.store.each_outcome(Some(id), |outcome| all.push(outcome)).await?;
        all.sort_by(|one: &Outcome, other| one.pair.cmp(&other.pair));
        Ok(all)
    }

    /// Counts the outcomes of one event or of all events.
    ///
    /// # Errors
    /// [`EventError::NotFound`] if the event does not exist.
    pub async fn statistics(&self, id: Option<&str>) -> Result<Statistics> {
        if let Some(id) = id {
            self.store.event(id).await?;
        }
        let mut statistics = Statistics::default();
        self.store.each_outcome(id, |outcome| statistics.add(&outcome)).await?;
        Ok(statistics)
    }
}

// === impl Known ===

impl Known<'_> {
    /// Returns the changed outcome.
    fn changed(&self, before: Option<Outcome>, change: &OutcomeChange) -> Result<Outcome> {
        let mut after = match &before {
            Some(before) => before.clone(),
            None => self.fresh(&change.pair)?,
        };
        if let Some(result) = &change.result {
            after.attendance = result.attendance;
            after.replaced_by.clone_from(&result.replaced_by);
            after.progress = result.progress;
            after.note.clone_from(&result.note);
        }
        let Consent { demand, counterpart } = after.consent;
        after.consent = Consent {
            demand: change.demand_consents.unwrap_or(demand),
            counterpart: change.counterpart_consents.unwrap_or(counterpart),
        };
        after.update_time = now();
        if let Some(before) = &before {
            after.remember(before);
        }
        Ok(after)
    }

    /// Returns a booked outcome with the planned figures.
    fn fresh(&self, pair: &Pair) -> Result<Outcome> {
        let planned = self.shortlist.get(pair);
        let slot = self.slots.get(pair);
        if planned.is_none() && slot.is_none() {
            return Err(EventError::NoMeeting(Box::new(pair.clone())).into());
        }
        let demand = self.participants.get(&pair.demand);
        Ok(Outcome {
            pair: pair.clone(),
            event: self.stored.event.id.clone(),
            date: self.date(slot.copied()),
            attendance: Attendance::Booked,
            replaced_by: None,
            progress: None,
            consent: Consent::default(),
            note: String::new(),
            score: planned.map(|it| it.score),
            level: planned.and_then(|it| it.level),
            versions: self.plan.versions.clone(),
            city: demand.map(|it| it.city()).unwrap_or_default(),
            field: demand.map(|it| it.field_root().to_string()).unwrap_or_default(),
            update_time: now(),
            history: Vec::new(),
        })
    }

    fn date(&self, slot: Option<usize>) -> Date {
        let event = &self.stored.event;
        slot.and_then(|slot| event.slots.get(slot)).map_or_else(|| event.first_day(), |slot| slot.date)
    }
}
