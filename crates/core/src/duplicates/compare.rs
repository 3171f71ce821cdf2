//! Decides from the full texts whether two records are duplicates.

use super::{
    boilerplate::Boilerplate,
    content::{RecordTexts, Sentence},
    groups::DuplicateReason,
    limits::{
        MIN_EQUAL_SHINGLES, MIN_REST_CHARS, MIN_SHINGLES, MIN_TITLE_CHARS, NUMBERS_AGREE, REST_NEAR, TEXT_NEAR,
        TEXT_SUPPORTS, TITLE_NEAR, TITLE_UNLIKE,
    },
    shingle::{jaccard, set},
    signed::Signed,
};
use crate::domain::Kind;

/// One record of the pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComparedRecord<'a> {
    pub signed: &'a Signed,
    pub content: &'a RecordTexts,
}

/// All reasons why the two records are duplicates.
pub(super) fn reasons(
    left: ComparedRecord<'_>,
    right: ComparedRecord<'_>,
    boilerplate: &Boilerplate,
) -> Vec<DuplicateReason> {
    // another model or size, whatever else matches
    if left.content.title.numbers != right.content.title.numbers {
        return Vec::new();
    }
    let title = jaccard(&left.content.title.pairs, &right.content.title.pairs);
    let text = jaccard(&left.content.shingles, &right.content.shingles);
    let by_title = left.signed.same_owner(right.signed) && same_title(left, right, title, text);
    let by_text = same_text(left, right, title, text, boilerplate);
    let by_title = by_title.then_some(DuplicateReason::OwnerTitle { title, text });
    by_title.into_iter().chain(by_text.then_some(DuplicateReason::Text { jaccard: text })).collect()
}

fn is_expert(side: ComparedRecord<'_>) -> bool {
    side.signed.name.kind == Kind::Expert
}

/// Returns whether two titles of one owner name the same thing.
fn same_title(left: ComparedRecord<'_>, right: ComparedRecord<'_>, title: f64, text: f64) -> bool {
    let (one, other) = (&left.content.title.letters, &right.content.title.letters);
    if is_expert(left) {
        return one == other && 2 <= one.len();
    }
    let is_supported = !has_short_title(left, right) || TEXT_SUPPORTS <= text && !say_different(left, right);
    TITLE_NEAR <= title && !one.is_empty() && is_supported
}

/// Returns whether one title is too short, or too generic, to name a thing.
fn has_short_title(left: ComparedRecord<'_>, right: ComparedRecord<'_>) -> bool {
    left.content.title.named_chars.min(right.content.title.named_chars) < MIN_TITLE_CHARS
}

fn same_text(
    left: ComparedRecord<'_>,
    right: ComparedRecord<'_>,
    title: f64,
    text: f64,
    boilerplate: &Boilerplate,
) -> bool {
    if text < TEXT_NEAR || is_expert(left) && left.content.title.letters != right.content.title.letters {
        return false;
    }
    let fewest = left.content.shingles.len().min(right.content.shingles.len());
    if fewest < MIN_SHINGLES {
        let is_equal = left.signed.text_key == right.signed.text_key;
        return is_equal && MIN_EQUAL_SHINGLES <= fewest && !left.signed.other_owner(right.signed);
    }
    let numbers_agree = NUMBERS_AGREE <= jaccard(&left.content.numbers, &right.content.numbers)
        && NUMBERS_AGREE <= jaccard(&left.content.models, &right.content.models);
    // a specific title is enough; otherwise the sentences outside the shared part must not differ
    let is_named = TITLE_NEAR <= title && !has_short_title(left, right);
    let is_said = is_named || !say_different(left, right);
    numbers_agree && is_said && (TITLE_UNLIKE <= title || same_own(left, right, boilerplate))
}

/// Returns whether both have sentences of their own that differ: two demands with one company profile.
fn say_different(left: ComparedRecord<'_>, right: ComparedRecord<'_>) -> bool {
    let (one, other) = (rest(left, right), rest(right, left));
    let chars = |rest: &[&Sentence]| rest.iter().map(|sentence| sentence.chars).sum::<usize>();
    if chars(&one).min(chars(&other)) < MIN_REST_CHARS {
        return false;
    }
    let shingles = |rest: &[&Sentence]| set(rest.iter().flat_map(|sentence| &sentence.shingles).copied().collect());
    jaccard(&shingles(&one), &shingles(&other)) < REST_NEAR
}

/// Sentences that the other record does not have.
fn rest<'a>(side: ComparedRecord<'a>, other: ComparedRecord<'_>) -> Vec<&'a Sentence> {
    let hashes = set(other.content.sentences.iter().map(|sentence| sentence.hash).collect());
    side.content.sentences.iter().filter(|sentence| hashes.binary_search(&sentence.hash).is_err()).collect()
}

/// Returns whether texts under unlike titles are near-equal after boilerplate is removed.
fn same_own(left: ComparedRecord<'_>, right: ComparedRecord<'_>, boilerplate: &Boilerplate) -> bool {
    let (one, other) = (boilerplate.own_shingles(left.content), boilerplate.own_shingles(right.content));
    MIN_SHINGLES <= one.len().min(other.len()) && TEXT_NEAR <= jaccard(&one, &other)
}
