//! `ExportEvent`: streams a file in parts, no faster than the caller reads.

use super::{
    convert::event::{event_name_in, record_name_in},
    stream::{About, Answers, PartWriter, stream},
};
use crate::{
    error::Error,
    events::{
        export::{self, EventReport, ExportError, Format},
        model::EventError,
        service::{Events, Report},
    },
};
use duijie_core::domain::{Code, Problem, RecordName, Violation};
use duijie_cpu::Lane;
use duijie_proto as pb;

/// Parts that the caller has not taken yet, to bound memory.
const WAITING_PARTS: usize = 2;

/// Makes the file and starts sending it.
///
/// # Errors
/// Violations of the request; [`EventError::NotFound`], [`EventError::NoShortlist`], [`EventError::ScheduleOutdated`],
/// [`EventError::NoParticipant`].
pub async fn export(
    events: &Events,
    request: pb::ExportEventRequest,
) -> Result<Answers<pb::ExportEventResponse>, Error> {
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
    let bytes = duijie_cpu::run(Lane::Long, move || made(&report, format, record.as_ref())).await??;
    let (outgoing, answers) = stream(WAITING_PARTS);
    let about = About { media_type: format.media_type(), file_name };
    let writer = PartWriter::new(outgoing, about, |part| pb::ExportEventResponse { part: Some(part) });
    tokio::spawn(async move {
        // a caller that has gone needs no answer
        let _ = writer.send_all(&bytes).await;
    });
    Ok(answers)
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

fn format_in(format: i32) -> Result<Format, Violation> {
    if format == 0 {
        return Err(Violation::new("format", Problem::Required));
    }
    let unknown = || Violation::new("format", Problem::UnknownCode { table: Format::NAME });
    Format::from_number(format).ok_or_else(unknown)
}
