//! Answers a demand's indicators from those of an achievement.
//!
//! Only the demand's claimed indicators are requirements; its present state, other techniques and conditions get no
//! answer. The candidates are the achievement's indicators of the same dimension and measure, without conditions and
//! former values.
//!
//! | Demand | Achievement | Answer |
//! | --- | --- | --- |
//! | `≥500`, `达到 500`; `强度 500` (more is better) | `520`, `≥500`, `500~600` | satisfied: lies within |
//! | the same | `480`, `≤480`, `400~450` | violated: the two cannot both hold |
//! | the same | `≥400`, `≤600`, `450~600`, `约500` | not stated: the achievement promises less |
//! | `≤0.1`, `±0.1`; `误差 0.1` (less is better) | `0.05`, `±0.05`, `≤0.1` | satisfied |
//! | the same | `0.2`, `≥0.2` | violated |
//! | the same | `±0.2`, `≤0.2` | not stated: promises less |
//! | `直径 20` (no direction) | `20`; any other | satisfied; not stated: no direction |
//! | `10~20` | `12`, `12~18`; `25`; `5~15` | satisfied; violated; not stated |
//! | `工作温度 -40~85` (to be covered) | `-55~125`; `-20~60`, `90~120`; `25` | satisfied; violated; not stated |
//! | `≥25 kGy` | `100 foo`; `100 MPa`; `10-8 kGy` | not stated: unit not known; units differ; unclear |
//! | `≥5 foo` | `6 foo` | satisfied: written alike |
//! | `纯度 ≥99%` | `99.5%`, `主要技术指标：99.5%` | not stated: says not of what |
//! | `降低 30%` | `降低 35%`; `降低 20%`; `降到 20%` | satisfied; violated; no counterpart |
//!
//! A violation needs the same subject; a possibly equal subject (强度, 抗拉强度) can only satisfy. If two indicators of one
//! subject answer differently, the answer is not stated.

use serde::Serialize;

use super::{
    Better, Bound, Comparison, Indicator, Interval, Measure, Standing,
    agree::{self, Agreement, agreement},
};

/// Outcome for a demand's indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum AnswerOutcome {
    /// The stated values lie within the required ones.
    Satisfied,
    /// The stated and required values exclude each other.
    Violated,
    /// The achievement states too little.
    NotStated,
}

/// Reason for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum AnswerReason {
    /// Satisfied: within the required interval.
    Within,
    /// Satisfied: covers the required range.
    Covers,
    /// Violated: no common value.
    Disjoint,
    /// Violated: a range that does not cover the required one.
    NotCovered,
    /// Not stated: the unit of one side is none of the table.
    UnitNotKnown,
    /// Not stated: the units are of two quantities, or one side has none.
    UnitsDiffer,
    /// Not stated: the number of one side can be read in two ways.
    Unclear,
    /// Not stated: the achievement has no such indicator.
    NoCounterpart,
    /// Not stated: the demand's number has no subject, so no answer is possible.
    NoSubject,
    /// Not stated: the achievement has a number of this dimension that does not say of what.
    NoStatedSubject,
    /// Not stated: the achievement promises less than required, which does not exclude it.
    Weaker,
    /// Not stated: another value, and neither is known to be better.
    NoDirection,
    /// Not stated: another value, possibly of another subject.
    PerhapsOther,
    /// Not stated: the achievement's values contradict each other.
    Contradictory,
}

/// The answer to one indicator of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Index of the demand's indicator.
    pub demand: usize,
    /// Outcome.
    pub outcome: AnswerOutcome,
    /// Reason.
    pub reason: AnswerReason,
    /// Index of the achievement's indicator that decides, or is closest to deciding.
    pub achievement: Option<usize>,
}

/// One answer per claimed indicator of the demand, in the demand's order.
pub fn compare(demand: &[Indicator], achievement: &[Indicator]) -> Vec<Answer> {
    let asked = demand.iter().enumerate().filter(|(_, asked)| asked.standing == Standing::Claimed);
    asked.map(|(index, asked)| answer(index, asked, achievement)).collect()
}

