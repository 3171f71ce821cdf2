//! The potential deal between a demand and an achievement.

use jiff::{Timestamp, tz};

use crate::policy::Deal;
use duijie_core::domain::{Record, codes::OwnerType};

/// Offset of Beijing time to UTC in hours, all year; policy rules count Beijing days.
const BEIJING_HOURS: i8 = 8;

/// Assumes that the demand's owner buys today at the stated price. A record's region is the location of its owner.
pub(super) fn deal<'a>(demand: &'a Record, achievement: &'a Record, now: Timestamp) -> Deal<'a> {
    Deal {
        buyer_region: &demand.region,
        buyer_kind: owner_type(demand),
        seller_region: &achievement.region,
        price_yuan: achievement.amount_yuan(),
        date: Some(now.to_zoned(beijing()).date()),
    }
}

/// Fixed time zone of Beijing.
pub(super) fn beijing() -> tz::TimeZone {
    tz::TimeZone::fixed(tz::offset(BEIJING_HOURS))
}

fn owner_type(record: &Record) -> Option<OwnerType> {
    record.owner.as_ref().and_then(|owner| owner.owner_type)
}
