//! Re-matching jobs over real gRPC and from the command line: start, read, export, compare, schedule.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use calamine::{Data, Reader, Xlsx};
use duijie::api::record_out;
use duijie_core::{
    domain::{Kind, Record, codes::Status as RecordStatus},
    rank::Calibration,
};
use duijie_files::ReadOptions;
use duijie_proto as pb;
use duijie_proto::{RematchReason, diff_rematches_response::Event, rematch_service_client::RematchServiceClient};
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;
use tonic::{Code, transport::Channel};

use crate::{
    command_line::{call, check},
    harness::{self, Service, record, refusal},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Records per batch.
const BATCH: usize = 20;

async fn client(service: &Service) -> RematchServiceClient<Channel> {
    RematchServiceClient::new(service.channel().await)
}

fn samples(kind: Kind, count: usize) -> Vec<Record> {
    let name = match kind {
        Kind::Achievement => "achievements.csv",
        Kind::Demand => "demands.csv",
        Kind::Expert => "experts.jsonl",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let rows = duijie_files::open(&path, &ReadOptions { kind: Some(kind), ..ReadOptions::default() }).unwrap();
    // short texts, as the model is slow on long ones
    let short = |record: Record| {
        let body = record.body.chars().take(60).collect();
        Record { body, status: RecordStatus::Active, ..record }
    };
    rows.map(|row| short(row.result.unwrap())).take(count).collect()
}

async fn store_samples(service: &Service) {
    for (kind, count) in [(Kind::Achievement, 60), (Kind::Demand, 20), (Kind::Expert, 10)] {
        let records: Vec<pb::Record> = samples(kind, count).into_iter().map(record_out).collect();
        for batch in records.chunks(BATCH) {
            service.store(batch.to_vec()).await;
        }
    }
}

fn both_kinds() -> pb::StartRematchRequest {
    let targets = vec![pb::RecordKind::Expert as i32, pb::RecordKind::Achievement as i32];
    pb::StartRematchRequest { targets, limit: 5, ..Default::default() }
}

/// Runs a job to its end.
async fn run(service: &Service, request: pb::StartRematchRequest) -> pb::Rematch {
    let mut client = client(service).await;
    let job = client.start_rematch(request).await.unwrap().into_inner().rematch.unwrap();
    let timeout = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let wait = pb::WaitRematchRequest { name: job.name, timeout };
    let job = client.wait_rematch(wait).await.unwrap().into_inner().rematch.unwrap();
    assert_eq!(job.state(), pb::RematchState::Done, "{job:?}");
    job
}

/// All results, page by page.
async fn results(service: &Service, name: &str, page_size: i32) -> Vec<pb::RematchResult> {
    let mut client = client(service).await;
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListRematchResultsRequest { name: name.into(), page_size, page_token };
        let page = client.list_rematch_results(request).await.unwrap().into_inner();
        assert!(page.results.len() <= usize::try_from(page_size).unwrap());
        found.extend(page.results);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

async fn stream(service: &Service, name: &str, after_demand: &str) -> Vec<pb::RematchResult> {
    let request = pb::StreamRematchResultsRequest { name: name.into(), after_demand: after_demand.into() };
    let mut messages = client(service).await.stream_rematch_results(request).await.unwrap().into_inner();
    let mut found = Vec::new();
    while let Some(message) = messages.message().await.unwrap() {
        found.push(message.result.unwrap());
    }
    found
}

async fn diff(service: &Service, before: &str, after: &str) -> (Vec<pb::RematchChange>, pb::RematchTotals) {
    let request = pb::DiffRematchesRequest { before: before.into(), after: after.into() };
    let mut messages = client(service).await.diff_rematches(request).await.unwrap().into_inner();
    let (mut changes, mut totals) = (Vec::new(), None);
    while let Some(message) = messages.message().await.unwrap() {
        assert!(totals.is_none(), "the totals are the last message");
        match message.event.unwrap() {
            Event::Change(change) => changes.push(change),
            Event::Totals(it) => totals = Some(it),
        }
    }
    (changes, totals.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_started_waited_for_and_read() {
    let service = Service::start().await;
    store_samples(&service).await;
    let request = pb::StartRematchRequest { request_id: "r-1".into(), ..both_kinds() };
    let job = run(&service, request.clone()).await;
    let mut client = client(&service).await;
    let again = client.start_rematch(request).await.unwrap().into_inner().rematch.unwrap();
    assert_eq!((&again.name, again.state()), (&job.name, pb::RematchState::Done), "a repeated start is harmless");
    let inputs = job.inputs.as_ref().unwrap();
    assert_eq!(inputs.calibration_version, service.parts.matcher.calibration().version);
    assert_eq!(inputs.text_version, service.parts.versions.text);
    assert_eq!(job.request.as_ref().unwrap().limit, 5);

    let found = results(&service, &job.name, 7).await;
    let pairs: usize = found.iter().map(|result| result.pairs.len()).sum();
    assert_eq!((found.len(), i64::try_from(pairs).unwrap()), (20, job.pair_count));
    assert_eq!((job.demand_count, job.done_count, job.failed_count), (20, 20, 0));
    for result in &found {
        let ranks: Vec<i32> = result.pairs.iter().map(|pair| pair.rank).collect();
        assert_eq!(ranks, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5], "achievements, then experts");
        let is_achievement = |pair: &pb::RematchPair| pair.target.starts_with("achievements/");
        assert!(result.pairs.iter().all(|pair| pair.level.is_some() == is_achievement(pair) && 0 < pair.revision));
        assert!(result.pairs[..5].is_sorted_by(|one, next| one.score >= next.score));
    }
    assert_eq!(stream(&service, &job.name, "").await, found);
    assert_eq!(stream(&service, &job.name, &found[12].demand).await, found[13..]);
    // `Match` gives similar scores for the same demand: the term statistics come from the same records
    let request = harness::by_name(&found[0].demand, pb::RecordKind::Achievement);
    let matches = service.matching().await.r#match(request).await.unwrap().into_inner().matches;
    assert_eq!(harness::names(&matches[..1]), [found[0].pairs[0].target.clone()]);

    let later = run(&service, both_kinds()).await;
    let list = pb::ListRematchesRequest { page_size: 1, ..Default::default() };
    let page = client.list_rematches(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.rematches[0].name, later.name, "the latest first");
    let list = pb::ListRematchesRequest { page_token: page.next_page_token, ..list };
    let page = client.list_rematches(list).await.unwrap().into_inner();
    assert_eq!((page.rematches[0].name.as_str(), page.next_page_token.as_str()), (job.name.as_str(), ""));
    let cancel = pb::CancelRematchRequest { name: job.name.clone() };
    let cancelled = client.cancel_rematch(cancel).await.unwrap().into_inner().rematch.unwrap();
    assert_eq!(cancelled.state(), pb::RematchState::Done, "what has ended stays as it is");
    drop(client);
    service.stop().await;
}

/// The bytes of a file, with the number of rows.
async fn export(service: &Service, request: pb::ExportRematchRequest) -> (Vec<u8>, i64) {
    let mut parts = client(service).await.export_rematch(request).await.unwrap().into_inner();
    let (mut bytes, mut rows) = (Vec::new(), None);
    while let Some(message) = parts.message().await.unwrap() {
        assert!(rows.is_none(), "nothing comes after the last part");
        let part = message.part.unwrap();
        assert_eq!(part.file_name.is_empty(), !bytes.is_empty(), "the first part names the file");
        bytes.extend(part.chunk);
        rows = part.complete.then_some(message.row_count);
    }
    (bytes, rows.unwrap())
}

/// Demand, target and rank of each row of a file.
fn read_back(format: pb::RematchFormat, bytes: Vec<u8>) -> Vec<(String, String, i64)> {
    match format {
        pb::RematchFormat::Jsonl => String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap().to_string();
                (text("demand"), text("target"), row["rank"].as_i64().unwrap())
            })
            .collect(),
        pb::RematchFormat::Csv => csv::Reader::from_reader(&bytes[3..])
            .records()
            .map(Result::unwrap)
            .map(|row| (row[0].to_string(), row[4].to_string(), row[7].parse().unwrap()))
            .collect(),
        pb::RematchFormat::Xlsx => {
            let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
            let range = book.worksheet_range("匹配结果").unwrap();
            let row = |row: &[Data]| {
                let Data::Float(rank) = row[7] else { panic!("{row:?}") };
                (row[0].to_string(), row[4].to_string(), rank as i64)
            };
            range.rows().skip(1).map(row).collect()
        }
        _ => {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
            rows.map(|row| {
                let fields: BTreeMap<String, String> =
                    row.get_column_iter().map(|(name, field)| (name.clone(), field.to_string())).collect();
                let text = |key: &str| fields[key].trim_matches('"').to_string();
                (text("demand"), text("target"), text("rank").parse().unwrap())
            })
            .collect()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_what_the_job_found() {
    let service = Service::start().await;
    store_samples(&service).await;
    let job = run(&service, both_kinds()).await;
    let found = results(&service, &job.name, 50).await;
    let pair = |result: &pb::RematchResult, pair: &pb::RematchPair| {
        (result.demand.clone(), pair.target.clone(), i64::from(pair.rank))
    };
    let want: Vec<_> =
        found.iter().flat_map(|result| result.pairs.iter().map(|it| pair(result, it)).collect::<Vec<_>>()).collect();
    for format in
        [pb::RematchFormat::Jsonl, pb::RematchFormat::Csv, pb::RematchFormat::Xlsx, pb::RematchFormat::Parquet]
    {
        let request = pb::ExportRematchRequest { name: job.name.clone(), format: format as i32, ..Default::default() };
        let (bytes, rows) = export(&service, request.clone()).await;
        assert_eq!((rows, bytes.is_empty()), (job.pair_count, false));
        assert_eq!(export(&service, request).await.0, bytes, "the same job makes the same file");
        assert_eq!(read_back(format, bytes), want, "{format:?}");
    }
    service.stop().await;
}

fn reasons(change: &pb::RematchChange) -> Vec<RematchReason> {
    change.reasons().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_new_and_why() {
    let service = Service::start().await;
    store_samples(&service).await;
    let request = || pb::StartRematchRequest { limit: 5, ..Default::default() };
    let before = run(&service, request()).await;
    let found = results(&service, &before.name, 50).await;
    let (copied, changed, gone) = (&found[0].demand, &found[1].demand, &found[2].demand);
    let in_copied = |target: &String| found[0].pairs.iter().any(|it| it.target == *target);
    let lost = found[3].pairs.iter().map(|pair| &pair.target).find(|target| !in_copied(target)).unwrap();
    let demands: BTreeMap<String, Record> =
        samples(Kind::Demand, 20).into_iter().map(|record| (record.name().to_string(), record)).collect();
    let (title, body) = (&demands[copied].title, &demands[copied].body);
    let other = Record { body: "改为寻求食用菌栽培技术".into(), ..demands[changed].clone() };
    let closed = Record { status: RecordStatus::Closed, ..demands[gone].clone() };
    service
        .store(vec![
            record(Kind::Achievement, "fresh", title, body),
            record_out(Record { title: "食用菌工厂化栽培".into(), revision: 0, ..other }),
            record_out(Record { revision: 0, ..closed }),
            record(Kind::Demand, "young", "食用菌栽培", "希望引进食用菌工厂化栽培技术"),
        ])
        .await;
    let delete = pb::DeleteRecordRequest { name: lost.clone() };
    service.catalog().await.delete_record(delete).await.unwrap();

    let incremental = pb::StartRematchRequest { base: before.name.clone(), ..request() };
    let after = run(&service, incremental).await;
    let (changes, totals) = diff(&service, &before.name, &after.name).await;
    let of = |demand: &str, target: &str, kind: pb::RematchChangeKind| {
        let fits = |it: &&pb::RematchChange| {
            it.demand == demand && it.kind() == kind && (target.is_empty() || it.target == target)
        };
        let found = changes.iter().find(fits).unwrap_or_else(|| panic!("nothing of {demand} and {target}"));
        reasons(found)
    };
    use pb::RematchChangeKind::{Lost, New};
    assert_eq!(of(copied, "achievements/fresh", New), [RematchReason::TargetNew]);
    assert_eq!(of(&found[3].demand, lost, Lost), [RematchReason::TargetGone]);
    assert!(of(changed, "", New).contains(&RematchReason::DemandChanged));
    assert_eq!(of(gone, "", Lost), [RematchReason::DemandGone]);
    assert_eq!(of("demands/young", "", New), [RematchReason::DemandNew]);
    // only five matches are kept: the fresh one displaced another, though no edit touched that pair
    let pushed = changes.iter().find(|it| &it.demand == copied && it.kind() == Lost).unwrap();
    assert_eq!(reasons(pushed), [RematchReason::Others], "{pushed:?}");
    assert!(pushed.localized_description.contains("位次") && !pushed.target_title.is_empty());

    let count = |kind: pb::RematchChangeKind| changes.iter().filter(|it| it.kind() == kind).count();
    assert_eq!((totals.new_count, totals.lost_count), (count(New) as i64, count(Lost) as i64));
    let demands = (totals.common_demand_count, totals.earlier_demand_count, totals.later_demand_count);
    assert_eq!(demands, (19, 1, 1));
    let kept = before.pair_count - totals.lost_count;
    assert_eq!(totals.same_count + totals.up_count + totals.down_count, kept);
    assert_eq!(after.pair_count, kept + totals.new_count);

    let (same, totals) = diff(&service, &after.name, &after.name).await;
    assert_eq!((same.len(), totals.same_count, totals.score_changed_count), (0, after.pair_count, 0));
    // in the reverse comparison, new ones are lost ones
    let (back, _) = diff(&service, &after.name, &before.name).await;
    assert_eq!(back.iter().filter(|it| it.kind() == Lost).count(), count(New));
    // a file of the difference has the same rows
    let compared = pb::ExportRematchRequest {
        name: after.name.clone(),
        format: pb::RematchFormat::Jsonl as i32,
        compared_with: before.name.clone(),
    };
    let (bytes, rows) = export(&service, compared).await;
    assert_eq!(rows as usize, changes.len());
    assert_eq!(String::from_utf8(bytes).unwrap().lines().count(), changes.len());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_calibration_moves_levels_and_says_so() {
    let folder = TempDir::new().unwrap();
    let service = Service::start_in(folder.path(), |_| ()).await;
    store_samples(&service).await;
    let request = || pb::StartRematchRequest { limit: 5, ..Default::default() };
    let before = run(&service, request()).await;
    service.stop().await;

    let mut calibration = Calibration::shipped().unwrap();
    calibration.version = "levels-1-test".into();
    calibration.logits.logits.iter_mut().for_each(|logit| logit.intercept += 3.0);
    let file = folder.path().join("levels.json");
    fs::write(&file, serde_json::to_string(&calibration).unwrap()).unwrap();
    let config = harness::config_with(folder.path(), &format!("[match]\ncalibration = {file:?}"));
    let service = Service::start_configured(folder.path(), config, |_| ()).await;
    let after = run(&service, pb::StartRematchRequest { base: before.name.clone(), ..request() }).await;
    assert!(!after.incremental && after.full_reason.is_some(), "{after:?}");
    let (changes, totals) = diff(&service, &before.name, &after.name).await;
    assert!(0 < totals.up_count && totals.down_count == 0, "{totals:?}");
    assert_eq!((totals.new_count, totals.lost_count), (0, 0));
    for change in &changes {
        assert_eq!((change.kind(), reasons(change)), (pb::RematchChangeKind::Up, vec![RematchReason::Calibration]));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_every_field() {
    let service = Service::start().await;
    let names = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        Some(pb::start_rematch_request::Selection::Names(pb::RematchNames { names }))
    };
    let filter = pb::Filter { regions: vec!["x".into()], ..Default::default() };
    let rows = [
        (
            pb::StartRematchRequest {
                targets: vec![0, pb::RecordKind::Demand as i32, 1, 1, 99],
                limit: 101,
                min_grade: 77,
                min_score: f64::NAN,
                base: "jobs/1".into(),
                request_id: "x".repeat(65),
                ..Default::default()
            },
            vec![
                "targets[0]",
                "targets[1]",
                "targets[3]",
                "targets[4]",
                "limit",
                "min_grade",
                "min_score",
                "base",
                "request_id",
            ],
        ),
        (
            pb::StartRematchRequest { limit: -1, selection: names(&[]), ..Default::default() },
            vec!["limit", "names.names"],
        ),
        (
            pb::StartRematchRequest {
                selection: names(&["demands/a", "achievements/a", "", "demands/local/a"]),
                ..Default::default()
            },
            vec!["names.names[1]", "names.names[2]", "names.names[3]"],
        ),
        (
            pb::StartRematchRequest {
                selection: Some(pb::start_rematch_request::Selection::Filter(filter)),
                targets: vec![pb::RecordKind::Expert as i32],
                min_grade: pb::Grade::Fair as i32,
                ..Default::default()
            },
            vec!["filter.regions[0]", "min_grade"],
        ),
    ];
    let mut client = client(&service).await;
    for (request, want) in rows {
        let status = client.start_rematch(request).await.unwrap_err();
        assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_ARGUMENT".into(), own(&want)));
    }
    let bad = pb::ExportRematchRequest { name: String::new(), format: 0, compared_with: "x".into() };
    let status = client.export_rematch(bad).await.unwrap_err();
    assert_eq!(refusal(&status).2, ["name", "format", "compared_with"]);
    let bad = pb::DiffRematchesRequest { before: "x".into(), after: String::new() };
    assert_eq!(refusal(&client.diff_rematches(bad).await.unwrap_err()).2, ["before", "after"]);
    let timeout = Some(prost_types::Duration { seconds: 601, nanos: 0 });
    let bad = pb::WaitRematchRequest { name: "x".into(), timeout };
    assert_eq!(refusal(&client.wait_rematch(bad).await.unwrap_err()).2, ["name", "timeout"]);
    let bad = pb::ListRematchResultsRequest {
        name: "rematch/jobs/0000000000000001".into(),
        page_token: "AAAA".into(),
        ..Default::default()
    };
    assert_eq!(refusal(&client.list_rematch_results(bad).await.unwrap_err()).2, ["page_token"]);
    let none = pb::GetRematchRequest { name: "rematch/jobs/0000000000000001".into() };
    let (code, reason, _) = refusal(&client.get_rematch(none).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::NotFound, "JOB_NOT_FOUND"));
    let none = pb::StreamRematchResultsRequest { name: "0000000000000001".into(), ..Default::default() };
    assert_eq!(client.stream_rematch_results(none).await.unwrap_err().code(), Code::NotFound);
    drop(client);
    service.stop().await;
}

fn own(fields: &[&str]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_start_by_themselves_after_changes() {
    let folder = TempDir::new().unwrap();
    // all achievements and demands: with fewer, the job could start before any demand is stored
    let config = harness::config_with(folder.path(), "[rematch]\nafter_changes = 80\nlimit = 3");
    let service = Service::start_configured(folder.path(), config, |_| ()).await;
    let mut client = client(&service).await;
    let runs = async |client: &mut RematchServiceClient<Channel>| {
        client.list_rematch_runs(pb::ListRematchRunsRequest::default()).await.unwrap().into_inner().runs
    };
    assert!(runs(&mut client).await.is_empty());
    store_samples(&service).await;
    let ended = async {
        loop {
            let runs = runs(&mut client).await;
            match runs.first() {
                Some(run) if run.state() == pb::RematchState::Done => return runs,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    let runs = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert_eq!((runs[0].trigger(), runs[0].failure.as_ref()), (pb::RematchTrigger::Changes, None));
    assert!(runs[0].end_time.is_some() && 0 < runs[0].pair_count);
    let job = pb::GetRematchRequest { name: runs[0].rematch.clone() };
    let job = client.get_rematch(job).await.unwrap().into_inner().rematch.unwrap();
    assert_eq!((job.request.unwrap().limit, job.pair_count), (3, runs[0].pair_count));
    drop(client);
    check(call(&["rematch", "runs", "--server", &service.url]).await, 0, &["有变化", "完成", &runs[0].rematch]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_runs_jobs() {
    let service = Service::start().await;
    store_samples(&service).await;
    let url = service.url.clone();
    let rematch = async |arguments: &[&str]| {
        let arguments = [&["rematch"], arguments, &["--server", &url]].concat();
        call(&arguments).await
    };
    check(rematch(&["runs"]).await, 0, &["rematch.nightly"]);
    let (code, said) = rematch(&["start", "--to", "both", "--limit", "4", "--request-id", "x", "--wait"]).await;
    check((code, said.clone()), 0, &["完成", "20/20 项需求", "级别校准"]);
    let name = said.split_whitespace().find(|word| word.starts_with("rematch/jobs/")).unwrap();
    let name = name.trim_end_matches(|c: char| !c.is_ascii_hexdigit()).to_string();
    check(rematch(&["status", &name]).await, 0, &[&name, "160 对匹配"]);
    check(rematch(&["list"]).await, 0, &[&name, "20/20", "160"]);
    check(rematch(&["wait", &name]).await, 0, &["完成"]);
    check(rematch(&["cancel", &name]).await, 0, &["完成"]);
    for ending in ["jsonl", "csv", "xlsx", "parquet"] {
        let file = service.folder.join(format!("结果.{ending}"));
        check(rematch(&["export", &name, file.to_str().unwrap()]).await, 0, &["共 160 行"]);
        assert!(fs::metadata(&file).unwrap().len() > 1_000);
    }
    let left = fs::read_dir(&service.folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part"));
    assert_eq!(left.count(), 0);
    check(rematch(&["export", &name, "/nowhere/结果.csv"]).await, 1, &["/nowhere/结果.csv"]);
    check(rematch(&["export", &name, "结果.doc"]).await, 1, &[".xlsx"]);

    service.store(vec![record(Kind::Achievement, "fresh", "激光焊接", "激光焊接薄壁壳体")]).await;
    // the records were stored within the minute of overlap of an incremental job, so either method is valid here
    check(rematch(&["start", "--base", &name, "--to", "both", "--limit", "4", "--wait"]).await, 0, &["方式：", "完成"]);
    let (_, said) = rematch(&["list", "--limit", "1"]).await;
    let later =
        said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '/')).find(|it| it.starts_with("rematch/jobs"));
    let later = later.unwrap().to_string();
    assert_ne!(later, name);
    check(rematch(&["diff", &name, &later, "--only", "new"]).await, 0, &["共有的需求 20 项", "新增"]);
    check(rematch(&["start", "--level", "最强"]).await, 1, &["较强"]);
    check(rematch(&["start", "--changed-since", "昨天"]).await, 1, &["2026-11-01"]);
    check(rematch(&["status", "rematch/jobs/0000000000000001"]).await, 1, &["rematch/jobs/0000000000000001"]);
    service.stop().await;
}
