//! Conversion of events and participants between wire types and domain values.

use jiff::civil::{Date, Time};

use super::{code, grade_in, grade_out, int, owner_out, time_out};
use crate::events::{
    model::{
        AvoidedPair, Contact, Edit, Event, EventState, Pair, Participant, Quota, Rules, Slot, Window, edit::Decision,
    },
    service::{Draft, ParticipantCounts, StoredEvent},
};
use duijie_core::domain::{
    Code, Problem, RecordName, Violation, Violations, hit::Level, name::check_id, record::Owner,
};
use duijie_proto as pb;

/// Prefix of event names.
const EVENTS: &str = "events/";

/// Reads the name of an event and returns its id.
///
/// # Errors
/// A violation of `field`.
pub fn event_name_in(name: &str, field: &str) -> Result<String, Violation> {
    if name.is_empty() {
        return Err(Violation::new(field, Problem::Required));
    }
    let id = name.strip_prefix(EVENTS).filter(|id| check_id(id).is_ok());
    let malformed = Problem::Malformed { want: "events/{event_id}", want_zh: "“events/编号”" };
    id.map(String::from).ok_or_else(|| Violation::new(field, malformed))
}

/// Writes the name of an event.
pub fn event_name_out(id: &str) -> String {
    format!("{EVENTS}{id}")
}

/// Reads the name of a record.
///
/// # Errors
/// A violation of `field`.
pub fn record_name_in(name: &str, field: &str) -> Result<RecordName, Violation> {
    name.parse().map_err(|violation: Violation| Violation::new(field, violation.problem))
}

/// Reads the names of a pair's two sides, with paths below `path`.
///
/// # Errors
/// All violations.
pub fn pair_in(demand: &str, counterpart: &str, path: &str) -> Result<Pair, Violations> {
    let path = |side: &str| if path.is_empty() { side.to_string() } else { format!("{path}.{side}") };
    match (record_name_in(demand, &path("demand")), record_name_in(counterpart, &path("counterpart"))) {
        (Ok(demand), Ok(counterpart)) => Ok(Pair::new(demand, counterpart)),
        (demand, counterpart) => Err(demand.err().into_iter().chain(counterpart.err()).collect()),
    }
}

/// Reads an event. Values that the domain type cannot hold are violations. [`Event::checked`] checks the rules of the
/// domain later.
///
/// # Errors
/// All violations, with paths below `event`.
pub fn event_in(id: String, event: Option<pb::Event>) -> Result<Event, Violations> {
    let Some(it) = event else { return Err(Violation::new("event", Problem::Required).into()) };
    let mut found = Violations::default();
    let slots = slots_in(&it.slots, "event.slots", &mut found);
    let event = Event {
        id,
        title: it.title,
        place: it.place,
        slots: slots.into_iter().map(|Window { date, start, end }| Slot { date, start, end }).collect(),
        tables: number(it.table_count, "event.table_count", &mut found),
        spare_percent: number(it.spare_percent, "event.spare_percent", &mut found),
        rules: rules_in(it.rules.unwrap_or_default(), &mut found),
        state: EventState::Draft,
        inputs: 0,
        layout: 0,
        create_time: jiff::Timestamp::UNIX_EPOCH,
        update_time: jiff::Timestamp::UNIX_EPOCH,
    };
    found.passed(event)
}

