//! `duijie match` and `duijie similar`.

use super::{
    Done,
    args::{Match, Similar},
    client::{Server, explain},
    evidence,
    filter::{filter, kind},
    table,
};
use duijie_proto as pb;

/// Requests all evidence.
const ALL: pb::EvidenceOptions =
    pb::EvidenceOptions { levels: true, reasons: true, indicators: true, policy: true, diagnosis: true };

/// Matches a record or a text and prints the table.
pub async fn run_match(server: &Server, args: Match) -> anyhow::Result<Done> {
    let query = match (args.name, args.text) {
        (Some(name), _) => pb::match_request::Query::Name(name),
        (None, text) => pb::match_request::Query::Text(pb::TextQuery {
            title: text.unwrap_or_default(),
            body: args.body.unwrap_or_default(),
            keywords: Vec::new(),
        }),
    };
    let request = pb::MatchRequest {
        query: Some(query),
        target: kind(&args.target)?,
        filter: Some(filter(args.filter)?),
        page_size: args.limit,
        page_token: String::new(),
        evidence: args.evidence.then_some(ALL),
        avoidance: Some(pb::Avoidance { same_owner: args.avoid_owner, names: args.avoid }),
    };
    let answer = server.matching().await?.r#match(request).await.map_err(|status| explain(&status))?.into_inner();
    print(&answer.matches, answer.timing.unwrap_or_default());
    print!("{}", evidence::levels(&answer));
    print!("{}", evidence::matches(&answer.matches));
    if let Some(diagnosis) = &answer.diagnosis {
        print!("\n{}", evidence::diagnosis(diagnosis));
    }
    Ok(Done::All)
}

/// Searches for near duplicates and prints the table.
pub async fn run_similar(server: &Server, args: Similar) -> anyhow::Result<Done> {
    let request = pb::SimilarRequest {
        name: args.name,
        filter: Some(filter(args.filter)?),
        page_size: args.limit,
        page_token: String::new(),
    };
    let answer = server.matching().await?.similar(request).await.map_err(|status| explain(&status))?.into_inner();
    print(&answer.matches, answer.timing.unwrap_or_default());
    Ok(Done::All)
}

fn print(matches: &[pb::Match], timing: pb::Timing) {
    if matches.is_empty() {
        println!("没有找到匹配的记录，可放宽条件后再试");
        return;
    }
    print!("{}", table::matches(matches));
    let total_us = timing.query_us + timing.search_us + timing.rank_us + timing.evidence_us;
    println!("共 {} 条，服务用时 {}.{:02} 毫秒", matches.len(), total_us / 1000, total_us % 1000 / 10);
}
