//! `MatchService`: check → convert → call → convert.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    convert::{
        duration_out,
        evidence::{add, diagnosis_out, options_in},
        filter_in, kind_in, match_out, view_in,
    },
    page::{Paging, Room, Sizes, bad_token, fit},
};
use crate::{
    app::Parts,
    error::Error,
    matching::{self, Avoidance, FreeText, MAX_MATCHES, Page, Query},
};
use duijie_core::domain::{
    Detail, Kind, Problem, Record, RecordName, Violation, Violations,
    check::{MAX_BODY_CHARS, MAX_TITLE_CHARS, check_keywords, check_text},
    hit::MatchHit,
};
use duijie_cpu::Lane;
use duijie_insight::evidence::{Evidence, Options};
use duijie_proto as pb;
use duijie_proto::match_service_server::MatchService;

/// Pages of matches.
const SIZES: Sizes = Sizes { default: 20, max: 200 };
/// Maximum records to exclude.
const MAX_AVOIDED: usize = 200;

/// The service.
#[derive(Clone)]
pub struct Matching(pub Parts);

#[tonic::async_trait]
impl MatchService for Matching {
    async fn r#match(&self, request: Request<pb::MatchRequest>) -> Result<Response<pb::MatchResponse>, Status> {
        let mut request = request.into_inner();
        let mut found = Violations::default();
        let view = view_in(&mut request.view).map_err(|violation| found.note(violation)).ok();
        let paging = Paging::of(&mut request, SIZES, self.0.signing.key().await?);
        let query = query_in(request.query, &mut found);
        let target = kind_in(request.target, "target").map_err(|violation| found.note(violation)).ok();
        let filter = target
            .and_then(|target| filter_in(request.filter, target).map_err(|violations| found.join(violations)).ok());
        let (Some(query), Some(target), Some(filter), Some(view)) = (query, target, filter, view) else {
            return Err(Error::Invalid(found).into());
        };
        let avoidance = avoidance_in(request.avoidance, target)?;
        let levels = request.evidence.is_some_and(|options| options.levels);
        let options = options_in(request.evidence);
        let text = match &query {
            Query::Text(text) if options.any() => Some(record_of(text.clone(), target)),
            Query::Text(_) | Query::Stored(_) => None,
        };
        let paging = paging?;
        let asking = matching::Request { query, target, filter, offset: 0, limit: 0, avoidance, levels };
        let (page, places) = self.page(asking, &paging).await?;
        let mut timing = timing_out(&page);
        let nothing_good_enough = page.nothing_good_enough;
        let has_levels = page.found.iter().any(|found| found.relevance.is_some()) || nothing_good_enough;
        let calibration = has_levels.then(|| self.calibration());
        let (found, evidence) = match page.query.or(text).filter(|_| options.any()) {
            Some(query) => {
                let started = Instant::now();
                let explained = self.explain(query, page.found, options).await?;
                timing.evidence_duration = Some(duration_out(started.elapsed()));
                explained
            }
            None => (page.found, Evidence::default()),
        };
        let mut answer = pb::MatchResponse {
            versions: Some(self.versions()),
            timing: Some(timing),
            diagnosis: evidence.diagnosis.map(diagnosis_out),
            calibration,
            nothing_good_enough,
            ..pb::MatchResponse::default()
        };
        let mut evidence = evidence.matches.into_iter();
        let rows = places.rows(found, |found| {
            let mut row = match_out(found, view);
            if let Some(evidence) = evidence.next() {
                add(&mut row, evidence);
            }
            row
        });
        let (matches, next) = Room::beside(&answer).fit(rows, places.next(), Message::encoded_len);
        (answer.matches, answer.next_page_token) = (matches, paging.token(next));
        Ok(Response::new(answer))
    }

    async fn similar(&self, request: Request<pb::SimilarRequest>) -> Result<Response<pb::SimilarResponse>, Status> {
        let mut request = request.into_inner();
        let view = view_in(&mut request.view).map_err(Error::from)?;
        let paging = Paging::of(&mut request, SIZES, self.0.signing.key().await?);
        let name: RecordName = request.name.parse().map_err(Error::from)?;
        let target = name.kind;
        let filter = filter_in(request.filter, target).map_err(Error::from)?;
        let paging = paging?;
        let query = Query::Stored(name);
        let avoidance = Avoidance::default();
        let asking = matching::Request { query, target, filter, offset: 0, limit: 0, avoidance, levels: false };
        let (page, places) = self.page(asking, &paging).await?;
        let timing = Some(timing_out(&page));
        let (matches, next) = fit(places.rows(page.found, |found| match_out(found, view)), places.next());
        let next_page_token = paging.token(next);
        Ok(Response::new(pb::SimilarResponse { matches, next_page_token, versions: Some(self.versions()), timing }))
    }
}

/// Where a page lies in the whole order.
#[derive(Debug, Clone, Copy)]
struct Places {
    /// Matches before the page.
    offset: usize,
    /// Matches asked for.
    limit: usize,
    /// Whether more matches follow.
    more: bool,
}

