//! What a client waits for a match, beside what the answer says that the service needed.
//!
//! The service is a process of its own over a store of the benches; the client reaches it by TCP, one call after the
//! other. Both numbers come from the same calls: the criterion rows show the wait, the lines before them both and the
//! difference. The project promises that a client waits at most 1 ms longer than the answer says.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use duijie::{api::Limits, serve::serve};
use duijie_proto::{self as pb, RecordKind, match_request::Query, match_service_client::MatchServiceClient};
use tokio::{io::AsyncReadExt, net::TcpListener, runtime::Runtime};
use tonic::transport::{Channel, Endpoint};

use crate::{
    matching::{LIMIT, QUERIES, demand, open, parts},
    support,
};

/// Store that a process started by this one is to serve.
const STORE: &str = "DUIJIE_BENCH_SERVE";
/// Calls of each printed line.
const CALLS: usize = 500;
/// Calls before them: connections are made, records are read into memory.
const WARM_UP: usize = 50;
/// Matches of a large page.
const LARGE_PAGE: usize = 100;
/// Titles that are asked with in turn: one alone would stay in the cache.
const TITLES: [&str; 4] =
    ["冲压件边缘容易开裂，想降低废品率", "锂电池热失控预警", "污水处理中氮的去除", "焊接质量在线检测"];

/// Makes the request of a turn.
type Ask = fn(usize) -> pb::MatchRequest;

/// What is asked for.
const ROWS: [(&str, Ask); 4] = [
    ("by id", |turn| by_id(turn, LIMIT)),
    ("by text", by_text),
    ("by id, page of 100", |turn| by_id(turn, LARGE_PAGE)),
    ("by id, page of 100, basic view", |turn| pb::MatchRequest {
        view: pb::RecordView::Basic as i32,
        ..by_id(turn, LARGE_PAGE)
    }),
];

/// A call as both sides saw it.
struct Call {
    waited: Duration,
    said: Duration,
}

/// A service in a process of its own; the process ends with its standard input.
struct Service {
    child: Child,
    url: String,
}

/// Runs the benches of this file.
pub fn client(criterion: &mut Criterion) {
    if !support::asked_for(&["client"]) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let pipeline = support::pipeline();
    for count in support::counts() {
        let folder = support::store(count, &pipeline, &support::embedder(), &runtime);
        let service = Service::start(&folder);
        let endpoint = Endpoint::from_shared(service.url.clone()).expect("an address");
        let channel = runtime.block_on(endpoint.connect()).expect("a connection");
        let client = MatchServiceClient::new(channel);
        for (name, ask) in ROWS {
            runtime.block_on(calls(client.clone(), WARM_UP, ask));
            print(count, name, &runtime.block_on(calls(client.clone(), CALLS, ask)));
        }
        let mut group = criterion.benchmark_group(format!("client/{count}"));
        for (name, ask) in ROWS {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|iterations| {
                    let iterations = usize::try_from(iterations).expect("a number of calls");
                    let calls = runtime.block_on(calls(client.clone(), iterations, ask));
                    calls.iter().map(|call| call.waited).sum()
                });
            });
        }
        group.finish();
    }
}

/// Serves a store, in a process that was started for it; `false` in all others.
pub fn serves() -> bool {
    let Ok(folder) = std::env::var(STORE) else { return false };
    let (pipeline, embedder) = (Arc::new(support::pipeline()), support::embedder());
    let parts = parts(open(Path::new(&folder), &pipeline), &pipeline, &embedder);
    let limits =
        Limits { max_calls: 64, max_streams: 64, drain: Duration::ZERO, caller_share: 100, ..Limits::default() };
    Runtime::new().expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        let stop = async {
            let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        };
        serve(parts, limits, listener, stop).await.expect("serves to the end");
    });
    true
}

async fn calls(mut client: MatchServiceClient<Channel>, count: usize, ask: Ask) -> Vec<Call> {
    let mut calls = Vec::with_capacity(count);
    for turn in 0..count {
        let request = ask(turn);
        let size = usize::try_from(request.page_size).expect("a size");
        let started = Instant::now();
        let answer = client.r#match(request).await.expect("an answer").into_inner();
        let waited = started.elapsed();
        assert_eq!(answer.matches.len(), size);
        let timing = answer.timing.expect("a timing");
        let steps = [timing.query_duration, timing.search_duration, timing.rank_duration, timing.evidence_duration];
        let said = steps.into_iter().flatten().map(|span| Duration::try_from(span).expect("a duration")).sum();
        calls.push(Call { waited, said });
    }
    calls
}

fn by_id(turn: usize, size: usize) -> pb::MatchRequest {
    request(Query::Name(demand(turn % QUERIES).to_string()), size)
}

fn by_text(turn: usize) -> pb::MatchRequest {
    let title = TITLES[turn % TITLES.len()].to_string();
    request(Query::Text(pb::TextQuery { title, ..pb::TextQuery::default() }), LIMIT)
}

fn request(query: Query, size: usize) -> pb::MatchRequest {
    let page_size = i32::try_from(size).expect("a size");
    pb::MatchRequest {
        query: Some(query),
        target: RecordKind::Achievement as i32,
        page_size,
        ..pb::MatchRequest::default()
    }
}

fn print(count: usize, name: &str, calls: &[Call]) {
    let line = |of: fn(&Call) -> Duration| {
        let mut times: Vec<f64> = calls.iter().map(|call| of(call).as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        format!("{:.2} / {:.2} ms", times[times.len() / 2], times[times.len() * 99 / 100])
    };
    let (waited, said) = (line(|call| call.waited), line(|call| call.said));
    let more = line(|call| call.waited.saturating_sub(call.said));
    println!("client/{count}/{name}: p50 / p99 of {CALLS} calls: waited {waited}, answer says {said}, more {more}");
}

// === impl Service ===

impl Service {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(STORE, folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut address = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("its address");
        Self { child, url: format!("http://{}", address.trim()) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
