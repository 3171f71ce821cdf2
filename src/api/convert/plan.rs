//! Conversion of plans to wire types: shortlists, meetings, changes.

use std::collections::BTreeMap;

use super::{
    event::{contact_out, count, event_name_out, outline_out},
    grade_out, int,
};
use crate::events::{
    model::{
        BlockedSlots, Change, LeftOut, LeftOutReason, Meeting, Participant, Plan, PlanVersions, QuotaRef, RuleRef,
        SharedPeople, Shortlisted, Unplaced, UnplacedCause, participant::by_record,
    },
    service::{Report, StoredEvent},
};
use duijie_core::domain::{Code, RecordName};
use duijie_proto as pb;

/// Titles by record.
pub type Titles<'a> = BTreeMap<&'a RecordName, &'a Participant>;

/// Writes a plan without its lists.
pub fn plan_out(stored: &StoredEvent, plan: &Plan) -> pb::EventPlan {
    let proof = &plan.proof;
    let cost = |it: &crate::events::model::Cost| pb::RuleCost {
        rule: Some(rule_out(&it.rule)),
        rule_removed: it.is_whole,
        min_gain: it.min_gain,
        max_gain: it.max_gain,
    };
    let shortfall = |it: &crate::events::model::Shortfall| pb::QuotaShortfall {
        quota: rule_out(&it.quota).quota,
        min_pair_count: count(it.min_pairs),
        pair_count: count(it.reached),
        localized_description: it.chinese(),
    };
    pb::EventPlan {
        outline: outline_out(stored),
        value: proof.value,
        bound: proof.bound,
        optimal: proof.is_optimal,
        certificate: proof.certificate.number(),
        localized_description: proof.certificate.label().to_string(),
        candidate_count: i32::try_from(proof.candidates).unwrap_or(i32::MAX),
        candidates_per_demand: count(proof.per_demand),
        costs: plan.costs.iter().map(cost).collect(),
        shortfalls: plan.shortfalls.iter().map(shortfall).collect(),
        schedule: plan.schedule.map(|it| pb::ScheduleFigures {
            idle_slot_count: count(it.gaps),
            demand_table_change_count: count(it.host_moves),
            counterpart_table_change_count: count(it.guest_moves),
            table_utilization: it.used,
            optimal: it.is_optimal,
        }),
        versions: Some(versions_out(plan.versions.clone())),
        shared_people: plan.shared.iter().map(shared_out).collect(),
    }
}