fn rules_in(it: pb::EventRules, found: &mut Violations) -> Rules {
    let defaults = Rules::default();
    let path = |field: &str| format!("event.rules.{field}");
    let mut cap = |cap: i32, default: u32, field: &str| match cap {
        0 => default,
        cap => number(cap, &path(field), found),
    };
    let per_demand = cap(it.max_per_demand, defaults.per_demand, "max_per_demand");
    let per_achievement = cap(it.max_per_achievement, defaults.per_achievement, "max_per_achievement");
    let per_expert = cap(it.max_per_expert, defaults.per_expert, "max_per_expert");
    let mut optional = |cap: Option<i32>, field: &str| cap.map(|cap| number(cap, &path(field), found));
    Rules {
        per_demand,
        per_achievement,
        per_expert,
        per_demand_organisation: optional(it.max_per_demand_organisation, "max_per_demand_organisation"),
        per_counterpart_organisation: optional(it.max_per_counterpart_organisation, "max_per_counterpart_organisation"),
        min_level: grade_in(it.min_grade, &path("min_grade"), found).unwrap_or(Level::Unrelated),
        min_score: it.min_score,
        quotas: it.quotas.into_iter().enumerate().filter_map(|(index, quota)| quota_in(quota, index, found)).collect(),
        avoided: it.avoided_pairs.into_iter().map(|it| AvoidedPair { left: it.left, right: it.right }).collect(),
        same_organisation: it.allow_same_organisation,
        met_before: it.allow_met_before,
    }
}

fn quota_in(it: pb::Quota, index: usize, found: &mut Violations) -> Option<Quota> {
    let path = |field: &str| format!("event.rules.quotas[{index}].{field}");
    let side = required(it.side, &path("side"), found);
    let group = required(it.group, &path("group"), found);
    let min_pairs = number(it.min_pair_count, &path("min_pair_count"), found);
    let max_pairs = it.max_pair_count.map(|max_pairs| number(max_pairs, &path("max_pair_count"), found));
    Some(Quota { side: side?, group: group?, code: it.code, min_pairs, max_pairs })
}

fn required<C: Code>(value: i32, path: &str, found: &mut Violations) -> Option<C> {
    if value == 0 {
        found.say(path, Problem::Required);
    }
    code(value, path, found)
}

fn slots_in(slots: &[pb::Slot], path: &str, found: &mut Violations) -> Vec<Window> {
    let row = |(index, slot): (usize, &pb::Slot)| {
        let path = |field: &str| format!("{path}[{index}].{field}");
        let date = slot.date.parse::<Date>().map_err(|_| date_wanted());
        let date = found.take(path("date"), date);
        let start = found.take(path("start_time"), slot.start_time.parse::<Time>().map_err(|_| time_wanted()));
        let end = found.take(path("end_time"), slot.end_time.parse::<Time>().map_err(|_| time_wanted()));
        Some(Window { date: date?, start: start?, end: end? })
    };
    slots.iter().enumerate().filter_map(row).collect()
}

fn date_wanted() -> Problem {
    Problem::Malformed { want: "a day such as 2026-12-01", want_zh: "形如 2026-12-01 的日期" }
}

fn time_wanted() -> Problem {
    Problem::Malformed { want: "a time such as 09:00", want_zh: "形如 09:00 的时间" }
}

/// Reads a non-negative number.
pub fn number(number: i32, path: &str, found: &mut Violations) -> u32 {
    u32::try_from(number).unwrap_or_else(|_| {
        found.say(path, Problem::OutOfRange { min: 0, max: i32::MAX.into() });
        0
    })
}

/// Writes an event.
pub fn event_out(stored: &StoredEvent) -> pb::Event {
    let event = &stored.event;
    pb::Event {
        name: event_name_out(&event.id),
        title: event.title.clone(),
        place: event.place.clone(),
        slots: event.slots.iter().map(|it| slot_out(it.date, it.start, it.end)).collect(),
        table_count: count(event.tables),
        spare_percent: count(event.spare_percent),
        rules: Some(rules_out(&event.rules)),
        state: event.state.number(),
        etag: stored.etag(),
        participant_counts: Some(counts_out(stored.counts)),
        plan: outline_out(stored),
        create_time: Some(time_out(event.create_time)),
        update_time: Some(time_out(event.update_time)),
    }
}

/// Writes the outline of the current plan.
pub fn outline_out(stored: &StoredEvent) -> Option<pb::PlanOutline> {
    let plan = stored.plan.as_ref()?;
    let size = |size: u64| i32::try_from(size).unwrap_or(i32::MAX);
    Some(pb::PlanOutline {
        number: i64::try_from(plan.number).unwrap_or(i64::MAX),
        pair_count: size(plan.pairs),
        meeting_count: size(plan.meetings),
        unplaced_count: size(plan.unplaced),
        scheduled: plan.is_scheduled,
        shortlist_outdated: stored.is_shortlist_outdated(),
        schedule_outdated: stored.is_schedule_outdated(),
    })
}

