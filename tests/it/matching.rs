//! Matching: order, reasons, filters, pages.

use duijie_core::{
    domain::{Kind, codes::Status, record::Owner},
    text,
};
use duijie_proto as pb;
use tonic::Code;

use crate::harness::{Service, by_name, by_text, common, names, record, record_with, refusal};

fn achievements() -> Vec<pb::Record> {
    let achievement = |id: &str, title: &str, body: &str| record(Kind::Achievement, id, title, body);
    vec![
        achievement("weld", "铝合金薄板激光焊接工艺", "解决铝合金薄板焊接气孔与变形，焊缝强度不低于母材的90%。"),
        achievement("soh", "动力电池健康状态在线估计方法", "基于数据驱动的电池健康状态估计，误差小于2%。"),
        achievement("corn", "玉米籽粒低破碎收获装置", "降低玉米籽粒机械收获的破碎率。"),
        achievement("water", "高盐废水蒸发结晶零排放", "针对煤化工高盐废水，实现分盐结晶。"),
        achievement("flange", "高强钢板翻边破损抑制技术", "提高高强钢板成形极限，抑制翻边时的边缘破损。"),
    ]
}

async fn service() -> Service {
    let service = Service::start().await;
    service.store(achievements()).await;
    service
        .store(vec![record(Kind::Demand, "weld", "铝合金电池壳体焊接气孔多", "需要激光焊接工艺，减少气孔和变形")])
        .await;
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_finds_its_achievement_with_reasons() {
    let service = service().await;
    let request = by_name("demands/weld", pb::RecordKind::Achievement);
    let answer = service.matching().await.r#match(request).await.unwrap().into_inner();
    assert_eq!(names(&answer.matches)[0], "achievements/weld");
    let versions = answer.versions.unwrap();
    assert!(versions.text.starts_with("text-") && versions.model.starts_with("e5-small-zh"), "{versions:?}");
    for (found, rank) in answer.matches.iter().zip(1..) {
        assert_eq!(found.rank, rank);
        let sum: f64 = found.sources.iter().map(|source| source.contribution).sum();
        assert!((sum - found.score).abs() < 1e-9 && (0.0..=1.0).contains(&found.score), "{found:?}");
    }
    let first = &answer.matches[0];
    let dense = &first.sources[0];
    assert_eq!((dense.source(), dense.rank), (pb::Source::Dense, 1));
    assert!(dense.score.is_some_and(|cosine| 0.4 < cosine && cosine <= 1.0));
    let terms: Vec<_> = first.matched_terms.iter().map(|term| term.term.as_str()).collect();
    assert!(terms.contains(&"焊接") && terms.contains(&"铝合金"), "{terms:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_span_holds_its_term() {
    let service = service().await;
    for request in
        [by_name("demands/weld", pb::RecordKind::Achievement), by_text("鋁合金 激光焊接", pb::RecordKind::Achievement)]
    {
        let answer = service.matching().await.r#match(request).await.unwrap().into_inner();
        let mut spans = 0;
        for found in &answer.matches {
            let common = common(found.record.as_ref().unwrap());
            for term in &found.matched_terms {
                assert!(!term.spans.is_empty() && 0.0 < term.weight);
                for span in &term.spans {
                    let text = match span.field() {
                        pb::TextField::Title => &common.title,
                        pb::TextField::Body => &common.body,
                        pb::TextField::Keywords => &common.keywords[usize::try_from(span.keyword_index).unwrap()],
                        pb::TextField::Unspecified => panic!("a span without a field"),
                    };
                    let (start, end) =
                        (usize::try_from(span.start_char).unwrap(), usize::try_from(span.end_char).unwrap());
                    let piece: String = text.chars().skip(start).take(end - start).collect();
                    assert_eq!(text::normalize(&piece).text, term.term);
                    spans += 1;
                }
            }
        }
        assert!(0 < spans);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_direction_works() {
    let service = service().await;
    service
        .store(vec![record_with(Kind::Expert, "li", "李工", |record| {
            record.keywords = vec!["激光焊接".into(), "铝合金".into()];
            record.body = "长期从事轻合金激光焊接研究。".into();
        })])
        .await;
    let mut client = service.matching().await;
    let rows = [
        (by_name("achievements/weld", pb::RecordKind::Demand), "demands/weld"),
        (by_name("demands/weld", pb::RecordKind::Expert), "experts/li"),
        (by_name("experts/li", pb::RecordKind::Achievement), "achievements/weld"),
        (by_text("冲压边缘开裂", pb::RecordKind::Achievement), "achievements/flange"),
    ];
    for (request, want) in rows {
        let answer = client.r#match(request).await.unwrap().into_inner();
        assert_eq!(names(&answer.matches).first().map(String::as_str), Some(want));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_active_records_match_unless_asked() {
    let service = service().await;
    service
        .store(vec![record_with(Kind::Achievement, "old", "铝合金激光焊接旧工艺", |record| {
            record.status = Status::Withdrawn;
            record.owner = Some(Owner { name: "甲所".into(), credit_code: String::new(), owner_type: None });
        })])
        .await;
    let mut client = service.matching().await;
    let request = by_name("demands/weld", pb::RecordKind::Achievement);
    let answer = client.r#match(request.clone()).await.unwrap().into_inner();
    assert!(!names(&answer.matches).contains(&"achievements/old".to_string()));
    let filter = Some(pb::Filter { statuses: vec![pb::Status::Withdrawn as i32], ..Default::default() });
    let answer = client.r#match(pb::MatchRequest { filter, ..request.clone() }).await.unwrap().into_inner();
    assert_eq!(names(&answer.matches), ["achievements/old"]);
    let filter = Some(pb::Filter { owners: vec!["甲所".into()], ..Default::default() });
    let answer = client.r#match(pb::MatchRequest { filter, ..request }).await.unwrap().into_inner();
    assert!(answer.matches.is_empty());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_join_into_the_whole_order() {
    let service = service().await;
    let mut client = service.matching().await;
    let request = by_name("demands/weld", pb::RecordKind::Achievement);
    let whole = client.r#match(request.clone()).await.unwrap().into_inner();
    assert!(whole.next_page_token.is_empty());
    let mut joined = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = pb::MatchRequest { page_size: 2, page_token: page_token.clone(), ..request.clone() };
        let page = client.r#match(page).await.unwrap().into_inner();
        joined.extend(page.matches);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names(&joined), names(&whole.matches));
    assert_eq!(joined.iter().map(|found| found.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_duplicates_are_found_without_the_record_itself() {
    let service = service().await;
    service.store(vec![record(Kind::Achievement, "weld-2", "铝合金薄板的激光焊接工艺", "焊接气孔与变形的控制")]).await;
    let request = pb::SimilarRequest { name: "achievements/weld".into(), ..Default::default() };
    let answer = service.matching().await.similar(request).await.unwrap().into_inner();
    let names = names(&answer.matches);
    assert_eq!(names[0], "achievements/weld-2");
    assert!(!names.contains(&"achievements/weld".to_string()));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matches_follows_what_is_stored() {
    let service = service().await;
    let mut client = service.matching().await;
    let request = by_text("卫星遥感图像云检测", pb::RecordKind::Achievement);
    let before = client.r#match(request.clone()).await.unwrap().into_inner();
    assert!(!names(&before.matches).contains(&"achievements/cloud".to_string()));
    service.store(vec![record(Kind::Achievement, "cloud", "遥感影像云检测算法", "")]).await;
    let after = client.r#match(request.clone()).await.unwrap().into_inner();
    assert_eq!(names(&after.matches)[0], "achievements/cloud");
    let gone = pb::DeleteRecordRequest { name: "achievements/cloud".into() };
    service.catalog().await.delete_record(gone).await.unwrap();
    let last = client.r#match(request).await.unwrap().into_inner();
    assert_eq!(names(&last.matches), names(&before.matches));
    let lost = client.r#match(by_name("achievements/cloud", pb::RecordKind::Demand)).await.unwrap_err();
    assert_eq!(refusal(&lost).0, Code::NotFound);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_counts_to_its_end() {
    let service = service().await;
    let filler = "本单位长期从事粮食储运与加工。".repeat(120);
    let bodies =
        [("tail-a", "最后，我们掌握高盐废水蒸发结晶零排放技术。"), ("tail-b", "最后，我们掌握卫星遥感图像处理技术。")];
    for (id, tail) in bodies {
        service.store(vec![record(Kind::Achievement, id, "综合技术", &format!("{filler}{tail}"))]).await;
    }
    let request = by_text("高盐废水零排放", pb::RecordKind::Achievement);
    let answer = service.matching().await.r#match(request).await.unwrap().into_inner();
    let dense = |name: &str| {
        let found = answer.matches.iter().find(|found| common(found.record.as_ref().unwrap()).name == name).unwrap();
        found.sources[0].score.unwrap()
    };
    assert!(dense("achievements/tail-b") < dense("achievements/tail-a"), "the vector saw the last sentence");
    service.stop().await;
}
