//! `duijie rematch runs`.

use super::{
    args::Runs,
    job::{failure_text, state_label},
    time, told,
};
use crate::cli::{Done, client::Server, out, table};
use duijie_proto as pb;

/// Prints the runs of the schedule.
pub async fn run(server: &Server, args: Runs) -> anyhow::Result<Done> {
    let (mut client, mut runs) = (server.rematch().await?, Vec::new());
    let mut page_token = String::new();
    let limit = usize::try_from(args.limit).unwrap_or(0);
    loop {
        let request = pb::ListRematchRunsRequest { page_size: args.limit, page_token };
        let page = client.list_rematch_runs(request).await.map_err(told)?.into_inner();
        runs.extend(page.runs);
        page_token = page.next_page_token;
        if page_token.is_empty() || limit <= runs.len() {
            break;
        }
    }
    runs.truncate(limit);
    if out::as_json(&runs)? {
        return Ok(Done::All);
    }
    if runs.is_empty() {
        println!("还没有定时自动进行的任务；在配置中设置 rematch.nightly 或 rematch.after_changes 即可开启");
        return Ok(Done::All);
    }
    let row = |run: &pb::RematchRun| {
        let trigger = match run.trigger() {
            pb::RematchTrigger::Nightly => "每晚",
            pb::RematchTrigger::Changes => "有变化",
            pb::RematchTrigger::Unspecified => "",
        };
        let job = match failure_text(run.failure.as_ref()) {
            "" => run.rematch.clone(),
            failure => format!("{}\n{failure}", run.rematch),
        };
        vec![
            trigger.to_string(),
            time(run.start_time),
            time(run.end_time),
            state_label(run.state()).to_string(),
            run.pair_count.to_string(),
            job,
        ]
    };
    print!("{}", table::rows(&["缘由", "开始时间", "结束时间", "状态", "匹配", "任务"], runs.iter().map(row)));
    Ok(Done::All)
}
