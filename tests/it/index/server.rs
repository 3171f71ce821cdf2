//! Faults that only a remote server has: down, slow, lost answers, repeated writes, concurrent instances.

use std::{sync::Arc, time::Duration};

use duijie_core::domain::{Filter, Kind, RecordName};
use duijie_store::{
    FieldSelection, Index, IndexError, Leases, MAINTENANCE, Point, Records, ServerIndex, StoreShape, StoreVersions,
    Written, deadline,
};
use tempfile::TempDir;

use super::{
    contract::assert_same,
    engines::{PACE, PATIENCE, connect, open, options, shape, status_with},
    sample::{self, DIMENSIONS, Dice},
};
use crate::qdrant_server::{Fault, QdrantServer};

/// Longer than the timeout of one try.
const TOO_LONG: Duration = Duration::from_millis(2_500);

pub fn start() -> (TempDir, QdrantServer) {
    let folder = tempfile::tempdir().unwrap();
    let server = QdrantServer::start(folder.path());
    (folder, server)
}

fn other_text() -> StoreShape {
    StoreShape { versions: StoreVersions { text: "2".into(), ..shape().versions }, ..shape() }
}

fn point(revision: u64) -> Point {
    let mut point = sample::points(Kind::Demand, 1, &mut Dice::new(1)).remove(0);
    point.record.revision = revision;
    point
}

async fn read(index: &dyn Index, name: &RecordName) -> Option<Point> {
    index.get(std::slice::from_ref(name), FieldSelection::Everything).await.unwrap().remove(0)
}

