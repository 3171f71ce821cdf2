//! `ExportEvent`: streams a file in parts, no faster than the caller reads.

use std::time::Duration;

use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::convert::event::{event_name_in, record_name_in};
use crate::{
    error::Error,
    events::{
        export::{self, EventReport, ExportError, Format},
        model::EventError,
        service::{Events, Report},
    },
};
use duijie_core::domain::{Code, Problem, RecordName, Violation};
use duijie_proto as pb;

/// Bytes per part: few messages, each far below the default client limit (4 MiB).
const CHUNK_BYTES: usize = 1 << 20;
/// Parts queued for sending; bounds memory.
const WAITING: usize = 2;
/// Time until a caller that reads no part is disconnected.
const STALL: Duration = Duration::from_secs(60);

type Part = Result<pb::ExportEventResponse, Status>;

/// Makes the file and starts sending it.
///
/// # Errors
/// Violations of the request; [`EventError::NotFound`], [`EventError::NoShortlist`], [`EventError::ScheduleOutdated`],
/// [`EventError::NoParticipant`].
pub async fn export(events: &Events, request: pb::ExportEventRequest) -> Result<ReceiverStream<Part>, Error> {
    let id = event_name_in(&request.name, "name")?;
    let format = format_in(request.format)?;
    let record = match request.record.as_str() {
        "" => None,
        _ if format != Format::Ics => return Err(Violation::new("record", Problem::Contradiction).into()),
        name => Some(record_name_in(name, "record")?),
    };
    let report = events.report(&id).await?;
    if report.event.plan.is_none() {
        return Err(EventError::NoShortlist.into());
    }
    if format.is_calendar() && report.plan.schedule.is_none() {
        return Err(EventError::ScheduleOutdated.into());
    }
    let file_name = match &record {
        Some(record) => format!("{id}-{}", export::file_name(record)),
        None => format!("{id}.{}", format.extension()),
    };
    let bytes = tokio::task::spawn_blocking(move || made(&report, format, record.as_ref())).await;
    let bytes = bytes.map_err(|error| Error::Internal(format!("the export ended: {error}")))??;
    let (sender, parts) = mpsc::channel(WAITING);
    tokio::spawn(send(bytes, file_name, format, sender));
    Ok(ReceiverStream::new(parts))
}

fn made(report: &Report, format: Format, record: Option<&RecordName>) -> Result<Vec<u8>, Error> {
    let values = EventReport {
        event: &report.event.event,
        plan: &report.plan,
        participants: &report.participants,
        outcomes: &report.outcomes,
        // use the time of the last change, so that the same event gives the same bytes
        time: report.event.event.update_time,
    };
    export::export(&values, format, record).map_err(|error| match error {
        ExportError::UnknownParticipant(record) => EventError::NoParticipant(record).into(),
        other => Error::Internal(other.to_string()),
    })
}

async fn send(bytes: Vec<u8>, file_name: String, format: Format, sender: Sender<Part>) {
    let total_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    for chunk in bytes.chunks(CHUNK_BYTES) {
        let part = pb::ExportEventResponse {
            chunk: chunk.to_vec(),
            total_bytes,
            file_name: file_name.clone(),
            media_type: format.media_type().to_string(),
        };
        if sender.send_timeout(Ok(part), STALL).await.is_err() {
            return;
        }
    }
}

fn format_in(format: i32) -> Result<Format, Violation> {
    if format == 0 {
        return Err(Violation::new("format", Problem::Required));
    }
    let unknown = || Violation::new("format", Problem::UnknownCode { table: Format::NAME });
    Format::from_number(format).ok_or_else(unknown)
}
