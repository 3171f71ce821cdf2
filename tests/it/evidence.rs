//! Evidence: off by default; quotes occur in the quoted record; indicators point the right way; policy notes at their
//! limits; diagnosis; and invalid rule files.

use std::{fs, path::Path};

use duijie::{app, config::Config};
use duijie_core::domain::{
    Detail, Kind,
    codes::{OwnerType, Status},
    record::{Achievement, Demand, Owner},
};
use duijie_proto as pb;
use tempfile::TempDir;

use crate::{
    command_line::duijie,
    harness::{Service, by_name, by_text, common, names, record_with},
};

const ALL: pb::EvidenceOptions =
    pb::EvidenceOptions { levels: true, reasons: true, indicators: true, policy: true, diagnosis: true };

fn achievement(id: &str, title: &str, body: &str, more: (&str, Option<i64>, u8)) -> pb::Record {
    let (region, price_yuan, trl) = more;
    record_with(Kind::Achievement, id, title, |record| {
        record.body = body.to_string();
        record.region = region.to_string();
        record.detail = Detail::Achievement(Achievement { price_yuan, trl: Some(trl), ..Achievement::default() });
    })
}

fn records() -> Vec<pb::Record> {
    let body = "铝合金薄板焊接用，焊缝不易变形。抗拉强度达到320MPa，气孔率小于0.5%。";
    vec![
        achievement("weld", "铝合金薄板激光焊接工艺", body, ("130100", Some(800_000), 7)),
        achievement("weak", "激光焊接接头研究", "铝合金焊缝，抗拉强度为210MPa。", ("110000", None, 3)),
        achievement("dear", "轻合金焊接机器人", "抗拉强度280~300MPa。", ("130100", Some(499_999), 8)),
        achievement("edge", "轻合金焊接变位机", "用于铝合金。", ("130100", Some(500_000), 8)),
        achievement("corn", "玉米籽粒低破碎收获装置", "降低玉米籽粒机械收获的破碎率。", ("220000", None, 9)),
        record_with(Kind::Demand, "weld", "铝合金电池壳体焊接气孔多", |record| {
            record.body =
                "目前气孔率3%。需要激光焊接工艺，要求抗拉强度≥280MPa，气孔率≤1%，生产节拍不超过60s。".to_string();
            record.region = "130200".to_string();
            let name = "甲公司".to_string();
            record.owner = Some(Owner { name, credit_code: String::new(), owner_type: Some(OwnerType::Enterprise) });
            record.detail = Detail::Demand(Demand { budget_yuan: Some(1_000_000), ..Demand::default() });
        }),
        record_with(Kind::Demand, "old", "铝合金薄板焊接", |record| {
            record.body = "要求抗拉强度≥400MPa。".to_string();
            record.keywords = vec!["激光焊接".into()];
            let deadline = Some("2020-01-31T00:00:00Z".parse().unwrap());
            record.detail = Detail::Demand(Demand { deadline, ..Demand::default() });
        }),
        record_with(Kind::Expert, "li", "李工", |record| record.body = "长期从事铝合金激光焊接研究。".to_string()),
    ]
}

async fn service() -> Service {
    let service = Service::start().await;
    for result in service.store(records()).await {
        assert_eq!(result.outcome(), pb::UpsertOutcome::Created, "{result:?}");
    }
    service
}

async fn answer(service: &Service, request: pb::MatchRequest) -> pb::MatchResponse {
    let request = pb::MatchRequest { evidence: Some(ALL), ..request };
    service.matching().await.r#match(request).await.unwrap().into_inner()
}

fn matched<'a>(answer: &'a pb::MatchResponse, name: &str) -> &'a pb::Match {
    let place = names(&answer.matches).iter().position(|found| found == name);
    &answer.matches[place.unwrap_or_else(|| panic!("no {name}"))]
}

