//! `MatchService`: check → convert → call → convert.

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    catalog::{bad_token, page_size},
    convert::{
        evidence::{add, diagnosis_out, options_in},
        filter_in, kind_in, match_out,
    },
    page_token,
};
use crate::{
    app::Parts,
    error::Error,
    matching::{self, Avoidance, FreeText, MAX_MATCHES, Page, Query},
};
use duijie_core::domain::{
    Detail, Kind, Problem, Record, RecordName, Violation,
    check::{MAX_BODY_CHARS, MAX_TITLE_CHARS, Violations, check_keywords, check_text},
    hit::MatchHit,
};
use duijie_insight::evidence::{Evidence, Options};
use duijie_proto as pb;
use duijie_proto::match_service_server::MatchService;
use duijie_store::FieldSelection;

/// Default page size.
const DEFAULT_PAGE: usize = 20;
/// Maximum records to exclude.
const MAX_AVOIDED: usize = 200;

/// The service.
#[derive(Clone)]
pub struct Matching(pub Parts);

#[tonic::async_trait]
impl MatchService for Matching {
    async fn r#match(&self, request: Request<pb::MatchRequest>) -> Result<Response<pb::MatchResponse>, Status> {
        let request = request.into_inner();
        let shape = pb::MatchRequest { page_token: String::new(), page_size: 0, ..request.clone() }.encode_to_vec();
        let mut found = Violations::default();
        let query = query_in(request.query, &mut found);
        let target = kind_in(request.target, "target").map_err(|violation| found.0.push(violation)).ok();
        let filter = target
            .and_then(|target| filter_in(request.filter, target).map_err(|violations| found.0.extend(violations)).ok());
        let (Some(query), Some(target), Some(filter)) = (query, target, filter) else {
            return Err(Error::Invalid(found.0).into());
        };
        let avoidance = avoidance_in(request.avoidance, target)?;
        let levels = request.evidence.is_some_and(|options| options.levels);
        let options = options_in(request.evidence);
        let asked = options.any().then(|| query.clone());
        let paging = Paging { size: request.page_size, token: &request.page_token, shape: &shape };
        let asking = matching::Request { query, target, filter, offset: 0, limit: 0, avoidance, levels };
        let (page, next_page_token) = self.page(asking, paging).await?;
        let mut timing = timing_out(&page);
        let nothing_good_enough = page.nothing_good_enough;
        let has_levels = page.found.iter().any(|found| found.relevance.is_some()) || nothing_good_enough;
        let calibration = has_levels.then(|| self.calibration());
        let (found, evidence) = match asked {
            Some(asked) => {
                let started = Instant::now();
                let explained = self.explain(asked, target, page.found, options).await?;
                timing.evidence_us = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
                explained
            }
            None => (page.found, Evidence::default()),
        };
        let mut matches: Vec<pb::Match> = found.into_iter().map(match_out).collect();
        for (found, evidence) in matches.iter_mut().zip(evidence.matches) {
            add(found, evidence);
        }
        Ok(Response::new(pb::MatchResponse {
            matches,
            next_page_token,
            versions: Some(self.versions()),
            timing: Some(timing),
            diagnosis: evidence.diagnosis.map(diagnosis_out),
            calibration,
            nothing_good_enough,
        }))
    }

    async fn similar(&self, request: Request<pb::SimilarRequest>) -> Result<Response<pb::SimilarResponse>, Status> {
        let request = request.into_inner();
        let shape = pb::SimilarRequest { page_token: String::new(), page_size: 0, ..request.clone() }.encode_to_vec();
        let name: RecordName = request.name.parse().map_err(Error::from)?;
        let target = name.kind;
        let filter = filter_in(request.filter, target).map_err(Error::from)?;
        let paging = Paging { size: request.page_size, token: &request.page_token, shape: &shape };
        let query = Query::Stored(name);
        let avoidance = Avoidance::default();
        let asking = matching::Request { query, target, filter, offset: 0, limit: 0, avoidance, levels: false };
        let (page, next_page_token) = self.page(asking, paging).await?;
        Ok(Response::new(pb::SimilarResponse {
            timing: Some(timing_out(&page)),
            versions: Some(self.versions()),
            matches: page.found.into_iter().map(match_out).collect(),
            next_page_token,
        }))
    }
}

