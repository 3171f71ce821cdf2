//! The workbook for the staff: 总览, 各单位, 各桌, 各时段, 统计. Each sheet prints on A4 landscape with its headings on each page.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use super::{
    ExportError, labels,
    view::{Row, Side, View},
};
use crate::events::model::{Counts, Grouping, Rejection};
use duijie_core::domain::{Code, gb};
use duijie_files::export::{Cell, Column, begin_sheet, begin_workbook, write_row};

/// Excel's number for A4.
const A4: u8 = 9;
/// Background colour of headings.
const SHADE: u32 = 0x00DD_E6F0;

const OVERVIEW: [Column; 3] = [Column::new("项目", 24), Column::new("内容", 60), Column::new("说明", 60)];
const ORGANISATIONS: [Column; 12] = [
    Column::new("单位", 26),
    Column::new("日期", 11),
    Column::new("时间", 13),
    Column::new("桌号", 6),
    Column::new("本单位项目", 32),
    Column::new("对方单位", 26),
    Column::new("对方项目", 32),
    Column::new("类别", 6),
    Column::new("对方联系人", 11),
    Column::new("对方电话", 15),
    Column::new("对方邮箱", 20),
    Column::new("联系方式", 9),
];
const TABLES: [Column; 8] = [
    Column::new("桌号", 6),
    Column::new("日期", 11),
    Column::new("时间", 13),
    Column::new("需求", 36),
    Column::new("需求单位", 28),
    Column::new("供给项目", 36),
    Column::new("类别", 6),
    Column::new("供给单位", 28),
];
const SLOTS: [Column; 11] = [
    Column::new("日期", 11),
    Column::new("时间", 13),
    Column::new("桌号", 6),
    Column::new("需求", 34),
    Column::new("需求单位", 26),
    Column::new("供给项目", 34),
    Column::new("类别", 6),
    Column::new("供给单位", 26),
    Column::new("匹配等级", 9),
    Column::new("到会情况", 9),
    Column::new("进展", 18),
];
const STATISTICS: [Column; 20] = [
    Column::new("统计方式", 10),
    Column::new("分组", 18),
    Column::new("洽谈", 7),
    Column::new("已预约", 7),
    Column::new("已洽谈", 7),
    Column::new("空场", 7),
    Column::new("已替换", 7),
    Column::new("达成意向", 9),
    Column::new("洽谈中", 7),
    Column::new("已签约", 7),
    Column::new("签约金额（元）", 15),
    Column::new("未成", 7),
    Column::new("成熟度不够", 9),
    Column::new("优势不明确", 9),
    Column::new("产业化路径不明确", 9),
    Column::new("材料说明不清", 9),
    Column::new("不属于本单位方向", 9),
    Column::new("没有人力或预算", 9),
    Column::new("已有解决方案", 9),
    Column::new("价格、条件或知识产权谈不拢", 11),
];

/// Makes the workbook.
pub(super) fn workbook(view: &View) -> Result<Vec<u8>, ExportError> {
    let mut workbook = begin_workbook(&labels::line(&view.event.title), view.time)?;
    overview(workbook.add_worksheet_with_constant_memory()?, view)?;
    sheet(workbook.add_worksheet_with_constant_memory()?, view, "各单位", &ORGANISATIONS, organisations(view))?;
    sheet(workbook.add_worksheet_with_constant_memory()?, view, "各桌", &TABLES, tables(view))?;
    sheet(workbook.add_worksheet_with_constant_memory()?, view, "各时段", &SLOTS, view.rows.iter().map(in_slot))?;
    sheet(workbook.add_worksheet_with_constant_memory()?, view, "统计", &STATISTICS, statistics(view))?;
    Ok(workbook.save_to_buffer()?)
}

