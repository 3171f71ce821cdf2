//! The search for duplicates over real gRPC and from the command line.

use std::{fs, time::Duration};

use duijie::maintenance::duplicates::{DuplicatesProgress, search};
use duijie_core::{
    domain::{Detail, Kind, Record, record::Owner},
    text::{LexicalQuery, SparseVector},
};
use duijie_proto as pb;
use duijie_proto::{DuplicateReason, find_duplicates_response::Event};
use duijie_store::Point;
use tokio::sync::watch;
use tonic::Code;

use crate::{
    command_line::{call, check},
    harness::{Service, record, record_with, refusal},
};

const BODY: &str = "针对薄壁壳体焊接变形大的问题，采用双光束摆动焊接和随焊冷却。热输入降低百分之三十以上，变形量由1.2mm降到0.3mm。\
    已在两家企业试用，累计焊接壳体3.6万件，合格率98.5%。设备占地12平方米，可由一名工人操作。转化方式为普通许可。";

/// Number of copies; their messages (6 MB) exceed the HTTP/2 windows (2 MB and the server's buffers).
const COPIES: usize = 8_000;

fn owned(id: &str, title: &str, (owner, region): (&str, &str), body: &str) -> pb::Record {
    record_with(Kind::Achievement, id, title, |record| {
        record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
        record.region = region.into();
        record.body = body.into();
    })
}

fn numbered(id: &str, title: &str, number: &str) -> pb::Record {
    record_with(Kind::Achievement, id, title, |record: &mut Record| {
        if let Detail::Achievement(achievement) = &mut record.detail {
            achievement.registration_number = number.into();
        }
    })
}

/// Three groups, one per reason, and records that are not duplicates.
fn catalogue() -> Vec<pb::Record> {
    let (university, company) = (("冀华理工大学", "130100"), ("甲公司", "130200"));
    vec![
        numbered("n-1", "低温脱硝催化剂", "1302021Y0123"),
        numbered("n-2", "一种板式催化剂的制备", "1302021Y0123"),
        numbered("n-3", "小麦新品种选育", "1302021Y0999"),
        owned("o-1", "薄壁壳体激光焊接变形控制", university, "讲的是原理和结构"),
        owned("o-2", "薄壁殼體激光焊接變形控制技術", university, "另一份说明，讲的是用途和市场"),
        owned("o-3", "薄壁壳体激光焊接变形控制", ("乙公司", "130300"), "第三份"),
        owned("t-1", "壳体的焊接工艺", company, BODY),
        record(Kind::Achievement, "t-2", "壳体的焊接工艺研究", &BODY.replace("两家企业", "三家企业")),
        owned("t-3", "高效节能水泵", company, "叶轮采用三元流设计，壳体整体铸造"),
        record(Kind::Demand, "d-1", "壳体的焊接工艺", BODY),
    ]
}

fn request(kind: pb::RecordKind, filter: Option<pb::Filter>) -> pb::FindDuplicatesRequest {
    pb::FindDuplicatesRequest { kind: kind as i32, filter }
}

/// Progress, groups and the summary, in the required order.
async fn find(
    service: &Service,
    request: pb::FindDuplicatesRequest,
) -> (Vec<pb::DuplicatesProgress>, Vec<pb::DuplicateGroup>, pb::DuplicatesSummary) {
    let mut messages = service.catalog().await.find_duplicates(request).await.unwrap().into_inner();
    let (mut progress, mut groups, mut summaries) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(message) = messages.message().await.unwrap() {
        assert!(summaries.is_empty(), "the summary is the last message");
        match message.event.unwrap() {
            Event::Progress(it) => progress.push(it),
            Event::Group(it) => groups.push(it),
            Event::Summary(it) => summaries.push(it),
        }
        assert!(groups.is_empty() || !progress.is_empty());
    }
    (progress, groups, summaries.pop().unwrap())
}

