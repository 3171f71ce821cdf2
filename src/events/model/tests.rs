use jiff::{
    Timestamp,
    civil::{date, time},
};

use super::{shared::Presenter, *};
use duijie_core::domain::{Code, Detail, Record, RecordName, hit::Level, record::Owner};

fn slot(day: i8, start: (i8, i8), end: (i8, i8)) -> Slot {
    Slot { date: date(2026, 12, day), start: time(start.0, start.1, 0, 0), end: time(end.0, end.1, 0, 0) }
}

fn event() -> Event {
    Event {
        id: "hebei-2026".into(),
        title: "京津冀对接会".into(),
        place: "石家庄".into(),
        slots: vec![slot(1, (9, 0), (9, 25)), slot(1, (9, 30), (9, 55)), slot(2, (9, 0), (9, 25))],
        tables: 10,
        spare_percent: 15,
        rules: Rules::default(),
        state: EventState::Draft,
        inputs: 0,
        layout: 0,
        create_time: Timestamp::UNIX_EPOCH,
        update_time: Timestamp::UNIX_EPOCH,
    }
}

fn name(text: &str) -> RecordName {
    text.parse().unwrap()
}

fn pair() -> Pair {
    Pair::new(name("demands/d-1"), name("achievements/a-1"))
}

fn participant(record: &str) -> Participant {
    let record = name(record);
    let mut it = Record::new(record.source, record.id, "激光焊接", Detail::empty(record.kind));
    it.owner = Some(Owner { name: "甲公司".into(), credit_code: String::new(), owner_type: None });
    Participant::of(&it)
}

fn outcome() -> Outcome {
    Outcome {
        pair: pair(),
        event: "hebei-2026".into(),
        date: date(2026, 12, 1),
        attendance: Attendance::Booked,
        replaced_by: None,
        progress: None,
        consent: Consent::default(),
        note: String::new(),
        score: Some(0.6),
        level: Some(Level::Fair),
        versions: PlanVersions::default(),
        city: "130100".into(),
        field: "40".into(),
        update_time: Timestamp::UNIX_EPOCH,
        history: Vec::new(),
    }
}

fn said(violations: duijie_core::domain::Violations) -> Vec<(String, &'static str)> {
    violations.iter().map(|it| (it.field.clone(), it.problem.reason())).collect()
}

