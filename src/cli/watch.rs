//! `duijie watch`: prints new matches as they come, one per line.

use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args as ClapArgs;
use serde_json::json;
use tonic::Code;

use super::{
    Done,
    args::Filter,
    client::{Server, explain},
    filter::{filter, kind},
    grade::{grade, grade_label},
    out,
};
use crate::api::convert::record_in;
use duijie_core::domain::{Record, hit::Level};
use duijie_proto as pb;
use duijie_proto::{subscription::Subject, watch_request::Wanted, watch_response::Event};

/// Wait before an interrupted stream is resumed.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Attempts in a row that may end without a message.
const ATTEMPTS: u32 = 5;

/// `duijie watch`.
#[derive(Debug, ClapArgs)]
pub struct Watch {
    /// 记录名，如 demands/d-001；与 --text、--owner、--subscription 四选一
    #[arg(required_unless_present_any = ["text", "owner", "subscription"], value_name = "记录名")]
    pub name: Option<String>,
    /// 一句话描述的需求或成果
    #[arg(long, value_name = "文字", conflicts_with = "name")]
    pub text: Option<String>,
    /// 单位的名称或统一社会信用代码：关注它的全部公开记录
    #[arg(long, value_name = "单位", conflicts_with_all = ["name", "text"], requires = "kind")]
    pub owner: Option<String>,
    /// 单位的哪类记录：achievements、demands 或 experts
    #[arg(long, value_name = "类型")]
    pub kind: Option<String>,
    /// 已保存的订阅的编号
    #[arg(long, value_name = "编号", conflicts_with_all = ["name", "text", "owner", "target"])]
    pub subscription: Option<String>,
    /// 要找什么：achievements、demands 或 experts
    #[arg(long = "to", value_name = "类型", required_unless_present = "subscription")]
    pub target: Option<String>,
    /// 最低级别：强、较强、弱（仅限需求找成果）
    #[arg(long, value_name = "级别")]
    pub level: Option<String>,
    /// 最低得分，0 到 1
    #[arg(long, default_value_t = 0.0, hide_default_value = true, value_name = "得分")]
    pub min_score: f64,
    /// 先列出现有的匹配
    #[arg(long)]
    pub existing: bool,
    /// 从此令牌继续（上次结束时给出）
    #[arg(long, default_value = "", hide_default_value = true, value_name = "令牌")]
    pub token: String,
    /// 收到这么多条后结束；缺省一直等待，Ctrl-C 结束
    #[arg(long, value_name = "条数")]
    pub count: Option<u64>,
    /// 每条写成一行 JSON
    #[arg(long)]
    pub jsonl: bool,
    /// Conditions on what is found.
    #[command(flatten)]
    pub filter: Filter,
}

/// Prints messages.
struct Printer {
    jsonl: bool,
    left: Option<u64>,
    token: String,
}

/// Prints new matches until stopped.
pub async fn run(server: &Server, args: Watch) -> anyhow::Result<Done> {
    let mut printer = Printer { jsonl: args.jsonl, left: args.count, token: args.token.clone() };
    let request = request(args)?;
    let watched = tokio::select! {
        watched = watch(server, &request, &mut printer) => watched,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if !printer.token.is_empty() {
        eprintln!("继续：duijie watch … --token {}", printer.token);
    }
    watched.map(|()| Done::All)
}

/// Resumes an interrupted stream by its token.
async fn watch(server: &Server, request: &pb::WatchRequest, printer: &mut Printer) -> anyhow::Result<()> {
    let mut attempts = 0;
    loop {
        let request = pb::WatchRequest { resume_token: printer.token.clone(), ..request.clone() };
        let mut client = server.watch().await?;
        let ended = match client.watch(request).await {
            Ok(messages) => {
                let mut messages = messages.into_inner();
                loop {
                    match messages.message().await {
                        Ok(Some(message)) => {
                            attempts = 0;
                            if printer.take(message)? {
                                return Ok(());
                            }
                        }
                        Ok(None) => break None,
                        Err(status) => break Some(status),
                    }
                }
            }
            Err(status) => Some(status),
        };
        attempts += 1;
        match ended {
            Some(status) if status.code() == Code::Unimplemented => bail!("该服务不支持订阅，请升级服务"),
            Some(status) if !may_go_on(status.code()) || ATTEMPTS <= attempts => return Err(explain(&status)),
            None if ATTEMPTS <= attempts => bail!("与服务的连接中断，请确认服务仍在运行后重试"),
            _ => tokio::time::sleep(AGAIN_AFTER).await,
        }
    }
}

fn may_go_on(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::ResourceExhausted | Code::Unknown | Code::Cancelled)
}

fn request(args: Watch) -> anyhow::Result<pb::WatchRequest> {
    let wanted = match args.subscription {
        Some(id) => Wanted::SubscriptionId(id),
        None => {
            let subject = match (args.name, args.text, args.owner) {
                (Some(name), ..) => Subject::Record(name),
                (_, Some(title), _) => Subject::Text(pb::TextQuery { title, ..pb::TextQuery::default() }),
                (.., Some(owner)) => {
                    Subject::Owned(pb::OwnedRecords { owner, kind: kind(args.kind.as_deref().unwrap_or_default())? })
                }
                _ => bail!("请给出记录名、--text、--owner 或 --subscription"),
            };
            let target = args.target.ok_or_else(|| anyhow!("请用 --to 指明要找什么"))?;
            Wanted::Subscription(pb::Subscription {
                subject: Some(subject),
                target: kind(&target)?,
                filter: Some(filter(args.filter)?),
                min_grade: args.level.as_deref().map_or(Ok(0), grade)?,
                min_score: args.min_score,
            })
        }
    };
    Ok(pb::WatchRequest { wanted: Some(wanted), include_existing: args.existing, ..pb::WatchRequest::default() })
}

// === impl Printer ===

impl Printer {
    /// Prints a message; returns whether enough matches were printed.
    fn take(&mut self, message: pb::WatchResponse) -> anyhow::Result<bool> {
        match message.event {
            Some(Event::NewMatch(it)) => {
                // matches after the last wanted one will come again by the token
                if self.left == Some(0) {
                    return Ok(false);
                }
                self.left = self.left.map(|left| left - 1);
                self.print(&it)?;
                Ok(false)
            }
            Some(Event::Checkpoint(checkpoint)) => {
                if checkpoint.truncated {
                    eprintln!("注意：同一秒内变化的记录过多，有的匹配未送出");
                }
                self.token = checkpoint.resume_token;
                Ok(self.left == Some(0))
            }
            None => Ok(false),
        }
    }

    fn print(&self, it: &pb::NewMatch) -> anyhow::Result<()> {
        if out::as_json([it])? {
            return Ok(());
        }
        let found = it.r#match.clone().unwrap_or_default();
        let Some(record) = found.record.and_then(|record| record_in(record).ok()) else { return Ok(()) };
        let grade = found.level.map_or(0, |level| level.grade);
        if self.jsonl {
            println!("{}", line(it, &record, found.score, grade));
        } else {
            let asks = if it.query.is_empty() { String::new() } else { format!("{} ← ", it.query) };
            println!("{:.3} {} {asks}{}（{}）", found.score, grade_label(grade), record.title, record.name());
        }
        Ok(())
    }
}

fn line(it: &pb::NewMatch, record: &Record, score: f64, grade: i32) -> serde_json::Value {
    json!({
        "id": it.id,
        "query": it.query,
        "target": record.name().to_string(),
        "title": record.title,
        "score": score,
        "level": Level::from_number(grade).map(Level::number),
    })
}
