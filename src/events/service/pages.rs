//! Pages of a plan's lists. A page reads its pieces of the plan, its participants and its outcomes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    Events, Report, StoredEvent,
    pieces::{Head, List, Piece, joined},
    stored::PlanPointer,
};
use crate::{
    error::Result,
    events::model::{EventError, LeftOut, Pair, Plan, Shortlisted},
};
use duijie_core::domain::RecordName;

/// Pieces read together while a list is searched.
const SEARCHED: usize = 8;

/// The current plan of an event. Its lists are read page by page.
pub struct Planned {
    /// The event.
    pub event: StoredEvent,
    pointer: PlanPointer,
    head: Head,
    /// All pieces, of a plan that is stored as one text.
    whole: Option<Vec<Piece>>,
}

/// A page of a list of a plan.
pub struct ListPage {
    /// The event with the entries of this page, their participants, and for meetings their outcomes.
    pub report: Report,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<usize>,
}

// === impl Events ===

impl Events {
    /// Returns the current plan for reading its lists.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::NoShortlist`].
    pub async fn planned(&self, id: &str) -> Result<Planned> {
        let event = self.store.event(id).await?;
        let pointer = event.plan.clone().ok_or(EventError::NoShortlist)?;
        let (head, whole) = self.store.head(&pointer).await?;
        Ok(Planned { event, pointer, head, whole })
    }

    /// Returns the event with its current plan; of the lists only the changes.
    ///
    /// # Errors
    /// As [`Events::planned`].
    pub async fn summary(&self, id: &str) -> Result<(StoredEvent, Plan)> {
        let planned = self.planned(id).await?;
        let pieces = self.pieces(&planned, planned.head.of(List::Changes)).await?;
        Ok((planned.event, joined(planned.head, pieces)))
    }

    /// Returns a page of shortlists by demand, of all demands or of one.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn shortlist_page(
        &self,
        planned: &Planned,
        demand: Option<&RecordName>,
        (start, limit): (usize, usize),
    ) -> Result<ListPage> {
        let head = &planned.head;
        let end = start.saturating_add(limit);
        let (range, first) = match demand {
            Some(demand) => (head.of_demand(demand), 0),
            None => head.of_demands(start..end),
        };
        let mut lists: BTreeMap<RecordName, (Vec<Shortlisted>, Vec<LeftOut>)> = BTreeMap::new();
        let wanted = |record: &RecordName| demand.is_none_or(|demand| demand == record);
        for piece in self.pieces(planned, range).await? {
            for it in piece.shortlist.into_iter().filter(|it| wanted(&it.pair.demand)) {
                lists.entry(it.pair.demand.clone()).or_default().0.push(it);
            }
            for it in piece.left_out.into_iter().filter(|it| wanted(&it.pair.demand)) {
                lists.entry(it.pair.demand.clone()).or_default().1.push(it);
            }
        }
        let total = if demand.is_some() { lists.len() } else { head.demands };
        let mut plan = head.plan.clone();
        for (chosen, left_out) in lists.into_values().skip(start.saturating_sub(first)).take(limit) {
            plan.shortlist.extend(chosen);
            plan.left_out.extend(left_out);
        }
        let pairs = plan.shortlist.iter().map(|it| &it.pair).chain(plan.left_out.iter().map(|it| &it.pair));
        let records = sides(pairs);
        let participants = self.store.participants_of(planned.id(), &records).await?;
        let report = Report { event: planned.event.clone(), plan, participants, outcomes: Vec::new() };
        Ok(ListPage { report, next: (end < total).then_some(end) })
    }

    /// Returns a page of meetings, of all records or of one; the first page with at most `unplaced` pairs without a
    /// meeting. The meetings of one record are searched for, until the page is full.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn meeting_page(
        &self,
        planned: &Planned,
        record: Option<&RecordName>,
        (start, limit): (usize, usize),
        unplaced: usize,
    ) -> Result<ListPage> {
        let head = &planned.head;
        let end = start.saturating_add(limit);
        let has = |pair: &Pair| record.is_none_or(|record| pair.has(record));
        let mut plan = head.plan.clone();
        let more = match record {
            None => {
                let (range, first) = head.of_meetings(start..end);
                let found = self.pieces(planned, range).await?.into_iter().flat_map(|piece| piece.meetings);
                plan.meetings = found.skip(start.saturating_sub(first)).take(limit).collect();
                (end as u64) < planned.pointer.meetings
            }
            Some(_) => {
                // one more tells that there is another page
                let take = |piece: Piece| piece.meetings.into_iter().filter(|it| has(&it.pair)).collect::<Vec<_>>();
                let found = self.search(planned, List::Meetings, end.saturating_add(1), take).await?;
                let more = end < found.len();
                plan.meetings = found.into_iter().skip(start).take(limit).collect();
                more
            }
        };
        if start == 0 {
            let take = |piece: Piece| piece.unplaced.into_iter().filter(|it| has(&it.pair)).collect::<Vec<_>>();
            plan.unplaced = self.search(planned, List::Unplaced, unplaced, take).await?;
        }
        let id = planned.id();
        let pairs: Vec<Pair> = plan.meetings.iter().map(|it| it.pair.clone()).collect();
        let records = sides(pairs.iter());
        let (participants, outcomes) =
            futures::try_join!(self.store.participants_of(id, &records), self.store.outcomes_of(id, &pairs))?;
        let report = Report { event: planned.event.clone(), plan, participants, outcomes };
        Ok(ListPage { report, next: more.then_some(end) })
    }

    /// Returns the first `most` entries of a list that `take` takes of its pieces.
    async fn search<T>(
        &self,
        planned: &Planned,
        list: List,
        most: usize,
        take: impl Fn(Piece) -> Vec<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut left = planned.head.of(list);
        while !left.is_empty() && found.len() < most {
            let end = left.end.min(left.start + SEARCHED);
            found.extend(self.pieces(planned, left.start..end).await?.into_iter().flat_map(&take));
            left.start = end;
        }
        found.truncate(most);
        Ok(found)
    }

    async fn pieces(&self, planned: &Planned, range: Range<usize>) -> Result<Vec<Piece>> {
        match &planned.whole {
            Some(whole) => Ok(whole.get(range).unwrap_or_default().to_vec()),
            None => self.store.pieces(&planned.pointer, &planned.head, range).await,
        }
    }
}

// === impl Planned ===

impl Planned {
    /// Number of the plan.
    pub fn number(&self) -> u64 {
        self.pointer.number
    }

    fn id(&self) -> &str {
        &self.event.event.id
    }
}

/// The records of both sides.
fn sides<'a>(pairs: impl Iterator<Item = &'a Pair>) -> BTreeSet<RecordName> {
    pairs.flat_map(|pair| [pair.demand.clone(), pair.counterpart.clone()]).collect()
}
