use jiff::{
    Timestamp,
    civil::{date, time},
};

use super::*;
use crate::events::model::{AvoidedPair, Edit, EventState, Quota, Rules, Slot};
use duijie_core::domain::{Detail, Record, record::Owner};

fn event(rules: Rules) -> Event {
    Event {
        id: "e".into(),
        title: "对接会".into(),
        place: String::new(),
        slots: vec![Slot { date: date(2026, 12, 1), start: time(9, 0, 0, 0), end: time(9, 30, 0, 0) }],
        tables: 1,
        spare_percent: 0,
        rules,
        state: EventState::Draft,
        inputs: 0,
        layout: 0,
        create_time: Timestamp::UNIX_EPOCH,
        update_time: Timestamp::UNIX_EPOCH,
    }
}

/// `d-0` to `d-2` of 甲, 甲, 乙; `a-0` to `a-2` of 丙, 丙, 甲; cities 1301, 1302, 1301.
fn participants() -> Vec<Participant> {
    let of = |name: &str, owner: &str, region: &str| {
        let name: RecordName = name.parse().unwrap();
        let mut record = Record::new(name.source, name.id, "题目", Detail::empty(name.kind));
        record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
        record.region = region.into();
        Participant::of(&record)
    };
    vec![
        of("achievements/a-0", "丙", "130100"),
        of("achievements/a-1", "丙", "130200"),
        of("achievements/a-2", "甲", "130100"),
        of("demands/d-0", "甲", "130100"),
        of("demands/d-1", "甲", "130200"),
        of("demands/d-2", "乙", "130102"),
    ]
}

fn pair(demand: usize, counterpart: usize) -> Pair {
    let name = |text: String| text.parse().unwrap();
    Pair::new(name(format!("demands/d-{demand}")), name(format!("achievements/a-{counterpart}")))
}

/// All nine pairs; no two plans have the same value. Each demand scores highest with the first counterpart, the first
/// demand highest of all. The level is 较强 for the first counterpart, else 弱.
fn candidates() -> Candidates {
    let of = |demand: usize, counterpart: usize| Candidate {
        pair: pair(demand, counterpart),
        score: 0.9 - 0.2 * counterpart as f64 - 0.01 * demand as f64 + 0.02 * (demand * counterpart) as f64,
        level: Some(if counterpart == 0 { Level::Fair } else { Level::Weak }),
        rank: u32::try_from(counterpart + 1).unwrap(),
    };
    let all = (0..3).flat_map(|demand| (0..3).map(move |counterpart| of(demand, counterpart)));
    Candidates { all: all.collect(), per_demand: 3 }
}

fn made(rules: Rules, edits: &[(Pair, Edit)], met: &[Pair]) -> Result<Shortlists, EventError> {
    let (event, participants, candidates) = (event(rules), participants(), candidates());
    let mut all = Edits::default();
    for (pair, edit) in edits {
        all.apply(pair, *edit);
    }
    let met = met.iter().map(|pair| (pair.clone(), "early".to_string())).collect();
    let held = BTreeSet::new();
    let wanted = Wanted {
        event: &event,
        participants: &participants,
        candidates: &candidates,
        edits: &all,
        held: &held,
        met: &met,
    };
    assert!(matches!(shortlists(&wanted, &|| true), Ok(None) | Err(_)));
    Ok(shortlists(&wanted, &|| false)?.unwrap())
}

/// Rules that admit every pair.
fn open() -> Rules {
    Rules { per_demand: 3, same_organisation: true, met_before: false, ..Rules::default() }
}

#[test]
fn every_rule_reaches_the_optimisation() {
    let check = |rules: Rules, edits: &[(Pair, Edit)], met: &[Pair], want: &[(usize, usize)]| {
        let made = made(rules, edits, met).unwrap();
        assert!(made.proof.is_optimal, "{:?}", made.proof);
        let mut found: Vec<Pair> = made.shortlist.into_iter().map(|it| it.pair).collect();
        found.sort();
        assert_eq!(found, want.iter().map(|(d, a)| pair(*d, *a)).collect::<Vec<_>>());
    };
    let all = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)];
    check(open(), &[], &[], &all);
    check(Rules { per_demand: 1, ..open() }, &[], &[], &[(0, 0), (1, 0), (2, 0)]);
    check(Rules { per_demand: 1, per_achievement: 1, ..open() }, &[], &[], &[(0, 0), (1, 1), (2, 2)]);
    check(Rules { min_level: Level::Fair, ..open() }, &[], &[], &[(0, 0), (1, 0), (2, 0)]);
    check(Rules { min_score: 0.8, ..open() }, &[], &[], &[(0, 0), (1, 0), (2, 0)]);
    // d-0, d-1 and a-2 are of 甲
    check(
        Rules { same_organisation: false, ..open() },
        &[],
        &[],
        &[(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)],
    );
    let avoided = vec![AvoidedPair { left: "丙".into(), right: "乙".into() }];
    check(Rules { avoided, ..open() }, &[], &[], &[(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]);
    check(Rules { per_demand_organisation: Some(2), ..open() }, &[], &[], &[(0, 0), (1, 0), (2, 0), (2, 1)]);
    check(Rules { per_counterpart_organisation: Some(1), ..open() }, &[], &[], &[(0, 0), (2, 2)]);
    let quota = |side, code: &str, min_pairs, max_pairs| Quota {
        side,
        group: Group::City,
        code: code.into(),
        min_pairs,
        max_pairs,
    };
    // d-0 and d-2 lie in 1301
    let quotas = vec![quota(Side::Demand, "130100", 0, Some(2))];
    check(Rules { per_demand: 2, quotas, ..open() }, &[], &[], &[(0, 0), (1, 0), (1, 1), (2, 0)]);
    // a-1 lies in 1302
    let quotas = vec![quota(Side::Counterpart, "130200", 2, None)];
    check(Rules { per_demand: 1, quotas, ..open() }, &[], &[], &[(0, 0), (1, 1), (2, 1)]);
    let one = Rules { per_demand: 1, ..open() };
    check(one.clone(), &[(pair(0, 0), Edit::Forbid), (pair(1, 2), Edit::Pin)], &[], &[(0, 1), (1, 2), (2, 0)]);
    check(one.clone(), &[], &[pair(2, 0)], &[(0, 0), (1, 0), (2, 1)]);
    check(Rules { met_before: true, ..one }, &[], &[pair(2, 0)], &[(0, 0), (1, 0), (2, 0)]);
}