fn shared_out(it: &SharedPeople) -> pb::SharedPeople {
    pb::SharedPeople {
        who: it.who.clone(),
        participant_count: count(it.count),
        records: it.records.iter().map(ToString::to_string).collect(),
        localized_description: it.chinese(),
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
    use pb::LeftOutReasonKind as Kind;
    let mut out = pb::LeftOutReason { localized_description: reason.chinese(), ..pb::LeftOutReason::default() };
    let kind = match reason {
        LeftOutReason::Forbidden => Kind::Forbidden,
        LeftOutReason::SameOrganisation => Kind::SameOrganisation,
        LeftOutReason::Avoided => Kind::Avoided,
        LeftOutReason::MetBefore { event } => {
            out.event = event_name_out(event);
            Kind::MetBefore
        }
        LeftOutReason::BelowLevel => Kind::BelowGrade,
        LeftOutReason::BelowScore => Kind::BelowScore,
        LeftOutReason::DemandCap => Kind::DemandMaximum,
        LeftOutReason::CounterpartCap { taken_by } => {
            out.competing_demands = taken_by.iter().map(ToString::to_string).collect();
            Kind::CounterpartMaximum
        }
        LeftOutReason::OrganisationCap { organisation } => {
            out.organisation.clone_from(organisation);
            Kind::OrganisationMaximum
        }
        LeftOutReason::Quota { quota } => {
            out.rule = Some(rule_out(quota));
            Kind::Quota
        }
        LeftOutReason::Kept { instead, rule } => {
            out.rule = Some(rule_out(rule));
            out.kept_counterpart = instead.counterpart.to_string();
            Kind::Kept
        }
        LeftOutReason::NoValue => Kind::NoValue,
        LeftOutReason::NotSearched => Kind::NotSearched,
    };
    out.kind = kind as i32;
    out
}

/// Writes the name of a rule.
fn rule_out(rule: &RuleRef) -> pb::RuleRef {
    use pb::RuleKind as Kind;
    let mut out = pb::RuleRef { localized_description: rule.chinese(), ..pb::RuleRef::default() };
    let kind = match rule {
        RuleRef::ParticipantMaximum { record, max } => {
            (out.record, out.max_meetings) = (record.to_string(), count(*max));
            Kind::ParticipantMaximum
        }
        RuleRef::OrganisationMaximum { side, organisation } => {
            (out.side, out.organisation) = (side.number(), organisation.clone());
            Kind::OrganisationMaximum
        }
        RuleRef::QuotaMaximum(quota) => {
            out.quota = Some(quota_out(quota));
            Kind::QuotaMaximum
        }
        RuleRef::QuotaMinimum(quota) => {
            out.quota = Some(quota_out(quota));
            Kind::QuotaMinimum
        }
        RuleRef::MinLevel => Kind::MinGrade,
        RuleRef::SameOrganisation => Kind::SameOrganisation,
        RuleRef::AvoidedOrganisations => Kind::AvoidedPairs,
        RuleRef::MetBefore => Kind::MetBefore,
        RuleRef::Forbidden => Kind::Forbidden,
        RuleRef::Pinned => Kind::Pinned,
        RuleRef::Told(_) => Kind::Unspecified,
    };
    out.kind = kind as i32;
    out
}

fn quota_out(it: &QuotaRef) -> pb::QuotaRef {
    pb::QuotaRef { side: it.side.number(), group: it.group.number(), code: it.code.clone() }
}

/// Writes meetings of an event.
pub fn meetings_out(report: &Report) -> Vec<pb::Meeting> {
    let meetings = &report.plan.meetings;
    let titles = by_record(&report.participants);
    let title = |record: &RecordName| titles.get(record).map(|it| it.title.clone()).unwrap_or_default();
    let mut contacts = report.contacts(meetings.iter().map(|it| &it.pair));
    let row = |it: &Meeting| {
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
    let (cause, blocked_slots) = match it.cause {
        UnplacedCause::SamePerson => (pb::UnplacedCause::SamePerson, None),
        UnplacedCause::NoCommonSlot => (pb::UnplacedCause::NoCommonSlot, None),
        UnplacedCause::SlotsOver => (pb::UnplacedCause::SlotsOver, None),
        UnplacedCause::NotRefilled => (pb::UnplacedCause::NotRefilled, None),
        UnplacedCause::Blocked(blocked) => (pb::UnplacedCause::Blocked, Some(blocked_out(blocked))),
    };
    pb::UnplacedPair {
        demand: it.pair.demand.to_string(),
        counterpart: it.pair.counterpart.to_string(),
        cause: cause as i32,
        localized_description: it.cause.chinese(),
        blocked_slots,
    }
}

fn blocked_out(it: BlockedSlots) -> pb::BlockedSlotCounts {
    pb::BlockedSlotCounts {
        slot_count: count(it.slots),
        demand_busy_count: count(it.demand_busy),
        counterpart_busy_count: count(it.counterpart_busy),
        presenter_busy_count: count(it.presenter_busy),
        tables_taken_count: count(it.tables_taken),
    }
}

/// Writes a change of a meeting.
pub fn change_out(it: &Change) -> pb::MeetingChange {
    let place =
        |(slot, table): (usize, u32)| pb::MeetingPlace { slot: int(slot + 1), table: count(table.saturating_add(1)) };
    pb::MeetingChange {
        demand: it.pair.demand.to_string(),
        counterpart: it.pair.counterpart.to_string(),
        before: it.from.map(place),
        after: it.to.map(place),
    }
}
