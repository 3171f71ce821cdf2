//! The meetings as CSV, one row per meeting, in UTF-8 with the byte order mark that spreadsheets need.

use super::{
    ExportError, labels,
    view::{Row, Side, View},
};
use duijie_core::domain::Code;
use duijie_files::export::{Cell, Csv};

const HEADINGS: [&str; 23] = [
    "日期",
    "时间",
    "桌号",
    "需求编号",
    "需求",
    "需求单位",
    "需求方联系人",
    "需求方电话",
    "需求方邮箱",
    "供给类别",
    "供给编号",
    "供给项目",
    "供给单位",
    "供给方联系人",
    "供给方电话",
    "供给方邮箱",
    "联系方式",
    "匹配等级",
    "得分",
    "固定",
    "到会情况",
    "进展",
    "序号",
];

/// Makes the table.
pub(super) fn table(view: &View) -> Result<Vec<u8>, ExportError> {
    let mut csv = Csv::new(Vec::new(), HEADINGS)?;
    for (at, row) in view.rows.iter().enumerate() {
        csv.write(fields(at + 1, row).into_iter().map(Cell::from))?;
    }
    Ok(csv.finish()?)
}

fn fields(number: usize, row: &Row) -> Vec<String> {
    let contact = |side: &Side| [side.contact.person.clone(), side.contact.phone.clone(), side.contact.email.clone()];
    let (demand, counterpart) = (&row.demand, &row.counterpart);
    let mut fields = vec![row.slot.date.to_string(), labels::hours(row.slot), row.table().to_string()];
    fields.extend([demand.record.to_string(), demand.title.clone(), demand.organisation.clone()]);
    fields.extend(contact(demand));
    fields.extend([counterpart.kind().to_string(), counterpart.record.to_string()]);
    fields.extend([counterpart.title.clone(), counterpart.organisation.clone()]);
    fields.extend(contact(counterpart));
    fields.push(row.exchange().to_string());
    fields.push(row.level.map(|level| level.label()).unwrap_or_default().to_string());
    fields.push(row.score.map(|score| format!("{score:.3}")).unwrap_or_default());
    fields.push(if row.meeting.locked { "是" } else { "" }.to_string());
    fields.push(row.outcome.map(|outcome| outcome.attendance.label()).unwrap_or_default().to_string());
    fields.push(labels::progress(row.outcome));
    fields.push(number.to_string());
    fields
}
