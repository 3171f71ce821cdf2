use super::*;
use duijie_core::domain::codes::{
    AchievementLevel, IpKind, IpStatus, OwnerType, PolicyField, ShareClass, Stage, TransferMode,
};

fn full(detail: Detail) -> Record {
    let time = |second| Some(Timestamp::new(second, 7).unwrap());
    Record {
        body: "正文\n第二行".into(),
        keywords: vec!["激光".into()],
        industry: "C3851".into(),
        field: "403".into(),
        policy_field: Some(PolicyField::Materials),
        region: "130100".into(),
        owner: Some(Owner {
            name: "甲公司".into(),
            credit_code: "91440300708461136T".into(),
            owner_type: Some(OwnerType::Enterprise),
        }),
        status: Status::Closed,
        share_class: ShareClass::Conditional,
        publish_time: time(1),
        create_time: time(2),
        update_time: time(3),
        revision: 4,
        ..Record::new("tianjin", "a-1", "激光焊接", detail)
    }
}

#[test]
fn a_basic_view_leaves_out_what_is_long() {
    let right = IntellectualProperty { kind: IpKind::Software, number: "2021SR1".into(), status: None };
    let achievement = Achievement { intellectual_property: vec![right], trl: Some(6), ..Default::default() };
    let expert = Expert { professional_title: "教授".into(), achievement_ids: vec!["a-1".into()] };
    for detail in [Detail::Achievement(achievement), Detail::Demand(Demand::default()), Detail::Expert(expert)] {
        let record = full(detail);
        let mut want = record.clone();
        want.body.clear();
        match &mut want.detail {
            Detail::Achievement(it) => it.intellectual_property.clear(),
            Detail::Expert(it) => it.achievement_ids.clear(),
            Detail::Demand(_) => {}
        }
        assert_eq!((View::Basic.of(record.clone()), View::Full.of(record.clone())), (want, record));
    }
    assert_eq!([0, 1, 2].map(|mut view| view_in(&mut view).unwrap()), [View::Full, View::Basic, View::Full]);
    let mut unknown = 9;
    assert_eq!((view_in(&mut unknown).unwrap_err().field.as_str(), unknown), ("view", 0));
}

#[test]
fn records_come_back() {
    let achievement = Achievement {
        registration_number: "1302021Y0123".into(),
        stage: Some(Stage::Pilot),
        trl: Some(6),
        level: Some(AchievementLevel::DomesticLeading),
        intellectual_property: vec![IntellectualProperty {
            kind: IpKind::Software,
            number: "2021SR1".into(),
            status: Some(IpStatus::Granted),
        }],
        transfer_modes: vec![TransferMode::Equity, TransferMode::Assignment],
        price_yuan: Some(0),
    };
    let demand = Demand {
        budget_yuan: Some(500_000),
        deadline: Some(Timestamp::new(9, 0).unwrap()),
        cooperation_modes: vec![TransferMode::JointDevelopment],
    };
    let expert = Expert { professional_title: "教授".into(), achievement_ids: vec!["a-1".into()] };
    for detail in [Detail::Achievement(achievement), Detail::Demand(demand), Detail::Expert(expert)] {
        let record = full(detail);
        let mut back = record_in(record_out(record.clone())).unwrap();
        assert_eq!((back.create_time, back.update_time), (None, None), "the service sets them, nobody else");
        back.create_time = record.create_time;
        back.update_time = record.update_time;
        assert_eq!(back, record);
    }
}

#[test]
fn what_the_wire_can_hold_and_the_domain_cannot_is_told() {
    let check = |change: &dyn Fn(&mut pb::Achievement), want: &str| {
        let mut achievement = pb::Achievement { common: Some(pb::Common::default()), ..Default::default() };
        change(&mut achievement);
        let record = pb::Record { kind: Some(pb::record::Kind::Achievement(achievement)) };
        let found = record_in(record).unwrap_err();
        assert_eq!(found.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), [want]);
    };
    check(&|it| it.common = None, "common");
    check(&|it| it.stage = 99, "stage");
    check(&|it| it.level = -1, "level");
    check(&|it| it.transfer_modes = vec![1, 0], "transfer_modes[1]");
    check(&|it| it.intellectual_property = vec![pb::IntellectualProperty::default()], "intellectual_property[0].kind");
    check(&|it| it.common.as_mut().unwrap().revision = -1, "common.revision");
    check(&|it| it.common.as_mut().unwrap().status = 77, "common.status");
    let bad = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    check(&|it| it.common.as_mut().unwrap().publish_time = Some(bad), "common.publish_time");
    assert_eq!(record_in(pb::Record { kind: None }).unwrap_err()[0].field, "kind");
    // a TRL that does not fit into a byte is reported as out of range
    let far = pb::Achievement { common: Some(pb::Common::default()), trl: 1000, ..Default::default() };
    let record = record_in(pb::Record { kind: Some(pb::record::Kind::Achievement(far)) }).unwrap();
    assert!(record.checked().unwrap_err().iter().any(|v| v.field == "trl"));
}

