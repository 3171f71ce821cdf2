//! Conversion of outcomes and their counts between wire types and domain values.

use super::{
    code,
    event::{event_name_out, pair_in, record_name_in},
    grade_out,
    plan::versions_out,
    time_out,
};
use crate::events::{
    model::{ContractKind, Counts, Grouping, Outcome, OutcomeProgress, Rejection},
    service::{OutcomeChange, Recorded},
};
use duijie_core::domain::{Code, Problem, Violations, gb};
use duijie_proto as pb;

/// Reads outcomes, with paths below `outcomes`.
///
/// # Errors
/// All violations.
pub fn outcomes_in(outcomes: Vec<pb::MeetingOutcome>) -> Result<Vec<OutcomeChange>, Violations> {
    let mut found = Violations::default();
    let changes: Vec<OutcomeChange> = outcomes
        .into_iter()
        .enumerate()
        .filter_map(|(index, it)| outcome_in(it, &format!("outcomes[{index}]"), &mut found))
        .collect();
    found.passed(changes)
}

fn outcome_in(it: pb::MeetingOutcome, path: &str, found: &mut Violations) -> Option<OutcomeChange> {
    let at = |field: &str| format!("{path}.{field}");
    let pair = pair_in(&it.demand, &it.counterpart, path).map_err(|more| found.join(more)).ok();
    let attendance = code(it.attendance, &at("attendance"), found);
    let progress = progress_in(&it, path, found);
    let replaced_by = (!it.replaced_by.is_empty()).then(|| record_name_in(&it.replaced_by, &at("replaced_by")));
    let replaced_by = replaced_by.transpose().map_err(|violation| found.note(violation)).ok().flatten();
    let says_more = progress.is_some() || replaced_by.is_some() || !it.note.is_empty();
    if it.attendance == 0 && says_more {
        found.say(at("attendance"), Problem::Required);
    }
    Some(OutcomeChange {
        pair: pair?,
        result: attendance.map(|attendance| Recorded { attendance, replaced_by, progress, note: it.note }),
        demand_consents: it.demand_consents,
        counterpart_consents: it.counterpart_consents,
    })
}

fn progress_in(it: &pb::MeetingOutcome, path: &str, found: &mut Violations) -> Option<OutcomeProgress> {
    let at = |field: &str| format!("{path}.{field}");
    let kind: Option<ContractKind> = code(it.contract_kind, &at("contract_kind"), found);
    let reason: Option<Rejection> = code(it.rejection_reason, &at("rejection_reason"), found);
    let progress = pb::OutcomeProgress::try_from(it.progress);
    let is_signed = progress == Ok(pb::OutcomeProgress::Signed);
    let is_rejected = progress == Ok(pb::OutcomeProgress::Rejected);
    let rows = [
        ("contract_kind", it.contract_kind != 0, is_signed),
        ("amount_yuan", it.amount_yuan.is_some(), is_signed),
        ("rejection_reason", it.rejection_reason != 0, is_rejected),
    ];
    for (field, is_given, is_wanted) in rows {
        match (is_given, is_wanted) {
            (false, true) => found.say(at(field), Problem::Required),
            (true, false) => found.say(at(field), Problem::Contradiction),
            _ => {}
        }
    }
    match progress {
        Ok(pb::OutcomeProgress::Unspecified) => None,
        Ok(pb::OutcomeProgress::Intent) => Some(OutcomeProgress::Intent),
        Ok(pb::OutcomeProgress::Negotiating) => Some(OutcomeProgress::Negotiating),
        Ok(pb::OutcomeProgress::Signed) => Some(OutcomeProgress::Signed { kind: kind?, amount_yuan: it.amount_yuan? }),
        Ok(pb::OutcomeProgress::Rejected) => Some(OutcomeProgress::Rejected { reason: reason? }),
        Err(_) => {
            found.say(at("progress"), Problem::UnknownCode { table: "OutcomeProgress" });
            None
        }
    }
}

/// Writes an outcome.
pub fn outcome_out(it: Outcome) -> pb::MeetingOutcome {
    let (contract_kind, amount_yuan) = match it.progress {
        Some(OutcomeProgress::Signed { kind, amount_yuan }) => (kind.number(), Some(amount_yuan)),
        _ => (0, None),
    };
    let rejection_reason = match it.progress {
        Some(OutcomeProgress::Rejected { reason }) => reason.number(),
        _ => 0,
    };
    let step = |step: crate::events::model::outcome::Step| pb::OutcomeStep {
        time: Some(time_out(step.time)),
        attendance: step.attendance.number(),
        progress: progress_out(step.progress),
    };
    pb::MeetingOutcome {
        event: event_name_out(&it.event),
        demand: it.pair.demand.to_string(),
        counterpart: it.pair.counterpart.to_string(),
        attendance: it.attendance.number(),
        replaced_by: it.replaced_by.map(|record| record.to_string()).unwrap_or_default(),
        progress: progress_out(it.progress),
        contract_kind,
        amount_yuan,
        rejection_reason,
        note: it.note,
        demand_consents: Some(it.consent.demand),
        counterpart_consents: Some(it.consent.counterpart),
        date: it.date.to_string(),
        score: it.score,
        grade: grade_out(it.level),
        versions: Some(versions_out(it.versions)),
        city: it.city,
        field: it.field,
        update_time: Some(time_out(it.update_time)),
        history: it.history.into_iter().map(step).collect(),
    }
}

fn progress_out(progress: Option<OutcomeProgress>) -> i32 {
    let progress = match progress {
        None => pb::OutcomeProgress::Unspecified,
        Some(OutcomeProgress::Intent) => pb::OutcomeProgress::Intent,
        Some(OutcomeProgress::Negotiating) => pb::OutcomeProgress::Negotiating,
        Some(OutcomeProgress::Signed { .. }) => pb::OutcomeProgress::Signed,
        Some(OutcomeProgress::Rejected { .. }) => pb::OutcomeProgress::Rejected,
    };
    progress as i32
}

/// Writes the counts of a group.
pub fn group_out(by: Grouping, key: &str, counts: &Counts) -> pb::OutcomeGroup {
    pb::OutcomeGroup {
        grouping: by.number(),
        label: group_label(by, key),
        key: if by == Grouping::Event { event_name_out(key) } else { key.to_string() },
        counts: Some(counts_out(counts)),
    }
}

fn group_label(by: Grouping, key: &str) -> String {
    let label = match by {
        Grouping::Event => key.to_string(),
        Grouping::City => gb::region_label(key),
        Grouping::Field => gb::field_label(key).to_string(),
        Grouping::Quarter => key.replace('Q', "年第") + "季度",
    };
    match (label.as_str(), key) {
        ("", "") => "未注明".to_string(),
        ("", key) => key.to_string(),
        _ => label,
    }
}

/// Writes counts.
pub fn counts_out(counts: &Counts) -> pb::OutcomeCounts {
    let int64 = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let reasons = Rejection::TABLE.iter().zip(counts.reasons).filter(|(_, count)| *count != 0);
    pb::OutcomeCounts {
        meeting_count: int64(counts.meetings),
        booked_count: int64(counts.booked),
        held_count: int64(counts.held),
        empty_count: int64(counts.empty),
        replaced_count: int64(counts.replaced),
        intent_count: int64(counts.intents),
        negotiating_count: int64(counts.negotiating),
        signed_count: int64(counts.signed),
        signed_yuan: counts.signed_yuan,
        rejected_count: int64(counts.rejected),
        rejections: reasons
            .map(|((reason, _), count)| pb::RejectionCount { reason: reason.number(), count: int64(count) })
            .collect(),
    }
}
