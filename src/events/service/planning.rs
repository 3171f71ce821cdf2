//! Makes and stores shortlists and schedules.
//!
//! Before publication, shortlists and schedule are made from scratch each time; only staff decisions stay. After
//! publication, every pair and meeting that can stay stays: shortlists keep the pairs of the plan and add to them, and
//! the schedule moves only meetings that have to move.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    Events, allocate, arrange,
    scores::{self, Candidates},
    stored::StoredEvent,
};
use crate::{
    error::{Error, Result},
    events::model::{Attendance, Edits, EventError, EventState, Pair, Participant, Plan},
};
use duijie_core::domain::RecordName;
use duijie_cpu::Lane;
use duijie_store::deadline;
use tokio::time::Instant;

/// Maximum pairs of a plan: the limit of the scheduler.
const MAX_CHOSEN: usize = duijie_solver::scheduling::MAX_PAIRS;

/// Inputs of a plan.
pub(super) struct Inputs {
    pub stored: StoredEvent,
    /// All participants, ordered by record.
    pub participants: Vec<Participant>,
    pub edits: Edits,
    /// The current plan.
    pub plan: Option<Plan>,
}

/// Guard that stops the work when its caller is gone.
struct StopWhenDropped(Arc<AtomicBool>);

// === impl Events ===

impl Events {
    /// Makes the shortlists. For a published event it makes the meetings too, and the plan lists the changes. Slots
    /// before `closed` are over and get no new meetings.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`], then nothing is stored; [`EventError::Stale`], [`EventError::Contradictions`],
    /// [`EventError::TooLarge`]; as [`crate::matching::Matcher::find`].
    pub async fn shortlist(&self, id: &str, etag: &str, closed: usize) -> Result<(StoredEvent, Plan)> {
        let make = async {
            let mut inputs = self.inputs(self.seen(id, etag).await?).await?;
            let is_published = inputs.stored.event.state == EventState::Published;
            let made = async {
                let plan = self.with_shortlists(&inputs).await?;
                if is_published { self.with_meetings(&inputs, plan, closed).await } else { Ok(plan) }
            };
            let plan = self.in_time(made).await?;
            if !is_published {
                inputs.stored.event.state = EventState::Draft;
            }
            self.keep_plan(inputs, plan).await
        };
        self.alone(id, make).await
    }

    /// Makes the schedule of the shortlists. Slots before `closed` are over and get no new meetings.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`], then nothing is stored; [`EventError::Stale`], [`EventError::NoShortlist`],
    /// [`EventError::ShortlistOutdated`], [`EventError::Contradictions`], [`EventError::TooLarge`].
    pub async fn schedule(&self, id: &str, etag: &str, closed: usize) -> Result<(StoredEvent, Plan)> {
        let make = async {
            let inputs = self.inputs(self.seen(id, etag).await?).await?;
            let plan = inputs.plan.clone().ok_or(EventError::NoShortlist)?;
            if inputs.stored.is_shortlist_outdated() {
                return Err(EventError::ShortlistOutdated.into());
            }
            let next = Plan { number: plan.number + 1, ..plan };
            let plan = self.in_time(self.with_meetings(&inputs, next, closed)).await?;
            self.keep_plan(inputs, plan).await
        };
        self.alone(id, make).await
    }

    /// Returns the event with the current plan.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::NoShortlist`].
    pub async fn plan(&self, id: &str) -> Result<(StoredEvent, Plan)> {
        let stored = self.store.event(id).await?;
        let pointer = stored.plan.as_ref().ok_or(EventError::NoShortlist)?;
        let plan = self.store.plan(pointer).await?;
        Ok((stored, plan))
    }

    /// Ends the making of a plan at the deadline of planning. A caller's earlier deadline drops this future instead;
    /// both stop the optimisation.
    pub(super) async fn in_time<T>(&self, made: impl Future<Output = Result<T>>) -> Result<T> {
        let end = Instant::now() + self.planning_deadline;
        let made = tokio::time::timeout_at(end, made).await.unwrap_or(Err(Error::DeadlineExceeded))?;
        // what comes too late is not stored
        let is_late = end <= Instant::now() || deadline::left().is_some_and(|left| left.is_zero());
        if is_late { Err(Error::DeadlineExceeded) } else { Ok(made) }
    }

