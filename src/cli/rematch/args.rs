//! The arguments of `duijie rematch`. Their doc comments are the help texts, hence Chinese.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::cli::args::Filter;

/// `duijie rematch`.
#[derive(Debug, ClapArgs)]
pub struct Rematch {
    /// 要做什么
    #[command(subcommand)]
    pub action: RematchAction,
}

/// `duijie rematch …`.
#[derive(Debug, Subcommand)]
pub enum RematchAction {
    /// 开始一个任务：把一批需求重新匹配一遍，结果保存在库中
    Start(Box<Start>),
    /// 查看一个任务
    Status(JobName),
    /// 列出任务，最近的在前
    List(ListJobs),
    /// 等待任务结束，显示进度
    Wait(JobName),
    /// 停止任务；已完成的部分保留
    Cancel(JobName),
    /// 把结果（或与另一任务的差异）写入文件：.jsonl、.csv、.xlsx、.parquet
    Export(Export),
    /// 两个任务的差异：新增、消失、升级、降级的匹配及其原因
    Diff(Diff),
    /// 列出定时自动进行的任务及其结果
    Runs(Runs),
}

/// `duijie rematch start`.
#[derive(Debug, ClapArgs)]
pub struct Start {
    /// 找什么：achievements（成果）、experts（专家）或 both
    #[arg(long = "to", default_value = "achievements", value_name = "类型")]
    pub targets: String,
    /// 每项需求每类对象保留的条数
    #[arg(long, default_value_t = 20, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub limit: i32,
    /// 成果的最低级别：强、较强、弱
    #[arg(long, value_name = "级别")]
    pub level: Option<String>,
    /// 专家的最低得分，0 到 1
    #[arg(long, default_value_t = 0.0, hide_default_value = true, value_name = "得分")]
    pub min_score: f64,
    /// 增量：只重新匹配自此任务以来可能改变的部分，结果与全部重新匹配相同
    #[arg(long, value_name = "任务")]
    pub base: Option<String>,
    /// 只匹配这些需求（记录名），可重复；不与其他条件同用
    #[arg(long, value_name = "记录名")]
    pub name: Vec<String>,
    /// 只匹配在此时间以来有变化的需求，如 2026-11-01 或 2026-11-01T08:00
    #[arg(long, value_name = "时间", conflicts_with = "name")]
    pub changed_since: Option<String>,
    /// 调用方自定的编号：同一编号重复执行不会开始第二个任务
    #[arg(long, default_value = "", hide_default_value = true, value_name = "编号")]
    pub request_id: String,
    /// 等到任务结束，显示进度
    #[arg(long)]
    pub wait: bool,
    /// Conditions on the demands.
    #[command(flatten)]
    pub filter: Filter,
}

/// The name of a job.
#[derive(Debug, ClapArgs)]
pub struct JobName {
    /// 任务名，如 rematch/jobs/0000018f2b6c0000，或其中的编号
    #[arg(value_name = "任务")]
    pub name: String,
}

/// `duijie rematch list`.
#[derive(Debug, ClapArgs)]
pub struct ListJobs {
    /// 条数
    #[arg(long, default_value_t = 20, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=200))]
    pub limit: i32,
    /// 上一页末尾给出的翻页令牌
    #[arg(long, default_value = "", hide_default_value = true, value_name = "令牌")]
    pub page_token: String,
}

/// `duijie rematch export`.
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// 任务名
    #[arg(value_name = "任务")]
    pub name: String,
    /// 文件；按扩展名决定格式：.jsonl、.csv、.xlsx、.parquet
    #[arg(value_name = "文件")]
    pub file: PathBuf,
    /// 只写与这个较早的任务的差异
    #[arg(long, value_name = "任务")]
    pub compared_with: Option<String>,
}

/// `duijie rematch diff`.
#[derive(Debug, ClapArgs)]
pub struct Diff {
    /// 较早的任务
    #[arg(value_name = "任务甲")]
    pub before: String,
    /// 较晚的任务
    #[arg(value_name = "任务乙")]
    pub after: String,
    /// 打印的条数；全部请用 duijie rematch export --compared-with
    #[arg(long, default_value_t = 50, value_name = "条数")]
    pub limit: usize,
    /// 只打印这种变化，可重复
    #[arg(long, value_name = "变化")]
    pub only: Vec<Kind>,
}

/// Sorts of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// 新增
    New,
    /// 消失
    Lost,
    /// 升级
    Up,
    /// 降级
    Down,
}

/// `duijie rematch runs`.
#[derive(Debug, ClapArgs)]
pub struct Runs {
    /// 条数
    #[arg(long, default_value_t = 20, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub limit: i32,
}
