//! `duijie event`: matchmaking events from the command line.
//!
//! - `args`: arguments
//! - `prepare`: create, fill, remove, edit, delete
//! - `update`: changes single fields
//! - `rules`: parses slots and rules
//! - `plan`: shortlist, schedule, publish, cancel
//! - `show`: prints an event and its plan
//! - `outcome`: outcomes, statistics
//! - `export`: files; `demo`: the last part of `duijie demo`

pub mod args;
pub mod demo;
mod export;
mod outcome;
mod plan;
mod prepare;
mod rules;
mod show;
mod update;

use super::{Done, client::Server};
use args::{Action, Event};
use duijie_proto as pb;
pub use export::export;
pub use plan::{publish, schedule, shortlist};
pub use prepare::{create, fill};

/// Runs an action.
pub async fn run(server: &Server, event: Event) -> anyhow::Result<Done> {
    match event.action {
        Action::Create(it) => create(server, *it).await,
        Action::List => show::list(server).await,
        Action::Update(it) => update::update(server, *it).await,
        Action::Fill(it) => fill(server, *it).await,
        Action::Remove(it) => prepare::remove(server, it).await,
        Action::Shortlist(it) => shortlist(server, it).await,
        Action::Edit(it) => prepare::edit(server, it).await,
        Action::Schedule(it) => schedule(server, it).await,
        Action::Publish(it) => publish(server, &it.id).await,
        Action::Cancel(it) => plan::cancel(server, it).await,
        Action::Show(it) => show::show(server, it).await,
        Action::Export(it) => export(server, it).await,
        Action::Outcome(it) => outcome::run(server, *it).await,
        Action::Statistics(it) => outcome::statistics(server, it).await,
        Action::Delete(it) => prepare::delete(server, it).await,
    }
}

/// Resource name of an event.
fn name(id: &str) -> String {
    format!("events/{}", id.trim_start_matches("events/"))
}

/// Extracts the event from an answer.
fn answered(event: Option<pb::Event>) -> anyhow::Result<pb::Event> {
    event.ok_or_else(|| anyhow::anyhow!("服务的回答无法读取"))
}