fn answer(index: usize, asked: &Indicator, achievement: &[Indicator]) -> Answer {
    let mut best = Agreement::Related;
    let mut verdicts: Vec<(usize, AnswerReason)> = Vec::new();
    // of the same subject, but not to be compared
    let mut apart: Option<(Agreement, usize, AnswerReason)> = None;
    // of no subject
    let mut bare: Option<usize> = None;
    let told = |stated: &Indicator| matches!(stated.standing, Standing::Claimed | Standing::Present);
    for (place, stated) in achievement.iter().enumerate().filter(|(_, stated)| told(stated)) {
        if !stated.is_comparable(asked) {
            let agreement = agree::of_subjects(&asked.subject, &stated.subject);
            let is_closer = apart.is_none_or(|(other, ..)| other < agreement);
            if stated.measure == asked.measure && is_closer && agreement != Agreement::None {
                apart = Some((agreement, place, incomparable(asked, stated)));
            }
            continue;
        }
        let agreement = agreement(asked, stated);
        if agreement < best {
            bare = bare.or(agree::says_no_subject(stated).then_some(place));
            continue;
        }
        if best < agreement {
            best = agreement;
            verdicts.clear();
        }
        verdicts.push((place, reason(asked, stated, agreement)));
    }
    let is_lost = asked.subject.is_empty() && !asked.quantity.is_specific;
    let (reason, achievement) = match (apart, bare) {
        (Some((_, place, reason)), _) if verdicts.is_empty() => (reason, Some(place)),
        (None, Some(place)) if verdicts.is_empty() && !is_lost => (AnswerReason::NoStatedSubject, Some(place)),
        _ => decide(&verdicts, is_lost),
    };
    Answer { demand: index, outcome: reason.outcome(), reason, achievement }
}

fn incomparable(asked: &Indicator, stated: &Indicator) -> AnswerReason {
    if asked.is_unclear || stated.is_unclear {
        AnswerReason::Unclear
    } else if asked.is_unlisted() || stated.is_unlisted() {
        AnswerReason::UnitNotKnown
    } else {
        AnswerReason::UnitsDiffer
    }
}

fn decide(verdicts: &[(usize, AnswerReason)], is_lost: bool) -> (AnswerReason, Option<usize>) {
    let first = |outcome: AnswerOutcome| verdicts.iter().find(|(_, reason)| reason.outcome() == outcome);
    match (first(AnswerOutcome::Satisfied), first(AnswerOutcome::Violated), verdicts.first()) {
        (Some((place, _)), Some(_), _) => (AnswerReason::Contradictory, Some(*place)),
        (Some((place, reason)), None, _) | (None, Some((place, reason)), _) | (None, None, Some((place, reason))) => {
            (*reason, Some(*place))
        }
        (None, None, None) if is_lost => (AnswerReason::NoSubject, None),
        (None, None, None) => (AnswerReason::NoCounterpart, None),
    }
}

fn reason(asked: &Indicator, stated: &Indicator, agreement: Agreement) -> AnswerReason {
    let reason = if is_cover(asked) || is_cover(stated) {
        covering(&asked.interval, &stated.interval)
    } else {
        let is_magnitude = is_magnitude(asked) || is_magnitude(stated);
        let wanted = wanted(asked, is_magnitude);
        let has_direction = wanted.as_point().is_none() || asked.is_about;
        keeping(&wanted, &told(stated, is_magnitude), has_direction)
    };
    let is_sure = agreement == Agreement::Same;
    if reason.outcome() == AnswerOutcome::Violated && !is_sure { AnswerReason::PerhapsOther } else { reason }
}

