//! All checks of an event, a participant and an edit. Checked values are in normal form.

use std::ops::RangeInclusive;

use super::{
    AvoidedPair, Event, Group, Pair, Participant, Quota, Rules, Window,
    contact::MAX_CONTACT_CHARS,
    edit::Edit,
    participant::{MAX_PEOPLE, MAX_PRESENTER_CHARS, MAX_WINDOWS},
    setup::{MAX_AVOIDED, MAX_CAP, MAX_QUOTAS, MAX_SLOTS, MAX_SPARE_PERCENT, MAX_TABLES},
};
use duijie_core::domain::{
    Kind, Problem, Violations,
    check::{MAX_OWNER_CHARS, MAX_TITLE_CHARS, check_text},
    gb,
    name::check_id,
};

/// Maximum pairs in a quota.
const MAX_QUOTA: u32 = 1_000_000;

impl Event {
    /// Brings the event into its normal form (slots in order, codes) and checks every rule.
    ///
    /// # Errors
    /// All violations, with paths as in the proto below `event`: `slots[2].end_time`, `rules.quotas[0].code`.
    pub fn checked(mut self) -> Result<Self, Violations> {
        let mut found = Violations::default();
        found.take("event_id", check_id(&self.id));
        found.take("title", check_text(&self.title, 1, MAX_TITLE_CHARS, false));
        found.take("place", check_text(&self.place, 0, MAX_TITLE_CHARS, false));
        self.check_slots(&mut found);
        check_number(self.tables, 1..=MAX_TABLES, "table_count", &mut found);
        check_number(self.spare_percent, 0..=MAX_SPARE_PERCENT, "spare_percent", &mut found);
        self.rules.check(&mut found);
        if found.is_empty() {
            self.slots.sort_unstable();
            Ok(self)
        } else {
            Err(found)
        }
    }

    fn check_slots(&self, found: &mut Violations) {
        match self.slots.len() {
            0 => found.say("slots", Problem::Required),
            len if MAX_SLOTS < len => found.say("slots", Problem::TooMany { max: MAX_SLOTS }),
            _ => {}
        }
        for (index, slot) in self.slots.iter().enumerate().take(MAX_SLOTS) {
            if slot.end <= slot.start || slot.instants().is_none() {
                found.say(format_args!("slots[{index}].end_time"), after_begin());
            }
            let overlaps =
                |other: &super::Slot| other.date == slot.date && other.start < slot.end && slot.start < other.end;
            if self.slots.iter().take(index).any(overlaps) {
                found.say(format_args!("slots[{index}]"), Problem::Repeated);
            }
        }
    }

    /// Checks a staff decision; the participants are checked elsewhere.
    ///
    /// # Errors
    /// All violations, with paths below `path`.
    pub(crate) fn check_edit(&self, edit: Edit, path: &str) -> Result<(), Violations> {
        let Edit::Lock { slot, table } = edit else { return Ok(()) };
        let mut found = Violations::default();
        if self.slots.len() <= slot {
            found.say(format_args!("{path}.slot"), range(1, self.slots.len()));
        }
        if self.tables <= table {
            found.say(format_args!("{path}.table"), Problem::OutOfRange { min: 1, max: i64::from(self.tables) });
        }
        found.passed(())
    }
}

impl Rules {
    fn check(&mut self, found: &mut Violations) {
        let caps = [
            ("rules.max_per_demand", Some(self.per_demand)),
            ("rules.max_per_achievement", Some(self.per_achievement)),
            ("rules.max_per_expert", Some(self.per_expert)),
            ("rules.max_per_demand_organisation", self.per_demand_organisation),
            ("rules.max_per_counterpart_organisation", self.per_counterpart_organisation),
        ];
        for (path, cap) in caps {
            if let Some(cap) = cap {
                check_number(cap, 1..=MAX_CAP, path, found);
            }
        }
        if !(0.0..=1.0).contains(&self.min_score) {
            found.say("rules.min_score", Problem::OutOfRange { min: 0, max: 1 });
        }
        if MAX_QUOTAS < self.quotas.len() {
            found.say("rules.quotas", Problem::TooMany { max: MAX_QUOTAS });
        }
        if MAX_AVOIDED < self.avoided.len() {
            found.say("rules.avoided_pairs", Problem::TooMany { max: MAX_AVOIDED });
        }
        for (index, quota) in self.quotas.iter_mut().enumerate() {
            quota.check(&format!("rules.quotas[{index}]"), found);
        }
        for (index, avoided) in self.avoided.iter().enumerate() {
            avoided.check(&format!("rules.avoided_pairs[{index}]"), found);
        }
        for (index, quota) in self.quotas.iter().enumerate().take(MAX_QUOTAS) {
            if self.quotas.iter().take(index).any(|earlier| earlier.overlaps(quota)) {
                found.say(format_args!("rules.quotas[{index}]"), Problem::Repeated);
            }
        }
    }
}

