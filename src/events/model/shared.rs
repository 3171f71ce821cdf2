//! Who sits at the tables: which participants share people, and what the staff are told about it. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Participant;
use duijie_core::domain::{Kind, RecordName};

/// Maximum records named in one entry.
const MAX_NAMED: usize = 10;

/// Maximum entries: they lie in the head of a plan, which is one document.
const MAX_SHARED: usize = 400;

/// Participants that share people although nobody has said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedPeople {
    /// The organisation or the person.
    pub who: String,
    /// Whether it is a person: an expert who is also the contact of other records.
    pub is_person: bool,
    /// Number of these participants.
    pub count: u32,
    /// The first of them.
    pub records: Vec<RecordName>,
}

/// People who sit at one table at a time, by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presenter {
    /// Named by the staff.
    Named(String),
    /// A person of an organisation: its contact, or an expert.
    Person {
        /// Key of the organisation; empty without one.
        organisation: String,
        /// Name of the person.
        name: String,
    },
    /// The organisation: nobody is named.
    Organisation(String),
    /// Neither organisation nor person is known.
    Record(RecordName),
}

/// The organisations of participants. One may be written without its credit code in one record, and with it in another.
#[derive(Debug)]
pub struct Organisations<'a> {
    /// Credit codes by name.
    codes: BTreeMap<&'a str, &'a str>,
}

/// Returns the presenter of each participant; equal for those that share people.
pub fn presenters(participants: &[Participant]) -> Vec<Presenter> {
    let organisations = Organisations::of(participants);
    participants.iter().map(|it| it.presenter(organisations.key(it).to_string())).collect()
}

/// Returns whom the staff should be told about, among the participants for whom `meets` holds: organisations that send
/// one person for several records, and experts who are also the contact of other records.
pub fn shared(participants: &[Participant], meets: impl Fn(&RecordName) -> bool) -> Vec<SharedPeople> {
    let mut groups: BTreeMap<Presenter, Vec<&Participant>> = BTreeMap::new();
    for (participant, presenter) in participants.iter().zip(presenters(participants)) {
        if participant.is_active() && meets(&participant.record) {
            groups.entry(presenter).or_default().push(participant);
        }
    }
    let told = |(presenter, group): (Presenter, Vec<&Participant>)| {
        let (first, rest) = group.split_first()?;
        if rest.is_empty() || group.iter().any(|it| 1 < it.people) {
            return None;
        }
        let (who, is_person) = match presenter {
            Presenter::Organisation(_) => (first.organisation_name().to_string(), false),
            Presenter::Person { name, .. } if group.iter().any(|it| it.record.kind == Kind::Expert) => (name, true),
            _ => return None,
        };
        let count = u32::try_from(group.len()).unwrap_or(u32::MAX);
        let records = group.iter().take(MAX_NAMED).map(|it| it.record.clone()).collect();
        Some(SharedPeople { who, is_person, count, records })
    };
    groups.into_iter().filter_map(told).take(MAX_SHARED).collect()
}

// === impl Organisations ===

impl<'a> Organisations<'a> {
    /// The organisations of these participants.
    pub fn of(participants: &'a [Participant]) -> Self {
        let organisations = participants.iter().filter_map(|it| it.organisation.as_ref());
        let with_code = organisations.filter(|it| !it.credit_code.is_empty());
        Self { codes: with_code.map(|it| (it.name.as_str(), it.credit_code.as_str())).collect() }
    }