#[test]
fn bad_events_say_which_field_and_why() {
    let check = |change: fn(&mut Event), want: &[(&str, &'static str)]| {
        let mut event = event();
        change(&mut event);
        let found = said(event.checked().err().unwrap_or_default());
        let found: Vec<_> = found.iter().map(|(field, reason)| (field.as_str(), *reason)).collect();
        assert_eq!(found, want);
    };
    let quota = |code: &str, min_pairs, max_pairs| Quota {
        side: Side::Demand,
        group: Group::City,
        code: code.into(),
        min_pairs,
        max_pairs,
    };
    check(|_| (), &[]);
    check(|it| it.id = "编号".into(), &[("event_id", "ID_CHARACTERS")]);
    check(|it| it.title.clear(), &[("title", "REQUIRED")]);
    check(|it| it.place = "长".repeat(201), &[("place", "TOO_LONG")]);
    check(|it| it.slots.clear(), &[("slots", "REQUIRED")]);
    check(|it| it.slots[1].end = it.slots[1].start, &[("slots[1].end_time", "MALFORMED")]);
    check(|it| it.slots[1].start = time(9, 24, 0, 0), &[("slots[1]", "REPEATED")]);
    check(|it| it.tables = 0, &[("table_count", "OUT_OF_RANGE")]);
    check(|it| it.tables = 1_000, &[]);
    check(|it| it.tables = 1_001, &[("table_count", "OUT_OF_RANGE")]);
    check(|it| it.spare_percent = 50, &[]);
    check(|it| it.spare_percent = 51, &[("spare_percent", "OUT_OF_RANGE")]);
    check(|it| it.rules.per_demand = 0, &[("rules.max_per_demand", "OUT_OF_RANGE")]);
    check(|it| it.rules.per_demand = 200, &[]);
    check(|it| it.rules.per_expert = 201, &[("rules.max_per_expert", "OUT_OF_RANGE")]);
    check(
        |it| it.rules.per_counterpart_organisation = Some(0),
        &[("rules.max_per_counterpart_organisation", "OUT_OF_RANGE")],
    );
    check(|it| it.rules.min_score = f64::NAN, &[("rules.min_score", "OUT_OF_RANGE")]);
    let bad = |quota: Quota, want: &[(&str, &'static str)]| {
        let mut event = event();
        event.rules.quotas = vec![quota];
        assert_eq!(
            said(event.checked().unwrap_err()),
            want.iter().map(|(f, r)| (f.to_string(), *r)).collect::<Vec<_>>()
        );
    };
    bad(quota("99", 1, None), &[("rules.quotas[0].code", "UNKNOWN_CODE")]);
    bad(quota("13", 0, None), &[("rules.quotas[0]", "REQUIRED")]);
    bad(quota("13", 3, Some(2)), &[("rules.quotas[0].max_pair_count", "CONTRADICTION")]);
    check(
        |it| it.rules.avoided = vec![AvoidedPair { left: "甲".into(), right: "甲".into() }],
        &[("rules.avoided_pairs[0].right", "REPEATED")],
    );
    check(
        |it| {
            it.title.clear();
            it.tables = 0;
            it.rules.per_expert = 0;
        },
        &[("title", "REQUIRED"), ("table_count", "OUT_OF_RANGE"), ("rules.max_per_expert", "OUT_OF_RANGE")],
    );
}

#[test]
fn max_slots() {
    let slots = |count: i8| {
        let of_day =
            |day: i8| (0..count.min(100)).map(move |at| slot(day, (at / 5, at % 5 * 10), (at / 5, at % 5 * 10 + 9)));
        (1..=2).flat_map(of_day).collect::<Vec<_>>()
    };
    let mut event = event();
    event.slots = slots(100);
    assert_eq!(event.slots.len(), setup::MAX_SLOTS);
    assert!(event.clone().checked().is_ok());
    event.slots.push(slot(3, (9, 0), (9, 1)));
    assert_eq!(said(event.checked().unwrap_err()), [("slots".to_string(), "TOO_MANY")]);
}

#[test]
fn what_passes_is_in_its_normal_form() {
    let mut event = event();
    event.slots.reverse();
    event.rules.quotas =
        vec![Quota { side: Side::Demand, group: Group::City, code: "1301".into(), min_pairs: 1, max_pairs: None }];
    let event = event.checked().unwrap();
    assert!(event.slots.is_sorted());
    assert_eq!(event.rules.quotas[0].code, "130100");
    assert_eq!((event.usable_tables(), event.first_day()), (8, date(2026, 12, 1)));
    assert_eq!(event.slots[0].label(), "2026-12-01 09:00-09:25");
    let (start, _) = event.slots[0].instants().unwrap();
    assert_eq!(start.to_string(), "2026-12-01T01:00:00Z");
}

#[test]
fn bad_participants_say_which_field_and_why() {
    let check = |change: fn(&mut Participant), want: &[(&str, &'static str)]| {
        let mut it = participant("demands/d-1");
        change(&mut it);
        let found = said(it.check(&event(), "p").err().unwrap_or_default());
        assert_eq!(found, want.iter().map(|(f, r)| (f.to_string(), *r)).collect::<Vec<_>>());
    };
    check(|_| (), &[]);
    check(|it| it.contact.phone = "\n".into(), &[("p.contact.phone", "CONTROL_CHARACTER")]);
    check(|it| it.presenter = "长".repeat(101), &[("p.presenter", "TOO_LONG")]);
    check(|it| it.people = 0, &[("p.max_concurrent_meetings", "OUT_OF_RANGE")]);
    check(|it| it.cap = Some(0), &[("p.max_meetings", "OUT_OF_RANGE")]);
    check(|it| it.table = Some(9), &[]);
    check(|it| it.table = Some(10), &[("p.table", "OUT_OF_RANGE")]);
    let window = |start, end| Window { date: date(2026, 12, 1), start: time(start, 0, 0, 0), end: time(end, 0, 0, 0) };
    let mut it = participant("demands/d-1");
    it.windows = vec![window(8, 9), window(9, 9)];
    assert_eq!(
        said(it.check(&event(), "p").unwrap_err()),
        [("p.availability_windows[1].end_time".to_string(), "MALFORMED")]
    );
    it.windows = vec![window(8, 9); 51];
    assert_eq!(said(it.check(&event(), "p").unwrap_err()), [("p.availability_windows".to_string(), "TOO_MANY")]);
}

#[test]
fn when_and_as_whom_people_come() {
    let mut it = participant("achievements/a-1");
    let who = |it: &Participant| shared::presenters(std::slice::from_ref(it)).remove(0);
    let organisation = it.organisation_key().to_string();
    assert_eq!((it.slots(&event()), who(&it)), (vec![0, 1, 2], Presenter::Organisation(organisation.clone())));
    it.windows = vec![Window { date: date(2026, 12, 1), start: time(9, 0, 0, 0), end: time(9, 50, 0, 0) }];
    it.contact.person = "张三".into();
    let person = Presenter::Person { organisation, name: "张三".into() };
    assert_eq!((it.slots(&event()), who(&it)), (vec![0], person));
    it.presenter = "中试基地".into();
    it.region = "130102".into();
    it.field = "406".into();
    let named = Presenter::Named("中试基地".into());
    assert_eq!((who(&it), it.city(), it.field_root()), (named, "130100".into(), "40"));
    let in_region = |region: &str| it.is_in_region(region);
    assert_eq!(["130000", "130100", "130200", "110000"].map(in_region), [true, true, false, false]);
    assert_eq!(["40", "406", "407", "10"].map(|field| it.is_in_field(field)), [true, true, false, false]);
    assert_eq!((it.cap_under(&event()), Participant { cap: Some(2), ..it }.cap_under(&event())), (5, 2));
}

#[test]
fn quotas_count_whom_they_name_and_do_not_overlap() {
    let quota =
        |group, code: &str| Quota { side: Side::Demand, group, code: code.into(), min_pairs: 1, max_pairs: None };
    let check = |one: &str, other: &str, want: bool| {
        assert_eq!(quota(Group::City, one).overlaps(&quota(Group::City, other)), want, "{one} {other}");
    };
    check("130000", "130100", true);
    check("130100", "130200", false);
    check("130102", "130100", true);
    assert!(quota(Group::Field, "40").overlaps(&quota(Group::Field, "406")));
    assert!(!quota(Group::Field, "40").overlaps(&quota(Group::City, "130000")));
    let mut it = participant("demands/d-1");
    it.region = "130102".into();
    assert!(quota(Group::City, "130100").covers(&it) && !quota(Group::City, "110000").covers(&it));
    assert!(!quota(Group::City, "130100").covers(&Participant { region: "130102".into(), ..participant("experts/e") }));
    assert_eq!(quota(Group::City, "130100").name().label(), "需求方·河北石家庄");
    assert_eq!(quota(Group::Field, "406").name().label(), "需求方·新材料");
    let avoided = AvoidedPair { left: "乙所".into(), right: "甲公司".into() };
    let mut other = participant("experts/e");
    other.organisation = Some(Organisation { name: "乙所".into(), credit_code: "91440300708461136T".into() });
    assert!(avoided.names(&it, &other) && avoided.names(&other, &it) && !avoided.names(&it, &it));
}

#[test]
fn a_later_edit_takes_the_place_of_an_earlier_one() {
    let mut edits = Edits::default();
    let lock = Edit::Lock { slot: 1, table: 2 };
    let mut apply = |edit, changed, want: (bool, bool, Option<(usize, u32)>)| {
        assert_eq!(edits.apply(&pair(), edit), changed, "{edit:?}");
        assert_eq!((edits.is_pinned(&pair()), edits.is_forbidden(&pair()), edits.place(&pair())), want, "{edit:?}");
    };
    apply(Edit::Pin, true, (true, false, None));
    apply(Edit::Pin, false, (true, false, None));
    apply(lock, true, (true, false, Some((1, 2))));
    apply(Edit::Pin, false, (true, false, Some((1, 2))));
    apply(Edit::Unlock, true, (true, false, None));
    apply(Edit::Forbid, true, (false, true, None));
    apply(Edit::Unlock, false, (false, true, None));
    apply(Edit::Free, true, (false, false, None));
    edits.apply(&pair(), lock);
    let json = serde_json::to_string(&edits).unwrap();
    assert_eq!(serde_json::from_str::<Edits>(&json).unwrap(), edits);
    let check = |slot, table, want: &[&str]| {
        let found = event().check_edit(Edit::Lock { slot, table }, "edits[0]").err().unwrap_or_default();
        assert_eq!(said(found).iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), want);
    };
    check(2, 9, &[]);
    check(3, 10, &["edits[0].slot", "edits[0].table"]);
}

#[test]
fn changes_between_plans() {
    let meeting =
        |id: &str, slot, table| Meeting { pair: Pair::new(name("demands/d-1"), name(id)), slot, table, locked: false };
    let before = [meeting("experts/a", 0, 0), meeting("experts/b", 1, 0), meeting("experts/c", 2, 0)];
    let now = vec![meeting("experts/a", 0, 0), meeting("experts/b", 1, 3), meeting("experts/d", 2, 0)];
    let changes = Plan { meetings: now, ..Plan::default() }.changes_since(&before);
    let changes: Vec<_> = changes.iter().map(|it| (it.pair.counterpart.id.as_str(), it.from, it.to)).collect();
    assert_eq!(changes, [("b", Some((1, 0)), Some((1, 3))), ("c", Some((2, 0)), None), ("d", None, Some((2, 0)))]);
}

#[test]
fn bad_outcomes_say_which_field_and_why() {
    let check = |change: fn(&mut Outcome), want: &[(&str, &'static str)]| {
        let mut it = outcome();
        change(&mut it);
        let found = said(it.check().err().unwrap_or_default());
        assert_eq!(found, want.iter().map(|(f, r)| (f.to_string(), *r)).collect::<Vec<_>>());
    };
    check(|_| (), &[]);
    check(|it| it.pair.counterpart = it.pair.demand.clone(), &[("outcome.counterpart", "NOT_OF_THIS_KIND")]);
    check(|it| it.progress = Some(OutcomeProgress::Intent), &[("outcome.progress", "CONTRADICTION")]);
    check(
        |it| {
            it.attendance = Attendance::Held;
            it.progress = Some(OutcomeProgress::Signed { kind: ContractKind::License, amount_yuan: -1 });
        },
        &[("outcome.amount_yuan", "OUT_OF_RANGE")],
    );
    check(|it| it.attendance = Attendance::Replaced, &[("outcome.replaced_by", "REQUIRED")]);
    check(|it| it.replaced_by = Some(it.pair.counterpart.clone()), &[("outcome.replaced_by", "CONTRADICTION")]);
    check(|it| it.note = "长".repeat(501), &[("outcome.note", "TOO_LONG")]);
}

#[test]
fn the_history_keeps_what_was_recorded() {
    let booked = outcome();
    let mut held = Outcome { attendance: Attendance::Held, ..outcome() };
    held.remember(&booked);
    let mut same = Outcome { note: "来了三人".into(), attendance: Attendance::Held, ..outcome() };
    same.remember(&held);
    let mut intent = Outcome { attendance: Attendance::Held, progress: Some(OutcomeProgress::Intent), ..outcome() };
    intent.remember(&same);
    let steps: Vec<_> = intent.history.iter().map(|step| (step.attendance, step.progress)).collect();
    assert_eq!(steps, [(Attendance::Booked, None), (Attendance::Held, None)]);
    for _ in 0..100 {
        let mut next = Outcome { attendance: Attendance::Held, ..outcome() };
        next.progress = if intent.progress.is_none() { Some(OutcomeProgress::Intent) } else { None };
        next.remember(&intent);
        intent = next;
    }
    assert_eq!(intent.history.len(), outcome::MAX_STEPS);
}

#[test]
fn outcomes_are_counted_in_every_group() {
    let held = |progress| Outcome { attendance: Attendance::Held, progress, ..outcome() };
    let signed = OutcomeProgress::Signed { kind: ContractKind::Development, amount_yuan: 300_000 };
    let elsewhere = Outcome { city: String::new(), date: date(2027, 1, 5), event: "b".into(), ..outcome() };
    let outcomes = [
        outcome(),
        held(None),
        held(Some(signed)),
        held(Some(OutcomeProgress::Rejected { reason: Rejection::Terms })),
        elsewhere,
    ];
    let statistics = Statistics::of(&outcomes);
    let total = &statistics.total;
    assert_eq!((total.meetings, total.booked, total.held, total.signed_yuan), (5, 2, 3, 300_000));
    assert_eq!((total.rejected, total.reasons), (1, [0, 0, 0, 0, 0, 0, 0, 1]));
    let groups = |by| statistics.groups[&by].iter().map(|(key, it)| (key.as_str(), it.meetings)).collect::<Vec<_>>();
    assert_eq!(groups(Grouping::Event), [("b", 1), ("hebei-2026", 4)]);
    assert_eq!(groups(Grouping::City), [("", 1), ("130100", 4)]);
    assert_eq!(groups(Grouping::Field), [("40", 5)]);
    assert_eq!(groups(Grouping::Quarter), [("2026Q4", 4), ("2027Q1", 1)]);
}

#[test]
fn values_survive_storing() {
    let json = serde_json::to_string(&event()).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event());
    let it = participant("demands/tangshan/d-1");
    let json = serde_json::to_string(&it).unwrap();
    assert!(json.contains("\"demands/tangshan/d-1\""), "{json}");
    assert_eq!(serde_json::from_str::<Participant>(&json).unwrap(), it);
    let json = serde_json::to_string(&outcome()).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome());
}

#[test]
fn every_table_is_consistent() {
    fn check<C: Code + std::fmt::Debug>() {
        for (value, names) in C::TABLE {
            assert_eq!(C::from_number(value.number()), Some(*value));
            assert!(names.iter().all(|name| C::from_name(name) == Some(*value)), "{names:?}");
        }
    }
    check::<EventState>();
    check::<Side>();
    check::<Group>();
    check::<ParticipantState>();
    check::<plan::Why>();
    check::<Certificate>();
    check::<Attendance>();
    check::<ContractKind>();
    check::<Rejection>();
    check::<Grouping>();
    assert_eq!(Rejection::TABLE.len(), Counts::default().reasons.len());
}

#[test]
fn plans_of_the_old_form_are_read() {
    let (demand, counterpart) = ("demands/d-1", "achievements/a-1");
    let pair = serde_json::json!({"demand": demand, "counterpart": counterpart});
    let left_out = |reasons: serde_json::Value| serde_json::json!({"pair": pair, "score": 0.5, "level": "fair", "rank": 2, "reasons": reasons, "loss": null});
    let unplaced = |code: &str, reason: &str| serde_json::json!({"pair": pair, "reason": reason, "code": code});
    let blocked = "双方共同的 5 个时段都排不下：需求方另有洽谈 3 个，可用的桌已满 2 个";
    let stored = serde_json::json!({
        "number": 3, "inputs": 1, "layout": 1,
        "versions": {"text": "t", "model": "m", "calibration": "c"},
        "shortlist": [{"pair": pair, "score": 0.9, "level": "strong", "rank": 1, "why": "chosen"}],
        "left_out": [
            left_out(serde_json::json!(["forbidden", {"met_before": {"event": "early"}}])),
            left_out(serde_json::json!([{"organisation_cap": {"organisation": "甲"}}, {"quota": {"quota": "某名额上限"}}])),
            left_out(serde_json::json!([{"kept": {"instead": pair, "rule": "人工指定"}}])),
        ],
        "proof": {
            "value": 1.0, "bound": 1.0, "is_optimal": true, "candidates": 9, "per_demand": 3,
            "certificate": "分支定界穷尽了全部情形，已证明最优",
        },
        "shortfalls": [{"quota": "需求方·河北唐山", "at_least": 5, "reached": 3}],
        "costs": [
            {"rule": "最低匹配等级", "is_whole": true, "at_least": 0.0, "at_most": 0.5},
            {"rule": "demands/d-1 至多 1 场", "is_whole": false, "at_least": 0.0, "at_most": 0.25},
        ],
        "meetings": [{"pair": pair, "slot": 0, "table": 1, "locked": false}],
        "unplaced": [unplaced("BLOCKED", blocked), unplaced("SLOTS_OVER", "双方共同的时段都已结束")],
        "schedule": {"gaps": 0, "host_moves": 1, "guest_moves": 2, "used": 0.5, "is_most": true},
        "changes": [{"pair": pair, "from": [0, 1], "to": null}],
    });
    let plan: Plan = serde_json::from_value(stored).unwrap();
    assert_eq!(plan.proof.certificate, Certificate::Branches);
    assert_eq!(plan.shortfalls[0].chinese(), "需求方·河北唐山 至少 5 对，只能安排 3 对");
    assert_eq!(
        (&plan.costs[0].rule, plan.costs[1].rule.chinese().as_str()),
        (&RuleRef::MinLevel, "demands/d-1 至多 1 场")
    );
    let reasons: Vec<String> = plan.left_out.iter().flat_map(|it| &it.reasons).map(LeftOutReason::chinese).collect();
    let kept = format!("{counterpart} 须保留（人工指定）");
    let want = ["工作人员已排除", "双方已在活动 early 中洽谈", "单位 甲 的场次已满", "受名额限制：某名额上限", &kept];
    assert_eq!(reasons, want);
    let slots = BlockedSlots { slots: 5, demand_busy: 3, tables_taken: 2, ..BlockedSlots::default() };
    let causes: Vec<UnplacedCause> = plan.unplaced.iter().map(|it| it.cause).collect();
    assert_eq!(causes, [UnplacedCause::Blocked(slots), UnplacedCause::SlotsOver]);
    assert_eq!(plan.unplaced[0].cause.chinese(), blocked);
    // read again in today's form
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn rules_are_stored_and_read_again() {
    let quota = QuotaRef { side: Side::Demand, group: Group::City, code: "130200".into() };
    let rules = [
        RuleRef::ParticipantMaximum { record: "demands/d-1".parse().unwrap(), max: 2 },
        RuleRef::OrganisationMaximum { side: Side::Counterpart, organisation: "乙".into() },
        RuleRef::QuotaMaximum(quota.clone()),
        RuleRef::QuotaMinimum(quota),
        RuleRef::Pinned,
        RuleRef::Told("旧".into()),
    ];
    for rule in rules {
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<RuleRef>(&json).unwrap(), rule, "{json}");
        assert!(!rule.chinese().is_empty());
    }
}