// === impl Matching ===

impl Matching {
    /// Returns the requested page and where it lies.
    async fn page(&self, asking: matching::Request, paging: &Paging) -> Result<(Page, Places), Error> {
        let (offset, limit) = (offset_in(paging)?, paging.size);
        let page = self.0.matcher.find(matching::Request { offset, limit, ..asking }).await?;
        let places = Places { offset, limit, more: page.more };
        Ok((page, places))
    }

    /// Computes the evidence of a page outside the async threads, since long texts take milliseconds.
    async fn explain(
        &self,
        query: Record,
        found: Vec<MatchHit>,
        options: Options,
    ) -> Result<(Vec<MatchHit>, Evidence), Error> {
        let explainer = Arc::clone(&self.0.explainer);
        let explained = duijie_cpu::run(Lane::Interactive, move || {
            let evidence = explainer.explain(&query, &found, options, Timestamp::now());
            (found, evidence)
        });
        Ok(explained.await?)
    }

    fn calibration(&self) -> pb::Calibration {
        let calibration = self.0.matcher.calibration();
        pb::Calibration {
            version: calibration.version.clone(),
            expected_error: calibration.expected.mae,
            data: calibration.data.name.clone(),
        }
    }

    fn versions(&self) -> pb::Versions {
        pb::Versions { text: self.0.versions.text.clone(), model: self.0.versions.model.clone() }
    }
}

fn offset_in(paging: &Paging) -> Result<usize, Error> {
    let offset = paging.start::<u32>()?.unwrap_or(0);
    usize::try_from(offset).ok().filter(|offset| *offset <= MAX_MATCHES).ok_or_else(bad_token)
}

fn query_in(query: Option<pb::match_request::Query>, found: &mut Violations) -> Option<Query> {
    match query {
        None => {
            found.say("query", Problem::Required);
            None
        }
        Some(pb::match_request::Query::Name(name)) => {
            name.parse().map(Query::Stored).map_err(|violation: Violation| found.note(violation)).ok()
        }
        Some(pb::match_request::Query::Text(text)) => text_in(text, found).map(Query::Text),
    }
}

/// Returns a text as a record: an achievement if demands are sought, otherwise a demand.
fn record_of(FreeText { title, body, keywords }: FreeText, target: Kind) -> Record {
    let kind = if target == Kind::Demand { Kind::Achievement } else { Kind::Demand };
    Record { body, keywords, ..Record::new("", "", title, Detail::empty(kind)) }
}

/// Reads the records to exclude.
fn avoidance_in(avoidance: Option<pb::Avoidance>, target: Kind) -> Result<Avoidance, Error> {
    let Some(pb::Avoidance { same_owner, names }) = avoidance else { return Ok(Avoidance::default()) };
    let mut found = Violations::default();
    if MAX_AVOIDED < names.len() {
        found.say("avoidance.names", Problem::TooMany { max: MAX_AVOIDED });
    }
    let mut read = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match name.parse::<RecordName>() {
            Ok(name) if name.kind == target => read.push(name),
            Ok(_) => found.say(format_args!("avoidance.names[{index}]"), Problem::NotOfThisKind),
            Err(violation) => found.say(format_args!("avoidance.names[{index}]"), violation.problem),
        }
    }
    Ok(found.passed(Avoidance { same_owner, names: read })?)
}

/// Reads a text; what is wrong with it is noted, with paths below `text`.
pub(super) fn text_in(text: pb::TextQuery, found: &mut Violations) -> Option<FreeText> {
    let before = found.count();
    found.take("text.title", check_text(&text.title, 0, MAX_TITLE_CHARS, false));
    found.take("text.body", check_text(&text.body, 0, MAX_BODY_CHARS, true));
    check_keywords(&text.keywords, "text.keywords", found);
    if text.title.trim().is_empty() && text.body.trim().is_empty() {
        found.say("text", Problem::Required);
    }
    let text = FreeText { title: text.title, body: text.body, keywords: text.keywords };
    (found.count() == before).then_some(text)
}

fn timing_out(page: &Page) -> pb::Timing {
    let span = |us: u64| Some(duration_out(Duration::from_micros(us)));
    let timing = page.timing;
    pb::Timing {
        query_duration: span(timing.query_us),
        search_duration: span(timing.search_us),
        rank_duration: span(timing.rank_us),
        evidence_duration: span(0),
    }
}

// === impl Places ===

impl Places {
    /// The rows of the page, each with the number of matches up to it.
    fn rows(
        self,
        found: Vec<MatchHit>,
        mut row: impl FnMut(MatchHit) -> pb::Match,
    ) -> impl Iterator<Item = (u32, pb::Match)> {
        // by rank: a record that was deleted since the search leaves its rank empty
        found.into_iter().map(move |found| (number(found.rank), row(found)))
    }

    /// Matches up to the end of the page; `None` if none follow.
    fn next(self) -> Option<u32> {
        self.more.then(|| number(self.offset + self.limit))
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
