//! The event: place, slots, tables, rules and state.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{TimeZone, offset},
};
use serde::{Deserialize, Serialize};

use super::{Participant, QuotaRef, plan::Pair};
use duijie_core::domain::{Code, Kind, gb, hit::Level};

/// Maximum slots of an event.
pub const MAX_SLOTS: usize = 200;
/// Maximum tables.
pub const MAX_TABLES: u32 = 1_000;
/// Maximum participants, demands and counterparts together.
pub const MAX_PARTICIPANTS: usize = 5_000;
/// Highest cap: pairs of a demand, a counterpart or an organisation.
pub const MAX_CAP: u32 = 200;
/// Maximum percentage of tables kept free.
pub const MAX_SPARE_PERCENT: u32 = 50;
/// Maximum quotas.
pub const MAX_QUOTAS: usize = 100;
/// Maximum pairs of organisations that must not meet.
pub(crate) const MAX_AVOIDED: usize = 1_000;

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
    /// Slots ordered by time, 1 to [`MAX_SLOTS`], without overlap. Slots count from 0 here and from 1 for users.
    pub slots: Vec<Slot>,
    /// Number of tables, 1 to [`MAX_TABLES`]. Tables count from 0 here and from 1 for users.
    pub tables: u32,
    /// Percentage of the tables kept free in every slot, 0 to [`MAX_SPARE_PERCENT`], rounded up to whole tables.
    #[serde(default)]
    pub spare_percent: u32,
    /// Rules for the shortlists.
    #[serde(default)]
    pub rules: Rules,
    /// State of the event.
    #[serde(default)]
    pub state: EventState,
    /// Number of changes of shortlist inputs: rules, participants, pins.
    #[serde(default)]
    pub inputs: u64,
    /// Number of changes of inputs of the schedule only: slots, tables, availability, locks.
    #[serde(default)]
    pub layout: u64,
    /// Time of creation.
    pub create_time: Timestamp,
    /// Time of the last change.
    pub update_time: Timestamp,
}

/// A time during which every table can hold one meeting. Times are in UTC+8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Date.
    pub date: Date,
    /// Start.
    pub start: Time,
    /// End, after the start.
    pub end: Time,
}

/// State of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// In preparation: everything may be made again.
    #[default]
    Draft,
    /// Under review by the staff.
    Review,
    /// Published to participants: from now on as few meetings as possible change.
    Published,
}

/// Rules for the shortlists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Maximum counterparts per demand, 1 to [`MAX_CAP`].
    pub per_demand: u32,
    /// Maximum demands per achievement, 1 to [`MAX_CAP`].
    pub per_achievement: u32,
    /// Maximum demands per expert, 1 to [`MAX_CAP`].
    pub per_expert: u32,
    /// Maximum pairs per organisation on the demand side; `None`: no limit.
    pub per_demand_organisation: Option<u32>,
    /// Maximum pairs per organisation on the counterpart side; `None`: no limit.
    pub per_counterpart_organisation: Option<u32>,
    /// Minimum level of a pair of demand and achievement. [`Level::Unrelated`] admits all pairs. Experts have no level.
    #[serde(rename = "least_level")]
    pub min_level: Level,
    /// Minimum score of a pair, 0 to 1.
    #[serde(rename = "least_score")]
    pub min_score: f64,
    /// Quotas.
    pub quotas: Vec<Quota>,
    /// Pairs of organisations that must not meet.
    pub avoided: Vec<AvoidedPair>,
    /// Whether records of the same organisation may meet.
    pub same_organisation: bool,
    /// Whether pairs that met at another event may meet again.
    pub met_before: bool,
}

/// Bounds on the number of chosen pairs of a city or a field. Quotas with the same side and group do not overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Side whose city or field counts.
    pub side: Side,
    /// Attribute: city or field.
    pub group: Group,
    /// Region (GB/T 2260, six digits) or field (八大领域), including all subdivisions.
    pub code: String,
    /// Minimum number of pairs; 0: none required.
    #[serde(rename = "at_least", default)]
    pub min_pairs: u32,
    /// Maximum number of pairs; `None`: no limit.
    #[serde(rename = "at_most", default)]
    pub max_pairs: Option<u32>,
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

/// Attribute that a quota counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// City, or a whole province.
    City,
    /// Field.
    Field,
}

/// Two organisations that must not meet, each by credit code or name, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvoidedPair {
    /// First organisation.
    pub left: String,
    /// Second organisation.
    pub right: String,
}

// === impl Event ===

impl Event {
    /// Returns the number of usable tables per slot: at least one, as in the scheduler.
    pub(crate) fn usable_tables(&self) -> u32 {
        let spare = self.tables.saturating_mul(self.spare_percent).div_ceil(100);
        self.tables.saturating_sub(spare).max(self.tables.min(1))
    }

    /// Returns the first day; `Date::MIN` without slots.
    pub(crate) fn first_day(&self) -> Date {
        self.slots.first().map_or(Date::MIN, |slot| slot.date)
    }
}

// === impl Slot ===

impl Slot {
    /// Returns start and end as instants. China has had no daylight saving time since 1991.
    pub(crate) fn instants(&self) -> Option<(Timestamp, Timestamp)> {
        let zone = TimeZone::fixed(offset(8));
        let instant =
            |time: Time| self.date.to_datetime(time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        Some((instant(self.start)?, instant(self.end)?))
    }

    /// Returns a label such as `2026-12-01 09:00-09:25`.
    pub fn label(&self) -> String {
        let clock = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        format!("{} {}-{}", self.date, clock(self.start), clock(self.end))
    }
}

// === impl Rules ===

impl Default for Rules {
    /// Five meetings for each participant; pairs of any level; no pairs of the same organisation; no pairs that met
    /// before.
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
    /// Returns whether the quota counts the pairs of a participant.
    pub fn covers(&self, participant: &Participant) -> bool {
        let is_demand = participant.record.kind == Kind::Demand;
        let inside = match self.group {
            Group::City => participant.is_in_region(&self.code),
            Group::Field => participant.is_in_field(&self.code),
        };
        is_demand == (self.side == Side::Demand) && inside
    }

    /// Returns whether both quotas can count the same pairs.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, other_prefix) = (self.prefix(), other.prefix());
        let same = (self.side, self.group) == (other.side, other.group);
        same && (one.starts_with(other_prefix) || other_prefix.starts_with(one))
    }

    /// Returns the name without the bounds.
    pub fn name(&self) -> QuotaRef {
        QuotaRef { side: self.side, group: self.group, code: self.code.clone() }
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
    /// Returns whether the pair names the organisations of both participants, in any order.
    pub fn names(&self, one: &Participant, other: &Participant) -> bool {
        let is = |name: &str, it: &Participant| it.organisation_key() == name || it.organisation_name() == name;
        (is(&self.left, one) && is(&self.right, other)) || (is(&self.left, other) && is(&self.right, one))
    }
}

// === impl Side ===

impl Side {
    /// Returns the record of a pair on this side.
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