fn members(group: &pb::DuplicateGroup) -> Vec<&str> {
    group.members.iter().map(|member| member.name.trim_start_matches("achievements/")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_by_number_by_owner_and_title_and_by_text() {
    let service = Service::start().await;
    let achievements = || request(pb::RecordKind::Achievement, None);
    let (progress, groups, summary) = find(&service, achievements()).await;
    assert_eq!((progress.last(), groups.len()), (Some(&pb::DuplicatesProgress::default()), 0));
    assert_eq!(summary, pb::DuplicatesSummary::default());

    service.store(catalogue()).await;
    let (progress, groups, summary) = find(&service, achievements()).await;
    assert_eq!(progress.last(), Some(&pb::DuplicatesProgress { done_count: 9, total_count: 9 }));
    assert_eq!((summary.record_count, summary.group_count, summary.truncated), (9, 3, false));
    let found: Vec<_> = groups.iter().map(|group| (group.index, members(group), group.links[0].reason())).collect();
    assert_eq!(
        found,
        [
            (0, vec!["n-1", "n-2"], DuplicateReason::RegistrationNumber),
            (1, vec!["o-1", "o-2"], DuplicateReason::OwnerAndTitle),
            (2, vec!["t-1", "t-2"], DuplicateReason::Text),
        ]
    );
    let link = &groups[0].links[0];
    assert_eq!((link.left.as_str(), link.right.as_str()), ("achievements/n-1", "achievements/n-2"));
    assert_eq!((link.registration_number.as_str(), link.text_similarity), ("1302021Y0123", None));
    let link = &groups[1].links[0];
    assert!(link.title_similarity.is_some_and(|title| title == 1.0) && link.text_similarity.is_some());
    assert_eq!(groups[1].members[1].title, "薄壁殼體激光焊接變形控制技術");
    assert_eq!(groups[1].members[1].owner.as_ref().unwrap().name, "冀华理工大学");
    let link = &groups[2].links[0];
    assert!(link.text_similarity.is_some_and(|text| (0.8..1.0).contains(&text)), "{link:?}");
    assert!(link.localized_description.starts_with("名称和正文相近"), "{link:?}");

    // a filter excludes the other record of a pair
    let filter = pb::Filter { regions: vec!["1301".into(), "1302".into()], ..Default::default() };
    let (_, groups, summary) = find(&service, request(pb::RecordKind::Achievement, Some(filter))).await;
    assert_eq!((summary.record_count, groups.iter().map(members).collect::<Vec<_>>()), (4, vec![vec!["o-1", "o-2"]]));
    let (_, groups, summary) = find(&service, request(pb::RecordKind::Demand, None)).await;
    assert_eq!((groups.len(), summary.record_count), (0, 1));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_before_anything_is_read() {
    let service = Service::start().await;
    let backwards = pb::Filter { trl: Some(pb::IntRange { min: Some(9), max: Some(1) }), ..Default::default() };
    for (kind, filter, want) in
        [(pb::RecordKind::Unspecified, None, "kind"), (pb::RecordKind::Achievement, Some(backwards), "filter.trl")]
    {
        let status = service.catalog().await.find_duplicates(request(kind, filter)).await.unwrap_err();
        assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), vec![want.into()]));
    }
    service.stop().await;
}

