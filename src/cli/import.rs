//! `duijie import`: file → batches → service, with a few batches in flight. Each answer is durable. A record sent again
//! costs only a look-up, so the same command continues after an interruption.

use std::{
    collections::{HashSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use backon::{ExponentialBuilder, Retryable};
use futures::{StreamExt, stream::FuturesOrdered};
use tokio::sync::mpsc;
use tonic::Code;

use super::{
    Done,
    args::Import,
    client::{Connection, Server, explain},
    out,
    progress::Progress,
};
use crate::api::convert::{duration_out, record_out};
use duijie_core::domain::{Kind, RecordName};
use duijie_files::{CellError, ErrorReport, Mapping, Note, ReadOptions, RecordFile, Row};
use duijie_proto as pb;
use duijie_proto::catalog_service_client::CatalogServiceClient;

/// Notes on the file that are printed; the report has them all.
const NOTES_SHOWN: usize = 20;
/// Records per batch: the model works on one batch while the next is on its way.
const BATCH: usize = 100;
/// Batches in flight.
const IN_FLIGHT: usize = 4;
/// Attempts at a batch that the service did not accept.
const ATTEMPTS: usize = 6;
/// Back-off before the second attempt; doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Rows to send together, and bad rows.
#[derive(Default)]
struct Batch {
    /// Sheet and number of each row.
    rows: Vec<(Arc<str>, u64)>,
    records: Vec<pb::Record>,
    /// Rows without a record, and rows with warnings.
    told: Vec<Row>,
    /// Bytes of the file read so far.
    read_bytes: u64,
    /// Whether one of the previous batches has a record of this batch, and so must be stored first.
    after_others: bool,
}

/// Names in the batches that may still be in flight: a repeated name must not overtake the earlier one.
#[derive(Default)]
struct Recent {
    current: HashSet<RecordName>,
    before: VecDeque<HashSet<RecordName>>,
}

/// Result of the rows in numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Stored for the first time.
    pub created: u64,
    /// Stored over an older revision.
    pub updated: u64,
    /// Equal to the stored record.
    pub unchanged: u64,
    /// Not stored.
    pub refused: u64,
    /// What was not read, or not as written, of the rows that are stored and of the file.
    pub warnings: u64,
}

/// Imports a file and prints the result.
pub async fn run(server: &Server, args: Import) -> anyhow::Result<Done> {
    let kind = match &args.kind {
        Some(name) => match Kind::from_name(name) {
            Some(kind) => Some(kind),
            None => bail!("不认识的记录类型“{name}”，应为 achievements、demands 或 experts"),
        },
        None => None,
    };
    let mapping = args.mapping.as_deref().map(Mapping::read).transpose()?;
    let options = ReadOptions { kind, mapping, source: args.source };
    let tally = tokio::select! {
        tally = import(server, &args.file, options) => tally?,
        _ = tokio::signal::ctrl_c() => bail!("已停止；已存入的记录不会丢失，再次执行同一命令即继续"),
    };
    Ok(match tally {
        Tally { refused: 0, warnings: 0, .. } => Done::All,
        Tally { refused: 0, .. } => Done::WithWarnings,
        _ => Done::SomeRefused,
    })
}

/// Imports a file; prints a summary and, if rows were refused, the path of the report.
pub async fn import(server: &Server, path: &Path, options: ReadOptions) -> anyhow::Result<Tally> {
    let client = server.catalog().await?;
    let file = duijie_files::open(path, &options)?;
    let (kind, total_bytes) = (file.kind(), file.total_bytes());
    let (sender, mut batches) = mpsc::channel(IN_FLIGHT);
    let reading = tokio::task::spawn_blocking(move || read(file, &sender));
    let mut progress = Progress::new("导入", total_bytes.max(1), "字节");
    let mut report = ErrorReport::beside(path);
    let mut tally = Tally::default();
    let mut sending = FuturesOrdered::new();
    let mut finish = |(batch, results): (Batch, Vec<pb::UpsertResult>)| {
        progress.set(batch.read_bytes.min(total_bytes));
        note(&batch, &results, &mut tally, &mut report)
    };
    while let Some(batch) = batches.recv().await {
        let room = if batch.after_others { 0 } else { IN_FLIGHT - 1 };
        while room < sending.len()
            && let Some(sent) = sending.next().await
        {
            finish(sent?)?;
        }
        sending.push_back(send(client.clone(), batch));
    }
    while let Some(sent) = sending.next().await {
        finish(sent?)?;
    }
    let notes = reading.await.context("读取文件的线程中断")?;
    let took = progress.finish();
    for note in &notes {
        report.note(note)?;
    }
    tally.warnings = report.warnings();
    print_summary(kind, tally, took.as_secs_f64());
    print_notes(&notes);
    out::as_json([&tally.answer(took)])?;
    if let Some(written) = report.finish()? {
        let path = written.path.display();
        match (tally.refused, tally.warnings) {
            (0, warnings) => println!("并非全部读入：有 {warnings} 处提示，逐条见 {path}"),
            (refused, 0) => println!("有 {refused} 行未导入，原因见 {path}"),
            (refused, warnings) => println!("有 {refused} 行未导入，另有 {warnings} 处提示，逐条见 {path}"),
        }
    }
    Ok(tally)
}

/// Reads rows into batches until the file ends or the receiver is gone; returns the notes on the file.
fn read(mut file: RecordFile, sender: &mpsc::Sender<Batch>) -> Vec<Note> {
    let mut batch = Batch::default();
    let mut recent = Recent::default();
    while let Some(row) = file.next() {
        if let Ok(record) = &row.result {
            batch.after_others |= recent.sees(record.name());
            batch.rows.push((row.sheet.clone(), row.number));
            batch.records.push(record_out(record.clone()));
        }
        if row.result.is_err() || !row.warnings.is_empty() {
            batch.told.push(row);
        }
        if BATCH <= batch.records.len() + batch.told.len() {
            batch.read_bytes = file.bytes_read();
            recent.next_batch();
            if sender.blocking_send(std::mem::take(&mut batch)).is_err() {
                return Vec::new();
            }
        }
    }
    batch.read_bytes = file.bytes_read();
    let _ = sender.blocking_send(batch);
    file.notes().to_vec()
}

// === impl Recent ===

impl Recent {
    /// Adds a name; returns whether one of the previous batches has it.
    fn sees(&mut self, name: RecordName) -> bool {
        let again = self.before.iter().any(|names| names.contains(&name));
        self.current.insert(name);
        again
    }

    /// Begins the next batch. Keeps the names of the batches in flight, of as many in the channel, and of the one about
    /// to be sent.
    fn next_batch(&mut self) {
        self.before.push_back(std::mem::take(&mut self.current));
        if 2 * IN_FLIGHT + 1 < self.before.len() {
            self.before.pop_front();
        }
    }
}

/// Sends a batch, and retries while the service is busy or unavailable: the call is idempotent.
async fn send(
    client: CatalogServiceClient<Connection>,
    mut batch: Batch,
) -> anyhow::Result<(Batch, Vec<pb::UpsertResult>)> {
    let records = std::mem::take(&mut batch.records);
    if records.is_empty() {
        return Ok((batch, Vec::new()));
    }
    let upsert = || {
        let mut client = client.clone();
        let mut request = tonic::Request::new(pb::BatchUpsertRecordsRequest { records: records.clone() });
        request.set_timeout(Duration::from_secs(600));
        async move { client.batch_upsert_records(request).await }
    };
    let backoff = ExponentialBuilder::new().with_min_delay(FIRST_WAIT).with_max_times(ATTEMPTS - 1);
    let may_pass = |status: &tonic::Status| matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    match upsert.retry(backoff).when(may_pass).await {
        Ok(answer) => Ok((batch, answer.into_inner().results)),
        Err(status) => Err(explain(&status).context("导入中断；再次执行同一命令即从断点继续")),
    }
}

fn note(
    batch: &Batch,
    results: &[pb::UpsertResult],
    tally: &mut Tally,
    report: &mut ErrorReport,
) -> anyhow::Result<()> {
    for row in &batch.told {
        tally.refused += u64::from(row.result.is_err());
        report.row(row)?;
    }
    for ((sheet, row), result) in batch.rows.iter().zip(results) {
        match result.outcome() {
            pb::UpsertOutcome::Created => tally.created += 1,
            pb::UpsertOutcome::Updated => tally.updated += 1,
            pb::UpsertOutcome::Unchanged => tally.unchanged += 1,
            pb::UpsertOutcome::Refused | pb::UpsertOutcome::Unspecified => {
                tally.refused += 1;
                let error = |violation: &pb::FieldViolation| CellError {
                    column: violation.field.clone(),
                    value: result.name.clone(),
                    reason: violation.localized_description.clone(),
                };
                let mut errors: Vec<CellError> = result.violations.iter().map(error).collect();
                let listed = i32::try_from(errors.len()).unwrap_or(i32::MAX);
                if listed < result.violation_count {
                    let reason = format!("另有 {} 处错误没有列出", result.violation_count - listed);
                    errors.push(CellError { column: String::new(), value: result.name.clone(), reason });
                }
                report.refused(sheet, *row, &errors)?;
            }
        }
    }
    Ok(())
}

// === impl Tally ===

impl Tally {
    /// The same numbers as those of an import over the wire.
    fn answer(self, took: Duration) -> pb::ImportRecordsResponse {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let Self { created, updated, unchanged, refused, .. } = self;
        pb::ImportRecordsResponse {
            total_count: count(created + updated + unchanged + refused),
            created_count: count(created),
            updated_count: count(updated),
            unchanged_count: count(unchanged),
            refused_count: count(refused),
            duration: Some(duration_out(took)),
            ..Default::default()
        }
    }
}

fn print_summary(kind: Kind, tally: Tally, seconds: f64) {
    let Tally { created, updated, unchanged, refused, warnings } = tally;
    let told = if warnings == 0 { String::new() } else { format!("，提示 {warnings} 处") };
    println!(
        "{}：新增 {created}，更新 {updated}，未变 {unchanged}，未导入 {refused}{told}，用时 {seconds:.1} 秒",
        kind.label()
    );
}

/// What was not read of the file, by sheet and column.
fn print_notes(notes: &[Note]) {
    for note in notes.iter().take(NOTES_SHOWN) {
        let sheet = if note.sheet.is_empty() { String::new() } else { format!("工作表“{}”", note.sheet) };
        let row = note.row.map(|row| format!("第 {row} 行")).unwrap_or_default();
        let column = match note.cell.column.as_str() {
            "" => String::new(),
            column if column.starts_with('（') => String::new(),
            column => format!("列“{column}”"),
        };
        let place = format!("{sheet}{row}{column}");
        let mark = if note.warns { "注意" } else { "说明" };
        let colon = if place.is_empty() { "" } else { "：" };
        eprintln!("{mark}：{place}{colon}{}", note.cell.reason);
    }
    if NOTES_SHOWN < notes.len() {
        eprintln!("……另有 {} 条", notes.len() - NOTES_SHOWN);
    }
}
