//! Answers the indicators of a demand from those of an achievement.
//!
//! Asked is what the demand claims; today's state, others' techniques and conditions in it get no answer. Looked at are
//! the achievement's indicators of the same dimension and measure that are no conditions and no former values.
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
//! | `工作温度 -40~85` (to be covered) | `-55~125`; `-20~60`; `90~120` | satisfied; not stated; violated |
//! | `降低 30%` | `降低 35%`; `降低 20%`; `降到 20%` | satisfied; violated; no counterpart |
//!
//! Only subjects that are the same can violate; those that are perhaps the same (强度, 抗拉强度) can satisfy. Where two
//! indicators of one subject answer differently, nothing is said.

use serde::Serialize;

use super::{
    Better, Bound, Comparison, Indicator, Interval, Measure, Standing,
    agree::{Agreement, agreement},
};

/// What becomes of an indicator of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Outcome {
    /// What the achievement states lies within what is asked.
    Satisfied,
    /// What the achievement states cannot hold together with what is asked.
    Violated,
    /// The achievement does not say enough.
    NotStated,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Reason {
    /// Satisfied: within the interval that is asked.
    Within,
    /// Satisfied: covers the range that is asked.
    Covers,
    /// Violated: no value in both.
    Disjoint,
    /// Not stated: nothing in the achievement speaks of this.
    NoCounterpart,
    /// Not stated: the number of the demand has no subject, so nothing can answer it.
    NoSubject,
    /// Not stated: the achievement promises less than is asked, which does not exclude it.
    Weaker,
    /// Not stated: another value, and it is not known which is better.
    NoDirection,
    /// Not stated: another value of what is perhaps another thing.
    PerhapsOther,
    /// Not stated: the achievement's values answer differently.
    Contradictory,
}

/// The answer to one indicator of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Index of the indicator of the demand.
    pub demand: usize,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// Index of the indicator of the achievement that decides, or comes nearest to deciding.
    pub achievement: Option<usize>,
}

/// One answer for each indicator that the demand claims, in the demand's order.
pub fn compare(demand: &[Indicator], achievement: &[Indicator]) -> Vec<Answer> {
    let asked = demand.iter().enumerate().filter(|(_, asked)| asked.standing == Standing::Claimed);
    asked.map(|(index, asked)| answer(index, asked, achievement)).collect()
}

fn answer(index: usize, asked: &Indicator, achievement: &[Indicator]) -> Answer {
    let mut best = Agreement::Related;
    let mut verdicts: Vec<(usize, Reason)> = Vec::new();
    let told = |stated: &Indicator| matches!(stated.standing, Standing::Claimed | Standing::Present);
    for (place, stated) in
        achievement.iter().enumerate().filter(|(_, stated)| told(stated) && stated.is_comparable(asked))
    {
        let agreement = agreement(asked, stated);
        if agreement < best {
            continue;
        }
        if best < agreement {
            best = agreement;
            verdicts.clear();
        }
        verdicts.push((place, reason(asked, stated, agreement)));
    }
    let is_lost = asked.subject.is_empty() && !asked.quantity.is_specific;
    let (reason, achievement) = decide(&verdicts, is_lost);
    Answer { demand: index, outcome: reason.outcome(), reason, achievement }
}

fn decide(verdicts: &[(usize, Reason)], is_lost: bool) -> (Reason, Option<usize>) {
    let first = |outcome: Outcome| verdicts.iter().find(|(_, reason)| reason.outcome() == outcome);
    match (first(Outcome::Satisfied), first(Outcome::Violated), verdicts.first()) {
        (Some((place, _)), Some(_), _) => (Reason::Contradictory, Some(*place)),
        (Some((place, reason)), None, _) | (None, Some((place, reason)), _) | (None, None, Some((place, reason))) => {
            (*reason, Some(*place))
        }
        (None, None, None) if is_lost => (Reason::NoSubject, None),
        (None, None, None) => (Reason::NoCounterpart, None),
    }
}

fn reason(asked: &Indicator, stated: &Indicator, agreement: Agreement) -> Reason {
    let reason = if is_cover(asked) || is_cover(stated) {
        covering(&asked.interval, &stated.interval)
    } else {
        let is_magnitude = is_magnitude(asked) || is_magnitude(stated);
        let wanted = wanted(asked, is_magnitude);
        let has_direction = wanted.as_point().is_none() || asked.is_about;
        keeping(&wanted, &told(stated, is_magnitude), has_direction)
    };
    if reason == Reason::Disjoint && agreement != Agreement::Same { Reason::PerhapsOther } else { reason }
}

fn keeping(wanted: &Interval, stated: &Interval, has_direction: bool) -> Reason {
    if stated.is_within(wanted) {
        Reason::Within
    } else if !has_direction {
        Reason::NoDirection
    } else if stated.is_disjoint(wanted) {
        Reason::Disjoint
    } else {
        Reason::Weaker
    }
}

/// Ranges that are to be covered: all values of the demand, or the one that it names, lie in the achievement's.
fn covering(asked: &Interval, stated: &Interval) -> Reason {
    let stated_is_range = stated.ends().is_some() && stated.as_point().is_none();
    let asked_is_range = asked.ends().is_some() && asked.as_point().is_none();
    let named = asked.as_point().or(asked.min.number()).or(asked.max.number());
    let covers = match (asked_is_range, stated_is_range) {
        (true, _) => asked.is_within(stated),
        (false, true) => named.is_some_and(|named| stated.contains(named)),
        (false, false) => return keeping(asked, stated, asked.as_point().is_none()),
    };
    if covers {
        Reason::Covers
    } else if stated.is_disjoint(asked) {
        Reason::Disjoint
    } else {
        Reason::Weaker
    }
}

/// The values that the demand wants: a bare value means at least or at most, as the subject tells.
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

/// What an indicator says; of `±0.1` and its like only the magnitude.
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

/// 精度 95%: a share of hits rather than an error.
fn is_accuracy(indicator: &Indicator) -> bool {
    let ends = [indicator.interval.min.number(), indicator.interval.max.number()];
    indicator.quantity.id == "ratio" && ends.iter().flatten().any(|number| 0.5 <= *number)
}

fn is_cover(indicator: &Indicator) -> bool {
    let by_words = ["范围", "区间", "温区"].iter().any(|tail| indicator.subject.ends_with(tail));
    let known = indicator.known_subject;
    known.is_some_and(|subject| subject.is_cover) || by_words && !known.is_some_and(|subject| subject.is_magnitude)
}

// === impl Reason ===

impl Reason {
    /// The outcome that it explains.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Within | Self::Covers => Outcome::Satisfied,
            Self::Disjoint => Outcome::Violated,
            _ => Outcome::NotStated,
        }
    }
}
