//! Which fields an update of an event replaces (AIP-134).

use prost_types::FieldMask;

use duijie_core::domain::{Problem, Violation, Violations};
use duijie_proto as pb;

/// A field that an update can replace.
#[derive(Clone, Copy)]
pub struct Field {
    path: &'static str,
    is_set: fn(&pb::Event) -> bool,
    copy: fn(&pb::Event, &mut pb::Event),
}

/// Path that stands for all fields.
const ALL: &str = "*";
/// Path of the rules as a whole.
const RULES: &str = "rules";

macro_rules! of_event {
    ($($field:ident)*) => {
        &[$(Field {
            path: stringify!($field),
            is_set: |it| !is_default(&it.$field),
            copy: |from, to| to.$field.clone_from(&from.$field),
        }),*]
    };
}

macro_rules! of_rules {
    ($($field:ident)*) => {
        &[$(Field {
            path: concat!("rules.", stringify!($field)),
            is_set: |it| it.rules.as_ref().is_some_and(|rules| !is_default(&rules.$field)),
            copy: |from, to| {
                to.rules.get_or_insert_default().$field = from.rules.clone().unwrap_or_default().$field;
            },
        }),*]
    };
}

const OF_EVENT: &[Field] = of_event!(title place slots table_count spare_percent rules);
const OF_RULES: &[Field] = of_rules!(
    max_per_demand max_per_achievement max_per_expert max_per_demand_organisation max_per_counterpart_organisation min_grade min_score
    quotas avoided_pairs allow_same_organisation allow_met_before
);

/// Reads the mask of an update: without one, the fields that the event sets.
///
/// # Errors
/// A violation for each path that names no field that can be replaced.
pub fn mask_in(mask: Option<FieldMask>, event: &pb::Event) -> Result<Vec<Field>, Violations> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.is_empty() {
        // the rules count by their own fields
        let fields = OF_EVENT.iter().filter(|field| field.path != RULES).chain(OF_RULES);
        return Ok(fields.filter(|field| (field.is_set)(event)).copied().collect());
    }
    if paths.as_slice() == [ALL] {
        return Ok(OF_EVENT.to_vec());
    }
    let field = |(index, path): (usize, &String)| {
        let found = OF_EVENT.iter().chain(OF_RULES).find(|field| field.path == path).copied();
        found.ok_or_else(|| {
            let want = "a field of Event that can be replaced, such as title or rules.min_grade, or * alone";
            let want_zh = "可以修改的字段，如 title、rules.min_grade，或单独的 *";
            Violation::new(format!("update_mask.paths[{index}]"), Problem::Malformed { want, want_zh })
        })
    };
    let mut bad = Violations::default();
    let found = paths.iter().enumerate().map(field).filter_map(|it| it.map_err(|violation| bad.note(violation)).ok());
    let found = found.collect();
    bad.passed(found)
}

/// Copies the fields from one event to another.
pub fn copy(fields: &[Field], from: &pb::Event, to: &mut pb::Event) {
    fields.iter().for_each(|field| (field.copy)(from, to));
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> pb::Event {
        pb::Event {
            title: "旧".into(),
            place: "旧".into(),
            table_count: 3,
            rules: Some(pb::EventRules { max_per_demand: 2, min_score: 0.5, ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn only_what_the_mask_names_is_replaced() {
        let sent = pb::Event {
            title: "新".into(),
            rules: Some(pb::EventRules { max_per_demand: 7, allow_met_before: true, ..Default::default() }),
            ..Default::default()
        };
        let check = |paths: &[&str], want: pb::Event| {
            let mask = FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
            let mut event = stored();
            copy(&mask_in(Some(mask), &sent).unwrap(), &sent, &mut event);
            assert_eq!(event, want, "{paths:?}");
        };
        let rules = |change: fn(&mut pb::EventRules)| {
            let mut event = stored();
            change(event.rules.as_mut().unwrap());
            event
        };
        check(&["title"], pb::Event { title: "新".into(), ..stored() });
        check(&["place"], pb::Event { place: String::new(), ..stored() });
        check(&["rules.max_per_demand"], rules(|it| it.max_per_demand = 7));
        check(&["rules.min_score"], rules(|it| it.min_score = 0.0));
        check(&["rules"], pb::Event { rules: sent.rules.clone(), ..stored() });
        check(&["*"], sent.clone());
        // without a mask: title, max_per_demand and allow_met_before
        let mut want = rules(|it| (it.max_per_demand, it.allow_met_before) = (7, true));
        want.title = "新".into();
        check(&[], want.clone());
        let mut event = stored();
        copy(&mask_in(None, &sent).unwrap(), &sent, &mut event);
        assert_eq!(event, want);
    }

    #[test]
    fn paths_that_are_no_field_are_told() {
        let paths = ["title", "titel", "state", "etag", "name", "rules.", "rules.x", "slots.date", "*"];
        let mask = FieldMask { paths: paths.map(String::from).to_vec() };
        let violations = mask_in(Some(mask), &pb::Event::default()).err().unwrap();
        let fields: Vec<String> = violations.iter().map(|it| it.field.clone()).collect();
        let want: Vec<String> = (1..paths.len()).map(|index| format!("update_mask.paths[{index}]")).collect();
        assert_eq!(fields, want);
    }

    #[test]
    fn every_field_that_a_client_sets_has_a_path() {
        let files = <prost_types::FileDescriptorSet as prost::Message>::decode(pb::DESCRIPTORS).unwrap().file;
        let fields = |name: &str| {
            let message = files.iter().flat_map(|file| &file.message_type).find(|it| it.name() == name).unwrap();
            message.field.iter().map(|field| field.name().to_string()).collect::<Vec<_>>()
        };
        let output = ["name", "state", "etag", "participant_counts", "plan", "create_time", "update_time"];
        let event: Vec<String> = fields("Event").into_iter().filter(|it| !output.contains(&it.as_str())).collect();
        assert_eq!(event, OF_EVENT.iter().map(|it| it.path).collect::<Vec<_>>());
        let rules: Vec<String> = fields("EventRules").iter().map(|it| format!("rules.{it}")).collect();
        assert_eq!(rules, OF_RULES.iter().map(|it| it.path).collect::<Vec<_>>());
    }
}
