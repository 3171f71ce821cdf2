//! Takes an optional value that breaks a rule out of a record.

use super::fields::Field;
use duijie_core::domain::{Detail, Record};

/// Keywords, rights and achievements of a record, at most. As the domain has it; a test compares.
const MAX_ENTRIES: [(Field, usize); 3] =
    [(Field::Keywords, 20), (Field::IntellectualProperty, 20), (Field::AchievementIds, 50)];

/// Returns whether the field of a violation's path may be left out of a record.
pub fn may(path: &str) -> bool {
    !matches!(Field::of_path(path), None | Some(Field::Id | Field::Source | Field::Title | Field::Body))
}

/// Takes out the field of a violation's path, or the entry of a list (`keywords[3]`); returns whether it did. Paths with
/// higher indices must come first.
pub fn field(record: &mut Record, path: &str) -> bool {
    let Some(field) = Field::of_path(path).filter(|_| may(path)) else { return false };
    let index = path.split_once('[').and_then(|(_, rest)| rest.split(']').next()?.parse().ok());
    let max = MAX_ENTRIES.iter().find(|(own, _)| *own == field).map_or(0, |(_, max)| *max);
    match field {
        Field::Keywords => shorten(&mut record.keywords, index, max),
        Field::Industry => record.industry.clear(),
        Field::HighTech => record.field.clear(),
        Field::Programme => record.policy_field = None,
        Field::Region => record.region.clear(),
        Field::Owner | Field::OwnerType => record.owner = None,
        Field::CreditCode => {
            if let Some(owner) = &mut record.owner {
                owner.credit_code.clear();
            }
        }
        Field::PublishTime => record.publish_time = None,
        Field::Revision => record.revision = 0,
        _ => return detail(&mut record.detail, field, index, max),
    }
    true
}

fn detail(detail: &mut Detail, field: Field, index: Option<usize>, max: usize) -> bool {
    match (detail, field) {
        (Detail::Achievement(own), Field::RegistrationNumber) => own.registration_number.clear(),
        (Detail::Achievement(own), Field::Trl) => own.trl = None,
        (Detail::Achievement(own), Field::Price) => own.price_yuan = None,
        (Detail::Achievement(own), Field::TransferModes) => own.transfer_modes.clear(),
        (Detail::Achievement(own), Field::IntellectualProperty) => match index {
            Some(index) => own.intellectual_property.get_mut(index).into_iter().for_each(|right| right.number.clear()),
            None => own.intellectual_property.truncate(max),
        },
        (Detail::Demand(own), Field::Budget) => own.budget_yuan = None,
        (Detail::Demand(own), Field::CooperationModes) => own.cooperation_modes.clear(),
        (Detail::Expert(own), Field::ProfessionalTitle) => own.professional_title.clear(),
        (Detail::Expert(own), Field::AchievementIds) => {
            shorten(&mut own.achievement_ids, index, max);
            if index.is_none() {
                let mut seen = std::collections::HashSet::new();
                own.achievement_ids.retain(|id| seen.insert(id.clone()));
            }
        }
        _ => return false,
    }
    true
}

/// Takes out one entry, or those beyond the maximum.
fn shorten(list: &mut Vec<String>, index: Option<usize>, max: usize) {
    match index {
        Some(index) if index < list.len() => drop(list.remove(index)),
        Some(_) => (),
        None => list.truncate(max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Kind, codes::TransferMode, record::Owner};

    fn check(kind: Kind, change: impl FnOnce(&mut Record), want: impl FnOnce(&Record) -> bool) {
        let mut record = Record::new("", "a-1", "名称", Detail::empty(kind));
        change(&mut record);
        let violations = record.clone().checked().unwrap_err();
        for violation in violations.iter().rev() {
            assert!(field(&mut record, &violation.field), "{}", violation.field);
        }
        let record = record.checked().unwrap_or_else(|violations| panic!("{violations:?}"));
        assert!(want(&record), "{record:?}");
    }

    #[test]
    fn each_optional_value_leaves_the_rest() {
        let owner =
            |code: &str, name: &str| Some(Owner { name: name.into(), credit_code: code.into(), owner_type: None });
        let words = |count: usize| (0..count).map(|n| format!("词{n}")).collect::<Vec<_>>();
        check(Kind::Demand, |it| it.keywords = words(25), |it| it.keywords.len() == 20);
        check(
            Kind::Demand,
            |it| it.keywords = vec!["长".repeat(41), "好".into(), "长".repeat(50)],
            |it| it.keywords == ["好"],
        );
        check(
            Kind::Demand,
            |it| it.owner = owner("123", "甲厂"),
            |it| it.owner.as_ref().is_some_and(|it| it.name == "甲厂"),
        );
        check(Kind::Demand, |it| it.owner = owner("", ""), |it| it.owner.is_none());
        check(Kind::Demand, |it| it.revision = u64::MAX, |it| it.revision == 0);
        let budget = |it: &mut Record| {
            if let Detail::Demand(own) = &mut it.detail {
                own.budget_yuan = Some(i64::MAX)
            }
        };
        check(Kind::Demand, budget, |it| it.amount_yuan().is_none());
        let modes = |it: &mut Record| {
            if let Detail::Achievement(own) = &mut it.detail {
                own.transfer_modes = vec![TransferMode::Equity; 2];
                own.trl = Some(12);
                own.registration_number = "x".into();
            }
        };
        check(Kind::Achievement, modes, |it| !matches!(&it.detail, Detail::Achievement(own) if own.trl.is_some()));
        let ids = |it: &mut Record| {
            if let Detail::Expert(own) = &mut it.detail {
                own.achievement_ids = ["a", "b c", "a"].map(String::from).to_vec();
            }
        };
        check(Kind::Expert, ids, |it| matches!(&it.detail, Detail::Expert(own) if own.achievement_ids == ["a"]));
    }

    #[test]
    fn what_a_record_is_known_by_stays() {
        for path in ["common.id", "common.title", "common.source_system", "common.body", "something"] {
            assert!(!may(path), "{path}");
        }
    }
}