fn slot_out(date: Date, start: Time, end: Time) -> pb::Slot {
    // as it was read: an event that is written back is the same event
    let clock = |time: Time| match (time.second(), time.subsec_nanosecond()) {
        (0, 0) => format!("{:02}:{:02}", time.hour(), time.minute()),
        _ => time.to_string(),
    };
    pb::Slot { date: date.to_string(), start_time: clock(start), end_time: clock(end) }
}

fn rules_out(rules: &Rules) -> pb::EventRules {
    let quota = |it: &Quota| pb::Quota {
        side: it.side.number(),
        group: it.group.number(),
        code: it.code.clone(),
        min_pair_count: count(it.min_pairs),
        max_pair_count: it.max_pairs.map(count),
    };
    let avoided = |it: &AvoidedPair| pb::AvoidedPair { left: it.left.clone(), right: it.right.clone() };
    pb::EventRules {
        max_per_demand: count(rules.per_demand),
        max_per_achievement: count(rules.per_achievement),
        max_per_expert: count(rules.per_expert),
        max_per_demand_organisation: rules.per_demand_organisation.map(count),
        max_per_counterpart_organisation: rules.per_counterpart_organisation.map(count),
        min_grade: grade_out(Some(rules.min_level)),
        min_score: rules.min_score,
        quotas: rules.quotas.iter().map(quota).collect(),
        avoided_pairs: rules.avoided.iter().map(avoided).collect(),
        allow_same_organisation: rules.same_organisation,
        allow_met_before: rules.met_before,
    }
}

fn counts_out(counts: ParticipantCounts) -> pb::ParticipantCounts {
    pb::ParticipantCounts {
        demand_count: count(counts.demands),
        achievement_count: count(counts.achievements),
        expert_count: count(counts.experts),
        cancelled_count: count(counts.cancelled),
    }
}

/// Reads participants, with paths below `participants`.
///
/// # Errors
/// All violations.
pub fn participants_in(participants: Vec<pb::Participant>) -> Result<Vec<Draft>, Violations> {
    let mut found = Violations::default();
    let drafts: Vec<Draft> = participants
        .into_iter()
        .enumerate()
        .filter_map(|(index, it)| participant_in(it, &format!("participants[{index}]"), &mut found))
        .collect();
    found.passed(drafts)
}

fn participant_in(it: pb::Participant, path: &str, found: &mut Violations) -> Option<Draft> {
    let at = |field: &str| format!("{path}.{field}");
    let record = record_name_in(&it.record, &at("record")).map_err(|violation| found.note(violation)).ok();
    let windows = slots_in(&it.availability_windows, &at("availability_windows"), found);
    let contact = it.contact.unwrap_or_default();
    let people = match it.max_concurrent_meetings {
        0 => 1,
        people => number(people, &at("max_concurrent_meetings"), found),
    };
    let cap = number(it.max_meetings, &at("max_meetings"), found);
    let table = number(it.table, &at("table"), found);
    Some(Draft {
        record: record?,
        contact: Contact { person: contact.person, phone: contact.phone, email: contact.email },
        presenter: it.presenter,
        people,
        windows,
        cap: (cap != 0).then_some(cap),
        table: table.checked_sub(1),
    })
}

/// Writes a participant with its contact masked.
pub fn participant_out(it: Participant) -> pb::Participant {
    let contact = it.contact.masked();
    let organisation = it.organisation.map(|organisation| {
        owner_out(Owner { name: organisation.name, credit_code: organisation.credit_code, owner_type: None })
    });
    pb::Participant {
        record: it.record.to_string(),
        title: it.title,
        organisation,
        region: it.region,
        field: it.field,
        contact: (!contact.is_empty()).then(|| contact_out(contact)),
        presenter: it.presenter,
        max_concurrent_meetings: count(it.people),
        availability_windows: it.windows.iter().map(|it| slot_out(it.date, it.start, it.end)).collect(),
        max_meetings: it.cap.map_or(0, count),
        table: it.table.map_or(0, |table| count(table.saturating_add(1))),
        state: it.state.number(),
    }
}

