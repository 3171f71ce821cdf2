//! Converts typed conditions into the service's messages.

use anyhow::bail;
use jiff::{civil::Date, tz::TimeZone};

use super::args::Filter;
use crate::api::convert::kind_out;
use duijie_core::domain::{
    Code, Kind,
    codes::{PolicyField, Stage, Status},
    gb,
};
use duijie_proto as pb;

/// Parses a kind of records.
pub fn kind(name: &str) -> anyhow::Result<i32> {
    match Kind::from_name(name) {
        Some(kind) => Ok(kind_out(kind)),
        None => bail!("不认识的记录类型“{name}”，应为 achievements（成果）、demands（需求）或 experts（专家）"),
    }
}

/// Converts conditions; checks that only the service can make are left to it.
pub fn filter(it: Filter) -> anyhow::Result<pb::Filter> {
    Ok(pb::Filter {
        regions: it.region.into_iter().map(|region| gb::region_by_name(&region).unwrap_or(region)).collect(),
        industries: it.industry,
        fields: it.field,
        policy_fields: codes::<PolicyField>(&it.policy_field)?,
        stages: codes::<Stage>(&it.stage)?,
        statuses: codes::<Status>(&it.status)?,
        trl: range(it.min_trl, it.max_trl),
        amount_yuan: range(it.min_yuan, it.max_yuan),
        owners: it.owner,
        excluded_owners: it.not_owner,
        publish_time: times(it.since, it.until)?,
        ..Default::default()
    })
}

fn codes<C: Code>(names: &[String]) -> anyhow::Result<Vec<i32>> {
    let number = |name: &String| match C::from_name(name) {
        Some(code) => Ok(code.number()),
        None => {
            let known: Vec<_> = C::TABLE.iter().map(|(code, _)| code.label()).collect();
            bail!("{}没有“{name}”，应为：{}", C::NAME, known.join("、"))
        }
    };
    names.iter().map(number).collect()
}

fn range(min: Option<i64>, max: Option<i64>) -> Option<pb::IntRange> {
    (min.is_some() || max.is_some()).then_some(pb::IntRange { min, max })
}

fn times(since: Option<Date>, until: Option<Date>) -> anyhow::Result<Option<pb::TimeRange>> {
    let time = |date: Option<Date>| match date {
        // midnight in China, which has had no summer time since 1991
        Some(date) => {
            let zoned = date.to_zoned(TimeZone::fixed(jiff::tz::offset(8)))?;
            anyhow::Ok(Some(prost_types::Timestamp { seconds: zoned.timestamp().as_second(), nanos: 0 }))
        }
        None => Ok(None),
    };
    let range = pb::TimeRange { start_time: time(since)?, end_time: time(until)? };
    Ok((range.start_time.is_some() || range.end_time.is_some()).then_some(range))
}
