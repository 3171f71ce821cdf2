//! Experts by what they did, and whom a match avoids.

use std::collections::{BTreeMap, BTreeSet};

use duijie::{
    domain::{Detail, Kind, record::Expert, record::Owner},
    pb,
};
use tonic::Code;

use crate::{
    command_line::{call, check},
    harness::{Service, by_name, by_text, common, names, record, record_with, refusal},
};

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
    // both say the same of themselves; one of them took part in what is wanted
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
    let reason = found[0].reasons.iter().find(|reason| reason.kind() == pb::ReasonKind::Achievement).unwrap();
    assert!(!reason.against && reason.text.contains("achievements/weld"), "{reason:?}");
    // the achievement's words are not the expert's: nothing of it is quoted
    assert!(reason.quotes.is_empty() && !reason.text.contains("激光"), "{reason:?}");
    // scores of texts work the same, and those between experts leave it out
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
        // who is left has the score that he had
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

/// Place of the first of these experts in an order by descending score.
fn first_of(wanted: &BTreeSet<String>, mut scored: Vec<(f64, String)>) -> f64 {
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let place = scored.iter().position(|(_, name)| wanted.contains(name));
    place.map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

/// The judged set has no experts, so this is the samples' own: an expert is related to a demand when he took part in an
/// achievement that is judged 3 or 4. Figures for docs/relevance.md.
#[tokio::test(flavor = "multi_thread")]
async fn on_the_samples_those_who_did_it_come_nearer_to_the_top() {
    let service = Service::start().await;
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for file in ["achievements.csv", "demands.csv", "experts.jsonl"] {
        let path = samples.join(file);
        check(call(&["import", path.to_str().unwrap(), "--server", &service.url]).await, 0, &[]);
    }
    let mut related: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(samples.join("judgements.tsv")).unwrap().lines().skip(1) {
        let [demand, achievement, level] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if level.parse::<u8>().unwrap() < 3 {
            continue;
        }
        let filter = pb::Filter { achievements: vec![format!("achievements/{achievement}")], ..Default::default() };
        let kind = pb::RecordKind::Expert as i32;
        let request = pb::ListRecordsRequest { kind, filter: Some(filter), ..Default::default() };
        let found = service.catalog().await.list_records(request).await.unwrap().into_inner().records;
        let experts = found.iter().map(|record| common(record).name.clone());
        related.entry(format!("demands/{demand}")).or_default().extend(experts);
    }
    related.retain(|_, experts| !experts.is_empty());
    let (mut with, mut without) = (0.0, 0.0);
    for (demand, experts) in &related {
        let request = pb::MatchRequest { page_size: 200, ..by_name(demand, pb::RecordKind::Expert) };
        let found = matched(&service, request).await;
        let name = |it: &pb::Match| common(it.record.as_ref().unwrap()).name.clone();
        let works = |it: &pb::Match| source(it, pb::Source::Achievements).map_or(0.0, |it| it.contribution);
        with += first_of(experts, found.iter().map(|it| (it.score, name(it))).collect());
        without += first_of(experts, found.iter().map(|it| (it.score - works(it), name(it))).collect());
    }
    let count = related.len() as f64;
    println!("{count} demands, mean reciprocal rank {:.3}, by text alone {:.3}", with / count, without / count);
    assert!(20 <= related.len() && without < with, "{count}: {with} {without}");
    service.stop().await;
}
