//! The event: where and when, how many tables, under which rules, and how far it has come.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{TimeZone, offset},
};
use serde::{Deserialize, Serialize};

use super::{Participant, plan::Pair};
use duijie_core::domain::{Code, Kind, gb, hit::Level};

/// Most slots of an event.
pub const MAX_SLOTS: usize = 200;
/// Most tables.
pub const MAX_TABLES: u32 = 1_000;
/// Most participants, demands and counterparts together.
pub const MAX_PARTICIPANTS: usize = 5_000;
/// Most counterparts of a demand, most demands of a counterpart or an organisation.
pub const MAX_CAP: u32 = 200;
/// Largest share of the tables that is kept spare, in percent.
pub const MAX_SPARE_PERCENT: u32 = 50;
/// Most quotas.
pub const MAX_QUOTAS: usize = 100;
/// Most avoided pairs of organisations.
pub const MAX_AVOIDED: usize = 1_000;

/// A matchmaking event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Identifier: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub id: String,
    /// Title, 1 to 200 characters.
    pub title: String,
    /// Place, up to 200 characters.
    #[serde(default)]
    pub place: String,
    /// Slots in the order of their times, 1 to [`MAX_SLOTS`]; none overlaps another. Slots are counted from 0 here and from
    /// 1 wherever a person reads.
    pub slots: Vec<Slot>,
    /// Tables, 1 to [`MAX_TABLES`]. Tables are counted from 0 here and from 1 wherever a person reads.
    pub tables: u32,
    /// Share of the tables that stays free in every slot, in percent, 0 to [`MAX_SPARE_PERCENT`]; rounded up to whole tables.
    #[serde(default)]
    pub spare_percent: u32,
    /// Rules of the shortlists.
    #[serde(default)]
    pub rules: Rules,
    /// How far it has come.
    #[serde(default)]
    pub state: EventState,
    /// Counts the changes of what shortlists are made from: rules, participants, pins.
    #[serde(default)]
    pub inputs: u64,
    /// Counts the changes of what only a schedule is made from: slots, tables, availability, locks.
    #[serde(default)]
    pub layout: u64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

/// A time at which meetings take place at all tables. Times are those of China (UTC+8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Day.
    pub date: Date,
    /// Begin.
    pub start: Time,
    /// End, after the begin.
    pub end: Time,
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Being prepared: everything may be made anew.
    #[default]
    Draft,
    /// With the staff for review.
    Review,
    /// Handed out: from now on as few meetings change as possible.
    Published,
}

/// Rules of the shortlists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Most counterparts of a demand, 1 to [`MAX_CAP`].
    pub per_demand: u32,
    /// Most demands of an achievement, 1 to [`MAX_CAP`].
    pub per_achievement: u32,
    /// Most demands of an expert, 1 to [`MAX_CAP`].
    pub per_expert: u32,
    /// Most pairs of an organisation among the demands; `None`: any number.
    pub per_demand_organisation: Option<u32>,
    /// Most pairs of an organisation among the counterparts; `None`: any number.
    pub per_counterpart_organisation: Option<u32>,
    /// Least level of a demand and an achievement. [`Level::Unrelated`] lets all in. Experts have no level.
    #[serde(rename = "least_level")]
    pub min_level: Level,
    /// Least score of any pair, 0 to 1.
    #[serde(rename = "least_score")]
    pub min_score: f64,
    /// Quotas.
    pub quotas: Vec<Quota>,
    /// Pairs of organisations that shall not meet.
    pub avoided: Vec<AvoidedPair>,
    /// Whether records of one organisation may meet.
    pub same_organisation: bool,
    /// Whether pairs that met at another event may meet again.
    pub met_before: bool,
}

/// How many chosen pairs a city or a field may or must have. No two of one side and group overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Whose city or field.
    pub side: Side,
    /// City or field.
    pub group: Group,
    /// A region (GB/T 2260, six digits, with all below it) or a field (八大领域, with all below it).
    pub code: String,
    /// Fewest pairs; 0: no demand.
    #[serde(default)]
    pub at_least: u32,
    /// Most pairs; `None`: any number.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// One of the two sides of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The demand.
    Demand,
    /// The achievement or expert.
    Counterpart,
}

/// What a quota goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// City, or a whole province.
    City,
    /// Field.
    Field,
}

/// Two organisations, each by its credit code or its name. The order does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvoidedPair {
    /// The one.
    pub left: String,
    /// The other.
    pub right: String,
}

