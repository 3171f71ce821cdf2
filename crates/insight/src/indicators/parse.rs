//! Finds a text's indicators in one pass. Only digits and Chinese numerals trigger parsing.

use std::ops::Range;

use super::{
    Comparison, Indicator, Measure, Standing,
    draft::{IndicatorDraft, turn},
    expression::{self, Doubt, Expression, NumberWithUnit, Values},
    lead::{self, Lead},
    number,
    standing::standing,
    subjects::{self, Subject},
    text::CharText,
    words::{self, Behind},
};

/// Maximum indicators per text; later ones are ignored. A sheet of test results has a few dozen.
pub const MAX_INDICATORS: usize = 256;
/// Words between the values of 由 A 提高到 B.
const TURNS: [&str; 9] = ["提高", "提升", "增加", "升", "延长", "降", "减", "缩短", "改善"];
/// Steel grades that look like litres.
const STEELS: [&str; 4] = ["304L", "316L", "317L", "904L"];
/// Maximum words after a unit: 以上左右 is two.
const MAX_WORDS_BEHIND: usize = 2;
/// Maximum characters of the subject in `6≤pH≤9`.
const MAX_INNER_CHARS: usize = 12;

/// All indicators of a text in order, at most `MAX_INDICATORS`.
///
/// Runs in linear time, never panics, and returns only finite numbers.
pub fn parse(text: &str) -> Vec<Indicator> {
    let text = CharText::new(text);
    let mut parser = Parser { text: &text, found: Vec::new(), left_out: 0, names: Vec::new() };
    let mut place = 0;
    while place < text.len() && parser.found.len() < MAX_INDICATORS {
        place = if may_begin(text.at(place)) { parser.step(place).max(place + 1) } else { place + 1 };
    }
    parser.found
}

/// Returns whether a number may start with the character.
fn may_begin(character: char) -> bool {
    character.is_ascii_digit() || number::begins_chinese(character) || matches!(character, '百' | '千' | '万')
}

struct Parser<'a> {
    text: &'a CharText<'a>,
    found: Vec<Indicator>,
    /// End of the last number with a unit that was left out; no subject reaches over it.
    left_out: usize,
    /// Names before 分别 that still need their numbers, last one first.
    names: Vec<Range<usize>>,
}

// === impl Parser ===