    /// Inputs of a plan.
    pub(super) async fn inputs(&self, stored: StoredEvent) -> Result<Inputs> {
        let id = &stored.event.id;
        let (participants, edits) = futures::try_join!(self.store.participants(id), self.store.edits(id))?;
        let plan = match &stored.plan {
            Some(pointer) => Some(self.store.plan(pointer).await?),
            None => None,
        };
        Ok(Inputs { stored, participants, edits, plan })
    }

    /// Returns a new plan with shortlists. A published event keeps the pairs of its current plan.
    pub(super) async fn with_shortlists(&self, inputs: &Inputs) -> Result<Plan> {
        let active: Vec<Participant> = inputs.participants.iter().filter(|it| it.is_active()).cloned().collect();
        let held = inputs.held_pairs();
        let names = |asks: bool| active.iter().filter(move |it| it.asks() == asks).map(|it| it.record.clone());
        let (demands, counterparts): (Vec<_>, Vec<_>) = (names(true).collect(), names(false).collect());
        let pinned = inputs.edits.0.keys().filter(|pair| inputs.edits.is_pinned(pair) && inputs.both_come(pair));
        let always: BTreeSet<Pair> = pinned.chain(&held).cloned().collect();
        let candidates = scores::candidates(&self.matcher, &demands, &counterparts, &always).await?;
        let met = self.met_before(inputs, &active).await?;
        let (event, edits) = (inputs.stored.event.clone(), inputs.edits.clone());
        let lists = compute(move |stop| {
            let (participants, candidates): (_, &Candidates) = (&active, &candidates);
            let wanted =
                allocate::Wanted { event: &event, participants, candidates, edits: &edits, held: &held, met: &met };
            allocate::shortlists(&wanted, stop)
        });
        let lists = lists.await??.ok_or(Error::DeadlineExceeded)?;
        if MAX_CHOSEN < lists.shortlist.len() {
            return Err(EventError::TooLarge(format!("选出 {} 对，至多 {MAX_CHOSEN} 对", lists.shortlist.len())).into());
        }
        let mut plan = Plan {
            number: inputs.next_number(),
            inputs: inputs.stored.event.inputs,
            layout: inputs.stored.event.layout,
            versions: self.versions.clone(),
            shortlist: lists.shortlist,
            left_out: lists.left_out,
            proof: lists.proof,
            costs: lists.costs,
            shortfalls: lists.shortfalls,
            ..Plan::default()
        };
        // up to a hundred thousand pairs
        let sort = move || {
            plan.sort();
            plan
        };
        Ok(duijie_cpu::run(Lane::Bulk, sort).await?)
    }

    /// Adds the meetings and the changes since the current plan.
    pub(super) async fn with_meetings(&self, inputs: &Inputs, mut plan: Plan, closed: usize) -> Result<Plan> {
        let before = inputs.plan.as_ref().map(|plan| plan.meetings.clone()).unwrap_or_default();
        let is_published = inputs.stored.event.state == EventState::Published;
        let (event, edits) = (inputs.stored.event.clone(), inputs.edits.clone());
        let (participants, shortlist, held) = (inputs.participants.clone(), plan.shortlist.clone(), before.clone());
        let arranged = compute(move |stop| {
            arrange::arrange(
                &arrange::Wanted {
                    event: &event,
                    participants: &participants,
                    shortlist: &shortlist,
                    edits: &edits,
                    held: is_published.then_some(held.as_slice()),
                    closed,
                },
                stop,
            )
        });
        let arranged = arranged.await??.ok_or(Error::DeadlineExceeded)?;
        plan.layout = inputs.stored.event.layout;
        plan.meetings = arranged.meetings;
        plan.unplaced = arranged.unplaced;
        plan.schedule = Some(arranged.figures);
        plan.shared = arranged.shared;
        let compare = move || {
            plan.changes = plan.changes_since(&before);
            plan.sort();
            plan
        };
        Ok(duijie_cpu::run(Lane::Bulk, compare).await?)
    }

