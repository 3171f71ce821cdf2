//! Conversion of plans to wire types: shortlists, meetings, changes.

use std::collections::BTreeMap;

use super::{
    event::{contact_out, count, outline_out},
    grade_out, int,
};
use crate::events::{
    model::{
        Change, LeftOut, LeftOutReason, Meeting, Participant, Plan, PlanVersions, Shortlisted, Unplaced,
        participant::by_record,
    },
    service::{Report, StoredEvent},
};
use duijie_core::domain::{Code, RecordName};
use duijie_proto as pb;

/// Titles by record.
pub type Titles<'a> = BTreeMap<&'a RecordName, &'a Participant>;

/// Writes a plan without its lists.
pub fn plan_out(stored: &StoredEvent, plan: &Plan) -> pb::Plan {
    let proof = &plan.proof;
    let cost = |it: &crate::events::model::Cost| pb::RuleCost {
        rule: it.rule.clone(),
        whole: it.is_whole,
        at_least: it.at_least,
        at_most: it.at_most,
    };
    let shortfall = |it: &crate::events::model::Shortfall| pb::QuotaShortfall {
        quota: it.quota.clone(),
        at_least: count(it.at_least),
        reached: count(it.reached),
    };
    pb::Plan {
        outline: outline_out(stored),
        value: proof.value,
        bound: proof.bound,
        optimal: proof.is_optimal,
        certificate: proof.certificate.clone(),
        candidate_count: i32::try_from(proof.candidates).unwrap_or(i32::MAX),
        candidates_per_demand: count(proof.per_demand),
        costs: plan.costs.iter().map(cost).collect(),
        shortfalls: plan.shortfalls.iter().map(shortfall).collect(),
        schedule: plan.schedule.map(|it| pb::ScheduleFigures {
            gap_count: count(it.gaps),
            host_move_count: count(it.host_moves),
            guest_move_count: count(it.guest_moves),
            used: it.used,
            most: it.is_most,
        }),
        versions: Some(versions_out(plan.versions.clone())),
    }
}

/// Writes versions.
pub fn versions_out(it: PlanVersions) -> pb::PlanVersions {
    pb::PlanVersions { text: it.text, model: it.model, calibration: it.calibration }
}

/// Writes the shortlist of one demand.
pub fn shortlist_out(
    demand: &RecordName,
    chosen: &[&Shortlisted],
    left_out: &[&LeftOut],
    titles: &Titles<'_>,
) -> pb::DemandShortlist {
    let title = |record: &RecordName| titles.get(record).map(|it| it.title.clone()).unwrap_or_default();
    let chosen_out = |it: &&Shortlisted| pb::ShortlistedPair {
        counterpart: it.pair.counterpart.to_string(),
        title: title(&it.pair.counterpart),
        score: it.score,
        grade: grade_out(it.level),
        rank: count(it.rank),
        reason: it.why.number(),
    };
    let left_out_out = |it: &&LeftOut| pb::LeftOutPair {
        counterpart: it.pair.counterpart.to_string(),
        title: title(&it.pair.counterpart),
        score: it.score,
        grade: grade_out(it.level),
        rank: count(it.rank),
        reasons: it.reasons.iter().map(reason_out).collect(),
        loss: it.loss,
    };
    pb::DemandShortlist {
        demand: demand.to_string(),
        title: title(demand),
        chosen: chosen.iter().map(chosen_out).collect(),
        left_out: left_out.iter().map(left_out_out).collect(),
    }
}

fn reason_out(reason: &LeftOutReason) -> pb::LeftOutReason {
    let taken_by = match reason {
        LeftOutReason::CounterpartCap { taken_by } => taken_by.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    pb::LeftOutReason { code: reason.code().to_string(), localized_description: reason.chinese(), taken_by }
}

/// Writes meetings of an event.
pub fn meetings_out(report: &Report, meetings: &[&Meeting]) -> Vec<pb::Meeting> {
    let titles = by_record(&report.participants);
    let title = |record: &RecordName| titles.get(record).map(|it| it.title.clone()).unwrap_or_default();
    let mut contacts = report.contacts(meetings.iter().map(|it| &it.pair));
    let row = |it: &&Meeting| {
        let (demand, counterpart, contacts_shown) = contacts.remove(&it.pair).unwrap_or_default();
        let contact = |it: crate::events::model::Contact| (!it.is_empty()).then(|| contact_out(it));
        pb::Meeting {
            demand: it.pair.demand.to_string(),
            counterpart: it.pair.counterpart.to_string(),
            slot: int(it.slot + 1),
            table: count(it.table.saturating_add(1)),
            locked: it.locked,
            demand_contact: contact(demand),
            counterpart_contact: contact(counterpart),
            contacts_shown,
            demand_title: title(&it.pair.demand),
            counterpart_title: title(&it.pair.counterpart),
        }
    };
    meetings.iter().map(row).collect()
}

/// Writes a pair without a meeting.
pub fn unplaced_out(it: &Unplaced) -> pb::UnplacedPair {
    pb::UnplacedPair {
        demand: it.pair.demand.to_string(),
        counterpart: it.pair.counterpart.to_string(),
        code: it.code.clone(),
        localized_description: it.reason.clone(),
    }
}

/// Writes changes of meetings.
pub fn changes_out(changes: &[Change]) -> Vec<pb::MeetingChange> {
    let place =
        |(slot, table): (usize, u32)| pb::MeetingPlace { slot: int(slot + 1), table: count(table.saturating_add(1)) };
    let row = |it: &Change| pb::MeetingChange {
        demand: it.pair.demand.to_string(),
        counterpart: it.pair.counterpart.to_string(),
        from: it.from.map(place),
        to: it.to.map(place),
    };
    changes.iter().map(row).collect()
}
