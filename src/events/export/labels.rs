//! Chinese labels for times, tables and states.

use jiff::civil::{Date, Time, Weekday};

use crate::events::model::{Outcome, OutcomeProgress, Slot};

/// Returns a date such as `2026年12月1日`.
pub(super) fn full_date(date: Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// Returns a date such as `12月1日`.
pub(super) fn short_date(date: Date) -> String {
    format!("{}月{}日", date.month(), date.day())
}

/// Returns a weekday such as `星期二`.
pub(super) fn weekday(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}

/// Returns a time such as `09:00`.
pub(super) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Returns a time range such as `09:00–09:25`.
pub(super) fn hours(slot: &Slot) -> String {
    format!("{}–{}", clock(slot.start), clock(slot.end))
}

/// Returns the days of an event: `2026年12月1日`, `2026年12月1日至2日`, `2026年11月30日至12月1日`.
pub(super) fn days(slots: &[Slot]) -> String {
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return String::new() };
    let (first, last) = (first.date, last.date);
    match () {
        () if first == last => full_date(first),
        () if first.year() != last.year() => format!("{}至{}", full_date(first), full_date(last)),
        () if first.month() != last.month() => format!("{}至{}", full_date(first), short_date(last)),
        () => format!("{}至{}日", full_date(first), last.day()),
    }
}

/// Returns the progress with the amount of a contract; empty if none is recorded.
pub(super) fn progress(outcome: Option<&Outcome>) -> String {
    use duijie_core::domain::Code;
    match outcome.and_then(|outcome| outcome.progress) {
        None => String::new(),
        Some(progress @ OutcomeProgress::Signed { kind, amount_yuan }) => {
            format!("{}（{}，{amount_yuan} 元）", progress.label(), kind.label())
        }
        Some(progress @ OutcomeProgress::Rejected { reason }) => format!("{}（{}）", progress.label(), reason.label()),
        Some(progress) => progress.label().to_string(),
    }
}

/// Returns the text as one line: control characters and line ends become spaces, so every format can hold it.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