    /// Writes the plan, then points the event to it.
    pub(super) async fn keep_plan(&self, inputs: Inputs, plan: Plan) -> Result<(StoredEvent, Plan)> {
        let mut stored = inputs.stored;
        let before = stored.plan.take();
        let pointer = self.store.write_plan(&stored.event.id, &plan).await?;
        stored.plan = Some(pointer.clone());
        let stored = self.keep(stored).await?;
        let keep: Vec<_> = before.iter().chain([&pointer]).collect();
        // plans not removed now are removed with the next plan
        if let Err(error) = self.store.clear_plans(&stored.event.id, &keep).await {
            tracing::warn!(%error, "old plans of an event were not removed");
        }
        Ok((stored, plan))
    }

    /// Returns the pairs of active participants that met at another event, each with the first such event's id.
    async fn met_before(&self, inputs: &Inputs, active: &[Participant]) -> Result<BTreeMap<Pair, String>> {
        let mut met = BTreeMap::new();
        if inputs.stored.event.rules.met_before {
            return Ok(met);
        }
        let here: BTreeSet<&RecordName> = active.iter().map(|it| &it.record).collect();
        let id = &inputs.stored.event.id;
        let take = |outcome: crate::events::model::Outcome| {
            let came = match (outcome.attendance, outcome.replaced_by) {
                (Attendance::Held, _) => outcome.pair.counterpart,
                (Attendance::Replaced, Some(other)) => other,
                _ => return,
            };
            let pair = Pair::new(outcome.pair.demand, came);
            if outcome.event != *id && here.contains(&pair.demand) && here.contains(&pair.counterpart) {
                let first = met.entry(pair).or_insert_with(|| outcome.event.clone());
                // the lowest id, independent of the reading order
                if outcome.event < *first {
                    *first = outcome.event;
                }
            }
        };
        self.store.each_outcome(None, take).await?;
        Ok(met)
    }
}

// === impl Inputs ===

impl Inputs {
    /// Returns the number of the next plan.
    pub fn next_number(&self) -> u64 {
        self.plan.as_ref().map_or(1, |plan| plan.number + 1)
    }

    /// Returns whether both sides of a pair are active.
    pub fn both_come(&self, pair: &Pair) -> bool {
        let comes = |record: &RecordName| {
            let found = self.participants.binary_search_by(|it| it.record.cmp(record)).ok();
            found.and_then(|place| self.participants.get(place)).is_some_and(Participant::is_active)
        };
        comes(&pair.demand) && comes(&pair.counterpart)
    }

    /// Returns the pairs of a published plan that can stay.
    fn held_pairs(&self) -> BTreeSet<Pair> {
        let Some(plan) = self.plan.as_ref().filter(|_| self.stored.event.state == EventState::Published) else {
            return BTreeSet::new();
        };
        let pairs = plan.shortlist.iter().map(|it| &it.pair);
        pairs.filter(|pair| self.both_come(pair) && !self.edits.is_forbidden(pair)).cloned().collect()
    }
}

/// Runs long work outside the async threads; it is told to stop when its caller is gone.
async fn compute<T: Send + 'static>(work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static) -> Result<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = StopWhenDropped(Arc::clone(&stop));
    Ok(duijie_cpu::run(Lane::Long, move || work(&|| stop.load(Ordering::Relaxed))).await?)
}

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;
    use crate::tests::{Twins, versions};

    #[tokio::test]
    async fn the_deadline_stops_the_optimisation() {
        let twins = Twins::new();
        let soon = Duration::from_millis(10);
        let events = Events::new(twins.index.clone(), twins.matcher.clone(), &versions()).with_deadline(soon);
        let (stopped, has_stopped) = mpsc::channel();
        let endless = compute(move |stop| {
            while !stop() {
                std::thread::yield_now();
            }
            stopped.send(()).unwrap();
        });
        let ended = events.in_time(endless).await;
        assert!(matches!(ended, Err(Error::DeadlineExceeded)), "{ended:?}");
        // the thread has seen it, and ends
        has_stopped.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
