//! What people take home from an event: workbook, printed pages, calendars, table, JSON. Pure: values in, bytes out; no
//! clock, so the same report gives the same bytes.
//!
//! ```text
//! EventReport ─ view (labels, organisations, contacts masked) ─┬─ workbook  XLSX, for the staff
//!                                                              ├─ page      HTML, one A4 page for each organisation
//!                                                              ├─ calendar  ICS, for each participant or all
//!                                                              ├─ table     CSV
//!                                                              └─ json      JSON
//! ```
//!
//! **Contacts** are masked in the view, before any format sees them: the real ones stand there only where both sides of that
//! meeting agree. Notes of the staff and who presents are in no export.
//!
//! Everything is made in memory: about 1.5 KB a meeting in HTML, the largest. A workbook's rows go through temporary files.

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

/// All that an export shows of an event.
#[derive(Debug, Clone, Copy)]
pub struct EventReport<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its plan; its meetings are what is handed out.
    pub plan: &'a Plan,
    /// Everybody, in the order of their records, those who called off included.
    pub participants: &'a [Participant],
    /// What became of the meetings; consent to show contacts is taken from here.
    pub outcomes: &'a [Outcome],
    /// When the export is made: the time stamp of calendars and workbook.
    pub time: Timestamp,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A workbook for the staff.
    Xlsx,
    /// Pages to print, one for each organisation that has a meeting.
    Html,
    /// A calendar: of one participant where one is named, of all meetings otherwise.
    Ics,
    /// A ZIP archive with a calendar for each participant who has a meeting.
    IcsZip,
    /// A table of the meetings: UTF-8 with a byte order mark.
    Csv,
    /// Everything, for programs.
    Json,
}

/// Makes an export. `participant` is asked for by [`Format::Ics`] only.
///
/// # Errors
/// The plan names a slot that the event does not have, the participant takes no part, or a library refuses what it is
/// given (a workbook holds 1,048,576 rows).
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
    /// Media type of the bytes.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Html => "text/html; charset=utf-8",
            Self::Ics => "text/calendar; charset=utf-8",
            Self::IcsZip => "application/zip",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Whether it holds nothing but meetings' times.
    pub fn is_calendar(self) -> bool {
        matches!(self, Self::Ics | Self::IcsZip)
    }

    /// Ending of a file of it, without the dot.
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
