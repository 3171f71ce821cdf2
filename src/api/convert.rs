//! Conversion between wire types and domain values. All other code uses domain values only.

pub mod access;
pub mod event;
pub mod event_mask;
pub mod evidence;
pub mod outcome;
pub mod plan;
pub mod rematch;
pub mod watch;

use std::time::Duration;

use jiff::Timestamp;

use duijie_core::domain::{
    Code, Detail, Filter, Kind, Problem, Range, Record, RecordName, Violation, Violations,
    codes::Status,
    hit,
    record::{Achievement, Demand, Expert, IntellectualProperty, Owner},
};
use duijie_proto as pb;

/// Fields of the records in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All but the long ones.
    Basic,
    /// All.
    Full,
}

/// Reads a record. Values that the domain type cannot hold are violations. [`Record::checked`] checks the rules of the
/// domain later.
///
/// # Errors
/// All violations.
pub fn record_in(record: pb::Record) -> Result<Record, Violations> {
    let mut found = Violations::default();
    let (common, detail) = match record.kind {
        Some(pb::record::Kind::Achievement(it)) => achievement_in(it, &mut found),
        Some(pb::record::Kind::Demand(it)) => demand_in(it, &mut found),
        Some(pb::record::Kind::Expert(it)) => {
            let expert = Expert { professional_title: it.professional_title, achievement_ids: it.achievement_ids };
            (it.common, Detail::Expert(expert))
        }
        None => return Err(Violation::new("kind", Problem::Required).into()),
    };
    let Some(common) = common else { return Err(Violation::new("common", Problem::Required).into()) };
    let record = common_in(common, detail, &mut found);
    found.passed(record)
}