/// Writes a contact unmasked.
pub fn contact_out(contact: Contact) -> pb::Contact {
    pb::Contact { person: contact.person, phone: contact.phone, email: contact.email }
}

/// Reads staff decisions, with paths below `edits`.
///
/// # Errors
/// All violations.
pub fn edits_in(edits: Vec<pb::EventEdit>) -> Result<Vec<(Pair, Edit)>, Violations> {
    let mut violations = Violations::default();
    let mut found = Vec::with_capacity(edits.len());
    for (index, it) in edits.into_iter().enumerate() {
        let path = format!("edits[{index}]");
        let pair = pair_in(&it.demand, &it.counterpart, &path).map_err(|more| violations.join(more)).ok();
        let edit = edit_in(&it, &path).map_err(|violation| violations.note(violation)).ok();
        found.extend(pair.zip(edit));
    }
    violations.passed(found)
}

fn edit_in(it: &pb::EventEdit, path: &str) -> Result<Edit, Violation> {
    // 0 and negative numbers become a number outside every event
    let place = |number: i32| u32::try_from(number).ok().and_then(|number| number.checked_sub(1)).unwrap_or(u32::MAX);
    match pb::EditAction::try_from(it.action) {
        Ok(pb::EditAction::Pin) => Ok(Edit::Pin),
        Ok(pb::EditAction::Forbid) => Ok(Edit::Forbid),
        Ok(pb::EditAction::Free) => Ok(Edit::Free),
        Ok(pb::EditAction::Lock) => {
            let slot = usize::try_from(place(it.slot)).unwrap_or(usize::MAX);
            Ok(Edit::Lock { slot, table: place(it.table) })
        }
        Ok(pb::EditAction::Unlock) => Ok(Edit::Unlock),
        Ok(pb::EditAction::Unspecified) => Err(Violation::new(format!("{path}.action"), Problem::Required)),
        Err(_) => Err(Violation::new(format!("{path}.action"), Problem::UnknownCode { table: "EditAction" })),
    }
}

/// Writes a staff decision.
pub fn edit_out(pair: Pair, decision: Decision) -> pb::EventEdit {
    let (action, slot, table) = match decision {
        Decision::Pinned => (pb::EditAction::Pin, 0, 0),
        Decision::Forbidden => (pb::EditAction::Forbid, 0, 0),
        Decision::Locked { slot, table } => (pb::EditAction::Lock, int(slot + 1), count(table.saturating_add(1))),
    };
    let (demand, counterpart) = (pair.demand.to_string(), pair.counterpart.to_string());
    pb::EventEdit { demand, counterpart, action: action as i32, slot, table }
}

