//! Content aspects of a demand: problem, object, indicators.

use std::ops::Range;

use super::{
    answer::{Aspect, AspectState, Finding, StatementSource},
    lists::{WordList, Words},
    questions::question,
    text::TextPart,
};

/// Number of characters before a generic noun that make it specific: 焊接设备, not 的设备.
const MODIFIER_CHARS: usize = 2;

/// Finds the current problem.
pub(super) fn problem(words: &Words, parts: &[TextPart<'_>]) -> Finding {
    let found = gathered(parts, |part| part.find(&words.problem));
    if !found.is_empty() {
        return finding(Aspect::Problem, AspectState::Present, found);
    }
    // 合作开发 does not express a wish for 开发
    let vague = gathered(parts, |part| {
        let others = part.find(&words.cooperation);
        let is_apart = |place: &Range<usize>| {
            let next = others.partition_point(|other| other.end <= place.start);
            others.get(next).is_none_or(|other| place.end <= other.start)
        };
        part.find(&words.problem_vague).into_iter().filter(is_apart).collect()
    });
    vague_or_missing(Aspect::Problem, vague)
}

/// Finds the object concerned.
pub(super) fn object(words: &Words, terms: &WordList, parts: &[TextPart<'_>]) -> Finding {
    let specific = |part: &TextPart<'_>| {
        let mut places = part.find(terms);
        places.extend(part.find(&words.object));
        places.extend(part.find(&words.object_generic).into_iter().filter_map(|place| modified(words, part, &place)));
        places.sort_by_key(|place| (place.start, usize::MAX - place.end));
        places.dedup_by(|next, before| next.start < before.end);
        places
    };
    let found = gathered(parts, specific);
    if !found.is_empty() {
        return finding(Aspect::Object, AspectState::Present, found);
    }
    vague_or_missing(Aspect::Object, gathered(parts, |part| part.find(&words.object_generic)))
}

/// Judges the indicators. A separate parser counts them and has their positions.
pub(super) fn indicators(words: &Words, parts: &[TextPart<'_>], found: usize) -> Finding {
    if 0 < found {
        return finding(Aspect::Indicators, AspectState::Present, Vec::new());
    }
    vague_or_missing(Aspect::Indicators, gathered(parts, |part| part.find(&words.indicator_vague)))
}

/// Present with a word of `clear`, vague with a word of `vague`, else missing.
pub(super) fn by_words(aspect: Aspect, parts: &[TextPart<'_>], clear: &WordList, vague: &WordList) -> Finding {
    let found = gathered(parts, |part| part.find(clear));
    if found.is_empty() {
        return vague_or_missing(aspect, gathered(parts, |part| part.find(vague)));
    }
    finding(aspect, AspectState::Present, found)
}

/// Vague with evidence, else missing.
pub(super) fn vague_or_missing(aspect: Aspect, evidence: Vec<StatementSource>) -> Finding {
    let state = if evidence.is_empty() { AspectState::Missing } else { AspectState::Vague };
    finding(aspect, state, evidence)
}

/// A finding with its question.
pub(super) fn finding(aspect: Aspect, state: AspectState, evidence: Vec<StatementSource>) -> Finding {
    Finding { aspect, state, question: question(aspect, state, &evidence), evidence }
}

/// The first positions in all parts, as evidence.
pub(super) fn gathered(
    parts: &[TextPart<'_>],
    places: impl Fn(&TextPart<'_>) -> Vec<Range<usize>>,
) -> Vec<StatementSource> {
    let found = parts.iter().flat_map(|part| {
        let places = places(part);
        places.iter().filter_map(|place| part.evidence(place)).collect::<Vec<_>>()
    });
    found.take(Finding::MAX_EVIDENCE).collect()
}

/// A generic noun with the modifier before it, if there is one.
fn modified(words: &Words, part: &TextPart<'_>, noun: &Range<usize>) -> Option<Range<usize>> {
    let start = noun.start.checked_sub(MODIFIER_CHARS)?;
    let modifier = part.chars.get(start..noun.start)?;
    let says_which = modifier.iter().all(|character| character.is_alphanumeric())
        && !modifier.iter().all(char::is_ascii_digit)
        && !words.object_modifier.at_end(modifier);
    says_which.then_some(start..noun.end)
}
