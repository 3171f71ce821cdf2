//! One look at the changes since the cursor.

use jiff::Timestamp;

use super::{
    End, Event, MAX_QUERIES, MatchId, NewMatch, Stream, Subject, Subscription, Versioned, Watcher, cursor::END_OF_TIME,
};
use crate::{
    error::{Error, Result},
    matching::{Avoidance, FreeText, MAX_MATCHES, Query, Request},
};
use duijie_core::domain::{Filter, Problem, Range, Record, RecordName, Violation, codes::Status, hit::MatchHit};
use duijie_store::{FieldSelection, Index, PageRequest};

/// Matches per page.
const PAGE: usize = 100;

/// A query of a subscription.
pub(super) struct Asking {
    query: Query,
    /// Name and revision of a record; `None` for a text.
    record: Option<(RecordName, u64)>,
    /// When the record was last changed, in seconds since 1970.
    changed: i64,
}

/// Result of a look.
pub(super) struct Looked {
    /// Number of matches sent.
    pub sent: usize,
    /// Whether some changes could not be paged through.
    pub cut: bool,
}

/// Result of a step that may end the stream.
type Ended<T> = std::result::Result<T, End>;

/// Times in seconds, both inclusive.
#[derive(Debug, Clone, Copy)]
struct TimeSpan {
    from: i64,
    to: i64,
}

// === impl Watcher ===

impl Watcher {
    /// Sends the new matches since the cursor, and advances the cursor.
    pub(super) async fn look(&self, stream: &mut Stream) -> Ended<Looked> {
        let now = self.index.clock().settled(&*self.index).await.map_err(|error| End::Failed(error.into()))?;
        let floor = stream.cursor.floor();
        let queries = queries(&*self.index, &stream.subscription).await.map_err(End::Failed)?;
        let since = published(&stream.subscription.filter, TimeSpan { from: floor, to: END_OF_TIME });
        let counted = self.index.count(stream.subscription.target, &since).await;
        let has_changes = 0 < counted.map_err(|error| End::Failed(error.into()))?;
        let mut looked = Looked { sent: 0, cut: false };
        for asking in queries {
            // a changed query is a new query, so all its matches are new
            let from = if floor <= asking.changed { 0 } else { floor };
            if from == 0 || has_changes {
                self.ask(stream, &asking, from, &mut looked).await?;
            }
        }
        stream.cursor.looked(now.as_second());
        Ok(looked)
    }

    /// Sends the matches of one query among the records changed at `from` or later. A time span with more matches than
    /// the pages reach is split.
    async fn ask(&self, stream: &mut Stream, asking: &Asking, from: i64, looked: &mut Looked) -> Ended<()> {
        let mut times = vec![TimeSpan { from, to: END_OF_TIME }];
        while let Some(span) = times.pop() {
            let TimeSpan { from, to } = span;
            let all = self.ask_between(stream, asking, span, looked).await?;
            match all {
                true => {}
                false if from == to => looked.cut = true,
                false => {
                    // nearly all changes are before now
                    let now = Timestamp::now().as_second();
                    let last = if from < now && now < to { now } else { to };
                    let middle = if last < to { last } else { from + (to - from) / 2 };
                    times.extend([TimeSpan { from: middle + 1, to }, TimeSpan { from, to: middle }]);
                }
            }
        }
        Ok(())
    }

    /// The same within a span of times. Returns whether these were all matches.
    async fn ask_between(
        &self,
        stream: &mut Stream,
        asking: &Asking,
        times: TimeSpan,
        looked: &mut Looked,
    ) -> Ended<bool> {
        for offset in (0..MAX_MATCHES).step_by(PAGE) {
            let subscription = &stream.subscription;
            let request = Request {
                query: asking.query.clone(),
                target: subscription.target,
                filter: published(&subscription.filter, times),
                offset,
                limit: PAGE,
                avoidance: Avoidance::default(),
                levels: subscription.has_levels(),
            };
            let turn = self.looks.acquire().await;
            let page = match self.matcher.find(request).await {
                Ok(page) => page,
                // the record was deleted since it was read, so it has no matches
                Err(Error::NotFound(_)) => return Ok(true),
                Err(error) => return Err(End::Failed(error)),
            };
            drop(turn);
            for found in page.found {
                // matches come best first, and a higher score never has a lower level
                if !good_enough(&stream.subscription, &found) {
                    return Ok(true);
                }
                looked.sent += usize::from(stream.offer(asking, found).await?);
            }
            if !page.more {
                return Ok(offset + PAGE < MAX_MATCHES);
            }
        }
        Ok(false)
    }
}