fn organisations(view: &View) -> impl Iterator<Item = Vec<Cell<'static>>> {
    view.organisations.iter().flat_map(move |organisation| {
        organisation.meetings.iter().filter_map(move |(at, is_demand)| {
            let row = view.rows.get(*at)?;
            let (own, other) = row.sides(*is_demand);
            let mut cells = vec![text(&organisation.name)];
            cells.extend(when(row));
            cells.extend([
                table(row),
                text(&own.title),
                text(&other.organisation),
                text(&other.title),
                text(other.kind()),
            ]);
            let contact = &other.contact;
            cells.extend([&contact.person, &contact.phone, &contact.email].map(|part| text(part)));
            cells.push(text(row.exchange()));
            Some(cells)
        })
    })
}

fn tables(view: &View) -> impl Iterator<Item = Vec<Cell<'static>>> {
    let mut rows: Vec<&Row> = view.rows.iter().collect();
    rows.sort_by_key(|row| (row.meeting.table, row.meeting.slot));
    rows.into_iter().map(|row| {
        let mut cells = vec![table(row)];
        cells.extend(when(row));
        cells.extend(parties(&row.demand, &row.counterpart));
        cells
    })
}

fn in_slot(row: &Row) -> Vec<Cell<'static>> {
    let mut cells: Vec<Cell> = when(row).into_iter().collect();
    cells.push(table(row));
    cells.extend(parties(&row.demand, &row.counterpart));
    cells.push(text(row.level.map(|level| level.label()).unwrap_or_default()));
    cells.push(text(row.outcome.map(|outcome| outcome.attendance.label()).unwrap_or_default()));
    cells.push(text(&labels::progress(row.outcome)));
    cells
}

fn when(row: &Row) -> [Cell<'static>; 2] {
    [text(&row.slot.date.to_string()), text(&labels::hours(row.slot))]
}

fn table(row: &Row) -> Cell<'static> {
    Cell::Number(row.table().into())
}

fn parties(demand: &Side, counterpart: &Side) -> [Cell<'static>; 5] {
    let counterpart = [&counterpart.title, counterpart.kind(), &counterpart.organisation].map(text);
    let [title, kind, organisation] = counterpart;
    [text(&demand.title), text(&demand.organisation), title, kind, organisation]
}

fn statistics(view: &View) -> impl Iterator<Item = Vec<Cell<'static>>> {
    let groups = view.statistics.groups.iter().flat_map(|(by, groups)| {
        groups.iter().map(|(group, counts)| counted(by.label(), &group_label(*by, group, view), counts))
    });
    std::iter::once(counted("合计", "", &view.statistics.total)).chain(groups)
}

fn group_label(by: Grouping, group: &str, view: &View) -> String {
    let label = match by {
        Grouping::Event if group == view.event.id => view.event.title.clone(),
        Grouping::City => gb::region_label(group),
        Grouping::Field => gb::field_label(group).to_string(),
        Grouping::Event | Grouping::Quarter => group.to_string(),
    };
    match label.as_str() {
        "" if group.is_empty() => "（未填）".to_string(),
        "" => group.to_string(),
        _ => labels::line(&label),
    }
}

fn counted(by: &str, group: &str, counts: &Counts) -> Vec<Cell<'static>> {
    let mut cells = vec![text(by), text(group)];
    let counted = [counts.meetings, counts.booked, counts.held, counts.empty, counts.replaced, counts.intents];
    cells.extend(counted.map(number));
    cells.extend([counts.negotiating, counts.signed].map(number));
    #[allow(clippy::cast_precision_loss, reason = "yuan up to 2^53 are exact")]
    cells.push(Cell::Number(counts.signed_yuan as f64));
    cells.push(number(counts.rejected));
    cells.extend(counts.reasons.map(number));
    debug_assert_eq!(counts.reasons.len(), Rejection::TABLE.len());
    cells
}

