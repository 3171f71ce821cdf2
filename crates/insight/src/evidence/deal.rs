//! The deal that a demand and an achievement could become.

use jiff::{Timestamp, tz};

use crate::policy::Deal;
use duijie_core::domain::{Record, codes::OwnerType};

/// Hours that Beijing time is ahead of UTC, all year: days of a rule are days there.
const BEIJING_HOURS: i8 = 8;

/// The owner of the demand buys today at the stated price. The region of a record is where its owner sits.
pub(super) fn deal<'a>(demand: &'a Record, achievement: &'a Record, now: Timestamp) -> Deal<'a> {
    Deal {
        buyer_region: &demand.region,
        buyer_kind: owner_type(demand),
        seller_region: &achievement.region,
        price_yuan: achievement.amount_yuan(),
        date: Some(now.to_zoned(beijing()).date()),
    }
}

/// Beijing time.
pub(super) fn beijing() -> tz::TimeZone {
    tz::TimeZone::fixed(tz::offset(BEIJING_HOURS))
}

fn owner_type(record: &Record) -> Option<OwnerType> {
    record.owner.as_ref().and_then(|owner| owner.owner_type)
}