// === impl Stream ===

impl Stream {
    /// Sends a match unless it was already sent; returns whether it was sent now.
    async fn offer(&mut self, asking: &Asking, found: MatchHit) -> Ended<bool> {
        let (name, revision) = match &asking.record {
            Some((name, revision)) => (name.to_string(), *revision),
            None => (text_key(&asking.query), 0),
        };
        let target = found.record.name().to_string();
        let query = Versioned { name: &name, revision };
        let id = MatchId::of(query, Versioned { name: &target, revision: found.record.revision });
        if self.cursor.has_sent(id) {
            return Ok(false);
        }
        let changed = found.record.update_time.map_or(0, Timestamp::as_second).max(asking.changed);
        let found = MatchHit { rank: 0, ..found };
        self.send(Event::Match(Box::new(NewMatch { id, query: asking.record.clone(), found }))).await?;
        self.cursor.note(id, changed);
        Ok(true)
    }
}

/// The current queries of a subscription.
///
/// # Errors
/// [`Error::Invalid`] if an owner has too many records; the index's errors.
pub(super) async fn queries(index: &dyn Index, subscription: &Subscription) -> Result<Vec<Asking>> {
    match &subscription.subject {
        Subject::Text(text) => Ok(vec![Asking { query: Query::Text(text.clone()), record: None, changed: i64::MIN }]),
        Subject::Record(name) => {
            let found = index.get(std::slice::from_ref(name), FieldSelection::Payload).await?;
            let record = found.into_iter().next().flatten().map(|point| point.record);
            Ok(record.filter(|record| record.status == Status::Active).map(asking).into_iter().collect())
        }
        Subject::Owned { owner, kind } => {
            let filter = Filter {
                owners: vec![owner.clone()],
                ..published(&Filter::default(), TimeSpan { from: 0, to: END_OF_TIME })
            };
            let page = PageRequest { after: None, limit: MAX_QUERIES + 1, with: FieldSelection::Payload };
            let points = index.scroll(*kind, &Filter { update_time: None, ..filter }, page).await?.points;
            if MAX_QUERIES < points.len() {
                return Err(Violation::new("subscription.owned", Problem::TooMany { max: MAX_QUERIES }).into());
            }
            Ok(points.into_iter().map(|point| asking(point.record)).collect())
        }
    }
}

fn asking(record: Record) -> Asking {
    let changed = record.update_time.map_or(0, Timestamp::as_second);
    let record = (record.name(), record.revision);
    Asking { query: Query::Stored(record.0.clone()), record: Some(record), changed }
}

/// Published records that match the filter and were changed within the times.
fn published(filter: &Filter, TimeSpan { from, to }: TimeSpan) -> Filter {
    let statuses = if filter.statuses.is_empty() { vec![Status::Active] } else { filter.statuses.clone() };
    let to = (to < END_OF_TIME).then_some(to);
    Filter { statuses, update_time: Some(Range { min: Some(from), max: to }), ..filter.clone() }
}

fn good_enough(subscription: &Subscription, found: &MatchHit) -> bool {
    let level = match (subscription.min_level, found.relevance) {
        (Some(min), Some(relevance)) => min <= relevance.level,
        (Some(_), None) => false,
        (None, _) => true,
    };
    level && subscription.min_score <= found.score
}

/// Key of a text in match ids.
fn text_key(query: &Query) -> String {
    match query {
        Query::Text(FreeText { title, body, keywords }) => format!("{title}\n{body}\n{}", keywords.join("\n")),
        Query::Stored(name) => name.to_string(),
    }
}
