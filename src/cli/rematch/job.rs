//! `duijie rematch start|status|list|wait|cancel`.

use std::time::Duration;

use anyhow::{Context, bail};
use jiff::{civil::DateTime, tz::TimeZone};

use super::{
    args::{ListJobs, Start},
    time, told,
};
use crate::cli::{
    Done,
    client::Server,
    filter::{filter, kind},
    grade::grade,
    out,
    progress::Progress,
    table,
};
use duijie_proto as pb;
use duijie_proto::start_rematch_request::Selection;

/// Interval between two looks at a job while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Starts a job.
pub async fn start(server: &Server, args: Start) -> anyhow::Result<Done> {
    let wait_for_it = args.wait;
    let request = request(args)?;
    let answer = server.rematch().await?.start_rematch(request).await.map_err(told)?;
    let job = job(answer.into_inner().rematch)?;
    println!("任务 {}：{}", job.name, state(&job));
    if wait_for_it {
        return wait(server, &job.name).await;
    }
    out::as_json([&job])?;
    println!("查看进度：duijie rematch wait {}", job.name);
    Ok(Done::All)
}

/// Prints a job.
pub async fn status(server: &Server, name: &str) -> anyhow::Result<Done> {
    let request = pb::GetRematchRequest { name: name.to_string() };
    let answer = server.rematch().await?.get_rematch(request).await.map_err(told)?;
    let job = job(answer.into_inner().rematch)?;
    if !out::as_json([&job])? {
        print!("{}", text(&job));
    }
    Ok(Done::All)
}

/// Prints a page of jobs.
pub async fn list(server: &Server, args: ListJobs) -> anyhow::Result<Done> {
    let request = pb::ListRematchesRequest { page_size: args.limit, page_token: args.page_token };
    let page = server.rematch().await?.list_rematches(request).await.map_err(told)?.into_inner();
    if out::as_json(&page.rematches)? {
        if !page.next_page_token.is_empty() {
            println!("下一页：--page-token {}", page.next_page_token);
        }
        return Ok(Done::All);
    }
    let row = |job: &pb::Rematch| {
        let inputs = if job.incremental { "增量" } else { "全部" };
        vec![
            job.name.clone(),
            state(job).to_string(),
            inputs.to_string(),
            time(job.create_time),
            format!("{}/{}", job.done_count, job.demand_count),
            job.pair_count.to_string(),
        ]
    };
    let rows = page.rematches.iter().map(row);
    print!("{}", table::rows(&["任务", "状态", "方式", "提交时间", "已完成需求", "匹配"], rows));
    if !page.next_page_token.is_empty() {
        println!("下一页：--page-token {}", page.next_page_token);
    }
    Ok(Done::All)
}

/// Waits until a job has ended, with a progress bar.
pub async fn wait(server: &Server, name: &str) -> anyhow::Result<Done> {
    let mut client = server.rematch().await?;
    let mut bar: Option<Progress> = None;
    let job = loop {
        let timeout =
            prost_types::Duration { seconds: 0, nanos: i32::try_from(LOOK_EVERY.as_nanos()).unwrap_or(i32::MAX) };
        let request = pb::WaitRematchRequest { name: name.to_string(), timeout: Some(timeout) };
        let answer = client.wait_rematch(request).await.map_err(told)?;
        let job = job(answer.into_inner().rematch)?;
        if 0 < job.demand_count {
            let total = u64::try_from(job.demand_count).unwrap_or(0);
            let bar = bar.get_or_insert_with(|| Progress::new("匹配", total, "项需求"));
            bar.set(u64::try_from(job.done_count).unwrap_or(0));
        }
        if ended(&job) {
            break job;
        }
    };
    if let Some(bar) = bar {
        bar.finish();
    }
    if !out::as_json([&job])? {
        print!("{}", text(&job));
    }
    match job.state() {
        pb::RematchState::Done if 0 < job.failed_count => Ok(Done::SomeRefused),
        pb::RematchState::Done => Ok(Done::All),
        pb::RematchState::Cancelled => bail!("任务已被取消，已完成的部分保留"),
        _ => bail!("任务失败：{}", failure_text(job.failure.as_ref())),
    }
}

/// Stops a job.
pub async fn cancel(server: &Server, name: &str) -> anyhow::Result<Done> {
    let request = pb::CancelRematchRequest { name: name.to_string() };
    let answer = server.rematch().await?.cancel_rematch(request).await.map_err(told)?;
    let job = job(answer.into_inner().rematch)?;
    out::as_json([&job])?;
    match job.state() {
        pb::RematchState::Queued | pb::RematchState::Running => println!("任务 {}：正在停止", job.name),
        _ => println!("任务 {}：{}", job.name, state(&job)),
    }
    Ok(Done::All)
}