fn keeping(wanted: &Interval, stated: &Interval, has_direction: bool) -> AnswerReason {
    if stated.is_within(wanted) {
        AnswerReason::Within
    } else if !has_direction {
        AnswerReason::NoDirection
    } else if stated.is_disjoint(wanted) {
        AnswerReason::Disjoint
    } else {
        AnswerReason::Weaker
    }
}

/// Compares cover ranges: the achievement must contain the demand's range or value.
fn covering(asked: &Interval, stated: &Interval) -> AnswerReason {
    let stated_is_range = stated.ends().is_some() && stated.as_point().is_none();
    let asked_is_range = asked.ends().is_some() && asked.as_point().is_none();
    let named = asked.as_point().or(asked.min.number()).or(asked.max.number());
    let covers = match (asked_is_range, stated_is_range) {
        (true, _) => asked.is_within(stated),
        (false, true) => named.is_some_and(|named| stated.contains(named)),
        (false, false) => return keeping(asked, stated, asked.as_point().is_none()),
    };
    if covers {
        AnswerReason::Covers
    } else if asked_is_range && stated_is_range {
        AnswerReason::NotCovered
    } else if stated.is_disjoint(asked) {
        AnswerReason::Disjoint
    } else {
        AnswerReason::Weaker
    }
}

/// Interval that the demand requires: a bare value is a minimum or maximum, depending on the subject.
fn wanted(asked: &Indicator, is_magnitude: bool) -> Interval {
    let interval = told(asked, is_magnitude);
    let is_bare = matches!(asked.comparison, Comparison::Exact | Comparison::Reach);
    let at_least = Interval { max: Bound::Unbounded, ..interval };
    let at_most = Interval { min: Bound::Unbounded, ..interval };
    let better = asked.known_subject.map_or(Better::Unknown, |subject| subject.better);
    match (is_bare, asked.measure, better) {
        (false, ..) => interval,
        (true, Measure::Increase | Measure::Decrease, _) => at_least,
        // 精度 95% is an accuracy
        (true, _, Better::Lower) if is_accuracy(asked) => at_least,
        (true, _, Better::Lower) => at_most,
        (true, _, Better::Higher) => at_least,
        (true, _, Better::Unknown) if asked.comparison == Comparison::Reach => at_least,
        (true, _, Better::Unknown) => interval,
    }
}

/// Stated interval; for `±0.1` and similar, only the magnitude.
fn told(stated: &Indicator, is_magnitude: bool) -> Interval {
    let Some((min, max)) = stated.interval.ends().filter(|_| is_magnitude) else { return stated.interval };
    if stated.comparison == Comparison::Tolerance || super::interval::is_same(-min, max) {
        return Interval::at_most(max);
    }
    if max < 0.0 { Interval::between(-max, -min) } else { stated.interval }
}

fn is_magnitude(indicator: &Indicator) -> bool {
    indicator.known_subject.is_some_and(|subject| subject.is_magnitude) && !is_accuracy(indicator)
}

/// Returns whether 精度 is a share of hits (95%) rather than an error.
fn is_accuracy(indicator: &Indicator) -> bool {
    let ends = [indicator.interval.min.number(), indicator.interval.max.number()];
    indicator.quantity.id == "ratio" && ends.iter().flatten().any(|number| 0.5 <= *number)
}

fn is_cover(indicator: &Indicator) -> bool {
    let by_words = ["范围", "区间", "温区"].iter().any(|tail| indicator.subject.ends_with(tail));
    let known = indicator.known_subject;
    known.is_some_and(|subject| subject.is_cover) || by_words && !known.is_some_and(|subject| subject.is_magnitude)
}

// === impl AnswerReason ===

impl AnswerReason {
    /// Outcome for this reason.
    pub fn outcome(self) -> AnswerOutcome {
        match self {
            Self::Within | Self::Covers => AnswerOutcome::Satisfied,
            Self::Disjoint | Self::NotCovered => AnswerOutcome::Violated,
            _ => AnswerOutcome::NotStated,
        }
    }
}
