//! The query path: record or text → vectors → candidates → one ranking → a page of records with reasons.
//!
//! `passes` makes the ranking; `works` adds the experts' achievements; `score_candidates` scores given records.

mod passes;
mod score_candidates;
mod works;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use duijie_core::{
    domain::{
        Filter, Kind, RecordName,
        hit::{MatchHit, Works},
        record::{Owner, Record},
    },
    rank::{Calibration, Context, Fused, Fusion},
    text::{LexicalQuery, Locator, QueryText, TextPipeline, query_embedding_texts},
};
use duijie_cpu::Lane;
use duijie_embed::{Embed, EmbeddingTexts, Priority};
use duijie_store::{FieldSelection, Index, Point, PointId};
pub use passes::Order;
use passes::published;
pub use score_candidates::Scored;

/// Last rank that pages reach.
pub const MAX_MATCHES: usize = 1000;
/// Most terms named per match.
const MAX_TERMS: usize = 20;

/// Finds counterparts.
#[derive(Clone)]
pub struct Matcher {
    text: Arc<TextPipeline>,
    embedder: Arc<dyn Embed>,
    index: Arc<dyn Index>,
    settings: Settings,
}

/// Matching settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Minimum number of candidates from each source.
    pub candidates: usize,
    /// How the sources are fused.
    pub fusion: Fusion,
    /// Number of first-pass records for pseudo-relevance feedback, 0 to 50; 0 means one pass only, and no levels.
    pub feedback: usize,
    /// Turns scores into levels.
    pub calibration: Arc<Calibration>,
}

/// What to find counterparts for.
#[derive(Debug, Clone)]
pub enum Query {
    /// A stored record.
    Stored(RecordName),
    /// A text that is not stored.
    Text(FreeText),
}

/// A demand or an offer in free words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeText {
    /// Short form; weighs most.
    pub title: String,
    /// Long form.
    pub body: String,
    /// Keywords.
    pub keywords: Vec<String>,
}

/// One checked request to the matcher.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to find counterparts for.
    pub query: Query,
    /// Kind of records to find.
    pub target: Kind,
    /// Conditions on them; without a status, only ACTIVE records match.
    pub filter: Filter,
    /// Number of matches to skip.
    pub offset: usize,
    /// Number of matches wanted.
    pub limit: usize,
    /// Records to exclude; scores are unaffected.
    pub avoidance: Avoidance,
    /// Whether to give each match a level, as people would grade it. Levels are known only between a demand, or a text
    /// in its place, and achievements.
    pub levels: bool,
}

/// Records to exclude from the matches although they would fit (回避).
#[derive(Debug, Clone, Default)]
pub struct Avoidance {
    /// Exclude records of the query record's organisation.
    pub same_owner: bool,
    /// Exclude these records.
    pub names: Vec<RecordName>,
}

/// A page of matches.
#[derive(Debug, Clone)]
pub struct Page {
    /// Matches, best first.
    pub found: Vec<MatchHit>,
    /// Whether more matches follow.
    pub more: bool,
    /// The query's record; `None` for a text.
    pub query: Option<Record>,
    /// Statistics of the first pass; `None` if there was only one pass.
    pub context: Option<Context>,
    /// Whether the catalogue has nothing on the query's subject. Depends only on the query; false unless levels were
    /// requested and are known.
    pub nothing_good_enough: bool,
    /// Where the time went.
    pub timing: Timing,
}

/// Time spent on a match, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Reading or embedding the query.
    pub query_us: u64,
    /// Finding candidates.
    pub search_us: u64,
    /// Fusing, reading records, explaining.
    pub rank_us: u64,
}

/// A query in the form that the engine needs.
struct Prepared {
    dense: Vec<f32>,
    lexical: LexicalQuery,
    exclude: Option<PointId>,
    /// The query's record; `None` for a text.
    record: Option<Record>,
}

/// Conditions on the matches.
struct Wanted {
    filter: Filter,
    avoid: Vec<PointId>,
}

// === impl Matcher ===

impl Matcher {
    /// A matcher over these parts.
    pub fn new(text: Arc<TextPipeline>, embedder: Arc<dyn Embed>, index: Arc<dyn Index>, settings: Settings) -> Self {
        Self { text, embedder, index, settings }
    }

