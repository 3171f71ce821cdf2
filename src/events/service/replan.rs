//! Changes on the day: a cancellation with as few changes as possible for the others.

use super::{
    Events,
    participants::find,
    planning::Inputs,
    stored::{ParticipantCounts, StoredEvent},
};
use crate::{
    error::Result,
    events::model::{Certificate, Change, Meeting, Pair, ParticipantState, Plan, Proof, shared::shared},
};
use duijie_core::domain::RecordName;

/// Options of a change on the day.
#[derive(Debug, Clone, Default)]
pub struct OnTheDay {
    /// Whether other pairs may take the freed places.
    pub refill: bool,
    /// Number of first slots that are over: their meetings stay, and they get no new ones.
    pub closed: usize,
    /// Expected etag; empty matches any.
    pub etag: String,
}

/// Result of a change on the day.
#[derive(Debug, Clone)]
pub struct Replanned {
    /// The event after the change.
    pub event: StoredEvent,
    /// Removed, moved and new meetings.
    pub changes: Vec<Change>,
}

// === impl Events ===

impl Events {
    /// Cancels a participant and removes its pairs and meetings from the plan, if there is one. No other meeting moves.
    /// With `refill`, pairs that the rules allow and that fit into the freed places are added.
    ///
    /// Idempotent.
    ///
    /// # Errors
    /// [`crate::events::model::EventError::NoParticipant`], [`crate::events::model::EventError::Stale`]; with `refill` as
    /// [`Events::shortlist`].
    pub async fn cancel(&self, id: &str, record: &RecordName, how: OnTheDay) -> Result<Replanned> {
        self.alone(id, self.cancelled(id, record, how)).await
    }

    async fn cancelled(&self, id: &str, record: &RecordName, how: OnTheDay) -> Result<Replanned> {
        let mut inputs = self.inputs(self.seen(id, &how.etag).await?).await?;
        let participant = find(&mut inputs.participants, record)?;
        let is_new = participant.is_active();
        participant.state = ParticipantState::Cancelled;
        if is_new {
            let cancelled = participant.clone();
            self.store.write_participants(id, std::slice::from_ref(&cancelled)).await?;
        }
        let was_current = !inputs.stored.is_shortlist_outdated();
        inputs.stored.counts = ParticipantCounts::of(&inputs.participants);
        let Some(plan) = inputs.plan.clone() else {
            inputs.stored.event.inputs += u64::from(is_new);
            let event = if is_new { self.keep(inputs.stored).await? } else { inputs.stored };
            return Ok(Replanned { event, changes: Vec::new() });
        };
        let pruned = without(plan.clone(), record, how.closed);
        if !is_new && !how.refill && pruned.shortlist == plan.shortlist {
            return Ok(Replanned { event: inputs.stored, changes: Vec::new() });
        }
        inputs.stored.event.inputs += u64::from(is_new);
        let next = if how.refill && plan.schedule.is_some() {
            self.refilled(&mut inputs, pruned, how.closed).await?
        } else {
            // this change alone does not outdate the plan; a plan that was outdated before stays outdated
            let inputs_now = if was_current { inputs.stored.event.inputs } else { plan.inputs };
            let meets = |record: &RecordName| pruned.shortlist.iter().any(|it| it.pair.has(record));
            let shared = match pruned.schedule {
                Some(_) => shared(&inputs.participants, meets),
                None => Vec::new(),
            };
            Plan { number: inputs.next_number(), inputs: inputs_now, shared, ..pruned }
        };
        let changes = next.changes_since(&plan.meetings);
        let (event, _) = self.keep_plan(inputs, Plan { changes: changes.clone(), ..next }).await?;
        Ok(Replanned { event, changes })
    }

    /// Returns a plan with the rest of this one and the pairs that fit in addition.
    async fn refilled(&self, inputs: &mut Inputs, pruned: Plan, closed: usize) -> Result<Plan> {
        let state = inputs.stored.event.state;
        // the rest stays, as in a published plan
        inputs.stored.event.state = crate::events::model::EventState::Published;
        let number = inputs.next_number();
        inputs.plan = Some(pruned.clone());
        let made = async {
            let mut plan = self.with_shortlists(inputs).await?;
            let past = pruned.shortlist.iter().filter(|it| !inputs.both_come(&it.pair));
            plan.shortlist.extend(past.cloned());
            self.with_meetings(inputs, plan, closed).await
        };
        let made = self.in_time(made).await;
        inputs.stored.event.state = state;
        Ok(Plan { number, ..made? })
    }
}

/// Removes a participant from the plan, except for meetings in closed slots.
fn without(mut plan: Plan, record: &RecordName, closed: usize) -> Plan {
    let is_over = |meetings: &[Meeting], pair: &Pair| meetings.iter().any(|it| it.pair == *pair && it.slot < closed);
    let meetings = std::mem::take(&mut plan.meetings);
    plan.shortlist.retain(|it| !it.pair.has(record) || is_over(&meetings, &it.pair));
    plan.left_out.retain(|it| !it.pair.has(record));
    plan.unplaced.retain(|it| !it.pair.has(record));
    plan.meetings = meetings;
    plan.meetings.retain(|it| !it.pair.has(record) || it.slot < closed);
    let value = plan.shortlist.iter().map(|it| it.score).sum();
    plan.proof = Proof { value, is_optimal: false, certificate: Certificate::Cancelled, ..plan.proof };
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::{Shortlisted, Why};

    fn pair(demand: &str, counterpart: &str) -> Pair {
        Pair::new(format!("demands/{demand}").parse().unwrap(), format!("experts/{counterpart}").parse().unwrap())
    }

    #[test]
    fn a_cancellation_takes_out_its_own_meetings_that_are_to_come() {
        let pairs = [pair("a", "x"), pair("a", "y"), pair("b", "x")];
        let shortlisted =
            |pair: &Pair| Shortlisted { pair: pair.clone(), score: 0.5, level: None, rank: 1, why: Why::Chosen };
        let meeting = |(slot, pair): (usize, &Pair)| Meeting { pair: pair.clone(), slot, table: 0, locked: false };
        let plan = Plan {
            shortlist: pairs.iter().map(shortlisted).collect(),
            meetings: pairs.iter().enumerate().map(meeting).collect(),
            ..Plan::default()
        };
        let check = |record: &str, closed: usize, want: &[usize]| {
            let left = without(plan.clone(), &record.parse().unwrap(), closed);
            let slots: Vec<usize> = left.meetings.iter().map(|it| it.slot).collect();
            assert_eq!(slots, want, "{record} {closed}");
            assert_eq!(left.shortlist.len(), want.len());
            assert!((left.proof.value - 0.5 * want.len() as f64).abs() < 1e-9);
        };
        check("demands/a", 0, &[2]);
        check("demands/a", 1, &[0, 2]);
        check("experts/x", 0, &[1]);
        check("experts/z", 0, &[0, 1, 2]);
    }
}
