//! Overload of a running service: what accepted and refused calls take, and how much memory it costs.
//!
//! It finds the capacity with callers that wait for each answer (1, 2, 4 … at a time, 4 s each), then offers ten times as
//! many calls for 20 s without waiting, from four addresses of this machine, and then looks whether all is as before.
//!
//! ```text
//! duijie serve &                       # best the release build, over a store of its own: it gets 400 records
//! cargo run --release --example overload -- http://127.0.0.1:50051 <pid of the service> [name|text]
//! ```
//!
//! `name` (the default) matches stored demands, `text` has the model embed the query of each call. The numbers to look
//! at: p99 of the accepted calls in the overload against that of the busiest step before it, how quickly others are
//! refused, that all of these carry RetryInfo, and the memory of the service. This program needs a part of the processors
//! itself: on few cores, set that against the numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a tool")]

use std::{
    collections::BTreeMap,
    env, fs,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use duijie::api::record_out;
use duijie_core::domain::{Detail, Kind, Record};
use duijie_proto::{
    self as pb, catalog_service_client::CatalogServiceClient, match_service_client::MatchServiceClient,
};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

/// Callers of each step that finds the capacity.
const STEPS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Time of each step.
const STEP: Duration = Duration::from_secs(4);
/// Calls offered for each one that the service can answer, and for how long.
const TIMES: f64 = 10.0;
const OVERLOAD: Duration = Duration::from_secs(20);
/// Calls without an answer, at most; more are not offered.
const MAX_OPEN: usize = 4_000;
const CONNECTIONS: usize = 48;
const ADDRESSES: usize = 4;
const DEMANDS: usize = 100;
const ACHIEVEMENTS: usize = 300;

/// What is asked for, and the connections to ask by.
#[derive(Clone)]
struct Load {
    channels: Arc<Vec<Channel>>,
    by_text: bool,
}

/// What became of the calls.
#[derive(Default)]
struct Outcome {
    accepted: Vec<Duration>,
    refused: Vec<Duration>,
    without_retry_info: usize,
    failed: BTreeMap<String, usize>,
    not_offered: usize,
    time: Duration,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, pid, rest @ ..] = arguments.as_slice() else { panic!("usage: overload URL PID [name|text]") };
    let by_text = rest.first().is_some_and(|how| how == "text");
    let mut channels = Vec::new();
    for number in 0..CONNECTIONS {
        let last = u8::try_from(1 + number % ADDRESSES).unwrap();
        let endpoint = Endpoint::from_shared(url.clone()).unwrap().tcp_nodelay(true);
        let endpoint = endpoint.local_address(Some(IpAddr::from([127, 0, 0, last])));
        channels.push(endpoint.connect().await.expect("a service at this address"));
    }
    let load = Load { channels: Arc::new(channels), by_text };
    load.store().await;
    let memory = Memory::watch(pid);
    println!("memory of the service before: {} MB", memory.now());

    let (mut capacity, mut busiest) = (0.0, 1);
    for callers in STEPS {
        let outcome = load.closed(callers, STEP).await;
        let rate = outcome.rate();
        outcome.print(&format!("{callers} callers that wait"));
        if capacity < rate {
            (capacity, busiest) = (rate, callers);
        }
    }
    println!("capacity: {capacity:.0} calls a second, with {busiest} callers");

    memory.restart();
    let outcome = load.open(capacity * TIMES).await;
    outcome.print(&format!("{TIMES} times the capacity"));
    println!("memory of the service during: {} MB at most, after: {} MB", memory.highest(), memory.now());

    for callers in [1, busiest] {
        load.closed(callers, STEP).await.print(&format!("afterwards, {callers} callers that wait"));
    }
    println!("memory of the service at the end: {} MB", memory.now());
}

// === impl Load ===

impl Load {
    /// Stores what is matched; a second run finds it there.
    async fn store(&self) {
        let fields =
            ["焊接", "锂电池", "污水处理", "轴承", "风力发电", "数控机床", "图像识别", "催化剂", "光伏", "钢铁"];
        let makes = ["在线检测", "寿命预测", "工艺优化", "节能降耗", "缺陷识别", "材料制备", "智能控制", "故障诊断"];
        let record = |kind: Kind, number: usize| {
            let (field, make) = (fields[number % fields.len()], makes[number / fields.len() % makes.len()]);
            let title = format!("{field}的{make}技术之{number}");
            let body = format!("面向{field}生产现场，研究{make}的方法与装置，降低成本，提高可靠性。").repeat(3);
            record_out(Record { body, ..Record::new("", format!("overload-{number}"), title, Detail::empty(kind)) })
        };
        let all = (0..DEMANDS).map(|number| record(Kind::Demand, number));
        let all: Vec<pb::Record> =
            all.chain((0..ACHIEVEMENTS).map(|number| record(Kind::Achievement, number))).collect();
        for records in all.chunks(50) {
            let mut catalog = CatalogServiceClient::new(self.channels[0].clone());
            let mut request = Request::new(pb::BatchUpsertRecordsRequest { records: records.to_vec() });
            request.set_timeout(Duration::from_secs(300));
            catalog.batch_upsert_records(request).await.expect("records are stored");
        }
    }

