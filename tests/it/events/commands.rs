//! Events from the command line.

use std::fs;

use duijie_proto as pb;
use tempfile::TempDir;

use super::setting::*;
use crate::command_line::{call, check};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_from_the_command_line() {
    let service = service().await;
    let folder = TempDir::new().unwrap();
    let run = async |arguments: &[&str]| {
        let all: Vec<&str> = ["--server", &service.url, "event"].iter().chain(arguments).copied().collect();
        call(&all).await
    };
    let create = [
        "create",
        "hebei",
        "--title",
        "对接会",
        "--place",
        "石家庄",
        "--day",
        "2026-12-01",
        "--session",
        "09:00-11:30",
        "--tables",
        "4",
        "--per-demand",
        "2",
        "--quota",
        "需求方:地区:石家庄:1-",
        "--avoid",
        "需求单位0,供给单位9",
    ];
    check(run(&create).await, 0, &["hebei 对接会", "共 5 个时段、4 桌", "筹备"]);
    check(run(&create).await, 0, &["hebei 对接会"]);
    // an update leaves alone what it does not name
    let update = ["update", "hebei", "--title", "京津冀对接会", "--min-score", "0.01"];
    check(run(&update).await, 0, &["hebei 京津冀对接会", "共 5 个时段、4 桌", "石家庄"]);
    let get = pb::GetEventRequest { name: "events/hebei".into() };
    let event = service.events().await.get_event(get).await.unwrap().into_inner().event.unwrap();
    let rules = event.rules.unwrap();
    assert_eq!((rules.max_per_demand, rules.quotas.len(), rules.avoided_pairs.len()), (2, 1, 1));
    check(run(&["update", "hebei"]).await, 1, &["--title"]);
    check(run(&["fill", "hebei", "--kind", "demands"]).await, 0, &["新加入 8", "需求 8 项"]);
    check(run(&["fill", "hebei", "--kind", "achievements", "--limit", "12"]).await, 0, &["新加入 12"]);
    let named = ["fill", "hebei", "experts/e-0", "--person", "张三", "--phone", "13812345678"];
    check(run(&named).await, 0, &["新加入 1", "专家 1 位"]);
    check(run(&["fill", "hebei"]).await, 1, &["--kind"]);
    check(run(&["shortlist", "hebei"]).await, 0, &["选出", "总得分", "已证明最优"]);
    let pin = ["edit", "hebei", "--pin", "demands/d-0", "achievements/a-5", "--forbid", "demands/d-1", "experts/e-0"];
    check(run(&pin).await, 0, &["须对接", "不得对接"]);
    check(run(&["schedule", "hebei"]).await, 1, &["重新生成"]);
    check(run(&["shortlist", "hebei"]).await, 0, &["选出"]);
    check(run(&["schedule", "hebei"]).await, 0, &["安排", "空等"]);
    check(run(&["publish", "hebei"]).await, 0, &["已发布"]);
    check(run(&["list"]).await, 0, &["hebei", "已发布"]);
    let shown = ["show", "hebei", "--shortlists", "--meetings", "--participants"];
    let said = run(&shown).await;
    assert!(said.1.contains("张**") && !said.1.contains("13812345678"), "{}", said.1);
    check(said, 0, &["未选：", "09:00-09:25", "人工指定"]);
    let meeting = meetings(&mut service.events().await, "hebei").await.remove(0);
    let outcome = [
        "outcome",
        "hebei",
        &meeting.demand,
        &meeting.counterpart,
        "--attendance",
        "已洽谈",
        "--progress",
        "签约",
        "--contract",
        "开发",
        "--yuan",
        "500000",
        "--consent",
        "双方",
    ];
    check(run(&outcome).await, 0, &["已签约", "技术开发", "500000", "双方"]);
    check(run(&["outcome", "hebei"]).await, 0, &["已洽谈"]);
    check(run(&["statistics"]).await, 0, &["合计", "500000", "2026年第4季度"]);
    check(run(&["cancel", "hebei", &meeting.counterpart, "--refill"]).await, 0, &["取消："]);
    for (format, start) in [("xlsx", &b"PK"[..]), ("html", b"<!"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")] {
        let path = folder.path().join("out").join(format!("e.{format}"));
        let path_text = path.to_str().unwrap();
        check(run(&["export", "hebei", "--format", format, "--out", path_text]).await, 0, &["已写入"]);
        assert!(fs::read(&path).unwrap().starts_with(start), "{format}");
    }
    check(run(&["export", "hebei", "--format", "pdf"]).await, 1, &["xlsx"]);
    check(run(&["delete", "hebei"]).await, 1, &["--force"]);
    check(run(&["delete", "hebei", "--force"]).await, 0, &["已删除"]);
    check(run(&["show", "hebei"]).await, 1, &["没有编号为 hebei 的活动"]);
    let events = service.events().await.list_events(pb::ListEventsRequest::default()).await.unwrap().into_inner();
    assert_eq!(events.events, []);
    service.stop().await;
}
