//! Exports of an event: workbook, printed pages, calendars, table, JSON. Pure, without a clock: the same report gives
//! the same bytes.
//!
//! ```text
//! EventReport ─ view (labels, organisations, contacts masked) ─┬─ workbook  XLSX, for the staff
//!                                                              ├─ page      HTML, one A4 page for each organisation
//!                                                              ├─ calendar  ICS, for each participant or all
//!                                                              ├─ table     CSV
//!                                                              └─ json      JSON
//! ```
//!
//! **Contacts** are masked in the view, before any format gets them; they are shown in full only if both sides of the
//! meeting consent. No export contains staff notes or presenters.
//!
//! Files are made in memory: about 1.5 KB per meeting for HTML, the largest. Rows of a workbook go through temporary
//! files.

mod calendar;
mod error;
mod json;
mod labels;
mod page;
mod table;
mod view;
mod workbook;

#[cfg(test)]
mod tests;

pub use self::{calendar::file_name, error::ExportError};

use jiff::Timestamp;

use crate::events::model::{Event, Outcome, Participant, Plan};
use duijie_core::domain::{Code, RecordName};

use self::view::View;

/// Data of an event for an export.
#[derive(Debug, Clone, Copy)]
pub struct EventReport<'a> {
    /// The event.
    pub event: &'a Event,
    /// The current plan with its meetings.
    pub plan: &'a Plan,
    /// All participants, ordered by record, including cancelled ones.
    pub participants: &'a [Participant],
    /// Outcomes of the meetings, with the consent to show contacts.
    pub outcomes: &'a [Outcome],
    /// Time of the export: the time stamp of calendars and workbook.
    pub time: Timestamp,
}

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A workbook for the staff.
    Xlsx,
    /// Printable pages, one per organisation with a meeting.
    Html,
    /// iCalendar of the given participant, or of all meetings.
    Ics,
    /// ZIP archive with one iCalendar per participant with a meeting.
    IcsZip,
    /// CSV of the meetings in UTF-8 with a byte order mark.
    Csv,
    /// JSON with all data, for programs.
    Json,
}

/// Makes an export. Only [`Format::Ics`] uses `participant`.
///
/// # Errors
/// If the plan has a slot that the event does not have, the record is not a participant, or a library refuses the data
/// (a workbook holds 1,048,576 rows).
pub fn export(report: &EventReport, format: Format, participant: Option<&RecordName>) -> Result<Vec<u8>, ExportError> {
    let view = View::new(report)?;
    match format {
        Format::Xlsx => workbook::workbook(&view),
        Format::Html => Ok(page::pages(&view).into_bytes()),
        Format::Ics => calendar::calendar(&view, participant),
        Format::IcsZip => calendar::archive(&view),
        Format::Csv => table::table(&view),
        Format::Json => json::json(&view),
    }
}

// === impl Format ===

impl Format {
    /// Returns the media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Html => "text/html; charset=utf-8",
            Self::Ics => "text/calendar; charset=utf-8",
            Self::IcsZip => "application/zip",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Returns whether the format is a calendar.
    pub(crate) fn is_calendar(self) -> bool {
        matches!(self, Self::Ics | Self::IcsZip)
    }

    /// Returns the file extension without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Html => "html",
            Self::Ics => "ics",
            Self::IcsZip => "zip",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl Code for Format {
    const NAME: &'static str = "导出格式";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Xlsx, &["工作簿", "xlsx"]),
        (Self::Html, &["打印页", "html"]),
        (Self::Ics, &["日历", "ics"]),
        (Self::IcsZip, &["各方日历", "zip", "ics_zip"]),
        (Self::Csv, &["表格", "csv"]),
        (Self::Json, &["数据", "json"]),
    ];
}