impl Quota {
    fn check(&mut self, path: &str, found: &mut Violations) {
        let code = match self.group {
            Group::City => gb::region(&self.code).ok_or(Problem::UnknownCode { table: "GB/T 2260" }),
            Group::Field if gb::is_field(&self.code) => Ok(self.code.clone()),
            Group::Field => Err(Problem::UnknownCode { table: "八大领域" }),
        };
        if let Some(code) = found.take(format_args!("{path}.code"), code) {
            self.code = code;
        }
        check_number(self.min_pairs, 0..=MAX_QUOTA, &format!("{path}.min_pair_count"), found);
        if let Some(max_pairs) = self.max_pairs {
            check_number(max_pairs, 0..=MAX_QUOTA, &format!("{path}.max_pair_count"), found);
            if max_pairs < self.min_pairs {
                found.say(format_args!("{path}.max_pair_count"), Problem::Contradiction);
            }
        } else if self.min_pairs == 0 {
            found.say(path, Problem::Required);
        }
    }
}

impl AvoidedPair {
    fn check(&self, path: &str, found: &mut Violations) {
        for (side, organisation) in [("left", &self.left), ("right", &self.right)] {
            found.take(format_args!("{path}.{side}"), check_text(organisation, 1, MAX_OWNER_CHARS, false));
        }
        if self.left == self.right && !self.left.is_empty() {
            found.say(format_args!("{path}.right"), Problem::Repeated);
        }
    }
}

impl Participant {
    /// Checks every rule; `event` gives the number of tables.
    ///
    /// # Errors
    /// All violations, with paths below `path`.
    pub fn check(&self, event: &Event, path: &str) -> Result<(), Violations> {
        let mut found = Violations::default();
        let texts = [
            ("contact.person", &self.contact.person, MAX_CONTACT_CHARS),
            ("contact.phone", &self.contact.phone, MAX_CONTACT_CHARS),
            ("contact.email", &self.contact.email, MAX_CONTACT_CHARS),
            ("presenter", &self.presenter, MAX_PRESENTER_CHARS),
        ];
        for (field, text, max) in texts {
            found.take(format_args!("{path}.{field}"), check_text(text, 0, max, false));
        }
        check_number(self.people, 1..=MAX_PEOPLE, &format!("{path}.max_concurrent_meetings"), &mut found);
        if let Some(cap) = self.cap {
            check_number(cap, 1..=MAX_CAP, &format!("{path}.max_meetings"), &mut found);
        }
        if self.table.is_some_and(|table| event.tables <= table) {
            found.say(format_args!("{path}.table"), Problem::OutOfRange { min: 1, max: i64::from(event.tables) });
        }
        if MAX_WINDOWS < self.windows.len() {
            found.say(format_args!("{path}.availability_windows"), Problem::TooMany { max: MAX_WINDOWS });
        }
        let ends_early = |(index, window): (usize, &Window)| (window.end <= window.start).then_some(index);
        for index in self.windows.iter().enumerate().filter_map(ends_early) {
            found.say(format_args!("{path}.availability_windows[{index}].end_time"), after_begin());
        }
        found.passed(())
    }
}

impl Pair {
    /// Checks that the first is a demand and the second is not.
    ///
    /// # Errors
    /// All violations, with paths below `path`.
    pub fn check(&self, path: &str) -> Result<(), Violations> {
        let mut found = Violations::default();
        if self.demand.kind != Kind::Demand {
            found.say(format_args!("{path}.demand"), Problem::NotOfThisKind);
        }
        if self.counterpart.kind == Kind::Demand {
            found.say(format_args!("{path}.counterpart"), Problem::NotOfThisKind);
        }
        found.passed(())
    }
}

fn check_number(number: u32, range: RangeInclusive<u32>, path: &str, found: &mut Violations) {
    if !range.contains(&number) {
        let (min, max) = range.into_inner();
        found.say(path, Problem::OutOfRange { min: min.into(), max: max.into() });
    }
}

fn range(min: usize, max: usize) -> Problem {
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    Problem::OutOfRange { min: number(min), max: number(max) }
}

fn after_begin() -> Problem {
    Problem::Malformed { want: "a time after the begin", want_zh: "晚于开始的时间" }
}
