//! Conversion of subscriptions and new matches.

use super::{
    View, filter_in, filter_out, grade_in, grade_out, kind_in, kind_out, match_out, rematch::score_in, time_out,
};
use crate::{
    api::matching::text_in,
    watch::{NewMatch, Saved, Subject, Subscription},
};
use duijie_core::domain::{
    Problem, RecordName, Violation, Violations,
    check::{MAX_OWNER_CHARS, check_text},
};
use duijie_proto as pb;
use duijie_proto::subscription::Subject as WireSubject;

/// Reads a subscription.
///
/// # Errors
/// All violations, with paths below `subscription`.
pub fn subscription_in(subscription: Option<pb::Subscription>) -> Result<Subscription, Violations> {
    let Some(it) = subscription else { return Err(Violation::new("subscription", Problem::Required).into()) };
    let mut found = Violations::default();
    let subject = subject_in(it.subject, &mut found);
    let target = kind_in(it.target, "target").map_err(|violation| found.note(violation)).ok();
    let filter =
        target.and_then(|target| filter_in(it.filter, target).map_err(|violations| found.join(violations)).ok());
    if filter.as_ref().is_some_and(|filter| filter.update_time.is_some()) {
        found.say("filter.update_time", Problem::NotOfThisKind);
    }
    let min_level = grade_in(it.min_grade, "min_grade", &mut found);
    let min_score = score_in(it.min_score, "min_score", &mut found);
    if let (Some(subject), Some(target), Some(filter)) = (subject, target, filter) {
        let subscription = Subscription { subject, target, filter, min_level, min_score };
        if subscription.min_level.is_some() && !subscription.has_levels() {
            found.say("min_grade", Problem::NotOfThisKind);
        }
        if found.is_empty() {
            return Ok(subscription);
        }
    }
    found.rename(|field| format!("subscription.{field}"));
    Err(found)
}

fn subject_in(subject: Option<WireSubject>, found: &mut Violations) -> Option<Subject> {
    match subject {
        None => {
            found.say("subject", Problem::Required);
            None
        }
        Some(WireSubject::Record(name)) => match name.parse::<RecordName>() {
            Ok(name) => Some(Subject::Record(name)),
            Err(violation) => {
                found.say("record", violation.problem);
                None
            }
        },
        Some(WireSubject::Text(text)) => text_in(text, found).map(Subject::Text),
        Some(WireSubject::Owned(pb::OwnedRecords { owner, kind })) => {
            found.take("owned.owner", check_text(&owner, 1, MAX_OWNER_CHARS, false))?;
            let kind = kind_in(kind, "owned.kind").map_err(|violation| found.note(violation)).ok()?;
            Some(Subject::Owned { owner, kind })
        }
    }
}

/// Writes a subscription.
pub fn subscription_out(subscription: Subscription) -> pb::Subscription {
    let subject = match subscription.subject {
        Subject::Record(name) => WireSubject::Record(name.to_string()),
        Subject::Text(text) => {
            WireSubject::Text(pb::TextQuery { title: text.title, body: text.body, keywords: text.keywords })
        }
        Subject::Owned { owner, kind } => WireSubject::Owned(pb::OwnedRecords { owner, kind: kind_out(kind) }),
    };
    pb::Subscription {
        subject: Some(subject),
        target: kind_out(subscription.target),
        filter: Some(filter_out(subscription.filter)),
        min_grade: grade_out(subscription.min_level),
        min_score: subscription.min_score,
    }
}

/// Writes a saved subscription.
pub fn saved_out(saved: Saved) -> pb::SavedSubscription {
    pb::SavedSubscription {
        id: saved.id,
        subscription: Some(subscription_out(saved.subscription)),
        update_time: Some(time_out(saved.update_time)),
    }
}

/// Writes a new match.
pub fn new_match_out(it: NewMatch) -> pb::NewMatch {
    let (query, revision) = it.query.map(|(name, revision)| (name.to_string(), revision)).unwrap_or_default();
    pb::NewMatch {
        id: it.id.to_string(),
        query,
        query_revision: i64::try_from(revision).unwrap_or(i64::MAX),
        r#match: Some(match_out(it.found, View::Full)),
    }
}
