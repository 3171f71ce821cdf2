//! All data of an event, for exports.

use std::collections::BTreeMap;

use super::{Events, stored::StoredEvent};
use crate::{
    error::Result,
    events::model::{Consent, Contact, Outcome, Pair, Participant, Plan, Statistics, participant::by_record},
};

/// All data of an event at one time, in canonical order; or that of one page of a list.
#[derive(Debug, Clone)]
pub struct Report {
    /// The event.
    pub event: StoredEvent,
    /// The current plan; an empty one before the first.
    pub plan: Plan,
    /// All participants, ordered by record, including cancelled ones.
    pub participants: Vec<Participant>,
    /// Outcomes, ordered by pair.
    pub outcomes: Vec<Outcome>,
}

// === impl Events ===

impl Events {
    /// Reads all data of an event.
    ///
    /// # Errors
    /// [`crate::events::model::EventError::NotFound`].
    pub async fn report(&self, id: &str) -> Result<Report> {
        let event = self.store.event(id).await?;
        let plan = async {
            match &event.plan {
                Some(pointer) => self.store.plan(pointer).await,
                None => Ok(Plan::default()),
            }
        };
        let (plan, participants, outcomes) =
            futures::try_join!(plan, self.store.participants(id), self.all_outcomes(id))?;
        Ok(Report { event, plan, participants, outcomes })
    }
}

// === impl Report ===

impl Report {
    /// Returns the consent to show contacts by pair; pairs without an outcome are omitted.
    pub fn consents(&self) -> BTreeMap<&Pair, Consent> {
        self.outcomes.iter().map(|it| (&it.pair, it.consent)).collect()
    }

    /// Returns the contacts of pairs, the demand's first: in full if both sides consent, masked otherwise.
    pub(crate) fn contacts<'a>(
        &'a self,
        pairs: impl IntoIterator<Item = &'a Pair>,
    ) -> BTreeMap<&'a Pair, (Contact, Contact, bool)> {
        let (participants, consents) = (by_record(&self.participants), self.consents());
        let contacts = |pair: &'a Pair| {
            let agreed = consents.get(pair).is_some_and(|consent| consent.of_both());
            let shown = |record| participants.get(record).map(|it| it.contact.shown(agreed)).unwrap_or_default();
            (pair, (shown(&pair.demand), shown(&pair.counterpart), agreed))
        };
        pairs.into_iter().map(contacts).collect()
    }

    /// Returns the counts of the outcomes.
    pub fn statistics(&self) -> Statistics {
        Statistics::of(&self.outcomes)
    }
}
