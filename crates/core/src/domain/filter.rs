//! Filter conditions on records, and the checks for contradictions.

use serde::{Deserialize, Serialize};

use super::{
    Kind, Problem, RecordName, Violation,
    check::{MAX_AMOUNT_YUAN, MAX_OWNER_CHARS, check_text},
    codes::{PolicyField, Stage, Status},
    gb,
    name::check_source,
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
    pub fn checked(mut self, kind: Kind) -> Result<Self, Vec<Violation>> {
        let mut found = Vec::new();
        normalise(&mut self.regions, "filter.regions", "GB/T 2260", gb::region, &mut found);
        normalise(&mut self.industries, "filter.industries", "GB/T 4754-2017", gb::industry, &mut found);
        let field = |code: &str| gb::is_field(code).then(|| code.to_string());
        normalise(&mut self.fields, "filter.fields", "八大领域", field, &mut found);
        self.check_owners(&mut found);
        self.check_ranges(&mut found);
        self.check_kind(kind, &mut found);
        for (index, source) in self.sources.iter().enumerate() {
            if let Err(problem) = check_source(source) {
                found.push(Violation::new(format!("filter.source_systems[{index}]"), problem));
            }
        }
        for (name, len) in [
            ("owners", self.owners.len()),
            ("excluded_owners", self.excluded_owners.len()),
            ("source_systems", self.sources.len()),
            ("achievements", self.achievements.len()),
        ] {
            if MAX_LIST < len {
                found.push(Violation::new(format!("filter.{name}"), Problem::TooMany { max: MAX_LIST }));
            }
        }
        if found.is_empty() { Ok(self) } else { Err(found) }
    }

    fn check_owners(&self, found: &mut Vec<Violation>) {
        for (name, owners) in [("owners", &self.owners), ("excluded_owners", &self.excluded_owners)] {
            for (index, owner) in owners.iter().enumerate() {
                if let Err(problem) = check_text(owner, 1, MAX_OWNER_CHARS, false) {
                    found.push(Violation::new(format!("filter.{name}[{index}]"), problem));
                }
            }
        }
        let all_out = !self.owners.is_empty() && self.owners.iter().all(|owner| self.excluded_owners.contains(owner));
        if all_out {
            found.push(Violation::new("filter.excluded_owners", Problem::Contradiction));
        }
    }

    fn check_ranges(&self, found: &mut Vec<Violation>) {
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
                found.push(Violation::new(path, Problem::Required));
            }
            if let Some((min, max)) = limits
                && [range.min, range.max].into_iter().flatten().any(|value| !(min..=max).contains(&value))
            {
                found.push(Violation::new(path, Problem::OutOfRange { min, max }));
            }
            if let (Some(min), Some(max)) = (range.min, range.max)
                && max < min
            {
                found.push(Violation::new(path, Problem::Contradiction));
            }
        }
    }

    fn check_kind(&self, kind: Kind, found: &mut Vec<Violation>) {
        let rows = [
            ("filter.stages", !self.stages.is_empty(), kind == Kind::Achievement),
            ("filter.trl", self.trl.is_some(), kind == Kind::Achievement),
            ("filter.amount_yuan", self.amount_yuan.is_some(), kind != Kind::Expert),
            ("filter.deadline", self.deadline.is_some(), kind == Kind::Demand),
            ("filter.achievements", !self.achievements.is_empty(), kind == Kind::Expert),
        ];
        let wrong = rows.into_iter().filter(|(_, set, applies)| *set && !applies);
        found.extend(wrong.map(|(path, ..)| Violation::new(path, Problem::NotOfThisKind)));
    }
}

/// Normalises the codes of a list and records each unknown code.
fn normalise(
    codes: &mut [String],
    path: &str,
    table: &'static str,
    normal: impl Fn(&str) -> Option<String>,
    found: &mut Vec<Violation>,
) {
    if MAX_LIST < codes.len() {
        found.push(Violation::new(path, Problem::TooMany { max: MAX_LIST }));
    }
    for (index, code) in codes.iter_mut().enumerate() {
        match normal(code) {
            Some(normal) => *code = normal,
            None => found.push(Violation::new(format!("{path}[{index}]"), Problem::UnknownCode { table })),
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
}