/// Converts a count to its wire type.
pub fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::Edits;

    fn wire() -> pb::Event {
        let quota = pb::Quota { side: 1, group: 2, code: "40".into(), min_pair_count: 1, max_pair_count: Some(7) };
        pb::Event {
            title: "对接会".into(),
            place: "石家庄".into(),
            slots: vec![pb::Slot { date: "2026-12-01".into(), start_time: "09:00".into(), end_time: "09:25".into() }],
            table_count: 3,
            spare_percent: 10,
            rules: Some(pb::EventRules {
                max_per_demand: 2,
                max_per_achievement: 3,
                max_per_expert: 4,
                max_per_demand_organisation: Some(5),
                max_per_counterpart_organisation: None,
                min_grade: pb::Grade::Fair as i32,
                min_score: 0.25,
                quotas: vec![quota],
                avoided_pairs: vec![pb::AvoidedPair { left: "甲".into(), right: "乙".into() }],
                allow_same_organisation: true,
                allow_met_before: true,
            }),
            ..Default::default()
        }
    }

    #[test]
    fn events_come_back_as_they_were_sent() {
        let event = event_in("e".into(), Some(wire())).unwrap().checked().unwrap();
        let counts = ParticipantCounts::default();
        let back = event_out(&StoredEvent { event, request: None, counts, plan: None, version: 3 });
        let want = wire();
        assert_eq!((back.name.as_str(), back.etag.as_str(), back.state()), ("events/e", "3", pb::EventState::Draft));
        assert_eq!((back.title, back.place, back.slots), (want.title, want.place, want.slots));
        assert_eq!((back.table_count, back.spare_percent, back.rules), (3, 10, want.rules));
        // to the second, so that what is written back is the same event
        let mut odd = wire();
        odd.slots[0].start_time = "09:00:30".into();
        let event = event_in("e".into(), Some(odd.clone())).unwrap();
        let back = event_out(&StoredEvent { event, request: None, counts, plan: None, version: 3 });
        assert_eq!(back.slots, odd.slots);
        // omitted rules get their defaults
        let bare = pb::Event { rules: None, ..wire() };
        let rules = event_in("e".into(), Some(bare)).unwrap().rules;
        assert_eq!(rules, Rules::default());
    }

    #[test]
    fn what_the_wire_can_hold_and_an_event_cannot() {
        let check = |change: fn(&mut pb::Event), want: &[&str]| {
            let mut event = wire();
            change(&mut event);
            let violations = event_in("e".into(), Some(event)).err().unwrap_or_default();
            assert_eq!(violations.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), want);
        };
        check(|_| (), &[]);
        check(|it| it.table_count = -1, &["event.table_count"]);
        check(|it| it.slots[0].date = "1.12.".into(), &["event.slots[0].date"]);
        check(|it| it.slots[0].end_time = "24:01".into(), &["event.slots[0].end_time"]);
        check(|it| it.rules.as_mut().unwrap().min_grade = 77, &["event.rules.min_grade"]);
        check(|it| it.rules.as_mut().unwrap().max_per_expert = -5, &["event.rules.max_per_expert"]);
        check(|it| it.rules.as_mut().unwrap().quotas[0].group = 9, &["event.rules.quotas[0].group"]);
        for name in ["", "e", "events/", "events/a/b", "events/编号"] {
            assert_eq!(event_name_in(name, "name").unwrap_err().field, "name", "{name}");
        }
        assert_eq!(event_name_in("events/a.b", "name").unwrap(), "a.b");
    }

    #[test]
    fn edits_and_participants_count_from_one() {
        let edit = |action: pb::EditAction, slot, table| pb::EventEdit {
            demand: "demands/d".into(),
            counterpart: "experts/e".into(),
            action: action as i32,
            slot,
            table,
        };
        let read = |edit: pb::EventEdit| edits_in(vec![edit]).unwrap().remove(0).1;
        assert_eq!(read(edit(pb::EditAction::Lock, 1, 2)), Edit::Lock { slot: 0, table: 1 });
        assert_eq!(read(edit(pb::EditAction::Pin, 0, 0)), Edit::Pin);
        let mut edits = Edits::default();
        let (pair, decision) = edits_in(vec![edit(pb::EditAction::Lock, 4, 9)]).unwrap().remove(0);
        edits.apply(&pair, decision);
        let written: Vec<_> = edits.0.into_iter().map(|(pair, decision)| edit_out(pair, decision)).collect();
        assert_eq!(written, [edit(pb::EditAction::Lock, 4, 9)]);
        let participant =
            pb::Participant { record: "demands/d".into(), table: 3, max_meetings: 2, ..Default::default() };
        let draft = participants_in(vec![participant]).unwrap().remove(0);
        assert_eq!((draft.table, draft.cap, draft.people), (Some(2), Some(2), 1));
        let said = participants_in(vec![pb::Participant { table: -1, ..Default::default() }]).unwrap_err();
        assert_eq!(said.len(), 2);
    }
}
