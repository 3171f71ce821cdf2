//! Printable A4 pages, one per organisation with a meeting. All styles are inline; nothing is fetched.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    labels,
    view::{Organisation, Row, Side, View},
};

/// Number of rows from which line spacing is tighter, so that more meetings fit on a page.
const DENSE: usize = 9;

/// Makes the pages. An organisation with too many meetings for one page continues on the next, with the same headings.
pub(super) fn pages(view: &View) -> String {
    let title = labels::line(&view.event.title);
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) "·洽谈安排" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                @for organisation in &view.organisations { (section(view, organisation)) }
                @if view.organisations.is_empty() {
                    section.page { (banner(view)) h1 { "尚无洽谈安排" } }
                }
            }
        }
    };
    page.into_string()
}

fn banner(view: &View) -> Markup {
    let place = labels::line(&view.event.place);
    html! {
        header {
            p.event { (labels::line(&view.event.title)) }
            p.where { (labels::days(&view.event.slots)) @if !place.is_empty() { "　" (place) } }
        }
    }
}

fn section(view: &View, organisation: &Organisation) -> Markup {
    let rows: Vec<(&Row, bool)> =
        organisation.meetings.iter().filter_map(|(at, is_demand)| Some((view.rows.get(*at)?, *is_demand))).collect();
    let class = if rows.len() < DENSE { "page" } else { "page dense" };
    let own = only_project(&rows);
    html! {
        section class=(class) {
            (banner(view))
            h1 { (organisation.name) }
            p.sum { (summary(&rows)) }
            @if let Some(own) = own { p.project { span.kind { (own.kind()) } (own.title) } }
            table {
                colgroup {
                    col.time; col.table;
                    @if own.is_none() { col.own; }
                    col.other; col.subject; col.contact;
                }
                thead {
                    tr {
                        th { "时间" } th { "桌号" }
                        @if own.is_none() { th { "本单位项目" } }
                        th { "洽谈单位" } th { "对方项目" } th { "联系方式" }
                    }
                }
                @for day in rows.chunk_by(|(one, _), (next, _)| one.slot.date == next.slot.date) {
                    (meetings_of_a_day(day, own.is_none()))
                }
            }
            footer { (footnote(&rows)) }
        }
    }
}

/// Returns the project of an organisation with only one. It goes above the table, which leaves more room in the table.
fn only_project<'a>(rows: &[(&'a Row, bool)]) -> Option<&'a Side> {
    let mut own = rows.iter().map(|(row, is_demand)| row.sides(*is_demand).0);
    let first = own.next()?;
    own.all(|side| side.record == first.record).then_some(first)
}

fn meetings_of_a_day(day: &[(&Row, bool)], has_own: bool) -> Markup {
    let date = day.first().map(|(row, _)| row.slot.date);
    html! {
        tbody {
            @if let Some(date) = date {
                tr.day {
                    th colspan=(if has_own { 6 } else { 5 }) { (labels::full_date(date)) "　" (labels::weekday(date)) }
                }
            }
            @for (row, is_demand) in day {
                @let (own, other) = row.sides(*is_demand);
                tr {
                    td.time { (labels::hours(row.slot)) }
                    td.table { (row.table()) }
                    @if has_own { td { (own.title) } }
                    td { (other.organisation) }
                    td { span.kind { (other.kind()) } (other.title) }
                    td.contact { (contact(other)) }
                }
            }
        }
    }
}

fn contact(side: &Side) -> Markup {
    let contact = &side.contact;
    html! {
        @if !contact.person.is_empty() { (contact.person) " " }
        @if !contact.phone.is_empty() { span.number { (contact.phone) } }
        @if !contact.email.is_empty() { div { (contact.email) } }
    }
}

/// Returns a sentence such as `共 5 场洽谈：12月1日 3 场，12月2日 2 场。`
fn summary(rows: &[(&Row, bool)]) -> String {
    let days = rows.chunk_by(|(one, _), (next, _)| one.slot.date == next.slot.date);
    let days = days.filter_map(|day| Some((day.first()?.0.slot.date, day.len())));
    let days: Vec<String> = days.map(|(date, count)| format!("{} {count} 场", labels::short_date(date))).collect();
    match days.as_slice() {
        [day] => format!("共 {} 场洽谈，均在 {}。", rows.len(), day.split(' ').next().unwrap_or_default()),
        days => format!("共 {} 场洽谈：{}。", rows.len(), days.join("，")),
    }
}

fn footnote(rows: &[(&Row, bool)]) -> &'static str {
    if rows.iter().all(|(row, _)| row.agreed) {
        "请提前五分钟到桌。如需调整，请联系会务组。"
    } else {
        "请提前五分钟到桌。如需调整，请联系会务组。联系方式中的星号，待双方同意交换后显示。"
    }
}