/// The median grade: at least half of the probability at or above it, more than half at or below.
fn median(level: &pb::Level) -> pb::Grade {
    let at_least = [level.strong_probability, level.fair_probability, level.weak_probability];
    let grades = [pb::Grade::Strong, pb::Grade::Fair, pb::Grade::Weak];
    let mut sum = 0.0;
    for (probability, grade) in at_least.into_iter().zip(grades) {
        sum += probability;
        if 0.5 < sum {
            return grade;
        }
    }
    pb::Grade::None
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_told_with_their_probabilities_and_their_fit() {
    let service = service().await;
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Achievement)).await;
    let fit = found.calibration.as_ref().unwrap();
    assert!(fit.version.starts_with("levels-1-") && 0.0 < fit.expected_error && fit.expected_error < 1.0);
    let levels: Vec<&pb::Level> = found.matches.iter().map(|found| found.level.as_ref().unwrap()).collect();
    for level in &levels {
        let sum = level.strong_probability + level.fair_probability + level.weak_probability + level.none_probability;
        if found.nothing_good_enough {
            assert_eq!((level.grade(), sum), (pb::Grade::None, 0.0));
        } else {
            assert!((sum - 1.0).abs() < 1e-9);
            assert_eq!(level.grade(), median(level));
        }
    }
    // a higher score never has a lower level
    let known = |level: &&pb::Level| level.none_probability;
    assert!(levels.windows(2).all(|pair| known(&pair[0]) <= known(&pair[1]) + 1e-9));
    // pairs of kinds without judged data have no level
    for request in
        [by_name("achievements/weld", pb::RecordKind::Demand), by_name("demands/weld", pb::RecordKind::Expert)]
    {
        let found = answer(&service, request).await;
        assert!(found.calibration.is_none() && found.matches.iter().all(|found| found.level.is_none()));
    }
    service.stop().await;
}

/// Checks that the quote occurs literally at its span in the record.
fn check_quote(record: &pb::Record, quote: &pb::Quote) {
    let (common, span) = (common(record), quote.span.as_ref().unwrap());
    let text = match span.field() {
        pb::TextField::Title => &common.title,
        pb::TextField::Body => &common.body,
        pb::TextField::Keywords => &common.keywords[usize::try_from(span.keyword_index).unwrap()],
        pb::TextField::Unspecified => panic!("a span without a field"),
    };
    let (start, end) = (usize::try_from(span.start_char).unwrap(), usize::try_from(span.end_char).unwrap());
    assert_eq!(text.chars().skip(start).take(end - start).collect::<String>(), quote.text, "{quote:?}");
    assert!(!quote.text.is_empty());
}

