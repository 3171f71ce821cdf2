//! `duijie rematch`: batch re-matching jobs.

pub mod args;
mod diff;
mod export;
mod job;
mod runs;

use tonic::{Code, Status};

use super::{
    Done,
    client::{Server, explain},
};
use args::{Rematch, RematchAction};

/// Runs an action.
pub async fn run(server: &Server, args: Rematch) -> anyhow::Result<Done> {
    match args.action {
        RematchAction::Start(it) => job::start(server, *it).await,
        RematchAction::Status(it) => job::status(server, &it.name).await,
        RematchAction::List(it) => job::list(server, it).await,
        RematchAction::Wait(it) => job::wait(server, &it.name).await,
        RematchAction::Cancel(it) => job::cancel(server, &it.name).await,
        RematchAction::Export(it) => export::run(server, it).await,
        RematchAction::Diff(it) => diff::run(server, it).await,
        RematchAction::Runs(it) => runs::run(server, it).await,
    }
}

/// A status as a Chinese error.
fn told(status: Status) -> anyhow::Error {
    match status.code() {
        Code::Unimplemented => anyhow::anyhow!("该服务不支持批量重新匹配，请升级服务"),
        _ => explain(&status),
    }
}

/// A time in China's time zone; empty for none.
fn time(time: Option<prost_types::Timestamp>) -> String {
    let read = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    let china = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    read.map(|time| time.to_zoned(china).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
