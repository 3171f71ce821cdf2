//! Filter conditions on records, and the checks for contradictions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Kind, Problem, RecordName, Violations,
    check::{MAX_AMOUNT_YUAN, MAX_OWNER_CHARS, check_text},
    codes::{PolicyField, Stage, Status},
    gb,
    name::check_source,
    record::{Detail, Record},
};

/// Maximum entries in a filter list.
pub(crate) const MAX_LIST: usize = 50;

/// Keeps records that meet every condition set. A list condition is met if any entry matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Regions, each including its subregions; six digits.
    pub regions: Vec<String>,
    /// Industries, each including its subclasses.
    pub industries: Vec<String>,
    /// Fields, each including its subfields.
    pub fields: Vec<String>,
    /// Special programmes.
    pub policy_fields: Vec<PolicyField>,
    /// Stages of maturity.
    pub stages: Vec<Stage>,
    /// Technology readiness levels, 1 to 9.
    pub trl: Option<Range>,
    /// Price or budget in yuan.
    pub amount_yuan: Option<Range>,
    /// Statuses; empty means any.
    pub statuses: Vec<Status>,
    /// Owners by credit code or name.
    pub owners: Vec<String>,
    /// Owners to exclude.
    pub excluded_owners: Vec<String>,
    /// Publication time, in whole seconds since 1970.
    pub publish_time: Option<Range>,
    /// Last change in this service, in whole seconds since 1970.
    pub update_time: Option<Range>,
    /// Source systems.
    pub sources: Vec<String>,
    /// Deadline of a demand, in whole seconds since 1970.
    pub deadline: Option<Range>,
    /// Achievements; an expert matches if they took part in any of these.
    pub achievements: Vec<RecordName>,
}

/// Closed range; an end that is `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Lowest value.
    pub min: Option<i64>,
    /// Highest value.
    pub max: Option<i64>,
}

// === impl Filter ===

impl Filter {
    /// Normalises the codes and checks every condition against the kind of record requested.
    ///
    /// # Errors
    /// Returns all violations, with paths below `filter`.
    pub fn checked(mut self, kind: Kind) -> Result<Self, Violations> {
        let mut found = Violations::default();
        normalise(&mut self.regions, "filter.regions", "GB/T 2260", gb::region, &mut found);
        normalise(&mut self.industries, "filter.industries", "GB/T 4754-2017", gb::industry, &mut found);
        let field = |code: &str| gb::is_field(code).then(|| code.to_string());
        normalise(&mut self.fields, "filter.fields", "八大领域", field, &mut found);
        self.check_owners(&mut found);
        self.check_ranges(&mut found);
        self.check_kind(kind, &mut found);
        for (index, source) in self.sources.iter().enumerate() {
            found.take(format_args!("filter.source_systems[{index}]"), check_source(source));
        }
        for (name, len) in [
            ("owners", self.owners.len()),
            ("excluded_owners", self.excluded_owners.len()),
            ("source_systems", self.sources.len()),
            ("achievements", self.achievements.len()),
        ] {
            if MAX_LIST < len {
                found.say(format_args!("filter.{name}"), Problem::TooMany { max: MAX_LIST });
            }
        }
        found.passed(self)
    }

    /// Whether a record meets every condition. The filter is in its normal form, see [`Filter::checked`]; a record without
    /// the field of a condition does not meet it.
    pub fn keeps(&self, record: &Record) -> bool {
        let (stage, trl, deadline) = match &record.detail {
            Detail::Achievement(achievement) => (achievement.stage, achievement.trl, None),
            Detail::Demand(demand) => (None, None, demand.deadline),
            Detail::Expert(_) => (None, None, None),
        };
        let below = |codes: &[String], own: &str| codes.is_empty() || codes.iter().any(|code| own.starts_with(code));
        let region = |code: &String| record.region.starts_with(gb::region_prefix(code));
        let owned_by = |owners: &[String]| {
            let own = record.owner.iter().flat_map(|owner| [&owner.credit_code, &owner.name]);
            own.filter(|own| !own.is_empty()).any(|own| owners.contains(own))
        };
        (self.regions.is_empty() || self.regions.iter().any(region))
            && below(&self.industries, &record.industry)
            && below(&self.fields, &record.field)
            && listed(&self.policy_fields, record.policy_field)
            && listed(&self.stages, stage)
            && listed(&self.statuses, Some(record.status))
            && (self.owners.is_empty() || owned_by(&self.owners))
            && !owned_by(&self.excluded_owners)
            && (self.sources.is_empty() || self.sources.contains(&record.source))
            && (self.achievements.is_empty() || record.achievements().any(|name| self.achievements.contains(&name)))
            && within(self.trl, trl.map(i64::from))
            && within(self.amount_yuan, record.amount_yuan())
            && within(self.publish_time, record.publish_time.map(Timestamp::as_second))
            && within(self.update_time, record.update_time.map(Timestamp::as_second))
            && within(self.deadline, deadline.map(Timestamp::as_second))
    }

