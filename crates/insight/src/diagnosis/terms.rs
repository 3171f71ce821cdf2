//! Conditions of a demand: budget, deadline, way of cooperation.

use std::ops::Range;

use super::{
    amount,
    answer::{Aspect, AspectState, Finding, StatementSource},
    content::{by_words, finding, gathered, vague_or_missing},
    given::Given,
    lists::{WordList, Words},
    text::{TextPart, is_placeholder},
    time,
};

/// Maximum characters between a budget word and its amount: 预算（含两个工位的硬件和调试）约.
const AMOUNT_BEHIND_CHARS: usize = 20;
/// Maximum characters between an amount and a budget word after it: 100万元以内的经费.
const AMOUNT_BEFORE_CHARS: usize = 6;
/// Maximum characters between a deadline word and its time: 项目周期（自签约之日起）.
const TIME_BEHIND_CHARS: usize = 12;

/// Finds the budget.
pub(super) fn budget(words: &Words, parts: &[TextPart<'_>], given: &Given<'_>) -> Finding {
    if given.budget_yuan.is_some_and(|yuan| 0 < yuan) {
        return finding(Aspect::Budget, AspectState::Present, vec![StatementSource::Field("budget_yuan")]);
    }
    let found = gathered(parts, |part| {
        let places = part.find(&words.budget);
        places.iter().filter_map(|word| with_amount(part, word)).collect()
    });
    if !found.is_empty() {
        return finding(Aspect::Budget, AspectState::Present, found);
    }
    vague_or_missing(Aspect::Budget, gathered(parts, |part| open_words(part, &words.budget, &words.placeholder)))
}

/// Finds the deadline.
pub(super) fn deadline(words: &Words, parts: &[TextPart<'_>], given: &Given<'_>) -> Finding {
    if given.has_deadline {
        return finding(Aspect::Deadline, AspectState::Present, vec![StatementSource::Field("deadline")]);
    }
    let found = gathered(parts, |part| {
        let behind_terms = part.find(&words.deadline_term).into_iter().filter_map(|term| {
            let sentence = part.sentence(term.start);
            let last = sentence.end.min(term.end + TIME_BEHIND_CHARS);
            let time = time::times(part, term.end..last).into_iter().next()?;
            Some(term.start..time.place.end)
        });
        let mut places: Vec<Range<usize>> = behind_terms.collect();
        let verbs = part.find(&words.deadline_verb);
        let with_verb = |place: &Range<usize>| {
            let clause = part.clause(place.start);
            let next = verbs.partition_point(|verb| verb.start < clause.start);
            verbs.get(next).is_some_and(|verb| verb.start < clause.end)
        };
        let limits = time::times(part, 0..part.chars.len()).into_iter().filter(|time| time.is_limit);
        places.extend(limits.map(|time| time.place).filter(with_verb));
        places.sort_by_key(|place| (place.start, place.end));
        places.dedup_by(|next, before| next.start < before.end);
        places
    });
    if !found.is_empty() {
        return finding(Aspect::Deadline, AspectState::Present, found);
    }
    let vague = gathered(parts, |part| {
        let mut places = part.find(&words.deadline_vague);
        places.extend(open_words(part, &words.deadline_term, &words.placeholder));
        places.sort_by_key(|place| place.start);
        places
    });
    vague_or_missing(Aspect::Deadline, vague)
}

/// Finds the way of cooperation.
pub(super) fn cooperation(words: &Words, parts: &[TextPart<'_>], given: &Given<'_>) -> Finding {
    if given.has_cooperation {
        return finding(Aspect::Cooperation, AspectState::Present, vec![StatementSource::Field("cooperation_modes")]);
    }
    by_words(Aspect::Cooperation, parts, &words.cooperation, &words.cooperation_vague)
}

/// Range from a budget word to its amount.
fn with_amount(part: &TextPart<'_>, word: &Range<usize>) -> Option<Range<usize>> {
    let sentence = part.sentence(word.start);
    let behind = word.end..sentence.end.min(word.end + AMOUNT_BEHIND_CHARS);
    if let Some(amount) = amount::amounts(part, behind).into_iter().next() {
        return Some(word.start..amount.end);
    }
    let amounts = amount::amounts(part, sentence.start..word.start);
    let nearest = amounts.into_iter().next_back().filter(|amount| word.start <= amount.end + AMOUNT_BEFORE_CHARS)?;
    Some(nearest.start..word.end)
}

/// Words of a list without a placeholder after them: 预算：面议 states nothing.
fn open_words(part: &TextPart<'_>, list: &WordList, placeholders: &WordList) -> Vec<Range<usize>> {
    let open = |word: &Range<usize>| {
        let clause = part.clause(word.start);
        let behind = part.chars.get(word.end..clause.end).unwrap_or_default();
        let colon = behind.first().is_some_and(|first| matches!(first, ':' | '为' | '是' | ' '));
        let value = if colon { behind.get(1..).unwrap_or_default() } else { behind };
        // a word with nothing after it ends a sentence; it is not an empty form field
        value.is_empty() && !colon || !is_placeholder(value, placeholders)
    };
    part.find(list).into_iter().filter(open).collect()
}