/// Kind of a reason, as stored.
fn kind(reason: &LeftOutReason) -> String {
    let stored = serde_json::to_value(reason).unwrap();
    let kind = stored.as_str().or_else(|| stored.as_object()?.keys().next().map(String::as_str));
    kind.unwrap().to_uppercase()
}

#[test]
fn who_is_left_out_hears_why() {
    let check = |rules: Rules, edits: &[(Pair, Edit)], met: &[Pair], left: Pair, want: &str| {
        let made = made(rules, edits, met).unwrap();
        let found = made.left_out.iter().find(|it| it.pair == left);
        let found = found.unwrap_or_else(|| panic!("{left} is not among {:?}", made.left_out));
        let kinds: Vec<_> = found.reasons.iter().map(kind).collect();
        assert!(kinds.iter().any(|kind| kind == want), "{left}: {kinds:?}");
    };
    let one = Rules { per_demand: 1, ..open() };
    check(Rules { per_achievement: 2, ..one.clone() }, &[], &[], pair(2, 0), "COUNTERPART_CAP");
    check(one.clone(), &[(pair(0, 0), Edit::Forbid)], &[], pair(0, 0), "FORBIDDEN");
    check(one.clone(), &[], &[pair(0, 0)], pair(0, 0), "MET_BEFORE");
    check(Rules { min_level: Level::Strong, ..one.clone() }, &[], &[], pair(0, 0), "BELOW_LEVEL");
    check(Rules { min_score: 0.95, ..one.clone() }, &[], &[], pair(0, 0), "BELOW_SCORE");
    check(Rules { per_counterpart_organisation: Some(1), ..one.clone() }, &[], &[], pair(1, 0), "ORGANISATION_CAP");
    let avoided = vec![AvoidedPair { left: "甲".into(), right: "丙".into() }];
    check(Rules { avoided, ..one.clone() }, &[], &[], pair(0, 0), "AVOIDED");
    let apart = Rules { per_demand: 3, same_organisation: false, ..open() };
    check(apart, &[], &[], pair(0, 2), "SAME_ORGANISATION");
    let quota =
        Quota { side: Side::Demand, group: Group::City, code: "130200".into(), min_pairs: 0, max_pairs: Some(0) };
    check(Rules { quotas: vec![quota], ..one }, &[], &[], pair(1, 0), "QUOTA");
}

#[test]
fn contradictions_and_shortfalls_are_told() {
    let check = |rules: Rules, edits: &[(Pair, Edit)], want: &str| match made(rules, edits, &[]) {
        Err(EventError::Contradictions(all)) => {
            assert!(all.iter().any(|it| it.contains(want) && it.contains("demands/d-0")), "{all:?}");
        }
        other => panic!("{other:?}"),
    };
    let pin = [(pair(0, 2), Edit::Pin)];
    check(Rules { same_organisation: false, ..open() }, &pin, "同一单位");
    check(Rules { min_level: Level::Fair, ..open() }, &pin, "最低匹配等级");
    check(Rules { per_demand: 1, ..open() }, &[(pair(0, 0), Edit::Pin), (pair(0, 1), Edit::Pin)], "至多 1 场");
    let quota = Quota { side: Side::Demand, group: Group::City, code: "130200".into(), min_pairs: 5, max_pairs: None };
    let made = made(Rules { quotas: vec![quota], ..open() }, &[], &[]).unwrap();
    let shortfall = &made.shortfalls[0];
    assert_eq!(shortfall.chinese(), "需求方·河北唐山 至少 5 对，只能安排 3 对");
}