    fn check_owners(&self, found: &mut Violations) {
        for (name, owners) in [("owners", &self.owners), ("excluded_owners", &self.excluded_owners)] {
            for (index, owner) in owners.iter().enumerate() {
                let checked = check_text(owner, 1, MAX_OWNER_CHARS, false);
                found.take(format_args!("filter.{name}[{index}]"), checked);
            }
        }
        // the comparison is quadratic; a longer list has another violation
        let comparable = (1..=MAX_LIST).contains(&self.owners.len()) && self.excluded_owners.len() <= MAX_LIST;
        let all_out = comparable && self.owners.iter().all(|owner| self.excluded_owners.contains(owner));
        if all_out {
            found.say("filter.excluded_owners", Problem::Contradiction);
        }
    }

    fn check_ranges(&self, found: &mut Violations) {
        let ranges = [
            ("filter.trl", self.trl, Some((1, 9))),
            ("filter.amount_yuan", self.amount_yuan, Some((0, MAX_AMOUNT_YUAN))),
            ("filter.publish_time", self.publish_time, None),
            ("filter.update_time", self.update_time, None),
            ("filter.deadline", self.deadline, None),
        ];
        for (path, range, limits) in ranges {
            let Some(range) = range else { continue };
            if range.min.is_none() && range.max.is_none() {
                found.say(path, Problem::Required);
            }
            if let Some((min, max)) = limits
                && [range.min, range.max].into_iter().flatten().any(|value| !(min..=max).contains(&value))
            {
                found.say(path, Problem::OutOfRange { min, max });
            }
            if let (Some(min), Some(max)) = (range.min, range.max)
                && max < min
            {
                found.say(path, Problem::Contradiction);
            }
        }
    }

    fn check_kind(&self, kind: Kind, found: &mut Violations) {
        let rows = [
            ("filter.stages", !self.stages.is_empty(), kind == Kind::Achievement),
            ("filter.trl", self.trl.is_some(), kind == Kind::Achievement),
            ("filter.amount_yuan", self.amount_yuan.is_some(), kind != Kind::Expert),
            ("filter.deadline", self.deadline.is_some(), kind == Kind::Demand),
            ("filter.achievements", !self.achievements.is_empty(), kind == Kind::Expert),
        ];
        let wrong = rows.into_iter().filter(|(_, set, applies)| *set && !applies);
        wrong.for_each(|(path, ..)| found.say(path, Problem::NotOfThisKind));
    }
}

/// Whether a list condition is met: it is not set, or one of its entries is the value.
fn listed<C: PartialEq>(codes: &[C], value: Option<C>) -> bool {
    codes.is_empty() || value.is_some_and(|value| codes.contains(&value))
}

/// Whether a range condition is met: it is not set, or the value lies in it, ends included.
fn within(range: Option<Range>, value: Option<i64>) -> bool {
    let Some(Range { min, max }) = range else { return true };
    value.is_some_and(|value| min.is_none_or(|min| min <= value) && max.is_none_or(|max| value <= max))
}

