//! Filters as conditions on the indexed payload fields. Engines translate only these three kinds of condition, so every
//! engine keeps the same points.

use std::collections::BTreeSet;

use super::payload::Field;
use duijie_core::domain::{Code, Filter, Range, gb};

/// One condition; a point must meet all conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The keyword field has one of these values.
    Any {
        /// Keyword field.
        field: Field,
        /// Values, each once, in order.
        values: Vec<String>,
    },
    /// The keyword field has none of these values; a point without the field is kept.
    None {
        /// Keyword field.
        field: Field,
        /// Values, each once, in order.
        values: Vec<String>,
    },
    /// The integer field lies in the closed range; a point without the field is not kept.
    Between {
        /// Integer field.
        field: Field,
        /// Range; an end that is `None` is open.
        range: Range,
    },
}

/// Conditions of a filter in normal form (see [`Filter::checked`]); empty for the empty filter.
pub fn conditions(filter: &Filter) -> Vec<Condition> {
    let regions = filter.regions.iter().map(|region| gb::region_prefix(region).to_string());
    let any = [
        (Field::Region, regions.collect()),
        (Field::Industry, filter.industries.clone()),
        (Field::TechnologyField, filter.fields.clone()),
        (Field::PolicyField, keys(&filter.policy_fields)),
        (Field::Stage, keys(&filter.stages)),
        (Field::Status, keys(&filter.statuses)),
        (Field::Owner, filter.owners.clone()),
        (Field::Source, filter.sources.clone()),
        (Field::Achievements, filter.achievements.iter().map(ToString::to_string).collect()),
    ];
    let ranges = [
        (Field::Trl, filter.trl),
        (Field::AmountYuan, filter.amount_yuan),
        (Field::PublishTime, filter.publish_time),
        (Field::UpdateTime, filter.update_time),
        (Field::Deadline, filter.deadline),
    ];
    let excluded = (!filter.excluded_owners.is_empty())
        .then(|| Condition::None { field: Field::Owner, values: unique(filter.excluded_owners.clone()) });
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

    fn any(field: Field, values: &[&str]) -> Condition {
        Condition::Any { field, values: values.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn every_condition_of_a_filter() {
        let strings = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let none = Filter::default;
        check(none(), &[]);
        check(
            Filter { regions: strings(&["130000", "130100", "131000", "130102", "130100"]), ..none() },
            &[any(Field::Region, &["13", "1301", "130102", "1310"])],
        );
        check(Filter { industries: strings(&["C38"]), ..none() }, &[any(Field::Industry, &["C38"])]);
        check(Filter { fields: strings(&["80406"]), ..none() }, &[any(Field::TechnologyField, &["80406"])]);
        check(
            Filter { policy_fields: vec![PolicyField::PublicService], ..none() },
            &[any(Field::PolicyField, &["public_service"])],
        );
        check(
            Filter { stages: vec![Stage::Pilot, Stage::Mature], ..none() },
            &[any(Field::Stage, &["mature", "pilot"])],
        );
        check(Filter { statuses: vec![Status::Active], ..none() }, &[any(Field::Status, &["active"])]);
        check(Filter { owners: strings(&["甲"]), ..none() }, &[any(Field::Owner, &["甲"])]);
        let achievements = vec!["achievements/a-1".parse().unwrap()];
        check(Filter { achievements, ..none() }, &[any(Field::Achievements, &["achievements/a-1"])]);
        check(Filter { sources: strings(&["local"]), ..none() }, &[any(Field::Source, &["local"])]);
        check(
            Filter { owners: strings(&["甲"]), excluded_owners: strings(&["乙"]), ..none() },
            &[any(Field::Owner, &["甲"]), Condition::None { field: Field::Owner, values: strings(&["乙"]) }],
        );
        let range = Range { min: Some(-1), max: None };
        let rows = [
            (Field::Trl, Filter { trl: Some(range), ..none() }),
            (Field::AmountYuan, Filter { amount_yuan: Some(range), ..none() }),
            (Field::PublishTime, Filter { publish_time: Some(range), ..none() }),
            (Field::UpdateTime, Filter { update_time: Some(range), ..none() }),
            (Field::Deadline, Filter { deadline: Some(range), ..none() }),
        ];
        for (field, filter) in rows {
            check(filter, &[Condition::Between { field, range }]);
        }
    }
}