/// Copies of one demand, put into the store without the model.
async fn store_copies(service: &Service, count: usize) {
    let title = BODY.repeat(2);
    let copy = |number: usize| {
        let mut record = Record::new("local", format!("d-{number:05}"), &title, Detail::empty(Kind::Demand));
        record.revision = 1;
        let dense = vec![1.0; service.parts.embedder.identity().dimensions];
        Point { record, dense, sparse: SparseVector::default(), query: LexicalQuery { terms: Vec::new() } }
    };
    service.parts.index.upsert(Kind::Demand, (0..count).map(copy).collect()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_group_comes_in_parts_and_others_wait_their_turn() {
    let service = Service::start_with(|limits| limits.default_deadline = Duration::from_millis(500)).await;
    store_copies(&service, COPIES).await;
    let start = || async {
        let request = request(pb::RecordKind::Demand, None);
        service.catalog().await.find_duplicates(request).await.map(tonic::Response::into_inner)
    };
    let mut first = start().await.unwrap();
    while !matches!(first.message().await.unwrap().unwrap().event, Some(Event::Group(_))) {}
    // the first caller stops reading, and the remaining messages exceed the buffer
    let status = start().await.unwrap_err();
    assert_eq!((refusal(&status).0, refusal(&status).1.as_str()), (Code::ResourceExhausted, "BUSY"));
    drop(first);
    let next = async {
        loop {
            match start().await {
                Ok(messages) => return messages,
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut messages = tokio::time::timeout(Duration::from_secs(120), next).await.unwrap();
    let (mut names, mut links, mut parts) = (Vec::new(), 0, 0);
    while let Some(message) = messages.message().await.unwrap() {
        if let Some(Event::Group(part)) = message.event {
            assert!(part.index == 0 && part.weak_links_removed && part.members.len() <= 100 && part.links.len() <= 100);
            names.extend(part.members.into_iter().map(|member| member.name));
            links += part.links.len();
            parts += 1;
        }
    }
    assert_eq!((names.len(), links, parts), (COPIES, COPIES - 1, COPIES / 100));
    assert!(names.is_sorted());
    let printed = call(&["duplicates", "demands", "--server", &service.url]).await;
    assert!(printed.1.matches("demands/d-").count() < 100);
    check(printed, 0, &["第 1 组，8000 条", "只列出前 20 条", "只保留了最确定的依据", "涉及 8000 条"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_when_nobody_listens() {
    let service = Service::start().await;
    service.store(catalogue()).await;
    let index = || std::sync::Arc::clone(&service.parts.index);
    let (progress, heard) = watch::channel(DuplicatesProgress::default());
    drop(heard);
    let report = search(index(), Kind::Achievement, &Default::default(), progress).await.unwrap();
    assert_eq!(report, None);
    let (progress, heard) = watch::channel(DuplicatesProgress::default());
    let report = search(index(), Kind::Achievement, &Default::default(), progress).await.unwrap().unwrap();
    assert_eq!((report.groups.len(), *heard.borrow()), (3, DuplicatesProgress { done: 9, total: 9 }));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_groups_or_writes_lines() {
    let service = Service::start().await;
    let server = service.url.as_str();
    check(call(&["duplicates", "achievements", "--server", server]).await, 0, &["共查 0 条记录，找到 0 组"]);
    service.store(catalogue()).await;
    let want = [
        "第 1 组，2 条",
        "achievements/n-1 与 achievements/n-2：登记号同为 1302021Y0123",
        "第 3 组",
        "冀华理工大学",
        "单位相同，名称相近",
        "共查 9 条记录，找到 3 组疑似重复，涉及 6 条",
    ];
    check(call(&["duplicates", "成果", "--server", server]).await, 0, &want);
    let only = ["duplicates", "achievements", "--owner", "冀华理工大学", "--server", server];
    check(call(&only).await, 0, &["共查 2 条记录，找到 1 组"]);
    let file = service.folder.join("groups.jsonl");
    let path = file.to_str().unwrap();
    check(call(&["duplicates", "achievements", "--jsonl", path, "--server", server]).await, 0, &["已写入", "3 组"]);
    let lines: Vec<serde_json::Value> =
        fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["group"], 2);
    assert_eq!(lines[1]["members"][0]["title"], "薄壁壳体激光焊接变形控制");
    assert_eq!(lines[1]["links"][0]["reason"], "OWNER_AND_TITLE");
    check(call(&["duplicates", "achievements", "--jsonl", "/nowhere/x", "--server", server]).await, 1, &["/nowhere/x"]);
    check(call(&["duplicates", "projects", "--server", server]).await, 1, &["projects"]);
    service.stop().await;
}
