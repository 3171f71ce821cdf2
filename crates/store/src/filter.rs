//! Filters as conditions on the indexed payload fields. Engines translate only these three kinds of condition, so every
//! engine keeps the same points.

use std::collections::BTreeSet;

use super::payload::FilterField;
use duijie_core::domain::{Code, Filter, Range, gb};

/// One condition; a point must meet all conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The keyword field has one of these values.
    Any {
        /// Keyword field.
        field: FilterField,
        /// Values, each once, in order.
        values: Vec<String>,
    },
    /// The keyword field has none of these values; a point without the field is kept.
    None {
        /// Keyword field.
        field: FilterField,
        /// Values, each once, in order.
        values: Vec<String>,
    },
    /// The integer field lies in the closed range; a point without the field is not kept.
    Between {
        /// Integer field.
        field: FilterField,
        /// Range; an end that is `None` is open.
        range: Range,
    },
}

/// Conditions of a filter in normal form (see [`Filter::checked`]); empty for the empty filter.
pub fn conditions(filter: &Filter) -> Vec<Condition> {
    let regions = filter.regions.iter().map(|region| gb::region_prefix(region).to_string());
    let any = [
        (FilterField::Region, regions.collect()),
        (FilterField::Industry, filter.industries.clone()),
        (FilterField::TechnologyField, filter.fields.clone()),
        (FilterField::PolicyField, keys(&filter.policy_fields)),
        (FilterField::Stage, keys(&filter.stages)),
        (FilterField::Status, keys(&filter.statuses)),
        (FilterField::Owner, filter.owners.clone()),
        (FilterField::Source, filter.sources.clone()),
        (FilterField::Achievements, filter.achievements.iter().map(ToString::to_string).collect()),
    ];
    let ranges = [
        (FilterField::Trl, filter.trl),
        (FilterField::AmountYuan, filter.amount_yuan),
        (FilterField::PublishTime, filter.publish_time),
        (FilterField::UpdateTime, filter.update_time),
        (FilterField::Deadline, filter.deadline),
    ];
    let excluded = (!filter.excluded_owners.is_empty())
        .then(|| Condition::None { field: FilterField::Owner, values: unique(filter.excluded_owners.clone()) });
    let any = any.into_iter().filter(|(_, values)| !values.is_empty());
    any.map(|(field, values)| Condition::Any { field, values: unique(values) })
        .chain(excluded)
        .chain(ranges.into_iter().filter_map(|(field, range)| Some(Condition::Between { field, range: range? })))
        .collect()
}

fn keys<C: Code>(codes: &[C]) -> Vec<String> {
    codes.iter().map(|code| code.key().to_string()).collect()
}

fn unique(values: Vec<String>) -> Vec<String> {
    values.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::codes::{PolicyField, Stage, Status};

    fn check(filter: Filter, want: &[Condition]) {
        assert_eq!(conditions(&filter), want);
    }

    fn any(field: FilterField, values: &[&str]) -> Condition {
        Condition::Any { field, values: values.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn every_condition_of_a_filter() {
        let strings = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let none = Filter::default;
        check(none(), &[]);
        check(
            Filter { regions: strings(&["130000", "130100", "131000", "130102", "130100"]), ..none() },
            &[any(FilterField::Region, &["13", "1301", "130102", "1310"])],
        );
        check(Filter { industries: strings(&["C38"]), ..none() }, &[any(FilterField::Industry, &["C38"])]);
        check(Filter { fields: strings(&["80406"]), ..none() }, &[any(FilterField::TechnologyField, &["80406"])]);
        check(
            Filter { policy_fields: vec![PolicyField::PublicService], ..none() },
            &[any(FilterField::PolicyField, &["public_service"])],
        );
        check(
            Filter { stages: vec![Stage::Pilot, Stage::Mature], ..none() },
            &[any(FilterField::Stage, &["mature", "pilot"])],
        );
        check(Filter { statuses: vec![Status::Active], ..none() }, &[any(FilterField::Status, &["active"])]);
        check(Filter { owners: strings(&["甲"]), ..none() }, &[any(FilterField::Owner, &["甲"])]);
        let achievements = vec!["achievements/a-1".parse().unwrap()];
        check(Filter { achievements, ..none() }, &[any(FilterField::Achievements, &["achievements/a-1"])]);
        check(Filter { sources: strings(&["local"]), ..none() }, &[any(FilterField::Source, &["local"])]);
        check(
            Filter { owners: strings(&["甲"]), excluded_owners: strings(&["乙"]), ..none() },
            &[
                any(FilterField::Owner, &["甲"]),
                Condition::None { field: FilterField::Owner, values: strings(&["乙"]) },
            ],
        );
        let range = Range { min: Some(-1), max: None };
        let rows = [
            (FilterField::Trl, Filter { trl: Some(range), ..none() }),
            (FilterField::AmountYuan, Filter { amount_yuan: Some(range), ..none() }),
            (FilterField::PublishTime, Filter { publish_time: Some(range), ..none() }),
            (FilterField::UpdateTime, Filter { update_time: Some(range), ..none() }),
            (FilterField::Deadline, Filter { deadline: Some(range), ..none() }),
        ];
        for (field, filter) in rows {
            check(filter, &[Condition::Between { field, range }]);
        }
    }
}