/// Normalises the codes of a list and records each unknown code.
fn normalise(
    codes: &mut [String],
    path: &str,
    table: &'static str,
    normal: impl Fn(&str) -> Option<String>,
    found: &mut Violations,
) {
    if MAX_LIST < codes.len() {
        found.say(path, Problem::TooMany { max: MAX_LIST });
    }
    for (index, code) in codes.iter_mut().enumerate() {
        match normal(code) {
            Some(normal) => *code = normal,
            None => found.say(format_args!("{path}[{index}]"), Problem::UnknownCode { table }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: Filter, kind: Kind, want: &[(&str, &str)]) {
        let found = filter.checked(kind).err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|v| (v.field.as_str(), v.problem.reason())).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn filters_that_cannot_be_met_say_so() {
        let range = |min, max| Some(Range { min: Some(min), max: Some(max) });
        check(
            Filter { amount_yuan: range(5, 1), ..Filter::default() },
            Kind::Demand,
            &[("filter.amount_yuan", "CONTRADICTION")],
        );
        check(
            Filter { amount_yuan: range(-5, 1), ..Filter::default() },
            Kind::Demand,
            &[("filter.amount_yuan", "OUT_OF_RANGE")],
        );
        check(Filter { trl: range(0, 9), ..Filter::default() }, Kind::Achievement, &[("filter.trl", "OUT_OF_RANGE")]);
        check(Filter { trl: range(1, 9), ..Filter::default() }, Kind::Demand, &[("filter.trl", "NOT_OF_THIS_KIND")]);
        check(
            Filter { amount_yuan: Some(Range::default()), ..Filter::default() },
            Kind::Demand,
            &[("filter.amount_yuan", "REQUIRED")],
        );
        let owner = || vec!["甲公司".to_string()];
        check(
            Filter { owners: owner(), excluded_owners: owner(), ..Filter::default() },
            Kind::Expert,
            &[("filter.excluded_owners", "CONTRADICTION")],
        );
        check(
            Filter {
                regions: vec!["1301".into(), "99".into()],
                industries: vec!["Z9".into()],
                fields: vec!["41".into(), "99".into()],
                ..Filter::default()
            },
            Kind::Expert,
            &[
                ("filter.regions[1]", "UNKNOWN_CODE"),
                ("filter.industries[0]", "UNKNOWN_CODE"),
                ("filter.fields[0]", "UNKNOWN_CODE"),
                ("filter.fields[1]", "UNKNOWN_CODE"),
            ],
        );
    }

    #[test]
    fn codes_come_out_in_their_normal_form() {
        let filter = Filter { regions: vec!["1301".into()], industries: vec!["3851".into()], ..Filter::default() };
        let filter = filter.checked(Kind::Demand).unwrap();
        assert_eq!(filter.regions, ["130100"]);
        assert_eq!(filter.industries, ["C3851"]);
    }

    /// A filter of one condition keeps the record exactly when it should.
    #[test]
    fn records_meet_conditions_or_not() {
        use super::super::{codes::*, record::*};
        let time = || "2024-05-06T07:08:09.5Z".parse().ok();
        let mut record = Record::new("tianjin", "a-1", "激光焊接", Detail::empty(Kind::Achievement));
        record.region = "130102".into();
        record.industry = "C3851".into();
        record.field = "80406".into();
        record.policy_field = Some(PolicyField::Equipment);
        record.owner =
            Some(Owner { name: "甲大学".into(), credit_code: "914403001922038216".into(), owner_type: None });
        record.publish_time = time();
        let (trl, price_yuan) = (Some(6), Some(1_000));
        let stage = Some(Stage::Pilot);
        record.detail = Detail::Achievement(Achievement { stage, trl, price_yuan, ..Achievement::default() });
        let mut demand = Record::new("local", "d-1", "焊接", Detail::empty(Kind::Demand));
        demand.detail = Detail::Demand(Demand { deadline: time(), ..Demand::default() });
        let mut expert = Record::new("local", "e-1", "甲", Detail::empty(Kind::Expert));
        expert.detail = Detail::Expert(Expert { achievement_ids: vec!["a-1".into()], ..Expert::default() });

        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let range = |min, max| Some(Range { min, max });
        let none = Filter::default;
        let second = 1_714_979_289;
        // what it keeps of the achievement, the demand and the expert
        let check = |filter: Filter, want: [bool; 3]| {
            assert_eq!([&record, &demand, &expert].map(|record| filter.keeps(record)), want, "{filter:?}");
        };
        let (first, nobody) = ([true, false, false], [false; 3]);
        check(none(), [true; 3]);
        for (codes, want) in [(["130000"], first), (["130100"], first), (["130102"], first), (["130200"], nobody)] {
            check(Filter { regions: texts(&codes), ..none() }, want);
        }
        check(Filter { regions: texts(&["110000", "130000"]), ..none() }, first);
        check(Filter { industries: texts(&["C38"]), ..none() }, first);
        check(Filter { industries: texts(&["C39"]), ..none() }, nobody);
        check(Filter { fields: texts(&["804"]), ..none() }, first);
        check(Filter { fields: texts(&["10"]), ..none() }, nobody);
        check(Filter { policy_fields: vec![PolicyField::Equipment], ..none() }, first);
        check(Filter { stages: vec![Stage::Mature, Stage::Pilot], ..none() }, first);
        check(Filter { stages: vec![Stage::Mature], ..none() }, nobody);
        check(Filter { statuses: vec![Status::Active], ..none() }, [true; 3]);
        check(Filter { statuses: vec![Status::Closed], ..none() }, nobody);
        check(Filter { owners: texts(&["甲大学"]), ..none() }, first);
        check(Filter { owners: texts(&["914403001922038216"]), ..none() }, first);
        check(Filter { owners: texts(&["乙"]), ..none() }, nobody);
        check(Filter { excluded_owners: texts(&["甲大学"]), ..none() }, [false, true, true]);
        check(Filter { sources: texts(&["local"]), ..none() }, [false, true, true]);
        check(Filter { trl: range(Some(6), Some(6)), ..none() }, first);
        check(Filter { trl: range(Some(7), None), ..none() }, nobody);
        check(Filter { amount_yuan: range(None, Some(1_000)), ..none() }, first);
        check(Filter { amount_yuan: range(None, Some(999)), ..none() }, nobody);
        check(Filter { publish_time: range(Some(second), Some(second)), ..none() }, first);
        check(Filter { update_time: range(Some(0), None), ..none() }, nobody);
        check(Filter { deadline: range(Some(second), Some(second)), ..none() }, [false, true, false]);
        check(Filter { deadline: range(None, Some(second - 1)), ..none() }, nobody);
        let achievements = |name: &str| vec![name.parse().unwrap()];
        check(Filter { achievements: achievements("achievements/a-1"), ..none() }, [false, false, true]);
        check(Filter { achievements: achievements("achievements/tianjin/a-1"), ..none() }, nobody);
        // every condition has to be met
        check(Filter { industries: texts(&["C38"]), trl: range(Some(7), None), ..none() }, nobody);
    }
}