    /// Finds a page of counterparts.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a record that is not stored, [`Error::Busy`] when too many texts wait to be embedded,
    /// [`Error::Unavailable`] when engine or model fail.
    pub async fn find(&self, mut request: Request) -> Result<Page> {
        let started = Instant::now();
        if request.filter.statuses.is_empty() {
            request.filter.statuses = published().statuses;
        }
        let prepared = self.prepare(&request.query, request.target).await?;
        let owner = prepared.record.as_ref().and_then(|record| record.owner.as_ref());
        let wanted = Wanted::new(request.filter, request.avoidance, owner);
        let query_us = micros(started);
        let last = (request.offset + request.limit).min(MAX_MATCHES);
        let Order { order, context, works, .. } = self.order(&prepared, request.target, wanted, last + 1).await?;
        let search_us = micros(started) - query_us;
        let more = last < order.len() && last < MAX_MATCHES;
        let page: Vec<_> = order.into_iter().take(last).skip(request.offset).collect();
        let Prepared { lexical, record: query, .. } = prepared;
        let ids: Vec<PointId> = page.iter().map(|fused| fused.id).collect();
        let points = self.index.fetch(request.target, &ids, FieldSelection::Sparse).await?;
        let locate = move || located(&lexical, works, page.into_iter().zip(points), request.offset);
        let mut found = duijie_cpu::run(Lane::Interactive, locate).await?;
        let graded = context.filter(|_| request.levels && were_graded(&request.query, request.target));
        let calibration = &self.settings.calibration;
        if let Some(context) = graded {
            found.iter_mut().for_each(|it| it.relevance = Some(calibration.relevance(it.score, context)));
        }
        let nothing_good_enough = graded.is_some_and(|context| calibration.nothing_good_enough(context));
        let rank_us = micros(started) - query_us - search_us;
        let timing = Timing { query_us, search_us, rank_us };
        Ok(Page { found, more, query, context, nothing_good_enough, timing })
    }

    /// How matching is done.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Calibration of the levels; its version belongs in every answer with levels.
    pub fn calibration(&self) -> &Calibration {
        &self.settings.calibration
    }

    /// The whole ranking without reading the records, for measurements.
    ///
    /// # Errors
    /// As [`Matcher::find`].
    pub(crate) async fn rank_all(&self, query: &Query, target: Kind, depth: usize) -> Result<Order> {
        let prepared = self.prepare(query, target).await?;
        self.order(&prepared, target, published().into(), depth).await
    }

    async fn prepare(&self, query: &Query, target: Kind) -> Result<Prepared> {
        match query {
            Query::Stored(name) => {
                let found = self.index.get(std::slice::from_ref(name), FieldSelection::Everything).await?;
                let Some(point) = found.into_iter().next().flatten() else {
                    return Err(Error::NotFound(name.clone()));
                };
                let exclude = (name.kind == target).then(|| PointId::of(name));
                let Point { record, dense, query: lexical, .. } = point;
                Ok(Prepared { dense, lexical, exclude, record: Some(record) })
            }
            Query::Text(text) => self.prepare_text(text).await,
        }
    }

    async fn prepare_text(&self, text: &FreeText) -> Result<Prepared> {
        let (pipeline, owned) = (Arc::clone(&self.text), text.clone());
        let cut = duijie_cpu::run(Lane::Interactive, move || {
            let parts = QueryText { title: &owned.title, body: &owned.body, keywords: &owned.keywords };
            (pipeline.query(&parts), query_embedding_texts(&parts))
        });
        let (lexical, texts): (LexicalQuery, EmbeddingTexts) = cut.await?;
        let vectors = self.embedder.record_vectors(&[texts], Priority::Interactive).await?;
        let dense = vectors.into_iter().next().ok_or_else(|| Error::Internal("no vector for the query".into()))?;
        Ok(Prepared { dense, lexical, exclude: None, record: None })
    }
}

/// The matches of a page, with the places of the query's terms. Long texts take milliseconds.
fn located(
    query: &LexicalQuery,
    mut works: HashMap<PointId, Works>,
    page: impl Iterator<Item = (Fused<PointId>, Option<Point>)>,
    offset: usize,
) -> Vec<MatchHit> {
    let locator = Locator::new(query);
    let found = page.enumerate().filter_map(|(place, (fused, point))| {
        // a record deleted since the search is left out, and its rank stays empty
        let Point { record, sparse: stored, .. } = point?;
        let terms = locator.locate(&stored, &record, MAX_TERMS);
        let Fused { id, score, dense, sparse } = fused;
        let works = works.remove(&id);
        let rank = offset + place + 1;
        Some(MatchHit { record, rank, score, dense, sparse, works, terms, relevance: None })
    });
    found.collect()
}

// === impl Wanted ===

impl Wanted {
    fn new(mut filter: Filter, avoidance: Avoidance, owner: Option<&Owner>) -> Self {
        let owner = owner.filter(|_| avoidance.same_owner);
        let names = owner.into_iter().flat_map(|owner| [&owner.credit_code, &owner.name]);
        filter.excluded_owners.extend(names.filter(|name| !name.is_empty()).cloned());
        Self { filter, avoid: avoidance.names.iter().map(PointId::of).collect() }
    }
}

impl From<Filter> for Wanted {
    fn from(filter: Filter) -> Self {
        Self { filter, avoid: Vec::new() }
    }
}

/// Whether people graded such pairs: demands, or texts in their place, against achievements.
fn were_graded(query: &Query, target: Kind) -> bool {
    let asks = match query {
        Query::Stored(name) => name.kind == Kind::Demand,
        Query::Text(_) => true,
    };
    asks && target == Kind::Achievement
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