/// Paging fields of a request.
struct Paging<'a> {
    size: i32,
    token: &'a str,
    /// The encoded request without its paging fields; the page token is bound to it.
    shape: &'a [u8],
}

// === impl Matching ===

impl Matching {
    /// Returns the requested page with the token of the next one.
    async fn page(&self, asking: matching::Request, paging: Paging<'_>) -> Result<(Page, String), Error> {
        let limit = page_size(paging.size, DEFAULT_PAGE)?;
        let offset = match page_token::read(paging.token, paging.shape)? {
            Some(position) => offset_in(&position).ok_or_else(bad_token)?,
            None => 0,
        };
        let page = self.0.matcher.find(matching::Request { offset, limit, ..asking }).await?;
        let next = u32::try_from(offset + limit).unwrap_or(u32::MAX);
        let token = if page.more { page_token::write(&next.to_be_bytes(), paging.shape) } else { String::new() };
        Ok((page, token))
    }

    /// Computes the evidence of a page on a blocking thread, since long texts take milliseconds.
    async fn explain(
        &self,
        query: Query,
        target: Kind,
        found: Vec<MatchHit>,
        options: Options,
    ) -> Result<(Vec<MatchHit>, Evidence), Error> {
        let Some(query) = self.asking(query, target).await? else { return Ok((found, Evidence::default())) };
        let explainer = Arc::clone(&self.0.explainer);
        let explained = tokio::task::spawn_blocking(move || {
            let evidence = explainer.explain(&query, &found, options, Timestamp::now());
            (found, evidence)
        });
        explained.await.map_err(|error| Error::Internal(error.to_string()))
    }

    /// Returns the query as a record. A text becomes an achievement if demands are sought, otherwise a demand. `None`
    /// if the record was deleted since it was matched.
    async fn asking(&self, query: Query, target: Kind) -> Result<Option<Record>, Error> {
        match query {
            Query::Stored(name) => {
                let points = self.0.index.get(&[name], FieldSelection::Payload).await?;
                Ok(points.into_iter().next().flatten().map(|point| point.record))
            }
            Query::Text(FreeText { title, body, keywords }) => {
                let kind = if target == Kind::Demand { Kind::Achievement } else { Kind::Demand };
                Ok(Some(Record { body, keywords, ..Record::new("", "", title, Detail::empty(kind)) }))
            }
        }
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

fn offset_in(position: &[u8]) -> Option<usize> {
    let offset = usize::try_from(u32::from_be_bytes(position.try_into().ok()?)).ok()?;
    (offset <= MAX_MATCHES).then_some(offset)
}

fn query_in(query: Option<pb::match_request::Query>, found: &mut Violations) -> Option<Query> {
    match query {
        None => {
            found.say("query", Problem::Required);
            None
        }
        Some(pb::match_request::Query::Name(name)) => {
            name.parse().map(Query::Stored).map_err(|violation: Violation| found.0.push(violation)).ok()
        }
        Some(pb::match_request::Query::Text(text)) => text_in(text, found).map(Query::Text),
    }
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
            Ok(_) => found.say(format!("avoidance.names[{index}]"), Problem::NotOfThisKind),
            Err(violation) => found.say(format!("avoidance.names[{index}]"), violation.problem),
        }
    }
    if found.0.is_empty() { Ok(Avoidance { same_owner, names: read }) } else { Err(Error::Invalid(found.0)) }
}

/// Reads a text; what is wrong with it is noted, with paths below `text`.
pub(super) fn text_in(text: pb::TextQuery, found: &mut Violations) -> Option<FreeText> {
    let before = found.0.len();
    found.take("text.title", check_text(&text.title, 0, MAX_TITLE_CHARS, false));
    found.take("text.body", check_text(&text.body, 0, MAX_BODY_CHARS, true));
    check_keywords(&text.keywords, "text.keywords", found);
    if text.title.trim().is_empty() && text.body.trim().is_empty() {
        found.say("text", Problem::Required);
    }
    let text = FreeText { title: text.title, body: text.body, keywords: text.keywords };
    (found.0.len() == before).then_some(text)
}

fn timing_out(page: &Page) -> pb::Timing {
    let int = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
    let timing = page.timing;
    pb::Timing {
        query_us: int(timing.query_us),
        search_us: int(timing.search_us),
        rank_us: int(timing.rank_us),
        evidence_us: 0,
    }
}