    /// What is equal for participants of one organisation: its credit code, or its name; empty without organisation.
    pub fn key(&self, it: &'a Participant) -> &'a str {
        let key = it.organisation_key();
        self.codes.get(key).copied().unwrap_or(key)
    }
}

// === impl SharedPeople ===

impl SharedPeople {
    /// Says in Chinese who it is, for which records, and what can be done.
    pub fn chinese(&self) -> String {
        let named: Vec<String> = self.records.iter().map(ToString::to_string).collect();
        let more = if self.records.len() < usize::try_from(self.count).unwrap_or(usize::MAX) { "等" } else { "" };
        let (who, records, count) = (&self.who, named.join("、"), self.count);
        if self.is_person {
            return format!("{who} 既是专家，又是其他参会项目的联系人（{records}{more}），同一时段只安排一场");
        }
        format!(
            "{who} 有 {count} 项参会（{records}{more}），未写明到场人数，同一时段只安排一场；如派多人，请用 --people 写明人数，或用 --presenter 分别写明到场代表"
        )
    }
}

// === impl Participant ===

impl Participant {
    /// Returns who sits at the table; `organisation` is the key of the participant's organisation.
    fn presenter(&self, organisation: String) -> Presenter {
        let person = match self.record.kind {
            Kind::Expert => self.title.trim(),
            Kind::Achievement | Kind::Demand => self.contact.person.trim(),
        };
        match (self.presenter.as_str(), person) {
            ("", "") if organisation.is_empty() => Presenter::Record(self.record.clone()),
            ("", "") => Presenter::Organisation(organisation),
            ("", name) => Presenter::Person { organisation, name: name.to_string() },
            (presenter, _) => Presenter::Named(presenter.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::Organisation;
    use duijie_core::domain::{Detail, Record};

    fn participant(name: &str, organisation: &str, code: &str, person: &str) -> Participant {
        let record: RecordName = name.parse().unwrap();
        let record = Record::new("local", &record.id, "题目", Detail::empty(record.kind));
        let mut it = Participant::of(&record);
        it.organisation =
            (!organisation.is_empty()).then(|| Organisation { name: organisation.into(), credit_code: code.into() });
        it.contact.person = person.into();
        it
    }

    #[test]
    fn people_are_those_of_the_organisation_unless_named() {
        let check = |all: &[Participant], want: &[usize]| {
            let found = presenters(all);
            let same: Vec<usize> = found.iter().map(|it| found.iter().position(|other| other == it).unwrap()).collect();
            assert_eq!(same, want, "{found:?}");
        };
        let (code, other_code) = ("91130300MA0LMNPQ46", "91440300708461136T");
        // one company twice, once without its code, and another of the same name with another code
        let one = participant("demands/1", "甲公司", code, "");
        check(&[one.clone(), participant("demands/2", "甲公司", code, "")], &[0, 0]);
        check(
            &[participant("demands/1", "甲公司", "", ""), participant("achievements/2", "甲公司", code, "")],
            &[0, 0],
        );
        check(&[one.clone(), participant("demands/2", "甲集团", code, "")], &[0, 0]);
        check(&[one.clone(), participant("demands/2", "甲公司", other_code, "")], &[0, 1]);
        check(&[participant("demands/1", "甲公司", "", ""), participant("demands/2", "甲公司", "", "")], &[0, 0]);
        // nothing is known
        check(&[participant("demands/1", "", "", ""), participant("demands/2", "", "", "")], &[0, 1]);
        // two people of one company
        check(
            &[participant("demands/1", "甲公司", "", "张三"), participant("demands/2", "甲公司", "", "李四")],
            &[0, 1],
        );
        check(
            &[participant("demands/1", "甲公司", "", "张三"), participant("demands/2", "乙公司", "", "张三")],
            &[0, 1],
        );
        // an expert is a person, and may be the contact of an achievement
        let mut expert = participant("experts/1", "丙学院", "", "");
        expert.title = "王五".into();
        let mut colleague = participant("experts/2", "丙学院", "", "");
        colleague.title = "赵六".into();
        check(&[expert.clone(), colleague, participant("achievements/1", "丙学院", "", "")], &[0, 1, 2]);
        check(&[expert, participant("achievements/1", "丙学院", "", "王五")], &[0, 0]);
        // named by the staff
        let named = |it: Participant| Participant { presenter: "中试基地".into(), ..it };
        check(&[named(one), named(participant("demands/2", "乙公司", "", ""))], &[0, 0]);
    }

    #[test]
    fn whom_the_staff_are_told_about() {
        let mut expert = participant("experts/1", "丙学院", "", "");
        expert.title = "王五".into();
        let all = [
            participant("achievements/1", "丙学院", "", "王五"),
            participant("demands/1", "甲公司", "", ""),
            participant("demands/2", "甲公司", "", ""),
            participant("demands/3", "乙公司", "", ""),
            expert,
        ];
        let said = |all: &[Participant]| -> Vec<(String, bool, u32)> {
            shared(all, |_| true).into_iter().map(|it| (it.who, it.is_person, it.count)).collect()
        };
        assert_eq!(said(&all), [("王五".to_string(), true, 2), ("甲公司".to_string(), false, 2)]);
        // the organisation says that it sends two
        let mut two = all.clone();
        two[1].people = 2;
        assert_eq!(said(&two), [("王五".to_string(), true, 2)]);
        // nobody is told about those without a meeting
        assert_eq!(shared(&all, |record| record.id == "3"), []);
        let sentence = shared(&all, |record| record.kind == Kind::Demand)[0].chinese();
        assert!(sentence.contains("甲公司 有 2 项") && sentence.contains("demands/2") && sentence.contains("--people"));
    }
}
