//! All of an event at once, for lists and exports.

use std::collections::BTreeMap;

use super::{Events, stored::StoredEvent};
use crate::{
    error::Result,
    events::model::{Consent, Contact, Outcome, Pair, Participant, Plan, Statistics, participant::by_record},
};

/// All of an event, as it is at one time. Everything is in its own order.
#[derive(Debug, Clone)]
pub struct Report {
    /// The event.
    pub event: StoredEvent,
    /// The plan that holds; an empty one before the first.
    pub plan: Plan,
    /// Everybody, those who called off, too, in the order of their records.
    pub participants: Vec<Participant>,
    /// Outcomes in the order of their pairs.
    pub outcomes: Vec<Outcome>,
}

// === impl Events ===

impl Events {
    /// Reads all of an event.
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
    /// Who agrees to show contacts, by pair; pairs of which nothing is recorded are left out.
    pub fn consents(&self) -> BTreeMap<&Pair, Consent> {
        self.outcomes.iter().map(|it| (&it.pair, it.consent)).collect()
    }

    /// The contacts of some pairs, the demand's first: whole where both sides agree, masked otherwise.
    pub fn contacts<'a>(
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

    /// The outcomes counted.
    pub fn statistics(&self) -> Statistics {
        Statistics::of(&self.outcomes)
    }
}
