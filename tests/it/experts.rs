//! Experts found by their achievements, and experts to avoid.

use duijie_core::domain::{Detail, Kind, record::Expert, record::Owner};
use duijie_proto as pb;
use tonic::Code;

use crate::harness::{Service, by_name, by_text, names, record, record_with, refusal};

const WELDING: &str = "铝合金薄板激光焊接工艺，解决气孔与变形";

fn expert(id: &str, name: &str, (owner, keywords): (&str, &[&str]), achievements: &[&str]) -> pb::Record {
    record_with(Kind::Expert, id, name, |record| {
        record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
        record.keywords = keywords.iter().map(ToString::to_string).collect();
        let achievement_ids = achievements.iter().map(ToString::to_string).collect();
        record.detail = Detail::Expert(Expert { achievement_ids, ..Expert::default() });
    })
}

async fn service() -> Service {
    let service = Service::start().await;
    let demand = record_with(Kind::Demand, "weld", "铝合金电池壳体焊接气孔多", |record| {
        record.body = "需要激光焊接工艺，减少气孔和变形".into();
        record.owner = Some(Owner { name: "甲大学".into(), credit_code: String::new(), owner_type: None });
    });
    let achievement = |id: &str, title: &str| record(Kind::Achievement, id, title, "");
    let records = vec![
        demand,
        achievement("weld", WELDING),
        achievement("corn", "玉米籽粒低破碎收获装置"),
        expert("silent", "张伟", ("甲大学", &["材料加工"]), &["corn", "weld"]),
        expert("twin", "李娜", ("乙大学", &["材料加工"]), &[]),
        expert("farmer", "王芳", ("乙大学", &["农业机械"]), &["corn"]),
    ];
    service.store(records).await;
    service
}

async fn matched(service: &Service, request: pb::MatchRequest) -> Vec<pb::Match> {
    service.matching().await.r#match(request).await.unwrap().into_inner().matches
}

fn source(found: &pb::Match, source: pb::Source) -> Option<&pb::SourceScore> {
    found.sources.iter().find(|it| it.source() == source)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expert_is_found_by_what_he_did() {
    let service = service().await;
    let evidence = pb::EvidenceOptions { reasons: true, ..Default::default() };
    let request = pb::MatchRequest { evidence: Some(evidence), ..by_name("demands/weld", pb::RecordKind::Expert) };
    let found = matched(&service, request).await;
    // both describe themselves alike; one contributed to a matching achievement
    assert_eq!(names(&found)[0], "experts/silent");
    let twin = found.iter().find(|it| names(std::slice::from_ref(it)) == ["experts/twin"]).unwrap();
    assert!(twin.score < found[0].score);
    assert_eq!((twin.through_achievement.as_str(), source(twin, pb::Source::Achievements)), ("", None));
    assert_eq!(found[0].through_achievement, "achievements/weld");
    let works = source(&found[0], pb::Source::Achievements).unwrap();
    assert!(works.rank == 1 && 0.0 < works.contribution, "{works:?}");
    for it in &found {
        let sum: f64 = it.sources.iter().map(|source| source.contribution).sum();
        assert!((sum - it.score).abs() < 1e-9, "{it:?}");
        let reasons: f64 = it.reasons.iter().map(|reason| reason.contribution).sum();
        assert!((reasons - it.score).abs() < 1e-9, "{it:?}");
    }
    let reason = found[0].reasons.iter().find(|reason| reason.kind() == pb::MatchReasonKind::Achievement).unwrap();
    assert!(!reason.against && reason.text.contains("achievements/weld"), "{reason:?}");
    // the achievement's words are not the expert's, so none is quoted
    assert!(reason.quotes.is_empty() && !reason.text.contains("激光"), "{reason:?}");
    // text queries score the same; scores between experts ignore achievements
    let by_text = matched(&service, by_text(WELDING, pb::RecordKind::Expert)).await;
    assert_eq!(
        (names(&by_text)[0].as_str(), by_text[0].through_achievement.as_str()),
        ("experts/silent", "achievements/weld")
    );
    let similar = pb::SimilarRequest { name: "experts/silent".into(), ..Default::default() };
    let similar = service.matching().await.similar(similar).await.unwrap().into_inner().matches;
    assert!(similar.iter().all(|it| it.through_achievement.is_empty()), "{similar:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_match_avoids() {
    let service = service().await;
    let ask = |avoidance: pb::Avoidance| pb::MatchRequest {
        avoidance: Some(avoidance),
        ..by_name("demands/weld", pb::RecordKind::Expert)
    };
    let all = matched(&service, ask(pb::Avoidance::default())).await;
    let avoids = async |avoidance: pb::Avoidance, want: &[&str]| {
        let found = matched(&service, ask(avoidance)).await;
        let mut found_names = names(&found);
        found_names.sort();
        assert_eq!(found_names, want);
        // the remaining experts keep their scores
        for it in &found {
            let name = names(std::slice::from_ref(it));
            let before = all.iter().find(|other| names(std::slice::from_ref(other)) == name).unwrap();
            assert!((before.score - it.score).abs() < 1e-9, "{name:?}");
        }
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    avoids(pb::Avoidance::default(), &["experts/farmer", "experts/silent", "experts/twin"]).await;
    avoids(pb::Avoidance { same_owner: true, names: vec![] }, &["experts/farmer", "experts/twin"]).await;
    let listed = names(&["experts/silent", "experts/farmer"]);
    avoids(pb::Avoidance { same_owner: false, names: listed }, &["experts/twin"]).await;
    let nobody = names(&["experts/twin", "experts/farmer"]);
    avoids(pb::Avoidance { same_owner: true, names: nobody }, &[]).await;
    let wrong = names(&["demands/weld", "experts/", "experts/twin"]);
    let refused = service.matching().await.r#match(ask(pb::Avoidance { same_owner: true, names: wrong })).await;
    let want = names(&["avoidance.names[0]", "avoidance.names[1]"]);
    assert_eq!(refusal(&refused.unwrap_err()), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), want));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn experts_are_listed_by_what_they_took_part_in() {
    let service = service().await;
    let list = |achievements: &[&str], kind: pb::RecordKind| {
        let achievements = achievements.iter().map(ToString::to_string).collect();
        let filter = Some(pb::Filter { achievements, ..Default::default() });
        pb::ListRecordsRequest { kind: kind as i32, filter, ..Default::default() }
    };
    let check = async |achievements: &[&str], want: usize| {
        let request = list(achievements, pb::RecordKind::Expert);
        let found = service.catalog().await.list_records(request).await.unwrap().into_inner().records;
        assert_eq!(found.len(), want, "{achievements:?}");
    };
    check(&["achievements/weld"], 1).await;
    check(&["achievements/corn"], 2).await;
    check(&["achievements/corn", "achievements/weld"], 2).await;
    check(&["achievements/tianjin/corn"], 0).await;
    for (request, want) in [
        (list(&["achievements/corn"], pb::RecordKind::Demand), "filter.achievements"),
        (list(&["experts/twin"], pb::RecordKind::Expert), "filter.achievements[0]"),
    ] {
        let refused = service.catalog().await.list_records(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec![want.to_string()]));
    }
    service.stop().await;
}
