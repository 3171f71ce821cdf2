//! The last part of `duijie demo`: a small event from the samples, from its creation to the exported files.

use std::path::Path;

use jiff::civil::date;

use super::{
    args::{Create, Export, Fill, Make, Rules, Show},
    create, export, fill, publish, schedule, shortlist, show,
};
use crate::cli::{args::Filter, client::Server};

/// Id of the event.
const ID: &str = "demo";
/// Kinds and numbers of the participants, all of one field.
const PARTICIPANTS: [(&str, i32); 3] = [("demands", 10), ("achievements", 30), ("experts", 6)];
/// Field of the participants: 新材料.
const FIELD: &str = "40";
/// Export formats.
const FORMATS: [&str; 6] = ["xlsx", "html", "ics", "zip", "csv", "json"];

/// Creates the event, or continues the one of the last demo, and writes the exports.
pub async fn run(server: &Server, folder: &Path) -> anyhow::Result<()> {
    println!("\n■ 一场对接会：创建、选取参会者、生成名单、排期、发布、导出");
    create(server, event()).await?;
    for (kind, limit) in PARTICIPANTS {
        let filter = Filter { field: vec![FIELD.into()], ..Filter::default() };
        let blank = Fill {
            id: ID.into(),
            records: Vec::new(),
            kind: Some(kind.into()),
            limit,
            person: String::new(),
            phone: String::new(),
            email: String::new(),
            presenter: String::new(),
            people: 1,
            window: Vec::new(),
            cap: 0,
            table: 0,
            filter,
        };
        fill(server, blank).await?;
    }
    shortlist(server, Make { id: ID.into(), over: 0 }).await?;
    schedule(server, Make { id: ID.into(), over: 0 }).await?;
    publish(server, ID).await?;
    show::show(server, Show { id: ID.into(), shortlists: false, meetings: true, participants: false }).await?;
    for format in FORMATS {
        let out = Some(folder.join(format!("{ID}.{format}")));
        export(server, Export { id: ID.into(), format: format.into(), record: String::new(), out }).await?;
    }
    Ok(())
}

fn event() -> Create {
    Create {
        id: ID.into(),
        title: "京津冀技术需求对接会（演示）".into(),
        place: "石家庄国际会展中心".into(),
        day: vec![date(2026, 12, 1)],
        session: vec!["09:00-11:30".into(), "14:00-16:30".into()],
        minutes: 25,
        pause: 5,
        tables: 6,
        spare: 15,
        rules: Rules { per_demand: 3, per_achievement: 3, per_expert: 4, ..Rules::default() },
    }
}
