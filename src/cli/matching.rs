//! `duijie match` and `duijie similar`.

use std::time::Duration;

use super::{
    Done,
    args::{Match, Similar},
    client::{Server, explain},
    evidence,
    filter::{filter, kind},
    out, table,
};
use duijie_proto as pb;

/// Requests the levels alone.
const LEVELS: pb::EvidenceOptions =
    pb::EvidenceOptions { levels: true, reasons: false, indicators: false, policy: false, diagnosis: false };
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
        evidence: Some(if args.evidence { ALL } else { LEVELS }),
        avoidance: Some(pb::Avoidance { same_owner: args.avoid_owner, names: args.avoid }),
        view: pb::RecordView::Basic as i32,
    };
    let answer = server.matching().await?.r#match(request).await.map_err(|status| explain(&status))?.into_inner();
    if out::as_json(&answer.matches)? {
        print!("{}", evidence::levels(&answer));
        if let Some(diagnosis) = &answer.diagnosis {
            print!("{}", evidence::diagnosis(diagnosis));
        }
        return Ok(Done::All);
    }
    print(&answer.matches, answer.timing.as_ref());
    print!("{}", evidence::levels(&answer));
    if !args.evidence {
        return Ok(Done::All);
    }
    print!("{}", evidence::calibration(&answer));
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
        view: pb::RecordView::Basic as i32,
    };
    let answer = server.matching().await?.similar(request).await.map_err(|status| explain(&status))?.into_inner();
    if !out::as_json(&answer.matches)? {
        print(&answer.matches, answer.timing.as_ref());
    }
    Ok(Done::All)
}

fn print(matches: &[pb::Match], timing: Option<&pb::Timing>) {
    if matches.is_empty() {
        println!("没有找到匹配的记录，可放宽条件后再试");
        return;
    }
    print!("{}", table::matches(matches));
    let steps = timing.map(|it| [it.query_duration, it.search_duration, it.rank_duration, it.evidence_duration]);
    let steps = steps.into_iter().flatten().flatten();
    let total: Duration = steps.filter_map(|span| Duration::try_from(span).ok()).sum();
    println!("共 {} 条，服务用时 {:.2} 毫秒", matches.len(), total.as_secs_f64() * 1000.0);
}
