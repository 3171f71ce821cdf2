//! All metrics of the service, with their help texts. Nothing else names a metric.

use std::{net::SocketAddr, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tonic::Code;

const CALLS: &str = "duijie_calls_total";
const CALL_SECONDS: &str = "duijie_call_duration_seconds";
const RECORDS: &str = "duijie_records";
const DAMAGED: &str = "duijie_damaged_records";
const EMBEDDED: &str = "duijie_embedded_texts_total";
const WAITING: &str = "duijie_embedding_queue_texts";
const CPU_PENDING: &str = "duijie_cpu_pending";
const CPU_RUNNING: &str = "duijie_cpu_running";
const THREADS: &str = "duijie_file_threads";
const LIMIT: &str = "duijie_running_calls_limit";
const SHED: &str = "duijie_calls_shed_total";
const NODES_AWAY: &str = "duijie_qdrant_nodes_away";
const CLOSED: &str = "duijie_connections_closed_total";

/// Upper bounds in seconds, from a match by id (1 ms) to a large batch (30 s).
const BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0, 30.0];

/// Serves the metrics for Prometheus on `listen`, on every path.
///
/// # Errors
/// A sentence when the address cannot be bound.
pub fn serve(listen: SocketAddr) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("无法在 {listen} 提供指标，请换一个 metrics.listen：{error}");
    PrometheusBuilder::new()
        .with_http_listener(listen)
        .set_buckets_for_metric(Matcher::Full(CALL_SECONDS.into()), &BUCKETS)
        .map_err(|error| fail(&error))?
        .install()
        .map_err(|error| fail(&error))?;
    metrics::describe_counter!(CALLS, "Calls by method and gRPC code");
    metrics::describe_histogram!(
        CALL_SECONDS,
        metrics::Unit::Seconds,
        "Time from the request to the end of the answer"
    );
    metrics::describe_gauge!(RECORDS, "Records stored, by kind");
    metrics::describe_gauge!(DAMAGED, "Damaged records and documents that reads have met since the start, by kind");
    metrics::describe_counter!(EMBEDDED, "Texts that went through the model");
    metrics::describe_gauge!(WAITING, "Texts that wait for the model");
    metrics::describe_gauge!(CPU_PENDING, "Work that waits for a processor, by lane");
    metrics::describe_gauge!(CPU_RUNNING, "Work that a processor does, by lane");
    metrics::describe_gauge!(THREADS, "Threads that make files for callers");
    metrics::describe_gauge!(LIMIT, "Calls that may run at a time, by how long they wait");
    metrics::describe_counter!(SHED, "Calls refused as they would have waited too long");
    metrics::describe_gauge!(NODES_AWAY, "Nodes of the Qdrant cluster that do not answer");
    metrics::describe_counter!(CLOSED, "Connections that the service closed by itself, by reason");
    Ok(())
}

/// Sets how many nodes of a cluster do not answer.
pub fn nodes_away(count: usize) {
    metrics::gauge!(NODES_AWAY).set(count as f64);
}

/// Counts a connection that the service closed.
pub fn connection_closed(reason: &'static str) {
    metrics::counter!(CLOSED, "reason" => reason).increment(1);
}

/// Counts a finished call and records its duration.
pub fn call(method: &str, code: Code, took: Duration) {
    let labels = [("method", method.to_string()), ("code", format!("{code:?}"))];
    metrics::counter!(CALLS, &labels).increment(1);
    metrics::histogram!(CALL_SECONDS, "method" => method.to_string()).record(took.as_secs_f64());
}

/// Sets the number of records of a kind.
pub fn records(kind: &'static str, count: u64) {
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
    metrics::gauge!(RECORDS, "kind" => kind).set(count as f64);
}

/// Sets the number of damaged records of a kind, or of damaged documents, that reads have met.
pub fn damaged(kind: &'static str, count: u64) {
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
    metrics::gauge!(DAMAGED, "kind" => kind).set(count as f64);
}

/// Sets the embedder's numbers: texts embedded, and texts waiting.
pub fn embedder(embedded: u64, waiting: usize) {
    metrics::counter!(EMBEDDED).absolute(embedded);
    metrics::gauge!(WAITING).set(gauge(waiting));
}

/// Sets the numbers of a lane of the processor pool.
pub fn cpu(lane: &'static str, pending: usize, running: usize) {
    metrics::gauge!(CPU_PENDING, "lane" => lane).set(gauge(pending));
    metrics::gauge!(CPU_RUNNING, "lane" => lane).set(gauge(running));
}

/// Sets the number of calls that may run at a time.
pub fn running_limit(calls: usize) {
    metrics::gauge!(LIMIT).set(gauge(calls));
}

/// Counts a call that was refused by the time that it would have waited.
pub fn shed() {
    metrics::counter!(SHED).increment(1);
}

/// Sets the number of threads that make files.
pub fn threads(count: usize) {
    metrics::gauge!(THREADS).set(gauge(count));
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
fn gauge(count: usize) -> f64 {
    count as f64
}