// === impl Event ===

impl Event {
    /// Tables that may be used in a slot: one at least, as the schedule has it.
    pub fn usable_tables(&self) -> u32 {
        let spare = self.tables.saturating_mul(self.spare_percent).div_ceil(100);
        self.tables.saturating_sub(spare).max(self.tables.min(1))
    }

    /// First day; the earliest date that can be written where there is no slot.
    pub fn first_day(&self) -> Date {
        self.slots.first().map_or(Date::MIN, |slot| slot.date)
    }
}

// === impl Slot ===

impl Slot {
    /// Begin and end as instants. China has had no summer time since 1991.
    pub fn instants(&self) -> Option<(Timestamp, Timestamp)> {
        let zone = TimeZone::fixed(offset(8));
        let instant =
            |time: Time| self.date.to_datetime(time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        Some((instant(self.start)?, instant(self.end)?))
    }

    /// `2026-12-01 09:00-09:25`.
    pub fn label(&self) -> String {
        let clock = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        format!("{} {}-{}", self.date, clock(self.start), clock(self.end))
    }
}

// === impl Rules ===

impl Default for Rules {
    /// What staff start from: five meetings for everyone, at least a fair level, nobody meets a colleague or meets twice.
    fn default() -> Self {
        Self {
            per_demand: 5,
            per_achievement: 5,
            per_expert: 5,
            per_demand_organisation: None,
            per_counterpart_organisation: None,
            min_level: Level::Unrelated,
            min_score: 0.0,
            quotas: Vec::new(),
            avoided: Vec::new(),
            same_organisation: false,
            met_before: false,
        }
    }
}

// === impl Quota ===

impl Quota {
    /// Whether it counts a participant's pairs.
    pub fn covers(&self, participant: &Participant) -> bool {
        let is_demand = participant.record.kind == Kind::Demand;
        let inside = match self.group {
            Group::City => participant.is_in_region(&self.code),
            Group::Field => participant.is_in_field(&self.code),
        };
        is_demand == (self.side == Side::Demand) && inside
    }

    /// Whether some participant's pairs would be counted by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, other_prefix) = (self.prefix(), other.prefix());
        let same = (self.side, self.group) == (other.side, other.group);
        same && (one.starts_with(other_prefix) || other_prefix.starts_with(one))
    }

    /// What it is called: 需求方·河北石家庄.
    pub fn label(&self) -> String {
        let place = match self.group {
            Group::City => gb::region_label(&self.code),
            Group::Field => gb::field_label(&self.code).to_string(),
        };
        let place = if place.is_empty() { self.code.clone() } else { place };
        format!("{}·{place}", self.side.label())
    }

    fn prefix(&self) -> &str {
        match self.group {
            Group::City => gb::region_prefix(&self.code),
            Group::Field if self.code.len() == 2 => self.code.trim_end_matches('0'),
            Group::Field => &self.code,
        }
    }
}

// === impl AvoidedPair ===

impl AvoidedPair {
    /// Whether it names the organisations of these two, in any order.
    pub fn names(&self, one: &Participant, other: &Participant) -> bool {
        let is = |name: &str, it: &Participant| it.organisation_key() == name || it.organisation_name() == name;
        (is(&self.left, one) && is(&self.right, other)) || (is(&self.left, other) && is(&self.right, one))
    }
}

// === impl Side ===

impl Side {
    /// Name of the side of a pair.
    pub fn of(self, pair: &Pair) -> &duijie_core::domain::RecordName {
        match self {
            Self::Demand => &pair.demand,
            Self::Counterpart => &pair.counterpart,
        }
    }
}

impl Code for EventState {
    const NAME: &'static str = "活动状态";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Draft, &["筹备", "draft"]),
        (Self::Review, &["审核", "review"]),
        (Self::Published, &["已发布", "published"]),
    ];
}

impl Code for Side {
    const NAME: &'static str = "哪一方";
    const TABLE: &'static [(Self, &'static [&'static str])] =
        &[(Self::Demand, &["需求方", "demand"]), (Self::Counterpart, &["供给方", "counterpart"])];
}

impl Code for Group {
    const NAME: &'static str = "名额的划分";
    const TABLE: &'static [(Self, &'static [&'static str])] =
        &[(Self::City, &["地区", "城市", "city"]), (Self::Field, &["领域", "field"])];
}