    async fn call(&self, turn: usize) -> Result<(), Status> {
        let query = if self.by_text {
            let title = format!("寻求第 {turn} 种降低焊接与轴承故障的在线检测方法");
            pb::match_request::Query::Text(pb::TextQuery { title, ..pb::TextQuery::default() })
        } else {
            pb::match_request::Query::Name(format!("demands/overload-{}", turn % DEMANDS))
        };
        let target = pb::RecordKind::Achievement as i32;
        let mut request = Request::new(pb::MatchRequest { query: Some(query), target, ..pb::MatchRequest::default() });
        request.set_timeout(Duration::from_secs(30));
        let channel = self.channels[turn % self.channels.len()].clone();
        MatchServiceClient::new(channel).r#match(request).await.map(drop)
    }

    /// Callers that make their next call when they have an answer.
    async fn closed(&self, callers: usize, time: Duration) -> Outcome {
        let started = Instant::now();
        let mut all = JoinSet::new();
        for caller in 0..callers {
            let load = self.clone();
            all.spawn(async move {
                let (mut outcome, mut turn) = (Outcome::default(), caller);
                while started.elapsed() < time {
                    let asked = Instant::now();
                    let answer = load.call(turn).await;
                    outcome.note(asked.elapsed(), answer);
                    turn += callers;
                }
                outcome
            });
        }
        let mut outcome = Outcome::default();
        while let Some(other) = all.join_next().await {
            outcome.join(other.unwrap());
        }
        outcome.time = started.elapsed();
        outcome
    }

    /// Calls at a rate, whatever becomes of them.
    async fn open(&self, rate: f64) -> Outcome {
        let (started, places) = (Instant::now(), Arc::new(Semaphore::new(MAX_OPEN)));
        let (mut ticks, mut all) = (tokio::time::interval(Duration::from_millis(5)), JoinSet::new());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut offered, mut outcome) = (0, Outcome::default());
        while started.elapsed() < OVERLOAD {
            ticks.tick().await;
            while (offered as f64) < started.elapsed().as_secs_f64() * rate {
                offered += 1;
                let (load, turn) = (self.clone(), offered);
                match Arc::clone(&places).try_acquire_owned() {
                    Err(_) => outcome.not_offered += 1,
                    Ok(place) => drop(all.spawn(async move {
                        let _place = place;
                        let asked = Instant::now();
                        let answer = load.call(turn).await;
                        (asked.elapsed(), answer)
                    })),
                }
            }
            while let Some(done) = all.try_join_next() {
                let (took, answer) = done.unwrap();
                outcome.note(took, answer);
            }
        }
        while let Some(done) = all.join_next().await {
            let (took, answer) = done.unwrap();
            outcome.note(took, answer);
        }
        outcome.time = started.elapsed();
        outcome
    }
}

// === impl Outcome ===

impl Outcome {
    fn note(&mut self, took: Duration, answer: Result<(), Status>) {
        match answer {
            Ok(()) => self.accepted.push(took),
            Err(status) if status.code() == Code::ResourceExhausted => {
                self.refused.push(took);
                self.without_retry_info += usize::from(status.get_details_retry_info().is_none());
            }
            Err(status) => *self.failed.entry(format!("{:?}", status.code())).or_default() += 1,
        }
    }

    fn join(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.refused.extend(other.refused);
        self.without_retry_info += other.without_retry_info;
        for (code, count) in other.failed {
            *self.failed.entry(code).or_default() += count;
        }
    }

    fn rate(&self) -> f64 {
        self.accepted.len() as f64 / self.time.as_secs_f64()
    }

    fn print(&self, what: &str) {
        println!("{what}: {:.0} answers a second, {}", self.rate(), times(&self.accepted));
        if !self.refused.is_empty() {
            let (count, without) = (self.refused.len(), self.without_retry_info);
            println!("    refused: {count}, {without} of them without RetryInfo, {}", times(&self.refused));
        }
        if !self.failed.is_empty() || self.not_offered != 0 {
            println!("    failed: {:?}; not offered, as {MAX_OPEN} were open: {}", self.failed, self.not_offered);
        }
    }
}

fn times(all: &[Duration]) -> String {
    let mut all: Vec<f64> = all.iter().map(|time| time.as_secs_f64() * 1_000.0).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: usize| all.get(all.len() * share / 1_000).or(all.last()).copied().unwrap_or(f64::NAN);
    format!("{} calls: p50 {:.1}, p99 {:.1}, p99.9 {:.1} ms", all.len(), at(500), at(990), at(999))
}

/// Memory of the service, looked at twice a second.
struct Memory {
    status: String,
    highest: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

// === impl Memory ===

impl Memory {
    fn watch(pid: &str) -> Self {
        let (highest, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let memory = Self { status: format!("/proc/{pid}/status"), highest, ended };
        let (status, highest, ended) = (memory.status.clone(), memory.highest.clone(), memory.ended.clone());
        std::thread::spawn(move || {
            while !ended.load(Relaxed) {
                highest.fetch_max(resident_mb(&status), Relaxed);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        memory
    }

    fn now(&self) -> u64 {
        resident_mb(&self.status)
    }

    fn restart(&self) {
        self.highest.store(0, Relaxed);
    }

    fn highest(&self) -> u64 {
        self.highest.load(Relaxed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
    }
}

fn resident_mb(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_000
}
