//! `ExportRematch`: streams a file in parts, no faster than the caller reads. Async tasks read the records; a thread of
//! its own makes the file.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use jiff::Timestamp;
use tokio::sync::mpsc::{self, Receiver};

use super::{
    caller::Place,
    stream::{About, Answers, Outgoing, PartWriter, stream},
};
use crate::{
    error::Error,
    rematch::{
        export::{Content, ExportError, Exporter, Format, Row},
        job::Job,
        reader::Reader,
    },
};
use duijie_cpu::carried;
use duijie_proto::ExportRematchResponse;

/// Parts that the caller has not taken yet, to bound memory.
const WAITING_PARTS: usize = 2;
/// Batches of rows that wait for the file.
const WAITING_ROWS: usize = 2;

/// The file to make.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// File format.
    pub format: Format,
    /// Content of the rows: results or differences.
    pub content: Content,
    /// Creation time that the file states.
    pub made: Timestamp,
}

/// Sends the file of a job's results, or of the differences from the job before it. `place` is held until the stream ends:
/// the file holds a thread for as long as its caller takes.
pub fn send(reader: Reader, before: Option<Job>, job: Job, file: File, place: Place) -> Answers<ExportRematchResponse> {
    let (outgoing, answers) = stream(WAITING_PARTS);
    tokio::spawn(carried(async move {
        let _place = place;
        run(reader, before, job, file, outgoing).await;
    }));
    answers
}

async fn run(reader: Reader, before: Option<Job>, job: Job, file: File, outgoing: Outgoing<ExportRematchResponse>) {
    let (batches, rows) = mpsc::channel(WAITING_ROWS);
    let count = Arc::new(AtomicI64::new(0));
    let about = About {
        media_type: file.format.media_type(),
        file_name: format!("rematch-{:016x}.{}", job.id.number(), file.format.extension()),
    };
    let writer = PartWriter::new(outgoing.clone(), about, {
        let count = Arc::clone(&count);
        move |part| ExportRematchResponse { part: Some(part), row_count: count.load(Relaxed) }
    });
    let making = duijie_cpu::thread("export", {
        let (writer, count) = (writer.clone(), Arc::clone(&count));
        move || make(file, rows, writer, &count)
    });
    let making = match making {
        Ok(making) => making,
        Err(error) => return outgoing.fail(error.into()).await,
    };
    let read = match before {
        Some(before) => reader.changes(&before, &job, &batches).await.map(drop),
        None => reader.pairs(job.id, &batches).await,
    };
    if let Err(error) = read {
        // without its last part nobody takes the file for whole
        return outgoing.fail(error).await;
    }
    drop(batches);
    let made = making.join().await.map_err(Error::from);
    if outgoing.is_closed() {
        return;
    }
    if let Err(error) = made.and_then(|made| made.map_err(|error| Error::Internal(error.to_string()))) {
        return outgoing.fail(error).await;
    }
    // a caller that has gone needs no answer
    let _ = writer.complete().await;
}

/// Makes the file and counts its rows.
fn make(
    file: File,
    mut rows: Receiver<Vec<Row>>,
    writer: PartWriter<ExportRematchResponse>,
    count: &AtomicI64,
) -> Result<(), ExportError> {
    let mut exporter = Exporter::new(file.format, file.content, file.made, writer)?;
    while let Some(batch) = rows.blocking_recv() {
        for row in &batch {
            exporter.write(row)?;
            count.fetch_add(1, Relaxed);
        }
    }
    exporter.finish()?;
    Ok(())
}
