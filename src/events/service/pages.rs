//! Pages of a plan's lists. A page reads its pieces of the plan, its participants and its outcomes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    Events, Report, StoredEvent,
    pieces::{Head, List, Piece},
    stored::PlanPointer,
};
use crate::{
    error::Result,
    events::model::{Change, EventError, LeftOut, Pair, Plan, Shortlisted},
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

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRange {
    /// Entries before it.
    pub start: usize,
    /// Maximum entries.
    pub limit: usize,
}

/// The current plan of an event without its lists.
pub struct Summary {
    /// The event.
    pub event: StoredEvent,
    /// The plan; its lists are empty.
    pub plan: Plan,
    /// The changes asked for.
    pub changes: Vec<Change>,
    /// Number of all changes.
    pub change_count: usize,
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

    /// Returns the event with its current plan without its lists, and a part of the changes.
    ///
    /// # Errors
    /// As [`Events::planned`].
    pub async fn summary(&self, id: &str, changes: ListRange) -> Result<Summary> {
        let planned = self.planned(id).await?;
        let changes = self.entries(&planned, List::Changes, changes, |piece| piece.changes).await?;
        Ok(Summary { change_count: planned.head.changes, event: planned.event, plan: planned.head.plan, changes })
    }

    /// Returns a page of shortlists by demand, of all demands or of one.
    ///
    /// # Errors
    /// The store's errors.
    pub(crate) async fn shortlist_page(
        &self,
        planned: &Planned,
        demand: Option<&RecordName>,
        range: ListRange,
    ) -> Result<ListPage> {
        let head = &planned.head;
        let (pieces, first) = match demand {
            Some(demand) => (head.of_demand(demand), 0),
            None => head.of_demands(range.start..range.end()),
        };
        let mut lists: BTreeMap<RecordName, (Vec<Shortlisted>, Vec<LeftOut>)> = BTreeMap::new();
        let wanted = |record: &RecordName| demand.is_none_or(|demand| demand == record);
        for piece in self.pieces(planned, pieces).await? {
            for it in piece.shortlist.into_iter().filter(|it| wanted(&it.pair.demand)) {
                lists.entry(it.pair.demand.clone()).or_default().0.push(it);
            }
            for it in piece.left_out.into_iter().filter(|it| wanted(&it.pair.demand)) {
                lists.entry(it.pair.demand.clone()).or_default().1.push(it);
            }
        }
        let total = if demand.is_some() { lists.len() } else { head.demands };
        let mut plan = head.plan.clone();
        for (chosen, left_out) in lists.into_values().skip(range.start.saturating_sub(first)).take(range.limit) {
            plan.shortlist.extend(chosen);
            plan.left_out.extend(left_out);
        }
        let pairs = plan.shortlist.iter().map(|it| &it.pair).chain(plan.left_out.iter().map(|it| &it.pair));
        let records = sides(pairs);
        let participants = self.store.participants_of(planned.id(), &records).await?;
        let report = Report { event: planned.event.clone(), plan, participants, outcomes: Vec::new() };
        Ok(ListPage { report, next: range.next(total) })
    }

    /// Returns a page of the pairs without a meeting and, behind them, of the meetings; of all records or of one. What
    /// belongs to one record is searched for until the page is full.
    ///
    /// # Errors
    /// The store's errors.
    pub(crate) async fn meeting_page(
        &self,
        planned: &Planned,
        record: Option<&RecordName>,
        range: ListRange,
    ) -> Result<ListPage> {
        let mut plan = planned.head.plan.clone();
        let total = match record {
            None => {
                plan.unplaced = self.entries(planned, List::Unplaced, range, |piece| piece.unplaced).await?;
                let rest = range.behind(planned.head.unplaced, plan.unplaced.len());
                plan.meetings = self.entries(planned, List::Meetings, rest, |piece| piece.meetings).await?;
                planned.head.unplaced + planned.head.meetings
            }
            Some(record) => {
                // one more tells that there is another page
                let max = range.end().saturating_add(1);
                let take = |piece: Piece| piece.unplaced.into_iter().filter(|it| it.pair.has(record)).collect();
                let unplaced = self.search(planned, List::Unplaced, max, take).await?;
                let take = |piece: Piece| piece.meetings.into_iter().filter(|it| it.pair.has(record)).collect();
                let meetings = self.search(planned, List::Meetings, max - unplaced.len(), take).await?;
                let (before, total) = (unplaced.len(), unplaced.len() + meetings.len());
                plan.unplaced = range.of(unplaced);
                plan.meetings = range.behind(before, plan.unplaced.len()).of(meetings);
                total
            }
        };
        let id = planned.id();
        let pairs: Vec<Pair> = plan.meetings.iter().map(|it| it.pair.clone()).collect();
        let records = sides(pairs.iter());
        let (participants, outcomes) =
            futures::try_join!(self.store.participants_of(id, &records), self.store.outcomes_of(id, &pairs))?;
        let report = Report { event: planned.event.clone(), plan, participants, outcomes };
        Ok(ListPage { report, next: range.next(total) })
    }

    /// Returns a page of the changes since the plan before.
    ///
    /// # Errors
    /// The store's errors.
    pub(crate) async fn change_page(
        &self,
        planned: &Planned,
        range: ListRange,
    ) -> Result<(Vec<Change>, Option<usize>)> {
        let changes = self.entries(planned, List::Changes, range, |piece| piece.changes).await?;
        Ok((changes, range.next(planned.head.changes)))
    }

    /// Returns the entries of a list in a range.
    async fn entries<T>(
        &self,
        planned: &Planned,
        list: List,
        range: ListRange,
        take: impl Fn(Piece) -> Vec<T>,
    ) -> Result<Vec<T>> {
        if range.limit == 0 {
            return Ok(Vec::new());
        }
        let (pieces, first) = planned.head.of_entries(list, range.start..range.end());
        let found = self.pieces(planned, pieces).await?.into_iter().flat_map(take);
        Ok(found.skip(range.start.saturating_sub(first)).take(range.limit).collect())
    }

    /// Returns the first `most` entries of a list that `take` takes of its pieces.
    async fn search<T>(
        &self,
        planned: &Planned,
        list: List,
        max: usize,
        take: impl Fn(Piece) -> Vec<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut left = planned.head.of(list);
        while !left.is_empty() && found.len() < max {
            let end = left.end.min(left.start + SEARCHED);
            found.extend(self.pieces(planned, left.start..end).await?.into_iter().flat_map(&take));
            left.start = end;
        }
        found.truncate(max);
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

// === impl ListRange ===

impl ListRange {
    fn end(self) -> usize {
        self.start.saturating_add(self.limit)
    }

    /// What is left of the range for the list that follows one of `before` entries, `taken` of which are in it.
    fn behind(self, before: usize, taken: usize) -> Self {
        Self { start: self.start.saturating_sub(before), limit: self.limit - taken }
    }

    /// The entries of a whole list that are in the range.
    fn of<T>(self, list: Vec<T>) -> Vec<T> {
        list.into_iter().skip(self.start).take(self.limit).collect()
    }

    /// Where the next range starts; `None` at the end of the list.
    fn next(self, total: usize) -> Option<usize> {
        (self.end() < total).then_some(self.end())
    }
}

/// The records of both sides.
fn sides<'a>(pairs: impl Iterator<Item = &'a Pair>) -> BTreeSet<RecordName> {
    pairs.flat_map(|pair| [pair.demand.clone(), pair.counterpart.clone()]).collect()
}
