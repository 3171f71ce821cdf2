//! Evidence for a page of matches: reasons for and against each match, indicator answers, possible subsidies, and gaps
//! in the demand itself. It changes no score and no rank.
//!
//! ```text
//! query (as a record) ─┬─ diagnosis ──────────────────────────► Diagnosis
//!                      └─ indicators ─┐
//! MatchHit ─┬─ scores, terms ────────────┼─ reasons ───────────► [Reason], each of this one record's words
//!        └─ indicators ───────────────┴─ compare ───────────► [IndicatorAnswer]
//! demand + achievement ── deal ── policy ───────────────────► [Note]
//! ```
//!
//! Everything is a pure function of the query, the page, the options and the time of the call.

mod deal;
mod exclusions;
mod indicators;
mod quote;
mod reasons;

use jiff::Timestamp;

pub use indicators::IndicatorAnswer;
pub use quote::Quote;
pub use reasons::{Reason, ReasonKind};

use crate::{
    diagnosis::{Diagnoser, Diagnosis, Given},
    policy::{Note, Policies},
};
use duijie_core::{
    domain::{Detail, Record, hit::MatchHit},
    text::TextPipeline,
};
use indicators::Sheet;

/// Produces evidence. Immutable after construction.
#[derive(Debug)]
pub struct Explainer {
    diagnoser: Diagnoser,
    policies: Policies,
}

/// Requested evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Reasons for and against each match.
    pub reasons: bool,
    /// Answers to the demand's indicators.
    pub indicators: bool,
    /// Notes from subsidy rules.
    pub policy: bool,
    /// Diagnosis of the querying demand.
    pub diagnosis: bool,
}

/// Evidence of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// One entry per match, in match order.
    pub matches: Vec<MatchEvidence>,
    /// Diagnosis of the query; `None` if not requested or if the query is not a demand.
    pub diagnosis: Option<Diagnosis>,
}

/// Evidence for one match; parts not requested are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MatchEvidence {
    /// Reasons for and against: score parts first, largest first; they sum to the score.
    pub reasons: Vec<Reason>,
    /// Answers to the demand's indicators, in the demand's order, at most `MAX_ANSWERS`.
    pub indicators: Vec<IndicatorAnswer>,
    /// Policy notes, one per rule.
    pub notes: Vec<Note>,
}

// === impl Options ===

impl Options {
    /// Returns whether any evidence is requested.
    pub fn any(self) -> bool {
        self.reasons || self.indicators || self.policy || self.diagnosis
    }
}

// === impl Explainer ===

impl Explainer {
    /// Builds an explainer from the dictionary terms, which name objects of demands, and the policy rules.
    pub fn new(text: &TextPipeline, policies: Policies) -> Self {
        Self { diagnoser: Diagnoser::new(text.dictionary_terms()), policies }
    }

    /// Evidence for the matches of a query. For a text that is not stored, pass a record of the querying kind. `now`
    /// decides which deadlines have passed, and is the day of the deal.
    pub fn explain(&self, query: &Record, found: &[MatchHit], options: Options, now: Timestamp) -> Evidence {
        let is_demand = matches!(query.detail, Detail::Demand(_));
        let wants_answers = options.reasons || options.indicators;
        let wants_sheet = wants_answers && found.iter().any(|found| pair(query, &found.record).is_some());
        let sheet = (wants_sheet || options.diagnosis && is_demand).then(|| Sheet::read(query));
        let diagnosis = sheet.as_ref().filter(|_| options.diagnosis).and_then(|sheet| self.diagnose(query, sheet));
        // the query's indicators are filtered once, if the query is the demand
        let sheet = sheet.map(|sheet| if is_demand { sheet.asked() } else { sheet });
        let excluded = if options.reasons { exclusions::parts(query) } else { Vec::new() };
        let one = |found: &MatchHit| {
            let is_pair = pair(query, &found.record).is_some();
            let conflicts =
                if options.reasons && is_pair { exclusions::conflicts(&excluded, found) } else { Vec::new() };
            let sheet = sheet.as_ref().filter(|_| wants_answers && pair(query, &found.record).is_some());
            let answers = sheet.map(|sheet| answers(sheet, is_demand, &found.record)).unwrap_or_default();
            MatchEvidence {
                reasons: if options.reasons { reasons::reasons(found, &answers, conflicts, now) } else { Vec::new() },
                indicators: if options.indicators { answers } else { Vec::new() },
                notes: if options.policy { self.notes(query, &found.record, now) } else { Vec::new() },
            }
        };
        Evidence { matches: found.iter().map(one).collect(), diagnosis }
    }

    fn diagnose(&self, query: &Record, sheet: &Sheet<'_>) -> Option<Diagnosis> {
        Given::record(query, sheet.claimed()).map(|given| self.diagnoser.diagnose(&given))
    }

    fn notes(&self, query: &Record, record: &Record, now: Timestamp) -> Vec<Note> {
        let Some((demand, achievement)) = pair(query, record) else { return Vec::new() };
        self.policies.notes(&deal::deal(demand, achievement, now))
    }
}

/// Compares the indicators of query and match, with demand and achievement in the right order.
fn answers(query: &Sheet<'_>, query_is_demand: bool, record: &Record) -> Vec<IndicatorAnswer> {
    let other = Sheet::read(record);
    if query_is_demand { indicators::answers(query, &other) } else { indicators::answers(&other.asked(), query) }
}

/// Orders two records as demand and achievement; `None` if they are not one of each.
fn pair<'a>(one: &'a Record, other: &'a Record) -> Option<(&'a Record, &'a Record)> {
    match (&one.detail, &other.detail) {
        (Detail::Demand(_), Detail::Achievement(_)) => Some((one, other)),
        (Detail::Achievement(_), Detail::Demand(_)) => Some((other, one)),
        _ => None,
    }
}
