//! Readers of files that take nothing, or one part, and stay.

use std::{future::Future, time::Duration};

use duijie_core::{
    domain::{Detail, Kind, Record},
    text::LexicalQuery,
};
use duijie_proto as pb;
use duijie_proto::rematch_service_client::RematchServiceClient;
use duijie_store::Point;
use futures::future::join_all;
use tempfile::TempDir;
use tonic::{
    Code, Status, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

use crate::{
    bad_day::server::Server,
    harness::{Service, by_name, record, refusal},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Readers at a time, of which each connection holds some.
const READERS: usize = 600;
const PER_CONNECTION: usize = 100;
/// Bytes that a reader holds before it has to take some.
const STREAM_WINDOW: u32 = 65_535;
/// Files that are sent at a time.
const FILES: usize = 32;
/// Demands of the job, and pairs of each: a file of several megabytes, more than all buffers on the way hold.
const DEMANDS: usize = 120;
const PAIRS: usize = 50;

type File = Streaming<pb::ExportRematchResponse>;

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} took too long"))
}

/// A record with a long title, as if it were stored with its vectors.
fn point(kind: Kind, number: usize) -> Point {
    let title: String = format!("{number}号").chars().chain("技术需求与成果".chars().cycle()).take(200).collect();
    let record = Record { revision: 1, ..Record::new("local", format!("r-{number}"), title, Detail::empty(kind)) };
    let dense = (0..384).map(|place| if place % 7 == number % 7 { 1.0 } else { 0.01 * (number % 50) as f32 }).collect();
    let query = LexicalQuery { terms: vec![(format!("词{}", number % 5), 1.0), ("共有".into(), 0.5)] };
    Point { record, dense, sparse: query.sparse(), query }
}

/// Stores records and runs a job whose file is large; returns the name of the job.
async fn large_job(service: &Service) -> String {
    for (kind, count) in [(Kind::Demand, DEMANDS), (Kind::Achievement, 2 * PAIRS)] {
        let points = (0..count).map(|number| point(kind, number)).collect();
        service.parts.index.upsert(kind, points).await.unwrap();
    }
    let mut client = RematchServiceClient::new(service.channel().await);
    let limit = i32::try_from(PAIRS).unwrap();
    let request =
        pb::StartRematchRequest { targets: vec![pb::RecordKind::Achievement as i32], limit, ..Default::default() };
    let job = client.start_rematch(request).await.unwrap().into_inner().rematch.unwrap();
    let timeout = Some(prost_types::Duration { seconds: 10, nanos: 0 });
    let done = async {
        loop {
            let wait = pb::WaitRematchRequest { name: job.name.clone(), timeout };
            let job = client.wait_rematch(wait).await.unwrap().into_inner().rematch.unwrap();
            match job.state() {
                pb::RematchState::Done => return,
                state => assert_ne!(state, pb::RematchState::Failed, "{job:?}"),
            }
        }
    };
    soon("a job", done).await;
    job.name
}

async fn open(channel: Channel, name: &str) -> Result<File, Status> {
    let request = pb::ExportRematchRequest {
        name: name.to_string(),
        format: pb::RematchFormat::Jsonl as i32,
        compared_with: String::new(),
    };
    Ok(RematchServiceClient::new(channel).export_rematch(request).await?.into_inner())
}

/// Opens so many files at once.
async fn open_many(url: &str, count: usize, name: &str) -> Vec<Result<File, Status>> {
    let mut channels = Vec::new();
    for _ in 0..count.div_ceil(PER_CONNECTION) {
        // a reader that takes nothing fills its own window, and not that of its connection
        let connection = Endpoint::from_shared(url.to_string()).unwrap();
        let connection = connection.initial_stream_window_size(STREAM_WINDOW);
        let connection = connection.initial_connection_window_size(STREAM_WINDOW * 2 * PER_CONNECTION as u32);
        channels.push(connection.connect().await.unwrap());
    }
    let opening = (0..count).map(|number| open(channels[number / PER_CONNECTION].clone(), name));
    soon("opening", join_all(opening)).await
}

/// Reads a file to its end and returns its number of rows.
async fn whole(mut file: File) -> i64 {
    while let Some(part) = file.message().await.unwrap() {
        if part.part.is_some_and(|it| it.complete) {
            return part.row_count;
        }
    }
    panic!("a file without an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_take_nothing_starve_nobody() {
    let service = Service::start_with(|limits| {
        (limits.max_streams, limits.drain) = (2 * READERS, Duration::from_secs(1));
    })
    .await;
    let job = large_job(&service).await;
    let opened = open_many(&service.url, READERS, &job).await;
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    for file in opened {
        match file {
            Ok(file) => files.push(file),
            Err(status) => refused.push(status),
        }
    }
    assert_eq!((files.len(), refused.len()), (FILES, READERS - FILES));
    for status in refused {
        assert_eq!((refusal(&status).0, refusal(&status).1.as_str()), (Code::ResourceExhausted, "BUSY"));
        assert!(status.get_error_details().retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{status:?}");
    }
    for file in files.iter_mut().take(FILES / 2) {
        let part = soon("a first part", file.message()).await.unwrap().unwrap().part;
        assert!(part.is_some_and(|it| !it.complete));
    }

    // reads, a match, and a write with its text embedded
    let mut matching = service.matching().await;
    let found = matching.r#match(by_name("demands/r-1", pb::RecordKind::Achievement));
    assert!(!soon("a match", found).await.unwrap().into_inner().matches.is_empty());
    let read = pb::GetRecordRequest { name: "achievements/r-7".into() };
    soon("a read", async { service.catalog().await.get_record(read).await }).await.unwrap();
    let results = soon("a write", service.store(vec![record(Kind::Demand, "new", "冲压件边缘开裂", "")])).await;
    assert_eq!(results[0].outcome(), pb::UpsertOutcome::Created);
    let list = pb::ListRematchResultsRequest { name: job.clone(), page_size: 10, ..Default::default() };
    let mut client = RematchServiceClient::new(service.channel().await);
    assert_eq!(soon("a page", client.list_rematch_results(list)).await.unwrap().into_inner().results.len(), 10);

    // afterwards as before: all places are free, and a file is whole
    drop(files);
    let again = async {
        let mut held = Vec::new();
        while held.len() < FILES {
            // what was opened stays open: closed files would need time to free their places again
            held.extend(open_many(&service.url, FILES - held.len(), &job).await.into_iter().flatten());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        held
    };
    let mut files = soon("free places", again).await;
    let rows = soon("a whole file", whole(files.pop().unwrap())).await;
    assert_eq!(rows, i64::try_from(DEMANDS * PAIRS).unwrap());
    // it ends while readers hold their files
    soon("the end", service.stop()).await;
    drop(files);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_readers_that_take_nothing_ends_when_it_is_told() {
    let folder = TempDir::new().unwrap();
    let service = Service::start_in(folder.path(), |_| ()).await;
    let job = large_job(&service).await;
    service.stop().await;
    let server = Server::start(folder.path());
    let opened = open_many(&server.url, 2 * FILES, &job).await;
    // a quarter is left to other callers
    assert_eq!(opened.iter().filter(|file| file.is_ok()).count(), FILES - FILES / 4);
    let status = soon("the end", tokio::task::spawn_blocking(move || server.terminate())).await.unwrap();
    assert!(status.success(), "{status:?}");
    drop(opened);
}