/// Writes facts about the event, then who shares people, then the pairs without a meeting.
fn overview(sheet: &mut Worksheet, view: &View) -> Result<(), XlsxError> {
    let (heading, body) = (heading(), body());
    set_up(sheet, view, "总览", &OVERVIEW)?;
    let mut at = 0;
    let mut write = |cells: [&str; 3], format: &Format| {
        at += 1;
        write_row(sheet, at, cells.map(|cell| (cell.into(), format)))
    };
    for (name, value) in facts(view) {
        write([name, &value, ""], &body)?;
    }
    if !view.plan.shared.is_empty() {
        write(["共用到场人员", "项目数", "说明"], &heading)?;
        for shared in &view.plan.shared {
            write([&labels::line(&shared.who), &shared.count.to_string(), &labels::line(&shared.chinese())], &body)?;
        }
    }
    if !view.plan.unplaced.is_empty() {
        write(["未排上的对接", "双方", "原因"], &heading)?;
        for unplaced in &view.plan.unplaced {
            let [demand, counterpart] =
                [&unplaced.pair.demand, &unplaced.pair.counterpart].map(|record| view.side(record));
            let both = format!("{} × {}", demand.title, counterpart.title);
            write([&demand.organisation, &both, &labels::line(&unplaced.cause.chinese())], &body)?;
        }
    }
    Ok(())
}

/// Returns the facts about the event.
pub(super) fn facts(view: &View) -> Vec<(&'static str, String)> {
    let (event, plan) = (view.event, view.plan);
    let active = view.participants.iter().filter(|it| it.is_active());
    let count = |kind| active.clone().filter(|it| it.record.kind == kind).count();
    use duijie_core::domain::Kind::{Achievement, Demand, Expert};
    let mut facts = vec![
        ("活动", labels::line(&event.title)),
        ("编号", event.id.clone()),
        ("地点", labels::line(&event.place)),
        ("日期", labels::days(&event.slots)),
        ("状态", event.state.label().to_string()),
        ("时段", format!("{} 个", event.slots.len())),
        ("桌子", format!("{} 张，每个时段最多使用 {} 张", event.tables, event.usable_tables())),
        ("参会", format!("需求 {} 项，成果 {} 项，专家 {} 位", count(Demand), count(Achievement), count(Expert))),
        ("有洽谈的单位", format!("{} 家", view.organisations.len())),
        ("入选对接", format!("{} 对", plan.shortlist.len())),
        ("已排洽谈", format!("{} 场", view.rows.len())),
        ("未排上", format!("{} 对", plan.unplaced.len())),
    ];
    if let Some(figures) = &plan.schedule {
        facts.push(("等候", format!("{} 个时段（各方两场洽谈之间的空档合计）", figures.gaps)));
        facts.push(("换桌", format!("需求方 {} 次，供给方 {} 次", figures.host_moves, figures.guest_moves)));
        facts.push(("桌位利用率", format!("{:.1}%", figures.used * 100.0)));
    }
    facts
}

/// Writes a sheet row by row; written rows leave memory.
fn sheet(
    sheet: &mut Worksheet,
    view: &View,
    name: &str,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Cell<'static>>>,
) -> Result<(), XlsxError> {
    set_up(sheet, view, name, columns)?;
    let body = body();
    for (at, cells) in (1..).zip(rows) {
        write_row(sheet, at, cells.into_iter().map(|cell| (cell, &body)))?;
    }
    Ok(())
}

fn set_up(sheet: &mut Worksheet, view: &View, name: &str, columns: &[Column]) -> Result<(), XlsxError> {
    // An ampersand starts a code in headers and footers.
    let title = labels::line(&view.event.title).replace('&', "&&");
    let title: String = title.chars().take(80).collect();
    begin_sheet(sheet, name, columns, &heading())?;
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.7, 0.6, 0.3, 0.3);
    sheet.set_header(format!("&L{title}&R{name}")).set_footer("&C第 &P 页，共 &N 页");
    sheet.set_repeat_rows(0, 0)?;
    Ok(())
}

fn heading() -> Format {
    body().set_bold().set_background_color(SHADE).set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter)
}

fn body() -> Format {
    let format = Format::new().set_font_name("宋体").set_font_size(10).set_text_wrap();
    format.set_align(FormatAlign::Top).set_border(FormatBorder::Thin)
}

fn text(text: &str) -> Cell<'static> {
    text.to_string().into()
}

#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn number(count: u64) -> Cell<'static> {
    Cell::Number(count as f64)
}