fn request(args: Start) -> anyhow::Result<pb::StartRematchRequest> {
    let targets = match args.targets.as_str() {
        "both" => vec![kind("achievements")?, kind("experts")?],
        one => vec![kind(one)?],
    };
    let selection = if args.name.is_empty() {
        let mut filter = filter(args.filter)?;
        filter.update_time = args.changed_since.as_deref().map(since).transpose()?;
        Selection::Filter(filter)
    } else {
        Selection::Names(pb::RematchNames { names: args.name })
    };
    Ok(pb::StartRematchRequest {
        selection: Some(selection),
        targets,
        limit: args.limit,
        min_grade: args.level.as_deref().map_or(Ok(0), grade)?,
        min_score: args.min_score,
        base: args.base.unwrap_or_default(),
        request_id: args.request_id,
    })
}

/// Range of changes since a time in China's time zone.
fn since(text: &str) -> anyhow::Result<pb::TimeRange> {
    let wrong = || format!("“{text}”不是时间，应形如 2026-11-01 或 2026-11-01T08:00");
    let time: DateTime = text.parse().with_context(wrong)?;
    let zoned = time.to_zoned(TimeZone::fixed(jiff::tz::offset(8))).with_context(wrong)?;
    let seconds = zoned.timestamp().as_second();
    Ok(pb::TimeRange { start_time: Some(prost_types::Timestamp { seconds, nanos: 0 }), end_time: None })
}

fn job(job: Option<pb::Rematch>) -> anyhow::Result<pb::Rematch> {
    job.context("服务的回答不完整，请重试")
}

fn ended(job: &pb::Rematch) -> bool {
    matches!(job.state(), pb::RematchState::Done | pb::RematchState::Cancelled | pb::RematchState::Failed)
}

/// State of a job as a label.
pub fn state(job: &pb::Rematch) -> &'static str {
    state_label(job.state())
}

/// Label of a state.
pub fn state_label(state: pb::RematchState) -> &'static str {
    match state {
        pb::RematchState::Queued => "排队",
        pb::RematchState::Running => "运行",
        pb::RematchState::Done => "完成",
        pb::RematchState::Cancelled => "已取消",
        pb::RematchState::Failed => "失败",
        pb::RematchState::Unspecified => "未知",
    }
}

/// A failure as text; empty if there is none.
pub fn failure_text(failure: Option<&pb::RematchFailure>) -> &str {
    failure.map_or("", |failure| failure.localized_description.as_str())
}

/// A job as text.
fn text(job: &pb::Rematch) -> String {
    let carried = if job.incremental {
        format!("，其中 {} 项沿用以前的结果", job.carried_count)
    } else {
        String::new()
    };
    let how = match (job.incremental, &job.full_reason) {
        (true, _) => {
            format!("增量（需求变化 {} 项，对象变化 {} 项）", job.changed_demand_count, job.changed_target_count)
        }
        (false, None) => "全部".to_string(),
        (false, Some(because)) => format!("全部（{}）", because.localized_description),
    };
    let inputs = job.inputs.clone().unwrap_or_default();
    let rate = if 0.0 < job.demands_per_second {
        format!("每秒 {:.1} 项需求", job.demands_per_second)
    } else {
        String::new()
    };
    let error = |it: &pb::RematchError| format!("{}（{}）", it.demand, failure_text(it.failure.as_ref()));
    let errors: Vec<String> = job.error_samples.iter().map(error).collect();
    table::pairs(&[
        ("任务", job.name.clone()),
        ("状态", state(job).to_string()),
        ("方式", if job.inputs.is_some() { how } else { String::new() }),
        ("提交时间", time(job.create_time)),
        ("开始时间", time(job.start_time)),
        ("结束时间", time(job.end_time)),
        ("进度", format!("{}/{} 项需求{carried}，{} 对匹配", job.done_count, job.demand_count, job.pair_count)),
        ("速度", rate),
        ("文本处理", inputs.text_version),
        ("模型", inputs.model_version),
        ("级别校准", inputs.calibration_version),
        ("出错的需求", if job.failed_count == 0 { String::new() } else { job.failed_count.to_string() }),
        ("例如", errors.join("；")),
        ("失败原因", failure_text(job.failure.as_ref()).to_string()),
    ])
}
