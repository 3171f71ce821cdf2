//! Converts typed slots and rules into the service's messages.

use anyhow::{Context, bail, ensure};
use jiff::{
    ToSpan,
    civil::{Date, Time},
};

use super::args::{Create, Rules};
use crate::{
    cli::grade::grade,
    events::model::{Group, Side},
};
use duijie_core::domain::{Code, gb};
use duijie_proto as pb;

/// Most slots per session, so that senseless lengths and pauses end.
const MAX_SLOTS: usize = 500;

/// The slots of all days.
pub fn slots(it: &Create) -> anyhow::Result<Vec<pb::Slot>> {
    let sessions: Vec<(Time, Time)> = it.session.iter().map(|text| session(text)).collect::<anyhow::Result<_>>()?;
    let mut slots = Vec::new();
    for day in &it.day {
        for (start, end) in &sessions {
            let (mut at, end) = (day.to_datetime(*start), day.to_datetime(*end));
            loop {
                let until = at.checked_add(it.minutes.minutes())?;
                if end < until || MAX_SLOTS < slots.len() {
                    break;
                }
                slots.push(slot(*day, at.time(), until.time()));
                at = until.checked_add(it.pause.minutes())?;
            }
        }
    }
    ensure!(!slots.is_empty(), "时间段太短，一场也排不下，请检查 --session 和 --minutes");
    Ok(slots)
}

/// Parses `09:00-11:30`.
fn session(text: &str) -> anyhow::Result<(Time, Time)> {
    let wrong = || format!("时间段“{text}”无法识别，应形如 09:00-11:30");
    let (start, end) = text.split_once('-').with_context(wrong)?;
    Ok((start.trim().parse().with_context(wrong)?, end.trim().parse().with_context(wrong)?))
}

/// Parses `2026-12-01 09:00-12:00`.
pub fn window(text: &str) -> anyhow::Result<pb::Slot> {
    let wrong = || format!("时间“{text}”无法识别，应形如 2026-12-01 09:00-12:00");
    let (date, times) = text.trim().split_once(' ').with_context(wrong)?;
    let (start, end) = session(times)?;
    Ok(slot(date.parse().with_context(wrong)?, start, end))
}

fn slot(date: Date, start: Time, end: Time) -> pb::Slot {
    let clock = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
    pb::Slot { date: date.to_string(), start_time: clock(start), end_time: clock(end) }
}

/// Converts the rules.
pub fn rules(it: Rules) -> anyhow::Result<pb::EventRules> {
    let min_grade = it.min_level.as_deref().map_or(Ok(0), grade)?;
    Ok(pb::EventRules {
        max_per_demand: it.per_demand,
        max_per_achievement: it.per_achievement,
        max_per_expert: it.per_expert,
        max_per_demand_organisation: it.per_demand_owner,
        max_per_counterpart_organisation: it.per_supply_owner,
        min_grade,
        min_score: it.min_score,
        quotas: it.quota.iter().map(|text| quota(text)).collect::<anyhow::Result<_>>()?,
        avoided_pairs: it.avoid.iter().map(|text| avoided(text)).collect::<anyhow::Result<_>>()?,
        allow_same_organisation: it.allow_same_owner,
        allow_met_before: it.allow_met_before,
    })
}

/// Parses `甲公司,乙研究所`.
pub fn avoided(text: &str) -> anyhow::Result<pb::AvoidedPair> {
    let wrong = || format!("回避“{text}”无法识别，应形如 甲公司,乙研究所");
    let (left, right) = text.split_once([',', '，']).with_context(wrong)?;
    Ok(pb::AvoidedPair { left: left.trim().into(), right: right.trim().into() })
}

/// Parses `需求方:地区:1301:2-10`.
pub fn quota(text: &str) -> anyhow::Result<pb::Quota> {
    let wrong = || format!("名额“{text}”无法识别，应形如 需求方:地区:1301:2-10");
    let parts: Vec<&str> = text.split([':', '：']).map(str::trim).collect();
    let [side, group, code, range] = parts.as_slice() else { bail!(wrong()) };
    let side = Side::from_name(side).with_context(wrong)?;
    let group = Group::from_name(group).with_context(wrong)?;
    let (min, max) = range.split_once('-').with_context(wrong)?;
    let min_pair_count = if min.is_empty() { 0 } else { min.parse().with_context(wrong)? };
    let max_pair_count = if max.is_empty() { None } else { Some(max.parse().with_context(wrong)?) };
    let code = match group {
        Group::City => gb::region_by_name(code).unwrap_or_else(|| (*code).to_string()),
        Group::Field => gb::field_by_name(code).unwrap_or(code).to_string(),
    };
    Ok(pb::Quota { side: side.number(), group: group.number(), code, min_pair_count, max_pair_count })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn quotas_as_typed() {
        let check = |text: &str, want: Option<(i32, i32, &str, i32, Option<i32>)>| {
            let read = quota(text).ok().map(|it| (it.side, it.group, it.code, it.min_pair_count, it.max_pair_count));
            assert_eq!(read, want.map(|(side, group, code, low, high)| (side, group, code.to_string(), low, high)));
        };
        check("需求方:地区:1301:2-10", Some((1, 1, "1301", 2, Some(10))));
        check("供给方：领域：新材料：-3", Some((2, 2, "40", 0, Some(3))));
        check("demand:city:石家庄:1-", Some((1, 1, "130100", 1, None)));
        check("需求方:地区:1301", None);
        check("需求方:地区:1301:十", None);
        check("中间方:地区:1301:1-2", None);
    }

    #[test]
    fn slots_of_sessions() {
        let create = |sessions: &[&str], minutes, pause| Create {
            id: "e".into(),
            title: "t".into(),
            place: String::new(),
            day: vec![date(2026, 12, 1), date(2026, 12, 2)],
            session: sessions.iter().map(ToString::to_string).collect(),
            minutes,
            pause,
            tables: 1,
            spare: 0,
            rules: Rules::default(),
        };
        let made = slots(&create(&["09:00-10:00", "14:00-14:25"], 25, 5)).unwrap();
        let made: Vec<_> = made.iter().map(|it| format!("{} {}-{}", it.date, it.start_time, it.end_time)).collect();
        let of_day = |day: &str| ["09:00-09:25", "09:30-09:55", "14:00-14:25"].map(|times| format!("{day} {times}"));
        assert_eq!(made, [of_day("2026-12-01"), of_day("2026-12-02")].concat());
        assert!(slots(&create(&["09:00-09:10"], 25, 5)).is_err());
        assert!(slots(&create(&["九点"], 25, 5)).is_err());
        let window = window("2026-12-01 09:00-12:00").unwrap();
        assert_eq!((window.date.as_str(), window.end_time.as_str()), ("2026-12-01", "12:00"));
        assert!(super::window("12-01").is_err());
    }
}