#[test]
fn filters_are_read_whole() {
    let time = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let it = pb::Filter {
        statuses: vec![1, 3],
        publish_time: Some(pb::TimeRange { start_time: time(10, 1), end_time: time(20, 0) }),
        trl: Some(pb::IntRange { min: Some(2), max: None }),
        ..Default::default()
    };
    let filter = filter_in(Some(it), Kind::Achievement).unwrap();
    assert_eq!(filter.statuses, [Status::Active, Status::Closed]);
    assert_eq!(filter.publish_time, Some(Range { min: Some(11), max: Some(19) }));
    assert_eq!(filter.trl, Some(Range { min: Some(2), max: None }));
    assert_eq!(filter_in(Some(filter_out(filter.clone())), Kind::Achievement).unwrap(), filter);
    let it = pb::Filter { statuses: vec![0], regions: vec!["99".into()], ..Default::default() };
    let found = filter_in(Some(it), Kind::Demand).unwrap_err();
    assert_eq!(found.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), ["filter.statuses[0]", "filter.regions[0]"]);
}

#[test]
fn requests_for_jobs_come_back() {
    let filter = pb::Filter { regions: vec!["130100".into()], statuses: vec![1], ..Default::default() };
    let names = pb::RematchNames { names: vec!["demands/a".into(), "demands/tianjin/b".into()] };
    for selection in
        [pb::start_rematch_request::Selection::Filter(filter), pb::start_rematch_request::Selection::Names(names)]
    {
        let request = pb::StartRematchRequest {
            selection: Some(selection),
            targets: vec![pb::RecordKind::Achievement as i32, pb::RecordKind::Expert as i32],
            limit: 7,
            min_grade: pb::Grade::Fair as i32,
            min_score: 0.25,
            base: "rematch/jobs/00000000000000ff".into(),
            request_id: "r".into(),
        };
        let read = rematch::job_request_in(request.clone()).unwrap();
        assert_eq!(rematch::request_out(read), request);
    }
    let read = rematch::job_request_in(pb::StartRematchRequest::default()).unwrap();
    assert_eq!(read, crate::rematch::job::JobRequest::default());
}

#[test]
fn subscriptions_come_back() {
    use pb::subscription::Subject;
    let text = pb::TextQuery { title: "焊接".into(), body: "薄板".into(), keywords: vec!["激光".into()] };
    let owned = pb::OwnedRecords { owner: "甲公司".into(), kind: pb::RecordKind::Demand as i32 };
    for subject in [Subject::Record("demands/d-1".into()), Subject::Text(text), Subject::Owned(owned)] {
        let subscription = pb::Subscription {
            subject: Some(subject),
            target: pb::RecordKind::Achievement as i32,
            filter: Some(pb::Filter { trl: Some(pb::IntRange { min: Some(4), max: None }), ..Default::default() }),
            min_grade: pb::Grade::Weak as i32,
            min_score: 0.5,
        };
        let read = watch::subscription_in(Some(subscription.clone())).unwrap();
        assert_eq!(watch::subscription_out(read), subscription);
    }
}

#[test]
fn spans_of_time_have_ends() {
    let check = |seconds: i64, nanos: i32, want: Option<u128>| {
        let span = Some(prost_types::Duration { seconds, nanos });
        let read = rematch::span_in(span, "timeout", 0..=10).map(|read| read.unwrap().as_millis());
        assert_eq!(read.ok(), want, "{seconds} s {nanos} ns");
    };
    check(1, 500_000_000, Some(1_500));
    check(0, 1_000_000, Some(1));
    check(10, 0, Some(10_000));
    check(0, 0, None);
    check(10, 1, None);
    check(-1, 0, None);
    check(0, -1, None);
    check(0, 1_000_000_000, None);
    check(i64::MAX, 0, None);
    assert_eq!(rematch::span_in(None, "timeout", 1..=10), Ok(None));
}

#[test]
fn lengths_come_before_comparisons() {
    let said = |found: Violations| found.iter().map(|it| (it.field.clone(), it.problem.reason())).collect::<Vec<_>>();
    let too_many = |path: &str| (path.to_string(), "TOO_MANY");
    // pair by pair this would take days
    let many: Vec<String> = (0..1_000_000).map(|number| format!("a-{number}")).collect();
    let common = Some(pb::Common { id: "e-1".into(), title: "专家".into(), ..Default::default() });
    let expert = pb::Expert { common: common.clone(), achievement_ids: many.clone(), ..Default::default() };
    let record = record_in(pb::Record { kind: Some(pb::record::Kind::Expert(expert)) }).unwrap();
    assert_eq!(said(record.checked().unwrap_err()), [too_many("achievement_ids")]);
    // each owner against each excluded owner, too
    let filter = pb::Filter { owners: many.clone(), excluded_owners: many.clone(), ..Default::default() };
    let found = said(filter_in(Some(filter), Kind::Demand).unwrap_err());
    assert_eq!(found, [too_many("filter.owners"), too_many("filter.excluded_owners")]);
    // bad entries are counted, and few are told
    let names =
        pb::Filter { achievements: many.clone(), regions: many, statuses: vec![77; 1_000_000], ..Default::default() };
    let found = filter_in(Some(names), Kind::Expert).unwrap_err();
    assert!(found.iter().count() <= 20 && 2_000_000 <= found.count(), "{}", found.count());
}