fn stored(name: &str) -> pb::Record {
    let named = |record: &pb::Record| {
        let kind = match record.kind.as_ref().unwrap() {
            pb::record::Kind::Achievement(_) => "achievements",
            pb::record::Kind::Demand(_) => "demands",
            pb::record::Kind::Expert(_) => "experts",
        };
        format!("{kind}/{}", common(record).id) == name
    };
    records().into_iter().find(named).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_off_unless_asked_for_and_changes_no_order() {
    let service = service().await;
    let request = by_name("demands/weld", pb::RecordKind::Achievement);
    let plain = service.matching().await.r#match(request.clone()).await.unwrap().into_inner();
    assert!(plain.diagnosis.is_none() && plain.calibration.is_none() && !plain.nothing_good_enough);
    let spent = |answer: &pb::MatchResponse| answer.timing.as_ref().unwrap().evidence_duration.unwrap();
    assert_eq!(spent(&plain), prost_types::Duration::default());
    let explained = answer(&service, request.clone()).await;
    assert!(explained.diagnosis.is_some() && 0 < spent(&explained).nanos);
    assert_eq!(explained.matches.len(), 5);
    for (plain, explained) in plain.matches.iter().zip(&explained.matches) {
        assert!(plain.level.is_none() && plain.reasons.is_empty());
        assert!(plain.indicators.is_empty() && plain.policy_notes.is_empty());
        assert!(!explained.reasons.is_empty() && !explained.indicators.is_empty());
        let bare =
            pb::Match { reasons: vec![], indicators: vec![], policy_notes: vec![], level: None, ..explained.clone() };
        assert_eq!(&bare, plain);
    }
    // each switch alone
    let one = pb::EvidenceOptions { policy: true, ..Default::default() };
    let notes = pb::MatchRequest { evidence: Some(one), ..request };
    let notes = service.matching().await.r#match(notes).await.unwrap().into_inner();
    assert!(notes.diagnosis.is_none());
    assert!(notes.matches.iter().all(|it| it.reasons.is_empty() && it.indicators.is_empty()));
    assert!(notes.matches.iter().all(|it| it.policy_notes.len() == 1));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_sum_to_the_score_and_quote_their_own_record() {
    let service = service().await;
    let requests = [
        by_name("demands/weld", pb::RecordKind::Achievement),
        by_name("demands/weld", pb::RecordKind::Expert),
        by_name("achievements/weld", pb::RecordKind::Demand),
        by_name("achievements/weld", pb::RecordKind::Achievement),
        by_name("experts/li", pb::RecordKind::Achievement),
        by_text("鋁合金激光焊接，抗拉強度≥300MPa", pb::RecordKind::Achievement),
        by_text("铝合金激光焊接，抗拉强度达到300MPa", pb::RecordKind::Demand),
    ];
    let mut quotes = 0;
    for request in requests {
        for found in answer(&service, request).await.matches {
            let record = found.record.as_ref().unwrap();
            let sum: f64 = found.reasons.iter().map(|reason| reason.contribution).sum();
            assert!((sum - found.score).abs() < 1e-9, "{found:?}");
            assert!(found.reasons.windows(2).all(|pair| pair[1].contribution <= pair[0].contribution));
            for reason in &found.reasons {
                assert!(!reason.text.is_empty() && (0.0..=1.0).contains(&reason.contribution));
                assert!(!reason.against || reason.contribution == 0.0, "{reason:?}");
                reason.quotes.iter().for_each(|quote| check_quote(record, quote));
                // every word in quotation marks is a quote
                for word in reason.text.split('“').skip(1).map(|rest| rest.split('”').next().unwrap()) {
                    assert!(reason.quotes.iter().any(|quote| quote.text == word), "{word} in {reason:?}");
                }
                quotes += reason.quotes.len();
            }
        }
    }
    assert!(20 < quotes, "{quotes}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_against_is_told() {
    let service = service().await;
    let kinds = |found: &pb::Match| found.reasons.iter().map(pb::MatchReason::kind).collect::<Vec<_>>();
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Achievement)).await;
    let weld = kinds(matched(&found, "achievements/weld"));
    assert!(
        weld.contains(&pb::MatchReasonKind::Terms) && weld.contains(&pb::MatchReasonKind::IndicatorsSatisfied),
        "{weld:?}"
    );
    assert!(!weld.contains(&pb::MatchReasonKind::IndicatorsViolated), "{weld:?}");
    let weak = kinds(matched(&found, "achievements/weak"));
    assert!(weak.contains(&pb::MatchReasonKind::IndicatorsViolated) && weak.contains(&pb::MatchReasonKind::EarlyStage));
    let corn = kinds(matched(&found, "achievements/corn"));
    assert!(corn.contains(&pb::MatchReasonKind::NoTerms), "{corn:?}");
    let filter = Some(pb::Filter { statuses: vec![pb::Status::Withdrawn as i32], ..Default::default() });
    let withdrawn = record_with(Kind::Achievement, "gone", "激光焊接", |record| record.status = Status::Withdrawn);
    service.store(vec![withdrawn]).await;
    let request = pb::MatchRequest { filter, ..by_name("demands/weld", pb::RecordKind::Achievement) };
    let gone = answer(&service, request).await;
    assert!(kinds(matched(&gone, "achievements/gone")).contains(&pb::MatchReasonKind::NotActive));
    let found = answer(&service, by_name("achievements/weld", pb::RecordKind::Demand)).await;
    let old = matched(&found, "demands/old");
    assert!(kinds(old).contains(&pb::MatchReasonKind::DeadlinePassed), "{old:?}");
    let violated = old.reasons.iter().find(|reason| reason.kind() == pb::MatchReasonKind::IndicatorsViolated).unwrap();
    assert!(violated.text.contains("400MPa") && violated.text.ends_with("成果达不到"), "{violated:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn indicators_are_those_of_the_demand_whichever_asks() {
    let service = service().await;
    let outcomes = |found: &pb::Match| -> Vec<(String, pb::IndicatorOutcome)> {
        found.indicators.iter().map(|it| (it.quantity.clone(), it.outcome())).collect()
    };
    let (satisfied, violated, not_stated) =
        (pb::IndicatorOutcome::Satisfied, pb::IndicatorOutcome::Violated, pb::IndicatorOutcome::NotStated);
    let want = |rows: [pb::IndicatorOutcome; 3]| -> Vec<(String, pb::IndicatorOutcome)> {
        ["pressure", "ratio", "time"].map(String::from).into_iter().zip(rows).collect()
    };
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Achievement)).await;
    let demand = stored("demands/weld");
    for (name, rows) in [
        ("achievements/weld", [satisfied, satisfied, not_stated]),
        ("achievements/weak", [violated, not_stated, not_stated]),
        ("achievements/corn", [not_stated, not_stated, not_stated]),
    ] {
        let found = matched(&found, name);
        assert_eq!(outcomes(found), want(rows), "{name}: {:?}", found.indicators);
        for answer in &found.indicators {
            check_quote(&demand, answer.asked.as_ref().unwrap());
            answer.stated.iter().for_each(|quote| check_quote(found.record.as_ref().unwrap(), quote));
            assert!(!answer.text.is_empty() && answer.reason != 0 && !answer.quantity_label.is_empty());
        }
    }
    // the query is an achievement, so the matches are demands
    let found = answer(&service, by_name("achievements/weld", pb::RecordKind::Demand)).await;
    let found = matched(&found, "demands/weld");
    assert_eq!(outcomes(found), want([satisfied, satisfied, not_stated]));
    let achievement = stored("achievements/weld");
    for answer in &found.indicators {
        check_quote(found.record.as_ref().unwrap(), answer.asked.as_ref().unwrap());
        answer.stated.iter().for_each(|quote| check_quote(&achievement, quote));
    }
    let text = by_text("铝合金激光焊接，抗拉强度达到300MPa", pb::RecordKind::Demand);
    let found = answer(&service, text).await;
    assert_eq!(outcomes(matched(&found, "demands/old")), [("pressure".to_string(), violated)]);
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Expert)).await;
    assert!(found.matches[0].indicators.is_empty() && found.matches[0].policy_notes.is_empty());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_notes_stand_at_their_edges() {
    let service = service().await;
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Achievement)).await;
    let note = |name: &str| &matched(&found, name).policy_notes[0];
    // 50 万元以上 includes 50 万元 but not one yuan less
    let rows = [("weld", 80_000, ""), ("edge", 50_000, ""), ("dear", 0, "PRICE_TOO_LOW")];
    for (id, yuan, refusal) in rows {
        let note = note(&format!("achievements/{id}"));
        assert_eq!((note.rule_id.as_str(), note.highest_yuan, note.lowest_yuan), ("hebei-2021-9", yuan, yuan), "{id}");
        assert_eq!(note.refusal.as_ref().map_or("", |refusal| refusal.code.as_str()), refusal, "{id}");
        assert!(note.quote.contains("50万元") && note.clause.contains("第 9 条") && !note.rule_version.is_empty());
    }
    let open = note("achievements/weak");
    assert_eq!((open.lowest_yuan, open.highest_yuan), (0, 1_000_000));
    assert!(open.unknown.iter().any(|unknown| unknown.code == "PRICE" && !unknown.text.is_empty()), "{open:?}");
    assert!(open.cases.iter().all(|case| !case.basis.is_empty()));
    // a free text says nothing about the buyer; in the other direction the match is the buyer
    let found = answer(&service, by_text("铝合金激光焊接", pb::RecordKind::Achievement)).await;
    let note = &matched(&found, "achievements/weld").policy_notes[0];
    assert!(note.unknown.iter().any(|unknown| unknown.code == "BUYER_REGION"));
    assert_eq!((note.lowest_yuan, note.highest_yuan), (0, 80_000));
    let found = answer(&service, by_name("achievements/weld", pb::RecordKind::Demand)).await;
    assert_eq!(matched(&found, "demands/weld").policy_notes[0].highest_yuan, 80_000);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_demands_are_diagnosed() {
    let service = service().await;
    let found = answer(&service, by_name("demands/weld", pb::RecordKind::Achievement)).await;
    let diagnosis = found.diagnosis.unwrap();
    assert_eq!((diagnosis.level(), diagnosis.findings.len()), (pb::DiagnosisLevel::Partial, 6));
    let demand = stored("demands/weld");
    for finding in &diagnosis.findings {
        finding.evidence.iter().for_each(|quote| check_quote(&demand, quote));
        assert_eq!(finding.question.is_empty(), finding.state() == pb::AspectState::Present, "{finding:?}");
    }
    let state = |aspect: pb::DemandAspect| {
        let finding = diagnosis.findings.iter().find(|finding| finding.aspect() == aspect).unwrap();
        (finding.state(), finding.evidence_field.as_str())
    };
    assert_eq!(state(pb::DemandAspect::Object).0, pb::AspectState::Present);
    assert_eq!(state(pb::DemandAspect::Indicators).0, pb::AspectState::Present);
    assert_eq!(state(pb::DemandAspect::Budget), (pb::AspectState::Present, "budget_yuan"));
    assert_eq!(state(pb::DemandAspect::Deadline).0, pb::AspectState::Missing);
    let found = answer(&service, by_text("想提高效率", pb::RecordKind::Expert)).await;
    assert_eq!(found.diagnosis.unwrap().level(), pb::DiagnosisLevel::Vague);
    for request in
        [by_name("achievements/weld", pb::RecordKind::Demand), by_text("激光焊接工艺", pb::RecordKind::Demand)]
    {
        assert!(answer(&service, request).await.diagnosis.is_none());
    }
    service.stop().await;
}