async fn count(index: &dyn Index) -> Result<u64, IndexError> {
    index.count(Kind::Demand, &Filter::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_late_goes_and_comes_back_is_followed() {
    let (folder, server) = start();
    let address = server.address();
    server.stop().await;
    let index = open(&options(&format!("http://{address}"), "test"));
    let away = |said: IndexError| assert!(matches!(&said, IndexError::Unreachable { .. }), "{said}");
    away(count(&index).await.unwrap_err());
    assert!(!index.status().healthy() && index.status().refusal.is_none());
    let server = QdrantServer::start_at(folder.path(), address);
    index.ready(PATIENCE).await.unwrap();
    assert_eq!(index.upsert(Kind::Demand, vec![point(1)]).await.unwrap(), [Written::Created]);
    server.stop().await;
    status_with(&index, |status| !status.healthy()).await;
    away(count(&index).await.unwrap_err());
    let server = QdrantServer::start_at(folder.path(), address);
    status_with(&index, duijie_store::IndexStatus::healthy).await;
    assert_same(read(&index, &point(1).record.name()).await.as_ref(), &point(1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_the_callers_time_goes_to_the_engine() {
    let (_folder, server) = start();
    let index = connect(&server).await;
    server.inject("Count", Fault::Slow(TOO_LONG), 1);
    let time = Duration::from_millis(300);
    let said = deadline::within(Some(time), count(&index)).await.unwrap_err();
    assert!(matches!(said, IndexError::DeadlineExceeded), "{said}");
    assert!(server.last_timeout("Count").is_some_and(|told| told <= time));
    assert_eq!(server.calls("Count"), 1, "no try beyond the caller's time");
    // without a deadline, a hanging try is followed by another
    server.inject("Count", Fault::Slow(TOO_LONG), 1);
    assert_eq!(count(&index).await.unwrap(), 0);
    assert_eq!(server.calls("Count"), 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_tried_again_where_that_may_help_and_only_there() {
    let (_folder, server) = start();
    let index = connect(&server).await;
    let check = async |fault: Fault, times: usize, works: bool, tries: usize| {
        let before = server.calls("Count");
        server.inject("Count", fault, times);
        assert_eq!(count(&index).await.is_ok(), works, "{fault:?}");
        assert_eq!(server.calls("Count") - before, tries, "{fault:?}");
        server.heal();
    };
    check(Fault::Unavailable, 2, true, 3).await;
    check(Fault::DropConnection, 1, true, 2).await;
    check(Fault::DropConnectionAfter, 1, true, 2).await;
    check(Fault::Error(tonic::Code::Internal), 1, true, 2).await;
    check(Fault::Error(tonic::Code::InvalidArgument), 1, false, 1).await;
    check(Fault::Error(tonic::Code::Unauthenticated), 1, false, 1).await;
    check(Fault::Unavailable, 3, false, 3).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_stored_once_whatever_becomes_of_its_answer() {
    let (_folder, server) = start();
    let index = connect(&server).await;
    let faults = [
        Fault::Unavailable,
        Fault::UnavailableAfter,
        Fault::DropConnection,
        Fault::DropConnectionAfter,
        Fault::Late(TOO_LONG),
        Fault::Slow(TOO_LONG),
        Fault::Repeat,
    ];
    let name = point(1).record.name();
    for (fault, method) in faults.into_iter().flat_map(|fault| [(fault, "Upsert"), (fault, "Points/Get")]) {
        server.inject(method, fault, 1);
        let written = index.upsert(Kind::Demand, vec![point(1)]).await.unwrap();
        assert_eq!(written, [Written::Created], "{fault:?} of {method}");
        assert_same(read(&index, &name).await.as_ref(), &point(1));
        server.heal();
        server.inject(method, fault, 1);
        // the repeated write is refused, the third is newer
        let written = index.upsert(Kind::Demand, [1, 2, 3].map(point).into()).await.unwrap();
        assert_eq!(
            written,
            [Written::Stale { stored: 1 }, Written::Updated, Written::Updated],
            "{fault:?} of {method}"
        );
        server.heal();
        server.inject("Delete", fault, 1);
        assert!(index.delete(&name).await.unwrap(), "{fault:?}");
        server.heal();
        assert_eq!(read(&index, &name).await, None);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_write_the_same_records_lose_and_double_nothing() {
    const WRITERS: u64 = 4;
    const WRITES: u64 = 10;
    let (_folder, server) = start();
    let server = Arc::new(server);
    let first = connect(&server).await;
    let mut empty = point(0);
    empty.record.body = String::new();
    first.upsert(Kind::Demand, vec![empty]).await.unwrap();
    let writer = |number: u64| {
        let server = Arc::clone(&server);
        async move {
            let index = connect(&server).await;
            let mut done = 0;
            while done < WRITES {
                let Ok(seen) = index.get(&[point(0).record.name()], FieldSelection::Payload).await else { continue };
                let seen = seen.into_iter().flatten().next().unwrap().record;
                let mark = format!("w{number}-{done};");
                if seen.body.contains(&mark) {
                    // stored, although the call returned an uncertain error
                    done += 1;
                    continue;
                }
                let mut next = point(seen.revision + 1);
                next.record.body = format!("{}{mark}", seen.body);
                match index.upsert(Kind::Demand, vec![next]).await.as_deref() {
                    Ok([Written::Updated]) => done += 1,
                    Ok([Written::Stale { .. }]) | Err(IndexError::Unreachable { .. }) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    let writers: Vec<_> = (0..WRITERS).map(|number| tokio::spawn(writer(number))).collect();
    let mut dice = Dice::new(5);
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let fault = dice.pick(&[Fault::Repeat, Fault::UnavailableAfter, Fault::Unavailable]);
        server.inject(dice.pick(&["Upsert", "Points/Get"]), fault, 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    server.heal();
    status_with(&first, duijie_store::IndexStatus::healthy).await;
    let last = read(&first, &point(0).record.name()).await.unwrap().record;
    assert_eq!(last.revision, WRITERS * WRITES, "a write was lost or doubled");
    let mut marks: Vec<&str> = last.body.split(';').filter(|mark| mark.starts_with('w')).collect();
    let all = marks.len();
    marks.sort_unstable();
    marks.dedup();
    assert_eq!((all as u64, marks.len() as u64), (WRITERS * WRITES, WRITERS * WRITES), "{}", last.body);
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_circuit_opens_and_closes() {
    let (_folder, server) = start();
    let index = connect(&server).await;
    server.inject("*", Fault::Unavailable, usize::MAX);
    for _ in 0..3 {
        count(&index).await.unwrap_err();
    }
    status_with(&index, |status| !status.healthy()).await;
    let before = server.calls("Count");
    for _ in 0..20 {
        assert!(matches!(count(&index).await.unwrap_err(), IndexError::Unreachable { .. }));
    }
    assert_eq!(server.calls("Count"), before, "nothing goes out");
    server.heal();
    status_with(&index, duijie_store::IndexStatus::healthy).await;
    assert_eq!(count(&index).await.unwrap(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_a_sentence() {
    let (_folder, server) = start();
    connect(&server).await;
    let check = async |prefix: &str, shape: StoreShape, want: &str| {
        let index = ServerIndex::open_at(&options(&server.url(), prefix), shape, PACE).unwrap();
        let said = index.ready(PATIENCE).await.unwrap_err().to_string();
        assert!(said.contains(want), "{said}");
        assert_eq!(index.status().refusal, Some(said));
    };
    check("test", StoreShape { dimensions: DIMENSIONS + 1, ..shape() }, "维数：库中为 16，当前为 17").await;
    check("test", other_text(), "文本处理：库中为 1，当前为 2），请停止服务后执行 duijie reindex").await;
    // collections created by someone else
    let client = qdrant_client::Qdrant::from_url(&server.url()).skip_compatibility_check().build().unwrap();
    let vectors = qdrant_client::qdrant::VectorParamsBuilder::new(16, qdrant_client::qdrant::Distance::Dot);
    let mut named = qdrant_client::qdrant::VectorsConfigBuilder::default();
    named.add_named_vector_params("dense", vectors);
    let collection = qdrant_client::qdrant::CreateCollectionBuilder::new("foreign_demands_1").vectors_config(named);
    client.create_collection(collection).await.unwrap();
    check("foreign", shape(), "foreign_demands_1 不符合要求：向量的距离不是余弦").await;
    let any = ServerIndex::open_any(&options(&server.url(), "none"), PACE).unwrap();
    let said = any.ready(PATIENCE).await.unwrap_err().to_string();
    assert!(said.contains("没有存储"), "{said}");
    // a collection deleted while in use
    let index = connect(&server).await;
    client.delete_collection("test_experts_1").await.unwrap();
    let status = status_with(&index, |status| status.refusal.is_some()).await;
    assert!(status.refusal.unwrap().contains("test_experts_1 不符合要求：集合不存在"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_sent_with_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = QdrantServer::start(folder.path()).with_api_key("secret");
    let without = open(&options(&server.url(), "test"));
    let said = without.ready(Duration::from_millis(300)).await.unwrap_err().to_string();
    assert!(said.contains("Unauthenticated"), "{said}");
    let with = duijie_store::Qdrant { api_key: Some("secret".into()), ..options(&server.url(), "test") };
    let with = open(&with);
    with.ready(PATIENCE).await.unwrap();
    assert_eq!(count(&with).await.unwrap(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_stepped_over() {
    let (_folder, server) = start();
    let (_gone_folder, gone) = start();
    let urls = format!("{},{}", gone.url(), server.url());
    gone.stop().await;
    let index = open(&options(&urls, "test"));
    index.ready(PATIENCE).await.unwrap();
    for _ in 0..10 {
        assert_eq!(count(&index).await.unwrap(), 0);
    }
    server.stop().await;
}

/// Claims a duty in a runtime that can be dropped, like a process that is killed.
pub fn claim_and_die(server: &QdrantServer, duty: &'static str) {
    let url = server.url();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let index = open(&options(&url, "test"));
            index.ready(PATIENCE).await.unwrap();
            let lease = index.claim(duty).await.unwrap().unwrap();
            // after at least one renewal
            tokio::time::sleep(PACE.renew_every * 2).await;
            assert!(lease.held());
            std::mem::forget(lease);
        });
        runtime.shutdown_background();
    });
    thread.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duty_of_a_dead_holder_runs_out() {
    let (_folder, server) = start();
    let (one, other) = (connect(&server).await, connect(&server).await);
    claim_and_die(&server, "nightly");
    let (first, second) = tokio::join!(one.claim("nightly"), other.claim("nightly"));
    assert!(first.unwrap().is_none() && second.unwrap().is_none(), "it may be alive");
    let end = tokio::time::Instant::now() + PATIENCE;
    let won = loop {
        let (first, second) = tokio::join!(one.claim("nightly"), other.claim("nightly"));
        let won: Vec<_> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        if !won.is_empty() {
            break won;
        }
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(won.len(), 1, "one of two who wait gets it");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duty_is_kept_through_lost_answers_and_lost_with_the_engine() {
    let (_folder, server) = start();
    let index = connect(&server).await;
    let lease = index.claim("nightly").await.unwrap().unwrap();
    for fault in [Fault::UnavailableAfter, Fault::Repeat, Fault::DropConnectionAfter, Fault::Unavailable] {
        server.inject("Upsert", fault, 1);
        server.inject("Points/Get", fault, 1);
        tokio::time::sleep(PACE.renew_every * 2).await;
        assert!(lease.held(), "{fault:?}");
    }
    server.stop().await;
    tokio::time::timeout(PATIENCE, lease.lost()).await.unwrap();
    assert!(!lease.held());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_maintains_the_others_rest_and_a_rebuilt_store_needs_a_restart() {
    let (_folder, server) = start();
    let (keeper, other) = (connect(&server).await, connect(&server).await);
    keeper.upsert(Kind::Demand, vec![point(1)]).await.unwrap();
    let lease = keeper.claim(MAINTENANCE).await.unwrap().unwrap();
    assert!(matches!(count(&other).await.unwrap_err(), IndexError::Maintenance));
    assert!(!other.status().healthy() && other.status().refusal.is_none());
    assert_eq!(count(&keeper).await.unwrap(), 1);
    lease.release().await;
    status_with(&other, duijie_store::IndexStatus::healthy).await;

    let lease = keeper.claim(MAINTENANCE).await.unwrap().unwrap();
    let options = options(&server.url(), "test");
    let grown = keeper.growing(&options, other_text()).await.unwrap();
    assert_eq!(count(&grown).await.unwrap(), 0);
    grown.upsert(Kind::Demand, vec![point(1)]).await.unwrap();
    // a rebuild resumes for the same versions, and restarts for others
    let again = keeper.growing(&options, other_text()).await.unwrap();
    assert_eq!(count(&again).await.unwrap(), 1);
    keeper.replace_by(&again).await.unwrap();
    lease.release().await;
    let status = status_with(&other, |status| status.refusal.is_some()).await;
    assert!(status.refusal.unwrap().contains("重启服务"));
    let next = ServerIndex::open_at(&options, other_text(), PACE).unwrap();
    next.ready(PATIENCE).await.unwrap();
    assert_same(read(&next, &point(1).record.name()).await.as_ref(), &point(1));
    assert_eq!(next.upsert(Kind::Demand, vec![point(1)]).await.unwrap(), [Written::Stale { stored: 1 }]);
    server.stop().await;
}