impl Parser<'_> {
    /// Parses the expression at a position and returns the next position.
    fn step(&mut self, place: usize) -> usize {
        let character = self.text.at(place);
        let expression = if character.is_ascii_digit() {
            match expression::in_digits(self.text, place) {
                Ok(expression) => expression,
                Err(next) => return next,
            }
        } else if number::begins_chinese(character) {
            match expression::in_chinese(self.text, place) {
                Some(expression) => expression,
                None => {
                    self.left_out = expression::left_out(self.text, place).unwrap_or(self.left_out);
                    return place + 1;
                }
            }
        } else if matches!(character, '百' | '千' | '万') {
            match expression::per_hundred(self.text, place) {
                Some(expression) => expression,
                None => return place + 1,
            }
        } else {
            return place + 1;
        };
        let end = expression.end;
        let floor = self.limit(expression.start);
        let after_numbers = expression.end_of_numbers();
        if expression.start < floor || self.is_bare(&expression) {
            return after_numbers;
        }
        let Some(draft) = self.draft(expression) else { return after_numbers };
        let next = draft.end;
        let Some(indicator) = self.indicator(draft) else { return after_numbers };
        self.push(indicator);
        next.max(end)
    }

    /// Returns whether a number has neither unit nor words: `1、`, `第 3`, `图 1`.
    fn is_bare(&self, expression: &Expression) -> bool {
        let value = match &expression.values {
            Values::One(value) => value,
            Values::Range(_, second) => return expression::is_year(self.text, second),
            _ => return false,
        };
        let is_steel = self.text.before(expression.end) == 'L'
            && STEELS.contains(&self.text.original(expression.start..expression.end));
        if is_steel || expression::is_year(self.text, value) {
            return true;
        }
        let before = self.text.before(self.text.skip_blanks_back(expression.start));
        let has_words = before.is_alphabetic() || matches!(before, '≥' | '≤' | '>' | '<' | '=' | ':' | ')' | '≈' | '~');
        !value.has_listed_unit()
            && !has_words
            && words::behind(self.text, value.end()).is_none()
            && !self.is_inner(value.end())
    }

    fn is_inner(&self, place: usize) -> bool {
        matches!(self.text.at(place), '≤' | '<')
    }

    /// End of the last indicator, or of a number that was left out, before a position.
    fn limit(&self, place: usize) -> usize {
        let ends = self.found.iter().rev().map(|indicator| indicator.span.chars.end);
        let left_out = Some(self.left_out).filter(|end| *end <= place);
        ends.chain([0]).find(|end| *end <= place).max(left_out).unwrap_or(0)
    }

    fn draft(&mut self, expression: Expression) -> Option<IndicatorDraft> {
        let mut lead = Lead::read(self.text, expression.start, |place| self.limit(place));
        if expression.values.units().next().is_none() && lead.names.is_empty() {
            lead.read_heading(self.text, self.limit(expression.start));
        }
        let Expression { start, end, values, doubt } = expression;
        let mut draft = IndicatorDraft {
            subject: lead.subject.clone(),
            start: lead.start,
            number: start,
            is_about: lead.is_about,
            lead,
            end,
            values,
            doubt,
            known: None,
            behind: None,
            open_ends: None,
        };
        if self.is_inner(end)
            && draft.lead.comparison.is_none()
            && let Values::One(first) = draft.values
        {
            return self.between(draft.lead, start, first);
        }
        self.read_behind(&mut draft);
        self.take_name(&mut draft, start);
        draft.known = self.known(&draft.subject);
        draft.read_purity(self.text);
        if draft.subject.is_empty() {
            self.read_subject_behind(&mut draft);
        }
        Some(draft)
    }

    fn known(&self, subject: &Range<usize>) -> Option<&'static Subject> {
        subjects::known(self.text.slice(subject.clone())).map(|(known, _)| known)
    }

    fn read_behind(&self, draft: &mut IndicatorDraft) {
        for _ in 0..MAX_WORDS_BEHIND {
            let place = self.text.skip_blanks(draft.end).min(draft.end + 1);
            let Some((word, end)) = words::behind(self.text, place) else { break };
            if word == Behind::About {
                draft.is_about = true;
            } else if draft.behind.is_none() && (word != Behind::Condition || !draft.is_about) {
                draft.behind = Some(word);
            } else {
                break;
            }
            draft.end = end;
        }
    }

    /// Assigns the next name of a 分别 list to the next number.
    fn take_name(&mut self, draft: &mut IndicatorDraft, number: usize) {
        if 1 < draft.lead.names.len() {
            self.names = std::mem::take(&mut draft.lead.names);
            self.names.reverse();
        } else {
            let gap = self.text.slice(self.limit(number)..number);
            let goes_on = matches!(gap, ['、' | '和' | '与' | '及' | '，' | '/'] | ['，', '和'] | ['以', '及']);
            if !goes_on {
                self.names.clear();
            }
        }
        if let Some(name) = self.names.pop() {
            draft.subject = name;
        }
    }

    fn read_subject_behind(&self, draft: &mut IndicatorDraft) {
        let place = self.text.after(draft.end, "的");
        let is_count = matches!(&draft.values, Values::One(value) if self.is_count(value));
        let Some(place) = place.or(is_count.then_some(draft.end)) else { return };
        let known = |written: &[char]| subjects::known(written).is_some();
        let Some(subject) = lead::subject_behind(self.text, place, known) else { return };
        draft.end = subject.end;
        draft.known = self.known(&subject);
        draft.subject = subject;
    }

    fn is_count(&self, value: &NumberWithUnit) -> bool {
        let conversion = value.unit.as_ref().and_then(|unit| unit.conversion(""));
        conversion.is_some_and(|conversion| conversion.quantity.is_count)
    }

    /// `6≤pH≤9`.
    fn between(&self, lead: Lead, start: usize, first: NumberWithUnit) -> Option<IndicatorDraft> {
        let text = self.text;
        let from = text.skip_blanks(first.end() + 1);
        let subject_end = (from..from + MAX_INNER_CHARS).find(|place| !text.at(*place).is_alphanumeric())?;
        let sign = text.skip_blanks(subject_end);
        let second = expression::value(text, text.skip_blanks(sign + 1)).ok().filter(|_| self.is_inner(sign))?;
        let open_ends = (text.at(first.end()) == '<', text.at(sign) == '<');
        let known = subjects::known(text.slice(from..subject_end)).map(|(known, _)| known);
        Some(IndicatorDraft {
            lead: Lead {
                comparison: Some(Comparison::Range),
                subject: from..subject_end,
                change: None,
                far_change: None,
                ..lead
            },
            start,
            number: start,
            end: second.end(),
            values: Values::Range(first, second),
            doubt: Doubt::No,
            subject: from..subject_end,
            known,
            behind: None,
            is_about: false,
            open_ends: Some(open_ends),
        })
    }

    fn indicator(&self, mut draft: IndicatorDraft) -> Option<Indicator> {
        let mut subject = self.text.folded(draft.subject.clone());
        let (measure, conversion) = draft.meaning(self.text, &subject)?;
        if measure != Measure::Level && turn(&subject).is_some() {
            subject.pop();
            draft.subject.end -= 1;
            draft.known = self.known(&draft.subject);
        }
        let comparison = draft.comparison(&conversion);
        if conversion.quantity.id == "unlisted" && !draft.is_measured(comparison) {
            return None;
        }
        if conversion.quantity.is_count && draft.is_casual(comparison) {
            return None;
        }
        let interval = draft.interval(comparison, &conversion, &subject)?;
        let is_unclear = draft.is_unclear(comparison, &conversion, &subject);
        let (value, unit) = draft.written();
        let span = self.text.span(draft.start..draft.end);
        let subject_span = (!draft.subject.is_empty()).then(|| self.text.span(draft.subject.clone()));
        Some(Indicator {
            quantity: conversion.quantity,
            base_unit: conversion.base_unit,
            measure,
            comparison,
            is_about: draft.is_about,
            is_unclear,
            interval,
            former: None,
            standing: self.standing(&draft, measure, conversion.quantity.id, comparison),
            known_subject: draft.known,
            subject,
            value: self.text.original(value).to_string(),
            unit: self.text.original(unit).to_string(),
            span,
            subject_span,
        })
    }

    fn standing(&self, draft: &IndicatorDraft, measure: Measure, unit: &str, comparison: Comparison) -> Standing {
        let is_plain = matches!(comparison, Comparison::Exact | Comparison::Range | Comparison::Tolerance);
        let is_span = unit == "temperature" && draft.is_difference() && draft.is_span();
        if draft.behind == Some(Behind::Condition) || is_plain && is_span {
            return Standing::Condition;
        }
        let follows = self.found.last().is_some_and(|last| last.span.chars.end + 1 == draft.start);
        let in_brackets = self.text.before(draft.start) == '(' && self.text.at(draft.end) == ')';
        if is_plain && follows && in_brackets && draft.subject.is_empty() {
            return Standing::Condition;
        }
        if measure != Measure::Level || draft.lead.reaches {
            return Standing::Claimed;
        }
        standing(self.text, draft.number)
    }

    /// Adds an indicator; in `由 A 提高到 B`, A becomes the former value of B.
    fn push(&mut self, mut indicator: Indicator) {
        // indicators in brackets between subject and number are conditions: 强度（25℃）≥500MPa
        let start = indicator.span.chars.start;
        while self.found.pop_if(|last| start <= last.span.chars.start).is_some() {}
        let is_step = |last: &Indicator| {
            let gap = self.text.slice(last.span.chars.end..start);
            matches!(gap, [] | ['，'] | [' '])
                && indicator.subject.is_empty()
                && last.is_comparable(&indicator)
                && indicator.comparison != Comparison::Tolerance
                && TURNS.iter().any(|turn| self.text.after(start, turn).is_some())
        };
        if let Some(last) = self.found.pop_if(|last| is_step(last)) {
            indicator.former = Some(last.interval);
            indicator.span = self.text.span(last.span.chars.start..indicator.span.chars.end);
            (indicator.subject, indicator.subject_span) = (last.subject, last.subject_span);
            indicator.known_subject = last.known_subject;
        }
        self.found.push(indicator);
    }
}
