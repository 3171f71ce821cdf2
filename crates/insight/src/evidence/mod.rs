//! Evidence beside a page of matches: what speaks for and against each, indicator by indicator, what a subsidy rule could
//! give, and what the demand itself does not say. Nothing here changes a score or a place.
//!
//! ```text
//! query (as a record) ─┬─ diagnosis ──────────────────────────► Diagnosis
//!                      └─ indicators ─┐
//! MatchHit ─┬─ scores, terms ────────────┼─ reasons ───────────► [Reason], each of this one record's words
//!        └─ indicators ───────────────┴─ compare ───────────► [IndicatorAnswer]
//! demand + achievement ── deal ── policy ───────────────────► [Note]
//! ```
//!
//! All of it is a pure function of the query, the page, the options and the time of the call.

mod deal;
mod indicators;
mod quote;
mod reasons;

use jiff::Timestamp;

pub use indicators::{IndicatorAnswer, MAX_ANSWERS};
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

/// Makes evidence. Made once; immutable.
#[derive(Debug)]
pub struct Explainer {
    diagnoser: Diagnoser,
    policies: Policies,
}

/// Which evidence is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What speaks for and against each match.
    pub reasons: bool,
    /// Answers to the demand's indicators.
    pub indicators: bool,
    /// What subsidy rules say.
    pub policy: bool,
    /// What the demand that asks does not say.
    pub diagnosis: bool,
}

/// Evidence of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// One for each match, in their order.
    pub matches: Vec<MatchEvidence>,
    /// Of the query; `None` where not wanted or where it is no demand.
    pub diagnosis: Option<Diagnosis>,
}

/// Evidence of one match; what is not wanted is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MatchEvidence {
    /// What speaks for and against it: parts of the score first, largest first; they sum to the score.
    pub reasons: Vec<Reason>,
    /// Answers to the demand's indicators, in the demand's order, at most [`MAX_ANSWERS`].
    pub indicators: Vec<IndicatorAnswer>,
    /// What the rules say, by rule.
    pub notes: Vec<Note>,
}

// === impl Options ===

impl Options {
    /// Whether anything is wanted.
    pub fn any(self) -> bool {
        self.reasons || self.indicators || self.policy || self.diagnosis
    }
}

// === impl Explainer ===

impl Explainer {
    /// Takes the terms of the dictionaries, which name what demands are about, and the rules.
    pub fn new(text: &TextPipeline, policies: Policies) -> Self {
        Self { diagnoser: Diagnoser::new(text.dictionary_terms()), policies }
    }

    /// Evidence of the matches that were found for a query. A text that is not stored is a record of the kind that would
    /// ask with it. `now` decides which deadlines have passed and on which day a deal would be made.
    pub fn explain(&self, query: &Record, found: &[MatchHit], options: Options, now: Timestamp) -> Evidence {
        let is_demand = matches!(query.detail, Detail::Demand(_));
        let wants_answers = options.reasons || options.indicators;
        let wants_sheet = wants_answers && found.iter().any(|found| pair(query, &found.record).is_some());
        let sheet = (wants_sheet || options.diagnosis && is_demand).then(|| Sheet::read(query));
        let diagnosis = sheet.as_ref().filter(|_| options.diagnosis).and_then(|sheet| self.diagnose(query, sheet));
        // the query's side is filtered once, when it is the one that asks
        let sheet = sheet.map(|sheet| if is_demand { sheet.asked() } else { sheet });
        let one = |found: &MatchHit| {
            let sheet = sheet.as_ref().filter(|_| wants_answers && pair(query, &found.record).is_some());
            let answers = sheet.map(|sheet| answers(sheet, is_demand, &found.record)).unwrap_or_default();
            MatchEvidence {
                reasons: if options.reasons { reasons::reasons(found, &answers, now) } else { Vec::new() },
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

/// The query's and a match's indicators compared the right way round.
fn answers(query: &Sheet<'_>, query_is_demand: bool, record: &Record) -> Vec<IndicatorAnswer> {
    let other = Sheet::read(record);
    if query_is_demand { indicators::answers(query, &other) } else { indicators::answers(&other.asked(), query) }
}

/// The two as demand and achievement, whichever of them asked; `None` where they are not one of each.
fn pair<'a>(one: &'a Record, other: &'a Record) -> Option<(&'a Record, &'a Record)> {
    match (&one.detail, &other.detail) {
        (Detail::Demand(_), Detail::Achievement(_)) => Some((one, other)),
        (Detail::Achievement(_), Detail::Demand(_)) => Some((other, one)),
        _ => None,
    }
}
