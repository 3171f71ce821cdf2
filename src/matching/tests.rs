use super::*;
use crate::tests::{Reads, Twins, record};

fn request(query: Query) -> Request {
    Request {
        query,
        target: Kind::Achievement,
        filter: Filter::default(),
        offset: 0,
        limit: 10,
        avoidance: Avoidance::default(),
        levels: true,
    }
}

async fn catalogue() -> Twins {
    let twins = Twins::new();
    let welding = "铝合金薄板激光焊接气孔与变形控制";
    twins
        .store([
            record(Kind::Demand, "d-1", welding, "薄壁壳体焊接后变形大，需要控制"),
            record(Kind::Achievement, "weld", "铝合金薄板激光焊接变形控制技术", "用于薄壁壳体，气孔少"),
            record(Kind::Achievement, "corn", "玉米籽粒低破碎收获机", "收获机脱粒滚筒"),
            record(Kind::Achievement, "brine", "高盐废水蒸发结晶零排放工艺", "废水处理"),
        ])
        .await;
    twins
}

fn names(page: &Page) -> Vec<&str> {
    page.found.iter().map(|hit| hit.record.id.as_str()).collect()
}

#[tokio::test]
async fn a_stored_record_and_its_text_find_the_same() {
    let twins = catalogue().await;
    let name: RecordName = "demands/d-1".parse().unwrap();
    let stored = twins.matcher.find(request(Query::Stored(name))).await.unwrap();
    assert_eq!(names(&stored)[0], "weld");
    assert!(stored.found[0].terms.iter().any(|term| term.term == "焊接"), "{:?}", stored.found[0].terms);
    assert!(stored.found[0].relevance.is_some() && stored.found.is_sorted_by(|one, next| next.score <= one.score));
    let text = FreeText {
        title: "铝合金薄板激光焊接气孔与变形控制".into(),
        body: "薄壁壳体焊接后变形大，需要控制".into(),
        keywords: Vec::new(),
    };
    let typed = twins.matcher.find(request(Query::Text(text))).await.unwrap();
    assert_eq!(names(&typed), names(&stored));
    assert!((typed.found[0].score - stored.found[0].score).abs() < 1e-6);
}

#[tokio::test]
async fn pages_filters_and_avoidance_leave_the_scores_alone() {
    let twins = catalogue().await;
    let name: RecordName = "demands/d-1".parse().unwrap();
    let ask = async |change: fn(&mut Request)| {
        let mut request = request(Query::Stored(name.clone()));
        change(&mut request);
        twins.matcher.find(request).await.unwrap()
    };
    let all = ask(|_| ()).await;
    let second = ask(|request| (request.offset, request.limit) = (1, 1)).await;
    assert_eq!((names(&second), second.found[0].rank), (vec![names(&all)[1]], 2));
    assert_eq!(second.found[0].score, all.found[1].score);
    let without = ask(|request| request.avoidance.names = vec!["achievements/weld".parse().unwrap()]).await;
    assert_eq!(names(&without), names(&all)[1..]);
    assert_eq!(without.found[0].score, all.found[1].score);
    let nobody: RecordName = "demands/none".parse().unwrap();
    let said = twins.matcher.find(request(Query::Stored(nobody.clone()))).await.unwrap_err();
    assert!(matches!(said, Error::NotFound(name) if name == nobody));
}

#[tokio::test]
async fn feedback_reads_vectors_only_and_a_query_by_name_is_read_once() {
    let twins = catalogue().await;
    twins.reads.take();
    let name: RecordName = "demands/d-1".parse().unwrap();
    let page = twins.matcher.find(request(Query::Stored(name.clone()))).await.unwrap();
    // the query whole, the three records of the page, and the vectors of the three best of the first pass
    assert_eq!(twins.reads.take(), Reads { whole: 1, records: 3, vectors: 3, documents: 0 });
    // evidence is given of this record, so that it need not be read again
    assert_eq!(page.query.map(|record| record.name()), Some(name));
    let text = FreeText { title: "激光焊接".into(), ..FreeText::default() };
    let page = twins.matcher.find(request(Query::Text(text))).await.unwrap();
    assert_eq!(twins.reads.take(), Reads { whole: 0, records: 3, vectors: 3, documents: 0 });
    assert!(page.query.is_none());
}

#[tokio::test]
async fn a_damaged_record_is_no_match_and_no_query() {
    let twins = catalogue().await;
    let name: RecordName = "demands/d-1".parse().unwrap();
    twins.reads.damage(&"achievements/weld".parse().unwrap());
    let page = twins.matcher.find(request(Query::Stored(name.clone()))).await.unwrap();
    assert!(!names(&page).contains(&"weld"), "{:?}", names(&page));
    twins.reads.damage(&name);
    let said = twins.matcher.find(request(Query::Stored(name))).await.unwrap_err();
    assert!(matches!(&said, Error::Refused(it) if it.reason == "RECORD_DAMAGED"), "{said}");
}
