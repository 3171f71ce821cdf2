//! Checks a job's request and reports all violations at once. Pure.

use std::collections::HashSet;

use super::model::{JobRequest, MAX_LIMIT, MAX_NAMES, MAX_REQUEST_ID, Selection};
use duijie_core::domain::{Kind, Problem, RecordName, Violations, codes::Status};
use duijie_store::PointId;

/// Checks a request and normalises it, so that equivalent requests are equal.
///
/// # Errors
/// All violations.
pub fn checked(mut request: JobRequest) -> Result<JobRequest, Violations> {
    let mut found = Violations::default();
    request.selection = match request.selection {
        Selection::Names(names) => Selection::Names(names_checked(names, &mut found)),
        Selection::Filter(mut filter) => {
            if filter.statuses.is_empty() {
                filter.statuses = vec![Status::Active];
            }
            let checked = filter.checked(Kind::Demand).unwrap_or_else(|violations| {
                found.join(violations);
                Default::default()
            });
            Selection::Filter(Box::new(checked))
        }
    };
    check_targets(&request.targets, &mut found);
    request.targets.sort_unstable();
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
    let max = i64::try_from(MAX_LIMIT).unwrap_or(i64::MAX);
    if !(1..=max).contains(&limit) {
        found.say("limit", Problem::OutOfRange { min: 1, max });
    }
    if !(0.0..=1.0).contains(&request.min_score) {
        found.say("min_score", Problem::OutOfRange { min: 0, max: 1 });
    }
    if request.min_level.is_some() && !request.targets.contains(&Kind::Achievement) {
        found.say("min_level", Problem::NotOfThisKind);
    }
    if MAX_REQUEST_ID < request.request_id.len() {
        found.say("request_id", Problem::TooLong { max_chars: MAX_REQUEST_ID });
    }
    found.passed(request)
}

/// Whether two requests are equal apart from their base and request id.
pub fn same_wish(one: &JobRequest, other: &JobRequest) -> bool {
    let bare = |request: &JobRequest| JobRequest { base: None, request_id: String::new(), ..request.clone() };
    bare(one) == bare(other)
}

fn check_targets(targets: &[Kind], found: &mut Violations) {
    if targets.is_empty() {
        found.say("targets", Problem::Required);
    }
    let mut seen = HashSet::new();
    for (place, kind) in targets.iter().enumerate() {
        let field = format_args!("targets[{place}]");
        if *kind == Kind::Demand {
            found.say(field, Problem::NotOfThisKind);
        } else if !seen.insert(*kind) {
            found.say(field, Problem::Repeated);
        }
    }
}

/// Checks names and sorts them by id.
fn names_checked(mut names: Vec<RecordName>, found: &mut Violations) -> Vec<RecordName> {
    if names.is_empty() {
        found.say("names", Problem::Required);
    }
    if MAX_NAMES < names.len() {
        found.say("names", Problem::TooMany { max: MAX_NAMES });
    }
    let mut seen = HashSet::new();
    for (place, name) in names.iter().enumerate() {
        let field = format_args!("names[{place}]");
        if name.kind != Kind::Demand {
            found.say(field, Problem::NotOfThisKind);
        } else if !seen.insert(name) {
            found.say(field, Problem::Repeated);
        }
    }
    names.sort_by_key(PointId::of);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Filter, hit::Level};

    fn check(change: impl FnOnce(&mut JobRequest), want: &[(&str, &str)]) {
        let mut request = JobRequest::default();
        change(&mut request);
        let found = checked(request).err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|v| (v.field.as_str(), v.problem.reason())).collect();
        assert_eq!(found, want);
    }

    fn names(names: &[&str]) -> Selection {
        Selection::Names(names.iter().map(|name| name.parse().unwrap()).collect())
    }

    #[test]
    fn requests_that_are_wrong_say_so() {
        check(|_| (), &[]);
        check(|request| request.targets = vec![Kind::Expert, Kind::Achievement], &[]);
        check(|request| request.targets.clear(), &[("targets", "REQUIRED")]);
        check(
            |request| request.targets = vec![Kind::Demand, Kind::Expert, Kind::Expert],
            &[("targets[0]", "NOT_OF_THIS_KIND"), ("targets[2]", "REPEATED")],
        );
        check(|request| request.limit = 0, &[("limit", "OUT_OF_RANGE")]);
        check(|request| request.limit = MAX_LIMIT, &[]);
        check(|request| request.limit = MAX_LIMIT + 1, &[("limit", "OUT_OF_RANGE")]);
        check(|request| request.min_score = f64::NAN, &[("min_score", "OUT_OF_RANGE")]);
        check(|request| request.min_score = 1.0, &[]);
        check(
            |request| (request.min_level, request.targets) = (Some(Level::Weak), vec![Kind::Expert]),
            &[("min_level", "NOT_OF_THIS_KIND")],
        );
        check(|request| request.request_id = "x".repeat(MAX_REQUEST_ID), &[]);
        check(|request| request.request_id = "x".repeat(MAX_REQUEST_ID + 1), &[("request_id", "TOO_LONG")]);
        check(|request| request.selection = names(&[]), &[("names", "REQUIRED")]);
        check(
            |request| request.selection = names(&["demands/a", "achievements/a", "demands/local/a"]),
            &[("names[1]", "NOT_OF_THIS_KIND"), ("names[2]", "REPEATED")],
        );
        let many: Vec<String> = (0..=MAX_NAMES).map(|number| format!("demands/{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(|request| request.selection = names(&many[1..]), &[]);
        check(|request| request.selection = names(&many), &[("names", "TOO_MANY")]);
        let regions = vec!["99".to_string()];
        check(
            |request| {
                request.limit = 0;
                request.selection = Selection::Filter(Box::new(Filter { regions, ..Filter::default() }));
            },
            &[("filter.regions[0]", "UNKNOWN_CODE"), ("limit", "OUT_OF_RANGE")],
        );
    }

    #[test]
    fn what_is_not_said_and_the_order_of_names_make_no_difference() {
        let one = JobRequest { selection: names(&["demands/a", "demands/b"]), ..JobRequest::default() };
        let other = JobRequest {
            selection: names(&["demands/b", "demands/a"]),
            request_id: "r".into(),
            ..JobRequest::default()
        };
        assert!(same_wish(&checked(one).unwrap(), &checked(other).unwrap()));
        let said = Filter { statuses: vec![Status::Active], ..Filter::default() };
        let said = JobRequest { selection: Selection::Filter(Box::new(said)), ..JobRequest::default() };
        assert!(same_wish(&checked(said.clone()).unwrap(), &checked(JobRequest::default()).unwrap()));
        assert!(!same_wish(&said, &JobRequest { limit: 7, ..said.clone() }));
    }
}