#[test]
fn wrong_rules_refuse_the_start_with_file_and_line() {
    let folder = TempDir::new().unwrap();
    let shipped = include_str!("../../policies/hebei-2021.toml");
    let file = folder.path().join("wrong.toml");
    let policies = |folder: &Path| {
        let config = Config::read(&format!("[policy]\nfolder = {folder:?}"), []).unwrap();
        app::policies(&config).map(|policies| policies.all().len()).map_err(|error| error.to_string())
    };
    assert_eq!(policies(folder.path()), Ok(0));
    fs::write(&file, shipped).unwrap();
    assert_eq!(policies(folder.path()), Ok(1));
    fs::write(&file, shipped.replace("rate_basis_points = 500 ", "rate_basis_point = 500 ")).unwrap();
    let line = shipped.lines().position(|line| line.starts_with("rate_basis_points = 500 ")).unwrap() + 1;
    let refusal = policies(folder.path()).unwrap_err();
    assert!(refusal.contains(&format!("wrong.toml 第 {line} 行")) && refusal.contains("policy.folder"), "{refusal}");
    let absent = folder.path().join("absent");
    assert!(policies(&absent).unwrap_err().contains("absent"));
    let store = folder.path().join("store");
    let env = [("DUIJIE_STORE_FOLDER", store.as_path()), ("DUIJIE_POLICY_FOLDER", folder.path())];
    let (code, output) = duijie(&["serve"], &env);
    assert!(code == 1 && output.contains("wrong.toml 第"), "{code} {output}");
    // by default the project's folder, or the shipped policies if it is missing; empty means none
    assert_eq!(app::policies(&Config::read("", []).unwrap()).unwrap().all().len(), 1);
    assert_eq!(app::policies(&Config::read("[policy]\nfolder = \"\"", []).unwrap()).unwrap().all().len(), 0);
    let (code, output) = duijie(&["config"], &[]);
    assert!(code == 0 && output.contains("policy.folder"), "{output}");
}