fn common_in(common: pb::Common, detail: Detail, found: &mut Violations) -> Record {
    Record {
        policy_field: code(common.policy_field, "common.policy_field", found),
        owner: common.owner.map(|owner| Owner {
            name: owner.name,
            credit_code: owner.credit_code,
            owner_type: code(owner.r#type, "common.owner.type", found),
        }),
        status: code(common.status, "common.status", found).unwrap_or_default(),
        share_class: code(common.share_class, "common.share_class", found).unwrap_or_default(),
        publish_time: common.publish_time.and_then(|time| time_in(time, "common.publish_time", found)),
        revision: number(common.revision, "common.revision", found),
        body: common.body,
        keywords: common.keywords,
        industry: common.industry,
        field: common.field,
        region: common.region,
        ..Record::new(common.source_system, common.id, common.title, detail)
    }
}

fn achievement_in(it: pb::Achievement, found: &mut Violations) -> (Option<pb::Common>, Detail) {
    let rights = it.intellectual_property.into_iter().enumerate().filter_map(|(index, right)| {
        let path = |field| format!("intellectual_property[{index}].{field}");
        let kind = code(right.kind, &path("kind"), found);
        if kind.is_none() {
            found.say(path("kind"), Problem::Required);
        }
        let status = code(right.status, &path("status"), found);
        Some(IntellectualProperty { kind: kind?, number: right.number, status })
    });
    let intellectual_property = rights.collect();
    let achievement = Achievement {
        registration_number: it.registration_number,
        stage: code(it.stage, "stage", found),
        trl: match it.trl {
            0 => None,
            trl => Some(u8::try_from(trl).unwrap_or(u8::MAX)),
        },
        level: code(it.level, "level", found),
        intellectual_property,
        transfer_modes: codes(&it.transfer_modes, "transfer_modes", found),
        price_yuan: it.price_yuan,
    };
    (it.common, Detail::Achievement(achievement))
}

fn demand_in(it: pb::Demand, found: &mut Violations) -> (Option<pb::Common>, Detail) {
    let demand = Demand {
        budget_yuan: it.budget_yuan,
        deadline: it.deadline.and_then(|time| time_in(time, "deadline", found)),
        cooperation_modes: codes(&it.cooperation_modes, "cooperation_modes", found),
    };
    (it.common, Detail::Demand(demand))
}

/// Writes a record with its name and times.
pub fn record_out(record: Record) -> pb::Record {
    let common = Some(pb::Common {
        name: record.name().to_string(),
        id: record.id,
        source_system: record.source,
        title: record.title,
        body: record.body,
        keywords: record.keywords,
        industry: record.industry,
        field: record.field,
        policy_field: record.policy_field.map_or(0, Code::number),
        region: record.region,
        owner: record.owner.map(owner_out),
        status: record.status.number(),
        share_class: record.share_class.number(),
        publish_time: record.publish_time.map(time_out),
        create_time: record.create_time.map(time_out),
        update_time: record.update_time.map(time_out),
        revision: i64::try_from(record.revision).unwrap_or(i64::MAX),
    });
    let kind = match record.detail {
        Detail::Achievement(it) => pb::record::Kind::Achievement(achievement_out(it, common)),
        Detail::Demand(it) => pb::record::Kind::Demand(pb::Demand {
            common,
            budget_yuan: it.budget_yuan,
            deadline: it.deadline.map(time_out),
            cooperation_modes: it.cooperation_modes.into_iter().map(Code::number).collect(),
        }),
        Detail::Expert(it) => pb::record::Kind::Expert(pb::Expert {
            common,
            professional_title: it.professional_title,
            achievement_ids: it.achievement_ids,
        }),
    };
    pb::Record { kind: Some(kind) }
}

/// Writes an organisation.
pub fn owner_out(owner: Owner) -> pb::Owner {
    pb::Owner { name: owner.name, credit_code: owner.credit_code, r#type: owner.owner_type.map_or(0, Code::number) }
}

fn achievement_out(it: Achievement, common: Option<pb::Common>) -> pb::Achievement {
    let right_out = |right: IntellectualProperty| pb::IntellectualProperty {
        kind: right.kind.number(),
        number: right.number,
        status: right.status.map_or(0, Code::number),
    };
    pb::Achievement {
        common,
        registration_number: it.registration_number,
        stage: it.stage.map_or(0, Code::number),
        trl: it.trl.map_or(0, i32::from),
        level: it.level.map_or(0, Code::number),
        intellectual_property: it.intellectual_property.into_iter().map(right_out).collect(),
        transfer_modes: it.transfer_modes.into_iter().map(Code::number).collect(),
        price_yuan: it.price_yuan,
    }
}

/// Reads the requested record kind.
///
/// # Errors
/// A violation of `field` if it is not stated or unknown.
pub fn kind_in(kind: i32, field: &str) -> Result<Kind, Violation> {
    match pb::RecordKind::try_from(kind) {
        Ok(pb::RecordKind::Achievement) => Ok(Kind::Achievement),
        Ok(pb::RecordKind::Demand) => Ok(Kind::Demand),
        Ok(pb::RecordKind::Expert) => Ok(Kind::Expert),
        Ok(pb::RecordKind::Unspecified) => Err(Violation::new(field, Problem::Required)),
        Err(_) => Err(Violation::new(field, Problem::UnknownCode { table: "RecordKind" })),
    }
}

/// Wire number of a kind.
pub fn kind_out(kind: Kind) -> i32 {
    let kind = match kind {
        Kind::Achievement => pb::RecordKind::Achievement,
        Kind::Demand => pb::RecordKind::Demand,
        Kind::Expert => pb::RecordKind::Expert,
    };
    kind as i32
}

/// Takes the record view out of a request, so that page tokens do not depend on it.
///
/// # Errors
/// A violation of `view` if it is unknown.
pub fn view_in(view: &mut i32) -> Result<View, Violation> {
    match pb::RecordView::try_from(std::mem::take(view)) {
        Ok(pb::RecordView::Basic) => Ok(View::Basic),
        Ok(pb::RecordView::Unspecified | pb::RecordView::Full) => Ok(View::Full),
        Err(_) => Err(Violation::new("view", Problem::UnknownCode { table: "RecordView" })),
    }
}

/// Reads a filter for records of a kind and checks it.
///
/// # Errors
/// All violations.
pub fn filter_in(filter: Option<pb::Filter>, kind: Kind) -> Result<Filter, Violations> {
    let Some(it) = filter else { return Ok(Filter::default()) };
    let mut found = Violations::default();
    let filter = Filter {
        policy_fields: codes(&it.policy_fields, "filter.policy_fields", &mut found),
        stages: codes(&it.stages, "filter.stages", &mut found),
        statuses: codes::<Status>(&it.statuses, "filter.statuses", &mut found),
        trl: it.trl.map(range_in),
        amount_yuan: it.amount_yuan.map(range_in),
        publish_time: it.publish_time.map(|range| times_in(range, "filter.publish_time", &mut found)),
        update_time: it.update_time.map(|range| times_in(range, "filter.update_time", &mut found)),
        deadline: it.deadline.map(|range| times_in(range, "filter.deadline", &mut found)),
        regions: it.regions,
        industries: it.industries,
        fields: it.fields,
        owners: it.owners,
        excluded_owners: it.excluded_owners,
        sources: it.source_systems,
        achievements: names_in(&it.achievements, "filter.achievements", &mut found),
    };
    match filter.checked(kind) {
        Ok(filter) if found.is_empty() => Ok(filter),
        Ok(_) => Err(found),
        Err(more) => {
            found.join(more);
            Err(found)
        }
    }
}

/// Writes a filter.
pub fn filter_out(filter: Filter) -> pb::Filter {
    fn numbers<C: Code>(codes: Vec<C>) -> Vec<i32> {
        codes.into_iter().map(Code::number).collect()
    }
    let range = |range: Range| pb::IntRange { min: range.min, max: range.max };
    // converts a closed range of seconds to a half-open range of times
    let time = |second: i64| prost_types::Timestamp { seconds: second, nanos: 0 };
    let times = |range: Range| pb::TimeRange {
        start_time: range.min.map(time),
        end_time: range.max.map(|max| time(max.saturating_add(1))),
    };
    pb::Filter {
        regions: filter.regions,
        industries: filter.industries,
        fields: filter.fields,
        policy_fields: numbers(filter.policy_fields),
        stages: numbers(filter.stages),
        trl: filter.trl.map(range),
        amount_yuan: filter.amount_yuan.map(range),
        statuses: numbers(filter.statuses),
        owners: filter.owners,
        excluded_owners: filter.excluded_owners,
        publish_time: filter.publish_time.map(times),
        update_time: filter.update_time.map(times),
        source_systems: filter.sources,
        deadline: filter.deadline.map(times),
        achievements: filter.achievements.iter().map(ToString::to_string).collect(),
    }
}

/// Reads names of achievements, with a violation for each invalid one.
fn names_in(names: &[String], path: &str, found: &mut Violations) -> Vec<RecordName> {
    let read = |(index, name): (usize, &String)| {
        let read = name.parse::<RecordName>().ok().filter(|name| name.kind == Kind::Achievement);
        if read.is_none() {
            let want = "resource names of achievements, like achievements/a-1";
            let problem = Problem::Malformed { want, want_zh: "成果的名称，如 achievements/a-1" };
            found.say(format_args!("{path}[{index}]"), problem);
        }
        read
    };
    names.iter().enumerate().filter_map(read).collect()
}

/// Writes a match without its evidence.
pub fn match_out(found: hit::MatchHit, view: View) -> pb::Match {
    let source = |source: pb::Source, said: hit::SourceScore| pb::SourceScore {
        source: source as i32,
        score: said.score.map(f64::from),
        rank: int(said.rank),
        contribution: said.contribution,
    };
    let term = |term: hit::MatchedTerm| pb::MatchedTerm {
        weight: f64::from(term.weight),
        spans: term.spans.into_iter().map(span_out).collect(),
        term: term.term,
    };
    let mut sources = vec![source(pb::Source::Dense, found.dense), source(pb::Source::Sparse, found.sparse)];
    sources.extend(found.works.as_ref().map(|works| source(pb::Source::Achievements, works.score)));
    let through = found.works.map(|works| works.best);
    pb::Match {
        record: Some(record_out(view.of(found.record))),
        rank: int(found.rank),
        score: found.score,
        sources,
        through_achievement: through.map(|name| name.to_string()).unwrap_or_default(),
        matched_terms: found.terms.into_iter().map(term).collect(),
        level: found.relevance.map(level_out),
        ..pb::Match::default()
    }
}

/// Wire number of a level: its own number; 0 if unknown.
pub fn grade_out(level: Option<hit::Level>) -> i32 {
    level.map_or(0, |level| level.number().into())
}

/// Reads a minimum grade; `None` if not stated.
pub fn grade_in(grade: i32, path: &str, found: &mut Violations) -> Option<hit::Level> {
    let level = hit::Level::from_number(grade);
    if level.is_none() && grade != 0 {
        found.say(path, Problem::UnknownCode { table: "Grade" });
    }
    level
}

fn level_out(relevance: hit::Relevance) -> pb::Level {
    let [none, weak, fair, strong] = relevance.probabilities.unwrap_or_default();
    pb::Level {
        grade: grade_out(Some(relevance.level)),
        strong_probability: strong,
        fair_probability: fair,
        weak_probability: weak,
        none_probability: none,
    }
}

fn span_out(span: hit::Span) -> pb::Span {
    let (field, keyword) = match span.field {
        hit::TextField::Title => (pb::TextField::Title, 0),
        hit::TextField::Body => (pb::TextField::Body, 0),
        hit::TextField::Keyword(index) => (pb::TextField::Keywords, index),
    };
    pb::Span { field: field as i32, start_char: int(span.start), end_char: int(span.end), keyword_index: int(keyword) }
}

fn range_in(range: pb::IntRange) -> Range {
    Range { min: range.min, max: range.max }
}

/// Converts a half-open range of times to a closed range of whole seconds, as stored times are truncated to seconds.
fn times_in(range: pb::TimeRange, path: &str, found: &mut Violations) -> Range {
    let start = range.start_time.and_then(|time| time_in(time, &format!("{path}.start_time"), found));
    let end = range.end_time.and_then(|time| time_in(time, &format!("{path}.end_time"), found));
    let ceil = |time: Timestamp| time.as_second() + i64::from(0 < time.subsec_nanosecond());
    Range { min: start.map(ceil), max: end.map(|time| ceil(time) - 1) }
}

fn time_in(time: prost_types::Timestamp, path: &str, found: &mut Violations) -> Option<Timestamp> {
    let valid = (0..1_000_000_000).contains(&time.nanos);
    let read = Timestamp::new(time.seconds, time.nanos).ok().filter(|_| valid);
    if read.is_none() {
        let want = "seconds from -62135596800 to 253402300799, nanos from 0 to 999999999";
        found.say(path, Problem::Malformed { want, want_zh: "公元 1 年至 9999 年之间的时间" });
    }
    read
}

/// Writes a time.
pub fn time_out(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// Writes a duration.
pub fn duration_out(span: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0) }
}

/// Reads a value of an enumeration. 0 means "not stated"; an unknown number is a violation.
fn code<C: Code>(number: i32, path: &str, found: &mut Violations) -> Option<C> {
    let value = C::from_number(number);
    if value.is_none() && number != 0 {
        found.say(path, Problem::UnknownCode { table: C::NAME });
    }
    value
}

/// Reads a list of enumeration values; "not stated" is a violation.
fn codes<C: Code>(numbers: &[i32], path: &str, found: &mut Violations) -> Vec<C> {
    let row = |(index, &number): (usize, &i32)| {
        let value = C::from_number(number);
        if value.is_none() {
            found.say(format_args!("{path}[{index}]"), Problem::UnknownCode { table: C::NAME });
        }
        value
    };
    numbers.iter().enumerate().filter_map(row).collect()
}

fn number(number: i64, path: &str, found: &mut Violations) -> u64 {
    u64::try_from(number).unwrap_or_else(|_| {
        found.say(path, Problem::OutOfRange { min: 0, max: i64::MAX / 2 });
        0
    })
}

fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

// === impl View ===

impl View {
    /// The record with the fields of the view.
    pub fn of(self, mut record: Record) -> Record {
        if self == Self::Basic {
            record.body = String::new();
            match &mut record.detail {
                Detail::Achievement(it) => it.intellectual_property = Vec::new(),
                Detail::Expert(it) => it.achievement_ids = Vec::new(),
                Detail::Demand(_) => {}
            }
        }
        record
    }
}

#[cfg(test)]
mod tests;
