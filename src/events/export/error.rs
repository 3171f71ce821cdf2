//! Errors of an export.

use thiserror::Error;

use duijie_core::domain::RecordName;

/// Errors of an export.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The event does not have the slot of a meeting.
    #[error("日程中的第 {0} 个时段不在活动的时段之内，请重新排程后再导出")]
    UnknownSlot(usize),
    /// The record is not a participant.
    #[error("{0} 不是本次活动的参会者")]
    UnknownParticipant(RecordName),
    /// The workbook cannot be written.
    #[error("工作簿无法生成：{0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The JSON cannot be written.
    #[error("数据无法生成：{0}")]
    Json(#[from] serde_json::Error),
    /// A calendar cannot be written.
    #[error("日历无法生成：{0}")]
    Calendar(#[from] std::fmt::Error),
    /// An archive cannot be written.
    #[error("压缩包无法生成：{0}")]
    Archive(#[from] zip::result::ZipError),
    /// Bytes cannot be written.
    #[error("导出内容无法写出：{0}")]
    Write(#[from] std::io::Error),
}
